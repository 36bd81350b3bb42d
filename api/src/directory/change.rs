//! Adding, changing and removing people.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenantry_types::{TenantId, UserId, UtcTime};

use super::derived::derived_id;
use super::errand::{Errand, Started};
use super::error::AccountError;
use super::model::{AccountStatus, ProviderAccount};
use super::parse::{AccountChange, LocalProfile, NewAccount};
use super::provider::AccountProvider;
use super::reconcile::record_roles;
use super::routes::{CREATE, DELETE, UPDATE};
use super::store::AccountRow;
use super::view::AccountView;
use super::{accounts, kind, store};
use crate::access::policy::Value as PolicyValue;
use crate::access::{Attributes, Authority, Permission, PermissionPattern};
use crate::audit::Changes;
use crate::authn::{Principal, Subject};
use crate::change::{Change, Work};
use crate::idempotency::{Answer, Once};
use crate::input::IfMatch;
use crate::revocations::Revoked;
use crate::roles::claim;
use crate::signals::SignalKind;
use crate::state::Api;

/// What changes to people are made with.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// What every feature works with.
    pub api: Api,
    /// Where accounts are made.
    pub provider: Arc<dyn AccountProvider>,
}

/// Who asks for a change to somebody, and by which right.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The request.
    pub change: &'a Change,
    /// What the caller may do.
    pub authority: &'a Authority,
    /// Whether a repeat of the request is known.
    pub once: Once,
    /// What they need for it; `None` for what everybody may do to their own account.
    pub right: Option<Permission>,
}

impl Asked<'_> {
    /// Whether the caller, by what stands in the database now, may do it to somebody of whom this is known.
    fn check(&self) -> impl Fn(&mut Work<'_>, Attributes) -> Result<(), AccountError> + Send + 'static {
        let (caller, right) = (self.authority.clone(), self.right);
        move |work, known| match right {
            Some(right) => Ok(caller.renewed(work.conn)?.check(right, known)?),
            None => Ok(()),
        }
    }
}

impl Accounts {
    /// Adds somebody: at the identity provider, then here, under one id.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn create(&self, asked: Asked<'_>, new: NewAccount) -> Result<Answer, AccountError> {
        let tenant = asked.change.principal.tenant.id;
        let id = self.id_for(tenant, &asked.once);
        let may = asked.check();
        let errand = Errand::new(asked.change, &self.api, asked.once, id);
        let (email, status) = (new.email.normalized(), new.status);
        let known = kind::about(status, new.email.as_str());
        let started = errand.begin(false, move |work, _: Option<()>| {
            may(work, known.clone())?;
            if store::has_email(work.conn, work.scope, &email, id)? { Err(AccountError::EmailTaken) } else { Ok(()) }
        });
        if let Started::Repeat(answer) = started.await? {
            return Ok(answer);
        }
        let account = match self.provider.create(tenant, id, new.provider).await {
            Ok(account) => account,
            Err(error) => return Err(errand.give_up(error).await),
        };
        let local = new.local;
        errand.finish(move |work| keep_new(work, &account, &local, "account.created")).await
    }

    /// Lets somebody of another tenant in.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn invite(&self, asked: Asked<'_>, id: UserId) -> Result<Answer, AccountError> {
        let may = asked.check();
        let errand = Errand::new(asked.change, &self.api, asked.once, id);
        let known = vec![("account.id", PolicyValue::text(id.as_str()))];
        if let Started::Repeat(answer) =
            errand.begin(false, move |work, _: Option<()>| may(work, known.clone())).await?
        {
            return Ok(answer);
        }
        let account = match self.provider.invite(asked.change.principal.tenant.id, id).await {
            Ok(account) => account,
            Err(error) => return Err(errand.give_up(error).await),
        };
        errand.finish(move |work| keep_new(work, &account, &LocalProfile::default(), "account.invited")).await
    }

    /// Changes somebody: what belongs to their account at the identity provider, the rest here.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn update(
        &self,
        asked: Asked<'_>,
        id: UserId,
        if_match: Option<IfMatch>,
        wanted: AccountChange,
    ) -> Result<Answer, AccountError> {
        let may = asked.check();
        let (change, caller) = (asked.change, asked.authority.clone());
        let errand = Errand::new(change, &self.api, asked.once, id);
        let (email, is_remote) = (wanted.email.clone(), !wanted.provider.is_empty());
        let weight = Weight {
            takes_over: TAKES_OVER.iter().any(|member| wanted.provider.contains_key(*member)),
            switches_off: wanted.status.is_some_and(|status| status != AccountStatus::Active),
        };
        errand.wait_for_turn().await?;
        let check = move |work: &mut Work<'_>, first: Option<Value>| {
            let row = store::find(work.conn, work.scope, id)?.ok_or(AccountError::NotFound)?;
            let known = known(work, &row)?;
            may(work, known)?;
            // A repeat of one that broke off has passed this, and may have changed the version since.
            if first.is_none() {
                check_version(work, if_match.as_ref(), &row)?;
            }
            if is_remote && row.home_tenant_id.is_some() {
                return Err(AccountError::Guest);
            }
            if let Some(email) = &email
                && store::has_email(work.conn, work.scope, &email.normalized(), id)?
            {
                return Err(AccountError::EmailTaken);
            }
            check_standing(work, &caller, &row, weight)?;
            Ok(first.unwrap_or_else(|| shown(row)))
        };
        let (local, new_password) = (wanted.local, wanted.provider.contains_key("password"));
        let keep = move |work: &mut Work<'_>, before: &Value| {
            if !store::set_local(work.conn, work.scope, work.clock, id, &local)? {
                return Err(AccountError::NotFound);
            }
            keep_changed(work, id, before, new_password)
        };
        if !is_remote {
            let act = move |work: &mut Work<'_>| {
                let before = check(work, None)?;
                keep(work, &before)
            };
            return errand.at_once(act).await;
        }
        let before = match errand.begin(weight.switches_off, check).await? {
            Started::Repeat(answer) => return Ok(answer),
            Started::First(before) => before,
        };
        match self.provider.change(change.principal.tenant.id, id, Value::Object(wanted.provider)).await {
            Ok(account) => {
                let finish = move |work: &mut Work<'_>| {
                    keep_told(work, &account)?;
                    keep(work, &before)
                };
                errand.finish(finish).await
            }
            Err(error) => Err(errand.give_up(error).await),
        }
    }

    /// Removes somebody: a guest is not let in any more, everybody else's account is gone for good.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn remove(
        &self,
        asked: Asked<'_>,
        id: UserId,
        if_match: Option<IfMatch>,
        only_guests: bool,
    ) -> Result<Answer, AccountError> {
        let may = asked.check();
        let (change, caller) = (asked.change, asked.authority.clone());
        let errand = Errand::new(change, &self.api, asked.once, id);
        errand.wait_for_turn().await?;
        let started = errand.begin(true, move |work, first: Option<Leaving>| {
            let is_first = first.is_none();
            let row = match (store::find(work.conn, work.scope, id)?, first) {
                (Some(row), _) => row,
                // The first attempt saw to it.
                (None, Some(first)) => return Ok(first),
                (None, None) => return Err(AccountError::NotFound),
            };
            let known = known(work, &row)?;
            may(work, known)?;
            if is_first {
                check_version(work, if_match.as_ref(), &row)?;
            }
            check_standing(work, &caller, &row, Weight { takes_over: true, switches_off: true })?;
            if only_guests && row.home_tenant_id.is_none() {
                return Err(AccountError::NotFound);
            }
            Ok(Leaving { home: row.home_tenant_id, before: shown(row) })
        });
        let Leaving { home, before } = match started.await? {
            Started::Repeat(answer) => return Ok(answer),
            Started::First(leaving) => leaving,
        };
        let tenant = change.principal.tenant.id;
        let removed = match home {
            Some(_) => self.provider.dismiss(tenant, id).await,
            None => self.provider.remove(tenant, id).await,
        };
        if let Err(error) = removed {
            return Err(errand.give_up(error).await);
        }
        errand
            .finish(move |work| {
                accounts::remove(work.conn, work.scope, id)?;
                // What was issued to them must not make them known here anew.
                work.revoke(Revoked::User(id))?;
                work.tell("account.deleted", json!({ "user_id": id }))?;
                work.signal(SignalKind::Subject, Some(id.as_str()))?;
                work.record(DELETE.as_str(), "account", id.as_str(), Changes::between(&before, &json!({})))?;
                Ok(Answer::no_content())
            })
            .await
    }

    /// The id of somebody new. A request with a key has the same at every repeat, so that what was made by a first that broke
    /// off is found again.
    fn id_for(&self, tenant: TenantId, once: &Once) -> UserId {
        let fresh = || UserId::new(&*self.api.clock, &*self.api.random);
        let Once::Keyed { key, request } = once else { return fresh() };
        derived_id(&format!("{tenant}/{}/{}", key.as_str(), request.as_str())).unwrap_or_else(fresh)
    }
}

/// Somebody who is about to be removed.
#[derive(Debug, Serialize, Deserialize)]
struct Leaving {
    /// Where they are at home, when that is another tenant.
    home: Option<TenantId>,
    before: Value,
}

/// What is known of somebody, for the policies about them.
fn known(work: &mut Work<'_>, row: &AccountRow) -> Result<Attributes, AccountError> {
    let known = kind::attributes_of(work.conn, work.scope, work.clock.now(), std::slice::from_ref(row))?;
    Ok(known.into_values().next().unwrap_or_default())
}

/// Whether they are as the caller has seen them.
fn check_version(work: &mut Work<'_>, if_match: Option<&IfMatch>, row: &AccountRow) -> Result<(), AccountError> {
    if let Some(if_match) = if_match {
        let roles = roles(work, row.id, work.clock.now())?;
        if_match.check(&AccountView::new(row.clone(), roles).tag(work.scope.tenant_id()))?;
    }
    Ok(())
}

/// What of an account decides whose it is, and whether it can be used.
const TAKES_OVER: [&str; 4] = ["email", "password", "status", "username"];

/// How much a change to somebody is.
#[derive(Debug, Clone, Copy)]
struct Weight {
    /// Whoever makes it could be them afterwards, or keep them out.
    takes_over: bool,
    /// They cannot sign in after it.
    switches_off: bool,
}

/// Whether the caller, by what stands in the database now, may change this person: nobody changes somebody who holds what
/// they do not hold themselves. And the last active administrator stays one, because nobody could make another, as does the
/// last who can undo what policies forbid.
fn check_standing(
    work: &mut Work<'_>,
    caller: &Authority,
    row: &AccountRow,
    weight: Weight,
) -> Result<(), AccountError> {
    let caller = caller.renewed(work.conn)?;
    // What they hold by their roles, and what policies give to them by name.
    let subject = caller.subject_of(work.conn, row.id)?.ok_or(AccountError::NotFound)?;
    let (portion, held) = (caller.tenant().portion_of(row.id, &subject), &subject.permissions);
    let is_self = matches!(work.principal.subject, Subject::User(id) if id == row.id);
    let may = if is_self {
        !weight.takes_over || is_wholly(work.principal)
    } else {
        // Whoever is them afterwards is so for as long as they have it.
        caller.holds_portion(&portion) && (!weight.takes_over || caller.holds_as_long(&subject))
    };
    if !may {
        return Err(AccountError::HoldsMore);
    }
    // What they hold at the provider may be more than is known here.
    if !is_self && claim::is_awaited(work.conn, work.scope, row.id)? {
        return Err(AccountError::UnderWay);
    }
    let counts = row.status == AccountStatus::Active && held.covers(&PermissionPattern::All);
    if weight.switches_off && counts {
        let almighty = caller.tenant().roles_that_allow_all();
        if !store::has_other_administrator(work.conn, work.scope, row.id, &almighty, work.clock.now())?
            || !caller.somebody_else_can_mend(work.conn, caller.tenant(), row.id)?
        {
            return Err(AccountError::LastAdministrator);
        }
    }
    Ok(())
}

/// Whether a token stands for all of a person: not for what they let a program do, and for nobody who acts in their name.
/// Else either could make the account its own (RFC 8693 §5).
fn is_wholly(principal: &Principal) -> bool {
    principal.actor.is_none() && principal.scopes.contains("api")
}

fn keep_new(
    work: &mut Work<'_>,
    account: &ProviderAccount,
    local: &LocalProfile,
    told: &'static str,
) -> Result<Answer, AccountError> {
    let id = account.id;
    let kept = accounts::keep(work.conn, work.scope, (work.clock, work.random), account)?;
    work.pass(kept.signals);
    store::set_local(work.conn, work.scope, work.clock, id, local)?;
    let view = view(work, id)?;
    let after = json!(view);
    work.record(CREATE.as_str(), "account", id.as_str(), Changes::between(&json!({}), &after))?;
    work.tell(told, json!({ "user_id": id, "version": view.version }))?;
    work.signal(SignalKind::Subject, Some(id.as_str()))?;
    let tag = view.tag(work.scope.tenant_id());
    Ok(Answer::created(format!("/api/v1/users/{id}"), view).with_etag(tag.as_str()))
}

/// Keeps what the provider answers. Roles that it tells of besides are its own doing.
fn keep_told(work: &mut Work<'_>, account: &ProviderAccount) -> Result<(), AccountError> {
    let kept = accounts::keep(work.conn, work.scope, (work.clock, work.random), account)?;
    work.pass(kept.signals);
    record_roles(work.conn, work.scope, (work.clock, work.random), account.id, kept.roles)?;
    Ok(())
}

fn keep_changed(work: &mut Work<'_>, id: UserId, before: &Value, new_password: bool) -> Result<Answer, AccountError> {
    let view = view(work, id)?;
    let mut after = comparable(&view);
    if new_password {
        after["password"] = json!("replaced");
    }
    let changes = Changes::between(before, &after);
    if !changes.is_empty() {
        let pointers: Vec<&str> = changes.pointers().collect();
        work.tell("account.updated", json!({ "user_id": id, "version": view.version, "changed": pointers }))?;
        work.signal(SignalKind::Subject, Some(id.as_str()))?;
        work.record(UPDATE.as_str(), "account", id.as_str(), changes)?;
    }
    let tag = view.tag(work.scope.tenant_id());
    Ok(Answer::ok(view).with_etag(tag.as_str()))
}

/// Somebody as they are now.
fn view(work: &mut Work<'_>, id: UserId) -> Result<AccountView, AccountError> {
    let row = store::find(work.conn, work.scope, id)?.ok_or(AccountError::NotFound)?;
    let roles = roles(work, id, work.clock.now())?;
    Ok(AccountView::new(row, roles))
}

fn roles(work: &mut Work<'_>, id: UserId, now: UtcTime) -> Result<Vec<super::model::RoleView>, AccountError> {
    Ok(store::roles_of(work.conn, work.scope, &[id], now)?.remove(&id).unwrap_or_default())
}

fn shown(row: AccountRow) -> Value {
    comparable(&AccountView::new(row, Vec::new()))
}

/// What counts as a change: not its traces, and not what is changed elsewhere.
fn comparable(view: &AccountView) -> Value {
    let mut value = json!(view);
    if let Some(members) = value.as_object_mut() {
        for trace in ["version", "updated_at", "created_at", "roles"] {
            members.remove(trace);
        }
    }
    value
}
