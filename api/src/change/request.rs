//! The request.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;
use tenantry_db::{Connection, DbError};

use super::{Work, keep_tenant};
use crate::audit::Origin;
use crate::authn::Principal;
use crate::idempotency::{self, Answer, Begun, IdempotencyError, IdempotencyKey, Once};
use crate::state::Api;

/// A request that changes something, as an extractor.
#[derive(Debug, Clone)]
pub struct Change {
    /// Who is calling.
    pub principal: Principal,
    /// Where from.
    pub origin: Origin,
    key: IdempotencyKey,
}

impl FromRequest for Change {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let principal = Principal::from_request(request, payload).into_inner();
        let Ok(origin) = Origin::from_request(request, payload).into_inner();
        let key = IdempotencyKey::from_request(request, payload).into_inner();
        ready(principal.map_err(Into::into).and_then(|principal| Ok(Self { principal, origin, key: key? })))
    }
}

impl Change {
    /// Does `work` in one transaction and gives its answer; `body` is what was sent, which a repeat sends again. The work
    /// may run several times (deadlocks are tried again), so it does nothing but queries.
    ///
    /// # Errors
    /// Those of the work, of the key and of the database.
    pub async fn run<E, F>(&self, api: &Api, body: &Value, mut work: F) -> Result<Answer, E>
    where
        F: FnMut(&mut Work<'_>) -> Result<Answer, E> + Send + 'static,
        E: From<DbError> + From<IdempotencyError> + Send + 'static,
    {
        let once = self.once(body);
        let (change, state) = (self.clone(), api.clone());
        let signals = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::clone(&signals);
        let answer = api
            .db
            .write(move |conn| {
                let scope = change.principal.scope();
                keep_tenant(conn, &*state.clock, &change.principal.tenant)?;
                if let Begun::Repeat(answer) = idempotency::begin::<E>(conn, scope, &*state.clock, &once)? {
                    return Ok::<_, E>(answer);
                }
                let mut unit = Work::new(conn, &change, &state);
                let answer = work(&mut unit)?;
                let signals = unit.into_signals();
                idempotency::complete(conn, scope, &once, &answer)?;
                if let Ok(mut sent) = sent.lock() {
                    *sent = signals;
                }
                Ok(answer)
            })
            .await?;
        if let Ok(signals) = signals.lock() {
            api.signals.pass_on(&signals);
        }
        Ok(answer)
    }

    /// What this request is, for those that have to do something outside of the database in between: see
    /// [`idempotency::begin`].
    pub fn once(&self, body: &Value) -> Once {
        self.key.of(&self.principal, body)
    }

    /// Does `work` in one transaction for this request, without looking at its key.
    ///
    /// # Errors
    /// Those of the work and of the database.
    pub async fn step<T, E, F>(&self, api: &Api, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Work<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (change, state) = (self.clone(), api.clone());
        let (value, signals) = api
            .db
            .write(move |conn: &mut Connection| {
                keep_tenant(conn, &*state.clock, &change.principal.tenant)?;
                let mut unit = Work::new(conn, &change, &state);
                let value = work(&mut unit)?;
                Ok::<_, E>((value, unit.into_signals()))
            })
            .await?;
        api.signals.pass_on(&signals);
        Ok(value)
    }
}
