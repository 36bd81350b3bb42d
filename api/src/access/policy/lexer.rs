//! From the text of an expression to its words.

use std::sync::Arc;

use chrono_tz::Tz;
use ipnet::IpNet;
use tenantry_types::UtcTime;

use super::ast::TimeOfDay;
use super::value::{Currency, Money, UNITS, Value, parse_decimal};

/// A word of an expression, and where it begins (in bytes).
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

/// What kind of word it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A value.
    Literal(Value),
    /// A time of day.
    TimeOfDay(TimeOfDay),
    /// The zone of a time of day, after it.
    Zone(Tz),
    /// A network, after `in`.
    Network(IpNet),
    /// A name: a keyword, or the path of an attribute.
    Name(Arc<str>),
    /// An operator, a parenthesis, a bracket or a comma.
    Sign(&'static str),
}

/// Why a text is not an expression: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {}: {what}", .at + 1)]
pub struct SyntaxError {
    /// How many bytes stand before it.
    pub at: usize,
    /// One sentence.
    pub what: String,
}

impl SyntaxError {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

/// What comes after `in`.
pub const AFTER_IN: &str = "a list [a, b] or a network like 10.0.0.0/8 is missing; for a set there is one_of(…)";

/// The longest first, so that `<=` is not read as `<`.
const SIGNS: &[&str] = &["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", "+", "-", "*", "/"];

/// The words of an expression.
pub fn words(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        if next == ' ' {
            at += 1;
            continue;
        }
        let rest = &text[at..];
        // Networks and zones have letters and signs of their own, and stand after certain words only.
        let special = match tokens.last().map(|token: &Token| &token.kind) {
            Some(Kind::Name(name)) if &**name == "in" => network(rest).map_err(|what| SyntaxError::new(at, what))?,
            Some(Kind::TimeOfDay(_)) => zone(rest),
            _ => None,
        };
        let (kind, length) = if let Some(special) = special {
            special
        } else if matches!(next, '"' | '\'') {
            quoted(rest, next).ok_or_else(|| SyntaxError::new(at, "a text is not closed"))?
        } else if next.is_ascii_digit() {
            number_or_time(rest).map_err(|what| SyntaxError::new(at, what))?
        } else if next.is_ascii_alphabetic() || next == '_' {
            let length = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
            (name(&rest[..length]), length)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Kind::Sign(sign), sign.len())
        } else {
            return Err(SyntaxError::new(at, format!("'{}' means nothing here", next.escape_debug())));
        };
        tokens.push(Token { kind, at });
        at += length;
    }
    Ok(tokens)
}

/// A network, where what comes is of the letters of one.
fn network(rest: &str) -> Result<Option<(Kind, usize)>, String> {
    let length = rest.find(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '/'))).unwrap_or(rest.len());
    if length == 0 {
        return Ok(None);
    }
    let network: IpNet = rest[..length].parse().map_err(|_| AFTER_IN.to_owned())?;
    // What has bits set behind its prefix is a mistake, not a network.
    let meant = network.trunc();
    if meant == network {
        Ok(Some((Kind::Network(network), length)))
    } else {
        Err(format!("{network} is no network; {meant} is the one that it is in"))
    }
}

/// A time zone: `UTC`, `Asia/Kolkata`, `Etc/GMT+1`, `America/Port-au-Prince`.
fn zone(rest: &str) -> Option<(Kind, usize)> {
    let is_other = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '+' | '-'));
    let length = rest.find(is_other).unwrap_or(rest.len());
    let name = &rest[..length];
    let zone: Tz = name.parse().ok().filter(|_| name.contains('/') || name == "UTC")?;
    Some((Kind::Zone(zone), length))
}

/// Letters of names.
const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

fn name(text: &str) -> Kind {
    match text {
        "true" => Kind::Literal(Value::Bool(true)),
        "false" => Kind::Literal(Value::Bool(false)),
        _ => Kind::Name(text.into()),
    }
}

fn quoted(rest: &str, quote: char) -> Option<(Kind, usize)> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => text.push(characters.next()?.1),
            _ if character == quote => return Some((Kind::Literal(Value::text(&text)), at + 1)),
            _ => text.push(character),
        }
    }
    None
}

fn number_or_time(rest: &str) -> Result<(Kind, usize), &'static str> {
    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | ':'))).unwrap_or(rest.len());
    let word = &rest[..length];
    // A date goes on over its hyphens and over the offset from UTC.
    if word.len() == 4 && rest[4..].starts_with('-') {
        return date(rest);
    }
    if word.contains(':') {
        let time = TimeOfDay::parse(word).ok_or("a time of day has the form 09:00")?;
        return Ok((Kind::TimeOfDay(time), length));
    }
    let digits = word.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    if unit.is_empty() {
        // Money is a number and a currency: `19.99 EUR`.
        let after = rest[length..].strip_prefix(' ').unwrap_or_default();
        let code = after.get(..3).filter(|_| !after[3..].starts_with(is_of_name));
        if let Some(currency) = code.and_then(Currency::parse) {
            let minor = parse_decimal(number, currency.decimals())
                .ok_or("an amount has no more decimals than its currency, and fits into 64 bits of minor units")?;
            return Ok((Kind::Literal(Value::Money(Money { minor, currency })), length + 4));
        }
        let number = parse_decimal(number, 6).ok_or("a number has at most 6 decimals and 12 digits before them")?;
        return Ok((Kind::Literal(Value::Number(number)), length));
    }
    let (micros, _) =
        UNITS.iter().find(|(_, name)| *name == unit).ok_or("a duration ends in w, d, h, m, s, ms or us")?;
    let count: Option<i64> = number.parse().ok();
    let duration =
        count.and_then(|count| count.checked_mul(*micros)).ok_or("a duration is a whole number of a unit")?;
    Ok((Kind::Literal(Value::Duration(duration)), length))
}

fn date(rest: &str) -> Result<(Kind, usize), &'static str> {
    const WRONG: &str = "a date has the form 2026-01-31, a time 2026-01-31T09:30:00Z";
    let day = rest.get(..10).ok_or(WRONG)?;
    let (text, length) = if rest[10..].starts_with('T') {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | ':' | '.')));
        let length = end.unwrap_or(rest.len());
        (rest[..length].to_owned(), length)
    } else {
        (format!("{day}T00:00:00Z"), 10)
    };
    let time: UtcTime = text.parse().map_err(|_| WRONG)?;
    Ok((Kind::Literal(Value::Time(time)), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        words(text).unwrap_or_else(|error| panic!("{text}: {error}")).into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn words_are_told_apart() {
        let micros = |micros| Kind::Literal(Value::Duration(micros));
        let number = |millionths| Kind::Literal(Value::Number(millionths));
        let time = |text: &str| Kind::Literal(Value::Time(text.parse().unwrap()));
        for (text, expected) in [
            (
                "> now() + 24h",
                vec![
                    Kind::Sign(">"),
                    Kind::Name("now".into()),
                    Kind::Sign("("),
                    Kind::Sign(")"),
                    Kind::Sign("+"),
                    micros(86_400_000_000),
                ],
            ),
            ("<=5-3", vec![Kind::Sign("<="), number(5_000_000), Kind::Sign("-"), number(3_000_000)]),
            ("1500ms", vec![micros(1_500_000)]),
            ("2026-01-31", vec![time("2026-01-31T00:00:00Z")]),
            ("2026-01-31T09:30:00+05:30", vec![time("2026-01-31T04:00:00Z")]),
            ("09:00", vec![Kind::TimeOfDay(TimeOfDay::parse("09:00").unwrap())]),
            ("'it\\'s' \"é\"", vec![Kind::Literal(Value::text("it's")), Kind::Literal(Value::text("é"))]),
            (
                "19.99 EUR",
                vec![Kind::Literal(Value::Money(Money { minor: 1_999, currency: Currency::parse("EUR").unwrap() }))],
            ),
            ("19 EURO", vec![number(19_000_000), Kind::Name("EURO".into())]),
            ("true", vec![Kind::Literal(Value::Bool(true))]),
            (
                "not(in 2001:db8::/32)",
                vec![
                    Kind::Name("not".into()),
                    Kind::Sign("("),
                    Kind::Name("in".into()),
                    Kind::Network("2001:db8::/32".parse().unwrap()),
                    Kind::Sign(")"),
                ],
            ),
            (
                "18:00 Etc/GMT+1)",
                vec![
                    Kind::TimeOfDay(TimeOfDay::parse("18:00").unwrap()),
                    Kind::Zone(Tz::Etc__GMTPlus1),
                    Kind::Sign(")"),
                ],
            ),
            ("UTC/6", vec![Kind::Name("UTC".into()), Kind::Sign("/"), number(6_000_000)]),
        ] {
            assert_eq!(kinds(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_word_is_said_to_be_none() {
        for (text, at) in [
            ("== \"open", 3),
            ("== 'a\\", 3),
            ("== 1.2.3", 3),
            ("== 5x", 3),
            ("== 1.5h", 3),
            ("== 99999999999999h", 3),
            ("== 19.999 EUR", 3),
            ("== 2026-13-01", 3),
            ("== 2026-", 3),
            ("== 25:00", 3),
            ("== 9:0", 3),
            ("== ~", 3),
            ("== ٣", 3),
            ("\u{a0}== 1", 0),
            ("== \"ß\" ß", 8),
        ] {
            assert_eq!(words(text).unwrap_err().at, at, "{text}");
        }
    }
}
