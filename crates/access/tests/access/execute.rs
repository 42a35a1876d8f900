//! The execute formula, clause by clause: each test takes one thing away from a story that is
//! allowed, and the answer is no.

use lockgate_access::decide_execute;
use lockgate_model::{
    Channel, Kind, Permission, TargetKind,
    definition::{Acl, Deployment, Profile, Tenant as TenantRow, User, ValidIn},
    id::{EnvironmentId, TenantId},
    principal::{CredentialKind, UserKind},
};

use crate::tenant::*;

#[test]
fn the_story_is_allowed() {
    assert_eq!(Tenant::story().order("bob"), (ALLOW, "execute.allowed profile=caller acl=callers"));
}

// --- 404: who may not know

#[test]
fn a_principal_of_another_tenant_finds_nothing() {
    let foreign = lockgate_model::Principal { tenant: id::<TenantId>("evil"), ..by_basic("bob") };
    let answer = Tenant::story().execute(&foreign, target("live", "order"), Channel::Rest);
    assert_eq!(answer, (E404, "tenant.other"));
}

#[test]
fn an_unknown_user_finds_nothing() {
    assert_eq!(Tenant::story().order("nobody"), (E404, "user.unknown"));
}

#[test]
fn an_unknown_environment_is_not_found() {
    let answer = Tenant::story().execute(&by_basic("bob"), target("moon", "order"), Channel::Rest);
    assert_eq!(answer, (E404, "environment.unknown"));
}

#[test]
fn a_stranger_to_the_environment_finds_nothing_there() {
    let mut tenant = Tenant::story();
    tenant.user("eve", UserKind::Native, &["developer"]);
    assert_eq!(tenant.order("eve"), (E404, "environment.no-profile"));
    tenant.user("eve", UserKind::Native, &[]);
    assert_eq!(tenant.order("eve"), (E404, "environment.no-profile"));
    // Neither what exists nor what does not: the answer is the same.
    let unknown = tenant.execute(&by_basic("eve"), target("live", "no-such"), Channel::Rest);
    assert_eq!(unknown, (E404, "environment.no-profile"));
}

#[test]
fn a_key_narrowed_to_another_environment_finds_nothing_here() {
    let key = |environment: &str| lockgate_model::Principal {
        only_environment: Some(id::<EnvironmentId>(environment)),
        ..principal("bob", CredentialKind::ApiKey)
    };
    let tenant = Tenant::story();
    let ask = |environment| tenant.execute(&key(environment), target("live", "order"), Channel::Rest);
    assert_eq!(ask("test"), (E404, "key.other-environment"));
    assert_eq!(ask("live").0, ALLOW);
}

#[test]
fn a_key_narrowed_to_some_targets_calls_those_and_does_nothing_else() {
    let tenant = Tenant::story();
    let key = |targets: &[&str]| lockgate_model::Principal {
        only_targets: targets.iter().map(|name| id(name)).collect(),
        ..principal("bob", CredentialKind::ApiKey)
    };
    let ask = |targets: &[&str], channel| tenant.execute(&key(targets), target("live", "order"), channel);
    let refused = (E403, "key.other-target");
    assert_eq!(ask(&["invoice"], Channel::Rest), refused);
    assert_eq!(ask(&["invoice", "order"], Channel::Rest).0, ALLOW);
    assert_eq!(ask(&["invoice"], Channel::SubFlow).0, ALLOW, "what a run calls is asked by its own list");
    assert_eq!(ask(&["order"], Channel::Restart), refused);
    assert_eq!(ask(&["order"], Channel::Resume), refused);
}

#[test]
fn an_unknown_name_is_not_found() {
    let tenant = Tenant::story();
    assert_eq!(tenant.execute(&by_basic("bob"), target("live", "no-such"), Channel::Rest), (E404, "target.unknown"));
    let other_kind = tenant.execute(&by_basic("bob"), rest("live", "order"), Channel::Rest);
    assert_eq!(other_kind, (E404, "target.unknown"), "an orchestration is no API");
}

#[test]
fn a_list_assigned_to_nothing_makes_no_target() {
    let mut tenant = Tenant::story();
    tenant.assign("live/integrations/ghost", "callers");
    assert_eq!(tenant.execute(&by_basic("bob"), target("live", "ghost"), Channel::Rest), (E404, "target.unknown"));
}

// --- 403: who may not

#[test]
fn nothing_runs_in_a_suspended_tenant() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::Tenant, "tenant", |t: &mut TenantRow| t.suspended = true);
    assert_eq!(tenant.order("bob"), (E403, "tenant.suspended"));
}

#[test]
fn a_disabled_user_may_nothing() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::User, "bob", |u: &mut User| u.enabled = false);
    assert_eq!(tenant.order("bob"), (E403, "user.disabled"));
}

#[test]
fn an_idp_user_has_no_api_channel_unless_let() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::User, "bob", |u: &mut User| u.kind = UserKind::Idp);
    let ways = [
        (CredentialKind::Session, Channel::Rest),
        (CredentialKind::Session, Channel::Soap),
        (CredentialKind::RunAs, Channel::Schedule),
        (CredentialKind::RunAs, Channel::Poll),
        (CredentialKind::Basic, Channel::Manual),
        (CredentialKind::ApiKey, Channel::Manual),
        (CredentialKind::ApiKey, Channel::SubFlow),
    ];
    let ask = |tenant: &Tenant, (credential, channel)| {
        tenant.execute(&principal("bob", credential), target("live", "order"), channel)
    };
    for way in ways {
        assert_eq!(ask(&tenant, way), (E403, "channel.idp-user"), "{way:?}");
    }
    assert_eq!(ask(&tenant, (CredentialKind::Session, Channel::Manual)).0, ALLOW, "the console is open");
    assert_eq!(ask(&tenant, (CredentialKind::RunAs, Channel::SubFlow)).0, ALLOW);
    tenant.edit(Kind::User, "bob", |u: &mut User| u.api_allowed = true);
    for way in ways {
        assert_eq!(ask(&tenant, way).0, ALLOW, "{way:?} was let");
    }
}

#[test]
fn a_service_account_has_no_console() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::User, "bob", |u: &mut User| u.kind = UserKind::Service);
    let ask = |credential, channel| tenant.execute(&principal("bob", credential), target("live", "order"), channel);
    assert_eq!(ask(CredentialKind::Session, Channel::Manual), (E403, "channel.service-account"));
    assert_eq!(ask(CredentialKind::Session, Channel::Rest), (E403, "channel.service-account"));
    assert_eq!(ask(CredentialKind::ApiKey, Channel::Rest).0, ALLOW);
    assert_eq!(ask(CredentialKind::ApiKey, Channel::Manual).0, ALLOW);
    assert_eq!(ask(CredentialKind::RunAs, Channel::Schedule).0, ALLOW);
}

#[test]
fn a_run_as_principal_is_for_what_runs_by_itself() {
    let tenant = Tenant::story();
    let ask = |channel| tenant.execute(&principal("bob", CredentialKind::RunAs), target("live", "order"), channel);
    for channel in [Channel::Rest, Channel::Soap, Channel::Manual, Channel::Restart, Channel::Resume, Channel::Admin] {
        assert_eq!(ask(channel), (E403, "channel.run-as"), "{channel:?}");
    }
    for channel in [Channel::Schedule, Channel::Poll, Channel::SubFlow] {
        assert_eq!(ask(channel).0, ALLOW, "{channel:?}");
    }
}

#[test]
fn restart_and_resume_need_runs_control_there_besides() {
    let mut tenant = Tenant::story();
    let ask = |tenant: &Tenant, channel| tenant.execute(&by_session("bob"), target("live", "order"), channel);
    for channel in [Channel::Restart, Channel::Resume] {
        assert_eq!(ask(&tenant, channel), (E403, "execute.no-runs-control"));
    }
    tenant.profile("control", &[Permission::RunsControl], Some(&["test"]));
    tenant.edit(Kind::User, "bob", |u: &mut User| u.profiles.push(id("control")));
    assert_eq!(ask(&tenant, Channel::Restart), (E403, "execute.no-runs-control"), "held elsewhere");
    tenant.profile("control", &[Permission::RunsControl], Some(&["live"]));
    for channel in [Channel::Restart, Channel::Resume] {
        assert_eq!(ask(&tenant, channel).0, ALLOW);
    }
    // runs-control alone runs nothing.
    tenant.edit(Kind::User, "bob", |u: &mut User| u.profiles = ids(&["control"]));
    assert_eq!(ask(&tenant, Channel::Restart), (E403, "execute.not-on-acl acl=callers"));
}

#[test]
fn without_a_list_nobody_may() {
    let mut tenant = Tenant::story();
    tenant.remove(Kind::Assignment, "live/integrations/order");
    assert_eq!(tenant.order("bob"), (E403, "execute.no-acl"));
    assert_eq!(tenant.order("root"), (E403, "execute.no-acl"), "not even the administrator");
}

#[test]
fn a_list_of_another_environment_does_not_count() {
    let mut tenant = Tenant::story();
    tenant.remove(Kind::Assignment, "live/integrations/order");
    tenant.assign("test/integrations/order", "callers");
    assert_eq!(tenant.order("bob"), (E403, "execute.no-acl"));
}

#[test]
fn a_profile_that_is_not_on_the_list_does_not_open() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::Acl, "callers", |a: &mut Acl| a.profiles = ids(&["admin"]));
    assert_eq!(tenant.order("bob"), (E403, "execute.not-on-acl acl=callers"));
    assert_eq!(tenant.order("root"), (E403, "execute.not-on-acl acl=callers"), "`administrator` is not `admin`");
}

#[test]
fn a_profile_on_the_list_without_execute_does_not_open() {
    let mut tenant = Tenant::story();
    let without = &[Permission::RestApisExecute, Permission::SoapApisExecute, Permission::IntegrationsUpdate];
    tenant.profile("caller", without, Some(&["live"]));
    assert_eq!(tenant.order("bob"), (E403, "execute.no-permission acl=callers permission=integrations.execute"));
}

#[test]
fn a_profile_on_the_list_that_is_not_valid_here_does_not_open() {
    let mut tenant = Tenant::story();
    tenant.profile("caller", &[Permission::IntegrationsExecute], Some(&["test"]));
    tenant.profile("watcher", &[Permission::LogsView], Some(&["live"]));
    tenant.edit(Kind::User, "bob", |u: &mut User| u.profiles.push(id("watcher")));
    assert_eq!(tenant.order("bob"), (E403, "execute.not-on-acl acl=callers"));
}

/// On the list by one profile, permitted by another, valid by a third: no one of them does all.
#[test]
fn one_profile_must_do_all_three() {
    let mut tenant = Tenant::story();
    tenant.profile("listed", &[Permission::LogsView], Some(&["live"]));
    tenant.profile("permitted", &[Permission::IntegrationsExecute], Some(&["live"]));
    tenant.profile("elsewhere", &[Permission::IntegrationsExecute], Some(&["test"]));
    tenant.edit(Kind::Acl, "callers", |a: &mut Acl| a.profiles = ids(&["listed", "elsewhere"]));
    tenant.edit(Kind::User, "bob", |u: &mut User| u.profiles = ids(&["listed", "permitted", "elsewhere"]));
    assert_eq!(tenant.order("bob").0, E403);
}

#[test]
fn a_project_permission_grants_nothing_in_an_environment() {
    let mut tenant = Tenant::story();
    tenant.profile("watcher", &[Permission::LogsView], None);
    tenant.user("eve", UserKind::Native, &["watcher"]);
    tenant.edit(Kind::Acl, "callers", |a: &mut Acl| a.profiles.push(id("watcher")));
    let given = lockgate_model::definition::ProjectPermission {
        permissions: [Permission::IntegrationsExecute].into_iter().collect(),
        users: ids(&["eve"]),
        groups: vec![],
    };
    tenant.put(Kind::ProjectPermission, "default/developer", &given);
    tenant.deploy("development", "default", "root", &["order"]);
    tenant.assign("development/integrations/order", "callers");
    for environment in ["live", "development"] {
        let answer = tenant.execute(&by_basic("eve"), target(environment, "order"), Channel::Rest);
        assert_eq!(answer, (E403, "execute.no-permission acl=callers permission=integrations.execute"));
    }
}

// --- 409: what is not published

#[test]
fn what_is_not_deployed_here_is_asked_of_the_default_list_and_then_409() {
    let mut tenant = Tenant::story();
    tenant.profile("caller", &[Permission::IntegrationsExecute], None);
    let ask = |user: &str| tenant.execute(&by_basic(user), target("test", "order"), Channel::Rest);
    assert_eq!(ask("bob"), (E403, "execute.not-on-acl acl=default"), "403 comes before 409");
    assert_eq!(ask("root"), (E409, "execute.not-deployed"));
}

#[test]
fn what_is_assigned_but_not_deployed_is_asked_of_its_list() {
    let mut tenant = Tenant::story();
    tenant.profile("caller", &[Permission::IntegrationsExecute], None);
    tenant.assign("test/integrations/order", "callers");
    let ask = |user: &str| tenant.execute(&by_basic(user), target("test", "order"), Channel::Rest);
    assert_eq!(ask("bob"), (E409, "execute.not-deployed"));
    assert_eq!(ask("root"), (E403, "execute.not-on-acl acl=callers"));
}

#[test]
fn the_publish_right_falls_with_the_publisher() {
    let fallen = (E409, "execute.publish-right-fallen publisher=pat");
    let mut disabled = Tenant::story();
    disabled.edit(Kind::User, "pat", |u: &mut User| u.enabled = false);
    assert_eq!(disabled.order("bob"), fallen);

    let mut withdrawn = Tenant::story();
    withdrawn.edit(Kind::User, "pat", |u: &mut User| u.profiles = ids(&["user"]));
    assert_eq!(withdrawn.order("bob"), fallen);

    let mut elsewhere = Tenant::story();
    elsewhere.profile("stager", &[Permission::Deploy], Some(&["development", "test", "prelive"]));
    elsewhere.edit(Kind::User, "pat", |u: &mut User| u.profiles = ids(&["stager", "user"]));
    assert_eq!(elsewhere.order("bob"), fallen, "`deploy` elsewhere is not `deploy` here");

    let mut gone = Tenant::story();
    gone.remove(Kind::User, "pat");
    assert_eq!(gone.order("bob"), fallen);
    assert_eq!(gone.order("root").0, E403, "403 comes before 409");
}

#[test]
fn an_adopter_holds_the_right_up_as_long_as_it_may_itself() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::User, "pat", |u: &mut User| u.enabled = false);
    tenant.edit(Kind::Deployment, "live/default", |d: &mut Deployment| d.adopted_by = Some(id("root")));
    assert_eq!(tenant.order("bob").0, ALLOW);
    tenant.edit(Kind::User, "root", |u: &mut User| u.profiles = ids(&["user"]));
    assert_eq!(tenant.order("bob").0, E409);
    tenant.edit(Kind::User, "pat", |u: &mut User| u.enabled = true);
    assert_eq!(tenant.order("bob").0, ALLOW, "the publisher's own right stands again");
}

// --- groups, APIs, sub-flows

#[test]
fn a_group_gives_what_a_user_may_be_given() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::User, "bob", |u: &mut User| u.profiles.clear());
    assert_eq!(tenant.order("bob"), (E404, "environment.no-profile"));
    tenant.group("staff", &["caller"]);
    assert_eq!(tenant.order("bob").0, E404, "not a member yet");
    tenant.edit(Kind::User, "bob", |u: &mut User| u.groups = ids(&["staff"]));
    assert_eq!(tenant.order("bob"), (ALLOW, "execute.allowed profile=caller acl=callers"));
    // The publisher's right may come by a group as well.
    tenant.group("publishers", &["devops"]);
    tenant.edit(Kind::User, "pat", |u: &mut User| (u.profiles, u.groups) = (vec![], ids(&["publishers"])));
    assert_eq!(tenant.order("bob").0, ALLOW);
    tenant.group("publishers", &[]);
    assert_eq!(tenant.order("bob").0, E409);
}

#[test]
fn through_an_api_both_are_asked() {
    let mut tenant = Tenant::story();
    tenant.api("orders", TargetKind::RestApis, "order");
    let ask = |tenant: &Tenant, user: &str| tenant.execute(&by_basic(user), rest("live", "orders"), Channel::Rest);
    assert_eq!(ask(&tenant, "bob").0, ALLOW, "an API without its own list uses the orchestration's");

    let mut only_api = tenant.clone();
    only_api.profile("caller", &[Permission::RestApisExecute], Some(&["live"]));
    let answer = ask(&only_api, "bob");
    assert_eq!(answer, (E403, "execute.no-permission acl=callers permission=integrations.execute"));

    let mut only_orchestration = tenant.clone();
    only_orchestration.profile("caller", &[Permission::IntegrationsExecute], Some(&["live"]));
    let answer = ask(&only_orchestration, "bob");
    assert_eq!(answer, (E403, "execute.no-permission acl=callers permission=rest-apis.execute"));

    tenant.assign("live/rest-apis/orders", "default");
    assert_eq!(ask(&tenant, "bob"), (E403, "execute.not-on-acl acl=default"), "its own list is asked");
    assert_eq!(ask(&tenant, "root"), (E403, "execute.not-on-acl acl=callers"), "and the orchestration's");
}

#[test]
fn a_decision_through_an_api_has_two_entries_and_the_orchestrations_module() {
    let mut tenant = Tenant::story();
    tenant.api("orders", TargetKind::RestApis, "order");
    let decision = decide_execute(&tenant.snapshot(), &by_basic("bob"), rest("live", "orders"), Channel::Rest, NOW);
    let objects: Vec<_> = decision.entries(None).into_iter().map(|e| (e.object, e.digest)).collect();
    let module = module_of("order");
    assert_eq!(
        objects,
        [("live/rest-apis/orders".to_owned(), None), ("live/integrations/order".to_owned(), Some(module))]
    );
    assert_eq!(decision.target().unwrap().name.as_str(), "order");
    assert_eq!(decision.module(), Some(module));
}

#[test]
fn a_sub_flow_asks_the_callees_list() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::Deployment, "live/default", |d: &mut Deployment| {
        let module = d.orchestrations.values().next().unwrap().clone();
        d.orchestrations.insert(id("inner"), module);
    });
    tenant.assign("live/integrations/inner", "default");
    let answer = tenant.execute(&by_basic("bob"), target("live", "inner"), Channel::SubFlow);
    assert_eq!(answer, (E403, "execute.not-on-acl acl=default"));
}

#[test]
fn a_profile_valid_everywhere_is_valid_in_environments_to_come() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::Profile, "caller", |p: &mut Profile| p.valid_in = ValidIn::All);
    let hotfix = lockgate_model::definition::Environment { title: String::new(), order: 4, needs_green_run: false };
    tenant.put(Kind::Environment, "hotfix", &hotfix);
    tenant.deploy("hotfix", "default", "root", &["order"]);
    tenant.assign("hotfix/integrations/order", "callers");
    assert_eq!(tenant.execute(&by_basic("bob"), target("hotfix", "order"), Channel::Rest).0, ALLOW);
}

#[test]
fn an_api_whose_publish_right_fell_is_forbidden_to_who_may_not_run_what_is_behind_it() {
    let mut tenant = Tenant::story();
    tenant.api("orders", TargetKind::RestApis, "order");
    tenant.profile("front", &[Permission::RestApisExecute], Some(&["live"]));
    tenant.put(Kind::Acl, "front", &Acl { title: String::new(), profiles: ids(&["front", "caller"]) });
    tenant.assign("live/rest-apis/orders", "front");
    tenant.user("eve", UserKind::Native, &["front"]);
    tenant.edit(Kind::User, "pat", |user: &mut User| user.enabled = false);
    let asked = |user: &str| tenant.execute(&by_basic(user), rest("live", "orders"), Channel::Rest).0;
    assert_eq!(asked("bob"), E409);
    assert_eq!(asked("eve"), E403);
}
