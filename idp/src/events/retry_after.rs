//! When a receiver wants to be asked again (`Retry-After`, RFC 9110 §10.2.3).

use std::time::{Duration, SystemTime};

use actix_web::http::header::HttpDate;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tenantry_types::UtcTime;

/// How long after `now` an answer with these headers asks to wait, by seconds or by a date; nothing for a date that is over.
/// `None` when it does not ask, or not in a way that the standard knows.
pub(super) fn read(headers: &HeaderMap, now: UtcTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit is a number all the same.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = SystemTime::from(value.parse::<HttpDate>().ok()?);
    let seconds = date.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let date = UtcTime::from_unix_seconds(i64::try_from(seconds).ok()?)?;
    Some(date.since(now))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(value: &'static str) -> Option<Duration> {
        // Mon, 07 Nov 1994 08:48:37 GMT
        let now = UtcTime::from_unix_seconds(784_198_117).unwrap();
        read(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]), now)
    }

    #[test]
    fn reads_seconds() {
        assert_eq!(asked("120"), Some(Duration::from_secs(120)));
        assert_eq!(asked(" 0 "), Some(Duration::ZERO));
        assert_eq!(asked("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn reads_dates_in_the_three_forms_that_there_are() {
        let dates = ["Mon, 07 Nov 1994 08:50:37 GMT", "Monday, 07-Nov-94 08:50:37 GMT", "Mon Nov  7 08:50:37 1994"];
        for date in dates {
            assert_eq!(asked(date), Some(Duration::from_secs(120)), "{date}");
        }
        assert_eq!(asked("Mon, 07 Nov 1994 08:48:00 GMT"), Some(Duration::ZERO), "it is over");
    }

    #[test]
    fn takes_nothing_else_for_a_time() {
        for value in ["", "-1", "+1", "1.5", "1 s", "soon", "1994-11-07T08:50:37Z"] {
            assert_eq!(asked(value), None, "{value}");
        }
        assert_eq!(read(&HeaderMap::new(), UtcTime::MAX), None);
    }
}
