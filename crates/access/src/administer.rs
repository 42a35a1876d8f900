//! May this principal do this administrative act: one permission, in one scope.

use std::fmt;

use lockgate_model::{
    Channel, Permission, Principal, Timestamp,
    definition::ProjectPermission,
    id::{EnvironmentId, ProfileId, ProjectId, UserId},
    permission::Area,
    principal::{CredentialKind, UserKind},
};

use crate::{
    Act, Decision, RuleText, TenantSnapshot,
    gate::{self, No, forbidden},
    rule,
    snapshot::valid_in,
};

/// Where an act takes effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The tenant itself: users, profiles, lists, environments, the audit log.
    Tenant,
    /// One environment: bindings, runs, schedules, keys.
    Environment(EnvironmentId),
    /// One project: edited in Development, or by permission on that project alone.
    Project(ProjectId),
}

impl Scope {
    /// Some operation asks the permission in scopes of this kind; to hold it in another means nothing there.
    pub fn asks(&self, permission: Permission) -> bool {
        use Permission as P;
        let of_tenant = permission.area() == Area::Global
            || matches!(permission, P::StagesAdminister | P::SolutionCreate | P::SolutionUpdate | P::SolutionDelete);
        let executes = matches!(permission, P::IntegrationsExecute | P::RestApisExecute | P::SoapApisExecute);
        match self {
            Self::Tenant => of_tenant || permission == P::AdvancedSecurityAdminister,
            Self::Environment(_) => match permission.area() {
                Area::Project => {
                    executes || matches!(permission, P::AccountsCreate | P::AccountsUpdate | P::AccountsDelete)
                }
                _ => !of_tenant,
            },
            Self::Project(_) => permission == P::Export || (permission.area() == Area::Project && !executes),
        }
    }
}

/// `tenant`, `environment/live`, `project/orders`: the object of the audit entry.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant => f.write_str("tenant"),
            Self::Environment(id) => write!(f, "environment/{id}"),
            Self::Project(id) => write!(f, "project/{id}"),
        }
    }
}

/// Decides an administrative act. Pure.
///
/// - [`Scope::Tenant`] needs the permission from a profile valid in all environments, but for
///   `user-interface-access` and `manage-personal-setup`.
/// - [`Scope::Environment`] needs it from a profile valid there (404 without any).
/// - [`Scope::Project`] needs it from a profile valid in Development, or, for permissions of the
///   project area, from a permission on that project (404 with neither). A project that does not
///   exist yet is judged by profile alone.
///
/// A key narrowed to an environment acts in that environment, and on projects only if it is
/// Development.
pub fn decide(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    permission: Permission,
    scope: Scope,
    channel: Channel,
    now: Timestamp,
) -> Decision {
    let answer = judge(snapshot, principal, permission, &scope, channel);
    Decision::new(snapshot, principal, channel, now, Act::Administer { permission, scope }, answer)
}

fn judge(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    permission: Permission,
    scope: &Scope,
    channel: Channel,
) -> Result<RuleText, No> {
    let user = gate::user(snapshot, principal)?;
    let missing = || forbidden(RuleText::with(rule::NO_PERMISSION, &[("permission", permission.as_str())]));
    match scope {
        Scope::Tenant => {}
        Scope::Environment(environment) => drop(gate::visible(snapshot, principal, user, environment)?),
        Scope::Project(project) => gate::project_visible(snapshot, principal, user, project)?,
    }
    match (scope, permission) {
        (Scope::Tenant, Permission::ManagePersonalSetup) => {
            gate::standing_for_oneself(snapshot, principal, user, channel)?;
        }
        _ => gate::standing(snapshot, principal, user, channel)?,
    }
    match scope {
        Scope::Tenant => gate::not_narrowed(principal, None)?,
        Scope::Environment(_) => gate::calls_nothing_else(principal)?,
        Scope::Project(_) => gate::not_narrowed(principal, snapshot.development.as_ref())?,
    }
    if !gate::held(snapshot, &principal.user, user, scope).contains(permission) {
        return Err(missing());
    }
    Ok(by(snapshot, principal, permission, scope))
}

/// The allow rule, naming what gave the permission.
fn by(snapshot: &TenantSnapshot, principal: &Principal, permission: Permission, scope: &Scope) -> RuleText {
    let permission_pair = ("permission", permission.as_str());
    match giving(snapshot, &principal.user, permission, scope) {
        Some(profile) => RuleText::with(rule::ADMINISTER, &[permission_pair, ("profile", profile.as_str())]),
        None => {
            let Scope::Project(project) = scope else { return RuleText::with(rule::ADMINISTER, &[permission_pair]) };
            let given = project_permission(snapshot, &principal.user, project, permission);
            let name = given.map_or("-", |(name, _)| name);
            RuleText::with(rule::ADMINISTER, &[permission_pair, ("project-permission", name)])
        }
    }
}

/// The first profile of the user that gives the permission in the scope.
pub(crate) fn giving<'a>(
    snapshot: &'a TenantSnapshot,
    user: &UserId,
    permission: Permission,
    scope: &Scope,
) -> Option<&'a ProfileId> {
    use lockgate_model::definition::ValidIn;
    let personal = matches!(permission, Permission::UserInterfaceAccess | Permission::ManagePersonalSetup);
    let held = &snapshot.users.get(user)?.held.profiles;
    held.common(held).filter_map(|number| snapshot.profiles.get(number)).find(|id| {
        snapshot.rows.profiles.get(*id).is_some_and(|profile| {
            let wide = profile.valid_in == ValidIn::All;
            let here = match scope {
                Scope::Tenant => wide || personal,
                Scope::Environment(environment) => valid_in(&profile.valid_in, environment),
                Scope::Project(_) => snapshot.development.as_ref().is_some_and(|dev| valid_in(&profile.valid_in, dev)),
            };
            here && profile.permissions.contains(permission) && (wide || !permission.tenant_wide_only())
        })
    })
}

/// The first permission on the project that gives it to the user, with its name.
pub(crate) fn project_permission<'a>(
    snapshot: &'a TenantSnapshot,
    user: &UserId,
    project: &ProjectId,
    permission: Permission,
) -> Option<(&'a str, &'a ProjectPermission)> {
    if permission.area() != Area::Project {
        return None;
    }
    let groups = snapshot.rows.users.get(user).map(|user| user.groups.as_slice()).unwrap_or_default();
    snapshot
        .rows
        .project_permissions
        .iter()
        .filter(|((of, _), _)| of == project)
        .find(|(_, given)| {
            given.permissions.contains(permission)
                && (given.users.contains(user) || groups.iter().any(|g| given.groups.contains(g)))
        })
        .map(|((_, name), given)| (name.as_str(), given))
}

/// Decides whether the principal may have the console: asked at login and by every console page.
/// `user-interface-access` counts from any of its profiles; a service account has none.
pub fn decide_console(snapshot: &TenantSnapshot, principal: &Principal, channel: Channel, now: Timestamp) -> Decision {
    let answer = console(snapshot, principal, channel);
    Decision::new(snapshot, principal, channel, now, Act::Console, answer)
}

fn console(snapshot: &TenantSnapshot, principal: &Principal, channel: Channel) -> Result<RuleText, No> {
    let user = gate::user(snapshot, principal)?;
    gate::standing(snapshot, principal, user, channel)?;
    if user.kind == UserKind::Service {
        return Err(forbidden(rule::SERVICE_IN_CONSOLE));
    }
    let by_session = principal.credential == CredentialKind::Session;
    if !by_session || !user.held.anywhere.contains(Permission::UserInterfaceAccess) {
        return Err(forbidden(rule::NO_CONSOLE));
    }
    Ok(rule::CONSOLE.into())
}
