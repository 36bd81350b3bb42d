//! The hosted pages: sign-in, consent, sign-out and errors.
//!
//! One context type per template; [`Pages`] renders them. The pages work without script, hold nothing inline
//! and are sent with [`content_security_policy`] of the address that their form's answer redirects to. Names
//! and ids of controls are an interface for people's automation: `username`, `password`, `#sign-in`, `#allow`,
//! `#deny`, `#sign-out`.
//!
//! The words are in `text`, one struct per language; the templates hold none.

mod consent;
mod error;
mod scopes;
mod sign_in;
mod sign_out;
mod text;

#[cfg(test)]
mod tests;

pub use consent::ConsentPage;
pub use error::ErrorPage;
pub use scopes::RequestedScope;
pub use sign_in::{SignInError, SignInPage};
pub use sign_out::{HiddenField, SignOutPage, SignedOutPage};
pub use tenantry_web::pages::{ASSET_CACHE_CONTROL, Asset, PageError, WebLink, content_security_policy};

use serde::Serialize;
use tenantry_web::pages::{AssetKind, BASE_STYLESHEET, Templates, Text};
use text::Words;

/// The languages that pages exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The words of this language.
    const fn words(self) -> &'static Words {
        match self {
            Self::English => &text::ENGLISH,
        }
    }
}

/// The way back to a client, on pages that end an interaction.
#[derive(Debug, Clone, Serialize)]
pub struct ReturnLink<'a> {
    /// Where to.
    pub link: &'a WebLink,
    /// The client's name.
    pub client_name: &'a str,
}

/// All templates and assets, parsed once at start-up.
#[derive(Debug)]
pub struct Pages {
    templates: Templates,
    english: Text,
}

impl Pages {
    /// Parses the templates. An error is a fault of the build.
    pub fn new() -> Result<Self, PageError> {
        let assets = vec![
            Asset::new(
                "/assets",
                "pages",
                AssetKind::Stylesheet,
                &[BASE_STYLESHEET, include_str!("../../assets/pages.css")],
            ),
            Asset::new("/assets", "pages", AssetKind::Script, &[include_str!("../../assets/pages.js")]),
            Asset::new("/assets", "icon", AssetKind::Icon, &[include_str!("../../assets/icon.svg")]),
        ];
        let templates = Templates::new(
            &[
                ("layout.html", include_str!("../../templates/layout.html")),
                ("parts.html", include_str!("../../templates/parts.html")),
                ("sign_in.html", include_str!("../../templates/sign_in.html")),
                ("consent.html", include_str!("../../templates/consent.html")),
                ("sign_out.html", include_str!("../../templates/sign_out.html")),
                ("signed_out.html", include_str!("../../templates/signed_out.html")),
                ("error.html", include_str!("../../templates/error.html")),
            ],
            assets,
        )?;
        Ok(Self { templates, english: Text::new(Language::English.words()) })
    }

    /// The asset of a request path, `None` for an unknown or outdated one.
    pub fn asset(&self, path: &str) -> Option<&Asset> {
        self.templates.asset(path)
    }

    /// The sign-in form.
    pub fn sign_in(&self, page: &SignInPage<'_>) -> Result<String, PageError> {
        self.render("sign_in.html", page.language, &page.view())
    }

    /// The question whether a client may have what it asks for.
    pub fn consent(&self, page: &ConsentPage<'_>) -> Result<String, PageError> {
        self.render("consent.html", page.language, page)
    }

    /// The question whether to sign out (OpenID Connect RP-Initiated Logout 1.0 §2).
    pub fn sign_out(&self, page: &SignOutPage<'_>) -> Result<String, PageError> {
        self.render("sign_out.html", page.language, page)
    }

    /// What is shown after signing out when there is no client to return to by itself.
    pub fn signed_out(&self, page: &SignedOutPage<'_>) -> Result<String, PageError> {
        self.render("signed_out.html", page.language, page)
    }

    /// An error that must not be sent to a client (RFC 6749 §4.1.2.1), or that no client caused.
    pub fn error(&self, page: &ErrorPage<'_>) -> Result<String, PageError> {
        self.render("error.html", page.language, page)
    }

    fn render(&self, template: &str, language: Language, page: &impl Serialize) -> Result<String, PageError> {
        let text = match language {
            Language::English => &self.english,
        };
        self.templates.render(template, text, page)
    }
}
