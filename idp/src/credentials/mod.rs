//! Passwords: how they are chosen, hashed, checked and protected from guessing.

mod hasher;
mod model;
pub mod store;
pub mod throttle;

pub use hasher::{HasherError, PasswordHasher, Verdict};
pub use model::{MAX_PASSWORD_BYTES, NewPassword};
pub use throttle::{Throttle, ThrottleError};
