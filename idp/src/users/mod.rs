//! Users: who can sign in, and what is said of them in ID tokens and userinfo.

mod document;
mod model;
pub mod store;

pub use document::UserDocument;
pub use model::{MOST_ROLES, NewUser, PersonName, PhoneNumber, RoleName, Roles, User, UserError, UserStatus, Username};
