//! The request.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, TenantId};

use super::{Work, keep_tenant, lock_tenant};
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
    /// Whose rows are changed, when it is not the caller's own tenant.
    target: Option<TenantId>,
}

impl FromRequest for Change {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let principal = Principal::from_request(request, payload).into_inner();
        let Ok(origin) = Origin::from_request(request, payload).into_inner();
        let key = IdempotencyKey::from_request(request, payload).into_inner();
        ready(
            principal.map_err(Into::into).and_then(|principal| Ok(Self { principal, origin, key: key?, target: None })),
        )
    }
}

impl Change {
    /// The same request as a change of another tenant's rows. Whether the caller may is for the caller of this to know; in
    /// the audit trail of that tenant the entries say which tenant the actor is of.
    #[must_use]
    pub fn of_tenant(mut self, id: TenantId) -> Self {
        self.target = (id != self.principal.tenant.id).then_some(id);
        self
    }

    /// Whose rows are changed.
    pub fn scope(&self) -> TenantScope {
        let of_another = |id| TenantScope::system(id, "management of tenants");
        self.target.map_or_else(|| self.principal.scope(), of_another)
    }

    /// Locks the rows of the tenants that this is about, the caller's own first.
    fn lock(&self, conn: &mut Connection, clock: &dyn Clock) -> Result<(), DbError> {
        keep_tenant(conn, clock, &self.principal.tenant)?;
        self.target.map_or(Ok(()), |id| lock_tenant(conn, id))
    }

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
        let once = self.once(api, body);
        let first_or_repeat = move |unit: &mut Work<'_>| {
            let caller = unit.principal.scope();
            if let Begun::Repeat(answer) = idempotency::begin::<E>(unit.conn, caller, unit.clock, &once)? {
                return Ok(answer);
            }
            let answer = work(unit)?;
            idempotency::complete(unit.conn, caller, &once, &answer)?;
            Ok(answer)
        };
        Box::pin(self.step(api, first_or_repeat)).await
    }

    /// What this request is, for those that have to do something outside of the database in between: see
    /// [`idempotency::begin`].
    pub fn once(&self, api: &Api, body: &Value) -> Once {
        self.key.of(&api.requests, &self.principal, body)
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
        let write = api.db.write(move |conn: &mut Connection| {
            change.lock(conn, &*state.clock)?;
            let mut unit = Work::new(conn, &change, &state);
            let value = work(&mut unit)?;
            Ok::<_, E>((value, unit.into_signals()))
        });
        let (value, signals) = Box::pin(write).await?;
        api.signals.pass_on(&signals);
        Ok(value)
    }
}
