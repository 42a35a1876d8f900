//! The access model as sets and loops, written from ACCESS.md alone and before its author had seen
//! `crates/access`: a second opinion on every decision. One rule is one function, under its section.
//!
//! Where ACCESS.md leaves a choice open, this is what is chosen here. Choices 2, 3, 5, 9, 11, 12 and 14 were
//! settled when the two were compared: of these the model is no independent witness. By which text it was
//! judged then stands with each. 17 to 20 and 25 came later, by one who knew the product.
//!
//! 1. §1, suspended tenant: all is denied in it (§3, "deny on any doubt").
//! 2. §1, "IDP: console only": every way in but the console and a sub-flow is an API channel, a
//!    schedule and a poll too. Judged: INTERFACES.md lists them so ("REST, SOAP, schedule, poll, any
//!    call with an API key or Basic"); a sub-flow is not among them.
//! 3. §1, "service account … without user-interface-access": the console is closed to it whatever its
//!    profiles hold, and the permission does not count. For the others the console asks
//!    user-interface-access when it opens, not at each decision: §3 speaks of the *kind* alone.
//! 4. §3, the channel rule is written under execute alone; here every act asks it ("every way in asks").
//! 5. §3, a sub-flow: the channel was asked at the way in, so any kind may; what an API key began stays so.
//! 6. §1, groups: in one step; a group in a group is not spoken of.
//! 7. §1, "environment ∈ p": a profile valid everywhere is valid in environments that exist.
//! 8. §1, "no climbing": *valid in all environments* means "present and future"; a profile that names
//!    each environment there is does not count.
//! 9. §1, the Default Project: a project permission given for it counts, as for any other. Judged: §1
//!    gives project permissions "for one project", and it is one; that all who hold the permission by a
//!    profile share it adds people and takes none away. It only has no "Developer" permission by itself.
//! 10. §3, the publish right: who adopted must be enabled and hold `deploy` there *still*.
//! 11. §1, where nothing was ever deployed the list `default`, which the first deploy would assign, is
//!     asked. Judged: §3 puts 403 before 409, so 409 is for those who would be let in once it is there,
//!     and §1 says which list that will be. What is deployed without a list is denied: §3's formula has
//!     no list that holds a profile then.
//! 12. §3, "through an API": the two may be allowed by different profiles, for each is asked the whole
//!     formula. Judged: of an API that is not deployed there nobody can say what is behind it (the
//!     definition is in the version that is deployed), so it is asked alone; it is never allowed.
//! 13. §3, `restart`: runs-control may come from another profile than the execution.
//! 14. §3, answers: 401 for whom the tenant does not know or has disabled; then 404, then 403, and 409
//!     last, to those alone who may execute it. Judged by INTERFACES.md: 404 is "for an unknown name",
//!     which is one that is published nowhere and in no newest version of a project; 409 is "not deployed
//!     here or publish right fallen". A project has 404 for who has neither a profile valid in
//!     Development nor a permission on it, as an environment has.
//! 15. §3, push: *Development* is the first environment of the promotion order, of which §1 says that it begins so.
//! 16. Leases and sessions do not enter §3's formulas: they are not modelled. Support access came later, by who built
//!     it: §4 says who opens it, what it shows and that it ends; that it falls with the right of who opened it, and that
//!     72 hours are the most, is chosen there.
//! 17. §1, "keys … belong to exactly one environment": a key of one environment finds no other (404), may
//!     nothing in the tenant itself, and edits projects if its environment is Development.
//! 18. §3, the stage rule: where no environment is before, no run was green in it.
//! 19. INTERFACES.md, run-as: naming oneself is naming nobody; `access-control` is asked in the tenant.
//! 20. §3, adopting and ending ask the right to deploy alone: what is published was covered. Who may not
//!     is not told whether something is.
//! 21. §1, "nothing crosses tenants": who is of another tenant is told 404, as of what is not there.
//! 22. §4, API keys are "scoped to environment and APIs": one that is for some targets calls those and does
//!     nothing else, restarting neither. What these call in turn is asked as a sub-flow (§3, "same principal,
//!     the callee's ACL"). §4, "expiring": at its end it has ended; that, another secret and a key that is gone are 401.
//! 23. §3, "a schedule or poll runs as a named principal": it executes and does nothing else.
//! 24. §3, "covered by bound accounts": where the version says how an account is to prove who calls, it must; a host
//!     that is named in place of an account is covered if one HTTPS account has it, and not if several have.
//! 25. §4, "second factors": where the tenant asks one of those with a password, who has none does in the console what
//!     manage-personal-setup stands for in the tenant, and nothing else. A key or a schedule shows no password. This
//!     came later, by who built it.

use crate::world::{
    Binding, Caller, Channel, Deploy, Execute, Key, Kind, NOW, Name, Names, Place, Profile, Push, Request, Target,
    TargetKind, User, Valid, World,
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

/// §3: what a request is answered.
pub fn answer(world: &World, request: &Request) -> Answer {
    if caller(request).is_some_and(|caller| caller.foreign) {
        return Answer::NotFound;
    }
    match request {
        Request::Execute(execute) => may_execute(world, execute),
        Request::Restart(execute) => may_restart(world, execute),
        Request::Deploy(deploy) => may_deploy(world, deploy),
        Request::Adopt { caller, environment, project, ends: _ } => may_adopt(world, caller, environment, project),
        Request::Push(push) => may_push(world, push),
        Request::Act { caller, permission, at } => may_act(world, caller, permission, at),
        Request::Console(caller) => may_open_console(world, caller),
        Request::Look { permission, environment, at } => may_look(world, permission, environment, *at),
    }
}

/// Who makes a request; none where it is the operator, of whom there is one.
pub fn caller(request: &Request) -> Option<&Caller> {
    match request {
        Request::Execute(execute) | Request::Restart(execute) => Some(&execute.caller),
        Request::Deploy(deploy) => Some(&deploy.caller),
        Request::Push(push) => Some(&push.caller),
        Request::Adopt { caller, .. } | Request::Act { caller, .. } | Request::Console(caller) => Some(caller),
        Request::Look { .. } => None,
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

/// §3, "401 not said who": the user behind a caller, whose key, if it shows one, is a key now.
fn known_caller<'w>(world: &'w World, caller: &Caller) -> Option<&'w User> {
    if let Some(shown) = &caller.key {
        let key = world.keys.get(&shown.name)?;
        let ended = key.ends.is_some_and(|ends| ends <= NOW);
        if !shown.right || ended || key.user != caller.principal {
            return None;
        }
    }
    enabled(world, &caller.principal)
}

/// §4, API keys: the one a caller shows.
fn key<'w>(world: &'w World, caller: &Caller) -> Option<&'w Key> {
    world.keys.get(&caller.key.as_ref()?.name)
}

/// §4, keys "scoped to … APIs": it is for all there is.
fn key_is_for_all(world: &World, caller: &Caller) -> bool {
    key(world, caller).is_none_or(|key| key.targets.is_empty())
}

/// §4, the same of what is called.
fn key_calls(world: &World, caller: &Caller, called: &Target) -> bool {
    let named = key(world, caller).is_some_and(|key| key.targets.contains(&called.name));
    named || caller.channel == Channel::SubFlow || key_is_for_all(world, caller)
}

/// §3, "runs as a named principal": what was begun by nobody's credential.
fn began_by_itself(caller: &Caller) -> bool {
    matches!(caller.channel, Channel::Schedule | Channel::Poll)
}

/// §3, "channel allowed to its kind".
fn channel_allowed(kind: Kind, caller: &Caller) -> bool {
    let channel = caller.channel;
    let by_api = matches!(channel, Channel::Rest | Channel::Soap | Channel::Cli | Channel::Schedule | Channel::Poll);
    let api = by_api || caller.key.is_some();
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
    if !world.environments.iter().any(|name| name == environment) {
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

/// §1, keys: what is said of one environment is said of no other.
fn key_is_for(world: &World, caller: &Caller, environment: &str) -> bool {
    let only = key(world, caller).and_then(|key| key.environment.as_ref());
    only.is_none_or(|only| only == environment)
}

/// §1, the same of what is in no environment.
fn key_is_for_tenant(world: &World, caller: &Caller) -> bool {
    key(world, caller).is_none_or(|key| key.environment.is_none())
}

/// §4, "second factors": it is asked one that it does not have.
fn has_to_enrol(world: &World, user: &User, caller: &Caller) -> bool {
    let asked = world.asks_second_factor && user.kind == Kind::Native && caller.channel == Channel::Console;
    asked && !user.second_factor
}

/// What a user does for itself: by a credential that is for all, and by somebody.
fn may_act_for_itself(world: &World, user: &User, caller: &Caller) -> bool {
    channel_allowed(user.kind, caller) && key_is_for_all(world, caller) && !began_by_itself(caller)
}

/// What is neither called nor run.
fn may_act_by(world: &World, user: &User, caller: &Caller) -> bool {
    may_act_for_itself(world, user, caller) && !has_to_enrol(world, user, caller)
}

/// §3, "404 unless the caller holds any profile valid in that environment".
fn knows_environment(world: &World, user: &User, caller: &Caller, environment: &str) -> bool {
    key_is_for(world, caller, environment) && !profiles_valid_in(world, user, environment).is_empty()
}

/// INTERFACES.md, "an unknown name" is the other way round.
fn known(world: &World, target: &Target) -> bool {
    world.pushed.contains(target) || world.environments.iter().any(|environment| deployed(world, target, environment))
}

/// §3, execute.
fn may_execute(world: &World, execute: &Execute) -> Answer {
    let Some(user) = known_caller(world, &execute.caller) else { return Answer::Unknown };
    let called = execute.through.as_ref().unwrap_or(&execute.orchestration);
    if !knows_environment(world, user, &execute.caller, &execute.environment) || !known(world, called) {
        return Answer::NotFound;
    }
    let by = channel_allowed(user.kind, &execute.caller) && key_calls(world, &execute.caller, called);
    if !by || has_to_enrol(world, user, &execute.caller) || !acls_allow(world, user, execute) {
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
    let Some(user) = known_caller(world, &execute.caller) else { return Answer::Unknown };
    if !knows_environment(world, user, &execute.caller, &execute.environment) {
        return Answer::NotFound;
    }
    let answer = may_execute(world, execute);
    let restarts =
        may_act_by(world, user, &execute.caller) && holds_in(world, user, "runs-control", &execute.environment);
    if answer != Answer::NotFound && !restarts {
        return Answer::Forbidden;
    }
    answer
}

/// §1 and §3: the publish right of the caller, as a caller has it.
fn may_publish(world: &World, user: &User, caller: &Caller, environment: &str) -> bool {
    may_act_by(world, user, caller) && holds_in(world, user, "deploy", environment)
}

/// §3, deploy.
fn may_deploy(world: &World, deploy: &Deploy) -> Answer {
    let (caller, environment) = (&deploy.caller, &deploy.environment);
    let Some(user) = known_caller(world, caller) else { return Answer::Unknown };
    if !knows_environment(world, user, caller, environment) {
        return Answer::NotFound;
    }
    let allowed = may_publish(world, user, caller, environment)
        && covered(deploy)
        && stage_rule(world, deploy)
        && may_name(world, user, deploy);
    if allowed { Answer::Allowed } else { Answer::Forbidden }
}

/// §3: "the version's authority manifest is covered by bound accounts there".
fn covered(deploy: &Deploy) -> bool {
    for (account, connector, scheme) in &deploy.needs {
        let Some(bound) = deploy.bound.get(account) else { return false };
        let proves = scheme.is_none() || bound.scheme == *scheme;
        if bound.connector != *connector || !proves {
            return false;
        }
    }
    for host in &deploy.hosts {
        let has = |bound: &&Binding| bound.connector == "https" && bound.host == *host;
        if deploy.bound.values().filter(has).count() != 1 {
            return false;
        }
    }
    true
}

/// §3, "the stage rule": "a green run of the same digest in the one before".
fn stage_rule(world: &World, deploy: &Deploy) -> bool {
    let first = world.environments.first() == Some(&deploy.environment);
    !world.ask_for_green_run.contains(&deploy.environment) || (deploy.green && !first)
}

/// INTERFACES.md: "the deployer itself, or another … if the deployer holds access-control".
fn may_name(world: &World, user: &User, deploy: &Deploy) -> bool {
    match &deploy.run_as {
        Some(other) if *other != deploy.caller.principal => {
            key_is_for_tenant(world, &deploy.caller) && holds_in_tenant(world, user, "access-control")
        }
        _ => true,
    }
}

/// §3, "someone who does has adopted it": who may deploy there.
fn may_adopt(world: &World, caller: &Caller, environment: &str, project: &str) -> Answer {
    let Some(user) = known_caller(world, caller) else { return Answer::Unknown };
    if !knows_environment(world, user, caller, environment) {
        return Answer::NotFound;
    }
    if !may_publish(world, user, caller, environment) {
        return Answer::Forbidden;
    }
    let there = world.deployments.contains_key(&(project.to_owned(), environment.to_owned()));
    if there { Answer::Allowed } else { Answer::NotPublished }
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

/// §3, "valid in Development": the environment in which projects are edited.
fn development(world: &World) -> &str {
    world.environments.first().map_or("", String::as_str)
}

/// §3, 404: who has neither a profile where projects are edited nor a permission on this one.
fn knows_project(world: &World, principal: &str, user: &User, project: &str) -> bool {
    let holds_some = |permission: &Name| holds_for_project(world, principal, user, permission, project);
    let given = world.project_permissions.values().any(|given| given.permissions.iter().any(holds_some));
    given || !profiles_valid_in(world, user, development(world)).is_empty()
}

/// §3, push: "`<kind>.create|update|delete` for each object that differs, by profile (valid in
/// Development) or project permission".
fn may_push(world: &World, push: &Push) -> Answer {
    may_act(world, &push.caller, &push.permission, &Place::Project(push.project.clone()))
}

/// §2: what one permission stands for, in an environment, on a project or in the tenant.
fn may_act(world: &World, caller: &Caller, permission: &str, at: &Place) -> Answer {
    let Some(user) = known_caller(world, caller) else { return Answer::Unknown };
    let held = match at {
        Place::Environment(environment) if !knows_environment(world, user, caller, environment) => {
            return Answer::NotFound;
        }
        Place::Project(project) if !knows_project(world, &caller.principal, user, project) => return Answer::NotFound,
        Place::Environment(environment) => holds_in(world, user, permission, environment),
        Place::Project(project) => {
            let given = holds_for_project(world, &caller.principal, user, permission, project);
            key_is_for(world, caller, development(world))
                && (given || holds_in(world, user, permission, development(world)))
        }
        Place::Tenant => key_is_for_tenant(world, caller) && holds_in_tenant(world, user, permission),
    };
    let by = match at {
        Place::Tenant if permission == "manage-personal-setup" => may_act_for_itself(world, user, caller),
        _ => may_act_by(world, user, caller),
    };
    if by && held { Answer::Allowed } else { Answer::Forbidden }
}

/// §1 and §2a: user-interface-access, from any of the user's profiles; the console is a login session's.
fn may_open_console(world: &World, caller: &Caller) -> Answer {
    let Some(user) = known_caller(world, caller) else { return Answer::Unknown };
    let may = caller.channel == Channel::Console
        && channel_allowed(user.kind, caller)
        && !has_to_enrol(world, user, caller)
        && holds_in_tenant(world, user, "user-interface-access");
    if may { Answer::Allowed } else { Answer::Forbidden }
}

/// §4, support access: "only the tenant administrator opens it: time-boxed, read-only metadata, … ends by itself".
fn may_look(world: &World, permission: &str, environment: &str, at: i64) -> Answer {
    for grant in world.support.values() {
        let Some(giver) = enabled(world, &grant.giver) else { continue };
        let administrator =
            holds_in_tenant(world, giver, "user-management") && holds_in_tenant(world, giver, "access-control");
        let open = grant.from <= at && at < grant.until && at < grant.from + 72;
        let metadata = permission == "logs-view" || permission == "settings-view";
        if administrator && open && metadata && grant.environments.contains(environment) {
            return Answer::Allowed;
        }
    }
    Answer::Forbidden
}
