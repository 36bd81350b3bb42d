//! What reading a body has in common, whatever it is about.

use serde_json::{Map, Value};
use tenantry_types::InputError;
use tenantry_web::input::{Change, Errors, Object};

/// What cannot be taken away.
pub fn kept<T>(body: &Object, name: &str, change: Change<T>) -> Option<T> {
    match change {
        Change::Keep => None,
        Change::Set(value) => Some(value),
        Change::Clear => {
            body.refuse(name, "required", "must have a value");
            None
        }
    }
}

/// Everything that was wrong, where something was.
pub fn all(errors: Errors) -> Vec<InputError> {
    errors.unless_any(()).err().unwrap_or_default()
}

/// A body that may be left out.
pub fn or_empty(value: Value) -> Value {
    if value.is_null() { Value::Object(Map::new()) } else { value }
}

/// Reads a body that says nothing.
pub fn nothing(value: Value) -> Result<(), Vec<InputError>> {
    let errors = Errors::default();
    Object::new(or_empty(value), "", &errors).finish();
    errors.unless_any(())
}
