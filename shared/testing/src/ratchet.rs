//! Reading the sources of a crate for rules that hold for all of it.

/// The variants of the public enums in a file whose names end in `Error`, as in `TokenError::InvalidGrant`.
pub fn error_variants(source: &str) -> Vec<String> {
    let mut variants = Vec::new();
    let mut inside = None;
    for line in source.lines() {
        let name = line.strip_prefix("pub enum ").and_then(|rest| rest.strip_suffix(" {"));
        if let Some(name) = name.filter(|name| name.ends_with("Error")) {
            inside = Some(name);
        } else if line == "}" {
            inside = None;
        } else if let Some(name) = inside
            && let Some(variant) = line.strip_prefix("    ").filter(|rest| rest.starts_with(char::is_uppercase))
        {
            let end = variant.find(|c: char| !c.is_alphanumeric()).unwrap_or(variant.len());
            variants.push(format!("{name}::{}", &variant[..end]));
        }
    }
    variants
}
