//! The values that conditions speak of.
//!
//! All are exact, so that a decision and the database agree on them: numbers are millionths, times microseconds, money
//! minor units of one currency.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tenantry_types::{UtcTime, text_enum};

text_enum! {
    /// What kind of value an attribute has.
    pub enum Type {
        /// True or false.
        Bool = "bool",
        /// A number with at most six decimals.
        Number = "number",
        /// A text, compared letter by letter.
        Text = "text",
        /// A point in time.
        Time = "time",
        /// How long something takes.
        Duration = "duration",
        /// An amount in a currency.
        Money = "money",
        /// A network address.
        Address = "address",
        /// A set of texts.
        Set = "set",
    }
}

/// Millionths in one.
pub const ONE: i64 = 1_000_000;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A number, in millionths.
    Number(i64),
    /// A text.
    Text(Arc<str>),
    /// A point in time.
    Time(UtcTime),
    /// A duration, in microseconds. It can be negative.
    Duration(i64),
    /// An amount.
    Money(Money),
    /// A network address. An IPv4 address inside IPv6 is the IPv4 address.
    Address(IpAddr),
    /// Texts, sorted, each once.
    Set(Arc<[Arc<str>]>),
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A set of these texts.
    pub fn set<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let mut set: Vec<Arc<str>> = texts.into_iter().map(|text| text.as_ref().into()).collect();
        set.sort_unstable();
        set.dedup();
        Self::Set(set.into())
    }

    /// A number that counts something; `None` where it is larger than any number.
    pub fn count(count: i64) -> Option<Self> {
        count.checked_mul(ONE).map(Self::Number)
    }

    /// An address in its plain form.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }

    /// What kind of value it is.
    pub const fn type_of(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Number(_) => Type::Number,
            Self::Text(_) => Type::Text,
            Self::Time(_) => Type::Time,
            Self::Duration(_) => Type::Duration,
            Self::Money(_) => Type::Money,
            Self::Address(_) => Type::Address,
            Self::Set(_) => Type::Set,
        }
    }
}

/// Written as in an expression.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(millionths) => decimal(f, *millionths, 6),
            Self::Text(text) => quoted(f, text),
            Self::Time(time) => write!(f, "{time}"),
            Self::Duration(micros) => duration(f, *micros),
            Self::Money(money) => write!(f, "{money}"),
            Self::Address(address) => write!(f, "{address}"),
            Self::Set(texts) => {
                f.write_str("[")?;
                for (at, text) in texts.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    quoted(f, text)?;
                }
                f.write_str("]")
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            _ => write!(f, "{character}")?,
        }
    }
    f.write_str("\"")
}

/// A number that is kept times ten to the power of `digits`, without zeros at its end.
fn decimal(f: &mut fmt::Formatter<'_>, scaled: i64, digits: u32) -> fmt::Result {
    let one = 10_u64.pow(digits);
    let magnitude = scaled.unsigned_abs();
    let sign = if scaled < 0 { "-" } else { "" };
    write!(f, "{sign}{}", magnitude / one)?;
    let fraction = magnitude % one;
    if fraction == 0 {
        return Ok(());
    }
    let text = format!("{fraction:0width$}", width = digits as usize);
    write!(f, ".{}", text.trim_end_matches('0'))
}

/// In the largest unit that gives a whole number.
fn duration(f: &mut fmt::Formatter<'_>, micros: i64) -> fmt::Result {
    let (unit, name) = UNITS.iter().find(|(unit, _)| micros % unit == 0).copied().unwrap_or((1, "us"));
    write!(f, "{}{name}", micros / unit)
}

/// Units of durations in microseconds, the largest first.
pub const UNITS: &[(i64, &str)] = &[
    (7 * 86_400_000_000, "w"),
    (86_400_000_000, "d"),
    (3_600_000_000, "h"),
    (60_000_000, "m"),
    (1_000_000, "s"),
    (1_000, "ms"),
    (1, "us"),
];

/// An amount in minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// As in cents.
    pub minor: i64,
    /// Which currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal(f, self.minor, self.currency.decimals())?;
        write!(f, " {}", self.currency)
    }
}

/// A currency by its code of three letters (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// A currency of three capital letters.
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// The decimals of its minor unit (ISO 4217, table A.1, where they are not two).
    pub const fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// Reads digits with at most `digits` decimals as that many times ten of the unit; `None` for more decimals or digits
/// than are kept exactly.
pub fn parse_decimal(text: &str, digits: u32) -> Option<i64> {
    parse_magnitude(text, digits).and_then(|magnitude| magnitude.try_into().ok())
}

/// The same, with a minus sign before it or none.
pub fn parse_signed(text: &str, digits: u32) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(text) => i64::try_from(-parse_magnitude(text, digits)?).ok(),
        None => parse_decimal(text, digits),
    }
}

fn parse_magnitude(text: &str, digits: u32) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || fraction.len() > digits as usize {
        return None;
    }
    let whole = i128::from(whole.parse::<u64>().ok()?) * 10_i128.pow(digits);
    let missing = digits - u32::try_from(fraction.len()).ok()?;
    let fraction =
        if fraction.is_empty() { 0 } else { i128::from(fraction.parse::<u64>().ok()?) * 10_i128.pow(missing) };
    Some(whole + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        for (text, digits, scaled) in [
            ("0", 6, Some(0)),
            ("1", 6, Some(ONE)),
            ("4.5", 6, Some(4_500_000)),
            ("0.000001", 6, Some(1)),
            ("0.0000010", 6, Some(1)),
            ("0.0000001", 6, None),
            ("9223372036854", 6, Some(9_223_372_036_854_000_000)),
            ("9223372036855", 6, None),
            ("19.99", 2, Some(1_999)),
            ("19.999", 2, None),
            ("100", 0, Some(100)),
            ("1.5", 0, None),
            ("", 6, None),
            (".5", 6, None),
            ("1e3", 6, None),
            ("٣", 6, None),
        ] {
            assert_eq!(parse_decimal(text, digits), scaled, "{text} with {digits}");
        }
    }

    #[test]
    fn values_are_written_as_they_are_read() {
        let rupees = Currency::parse("INR").unwrap();
        for (value, text) in [
            (Value::Number(4_500_000), "4.5"),
            (Value::Number(-1), "-0.000001"),
            (Value::Duration(86_400_000_000), "1d"),
            (Value::Duration(90 * 60_000_000), "90m"),
            (Value::Duration(0), "0w"),
            (Value::Money(Money { minor: 150_050, currency: rupees }), "1500.5 INR"),
            (Value::Money(Money { minor: 7, currency: Currency::parse("JPY").unwrap() }), "7 JPY"),
            (Value::text("a\"b\\"), "\"a\\\"b\\\\\""),
            (Value::set(["b", "a", "b"]), "[\"a\", \"b\"]"),
        ] {
            assert_eq!(value.to_string(), text);
        }
        assert_eq!(Currency::parse("inr"), None);
        assert_eq!(Value::address("::ffff:10.0.0.1".parse().unwrap()), Value::address("10.0.0.1".parse().unwrap()));
    }
}
