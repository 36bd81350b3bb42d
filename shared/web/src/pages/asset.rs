//! Stylesheets, scripts and icons, addressed by their content.

use actix_web::web::Bytes;
use tenantry_types::Sha256Hash;

/// `Cache-Control` of every asset: its path changes with its content, so a copy is good for ever (RFC 8246).
pub const ASSET_CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// What an asset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetKind {
    /// CSS.
    Stylesheet,
    /// JavaScript.
    Script,
    /// An SVG image.
    Icon,
}

impl AssetKind {
    const fn extension(self) -> &'static str {
        match self {
            Self::Stylesheet => "css",
            Self::Script => "js",
            Self::Icon => "svg",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Stylesheet => "text/css; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Icon => "image/svg+xml",
        }
    }
}

/// A file that pages refer to.
#[derive(Debug, Clone)]
pub struct Asset {
    /// What templates call it: `pages.css`.
    pub name: String,
    /// Where it is served, from the root of the host: `/assets/pages.ungWv48B.css`.
    pub path: String,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its content; cheap to clone.
    pub body: Bytes,
}

impl Asset {
    /// An asset made of `parts` in order, served below `folder` under a name that holds 48 bits of its digest.
    pub fn new(folder: &str, stem: &str, kind: AssetKind, parts: &[&str]) -> Self {
        let body = parts.concat();
        let hash = Sha256Hash::of(&body);
        let version = hash.as_str().get(..8).unwrap_or_default();
        let extension = kind.extension();
        Self {
            name: format!("{stem}.{extension}"),
            path: format!("{folder}/{stem}.{version}.{extension}"),
            content_type: kind.content_type(),
            body: Bytes::from(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_follows_the_content() {
        let asset = Asset::new("/assets", "pages", AssetKind::Stylesheet, &["a", "bc"]);
        assert_eq!(asset.name, "pages.css");
        assert_eq!(asset.path, "/assets/pages.ungWv48B.css", "the digest of \"abc\"");
        assert_eq!(asset.body, "abc");
        assert_eq!(asset.content_type, "text/css; charset=utf-8");
        assert_ne!(asset.path, Asset::new("/assets", "pages", AssetKind::Stylesheet, &["abd"]).path);
    }
}
