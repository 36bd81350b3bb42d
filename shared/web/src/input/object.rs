//! JSON objects, read member by member.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::rc::Rc;

use serde_json::{Map, Value};
use tenantry_types::InputError;

/// More than this is not told: whoever sends so many mistakes is not reading the answer.
const MAX_ERRORS: usize = 100;

/// What was found wrong so far. Clones share the list.
#[derive(Debug, Clone, Default)]
pub struct Errors(Rc<RefCell<Vec<InputError>>>);

impl Errors {
    /// Notes something wrong.
    pub fn add(&self, pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        let mut errors = self.0.borrow_mut();
        if errors.len() < MAX_ERRORS {
            errors.push(InputError::new(pointer, code, detail));
        }
    }

    /// `value` when nothing was wrong.
    ///
    /// # Errors
    /// Everything that was.
    pub fn unless_any<T>(self, value: T) -> Result<T, Vec<InputError>> {
        let errors = self.0.take();
        if errors.is_empty() { Ok(value) } else { Err(errors) }
    }
}

/// What an update does with a member: one that is left out stays as it is, and `null` takes the value away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    Keep,
    /// It has no value any more.
    Clear,
    /// It has this value now.
    Set(T),
}

/// An object whose members are taken out one by one.
#[derive(Debug)]
pub struct Object {
    members: Map<String, Value>,
    pointer: String,
    errors: Errors,
}

impl Object {
    /// Reads `value`, which stands at `pointer`, as an object. What is not one is noted and read as an empty object.
    pub fn new(value: Value, pointer: impl Into<String>, errors: &Errors) -> Self {
        let pointer = pointer.into();
        let members = if let Value::Object(members) = value {
            members
        } else {
            errors.add(pointer.clone(), "type", "must be an object");
            Map::new()
        };
        Self { members, pointer, errors: errors.clone() }
    }

    /// Where a member of this object stands.
    pub fn pointer_to(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    /// Notes that something is wrong with a member.
    pub fn refuse(&self, name: &str, code: &'static str, detail: impl Into<String>) {
        self.errors.add(self.pointer_to(name), code, detail);
    }

    /// Notes that something is wrong with the object as a whole.
    pub fn refuse_itself(&self, code: &'static str, detail: impl Into<String>) {
        self.errors.add(self.pointer.clone(), code, detail);
    }

    /// Takes a member that is an object; an absent one is empty.
    #[must_use]
    pub fn object(&mut self, name: &str) -> Self {
        let value = self.members.remove(name).unwrap_or_else(|| Value::Object(Map::new()));
        Self::new(value, self.pointer_to(name), &self.errors)
    }

    /// Takes a text and parses it; `null` is the same as absent.
    pub fn text<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        match self.members.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => match parse(&text) {
                Ok(value) => Some(value),
                Err(error) => {
                    self.refuse(name, "invalid", error.to_string());
                    None
                }
            },
            Some(_) => {
                self.refuse(name, "type", "must be a text");
                None
            }
        }
    }

    /// Takes a text that has to be there, and parses it.
    pub fn required<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let is_there = self.has(name);
        let value = self.text(name, parse);
        if !is_there {
            self.refuse(name, "required", "must be there");
        }
        value
    }

    /// Takes a text of an update and parses it. What is wrong stays as it is.
    pub fn change<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Change<T> {
        match self.members.get(name) {
            None => Change::Keep,
            Some(Value::Null) => {
                self.members.remove(name);
                Change::Clear
            }
            Some(_) => self.text(name, parse).map_or(Change::Keep, Change::Set),
        }
    }

    /// Takes `true` or `false`; `null` is the same as absent.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        match self.members.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(value)) => Some(value),
            Some(_) => {
                self.refuse(name, "type", "must be true or false");
                None
            }
        }
    }

    /// Takes a list of texts and parses each; `None` when it is absent.
    pub fn texts<T, E: Display>(
        &mut self,
        name: &str,
        most: usize,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let list = match self.members.remove(name) {
            None | Some(Value::Null) => return None,
            Some(Value::Array(list)) if list.len() <= most => list,
            Some(Value::Array(_)) => {
                self.refuse(name, "limit", format!("must have at most {most} entries"));
                return None;
            }
            Some(_) => {
                self.refuse(name, "type", "must be a list of texts");
                return None;
            }
        };
        let pointer = self.pointer_to(name);
        let mut values = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            match value.as_str().map(&parse) {
                Some(Ok(value)) => values.push(value),
                Some(Err(error)) => self.errors.add(format!("{pointer}/{at}"), "invalid", error.to_string()),
                None => self.errors.add(format!("{pointer}/{at}"), "type", "must be a text"),
            }
        }
        Some(values)
    }

    /// Takes a whole number within a range, which stands for `default` when it is absent.
    pub fn whole_number(&mut self, name: &str, range: std::ops::RangeInclusive<u32>, default: u32) -> u32 {
        let number = match self.members.remove(name) {
            None => return default,
            Some(Value::Number(number)) => number,
            Some(_) => {
                self.refuse(name, "type", "must be a whole number");
                return default;
            }
        };
        let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| range.contains(number)).unwrap_or_else(|| {
            self.refuse(name, "range", format!("must be a whole number from {} to {}", range.start(), range.end()));
            default
        })
    }

    /// Takes a whole number within a range, negative or not, which stands for `default` when it is absent.
    pub fn integer(&mut self, name: &str, range: std::ops::RangeInclusive<i64>, default: i64) -> i64 {
        let Some(value) = self.members.remove(name) else { return default };
        value.as_i64().filter(|number| range.contains(number)).unwrap_or_else(|| {
            self.refuse(name, "range", format!("must be a whole number from {} to {}", range.start(), range.end()));
            default
        })
    }

    /// Takes a member as it is.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    /// Whether there is such a member, `null` or not.
    pub fn contains(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether there is such a member, and it is not `null`.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// Takes all members that are left, by their names in order.
    pub fn rest(&mut self) -> BTreeMap<String, Value> {
        std::mem::take(&mut self.members).into_iter().collect()
    }

    /// Ends the reading: what is left is not known here.
    pub fn finish(mut self) {
        for name in self.rest().keys() {
            self.refuse(name, "unknown", "there is no such member");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_wrong_is_told_at_once_with_where_it_stands() {
        let errors = Errors::default();
        let value = json!({"n": 1.5, "t": 1, "bad": "x", "o": [], "in/ner": {"much": 1}, "more": true});
        let mut object = Object::new(value, "", &errors);
        assert_eq!(object.whole_number("n", 1..=5, 3), 3);
        assert_eq!(object.whole_number("absent", 1..=5, 3), 3);
        assert_eq!(object.text("t", str::parse::<u8>), None);
        assert_eq!(object.text("bad", str::parse::<u8>), None);
        object.object("o").finish();
        object.object("in/ner").finish();
        object.finish();
        let found: Vec<_> = errors.unless_any(()).unwrap_err().into_iter().map(|e| (e.pointer, e.code)).collect();
        let found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), &**code)).collect();
        assert_eq!(
            found,
            [
                ("/n", "range"),
                ("/t", "type"),
                ("/bad", "invalid"),
                ("/o", "type"),
                ("/in~1ner/much", "unknown"),
                ("/more", "unknown")
            ]
        );
    }

    #[test]
    fn an_update_tells_absent_null_and_wrong_apart() {
        let errors = Errors::default();
        let value =
            json!({"null": null, "set": "1", "wrong": "x", "flag": 1, "list": ["1", "x", 2], "long": ["1", "2"]});
        let mut object = Object::new(value, "", &errors);
        assert_eq!(object.change("absent", str::parse::<u8>), Change::Keep);
        assert_eq!(object.change("null", str::parse::<u8>), Change::Clear);
        assert_eq!(object.change("set", str::parse::<u8>), Change::Set(1));
        assert_eq!(object.change("wrong", str::parse::<u8>), Change::Keep);
        assert_eq!(object.required("missing", str::parse::<u8>), None);
        assert_eq!(object.boolean("flag"), None);
        assert_eq!(object.texts("list", 3, str::parse::<u8>), Some(vec![1]));
        assert_eq!(object.texts("long", 1, str::parse::<u8>), None);
        object.finish();
        let found: Vec<_> = errors.unless_any(()).unwrap_err().into_iter().map(|e| e.pointer).collect();
        assert_eq!(found, ["/wrong", "/missing", "/flag", "/list/1", "/list/2", "/long"]);
    }

    #[test]
    fn the_list_of_mistakes_is_bounded() {
        let errors = Errors::default();
        let many: Map<String, Value> = (0..1_000).map(|n| (n.to_string(), Value::Null)).collect();
        Object::new(Value::Object(many), "", &errors).finish();
        assert_eq!(errors.unless_any(()).unwrap_err().len(), MAX_ERRORS);
        assert_eq!(Errors::default().unless_any(1), Ok(1));
    }
}
