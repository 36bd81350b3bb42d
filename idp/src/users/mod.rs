//! Users: who can sign in, and what is said of them in ID tokens and userinfo.

mod model;
pub mod store;

pub use model::{NewUser, User, UserError, UserStatus, Username};
