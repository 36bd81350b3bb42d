//! Roles, and who has them.
//!
//! What these rows mean for a decision is [`crate::access`]; here they are made and changed. Three rules stand behind every
//! change: nobody gives, takes or changes what they do not hold themselves, by the role or by policies that ask for it; what
//! a role inherits runs in no circle; and somebody who may do everything is always left.

mod assign;
pub mod assignments;
mod change;
pub mod claim;
pub mod error;
mod kind;
pub mod model;
mod parse;
pub mod routes;
pub mod seed;
pub mod store;

pub use assign::{check_somebody_is_left, may_assign, may_give, may_take, portion_of, touch_user};
pub use error::RoleError;
