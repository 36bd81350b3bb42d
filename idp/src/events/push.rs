//! Delivery by push (RFC 8935).
//!
//! Each replica has a worker. It takes a tenant whose oldest event is due, under a lease, and posts that tenant's events one
//! after the other. What the receiver acknowledged is never sent again, except after a crash between its answer and our
//! note of it: receivers know an event again by its `jti`.
//!
//! What the receiver refuses steps aside for the next and is sent again after long pauses: a receiver may be wrong about an
//! event for a while, as when its clock is behind or its configuration is not finished.
//!
//! A receiver that is busy and says for how long (`Retry-After`) is asked again then. That is no failure: the pauses after
//! failures, which grow, are for one that does not say what is the matter with it.

use std::time::Duration;

use actix_web::web::Data;
use futures_util::StreamExt as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use tenantry_db::{DbError, TenantScope};
use tenantry_types::{EventId, PublicUrl, TenantId, UtcTime};

use super::store::{self, Answered, Claim, StoredEvent};
use super::{claims, retry_after, set};
use crate::fault::Fault;
use crate::state::Idp;
use crate::tenants::{self, Tenant};

/// How long a request may take in all.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For how long a tenant is taken; begun anew with each event. Longer than a request and the queries around it.
const LEASE: Duration = Duration::from_secs(60);
/// How many tenants are served at the same time.
const AT_ONCE: usize = 8;
/// How often the table is looked at when nothing rings: other replicas and the command line write events too.
const LOOK: Duration = Duration::from_secs(1);
/// The shortest wait for an event that will be due.
const SHORTEST_WAIT: Duration = Duration::from_millis(20);
/// The first wait after a failure; it doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest wait, but for what chance adds to one that the receiver asked for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
/// The wait after a refusal; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(600);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3_600);
/// How much of a refusal is read and logged.
const LONGEST_REFUSAL: usize = 2_000;

/// Where events go.
#[derive(Debug, Clone)]
pub struct Receiver {
    http: Client,
    url: String,
    audience: String,
}

impl Receiver {
    /// The receiver that is configured, if there is one.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn configured(idp: &Idp) -> Result<Option<Self>, reqwest::Error> {
        let Some(url) = &idp.config.events.push_url else { return Ok(None) };
        let http = Client::builder()
            // The events and the authorization are for this address only.
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()?;
        Ok(Some(Self { http, url: url.as_str().to_owned(), audience: audience(idp, url) }))
    }
}

/// What `aud` says: what is configured, else the origin of the receiver.
fn audience(idp: &Idp, url: &PublicUrl) -> String {
    idp.config.events.audience.clone().unwrap_or_else(|| url.url().origin().ascii_serialization())
}

/// Delivers for as long as the task lives.
pub async fn run(idp: Data<Idp>, receiver: Receiver) {
    loop {
        let wait = match round(&idp, &receiver).await {
            Ok(0) => wait(&idp).await,
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(%error, "security events could not be delivered");
                LOOK
            }
        };
        // Whichever comes first.
        let _ = actix_web::rt::time::timeout(wait, idp.bell.wait()).await;
    }
}

/// Serves tenants that are due; of how many.
async fn round(idp: &Data<Idp>, receiver: &Receiver) -> Result<usize, DbError> {
    let now = idp.clock.now();
    let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    let claims = idp.db.write(move |conn| store::claim(conn, now, now + LEASE, most)).await?;
    let served = claims.len();
    futures_util::stream::iter(claims)
        .for_each_concurrent(AT_ONCE, |claim| async move {
            if let Err(error) = serve(idp, receiver, claim).await {
                // The lease ends by itself.
                tracing::error!(tenant = %claim.tenant_id, %error, "the security events of a tenant could not be delivered");
            }
        })
        .await;
    Ok(served + again(idp, receiver, now, most).await?)
}

/// Sends what was refused, and is due, again; of how many.
async fn again(idp: &Data<Idp>, receiver: &Receiver, now: UtcTime, most: i64) -> Result<usize, DbError> {
    let claims = idp.db.write(move |conn| store::claim_refused(conn, now, now + LEASE, most)).await?;
    let served = claims.len();
    futures_util::stream::iter(claims)
        .for_each_concurrent(AT_ONCE, |(tenant, event)| async move {
            if let Err(error) = offer(idp, receiver, tenant, event).await {
                tracing::error!(%tenant, %error, "a refused security event could not be sent again");
            }
        })
        .await;
    Ok(served)
}

async fn offer(idp: &Idp, receiver: &Receiver, tenant: TenantId, event: StoredEvent) -> Result<(), Fault> {
    let scope = TenantScope::system(tenant, "delivery of security events");
    let Some(tenant) = idp.db.read(move |conn| tenants::store::find(conn, scope)).await? else { return Ok(()) };
    let outcome = deliver(idp, receiver, &tenant, &event).await?;
    let (now, id) = (idp.clock.now(), event.id);
    match outcome {
        Outcome::Delivered => {
            tracing::info!(tenant = %tenant.slug, event = %id, "a security event that was refused was taken after all");
            idp.db.write(move |conn| store::taken_after_all(conn, scope, id, now)).await?;
        }
        Outcome::PutOff(asked) => put_off(idp, &tenant, id, asked).await?,
        Outcome::Refused(reason) | Outcome::Failed(reason) => {
            tracing::error!(tenant = %tenant.slug, event = %id, kind = event.kind, reason, "the receiver still refuses a security event");
            let until = now + pause(event.attempts);
            idp.db.write(move |conn| store::postpone(conn, scope, id, until)).await?;
        }
    }
    Ok(())
}

async fn wait(idp: &Idp) -> Duration {
    let now = idp.clock.now();
    match idp.db.read(store::next_due).await {
        Ok(Some(due)) => due.since(now).clamp(SHORTEST_WAIT, LOOK),
        _ => LOOK,
    }
}

/// Delivers the events of a tenant until none is left, the batch is through, or a delivery fails.
async fn serve(idp: &Idp, receiver: &Receiver, claim: Claim) -> Result<(), Fault> {
    let scope = TenantScope::system(claim.tenant_id, "delivery of security events");
    let most = i64::from(idp.config.events.batch);
    let found = idp
        .db
        .read(move |conn| Ok::<_, DbError>((tenants::store::find(conn, scope)?, store::waiting(conn, scope, most)?)));
    let (Some(tenant), events) = found.await? else { return Ok(()) };
    let last = events.len().saturating_sub(1);
    for (number, event) in events.into_iter().enumerate() {
        // Somebody else settled the first: they have this tenant now.
        if number == 0 && event.id != claim.first {
            return Ok(());
        }
        let outcome = deliver(idp, receiver, &tenant, &event).await?;
        let now = idp.clock.now();
        let (answered, next_until) = match outcome {
            Outcome::Delivered => (Answered::Delivered, if number == last { now } else { now + LEASE }),
            Outcome::Refused(reason) => {
                tracing::error!(tenant = %tenant.slug, event = %event.id, kind = event.kind, reason, "the receiver refused a security event: it steps aside");
                (Answered::Refused { again: now + pause(0) }, if number == last { now } else { now + LEASE })
            }
            Outcome::PutOff(asked) => return Ok(put_off(idp, &tenant, event.id, asked).await?),
            Outcome::Failed(reason) => {
                let until = now + backoff(event.attempts, chance(idp));
                tracing::warn!(tenant = %tenant.slug, event = %event.id, failures = event.attempts + 1, reason, "a security event was not delivered: it is tried again");
                idp.db.write(move |conn| store::postpone(conn, scope, event.id, until)).await?;
                return Ok(());
            }
        };
        if !idp.db.write(move |conn| store::settle(conn, scope, event.id, answered, now, next_until)).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Has an event wait for as long as the receiver asked.
async fn put_off(idp: &Idp, tenant: &Tenant, event: EventId, asked: Duration) -> Result<(), DbError> {
    let scope = TenantScope::system(tenant.id, "delivery of security events");
    let wait = as_asked(asked, chance(idp));
    tracing::warn!(tenant = %tenant.slug, %event, seconds = wait.as_secs(), "the receiver is busy: a security event waits for as long as it asked");
    let until = idp.clock.now() + wait;
    idp.db.write(move |conn| store::wait_until(conn, scope, event, until)).await
}

/// What came of one request.
enum Outcome {
    Delivered,
    /// The receiver says that the event itself is wrong (RFC 8935 §2.3).
    Refused(String),
    /// The receiver is busy and asks to be left alone for so long.
    PutOff(Duration),
    /// Anything else: it may work later.
    Failed(String),
}

async fn deliver(idp: &Idp, receiver: &Receiver, tenant: &Tenant, event: &StoredEvent) -> Result<Outcome, Fault> {
    let now = idp.clock.now();
    let keys = idp.keys.of(TenantScope::system(tenant.id, "delivery of security events")).await?;
    let claims = claims(event, tenant, &idp.public_url, &receiver.audience, now);
    let token = keys.signer(now)?.sign_jwt(set::TYP, &claims)?;
    let mut request = receiver
        .http
        .post(&receiver.url)
        .header(CONTENT_TYPE, "application/secevent+jwt")
        .header(ACCEPT, "application/json")
        .body(token);
    if let Some(authorization) = &idp.config.events.authorization {
        request = request.header(AUTHORIZATION, authorization.expose());
    }
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Ok(Outcome::Failed(reason(error))),
    };
    Ok(match response.status() {
        StatusCode::ACCEPTED => Outcome::Delivered,
        StatusCode::BAD_REQUEST => match refusal(response).await {
            Some(reason) => Outcome::Refused(reason),
            None => Outcome::Failed("status 400 without a reason".to_owned()),
        },
        status => match asked_to_wait(status, response.headers(), idp.clock.now()) {
            Some(asked) => Outcome::PutOff(asked),
            None => Outcome::Failed(format!("status {}", status.as_u16())),
        },
    })
}

/// How long the receiver asks to be left alone: only these two are about when, and not about what was sent.
fn asked_to_wait(status: StatusCode, headers: &HeaderMap, now: UtcTime) -> Option<Duration> {
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => retry_after::read(headers, now),
        _ => None,
    }
}

/// The reason in the body of a 400 (RFC 8935 §2.3: `err`, `description`). A 400 without one comes from something else on the
/// way and says nothing of the event.
async fn refusal(mut response: reqwest::Response) -> Option<String> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > LONGEST_REFUSAL {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    let body: serde_json::Value = serde_json::from_slice(&body).ok()?;
    let code = body.get("err")?.as_str()?;
    let description = body.get("description").and_then(serde_json::Value::as_str).unwrap_or_default();
    Some(format!("{code}: {description}"))
}

/// The chain of causes, without the URL.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// What keeps tenants from coming back all at once.
fn chance(idp: &Idp) -> u8 {
    let mut byte = [0; 1];
    idp.random.fill(&mut byte);
    byte[0]
}

/// How long to wait after `failed` attempts and this one: doubled each time, and up to a half less by chance.
fn backoff(failed: i64, chance: u8) -> Duration {
    let doublings = u32::try_from(failed.clamp(0, 16)).unwrap_or(16);
    let whole = (FIRST_BACKOFF * 2_u32.pow(doublings)).min(LONGEST_BACKOFF);
    whole.saturating_sub(whole * u32::from(chance) / 512).max(FIRST_BACKOFF)
}

/// How long to wait where the receiver asked for this: as long as that, within the bounds of any wait, and up to an eighth
/// more by chance.
fn as_asked(asked: Duration, chance: u8) -> Duration {
    let whole = asked.clamp(FIRST_BACKOFF, LONGEST_BACKOFF);
    whole + whole * u32::from(chance) / 2_048
}

/// How long to wait after so many refusals and this one.
fn pause(refused: i64) -> Duration {
    let doublings = u32::try_from(refused.clamp(0, 16)).unwrap_or(16);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

/// Deletes one piece of what need not be kept; how many rows went. What waits is looked after as well.
pub async fn prune(idp: &Idp, now: UtcTime) -> Result<usize, DbError> {
    let events = &idp.config.events;
    let kept = Duration::from_secs(u64::from(events.retention_days) * 86_400);
    let has_receiver = events.push_url.is_some();
    idp.db
        .write(move |conn| {
            store::wake(conn, now)?;
            store::prune(conn, now, kept, has_receiver)
        })
        .await
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderValue, RETRY_AFTER};

    use super::*;

    #[test]
    fn waits_longer_each_time_but_not_for_ever() {
        assert_eq!(backoff(0, 0), Duration::from_secs(1));
        assert_eq!(backoff(0, 255), Duration::from_secs(1), "never shorter than the first");
        assert_eq!(backoff(3, 0), Duration::from_secs(8));
        assert!(backoff(3, 255) > Duration::from_secs(4));
        assert_eq!(backoff(i64::MAX, 0), LONGEST_BACKOFF);
        assert_eq!((pause(0), pause(1), pause(i64::MAX)), (FIRST_PAUSE, FIRST_PAUSE * 2, LONGEST_PAUSE));
    }

    #[test]
    fn waits_as_long_as_was_asked_and_a_little_longer_by_chance() {
        let seconds = Duration::from_secs;
        assert_eq!(as_asked(seconds(120), 0), seconds(120));
        assert!((seconds(134)..seconds(135)).contains(&as_asked(seconds(120), 255)));
        assert_eq!(as_asked(Duration::ZERO, 0), FIRST_BACKOFF, "no receiver is asked without a pause");
        assert_eq!(as_asked(Duration::MAX, 0), LONGEST_BACKOFF, "nor forgotten");
    }

    #[test]
    fn only_a_busy_receiver_is_asked_when_it_wants() {
        let now = UtcTime::from_unix_seconds(784_198_117).unwrap();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
        for (status, asked) in [(429, true), (503, true), (500, false), (401, false), (301, false)] {
            let asked = asked.then_some(Duration::from_secs(7));
            assert_eq!(asked_to_wait(StatusCode::from_u16(status).unwrap(), &headers, now), asked, "{status}");
        }
        assert_eq!(asked_to_wait(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new(), now), None);
    }
}
