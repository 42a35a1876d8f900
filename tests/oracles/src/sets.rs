//! The access model as sets and loops, written from ACCESS.md alone and before its author had seen
//! `crates/access`: a second opinion on every decision. One rule is one function, under its section.
//!
//! Where ACCESS.md leaves a choice open, this is what is chosen here. Choices 2, 3, 9, 11, 12 and 14
//! were first made otherwise, or not at all, and settled when the two were compared: of these the
//! model is no independent witness.
//!
//!
//! 1. §1, suspended tenant: all is denied in it (§3, "deny on any doubt").
//! 2. §1, "IDP: console only": every way in but the console and a sub-flow is an API channel, a
//!    schedule and a poll too. On doubt, deny.
//! 3. §1, "service account … without user-interface-access": the console is closed to it whatever its
//!    profiles hold, and the permission does not count. For the others the console asks
//!    user-interface-access when it opens, not at each decision: §3 speaks of the *kind* alone.
//! 4. §3, the channel rule is written under execute alone; here every act asks it ("every way in asks").
//! 5. §3, a sub-flow: the channel was asked at the way in, so any kind may.
//! 6. §1, groups: in one step; a group in a group is not spoken of.
//! 7. §1, "environment ∈ p": a profile valid everywhere is valid in environments that exist.
//! 8. §1, "no climbing": *valid in all environments* means "present and future"; a profile that names
//!    each environment there is does not count.
//! 9. §1, the Default Project: a project permission given for it counts, as for any other. (First
//!    chosen the other way, for it is "shared by all who hold the permission through an access profile".)
//! 10. §3, the publish right: who adopted must be enabled and hold `deploy` there *still*.
//! 11. §1, where nothing was ever deployed the list `default`, which the first deploy would assign, is
//!     asked. What is deployed without a list is denied.
//! 12. §3, "through an API": the two may be allowed by different profiles. Of an API that is not
//!     deployed there nobody can say what is behind it: it is asked alone.
//! 13. §3, `restart`: runs-control may come from another profile than the execution.
//! 14. §3, answers: 401 for whom the tenant does not know or has disabled; then 404, also for what is
//!     published in no environment; then 403; and 409 last, to those alone who may execute it. A publish
//!     right that fell is "not published" too. A project has 404 for who has neither a profile valid in
//!     Development nor a permission on it.
//! 15. §3, push: *Development* is the environment of that name.
//! 16. Support grants, leases and sessions are not modelled: they do not enter §3's formulas.

use crate::world::{
    Channel, Deploy, Execute, Kind, Name, Names, Profile, Push, Request, Target, TargetKind, User, Valid, World,
};

/// What is answered (§3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Allowed.
    Allowed,
    /// 401: nobody we know.
    Unknown,
    /// 404: for the caller nothing is there.
    NotFound,
    /// 403.
    Forbidden,
    /// 409.
    NotPublished,
}

/// The list that the first deploy assigns.
pub const DEFAULT_ACL: &str = "default";
/// The environment in which projects are edited.
pub const DEVELOPMENT: &str = "development";

/// §3: what a request is answered.
pub fn answer(world: &World, request: &Request) -> Answer {
    match request {
        Request::Execute(execute) => may_execute(world, execute),
        Request::Restart(execute) => may_restart(world, execute),
        Request::Deploy(deploy) => may_deploy(world, deploy),
        Request::Push(push) => may_push(world, push),
        Request::Act { principal, channel, permission, environment } => {
            may_act(world, principal, *channel, permission, environment.as_deref())
        }
    }
}

/// §1 and §3, "user enabled": the principal, if it is one and may do anything at all.
fn enabled<'w>(world: &'w World, principal: &str) -> Option<&'w User> {
    if world.suspended {
        return None;
    }
    let user = world.users.get(principal)?;
    user.enabled.then_some(user)
}

/// §3, "channel allowed to its kind".
fn channel_allowed(kind: Kind, channel: Channel) -> bool {
    let api = matches!(channel, Channel::Rest | Channel::Soap | Channel::Cli | Channel::Schedule | Channel::Poll);
    match kind {
        Kind::Native => true,
        Kind::Idp { calls_apis } => !api || calls_apis,
        Kind::Service => channel != Channel::Console,
    }
}

/// §1, group: "whatever a user may be given, a group may be given".
fn profiles_of(world: &World, user: &User) -> Names {
    let mut all = user.profiles.clone();
    for group in &user.groups {
        if let Some(group) = world.groups.get(group) {
            all.extend(group.profiles.iter().cloned());
        }
    }
    all.retain(|profile| world.profiles.contains_key(profile));
    all
}

/// §1, role: where a profile is valid.
fn valid_in(world: &World, profile: &Profile, environment: &str) -> bool {
    if !world.environments.contains(environment) {
        return false;
    }
    match &profile.valid {
        Valid::Everywhere => true,
        Valid::In(named) => named.contains(environment),
    }
}

/// §1, access profile: "they add up per environment". The profiles of a user that are valid there.
fn profiles_valid_in(world: &World, user: &User, environment: &str) -> Names {
    let mut held = profiles_of(world, user);
    held.retain(|profile| valid_in(world, &world.profiles[profile], environment));
    held
}

/// §1, no climbing: permissions that count only from profiles valid in all environments.
fn needs_every_environment(permission: &str) -> bool {
    matches!(
        permission,
        "user-management"
            | "access-control"
            | "manage-company-capabilities"
            | "audit-log"
            | "stages-administer"
            | "advanced-security-administer"
    ) || permission.starts_with("solution-")
}

/// §1 and §2: whether a profile of the user gives this permission in that environment.
fn holds_in(world: &World, user: &User, permission: &str, environment: &str) -> bool {
    if user.kind == Kind::Service && permission == "user-interface-access" {
        return false;
    }
    for profile in profiles_valid_in(world, user, environment) {
        let profile = &world.profiles[&profile];
        let counts = !needs_every_environment(permission) || profile.valid == Valid::Everywhere;
        if counts && profile.permissions.contains(permission) {
            return true;
        }
    }
    false
}

/// §1, no climbing: whether a profile of the user gives this permission in the tenant, where no
/// environment is meant. What need not come from everywhere may come from any environment there is.
fn holds_in_tenant(world: &World, user: &User, permission: &str) -> bool {
    let mut held = world.environments.iter().map(|environment| holds_in(world, user, permission, environment));
    held.any(|holds| holds)
}

/// §2c: the permission to execute.
fn execute_permission(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Orchestration => "integrations.execute",
        TargetKind::RestApi => "rest-apis.execute",
        TargetKind::SoapApi => "soap-apis.execute",
    }
}

/// §3, execute: "∃ profile p: environment ∈ p ∧ p ∈ ACL(target, environment) ∧ `<kind>.execute` ∈ p".
fn profile_in_acl(world: &World, user: &User, target: TargetKind, acl: Option<&Names>, environment: &str) -> bool {
    let Some(acl) = acl else { return false };
    for profile in profiles_valid_in(world, user, environment) {
        let executes = world.profiles[&profile].permissions.contains(execute_permission(target));
        if executes && acl.contains(&profile) {
            return true;
        }
    }
    false
}

/// Whether it is deployed there, by whomever.
fn deployed(world: &World, target: &Target, environment: &str) -> bool {
    let there = world.deployments.get(&(target.project.clone(), environment.to_owned()));
    there.is_some_and(|deployment| deployment.holds.contains(&(target.kind, target.name.clone())))
}

/// §1, ACL: the one a target names in an environment, or that the first deploy would assign.
fn acl_of<'w>(world: &'w World, target: &Target, environment: &str) -> Option<&'w Names> {
    match world.assigned.get(&(target.clone(), environment.to_owned())) {
        Some(name) => world.acls.get(name),
        None if deployed(world, target, environment) => None,
        None => world.acls.get(DEFAULT_ACL),
    }
}

/// §3: "through an API, the API and the orchestration are both asked (an API without its own ACL uses
/// the orchestration's)".
fn acls_allow(world: &World, user: &User, execute: &Execute) -> bool {
    let environment = &execute.environment;
    let own = acl_of(world, &execute.orchestration, environment);
    if let Some(api) = &execute.through {
        let there = deployed(world, api, environment);
        let assigned = world.assigned.contains_key(&(api.clone(), environment.clone()));
        let acl = if assigned || !there { acl_of(world, api, environment) } else { own };
        if !profile_in_acl(world, user, api.kind, acl, environment) {
            return false;
        }
        if !there {
            return true;
        }
    }
    profile_in_acl(world, user, execute.orchestration.kind, own, environment)
}

/// §3, "the publish right stands": of what is deployed, the publisher "is enabled and still holds
/// `deploy` in that environment, or someone who does has adopted it".
fn publish_right_stands(world: &World, target: &Target, environment: &str) -> bool {
    let Some(deployment) = world.deployments.get(&(target.project.clone(), environment.to_owned())) else {
        return false;
    };
    if !deployment.holds.contains(&(target.kind, target.name.clone())) {
        return false;
    }
    let mut who = deployment.adopted.clone();
    who.insert(deployment.publisher.clone());
    for name in who {
        if let Some(user) = enabled(world, &name)
            && holds_in(world, user, "deploy", environment)
        {
            return true;
        }
    }
    false
}

/// §3, "404 unless the caller holds any profile valid in that environment".
fn knows_environment(world: &World, user: &User, environment: &str) -> bool {
    !profiles_valid_in(world, user, environment).is_empty()
}

/// §3, execute.
fn may_execute(world: &World, execute: &Execute) -> Answer {
    let Some(user) = enabled(world, &execute.principal) else { return Answer::Unknown };
    let called = execute.through.as_ref().unwrap_or(&execute.orchestration);
    let published = world.environments.iter().any(|environment| deployed(world, called, environment));
    if !knows_environment(world, user, &execute.environment) || !published {
        return Answer::NotFound;
    }
    if !channel_allowed(user.kind, execute.channel) || !acls_allow(world, user, execute) {
        return Answer::Forbidden;
    }
    let mut targets = execute.through.iter().chain([&execute.orchestration]);
    if !targets.all(|target| publish_right_stands(world, target, &execute.environment)) {
        return Answer::NotPublished;
    }
    Answer::Allowed
}

/// §3: "`restart` = runs-control ∧ may execute".
fn may_restart(world: &World, execute: &Execute) -> Answer {
    let Some(user) = enabled(world, &execute.principal) else { return Answer::Unknown };
    if !knows_environment(world, user, &execute.environment) {
        return Answer::NotFound;
    }
    let answer = may_execute(world, execute);
    if answer != Answer::NotFound && !holds_in(world, user, "runs-control", &execute.environment) {
        return Answer::Forbidden;
    }
    answer
}

/// §3, deploy.
fn may_deploy(world: &World, deploy: &Deploy) -> Answer {
    let Some(user) = enabled(world, &deploy.principal) else { return Answer::Unknown };
    if !knows_environment(world, user, &deploy.environment) {
        return Answer::NotFound;
    }
    let stage = !world.ask_for_green_run.contains(&deploy.environment) || deploy.green;
    let allowed = channel_allowed(user.kind, deploy.channel)
        && holds_in(world, user, "deploy", &deploy.environment)
        && deploy.needs.is_subset(&deploy.bound)
        && stage;
    if allowed { Answer::Allowed } else { Answer::Forbidden }
}

/// §1, project permission: "permissions of §2c for one project, given to users/groups".
fn holds_for_project(world: &World, principal: &str, user: &User, permission: &str, project: &str) -> bool {
    for given in world.project_permissions.values() {
        let to_group = user.groups.iter().any(|group| world.groups.contains_key(group) && given.groups.contains(group));
        let to = given.users.contains(principal) || to_group;
        if to && given.project == project && given.permissions.contains(permission) {
            return true;
        }
    }
    false
}

/// §3, push: "`<kind>.create|update|delete` for each object that differs, by profile (valid in
/// Development) or project permission".
fn may_push(world: &World, push: &Push) -> Answer {
    let Some(user) = enabled(world, &push.principal) else { return Answer::Unknown };
    let holds_some = |permission: &Name| holds_for_project(world, &push.principal, user, permission, &push.project);
    let given = world.project_permissions.values().any(|given| given.permissions.iter().any(holds_some));
    if !knows_environment(world, user, DEVELOPMENT) && !given {
        return Answer::NotFound;
    }
    let held = holds_in(world, user, &push.permission, DEVELOPMENT)
        || holds_for_project(world, &push.principal, user, &push.permission, &push.project);
    if channel_allowed(user.kind, push.channel) && held { Answer::Allowed } else { Answer::Forbidden }
}

/// §2: what one permission stands for, in an environment or in the tenant.
fn may_act(world: &World, who: &str, channel: Channel, permission: &str, environment: Option<&str>) -> Answer {
    let Some(user) = enabled(world, who) else { return Answer::Unknown };
    let held = match environment {
        Some(environment) if !knows_environment(world, user, environment) => return Answer::NotFound,
        Some(environment) => holds_in(world, user, permission, environment),
        None => holds_in_tenant(world, user, permission),
    };
    if channel_allowed(user.kind, channel) && held { Answer::Allowed } else { Answer::Forbidden }
}
