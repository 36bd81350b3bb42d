//! What can be done with people, each as one piece of a transaction: the change, what it ends, its audit entry and its
//! events. The management API and the command line do it in the same way.

mod access;
mod change;
mod elsewhere;
mod memberships;
mod password;
mod roles;

pub use access::{end_access, end_session, revoke_sessions};
pub use change::{Created, create, delete, update};
pub use elsewhere::end_access_elsewhere;
pub use memberships::{Membership, MembershipError, add_member, find_person, members, remove_member};
pub use password::{remove_password, set_password};
pub use roles::replace_roles;
