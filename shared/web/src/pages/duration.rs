//! Durations in words.

use std::time::Duration;

/// A counted noun, by the plural rule that one differs from all others (as in English and Hindi).
#[derive(Debug, Clone, Copy)]
pub struct Plural {
    /// For one.
    pub one: &'static str,
    /// For any other number, with `{count}`.
    pub many: &'static str,
}

impl Plural {
    fn format(self, count: u64) -> String {
        if count == 1 { self.one.to_owned() } else { self.many.replace("{count}", &count.to_string()) }
    }
}

/// The units of time in one language.
#[derive(Debug, Clone, Copy)]
pub struct DurationWords {
    /// Seconds.
    pub seconds: Plural,
    /// Minutes.
    pub minutes: Plural,
    /// Hours.
    pub hours: Plural,
    /// Days.
    pub days: Plural,
}

impl DurationWords {
    /// English.
    pub const ENGLISH: Self = Self {
        seconds: Plural { one: "1 second", many: "{count} seconds" },
        minutes: Plural { one: "1 minute", many: "{count} minutes" },
        hours: Plural { one: "1 hour", many: "{count} hours" },
        days: Plural { one: "1 day", many: "{count} days" },
    };

    /// A duration in the unit that suits its size, rounded up, so that waiting that long is enough; at least a second.
    pub fn format(&self, duration: Duration) -> String {
        let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1);
        match seconds {
            0..=90 => self.seconds.format(seconds),
            91..=5_400 => self.minutes.format(seconds.div_ceil(60)),
            5_401..=172_800 => self.hours.format(seconds.div_ceil(3_600)),
            _ => self.days.format(seconds.div_ceil(86_400)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_up() {
        for (millis, text) in [
            (0, "1 second"),
            (1_000, "1 second"),
            (1_001, "2 seconds"),
            (90_000, "90 seconds"),
            (91_000, "2 minutes"),
            (3_599_999, "60 minutes"),
            (5_401_000, "2 hours"),
            (172_800_000, "48 hours"),
            (172_801_000, "3 days"),
            (u64::MAX, "213503982335 days"),
        ] {
            assert_eq!(DurationWords::ENGLISH.format(Duration::from_millis(millis)), text);
        }
        assert_eq!(DurationWords::ENGLISH.format(Duration::MAX), "213503982334602 days");
    }
}
