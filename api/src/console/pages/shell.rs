//! The pages that scripts make: who they are made for, and where the scripts are.

use serde::Serialize;

use super::Language;
use super::frame::{Section, SectionView, sections};

/// Context of `shell.html`.
///
/// Has no `Debug`: it holds a CSRF token.
#[derive(Clone)]
pub struct ShellPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// Which part of the console it is.
    pub section: Section,
    /// `sub` of the ID token.
    pub subject: &'a str,
    /// `name`, or what else the provider says of the person.
    pub name: Option<&'a str>,
    /// Id of the tenant.
    pub tenant_id: &'a str,
    /// Short name of the tenant.
    pub tenant_slug: &'a str,
    /// Whether the tenant is the operator's own.
    pub is_platform: bool,
    /// What the person may do to something at least.
    pub permissions: &'a [&'a str],
    /// Path that the sign-out form is posted to.
    pub sign_out_action: &'a str,
    /// Proves that a request came from this page.
    pub csrf: &'a str,
}

/// What the template sees.
#[derive(Serialize)]
pub(super) struct ShellView<'a> {
    sections: Vec<SectionView>,
    section: &'static str,
    person: &'a str,
    subject: &'a str,
    tenant_id: &'a str,
    tenant_slug: &'a str,
    is_platform: bool,
    permissions: String,
    modules: &'a [String],
    sign_out_action: &'a str,
    csrf: &'a str,
}

impl<'a> ShellPage<'a> {
    pub(super) fn view(&self, modules: &'a [String]) -> ShellView<'a> {
        ShellView {
            sections: sections(self.section, self.permissions),
            section: self.section.name(),
            person: self.name.unwrap_or(self.subject),
            subject: self.subject,
            tenant_id: self.tenant_id,
            tenant_slug: self.tenant_slug,
            is_platform: self.is_platform,
            permissions: self.permissions.join(" "),
            modules,
            sign_out_action: self.sign_out_action,
            csrf: self.csrf,
        }
    }
}
