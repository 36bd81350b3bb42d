//! Policies: rules that tenants write, over attributes of the caller, the surroundings and the resource.
//!
//! A policy is read, checked against the attributes that there are, and compiled when it is saved ([`Policy::parse`]).
//! A [`PolicySet`] is what a tenant has switched on; it decides and explains. The language is described in
//! `docs/policies.md`. Nothing here knows HTTP, only `filter/sql.rs` knows the
//! database, and every evaluation ends.

mod analyse;
mod ast;
mod compile;
mod decide;
mod document;
mod domain;
mod evaluate;
mod facts;
mod filter;
mod index;
mod lexer;
mod mention;
mod parser;
mod schema;
mod simulate;
mod stronger;
#[cfg(test)]
mod tests;
mod value;

pub use analyse::{Code, Finding, analyse};
pub use compile::{CompileError, Term, Test, compile};
pub use decide::{Explanation, PolicySet, Step, Verdict};
pub use document::{Alternative, Catalogue, Condition, Effect, Policy, Resource, Target};
pub use evaluate::{Facts, Truth};
pub use facts::limit;
pub use filter::{Column, Columns, ColumnsError, CurrencyColumn, Filter, Listing, Rows, SetColumn};
pub use index::Assignment;
pub use lexer::SyntaxError;
pub use mention::Asked;
pub use parser::parse as parse_expression;
pub use schema::{Attribute, Limit, LimitError, Schema, Slot};
pub use simulate::{Difference, Recorded, simulate};
pub use stronger::{SignIn, Stronger};
pub use value::{Currency, Money, Type, Value};
