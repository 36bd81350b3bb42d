//! What OpenID Connect adds: discovery, ID tokens, userinfo and sign-out.

mod discovery;
pub mod logout;
mod userinfo;

pub use discovery::{authorization_server_metadata, openid_configuration};
pub use userinfo::userinfo;
