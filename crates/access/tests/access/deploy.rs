//! The deploy formula, clause by clause.

use std::collections::BTreeMap;

use lockgate_access::{Bound, Decision, Scope, Stage, decide, decide_adopt, decide_deploy, decide_undeploy};
use lockgate_model::{
    Channel, Kind, Permission, Principal,
    definition::{AccountBinding, Deployment, Environment, ServerIdentity, User},
    id::AccountName,
    manifest::{AccountRef, Authority},
    principal::{CredentialKind, UserKind},
};

use crate::tenant::*;

fn ask(tenant: &Tenant, user: &str, environment: &str) -> Decision {
    let (environment, project) = (id(environment), id("default"));
    decide_deploy(&tenant.snapshot(), &by_basic(user), environment, project, Channel::Admin, NOW)
}
fn answer(tenant: &Tenant, user: &str, environment: &str) -> Answer {
    Answer::of(&ask(tenant, user, environment))
}
/// Deployed by `pat`: `order` calls `erp`.
fn version() -> Deployment {
    let mut deployment = deployment("default", "pat", &["order"]);
    for module in deployment.orchestrations.values_mut() {
        module.manifest.operations.push(Authority {
            scheme: None,
            connector: "https".to_owned(),
            operation: "post".to_owned(),
            version: "1".to_owned(),
            account: AccountRef::Declared(id("erp")),
            detail: vec![],
            parse: None,
            streams: false,
            takes: None,
        });
    }
    deployment
}
fn erp() -> Bound {
    let binding = AccountBinding {
        connector: "https".to_owned(),
        address: "https://erp.example".to_owned(),
        identity: ServerIdentity::System,
        settings: BTreeMap::new(),
        secrets: vec![],
    };
    [(id("erp"), &binding)].into_iter().collect()
}
fn covered(tenant: &Tenant, deployment: Deployment, bound: &Bound, stage: &Stage) -> Answer {
    Answer::of(&ask(tenant, "pat", "live").covered(deployment, bound, stage))
}

#[test]
fn who_may_not_deploy() {
    let mut tenant = Tenant::story();
    tenant.profile("stager", &[Permission::Deploy], Some(&["test"]));
    tenant.user("tess", UserKind::Native, &["stager", "caller"]);
    tenant.user("idp", UserKind::Idp, &["devops"]);
    tenant.user("off", UserKind::Native, &["devops"]);
    tenant.edit(Kind::User, "off", |u: &mut User| u.enabled = false);
    for (user, environment, expected) in [
        ("nobody", "live", (E404, "user.unknown")),
        ("pat", "moon", (E404, "environment.unknown")),
        ("bob", "test", (E404, "environment.no-profile")),
        ("bob", "live", (E403, "deploy.no-permission environment=live")),
        ("tess", "live", (E403, "deploy.no-permission environment=live")),
        ("off", "live", (E403, "user.disabled")),
        ("idp", "live", (E403, "channel.idp-user")),
    ] {
        assert_eq!(answer(&tenant, user, environment), expected, "{user} in {environment}");
    }
    for (user, profile) in [("pat", "devops"), ("root", "administrator")] {
        assert_eq!(answer(&tenant, user, "live"), (ALLOW, format!("deploy.allowed profile={profile}").as_str()));
    }
    assert_eq!(answer(&tenant, "tess", "test").0, ALLOW);
}

#[test]
fn a_no_is_not_turned_by_cover() {
    let decision = ask(&Tenant::story(), "bob", "live").covered(version(), &erp(), &Stage::default());
    assert_eq!(Answer::of(&decision), (E403, "deploy.no-permission environment=live"));
    assert!(decision.deployment().is_none());
}

#[test]
fn what_is_not_covered_is_not_deployed() {
    let tenant = Tenant::story();
    let unbound = covered(&tenant, version(), &Bound::default(), &Stage::default());
    assert_eq!(unbound, (E403, "deploy.account-unbound account=erp"));
}

#[test]
fn another_version_than_the_one_asked_for_is_refused() {
    let tenant = Tenant::story();
    let other = |edit: fn(&mut Deployment)| {
        let mut deployment = version();
        edit(&mut deployment);
        covered(&tenant, deployment, &erp(), &Stage::default())
    };
    assert_eq!(other(|d| d.project = id("others")), (E403, "deploy.other-version project=others"));
    assert_eq!(other(|d| d.publisher = id("root")), (E403, "deploy.other-version project=default"));
    assert_eq!(other(|d| d.adopted_by = Some(id("root"))), (E403, "deploy.other-version project=default"));
}

#[test]
fn running_as_somebody_else_needs_access_control() {
    let tenant = Tenant::story();
    let version =
        |publisher: &str, run_as: &str| Deployment { publisher: id(publisher), run_as: Some(id(run_as)), ..version() };
    let alone = |user: &str, run_as: &str| {
        Answer::of(&ask(&tenant, user, "live").covered(version(user, run_as), &erp(), &Stage::default()))
    };
    let both = |user: &str, run_as: &str| {
        let control = Permission::AccessControl;
        let asked = decide(&tenant.snapshot(), &by_basic(user), control, Scope::Tenant, Channel::Admin, NOW)
            .and_also(ask(&tenant, user, "live"));
        Answer::of(&asked.covered(version(user, run_as), &erp(), &Stage::default()))
    };
    assert_eq!(alone("pat", "pat").0, ALLOW);
    assert_eq!(alone("pat", "root"), (E403, "deploy.run-as user=root"));
    assert_eq!(alone("root", "pat"), (E403, "deploy.run-as user=pat"), "it was not asked");
    assert_eq!(both("pat", "root"), (E403, "administer.no-permission permission=access-control"));
    assert_eq!(both("root", "pat").0, ALLOW);
}

#[test]
fn the_accounts_written_are_those_that_cover() {
    let mut deployment = version();
    // Whatever the caller filled in does not count.
    deployment.orchestrations.values_mut().for_each(|m| m.accounts = ids::<AccountName>(&["elsewhere", "more"]));
    let decision = ask(&Tenant::story(), "pat", "live").covered(deployment, &erp(), &Stage::default());
    assert_eq!(Answer::of(&decision), (ALLOW, "deploy.allowed profile=devops"));
    let written = &decision.deployment().unwrap().orchestrations["order"];
    assert_eq!(written.accounts, ids::<AccountName>(&["erp"]));
}

#[test]
fn the_stage_rule_asks_for_a_green_run_of_the_same_bytes() {
    let mut tenant = Tenant::story();
    let ask = |tenant: &Tenant, green: &[&str]| {
        let stage = Stage { green: green.iter().map(|name| module_of(name)).collect() };
        covered(tenant, version(), &erp(), &stage)
    };
    assert_eq!(ask(&tenant, &[]).0, ALLOW, "no rule, no question");
    tenant.edit(Kind::Environment, "live", |e: &mut Environment| e.needs_green_run = true);
    let no = (E403, "deploy.no-green-run orchestration=order environment=prelive");
    assert_eq!(ask(&tenant, &[]), no);
    assert_eq!(ask(&tenant, &["other bytes"]), no);
    assert_eq!(ask(&tenant, &["order", "other bytes"]).0, ALLOW);
}

#[test]
fn a_rule_that_nothing_can_meet_lets_nothing_in() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::Environment, "development", |e: &mut Environment| e.needs_green_run = true);
    let stage = Stage { green: [module_of("order")].into_iter().collect() };
    let decision = ask(&tenant, "pat", "development").covered(version(), &erp(), &stage);
    assert_eq!(Answer::of(&decision), (E403, "deploy.no-green-run environment=-"));
}

#[test]
fn adopting_needs_deploy_and_changes_nothing_but_the_adopter() {
    let tenant = Tenant::story();
    let ask = |user: &str, environment: &str| {
        let (environment, project) = (id(environment), id("default"));
        decide_adopt(&tenant.snapshot(), &by_session(user), environment, project, Channel::Admin, NOW)
    };
    assert_eq!(Answer::of(&ask("bob", "live")), (E403, "deploy.no-permission environment=live"));
    assert_eq!(Answer::of(&ask("root", "test")), (E409, "deploy.not-deployed"));
    let decision = ask("root", "live");
    assert_eq!(decision.verdict(), ALLOW);
    assert_eq!(decision.entries(None)[0].event, "adopt");
    let before = deployment("default", "pat", &["order"]);
    assert_eq!(*decision.deployment().unwrap(), Deployment { adopted_by: Some(id("root")), ..before });
    let changed = decision.covered(version(), &erp(), &Stage::default());
    assert_eq!(Answer::of(&changed), (E403, "permit.wrong-act"), "an adoption brings no other version in");
}

#[test]
fn adopting_lets_nothing_run_as_somebody_else_again() {
    let mut tenant = Tenant::story();
    tenant.edit(Kind::Deployment, "live/default", |d: &mut Deployment| d.run_as = Some(id("root")));
    let run_as = |principal: &Principal| {
        let (environment, project) = (id("live"), id("default"));
        let decision = decide_adopt(&tenant.snapshot(), principal, environment, project, Channel::Admin, NOW);
        decision.deployment().unwrap().run_as.clone()
    };
    assert_eq!(run_as(&by_session("pat")), None, "deploy alone");
    assert_eq!(run_as(&by_session("root")), Some(id("root")));
    let narrowed = Principal { only_environment: Some(id("live")), ..by_session("root") };
    assert_eq!(run_as(&narrowed), None, "a key that is for less");
}

#[test]
fn ending_a_deployment_needs_deploy() {
    let tenant = Tenant::story();
    let ask = |user: &str, environment: &str| {
        let (environment, project) = (id(environment), id("default"));
        let principal = principal(user, CredentialKind::Session);
        decide_undeploy(&tenant.snapshot(), &principal, environment, project, Channel::Admin, NOW)
    };
    assert_eq!(Answer::of(&ask("bob", "live")).0, E403);
    assert_eq!(Answer::of(&ask("pat", "test")).0, E409);
    let decision = ask("pat", "live");
    assert_eq!((decision.verdict(), decision.entries(None)[0].event.as_str()), (ALLOW, "undeploy"));
}
