//! Whether somebody is left who can undo what policies forbid.
//!
//! A deny counts whatever the roles of the caller allow. One that keeps every administrator from changing policies could be
//! undone by nobody, and neither could one that comes to do so by itself: with the time, or when something that it asks for
//! is changed. So only those count as left of whom every such deny certainly does not hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{GroupId, RoleId, UserId, UtcTime};

use super::authority::Authority;
use super::facts::CommonSlots;
use super::judge::Who;
use super::kinds::Attributes;
use super::policy::{Assignment, Effect, Facts, Policy, Truth};
use super::subject::{SubjectAccess, SubjectRows};
use super::tenant::TenantAccess;
use crate::authn::Subject;
use crate::schema::{account_doubts, group_members, group_roles, user_roles, users};

/// How many administrators are looked at.
const MOST_ADMINISTRATORS: i64 = 100;
/// How many rows of theirs.
const MOST_ROWS: i64 = 500_000;
/// How many questions are asked at most. When there are more, the answer is no.
const MOST_QUESTIONS: usize = 100_000;
/// What undoes a policy.
const MENDS: [&str; 2] = ["update", "delete"];

impl Authority {
    /// Whether somebody is left who may do everything for good and whom no policy keeps from changing and removing those
    /// that forbid it; a client that calls counts as well. To be asked in the transaction of a change, after it, with what
    /// the tenant [says then](Self::changed_tenant).
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub fn somebody_can_mend(&self, conn: &mut Connection, tenant: &Arc<TenantAccess>) -> Result<bool, DbError> {
        self.is_mender_left(conn, tenant, None)
    }

    /// The same, to be asked before this person is switched off or removed: whether somebody else can.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub fn somebody_else_can_mend(
        &self,
        conn: &mut Connection,
        tenant: &Arc<TenantAccess>,
        leaving: UserId,
    ) -> Result<bool, DbError> {
        self.is_mender_left(conn, tenant, Some(leaving))
    }

    fn is_mender_left(
        &self,
        conn: &mut Connection,
        tenant: &Arc<TenantAccess>,
        leaving: Option<UserId>,
    ) -> Result<bool, DbError> {
        let (scope, now) = (self.principal().scope(), self.now());
        let denies = tenant.policies.policies().filter(|(policy, _)| {
            policy.effect == Effect::Deny && MENDS.iter().any(|action| policy.target.covers("policy", action))
        });
        let denies: Vec<(&Policy, &[Assignment])> = denies.collect();
        if denies.is_empty() {
            return Ok(true);
        }
        let ids = denies.iter().filter_map(|(deny, _)| tenant.policy_id(&deny.name));
        let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
        let known = match tenant.kinds.kept("policy") {
            Some((kept, _)) => (kept.load)(conn, scope, now, &ids)?,
            None => Vec::new(),
        };
        let known: Vec<Attributes> = known.into_iter().map(|(_, attributes)| attributes).collect();
        let mut candidates: Vec<Who> = administrators(conn, scope, tenant, leaving, now)?;
        if let Subject::Client(_) = &self.principal().subject {
            candidates.push(Who { address: None, acr: None, amr: None, auth_time: None, ..self.who() });
        }
        let of = (self.principal().tenant.id, Arc::from(self.principal().tenant.slug.as_str()));
        let (slots, mut questions) = (CommonSlots::new(), MOST_QUESTIONS);
        Ok(candidates.into_iter().any(|who| {
            let who = Who { tenant: Some(of.clone()), ..who };
            let mut facts = slots.facts(now, &who, tenant);
            // What is so now and may be otherwise later.
            tenant.limits.iter().for_each(|(slot, _)| facts.clear(*slot));
            if let Some(time) = tenant.kinds.schema("policy").slot("env.time") {
                facts.clear(time);
            }
            passes(tenant, &denies, &known, &facts, &mut questions)
        }))
    }
}

/// Whether none of the denies can hold for any of the policies that are known, for the one whose facts these are.
fn passes(
    tenant: &TenantAccess,
    denies: &[(&Policy, &[Assignment])],
    known: &[Attributes],
    facts: &Facts,
    questions: &mut usize,
) -> bool {
    let concerning = denies.iter().filter(|(_, assignments)| assignments.iter().any(|one| one.includes(facts)));
    let open: Vec<&Policy> = concerning.map(|(deny, _)| *deny).filter(|deny| may_hold(deny, facts)).collect();
    if open.is_empty() {
        return true;
    }
    let needed = open.len().saturating_mul(known.len());
    if known.is_empty() || needed > *questions {
        return false;
    }
    *questions -= needed;
    // They depend on the policy: perhaps on another than these.
    let schema = tenant.kinds.schema("policy");
    known.iter().all(|attributes| {
        let mut facts = facts.clone();
        for (name, value) in attributes {
            if let Some(slot) = schema.slot(name) {
                facts.set(slot, value.clone());
            }
        }
        open.iter().all(|deny| !may_hold(deny, &facts))
    })
}

/// Whether it cannot be said that it does not hold, now and later. One that names a limit comes to hold always when the limit
/// is taken away.
fn may_hold(deny: &Policy, facts: &Facts) -> bool {
    let names_a_limit = deny.alternatives.iter().flat_map(|alternative| &alternative.0).any(|condition| {
        condition.attribute.starts_with("tenant.limits.") || condition.source.to_string().contains("tenant.limits.")
    });
    names_a_limit || deny.truth_at_any_time(facts) != Truth::False
}

/// Active people but for this one who may do everything for good, by a role of their own or of a group. Groups inside of
/// groups are not followed, as in [`anybody_has`](super::anybody_has).
fn administrators(
    conn: &mut Connection,
    scope: TenantScope,
    tenant: &Arc<TenantAccess>,
    except: Option<UserId>,
    now: UtcTime,
) -> Result<Vec<Who>, DbError> {
    let (id, almighty) = (scope.tenant_id(), tenant.roles_that_allow_all());
    let by_themselves = user_roles::table
        .filter(user_roles::tenant_id.eq(id).and(user_roles::role_id.eq_any(&almighty)))
        .filter(user_roles::expires_at.is_null())
        .select(user_roles::user_id);
    let groups = group_roles::table
        .filter(group_roles::tenant_id.eq(id).and(group_roles::role_id.eq_any(&almighty)))
        .select(group_roles::group_id);
    let by_groups = group_members::table
        .filter(group_members::tenant_id.eq(id).and(group_members::group_id.eq_any(groups)))
        .select(group_members::user_id);
    // Whoever is being removed or switched off by somebody else.
    let leaving = account_doubts::table
        .filter(account_doubts::tenant_id.eq(id).and(account_doubts::may_end.eq(true)))
        .select(account_doubts::user_id);
    let people: Vec<(UserId, String, Option<String>, bool)> = users::table
        .filter(users::tenant_id.eq(id).and(users::status.eq("active")))
        .filter(users::id.ne_all(leaving).and(users::id.ne_all(except)))
        .filter(users::id.eq_any(by_themselves).or(users::id.eq_any(by_groups)))
        .order(users::id.asc())
        .select((users::id, users::status, users::email, users::email_verified))
        .limit(MOST_ADMINISTRATORS)
        .load(conn)?;
    let ids: Vec<UserId> = people.iter().map(|(id, ..)| *id).collect();
    let roles: Vec<(UserId, RoleId, Option<UtcTime>)> = user_roles::table
        .filter(user_roles::tenant_id.eq(id).and(user_roles::user_id.eq_any(&ids)))
        .select((user_roles::user_id, user_roles::role_id, user_roles::expires_at))
        .limit(MOST_ROWS)
        .load(conn)?;
    let groups: Vec<(UserId, GroupId)> = group_members::table
        .filter(group_members::tenant_id.eq(id).and(group_members::user_id.eq_any(&ids)))
        .select((group_members::user_id, group_members::group_id))
        .limit(MOST_ROWS)
        .load(conn)?;
    let mut rows: BTreeMap<UserId, SubjectRows> = BTreeMap::new();
    for (id, status, email, is_email_verified) in people {
        rows.insert(id, SubjectRows { status: Some(status), email, is_email_verified, ..SubjectRows::default() });
    }
    for (user, role, until) in roles {
        rows.entry(user).or_default().roles.push((role, until));
    }
    for (user, group) in groups {
        rows.entry(user).or_default().groups.push(group);
    }
    let who = |(user, rows): (UserId, SubjectRows)| Who {
        user: Some(user),
        subject: Some(Arc::new(SubjectAccess::new(Arc::clone(tenant), &rows, now))),
        ..Who::default()
    };
    Ok(rows.into_iter().map(who).collect())
}
