//! The words of the console.
//!
//! A language is one value of [`Words`]: what is missing does not compile. Sentences are whole, with `{name}`
//! places, because word order differs between languages.

use serde::Serialize;
use tenantry_web::pages::DurationWords;

/// Everything the console says in one language.
#[derive(Debug, Serialize)]
pub(super) struct Words {
    /// BCP 47 tag, the `lang` of the page.
    pub language: &'static str,
    pub layout: LayoutWords,
    pub sections: SectionWords,
    pub overview: OverviewWords,
    pub lifetimes: LifetimeWords,
    pub landing: LandingWords,
    pub signed_out: SignedOutWords,
    pub error: ErrorWords,
    #[serde(skip)]
    pub duration: DurationWords,
}

#[derive(Debug, Serialize)]
pub(super) struct LayoutWords {
    pub product: &'static str,
    pub skip_to_content: &'static str,
    pub sections: &'static str,
    pub signed_in_as: &'static str,
    pub sign_out: &'static str,
    pub needs_script: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct SectionWords {
    pub overview: &'static str,
    pub users: &'static str,
    pub roles: &'static str,
    pub groups: &'static str,
    pub policies: &'static str,
    pub sessions: &'static str,
    pub audit: &'static str,
    pub tenants: &'static str,
    pub api_reference: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct OverviewWords {
    /// With `{tenant}`.
    pub lead: &'static str,
    pub identity: &'static str,
    pub name: &'static str,
    pub subject: &'static str,
    pub tenant: &'static str,
    pub tenant_id: &'static str,
    pub issuer: &'static str,
    pub access: &'static str,
    pub roles: &'static str,
    pub no_roles: &'static str,
    pub scopes: &'static str,
    pub no_scopes: &'static str,
    pub lifetimes: &'static str,
    pub not_stated: &'static str,
    pub absent: &'static str,
    /// With `{duration}`.
    pub ends_in: &'static str,
    /// With `{duration}`.
    pub expired_ago: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct LifetimeWords {
    pub session: &'static str,
    pub id_token: &'static str,
    pub access_token: &'static str,
    pub refresh_token: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct LandingWords {
    pub page_title: &'static str,
    pub error_prefix: &'static str,
    pub heading: &'static str,
    pub lead: &'static str,
    pub tenant: &'static str,
    pub tenant_hint: &'static str,
    pub button: &'static str,
    pub unknown_tenant: &'static str,
    pub provider_unavailable: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct SignedOutWords {
    pub page_title: &'static str,
    pub heading: &'static str,
    pub lead: &'static str,
    pub sign_in_again: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorWords {
    pub code: &'static str,
    pub request_id: &'static str,
    pub try_again: &'static str,
}

pub(super) const ENGLISH: Words = Words {
    language: "en",
    layout: LayoutWords {
        product: "Tenantry console",
        skip_to_content: "Skip to content",
        sections: "Sections",
        signed_in_as: "Signed in as",
        sign_out: "Sign out",
        needs_script: "This page needs JavaScript. The overview and signing out work without.",
    },
    sections: SectionWords {
        overview: "Overview",
        users: "Users",
        roles: "Roles",
        groups: "Groups",
        policies: "Policies",
        sessions: "Sessions",
        audit: "Audit",
        tenants: "Tenants",
        api_reference: "API reference",
    },
    overview: OverviewWords {
        lead: "Signed in at {tenant}",
        identity: "Identity",
        name: "Name",
        subject: "Subject",
        tenant: "Tenant",
        tenant_id: "Tenant ID",
        issuer: "Issuer",
        access: "Access",
        roles: "Roles",
        no_roles: "No roles",
        scopes: "Scopes",
        no_scopes: "No scopes",
        lifetimes: "Session and tokens",
        not_stated: "Not stated",
        absent: "None",
        ends_in: "ends in {duration}",
        expired_ago: "expired {duration} ago",
    },
    lifetimes: LifetimeWords {
        session: "Session",
        id_token: "ID token",
        access_token: "Access token",
        refresh_token: "Refresh token",
    },
    landing: LandingWords {
        page_title: "Sign in",
        error_prefix: "Error:",
        heading: "Sign in to the console",
        lead: "Your organisation’s sign-in page comes next.",
        tenant: "Organisation",
        tenant_hint: "Its short name, such as demo",
        button: "Continue",
        unknown_tenant: "There is no organisation with this short name. Check how it is written.",
        provider_unavailable: "The sign-in service does not answer at the moment. Try again in a few seconds.",
    },
    signed_out: SignedOutWords {
        page_title: "Signed out",
        heading: "You are signed out",
        lead: "Your console session in this browser has ended.",
        sign_in_again: "Sign in again",
    },
    error: ErrorWords { code: "Error code", request_id: "Request ID", try_again: "Try again" },
    duration: DurationWords::ENGLISH,
};
