//! What the types of problems mean, at the addresses that they are.

use tenantry_types::Problem;

/// The kinds that this service has besides those of [`Problem::KINDS`]: name, status, title.
const OWN: &[(&str, u16, &str)] = &[
    ("/problems/invalid-token", 401, "The access token is not valid"),
    ("/problems/invalid-dpop-proof", 401, "The DPoP proof is not valid"),
    ("/problems/insufficient-user-authentication", 401, "Another sign-in is needed"),
    ("/problems/insufficient-scope", 403, "The access token is not enough"),
    ("/problems/session-ended", 401, "The session has ended"),
    ("/problems/not-of-this-page", 403, "The request does not come from this page"),
    ("/problems/idempotency-key-reused", 422, "The Idempotency-Key was used for another request"),
    ("/problems/system-role", 409, "The role is part of the system"),
    ("/problems/locks-out", 409, "Nobody could undo it"),
    ("/problems/last-assignment", 409, "The policy would be for everyone"),
    ("/problems/not-held", 403, "You do not hold what you want to give"),
    ("/problems/user-not-found", 404, "There is nobody of this id"),
    ("/problems/session-not-found", 404, "There is no such session"),
    ("/problems/holds-more", 403, "They may do more than you"),
    ("/problems/managed-elsewhere", 409, "Managed by another tenant"),
    ("/problems/import-under-way", 409, "An import is under way"),
    ("/problems/last-administrator", 409, "Somebody has to be left"),
    ("/problems/tenant-suspended", 403, "The tenant is suspended"),
    ("/problems/tenant-inactive", 403, "The tenant is not in use"),
    ("/problems/other-tenant", 403, "Another tenant was named"),
    ("/problems/module-disabled", 404, "The module is switched off"),
    ("/problems/tenant-not-found", 404, "There is no such tenant"),
    ("/problems/domain-not-found", 404, "The tenant has no such domain"),
    ("/problems/module-not-found", 404, "There is no such module"),
    ("/problems/domain-not-verified", 422, "The domain is not known to be the tenant's"),
    ("/problems/request-under-way", 409, "A request with this Idempotency-Key is under way"),
];

/// What more there is to say than the title does.
fn advice(name: &str) -> &'static str {
    match name {
        "unauthorized" => "Send an access token of a tenant of the identity provider: `Authorization: Bearer …`.",
        "invalid-token" => "Get another access token; `detail` and `WWW-Authenticate` say what is wrong with this one.",
        "insufficient-user-authentication" => {
            "Sign in again, by one of the ways and as recently as `WWW-Authenticate` says (RFC 9470), and try again."
        }
        "insufficient-scope" => "Get an access token with the scope that `WWW-Authenticate` names.",
        "session-ended" => "The session of the console in this browser is over: sign in again.",
        "not-of-this-page" => {
            "Scripts of the console send the CSRF token of their page; whatever else asks is refused. Load the page again."
        }
        "forbidden" => "An administrator of your tenant can give you a role that allows it.",
        "invalid-input" => "`errors` lists everything that is wrong, each with a JSON Pointer (RFC 6901) to its place.",
        "precondition-required" => "Send `If-Match` with the ETag that a GET gave you.",
        "precondition-failed" => "GET it again, repeat your change on what is there now, and send its new ETag.",
        "tenant-suspended" => "Those who run the platform have suspended the tenant; only they can activate it again.",
        "tenant-inactive" => "The tenant is switched off, or is being set up.",
        "other-tenant" => "Leave the parameter `tenant` out, or name the tenant that the access token is of.",
        "module-disabled" => "An administrator of the tenant can switch the module on.",
        "domain-not-verified" => "Publish what `detail` names, wait until it is seen, and ask again.",
        "idempotency-key-reused" => "Take a new key for every request; use it again only to repeat the same one.",
        "system-role" => "Make a role of your own that inherits from it.",
        "locks-out" => {
            "Make an exception for an administrator, whatever the time is and wherever they are, and try again."
        }
        "last-assignment" => {
            "Assign the policy to somebody else first, or switch it off; or say `everyone=true` if that is meant."
        }
        "not-held" => "Somebody who holds it can do this; `detail` says what is missing.",
        "last-administrator" => "Give somebody else a role that allows everything first.",
        "request-under-way" => {
            "Ask again in a moment, with the same key: the answer of the first request will be there."
        }
        "too-many-requests" => {
            "Wait as long as `Retry-After` says. `RateLimit-Policy` lists the limits that you are counted for, `RateLimit` \
             names the one that is nearest to its end. Refusals make the limits tighter for a while."
        }
        "unavailable" => "Try again after the time that `Retry-After` names.",
        "internal" => "Tell those who run the service the `instance`: it names the request in their log.",
        _ => "`detail` says what went wrong this time.",
    }
}

/// The page of a kind; `None` when there is no such kind.
pub(super) fn describe(name: &str) -> Option<String> {
    let kinds = OWN.iter().chain(Problem::KINDS);
    let (_, status, title) = kinds.copied().find(|(path, ..)| path.strip_prefix("/problems/") == Some(name))?;
    Some(format!("{title}\n\nHTTP status {status}. {}\n", advice(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_page() {
        for (path, status, title) in OWN.iter().chain(Problem::KINDS) {
            let page = path.strip_prefix("/problems/").and_then(describe).unwrap_or_default();
            assert!(page.contains(title) && page.contains(&status.to_string()), "{path}");
        }
        assert_eq!(describe("nonsense"), None);
    }
}
