//! From words to a condition. The grammar is in `docs/policies.md`.

use std::sync::Arc;

use chrono_tz::Tz;

use super::ast::{Arithmetic, Comparison, Operand, Part, Predicate, TimeOfDay};
use super::lexer::{AFTER_IN, Kind, SyntaxError, Token, words};
use super::value::Value;

/// The longest expression, in bytes.
pub const LONGEST: usize = 1_000;
/// How deep parentheses and `not` may be in one another.
const DEEPEST: u32 = 16;
/// The words that begin an expression. A text that begins with none of them is a literal.
const BEGINNINGS: &[&str] =
    &["in", "between", "starts_with", "ends_with", "contains", "exists", "not", "one_of", "==", "!=", "<", ">"];

/// Whether a text is meant as an expression: it begins with an operator, or a keyword that a space, a parenthesis or the
/// end follows.
pub fn is_expression(text: &str) -> bool {
    let text = text.trim_start_matches(' ');
    BEGINNINGS.iter().any(|beginning| {
        let Some(rest) = text.strip_prefix(beginning) else { return false };
        match *beginning {
            "==" | "!=" | "<" | ">" => true,
            "exists" => rest.trim_matches(' ').is_empty(),
            "not" | "one_of" => rest.trim_start_matches(' ').starts_with('('),
            _ => rest.starts_with(' ') || rest.starts_with('['),
        }
    })
}

/// Reads an expression.
///
/// # Errors
/// Where it stops being one, and what would be right there.
pub fn parse(text: &str) -> Result<Predicate, SyntaxError> {
    if text.len() > LONGEST {
        return Err(SyntaxError::new(LONGEST, format!("an expression has at most {LONGEST} bytes")));
    }
    let mut parser = Parser { tokens: words(text)?, next: 0, end: text.len(), depth: 0 };
    let predicate = parser.predicate()?;
    match parser.tokens.get(parser.next) {
        Some(token) => Err(SyntaxError::new(token.at, "the expression should end here")),
        None => Ok(predicate),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    end: usize,
    depth: u32,
}

impl Parser {
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.at)
    }

    fn wrong<T>(&self, what: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError::new(self.at(), what))
    }

    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    /// Takes the next word if it is this sign.
    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Kind::Sign(next)) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn must_see(&mut self, sign: &'static str) -> Result<(), SyntaxError> {
        if self.sign(sign) { Ok(()) } else { self.wrong(format!("'{sign}' is missing")) }
    }

    fn name(&mut self) -> Option<Arc<str>> {
        let Some(Kind::Name(name)) = self.peek() else { return None };
        let name = Arc::clone(name);
        self.next += 1;
        Some(name)
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), SyntaxError> {
        if matches!(self.peek(), Some(Kind::Name(name)) if &**name == keyword) {
            self.next += 1;
            return Ok(());
        }
        self.wrong(format!("'{keyword}' is missing"))
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        if self.depth == DEEPEST {
            return self.wrong(format!("parentheses are at most {DEEPEST} deep"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn predicate(&mut self) -> Result<Predicate, SyntaxError> {
        const MISSING: &str = "an expression begins with ==, !=, <, <=, >, >=, in, between, starts_with, ends_with, \
                               contains, exists, not(…) or one_of(…)";
        if let Some(Kind::Sign(sign)) = self.peek()
            && let Ok(comparison) = sign.parse::<Comparison>()
        {
            self.next += 1;
            return Ok(Predicate::Compare(comparison, self.operand()?));
        }
        let start = self.next;
        let Some(name) = self.name() else { return self.wrong(MISSING) };
        match &*name {
            "in" => self.members(),
            "between" => self.range(),
            "exists" => Ok(Predicate::Exists),
            "not" => {
                self.must_see("(")?;
                let inner = self.deeper(Self::predicate)?;
                self.must_see(")")?;
                Ok(Predicate::Not(Box::new(inner)))
            }
            "one_of" => {
                self.must_see("(")?;
                let attribute = self.attribute()?;
                self.must_see(")")?;
                Ok(Predicate::OneOf(attribute))
            }
            name => match name.parse::<Part>() {
                Ok(part) => Ok(Predicate::Part(part, self.operand()?)),
                Err(_) => {
                    self.next = start;
                    self.wrong(MISSING)
                }
            },
        }
    }

    fn attribute(&mut self) -> Result<Arc<str>, SyntaxError> {
        match self.name() {
            Some(name) if name.contains('.') => Ok(name),
            _ => self.wrong("the name of an attribute is missing, as in one_of(user.teams)"),
        }
    }

    fn members(&mut self) -> Result<Predicate, SyntaxError> {
        if let Some(Kind::Network(network)) = self.peek() {
            let network = *network;
            self.next += 1;
            return Ok(Predicate::Network(network));
        }
        if !self.sign("[") {
            return self.wrong(AFTER_IN);
        }
        let mut members = vec![self.operand()?];
        while self.sign(",") {
            members.push(self.operand()?);
        }
        self.must_see("]")?;
        Ok(Predicate::In(members))
    }

    fn range(&mut self) -> Result<Predicate, SyntaxError> {
        if let Some(from) = self.time_of_day() {
            self.keyword("and")?;
            let Some(to) = self.time_of_day() else { return self.wrong("a time of day like 18:00 is missing") };
            let Some(zone) = self.zone() else {
                return self.wrong("a time zone like Asia/Kolkata or UTC is missing");
            };
            return Ok(Predicate::TimeOfDay(from, to, zone));
        }
        let from = self.operand()?;
        self.keyword("and")?;
        Ok(Predicate::Between(from, self.operand()?))
    }

    fn time_of_day(&mut self) -> Option<TimeOfDay> {
        let Some(Kind::TimeOfDay(time)) = self.peek() else { return None };
        let time = *time;
        self.next += 1;
        Some(time)
    }

    fn zone(&mut self) -> Option<Tz> {
        let Some(Kind::Zone(zone)) = self.peek() else { return None };
        let zone = *zone;
        self.next += 1;
        Some(zone)
    }

    fn operand(&mut self) -> Result<Operand, SyntaxError> {
        self.calculation(Self::product, &[("+", Arithmetic::Add), ("-", Arithmetic::Subtract)])
    }

    fn product(&mut self) -> Result<Operand, SyntaxError> {
        self.calculation(Self::factor, &[("*", Arithmetic::Multiply), ("/", Arithmetic::Divide)])
    }

    /// Operators of one strength bind to the left.
    fn calculation(
        &mut self,
        side: fn(&mut Self) -> Result<Operand, SyntaxError>,
        operators: &[(&str, Arithmetic)],
    ) -> Result<Operand, SyntaxError> {
        let mut left = side(self)?;
        while let Some((_, arithmetic)) = operators.iter().find(|(sign, _)| self.sign(sign)) {
            left = Operand::Calculated(*arithmetic, Box::new(left), Box::new(side(self)?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Operand, SyntaxError> {
        if self.sign("(") {
            let inner = self.deeper(Self::operand)?;
            self.must_see(")")?;
            return Ok(inner);
        }
        if self.sign("-") {
            return self.negative();
        }
        if let Some(Kind::Literal(value)) = self.peek() {
            let value = value.clone();
            self.next += 1;
            return Ok(Operand::Literal(value));
        }
        let start = self.next;
        let Some(name) = self.name() else { return self.wrong("a value or an attribute is missing") };
        if &*name == "now" {
            self.must_see("(")?;
            self.must_see(")")?;
            return Ok(Operand::Now);
        }
        if name.contains('.') {
            return Ok(Operand::Attribute(name));
        }
        self.next = start;
        self.wrong(format!("'{name}' is no attribute; a text stands in quotes"))
    }

    /// A minus sign belongs to the number, duration or amount after it.
    fn negative(&mut self) -> Result<Operand, SyntaxError> {
        let negated = match self.peek() {
            Some(Kind::Literal(Value::Number(number))) => Value::Number(-number),
            Some(Kind::Literal(Value::Duration(micros))) => Value::Duration(-micros),
            Some(Kind::Literal(Value::Money(money))) => {
                Value::Money(super::value::Money { minor: -money.minor, ..*money })
            }
            _ => return self.wrong("only a number, a duration or an amount can be negative"),
        };
        self.next += 1;
        Ok(Operand::Literal(negated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_as_the_same() {
        for (text, printed) in [
            ("> now()+24h", "> now() + 1d"),
            ("<= tenant.limits.auto_approve", "<= tenant.limits.auto_approve"),
            ("between 09:00 and 18:00 Asia/Kolkata", "between 09:00 and 18:00 Asia/Kolkata"),
            ("between 22:00 and 06:00 UTC", "between 22:00 and 06:00 UTC"),
            ("in 10.0.0.0/8", "in 10.0.0.0/8"),
            ("in 2001:db8::/32", "in 2001:db8::/32"),
            ("in ['a', \"b\"]", "in [\"a\", \"b\"]"),
            ("one_of(user.teams)", "one_of(user.teams)"),
            ("not(in [1, 2.50])", "not(in [1, 2.5])"),
            ("not ( exists )", "not(exists)"),
            ("not(in 10.0.0.0/8)", "not(in 10.0.0.0/8)"),
            ("not( not(in  ::ffff:10.0.0.0/104 ) )", "not(not(in ::ffff:10.0.0.0/104))"),
            ("not(between 09:00 and 18:00 UTC)", "not(between 09:00 and 18:00 UTC)"),
            (" not(between 22:00 and 06:00 Etc/GMT+1 ) ", "not(between 22:00 and 06:00 Etc/GMT+1)"),
            ("between 22:00 and 06:00 America/Port-au-Prince", "between 22:00 and 06:00 America/Port-au-Prince"),
            ("== 1 - (2 - 3) * 4", "== 1 - (2 - 3) * 4"),
            ("== (1 - 2) - 3", "== 1 - 2 - 3"),
            ("== ((1 * 2) + 3)", "== 1 * 2 + 3"),
            ("== 2 * (3 / 4)", "== 2 * (3 / 4)"),
            ("== -5", "== -5"),
            ("starts_with 'IN-'", "starts_with \"IN-\""),
            ("!= user.id", "!= user.id"),
            ("between 10.00 INR and 20 INR", "between 10 INR and 20 INR"),
            (">= 2026-01-31", ">= 2026-01-31T00:00:00Z"),
        ] {
            let parsed = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(parsed.to_string(), printed, "{text}");
            assert_eq!(parse(printed).unwrap(), parsed, "{printed}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, at, part) in [
            ("== ", 3, "missing"),
            ("= 5", 0, "means nothing"),
            ("> 5 6", 4, "should end"),
            ("in 10.0.0.1/8", 3, "network"),
            ("not(in 10.0.0.1/8)", 7, "10.0.0.0/8"),
            ("in 10.0.0.0/33", 3, "network"),
            ("in 10.0.0.1", 3, "network"),
            ("in ::1", 3, "network"),
            ("in 10.0.0.0/8 UTC", 14, "should end"),
            ("in user.teams", 3, "one_of"),
            ("in booking.teams", 3, "one_of"),
            ("in []", 4, "missing"),
            ("in [1", 5, "']'"),
            ("between 1", 9, "'and'"),
            ("between 09:00 and 18:00", 23, "time zone"),
            ("between 09:00 and 5 UTC", 18, "time of day"),
            ("between 09:00 UTC and 18:00 UTC", 14, "'and'"),
            ("between 09:00 and 18:00 Mars/Phobos", 24, "time zone"),
            ("not(between 09:00 and 18:00) UTC", 27, "time zone"),
            ("== 5 Asia/Kolkata", 5, "should end"),
            ("== PremiumCustomer", 3, "quotes"),
            ("one_of(teams)", 12, "attribute"),
            ("not(5)", 4, "begins with"),
            ("== -user.id", 4, "negative"),
            ("now() > 5", 0, "begins with"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.at == at && error.what.contains(part), "{text}: {error:?}");
        }
    }

    #[test]
    fn size_and_depth_have_limits() {
        let nested = |depth: usize| format!("== {}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(16)).is_ok());
        assert!(parse(&nested(17)).is_err());
        let negated = |depth: usize| format!("{}exists{}", "not(".repeat(depth), ")".repeat(depth));
        assert!(parse(&negated(16)).is_ok());
        assert!(parse(&negated(100)).is_err());
        assert!(parse(&format!("== 1{}", " + 1".repeat(400))).is_err());
    }

    #[test]
    fn a_text_that_begins_like_none_is_a_literal() {
        for expression in ["== 5", "<5", "in [1]", "in 10.0.0.0/8", "exists", " exists ", "not(exists)", "one_of(a.b)"]
        {
            assert!(is_expression(expression), "{expression}");
        }
        for literal in
            ["", "PremiumCustomer", "index", "interior", "existsential", "notes", "one_off", "=5", "in", "not a"]
        {
            assert!(!is_expression(literal), "{literal}");
        }
    }
}
