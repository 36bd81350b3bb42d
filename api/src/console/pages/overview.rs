//! Who is signed in, and with what.

use serde::Serialize;
use tenantry_types::UtcTime;

use super::Language;
use super::frame::{Section, SectionView, sections};
use super::text::Words;

/// Context of `overview.html`.
///
/// Has no `Debug`: it holds a CSRF token.
#[derive(Clone)]
pub struct OverviewPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// The time that lifetimes are counted from.
    pub now: UtcTime,
    /// `iss` of the ID token.
    pub issuer: &'a str,
    /// `sub` of the ID token.
    pub subject: &'a str,
    /// `name`, or what else the provider says of the person.
    pub name: Option<&'a str>,
    /// Id of the tenant.
    pub tenant_id: &'a str,
    /// Short name of the tenant.
    pub tenant_slug: &'a str,
    /// Name of the tenant.
    pub tenant_name: &'a str,
    /// Roles in the access token.
    pub roles: &'a [&'a str],
    /// Scopes that were granted.
    pub scopes: &'a [&'a str],
    /// What the person may do to something at least.
    pub permissions: &'a [&'a str],
    /// How long everything lasts.
    pub lifetimes: Lifetimes,
    /// Path that the sign-out form is posted to.
    pub sign_out_action: &'a str,
    /// Proves that the form came from this page; sent as `csrf`.
    pub csrf: &'a str,
}

/// How long the parts of a sign-in last.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// The console's own session.
    pub session: Lifetime,
    /// The ID token.
    pub id_token: Lifetime,
    /// The access token.
    pub access_token: Lifetime,
    /// The refresh token.
    pub refresh_token: Lifetime,
}

/// How long one of them lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until then.
    Until(UtcTime),
    /// The provider does not say (RFC 6749 has no lifetime of a refresh token).
    Unstated,
    /// There is none.
    Absent,
}

/// A lifetime as the page shows it.
#[derive(Serialize)]
struct LifetimeView {
    name: &'static str,
    id: &'static str,
    end: Option<EndView>,
    without_end: &'static str,
}

#[derive(Serialize)]
struct EndView {
    machine: String,
    absolute: String,
    relative: String,
}

/// What the template sees.
#[derive(Serialize)]
pub(super) struct OverviewView<'a> {
    sections: Vec<SectionView>,
    person: &'a str,
    issuer: &'a str,
    subject: &'a str,
    name: Option<&'a str>,
    tenant_id: &'a str,
    tenant_slug: &'a str,
    tenant_name: &'a str,
    roles: &'a [&'a str],
    scopes: &'a [&'a str],
    lifetimes: [LifetimeView; 4],
    sign_out_action: &'a str,
    csrf: &'a str,
}

impl<'a> OverviewPage<'a> {
    pub(super) fn view(&self) -> OverviewView<'a> {
        let words = self.language.words();
        let lifetime = |name, id, lifetime| LifetimeView::new(name, id, lifetime, self.now, words);
        OverviewView {
            sections: sections(Section::Overview, self.permissions),
            person: self.name.unwrap_or(self.subject),
            issuer: self.issuer,
            subject: self.subject,
            name: self.name,
            tenant_id: self.tenant_id,
            tenant_slug: self.tenant_slug,
            tenant_name: self.tenant_name,
            roles: self.roles,
            scopes: self.scopes,
            lifetimes: [
                lifetime("session", "session-lifetime", self.lifetimes.session),
                lifetime("id_token", "id-token-lifetime", self.lifetimes.id_token),
                lifetime("access_token", "access-token-lifetime", self.lifetimes.access_token),
                lifetime("refresh_token", "refresh-token-lifetime", self.lifetimes.refresh_token),
            ],
            sign_out_action: self.sign_out_action,
            csrf: self.csrf,
        }
    }
}

impl LifetimeView {
    fn new(name: &'static str, id: &'static str, lifetime: Lifetime, now: UtcTime, words: &Words) -> Self {
        let (end, without_end) = match lifetime {
            Lifetime::Until(end) => (Some(EndView::new(end, now, words)), ""),
            Lifetime::Unstated => (None, words.overview.not_stated),
            Lifetime::Absent => (None, words.overview.absent),
        };
        Self { name, id, end, without_end }
    }
}

impl EndView {
    fn new(end: UtcTime, now: UtcTime, words: &Words) -> Self {
        let (sentence, distance) = if end <= now {
            (words.overview.expired_ago, now.since(end))
        } else {
            (words.overview.ends_in, end.since(now))
        };
        Self {
            machine: end.to_string(),
            absolute: end.to_datetime().format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            relative: sentence.replace("{duration}", &words.duration.format(distance)),
        }
    }
}
