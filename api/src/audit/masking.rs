//! Secrets do not get into the audit trail.
//!
//! Two rules, applied to every value on its way into [`Changes`](super::Changes): a member whose name speaks of a secret
//! is masked unless the name says that it is about something else (`password_min_length`, `token_endpoint`), and a text
//! that looks like a secret is masked whatever its name. Types that keep secrets have no form in JSON to begin with; this
//! is what is left if one is forgotten. When in doubt something is hidden that could have been shown.

use serde_json::{Map, Value};

/// What stands in the place of a secret.
pub const MASK: &str = "[masked]";

/// Words of which one in a name makes it the name of a secret.
const SECRET: [&str; 26] = [
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "csrf",
    "jwt",
    "mac",
    "nonce",
    "otp",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pin",
    "pwd",
    "salt",
    "seed",
    "secret",
    "secrets",
    "token",
    "tokens",
    "totp",
    "webauthn",
];
/// Pairs of words that do, one after the other.
const SECRET_PAIRS: [(&str, &str); 10] = [
    ("access", "key"),
    ("api", "key"),
    ("backup", "codes"),
    ("encryption", "key"),
    ("private", "key"),
    ("recovery", "code"),
    ("recovery", "codes"),
    ("shared", "key"),
    ("signing", "key"),
    ("verification", "code"),
];
/// Last words that say that the value is about a secret, and is none.
const ABOUT: [&str; 30] = [
    "algorithm",
    "alg",
    "at",
    "attempts",
    "count",
    "days",
    "enabled",
    "endpoint",
    "expiry",
    "format",
    "history",
    "hours",
    "id",
    "kid",
    "length",
    "lifetime",
    "lifetimes",
    "method",
    "methods",
    "minutes",
    "name",
    "policy",
    "required",
    "seconds",
    "status",
    "type",
    "types",
    "uri",
    "url",
    "version",
];
/// Members that make a JSON Web Key a private or symmetric one (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The value with every secret in it masked. `name` is what it is called, when it is a member of something.
pub fn masked(name: Option<&str>, value: &Value) -> Value {
    if name.is_some_and(is_secret) {
        return mask(value);
    }
    match value {
        Value::Object(members) => Value::Object(masked_members(members)),
        Value::Array(items) => Value::Array(items.iter().map(|item| masked(name, item)).collect()),
        Value::String(text) if looks_secret(text) => MASK.into(),
        other => other.clone(),
    }
}

fn masked_members(members: &Map<String, Value>) -> Map<String, Value> {
    let is_key = members.contains_key("kty");
    let one = |(name, value): (&String, &Value)| {
        let private = is_key && PRIVATE_MEMBERS.contains(&name.as_str());
        (name.clone(), if private { mask(value) } else { masked(Some(name), value) })
    };
    members.iter().map(one).collect()
}

/// That there is a secret may be known, and that there is none; whether a switch is on as well.
fn mask(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        _ => MASK.into(),
    }
}

/// Whether a member of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let words = words(name);
    if words.last().is_some_and(|last| ABOUT.contains(&last.as_str())) {
        return false;
    }
    let pair = |pair: &[String]| SECRET_PAIRS.iter().any(|(one, two)| pair[0] == *one && pair[1] == *two);
    words.iter().any(|word| SECRET.contains(&word.as_str())) || words.windows(2).any(pair)
}

/// The words of `snake_case`, `kebab-case`, `camelCase` and `dotted.names`, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Tokens and keys have a form of their own: JOSE's compact serializations, PEM, password hashes, `Authorization`.
fn looks_secret(text: &str) -> bool {
    let is_jose = text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() >= 2;
    let is_pem = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----");
    let is_hash =
        ["$argon2", "$2a$", "$2b$", "$2y$", "$scrypt$", "$pbkdf2"].iter().any(|start| text.starts_with(start));
    let is_header = ["Bearer ", "Basic ", "DPoP "].iter().any(|start| text.starts_with(start) && text.len() > 16);
    is_jose || is_pem || is_hash || is_header
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for secret in [
            "password",
            "new_password",
            "passwordHash",
            "client_secret",
            "clientSecret",
            "Client-Secret",
            "client_secret_hash",
            "access_token",
            "refreshToken",
            "registration_access_token",
            "api_key",
            "apiKey",
            "private_key",
            "signing_key",
            "totp_seed",
            "pin",
            "backup_codes",
            "smtp.password",
            "authorization",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for other in [
            "password_min_length",
            "token_endpoint_auth_method",
            "access_token_lifetime",
            "token_type",
            "secret_rotated_at",
            "shipping",
            "pinned",
            "compass",
            "display_name",
            "key",
            "tokenizer",
            "",
        ] {
            assert!(!is_secret(other), "{other}");
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_are() {
        let value = json!({
            "name": "shop",
            "client_secret": "hunter2",
            "password": null,
            "tokens": ["a", {"b": "c"}],
            "smtp": {"host": "mail", "password": {"value": "hunter2"}, "otp": true, "pin": 1234},
            "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "1", "d": "hunter2"}]},
            "d": "not of a key",
            "note": "eyJhbGciOiJub25lIn0.e30.",
            "header": "Bearer hunter2hunter2",
            "pem": "x\n-----BEGIN PRIVATE KEY-----\nhunter2\n",
            "stored": "$argon2id$v=19$hunter2",
        });
        let masked = masked(None, &value);
        assert!(!masked.to_string().contains("hunter2"), "{masked}");
        assert_eq!(
            masked,
            json!({
                "name": "shop",
                "client_secret": MASK,
                "password": null,
                "tokens": MASK,
                "smtp": {"host": "mail", "password": MASK, "otp": true, "pin": MASK},
                "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "1", "d": MASK}]},
                "d": "not of a key",
                "note": MASK,
                "header": MASK,
                "pem": MASK,
                "stored": MASK,
            })
        );
    }
}
