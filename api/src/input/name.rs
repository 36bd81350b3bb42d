//! Names by which people tell things apart.
//!
//! Whoever gives somebody a role sees its name, and nobody sees a letter that has no shape, or that one name has a Cyrillic `а`
//! where the other has a Latin one. So names are of visible letters, and no two of a tenant's look the same (UTS #39 §4).

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use unicode_security::skeleton;

/// Reads a name: 1 to `MOST` characters in Unicode's composed form (NFC), all of which can be seen, without spaces around.
///
/// # Errors
/// What it must be.
pub fn name<const MOST: usize>(text: &str) -> Result<String, String> {
    let good = (1..=MOST).contains(&text.chars().count())
        && text.trim() == text
        && text.chars().all(can_be_seen)
        && is_nfc(text);
    if good {
        return Ok(text.to_owned());
    }
    Err(format!(
        "must be 1 to {MOST} characters in the composed form of Unicode (NFC), without spaces around them and without any that \
         cannot be seen"
    ))
}

/// Whether a character has a shape, or is the one space.
fn can_be_seen(character: char) -> bool {
    let has_shape = !matches!(
        CodePointMapData::<GeneralCategory>::new().get(character),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::SpaceSeparator
    );
    character == ' ' || (has_shape && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character))
}

/// How a name looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    as_it_is: String,
    in_small_letters: String,
}

impl Look {
    /// That of a name.
    pub fn of(name: &str) -> Self {
        let plain: String = name.nfkc().collect();
        Self { as_it_is: skeleton(&plain).collect(), in_small_letters: skeleton(&plain.to_lowercase()).collect() }
    }

    /// Whether somebody could take one for the other.
    pub fn is_like(&self, other: &Self) -> bool {
        self.as_it_is == other.as_it_is || self.in_small_letters == other.in_small_letters
    }

    /// Whether somebody could take it for one of these.
    pub fn is_like_any<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        names.into_iter().any(|name| self.is_like(&Self::of(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_in_no_name() {
        for good in ["administrator", "Front desk", "Café", "Côte d’Azur", "東京支店", "R&D – west", "Владелец"]
        {
            assert!(name::<40>(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " a",
            "a ",
            "a\u{0}",
            "a\u{200b}",
            "ad\u{200d}min",
            "\u{202e}nimda",
            "a\u{2066}b",
            "a\u{ad}b",
            "a\u{3164}",
            "a\u{fe0f}",
            "a\u{34f}b",
            "a\u{a0}b",
            "a\u{2028}b",
            "a\u{e000}",
            "a\u{378}",
            "a\u{feff}",
            "Cafe\u{301}",
            &"x".repeat(41),
        ] {
            assert!(name::<40>(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_looks_the_same_is_found() {
        let alike = |one: &str, other: &str| Look::of(one).is_like(&Look::of(other));
        for (one, other) in [
            ("administrator", "\u{430}dministrator"),
            ("administrator", "Administrator"),
            ("administrator", "\u{ff41}dministrator"),
            ("Billing", "Bi1ling"),
            ("Modern", "Modem"),
        ] {
            assert!(alike(one, other), "{one} {other}");
        }
        for (one, other) in [("Agent", "Agents"), ("A", "B"), ("Desk 1", "Desk 2"), ("Café", "Cafe")] {
            assert!(!alike(one, other), "{one} {other}");
        }
        assert!(Look::of("Aud\u{456}tor").is_like_any(["member", "auditor"]));
    }
}
