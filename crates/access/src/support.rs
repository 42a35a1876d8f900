//! May the operator look at metadata of this environment, now?
//!
//! Nobody of the operator's side has a view into a tenant but by a grant of the tenant's administrator: for
//! named environments, for some hours, to read metadata alone. It stands on the right of who gave it, as a
//! deployment stands on its publisher's: with the right it falls.

use lockgate_model::{
    Channel, Permission, Principal, Timestamp, definition::SupportGrant, id::EnvironmentId, principal::CredentialKind,
};
use serde::Serialize;

use crate::{
    Act, Decision, RuleText, TenantSnapshot,
    gate::{No, forbidden, not_found},
    rule,
};

/// What a grant lets the operator look at.
pub const SUPPORT_READS: [Permission; 2] = [Permission::LogsView, Permission::SettingsView];

/// What it takes to open one.
pub const SUPPORT_OPENS: [Permission; 2] = [Permission::UserManagement, Permission::AccessControl];

/// Decides whether the operator may look at something of an environment. Pure. What is looked at is named
/// by the permission that a user of the tenant would need for it.
pub fn decide_support(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    permission: Permission,
    environment: EnvironmentId,
    now: Timestamp,
) -> Decision {
    let answer = judge(snapshot, principal, permission, &environment, now);
    Decision::new(snapshot, principal, Channel::Admin, now, Act::Support { permission, environment }, answer)
}

fn judge(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    permission: Permission,
    environment: &EnvironmentId,
    now: Timestamp,
) -> Result<RuleText, No> {
    if principal.tenant != *snapshot.tenant() {
        return Err(not_found(rule::OTHER_TENANT));
    }
    if snapshot.suspended {
        return Err(forbidden(rule::SUSPENDED));
    }
    // What a user may see, its profiles say; a grant adds nothing to it.
    if principal.credential != CredentialKind::Support {
        return Err(forbidden(rule::NO_SUPPORT));
    }
    if !SUPPORT_READS.contains(&permission) {
        return Err(forbidden(RuleText::with(rule::SUPPORT_NOT_SHOWN, &[("permission", permission.as_str())])));
    }
    let here = || snapshot.rows.support.iter().filter(|(_, grant)| grant.environments.contains(environment));
    let standing = || here().filter(|(_, grant)| grant.stands(now));
    if let Some((id, _)) = standing().find(|(_, grant)| right_stands(snapshot, grant)) {
        return Ok(RuleText::with(rule::SUPPORT, &[("grant", id)]));
    }
    Err(forbidden(match (standing().next(), here().next()) {
        (Some((id, grant)), _) => {
            RuleText::with(rule::SUPPORT_FALLEN, &[("grant", id), ("by", grant.given_by.as_str())])
        }
        (None, Some((id, _))) => RuleText::with(rule::SUPPORT_ENDED, &[("grant", id)]),
        (None, None) => rule::NO_SUPPORT.into(),
    }))
}

/// Who gave it could give it still.
fn right_stands(snapshot: &TenantSnapshot, grant: &SupportGrant) -> bool {
    let giver = snapshot.users.get(&grant.given_by).filter(|giver| giver.enabled);
    giver.is_some_and(|giver| SUPPORT_OPENS.iter().all(|right| giver.held.tenant_wide.contains(*right)))
}

/// A right of the operator by a grant, as the matrix shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupportRight {
    /// The grant.
    pub grant: String,
    /// Where.
    pub environment: EnvironmentId,
    /// What a user of the tenant would need for it.
    pub right: Permission,
    /// It ends by itself then.
    pub until: Timestamp,
}

/// What the operator may look at now, by which grant: the same function that decides says so.
pub fn support_rights(snapshot: &TenantSnapshot, principal: &Principal, now: Timestamp) -> Vec<SupportRight> {
    let all = snapshot.rows.support.iter().flat_map(|(id, grant)| {
        let here = grant.environments.iter();
        here.flat_map(move |environment| SUPPORT_READS.map(|right| (id, grant, environment, right)))
    });
    let shown = all.filter(|(_, grant, environment, right)| {
        grant.stands(now)
            && right_stands(snapshot, grant)
            && decide_support(snapshot, principal, *right, (*environment).clone(), now).is_allowed()
    });
    shown
        .map(|(id, grant, environment, right)| SupportRight {
            grant: id.clone(),
            environment: environment.clone(),
            right,
            until: grant.end(),
        })
        .collect()
}
