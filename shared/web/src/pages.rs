//! Server-rendered pages: templates, the text in them, their assets and their content security policy.
//!
//! What the sign-in pages of the identity provider and the console of the resource server have in common. Each
//! of them brings its own templates, its own [`Text`] and one context type per template.

mod asset;
mod duration;
mod link;
mod policy;
mod template;

pub use asset::{ASSET_CACHE_CONTROL, Asset, AssetKind};
pub use duration::{DurationWords, Plural};
pub use link::WebLink;
pub use policy::content_security_policy;
pub use template::{PageError, Templates, Text};

/// The part of the look that all pages share: colours of both schemes, type, controls, focus. Comes first in a stylesheet.
pub const BASE_STYLESHEET: &str = include_str!("../assets/base.css");
