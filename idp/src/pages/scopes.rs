//! What a scope means to a person.

use serde::Serialize;

use super::Language;
use super::text::ScopeWords;

/// A line of the consent page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestedScope {
    /// The scope itself.
    pub name: String,
    /// What it allows, in a few words.
    pub title: String,
    /// What exactly that is.
    pub description: Option<String>,
}

impl RequestedScope {
    /// Describes a scope: those of OpenID Connect Core §5.4 and §11, those of this service, and permission
    /// patterns such as `booking.read` and `booking.*`. Of any other, all there is to say is its name.
    pub fn describe(name: &str, language: Language) -> Self {
        let words = &language.words().scopes;
        let known = match name {
            "openid" => Some(words.openid),
            "profile" => Some(words.profile),
            "email" => Some(words.email),
            "phone" => Some(words.phone),
            "address" => Some(words.address),
            "offline_access" => Some(words.offline_access),
            "roles" => Some(words.roles),
            "api" => Some(words.api),
            _ => None,
        };
        let (title, description) = known.map_or_else(
            || (permission(name, words).unwrap_or_else(|| name.to_owned()), Some(words.named.replace("{scope}", name))),
            |known| (known.title.to_owned(), known.description.map(str::to_owned)),
        );
        Self { name: name.to_owned(), title, description }
    }
}

/// The title of a permission pattern, `None` when the scope is none.
fn permission(name: &str, words: &ScopeWords) -> Option<String> {
    let (resource, action) = name.rsplit_once('.')?;
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_name = |name: &str| name.split(['_', '-', '.']).all(is_word);
    if !is_name(resource) || !(action == "*" || is_name(action)) {
        return None;
    }
    let spaced = |name: &str| name.replace(['_', '-', '.'], " ");
    let sentence = match action {
        "*" => words.every_action,
        "read" | "view" | "list" => words.read,
        "create" => words.create,
        "update" | "write" => words.update,
        "delete" => words.delete,
        _ => words.other_action,
    };
    let mut characters = spaced(action);
    if let Some(first) = characters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Some(sentence.replace("{action}", &characters).replace("{resource}", &spaced(resource)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(name: &str) -> String {
        RequestedScope::describe(name, Language::English).title
    }

    #[test]
    fn standard_scopes_are_described() {
        for name in ["openid", "profile", "email", "phone", "address", "offline_access", "roles", "api"] {
            let scope = RequestedScope::describe(name, Language::English);
            assert_eq!(scope.name, name);
            assert_ne!(scope.title, name);
            assert!(scope.description.is_some_and(|text| !text.contains('{')), "{name}");
        }
    }

    #[test]
    fn permission_patterns_become_sentences() {
        assert_eq!(title("booking.read"), "View booking");
        assert_eq!(title("tenant_settings.update"), "Change tenant settings");
        assert_eq!(title("tenant_settings.*"), "Full access to tenant settings");
        assert_eq!(title("booking.cancel"), "Cancel: booking");
        assert_eq!(title("content.page.mark_final"), "Mark final: content page");
    }

    #[test]
    fn whatever_else_is_shown_by_its_name() {
        for name in ["urn:example:x", "https://a.example/b.read", "a..b", ".read", "a.", "*", "A.read", "<b>.read"] {
            assert_eq!(title(name), name);
        }
    }
}
