//! The console's pages.
//!
//! One context type per template; [`ConsolePages`] renders them. Nothing is inline. Signing in, the overview and signing
//! out need no script; the pages of the sections are made by scripts (`shell`). The
//! ids of controls and facts are an interface for people's automation: `#sign-in`, `#sign-out`, `#subject`,
//! `#tenant-id`, `#roles`, `#scopes`, `#access-token-lifetime` and the like.

mod frame;
mod modules;
mod overview;
mod shell;
mod text;

#[cfg(test)]
mod tests;

pub use frame::Section;
pub use overview::{Lifetime, Lifetimes, OverviewPage};
pub use shell::ShellPage;
pub use tenantry_web::pages::{ASSET_CACHE_CONTROL, Asset, PageError, content_security_policy};

use serde::Serialize;
use tenantry_web::pages::{AssetKind, BASE_STYLESHEET, Templates, Text};
use text::Words;

/// The languages that the console exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
}

impl Language {
    const fn words(self) -> &'static Words {
        match self {
            Self::English => &text::ENGLISH,
        }
    }
}

/// Context of `landing.html`: what the console shows before anybody has signed in. The tenant's short name is
/// sent as `tenant`, by GET: nothing changes until the provider has answered.
#[derive(Debug, Clone, Serialize)]
pub struct LandingPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// Path that starts the sign-in.
    pub form_action: &'a str,
    /// The page of the console to go to afterwards, when it is not the overview.
    pub return_to: Option<&'a str>,
    /// What the field holds at first.
    pub tenant: Option<&'a str>,
    /// Why the page is shown again.
    #[serde(skip)]
    pub error: Option<LandingError>,
}

/// Why a sign-in could not be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LandingError {
    /// There is no such tenant, or none can have such a name.
    UnknownTenant,
    /// The identity provider does not answer.
    ProviderUnavailable,
}

/// Context of `signed_out.html`.
#[derive(Debug, Clone, Serialize)]
pub struct SignedOutPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// Path to sign in again.
    pub sign_in_path: &'a str,
}

/// Context of `error.html`.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// What happened, in a few words.
    pub title: &'a str,
    /// What it means and what to do next.
    pub message: &'a str,
    /// The error's name for developers, such as `access_denied`.
    pub code: Option<&'a str>,
    /// Under which the log knows this request.
    pub request_id: &'a str,
    /// Path to start again.
    pub try_again_path: Option<&'a str>,
}

/// All templates and assets of the console, parsed once at start-up.
#[derive(Debug)]
pub struct ConsolePages {
    templates: Templates,
    english: Text,
    /// Where the modules are that every page of scripts needs.
    modules: Vec<String>,
}

impl ConsolePages {
    /// Parses the templates. An error is a fault of the build.
    pub fn new() -> Result<Self, PageError> {
        const FOLDER: &str = "/console/assets";
        let mut assets = vec![
            Asset::new(
                FOLDER,
                "console",
                AssetKind::Stylesheet,
                &[BASE_STYLESHEET, include_str!("../../assets/console.css")],
            ),
            Asset::new(FOLDER, "icon", AssetKind::Icon, &[include_str!("../../assets/icon.svg")]),
        ];
        assets.extend(Asset::modules(FOLDER, &modules::all()));
        let path_of = |name| assets.iter().find(|asset| asset.name == name).map(|asset| asset.path.clone());
        let modules = modules::core().filter_map(path_of).collect();
        let templates = Templates::new(
            &[
                ("layout.html", include_str!("../../templates/layout.html")),
                ("signed_in.html", include_str!("../../templates/signed_in.html")),
                ("entry.html", include_str!("../../templates/entry.html")),
                ("overview.html", include_str!("../../templates/overview.html")),
                ("shell.html", include_str!("../../templates/shell.html")),
                ("landing.html", include_str!("../../templates/landing.html")),
                ("signed_out.html", include_str!("../../templates/signed_out.html")),
                ("error.html", include_str!("../../templates/error.html")),
            ],
            assets,
        )?;
        Ok(Self { templates, english: Text::new(Language::English.words()), modules })
    }

    /// The asset of a request path, `None` for an unknown or outdated one.
    pub fn asset(&self, path: &str) -> Option<&Asset> {
        self.templates.asset(path)
    }

    /// Who is signed in, and with what.
    pub fn overview(&self, page: &OverviewPage<'_>) -> Result<String, PageError> {
        self.render("overview.html", page.language, &page.view())
    }

    /// A page that scripts make.
    pub fn shell(&self, page: &ShellPage<'_>) -> Result<String, PageError> {
        self.render("shell.html", page.language, &page.view(&self.modules))
    }

    /// Where to sign in.
    pub fn landing(&self, page: &LandingPage<'_>) -> Result<String, PageError> {
        #[derive(Serialize)]
        struct View<'a> {
            #[serde(flatten)]
            page: &'a LandingPage<'a>,
            message: Option<&'static str>,
            wrong_tenant: bool,
        }
        let words = page.language.words();
        let message = page.error.map(|error| match error {
            LandingError::UnknownTenant => words.landing.unknown_tenant,
            LandingError::ProviderUnavailable => words.landing.provider_unavailable,
        });
        let wrong_tenant = page.error == Some(LandingError::UnknownTenant);
        self.render("landing.html", page.language, &View { page, message, wrong_tenant })
    }

    /// The end of a session.
    pub fn signed_out(&self, page: &SignedOutPage<'_>) -> Result<String, PageError> {
        self.render("signed_out.html", page.language, page)
    }

    /// A sign-in that failed, or any other error on the way.
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
