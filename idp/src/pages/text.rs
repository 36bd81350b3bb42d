//! The words of the hosted pages.
//!
//! A language is one value of [`Words`]: what is missing does not compile. Sentences are whole, with `{name}`
//! places, because word order differs between languages.

use serde::Serialize;
use tenantry_web::pages::DurationWords;

/// Everything the pages say in one language.
#[derive(Debug, Serialize)]
pub(super) struct Words {
    /// BCP 47 tag, the `lang` of the page.
    pub language: &'static str,
    pub layout: LayoutWords,
    pub sign_in: SignInWords,
    pub consent: ConsentWords,
    pub sign_out: SignOutWords,
    pub signed_out: SignedOutWords,
    pub error: ErrorWords,
    #[serde(skip)]
    pub scopes: ScopeWords,
    #[serde(skip)]
    pub duration: DurationWords,
}

#[derive(Debug, Serialize)]
pub(super) struct LayoutWords {
    pub secured_by: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct SignInWords {
    /// With `{tenant}`.
    pub page_title: &'static str,
    /// Before the title of a page that reports an error: the first thing a screen reader says.
    pub error_prefix: &'static str,
    pub heading: &'static str,
    /// With `{client}`.
    pub lead: &'static str,
    pub username: &'static str,
    pub password: &'static str,
    pub show_password: &'static str,
    pub button: &'static str,
    pub invalid_credentials: &'static str,
    /// With `{wait}`, a duration.
    pub throttled: &'static str,
    pub busy: &'static str,
    pub session_expired: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct ConsentWords {
    /// With `{client}` and `{tenant}`.
    pub page_title: &'static str,
    /// With `{client}`.
    pub heading: &'static str,
    pub opens_new_window: &'static str,
    pub signed_in_as: &'static str,
    pub use_another_account: &'static str,
    /// With `{client}`.
    pub scopes_heading: &'static str,
    /// With `{client}`.
    pub note: &'static str,
    /// With `{client}` and `{host}`.
    pub note_with_host: &'static str,
    pub allow: &'static str,
    pub deny: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct SignOutWords {
    /// With `{tenant}`.
    pub page_title: &'static str,
    pub heading: &'static str,
    /// With `{tenant}`.
    pub lead: &'static str,
    /// With `{client}` and `{tenant}`.
    pub lead_with_client: &'static str,
    pub signed_in_as: &'static str,
    pub button: &'static str,
    pub stay: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct SignedOutWords {
    /// With `{tenant}`.
    pub page_title: &'static str,
    pub heading: &'static str,
    /// With `{tenant}`.
    pub lead: &'static str,
    /// With `{client}`.
    pub return_to: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorWords {
    pub code: &'static str,
    pub request_id: &'static str,
    /// With `{client}`.
    pub return_to: &'static str,
}

/// A scope in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScopeText {
    pub title: &'static str,
    pub description: Option<&'static str>,
}

#[derive(Debug)]
pub(super) struct ScopeWords {
    pub openid: ScopeText,
    pub profile: ScopeText,
    pub email: ScopeText,
    pub phone: ScopeText,
    pub address: ScopeText,
    pub offline_access: ScopeText,
    pub roles: ScopeText,
    pub api: ScopeText,
    /// With `{resource}`, and so the next four.
    pub every_action: &'static str,
    pub read: &'static str,
    pub create: &'static str,
    pub update: &'static str,
    pub delete: &'static str,
    /// With `{action}` and `{resource}`.
    pub other_action: &'static str,
    /// With `{scope}`.
    pub named: &'static str,
}

pub(super) const ENGLISH: Words = Words {
    language: "en",
    layout: LayoutWords { secured_by: "Secured by Tenantry" },
    sign_in: SignInWords {
        page_title: "Sign in – {tenant}",
        error_prefix: "Error:",
        heading: "Sign in",
        lead: "to continue to {client}",
        username: "Username",
        password: "Password",
        show_password: "Show password",
        button: "Sign in",
        invalid_credentials: "The username or the password is not correct. Check both and try again.",
        throttled: "There were too many attempts. Wait {wait}, then try again.",
        busy: "Many people are signing in at the moment. Try again in a few seconds.",
        session_expired: "This page had been open for too long. Sign in again to continue.",
    },
    consent: ConsentWords {
        page_title: "Allow {client}? – {tenant}",
        heading: "{client} wants access to your account",
        opens_new_window: "(opens in a new window)",
        signed_in_as: "Signed in as",
        use_another_account: "Not you?",
        scopes_heading: "{client} will be able to:",
        note: "Allow this only if you trust {client}.",
        note_with_host: "Allow this only if you trust {client}. You will go on to {host}.",
        allow: "Allow",
        deny: "Deny",
    },
    sign_out: SignOutWords {
        page_title: "Sign out – {tenant}",
        heading: "Sign out?",
        lead: "You will be signed out of {tenant} in this browser.",
        lead_with_client: "{client} asks to sign you out of {tenant} in this browser.",
        signed_in_as: "Signed in as",
        button: "Sign out",
        stay: "Stay signed in",
    },
    signed_out: SignedOutWords {
        page_title: "Signed out – {tenant}",
        heading: "You are signed out",
        lead: "Your session at {tenant} has ended in this browser.",
        return_to: "Return to {client}",
    },
    error: ErrorWords { code: "Error code", request_id: "Request ID", return_to: "Return to {client}" },
    scopes: ScopeWords {
        openid: ScopeText {
            title: "Know who you are",
            description: Some("An identifier of your account, and when you signed in"),
        },
        profile: ScopeText {
            title: "See your profile",
            description: Some("Name, picture, language and similar details"),
        },
        email: ScopeText {
            title: "See your email address",
            description: Some("The address, and whether it has been verified"),
        },
        phone: ScopeText {
            title: "See your phone number",
            description: Some("The number, and whether it has been verified"),
        },
        address: ScopeText { title: "See your postal address", description: Some("The address in your profile") },
        offline_access: ScopeText {
            title: "Keep this access while you are away",
            description: Some("Until you withdraw it, also when you are not using the app"),
        },
        roles: ScopeText {
            title: "See your roles",
            description: Some("The roles that your organisation has given you"),
        },
        api: ScopeText {
            title: "Act for you",
            description: Some("Everything that you may do yourself, with your roles and permissions"),
        },
        every_action: "Full access to {resource}",
        read: "View {resource}",
        create: "Create {resource}",
        update: "Change {resource}",
        delete: "Delete {resource}",
        other_action: "{action}: {resource}",
        named: "Permission “{scope}”, within your own rights",
    },
    duration: DurationWords::ENGLISH,
};
