//! From a condition to a test that always ends: names become slots, types are checked, and what is constant is calculated.

use chrono_tz::Tz;
use ipnet::IpNet;
use serde_json::Value as Json;

use super::ast::{Arithmetic, Comparison, Operand, Part, Predicate, TimeOfDay};
use super::evaluate::calculate;
use super::parser::{LONGEST, is_expression, parse};
use super::schema::{Schema, Slot};
use super::value::{Type, Value, parse_signed};

/// How many alternatives a list in a condition has at most.
const MOST_IN_LIST: usize = 200;

/// A compiled test of one attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Two values of one type are compared.
    Compare(Comparison, Term, Term),
    /// A set has this text.
    Has(Slot, Term),
    /// A text is in a set of another attribute; of a set, one is.
    OneOf(Slot, Slot),
    /// Part of a text.
    Part(Part, Slot, Term),
    /// An address is of a network.
    Network(Slot, IpNet),
    /// The time of day of a time, in a zone.
    TimeOfDay(Slot, TimeOfDay, TimeOfDay, Tz),
    /// There is a value.
    Exists(Slot),
    /// The opposite.
    Not(Box<Test>),
    /// At least one of these.
    Any(Box<[Test]>),
    /// All of these.
    All(Box<[Test]>),
}

impl Test {
    /// How many values it asks for.
    pub fn size(&self) -> usize {
        match self {
            Self::Any(tests) | Self::All(tests) => tests.iter().map(Self::size).sum(),
            Self::Not(inner) => inner.size(),
            _ => 1,
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// It is known.
    Constant(Value),
    /// The value of an attribute.
    Attribute(Slot),
    /// The time of the decision.
    Now,
    /// Calculated from two.
    Calculated(Arithmetic, Box<(Term, Term)>),
}

/// Why a condition cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct CompileError {
    /// For programs: `syntax`, `unknown_attribute`, `type`, `limit`, `range`.
    pub code: &'static str,
    /// One sentence.
    pub detail: String,
}

impl CompileError {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

type Compiled<T> = Result<T, CompileError>;

/// Compiles what a condition says of one attribute: a literal, a list of which any may hold, or an expression.
///
/// # Errors
/// What is wrong with it.
pub fn compile(schema: &Schema, name: &str, json: &Json) -> Compiled<Test> {
    let slot = find(schema, name)?;
    Compiler { schema, slot, of: type_of(schema, slot) }.json(json)
}

fn find(schema: &Schema, name: &str) -> Compiled<Slot> {
    schema.slot(name).ok_or_else(|| {
        let known = schema.nearest(name).map_or_else(String::new, |near| format!("; did you mean {near}?"));
        let name: String = name.chars().take(100).collect();
        CompileError::new("unknown_attribute", format!("there is no attribute '{name}' here{known}"))
    })
}

fn type_of(schema: &Schema, slot: Slot) -> Type {
    // A slot comes from the schema that it is asked about.
    schema.attribute(slot).map_or(Type::Text, |attribute| attribute.r#type)
}

struct Compiler<'a> {
    schema: &'a Schema,
    slot: Slot,
    of: Type,
}

impl Compiler<'_> {
    fn json(&self, json: &Json) -> Compiled<Test> {
        match json {
            Json::Array(list) => {
                if list.is_empty() || list.len() > MOST_IN_LIST {
                    return Err(CompileError::new("limit", format!("a list has 1 to {MOST_IN_LIST} values")));
                }
                let tests: Compiled<Vec<Test>> = list.iter().map(|one| self.one(one)).collect();
                tests.map(|tests| Test::Any(tests.into()))
            }
            one => self.one(one),
        }
    }

    fn one(&self, json: &Json) -> Compiled<Test> {
        match json {
            Json::String(text) if is_expression(text) => {
                let predicate = parse(text).map_err(|error| CompileError::new("syntax", error.to_string()))?;
                self.predicate(&predicate)
            }
            Json::String(text) if text.len() > LONGEST => {
                Err(CompileError::new("limit", format!("a text has at most {LONGEST} bytes")))
            }
            Json::String(text) => self.equal(Comparison::Equal, Term::Constant(self.literal(text)?)),
            Json::Bool(value) => self.equal(Comparison::Equal, Term::Constant(Value::Bool(*value))),
            Json::Number(number) => {
                let number = parse_signed(&number.to_string(), 6).ok_or_else(|| {
                    CompileError::new("range", "a number has at most 6 decimals and 12 digits before them")
                })?;
                self.equal(Comparison::Equal, Term::Constant(Value::Number(number)))
            }
            Json::Null | Json::Array(_) | Json::Object(_) => {
                Err(CompileError::new("type", "must be a text, a number, true, false, or a list of them"))
            }
        }
    }

    /// A text that is no expression stands for a value of the attribute's type.
    fn literal(&self, text: &str) -> Compiled<Value> {
        let wrong = |example: &str| {
            CompileError::new("type", format!("{} is a {}: write it like {example}", self.name(), self.of))
        };
        match self.of {
            Type::Text | Type::Set => Ok(Value::text(text)),
            Type::Address => text.parse().map(Value::address).map_err(|_| wrong("10.0.0.1")),
            Type::Bool => Err(wrong("true, without quotes")),
            Type::Number => Err(wrong("4.5, without quotes")),
            Type::Time | Type::Duration | Type::Money => match parse(&format!("== {text}")) {
                Ok(Predicate::Compare(_, Operand::Literal(value))) if value.type_of() == self.of => Ok(value),
                _ => Err(wrong(match self.of {
                    Type::Time => "2026-01-31T09:30:00Z",
                    Type::Duration => "24h",
                    _ => "19.99 EUR",
                })),
            },
        }
    }

    fn name(&self) -> &str {
        self.schema.attribute(self.slot).map_or("", |attribute| &attribute.name)
    }

    fn predicate(&self, predicate: &Predicate) -> Compiled<Test> {
        match predicate {
            Predicate::Compare(comparison @ (Comparison::Equal | Comparison::NotEqual), operand) => {
                self.equal(*comparison, self.operand(operand)?.0)
            }
            Predicate::Compare(comparison, operand) => self.ordered(*comparison, operand),
            Predicate::In(operands) => {
                let one = |operand| self.equal(Comparison::Equal, self.operand(operand)?.0);
                let tests: Compiled<Vec<Test>> = operands.iter().map(one).collect();
                tests.map(|tests| Test::Any(tests.into()))
            }
            Predicate::Network(network) => {
                self.must_be(&[Type::Address], "a network")?;
                Ok(Test::Network(self.slot, *network))
            }
            Predicate::OneOf(name) => {
                self.must_be(&[Type::Text, Type::Set], "one_of(…)")?;
                let of = find(self.schema, name)?;
                if type_of(self.schema, of) != Type::Set {
                    return Err(CompileError::new("type", format!("{name} is no set")));
                }
                Ok(Test::OneOf(self.slot, of))
            }
            Predicate::Between(from, to) => {
                let bounds =
                    [self.ordered(Comparison::GreaterOrEqual, from)?, self.ordered(Comparison::LessOrEqual, to)?];
                Ok(Test::All(bounds.into()))
            }
            Predicate::TimeOfDay(from, to, zone) => {
                self.must_be(&[Type::Time], "a time of day")?;
                Ok(Test::TimeOfDay(self.slot, *from, *to, *zone))
            }
            Predicate::Part(part, operand) => {
                let (term, of) = self.operand(operand)?;
                if of != Type::Text {
                    return Err(CompileError::new("type", format!("{part} needs a text, not a {of}")));
                }
                if self.of == Type::Set && *part == Part::Any {
                    return Ok(Test::Has(self.slot, term));
                }
                self.must_be(&[Type::Text], part.as_str())?;
                Ok(Test::Part(*part, self.slot, term))
            }
            Predicate::Exists => Ok(Test::Exists(self.slot)),
            Predicate::Not(inner) => Ok(Test::Not(Box::new(self.predicate(inner)?))),
        }
    }

    fn must_be(&self, types: &[Type], asked: &str) -> Compiled<()> {
        if types.contains(&self.of) {
            return Ok(());
        }
        Err(CompileError::new("type", format!("{} is a {}, of which {asked} cannot be asked", self.name(), self.of)))
    }

    /// Equality for single values, membership for sets.
    fn equal(&self, comparison: Comparison, term: Term) -> Compiled<Test> {
        let given = self.term_type(&term);
        if self.of == Type::Set && given == Type::Text {
            let has = Test::Has(self.slot, term);
            return Ok(if comparison == Comparison::NotEqual { Test::Not(Box::new(has)) } else { has });
        }
        self.same(given)?;
        if self.of == Type::Set {
            return Err(CompileError::new("type", "two sets are not compared; there is one_of(…)"));
        }
        Ok(Test::Compare(comparison, Term::Attribute(self.slot), term))
    }

    fn ordered(&self, comparison: Comparison, operand: &Operand) -> Compiled<Test> {
        self.must_be(&[Type::Number, Type::Time, Type::Duration, Type::Money], comparison.as_str())?;
        let (term, given) = self.operand(operand)?;
        self.same(given)?;
        Ok(Test::Compare(comparison, Term::Attribute(self.slot), term))
    }

    fn same(&self, given: Type) -> Compiled<()> {
        if given == self.of {
            return Ok(());
        }
        Err(CompileError::new("type", format!("{} is a {} and cannot be compared to a {given}", self.name(), self.of)))
    }

    fn term_type(&self, term: &Term) -> Type {
        match term {
            Term::Constant(value) => value.type_of(),
            Term::Attribute(slot) => type_of(self.schema, *slot),
            Term::Now => Type::Time,
            Term::Calculated(arithmetic, sides) => {
                let (left, right) = (self.term_type(&sides.0), self.term_type(&sides.1));
                result_type(*arithmetic, left, right).unwrap_or(left)
            }
        }
    }

    fn operand(&self, operand: &Operand) -> Compiled<(Term, Type)> {
        let term = match operand {
            Operand::Literal(value) => Term::Constant(value.clone()),
            Operand::Attribute(name) => Term::Attribute(find(self.schema, name)?),
            Operand::Now => Term::Now,
            Operand::Calculated(arithmetic, left, right) => {
                let ((left, left_type), (right, right_type)) = (self.operand(left)?, self.operand(right)?);
                if result_type(*arithmetic, left_type, right_type).is_none() {
                    let detail = format!("a {left_type} {arithmetic} a {right_type} has no meaning");
                    return Err(CompileError::new("type", detail));
                }
                match (&left, &right) {
                    (Term::Constant(a), Term::Constant(b)) => {
                        let value = calculate(*arithmetic, a, b);
                        let detail = "the calculation has no value: too large, of two currencies, or divided by zero";
                        Term::Constant(value.ok_or_else(|| CompileError::new("range", detail))?)
                    }
                    _ => Term::Calculated(*arithmetic, Box::new((left, right))),
                }
            }
        };
        let of = self.term_type(&term);
        Ok((term, of))
    }
}

/// What comes of calculating with values of two types; `None` where that means nothing.
fn result_type(arithmetic: Arithmetic, left: Type, right: Type) -> Option<Type> {
    use Type::{Duration, Money, Number, Time};
    match (arithmetic, left, right) {
        (Arithmetic::Add | Arithmetic::Subtract, Number | Duration | Money, _) if left == right => Some(left),
        (Arithmetic::Add, Time, Duration) | (Arithmetic::Add, Duration, Time) => Some(Time),
        (Arithmetic::Subtract, Time, Duration) => Some(Time),
        (Arithmetic::Subtract, Time, Time) => Some(Duration),
        (Arithmetic::Multiply | Arithmetic::Divide, Number | Duration | Money, Number) => Some(left),
        (Arithmetic::Multiply, Number, Duration | Money) => Some(right),
        _ => None,
    }
}
