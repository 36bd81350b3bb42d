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

    /// Scripts, given as name and source, that import each other by `./name`. They are served together, below a folder whose
    /// name holds 48 bits of the digest of all of them: a change of one is a new version of all.
    pub fn modules(folder: &str, sources: &[(&str, &str)]) -> Vec<Self> {
        let whole: String = sources.iter().flat_map(|(name, source)| [*name, "\n", *source, "\n"]).collect();
        let hash = Sha256Hash::of(&whole);
        let version = hash.as_str().get(..8).unwrap_or_default();
        let module = |(name, source): &(&str, &str)| Self {
            name: (*name).to_owned(),
            path: format!("{folder}/{version}/{name}"),
            content_type: AssetKind::Script.content_type(),
            body: Bytes::from((*source).to_owned()),
        };
        sources.iter().map(module).collect()
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

    #[test]
    fn modules_have_one_version() {
        let paths = |sources: &[(&str, &str)]| {
            Asset::modules("/a", sources).into_iter().map(|asset| asset.path).collect::<Vec<_>>()
        };
        let first = paths(&[("a.js", "1"), ("b.js", "2")]);
        let version = first[0].strip_prefix("/a/").and_then(|rest| rest.strip_suffix("/a.js")).unwrap();
        assert_eq!((version.len(), &first[1]), (8, &format!("/a/{version}/b.js")));
        for other in [[("a.js", "1"), ("b.js", "3")], [("a.js", "12"), ("b.js", "")], [("b.js", "1"), ("a.js", "2")]] {
            assert_ne!(paths(&other)[0], first[0]);
        }
    }
}
