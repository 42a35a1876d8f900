//! Administrative acts, pushes and the console.

use std::collections::BTreeMap;

use lockgate_access::{Scope, decide, decide_console, decide_push, project_seed, push_permissions};
use lockgate_model::{
    Channel, Digest, Kind, Permission as P, Principal,
    definition::{ProjectPermission, Tenant as TenantRow, User},
    id::ProjectId,
    permission::Permissions,
    principal::{CredentialKind, UserKind},
};

use crate::tenant::*;

fn ask(tenant: &Tenant, principal: &Principal, permission: P, scope: Scope) -> Answer {
    Answer::of(&decide(&tenant.snapshot(), principal, permission, scope, Channel::Admin, NOW))
}
fn live() -> Scope {
    Scope::Environment(id("live"))
}
fn orders() -> Scope {
    Scope::Project(id("orders"))
}
/// With the project `orders`, on which `dev` may edit integrations by permission on it alone.
fn with_project() -> Tenant {
    let mut tenant = Tenant::story();
    for (kind, id, body) in project_seed(&id::<ProjectId>("orders"), "Orders") {
        tenant.0.insert((kind, id), body);
    }
    tenant.user("dev", UserKind::Native, &[]);
    let permission = |p: &mut ProjectPermission| {
        p.permissions = [P::IntegrationsCreate, P::IntegrationsUpdate].into_iter().collect();
        p.users = ids(&["dev"]);
    };
    tenant.edit(Kind::ProjectPermission, "orders/developer", permission);
    tenant
}

#[test]
fn there_is_no_climbing_from_a_stage_to_the_tenant() {
    let mut tenant = Tenant::story();
    let all: Vec<P> = P::ALL.to_vec();
    let every = ["development", "test", "prelive", "live"];
    tenant.profile("stage-king", &all, Some(&every));
    tenant.user("king", UserKind::Native, &["stage-king"]);
    for permission in P::ALL.iter().copied().filter(|p| p.tenant_wide_only()) {
        for scope in [Scope::Tenant, live(), orders()] {
            let answer = ask(&tenant, &by_basic("king"), permission, scope.clone());
            assert_eq!(answer, (E403, format!("administer.no-permission permission={permission}").as_str()), "{scope}");
            let answer = ask(&tenant, &by_basic("root"), permission, scope.clone());
            assert_eq!(answer.0, ALLOW, "{permission} in {scope}");
        }
    }
}

#[test]
fn the_tenants_own_affairs_need_a_profile_valid_everywhere() {
    let mut tenant = Tenant::story();
    tenant.profile("watcher", &[P::LogsView, P::UserInterfaceAccess, P::ManagePersonalSetup], Some(&["live"]));
    tenant.user("wim", UserKind::Native, &["watcher"]);
    let wim = by_basic("wim");
    assert_eq!(ask(&tenant, &wim, P::LogsView, Scope::Tenant).0, E403);
    assert_eq!(ask(&tenant, &wim, P::LogsView, live()).0, ALLOW);
    assert_eq!(ask(&tenant, &wim, P::ManagePersonalSetup, Scope::Tenant).0, ALLOW, "what one does for oneself");
    assert_eq!(ask(&tenant, &wim, P::UserInterfaceAccess, Scope::Tenant).0, ALLOW);
}

#[test]
fn a_permission_of_one_environment_is_none_in_another() {
    let mut tenant = Tenant::story();
    tenant.profile("binder", &[P::AccountsUpdate], Some(&["test"]));
    tenant.user("ben", UserKind::Native, &["binder", "caller"]);
    let expected = (E403, "administer.no-permission permission=accounts.update");
    assert_eq!(ask(&tenant, &by_basic("ben"), P::AccountsUpdate, live()), expected);
    assert_eq!(ask(&tenant, &by_basic("ben"), P::AccountsUpdate, Scope::Environment(id("prelive"))).0, E404);
    assert_eq!(ask(&tenant, &by_basic("ben"), P::AccountsUpdate, Scope::Environment(id("moon"))).0, E404);
    let allowed = (ALLOW, "administer.allowed permission=accounts.update profile=binder");
    assert_eq!(ask(&tenant, &by_basic("ben"), P::AccountsUpdate, Scope::Environment(id("test"))), allowed);
}

#[test]
fn profiles_add_up_in_an_environment() {
    let mut tenant = Tenant::story();
    tenant.profile("a", &[P::LogsView], Some(&["live"]));
    tenant.profile("b", &[P::RunsControl], Some(&["live"]));
    tenant.group("staff", &["b"]);
    tenant.user("ben", UserKind::Native, &["a"]);
    assert_eq!(ask(&tenant, &by_basic("ben"), P::RunsControl, live()).0, E403);
    tenant.edit(Kind::User, "ben", |u: &mut User| u.groups = ids(&["staff"]));
    for permission in [P::LogsView, P::RunsControl] {
        assert_eq!(ask(&tenant, &by_basic("ben"), permission, live()).0, ALLOW);
    }
}

#[test]
fn a_narrowed_key_stays_in_its_environment() {
    let tenant = with_project();
    let key = |environment: &str| Principal {
        only_environment: Some(id(environment)),
        ..principal("root", CredentialKind::ApiKey)
    };
    assert_eq!(ask(&tenant, &key("live"), P::AccountsUpdate, live()).0, ALLOW);
    assert_eq!(ask(&tenant, &key("test"), P::AccountsUpdate, live()), (E404, "key.other-environment"));
    for environment in ["live", "development"] {
        assert_eq!(ask(&tenant, &key(environment), P::UserManagement, Scope::Tenant), (E403, "key.narrowed"));
    }
    assert_eq!(ask(&tenant, &key("live"), P::IntegrationsUpdate, orders()), (E403, "key.narrowed"));
    assert_eq!(ask(&tenant, &key("development"), P::IntegrationsUpdate, orders()).0, ALLOW);
}

#[test]
fn a_key_for_some_targets_administers_nothing() {
    let tenant = with_project();
    let key = Principal { only_targets: vec![id("order")], ..principal("root", CredentialKind::ApiKey) };
    for (permission, scope) in
        [(P::LogsView, live()), (P::UserManagement, Scope::Tenant), (P::IntegrationsUpdate, orders())]
    {
        assert_eq!(ask(&tenant, &key, permission, scope), (E403, "key.other-target"), "{permission}");
    }
}

#[test]
fn the_usual_refusals_hold_for_every_scope() {
    let mut suspended = with_project();
    suspended.edit(Kind::Tenant, "tenant", |t: &mut TenantRow| t.suspended = true);
    let mut disabled = with_project();
    disabled.user("spare", UserKind::Native, &["administrator"]);
    disabled.edit(Kind::User, "root", |u: &mut User| u.enabled = false);
    for scope in [Scope::Tenant, live(), orders()] {
        let root = by_basic("root");
        assert_eq!(ask(&suspended, &root, P::IntegrationsUpdate, scope.clone()), (E403, "tenant.suspended"));
        assert_eq!(ask(&disabled, &root, P::IntegrationsUpdate, scope.clone()), (E403, "user.disabled"));
        let foreign = Principal { tenant: id("evil"), ..root.clone() };
        assert_eq!(ask(&with_project(), &foreign, P::IntegrationsUpdate, scope.clone()), (E404, "tenant.other"));
        let run_as = principal("root", CredentialKind::RunAs);
        assert_eq!(ask(&with_project(), &run_as, P::IntegrationsUpdate, scope), (E403, "channel.run-as"));
    }
}

#[test]
fn a_project_permission_works_on_its_project_alone() {
    let tenant = with_project();
    let dev = by_basic("dev");
    let allowed = (ALLOW, "administer.allowed permission=integrations.update project-permission=developer");
    assert_eq!(ask(&tenant, &dev, P::IntegrationsUpdate, orders()), allowed);
    assert_eq!(ask(&tenant, &dev, P::IntegrationsDelete, orders()).0, E403);
    assert_eq!(ask(&tenant, &dev, P::LogsView, orders()).0, E403, "a permission on a project is of the project area");
    let other = Scope::Project(id("default"));
    assert_eq!(ask(&tenant, &dev, P::IntegrationsUpdate, other), (E404, "project.no-profile"));
    let development = Scope::Environment(id("development"));
    assert_eq!(ask(&tenant, &dev, P::IntegrationsUpdate, development), (E404, "environment.no-profile"));
    assert_eq!(ask(&tenant, &by_basic("bob"), P::IntegrationsUpdate, orders()), (E404, "project.no-profile"));
}

#[test]
fn a_project_permission_may_come_by_a_group() {
    let mut tenant = with_project();
    tenant.group("staff", &[]);
    tenant.user("gus", UserKind::Native, &[]);
    tenant.edit(Kind::ProjectPermission, "orders/developer", |p: &mut ProjectPermission| p.groups = ids(&["staff"]));
    assert_eq!(ask(&tenant, &by_basic("gus"), P::IntegrationsUpdate, orders()).0, E404);
    tenant.edit(Kind::User, "gus", |u: &mut User| u.groups = ids(&["staff"]));
    assert_eq!(ask(&tenant, &by_basic("gus"), P::IntegrationsUpdate, orders()).0, ALLOW);
}

// --- push

fn push(tenant: &Tenant, user: &str, project: &str, needs: &[P]) -> Answer {
    let needs: Permissions = needs.iter().copied().collect();
    Answer::of(&decide_push(&tenant.snapshot(), &by_basic(user), id(project), needs, Channel::Admin, NOW))
}

#[test]
fn a_push_needs_every_permission_of_its_difference() {
    let mut tenant = with_project();
    tenant.user("tom", UserKind::Native, &["developer"]);
    tenant.profile("tester", &[P::IntegrationsUpdate], Some(&["test"]));
    tenant.user("tess", UserKind::Native, &["tester"]);
    let refused = (E403, "push.no-permission permission=document-types.create");
    assert_eq!(push(&tenant, "dev", "orders", &[P::IntegrationsUpdate, P::DocumentTypesCreate]), refused);
    assert_eq!(push(&tenant, "dev", "orders", &[P::IntegrationsUpdate]), (ALLOW, "push.allowed"));
    assert_eq!(push(&tenant, "dev", "default", &[P::IntegrationsUpdate]), (E404, "project.no-profile"));
    assert_eq!(push(&tenant, "tess", "orders", &[P::IntegrationsUpdate]).0, E404, "valid elsewhere");
    assert_eq!(push(&tenant, "tom", "orders", &[P::IntegrationsDelete, P::DocumentTypesCreate]).0, ALLOW);
    assert_eq!(push(&tenant, "tom", "brand-new", &[P::IntegrationsCreate]).0, ALLOW, "by profile, a new one");
    assert_eq!(push(&tenant, "tom", "orders", &[]).0, E403, "nothing asked is nothing granted");
    assert_eq!(push(&tenant, "root", "orders", &[P::Deploy]).0, E403, "no object asks for `deploy`");
}

#[test]
fn the_difference_says_which_permissions() {
    let objects = |of: &[(&str, &str)]| -> BTreeMap<String, Digest> {
        of.iter().map(|(name, text)| ((*name).to_owned(), Digest::of(text.as_bytes()))).collect()
    };
    let head = objects(&[("integrations/a", "1"), ("document-types/t", "1"), ("reference-data/r", "1")]);
    let new = objects(&[("integrations/a", "2"), ("document-types/t", "1"), ("rest-apis/api", "1")]);
    let needs: Vec<P> = push_permissions(&head, &new).unwrap().iter().collect();
    assert_eq!(needs, [P::ReferenceDataDelete, P::IntegrationsUpdate, P::RestApisCreate]);
    let nothing: Vec<P> = push_permissions(&head, &head).unwrap().iter().collect();
    assert_eq!(nothing, [P::IntegrationsUpdate]);
    for unknown in ["secrets/x", "integrations", "apis-manage/x", "logs-view/x", "/x", ""] {
        assert!(push_permissions(&head, &objects(&[(unknown, "1")])).is_err(), "`{unknown}`");
    }
}

// --- console

#[test]
fn the_console_is_for_who_may_have_it() {
    let mut tenant = Tenant::story();
    tenant.user("sso", UserKind::Idp, &["user"]);
    tenant.user("robot", UserKind::Service, &["administrator"]);
    let ask = |user: &str, credential| {
        Answer::of(&decide_console(&tenant.snapshot(), &principal(user, credential), Channel::Admin, NOW))
    };
    let session = CredentialKind::Session;
    assert_eq!(ask("bob", session), (E403, "console.no-user-interface-access"));
    assert_eq!(ask("robot", session), (E403, "channel.service-account"));
    assert_eq!(ask("robot", CredentialKind::ApiKey), (E403, "channel.service-account"));
    assert_eq!(
        ask("root", CredentialKind::Basic),
        (E403, "console.no-user-interface-access"),
        "a console has a session"
    );
    assert_eq!(ask("nobody", session).0, E404);
    assert_eq!(ask("sso", session), (ALLOW, "console.allowed"));
    assert_eq!(ask("root", session), (ALLOW, "console.allowed"));
}

#[test]
fn a_service_account_never_holds_the_user_interface() {
    let mut tenant = Tenant::story();
    tenant.user("robot", UserKind::Service, &["administrator"]);
    let robot = principal("robot", CredentialKind::ApiKey);
    for scope in [Scope::Tenant, live()] {
        assert_eq!(ask(&tenant, &robot, P::UserInterfaceAccess, scope.clone()).0, E403);
        assert_eq!(ask(&tenant, &robot, P::LogsView, scope).0, ALLOW);
    }
}

#[test]
fn who_has_to_enrol_a_second_factor_does_nothing_else() {
    let mut tenant = with_project();
    tenant.user("svc", UserKind::Service, &["administrator"]);
    let who = principal("root", CredentialKind::Enrolment);
    for scope in [Scope::Tenant, live(), orders()] {
        for permission in P::ALL.iter().copied() {
            let answer = ask(&tenant, &who, permission, scope.clone());
            match (&scope, permission) {
                (Scope::Tenant, P::ManagePersonalSetup) => assert_eq!(answer.0, ALLOW),
                _ => assert_eq!(answer, (E403, "user.second-factor-needed"), "{permission} in {scope}"),
            }
        }
    }
    let console = decide_console(&tenant.snapshot(), &who, Channel::Admin, NOW);
    assert_eq!(Answer::of(&console), (E403, "user.second-factor-needed"));
    assert_eq!(tenant.execute(&who, target("live", "order"), Channel::Manual), (E403, "user.second-factor-needed"));
    // It opens nothing that a session would not: a service account has none.
    let robot = principal("svc", CredentialKind::Enrolment);
    let answer = ask(&tenant, &robot, P::ManagePersonalSetup, Scope::Tenant);
    assert_eq!(answer, (E403, "channel.service-account"));
}
