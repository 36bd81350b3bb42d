//! Points in time.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, Utc};

use crate::ParseError;

/// A point in time, UTC, in whole microseconds (what every database here can keep).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Timestamp))]
pub struct UtcTime(pub(crate) NaiveDateTime);

impl UtcTime {
    /// The end of the year 9999, the last time that RFC 3339 and every database can hold.
    pub const MAX: Self = Self(match DateTime::from_timestamp(253_402_300_799, 0) {
        Some(time) => time.naive_utc(),
        None => NaiveDateTime::MAX,
    });

    /// Cuts a time to microseconds.
    pub fn from_datetime(time: DateTime<Utc>) -> Self {
        Self::from_unix_micros(time.timestamp_micros()).unwrap_or(Self::MAX)
    }

    /// From whole seconds since 1970; `None` outside the years 1970 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        Self::from_unix_micros(seconds.checked_mul(1_000_000)?)
    }

    /// From microseconds since 1970; `None` outside the years 1970 to 9999.
    pub fn from_unix_micros(micros: i64) -> Option<Self> {
        let time = Self(DateTime::from_timestamp_micros(micros)?.naive_utc());
        (micros >= 0 && time <= Self::MAX).then_some(time)
    }

    /// Whole seconds since 1970: the `NumericDate` of RFC 7519 §2, always an integer here.
    pub fn unix_seconds(self) -> i64 {
        self.0.and_utc().timestamp()
    }

    /// Milliseconds since 1970, as UUIDv7 wants them.
    pub fn unix_millis(self) -> u64 {
        u64::try_from(self.0.and_utc().timestamp_millis()).unwrap_or(0)
    }

    /// Microseconds since 1970.
    pub fn unix_micros(self) -> i64 {
        self.0.and_utc().timestamp_micros()
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        (self.0 - earlier.0).to_std().unwrap_or(Duration::ZERO)
    }

    /// The same time as chrono's type, for formatting.
    pub fn to_datetime(self) -> DateTime<Utc> {
        self.0.and_utc()
    }
}

impl Add<Duration> for UtcTime {
    type Output = Self;

    /// Saturates at [`UtcTime::MAX`].
    fn add(self, by: Duration) -> Self {
        TimeDelta::from_std(by)
            .ok()
            .and_then(|delta| self.0.checked_add_signed(delta))
            .map_or(Self::MAX, |time| Self(time).min(Self::MAX))
    }
}

impl Sub<Duration> for UtcTime {
    type Output = Self;

    /// Saturates at 1970.
    fn sub(self, by: Duration) -> Self {
        let epoch = Self(DateTime::UNIX_EPOCH.naive_utc());
        TimeDelta::from_std(by)
            .ok()
            .and_then(|delta| self.0.checked_sub_signed(delta))
            .map_or(epoch, |time| Self(time).max(epoch))
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl FromStr for UtcTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let time = DateTime::parse_from_rfc3339(text)
            .map_err(|_| ParseError::new("must be a date and time like 2026-01-31T09:30:00Z (RFC 3339)"))?;
        Self::from_unix_micros(time.timestamp_micros())
            .ok_or_else(|| ParseError::new("must be between the years 1970 and 9999"))
    }
}

impl serde::Serialize for UtcTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for UtcTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_text_and_arithmetic() {
        let time: UtcTime = "2026-01-31T09:30:00.000001+05:30".parse().unwrap();
        assert_eq!(time.to_string(), "2026-01-31T04:00:00.000001Z");
        assert_eq!((time + Duration::from_secs(60)).since(time), Duration::from_secs(60));
        assert_eq!(time.since(time + Duration::from_secs(1)), Duration::ZERO);
        assert_eq!(UtcTime::MAX + Duration::from_secs(1), UtcTime::MAX);
        assert_eq!(UtcTime::MAX + Duration::MAX, UtcTime::MAX);
        assert_eq!(UtcTime::from_unix_seconds(i64::MAX), None);
        assert_eq!(UtcTime::from_unix_seconds(-1), None);
        assert!("yesterday".parse::<UtcTime>().is_err());
    }
}
