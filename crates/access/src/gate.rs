//! What every decision asks first, in the order of answers: 404, then 403.

use lockgate_model::{
    Channel, Permission, Principal,
    id::{EnvironmentId, ProjectId, TargetName, UserId},
    permission::{Area, Permissions},
    principal::{CredentialKind, UserKind},
};

use crate::{DeniedStatus, RuleText, Scope, TenantSnapshot, rule, targets::EnvironmentFacts, users::UserFacts};

/// A no, with the rule that said it.
#[derive(Debug)]
pub(crate) struct No {
    pub status: DeniedStatus,
    pub rule: RuleText,
}

pub(crate) fn not_found(rule: impl Into<RuleText>) -> No {
    No { status: DeniedStatus::NotFound, rule: rule.into() }
}
pub(crate) fn forbidden(rule: impl Into<RuleText>) -> No {
    No { status: DeniedStatus::Forbidden, rule: rule.into() }
}
pub(crate) fn not_published(rule: impl Into<RuleText>) -> No {
    No { status: DeniedStatus::NotPublished, rule: rule.into() }
}

/// The principal is a user of this tenant.
pub(crate) fn user<'a>(snapshot: &'a TenantSnapshot, principal: &Principal) -> Result<UserFacts<'a>, No> {
    if principal.tenant != *snapshot.tenant() {
        return Err(not_found(rule::OTHER_TENANT));
    }
    // It is no user, whatever user has its name.
    if principal.credential == CredentialKind::Support {
        return Err(not_found(rule::SUPPORT_ELSEWHERE));
    }
    snapshot.users.get(&principal.user).ok_or_else(|| not_found(rule::UNKNOWN_USER))
}

/// The environment exists and the principal holds a profile valid there. Nobody else learns which.
pub(crate) fn visible<'a>(
    snapshot: &'a TenantSnapshot,
    principal: &Principal,
    user: UserFacts<'_>,
    environment: &EnvironmentId,
) -> Result<&'a EnvironmentFacts, No> {
    let facts = snapshot.environment(environment).ok_or_else(|| not_found(rule::UNKNOWN_ENVIRONMENT))?;
    if user.held.profiles.first_common(&facts.valid).is_none() {
        return Err(not_found(rule::NO_PROFILE));
    }
    if principal.only_environment.as_ref().is_some_and(|only| only != environment) {
        return Err(not_found(rule::KEY_OTHER_ENVIRONMENT));
    }
    Ok(facts)
}

/// Tenant and user are in force, and the way in is open to this kind of user.
pub(crate) fn standing(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    user: UserFacts<'_>,
    channel: Channel,
) -> Result<(), No> {
    if snapshot.suspended {
        return Err(forbidden(rule::SUSPENDED));
    }
    if !user.enabled {
        return Err(forbidden(rule::DISABLED));
    }
    if principal.credential == CredentialKind::Enrolment {
        return Err(forbidden(rule::MUST_ENROL));
    }
    channel_open(principal, user, channel).map_err(forbidden)
}

/// The same for what a user does for itself: who has to enrol a second factor may do that.
pub(crate) fn standing_for_oneself(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    user: UserFacts<'_>,
    channel: Channel,
) -> Result<(), No> {
    let enrols = principal.credential == CredentialKind::Enrolment;
    let credential = if enrols { CredentialKind::Session } else { principal.credential };
    standing(snapshot, &Principal { credential, ..principal.clone() }, user, channel)
}

fn channel_open(principal: &Principal, user: UserFacts<'_>, channel: Channel) -> Result<(), &'static str> {
    let by_itself = matches!(channel, Channel::Schedule | Channel::Poll | Channel::SubFlow);
    if principal.credential == CredentialKind::RunAs && !by_itself {
        return Err(rule::RUN_AS_BY_HAND);
    }
    match user.kind {
        UserKind::Idp if channel.is_api(principal.credential) && !user.api_allowed => Err(rule::IDP_ON_API),
        // A login session is the console; a service account has none.
        UserKind::Service if principal.credential == CredentialKind::Session => Err(rule::SERVICE_IN_CONSOLE),
        UserKind::Native | UserKind::Idp | UserKind::Service => Ok(()),
    }
}

/// What is no call is nothing for a credential that is narrowed to some targets.
pub(crate) fn calls_nothing_else(principal: &Principal) -> Result<(), No> {
    if principal.only_targets.is_empty() { Ok(()) } else { Err(forbidden(rule::KEY_OTHER_TARGET)) }
}

/// Where a key that is narrowed to an environment is not enough: the tenant's own affairs, and
/// projects, which are edited in Development.
pub(crate) fn not_narrowed(principal: &Principal, within: Option<&EnvironmentId>) -> Result<(), No> {
    calls_nothing_else(principal)?;
    match &principal.only_environment {
        Some(only) if within != Some(only) => Err(forbidden(rule::KEY_NARROWED)),
        _ => Ok(()),
    }
}

/// A credential narrowed to some targets may call those, and do nothing else. What a run calls in turn
/// is asked as a sub-flow, by the lists of what it calls.
pub(crate) fn calls_it(principal: &Principal, called: &TargetName, channel: Channel) -> Result<(), No> {
    let call = !matches!(channel, Channel::Restart | Channel::Resume);
    if channel == Channel::SubFlow || call && principal.only_targets.contains(called) {
        return Ok(());
    }
    calls_nothing_else(principal)
}

/// The project is one the user may know of: a profile valid where projects are edited, or a
/// permission on this one.
pub(crate) fn project_visible(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    user: UserFacts<'_>,
    project: &ProjectId,
) -> Result<(), No> {
    let profile = snapshot
        .development
        .as_ref()
        .and_then(|id| snapshot.environment(id))
        .is_some_and(|development| user.held.profiles.first_common(&development.valid).is_some());
    if profile || !snapshot.given(&principal.user, user, project).is_empty() {
        Ok(())
    } else {
        Err(not_found(rule::PROJECT_NO_PROFILE))
    }
}

/// All permissions a user has in a scope.
pub(crate) fn held(snapshot: &TenantSnapshot, user: &UserId, facts: UserFacts<'_>, scope: &Scope) -> Permissions {
    let within = |environment: &EnvironmentId| {
        let number = snapshot.environment(environment).map(|e| e.number);
        number.and_then(|n| facts.held.by_environment.get(n)).copied().unwrap_or_default()
    };
    match scope {
        // Tenant-wide acts need a profile valid everywhere, but for what a user does to itself.
        Scope::Tenant => {
            facts.held.anywhere.iter().filter(|p| personal(*p)).chain(facts.held.tenant_wide.iter()).collect()
        }
        Scope::Environment(environment) => within(environment),
        Scope::Project(project) => {
            let by_profile = snapshot.development.as_ref().map(within).unwrap_or_default();
            let given = snapshot.given(user, facts, project);
            by_profile.union(given.iter().filter(|p| p.area() == Area::Project).collect())
        }
    }
}

/// What a user does for itself, wherever its profile is valid.
fn personal(permission: Permission) -> bool {
    matches!(permission, Permission::UserInterfaceAccess | Permission::ManagePersonalSetup)
}
