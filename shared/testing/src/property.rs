//! How thoroughly properties are tried.

/// Asks for another number of cases, as proptest's own setting does.
pub const PROPTEST_CASES: &str = "PROPTEST_CASES";

/// How many cases a property is tried on: as many as `PROPTEST_CASES` says, `usual` where it says nothing.
pub fn cases(usual: u32) -> u32 {
    std::env::var(PROPTEST_CASES).ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}
