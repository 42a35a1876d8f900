//! What the operator may look at: refusals first.

use std::collections::BTreeSet;

use lockgate_access::{
    Scope, decide, decide_adopt, decide_console, decide_deploy, decide_execute, decide_push, decide_support,
    decide_undeploy, support_rights,
};
use lockgate_model::{
    Channel, Kind, Permission as P, Principal, Timestamp,
    definition::{SupportGrant, Tenant as TenantRow, User},
    permission::Permissions,
    principal::{CredentialKind, UserKind},
};

use crate::tenant::*;

const HOUR_MS: i64 = 3_600_000;

fn operator() -> Principal {
    principal("operator", CredentialKind::Support)
}

fn grant(environments: &[&str], by: &str, hours: i64) -> serde_json::Value {
    let environments: BTreeSet<_> = environments.iter().map(|name| id(name)).collect();
    let until = NOW.plus_ms(hours * HOUR_MS);
    let row = SupportGrant { title: String::new(), environments, given_by: id(by), from: NOW, until };
    serde_json::to_value(row).unwrap()
}

/// The story's tenant, with a grant of `root` for `live` and four hours.
fn tenant() -> Tenant {
    let mut tenant = Tenant::story();
    tenant.0.insert((Kind::SupportGrant, "g1".into()), grant(&["live"], "root", 4));
    tenant
}

fn ask(tenant: &Tenant, permission: P, environment: &str, now: Timestamp) -> Answer {
    Answer::of(&decide_support(&tenant.snapshot(), &operator(), permission, id(environment), now))
}

#[test]
fn only_metadata_only_there_and_only_until_then() {
    let tenant = tenant();
    for permission in P::ALL.iter().copied() {
        let answer = ask(&tenant, permission, "live", NOW);
        match permission {
            P::LogsView | P::SettingsView => assert_eq!(answer, (ALLOW, "support.allowed grant=g1"), "{permission}"),
            _ => assert_eq!(answer, (E403, format!("support.not-shown permission={permission}").as_str())),
        }
    }
    for elsewhere in ["development", "test", "moon"] {
        assert_eq!(ask(&tenant, P::LogsView, elsewhere, NOW), (E403, "support.no-grant"));
    }
    let at = |ms| ask(&tenant, P::LogsView, "live", NOW.plus_ms(ms));
    assert_eq!(at(-1), (E403, "support.ended grant=g1"), "it has not begun");
    assert_eq!(at(4 * HOUR_MS - 1).0, ALLOW);
    assert_eq!(at(4 * HOUR_MS), (E403, "support.ended grant=g1"));
    // A row that says more than there may be is held to what there may be.
    let mut long = Tenant::story();
    long.0.insert((Kind::SupportGrant, "g1".into()), grant(&["live"], "root", 10_000));
    assert_eq!(ask(&long, P::LogsView, "live", NOW.plus_ms(72 * HOUR_MS - 1)).0, ALLOW);
    assert_eq!(ask(&long, P::LogsView, "live", NOW.plus_ms(72 * HOUR_MS)).0, E403);
}

#[test]
fn it_stands_on_the_right_of_who_gave_it() {
    let mut fallen = tenant();
    fallen.edit(Kind::User, "root", |user: &mut User| user.enabled = false);
    assert_eq!(ask(&fallen, P::LogsView, "live", NOW), (E403, "support.right-fallen grant=g1 by=root"));
    for (permissions, places) in [
        (vec![P::UserManagement], None),
        (vec![P::AccessControl], None),
        (vec![P::UserManagement, P::AccessControl], Some(["development", "test", "prelive", "live"].as_slice())),
    ] {
        let mut less = Tenant::story();
        less.profile("less", &permissions, places);
        less.user("uma", UserKind::Native, &["less"]);
        less.0.insert((Kind::SupportGrant, "g1".into()), grant(&["live"], "uma", 4));
        assert_eq!(ask(&less, P::LogsView, "live", NOW), (E403, "support.right-fallen grant=g1 by=uma"));
        // One that stands is enough beside one that does not.
        less.0.insert((Kind::SupportGrant, "g2".into()), grant(&["live"], "root", 4));
        assert_eq!(ask(&less, P::LogsView, "live", NOW), (ALLOW, "support.allowed grant=g2"));
    }
    let mut suspended = tenant();
    suspended.edit(Kind::Tenant, "tenant", |row: &mut TenantRow| row.suspended = true);
    assert_eq!(ask(&suspended, P::LogsView, "live", NOW), (E403, "tenant.suspended"));
}

#[test]
fn nobody_else_is_let_in_by_it_and_it_lets_into_nothing_else() {
    let mut tenant = tenant();
    // Not even where a user has its name.
    tenant.user("operator", UserKind::Native, &["administrator"]);
    let snapshot = tenant.snapshot();
    for user in ["operator", "root", "bob"] {
        for credential in [CredentialKind::Basic, CredentialKind::Session, CredentialKind::RunAs] {
            let who = principal(user, credential);
            let answer = Answer::of(&decide_support(&snapshot, &who, P::LogsView, id("live"), NOW));
            assert_eq!(answer, (E403, "support.no-grant"));
        }
    }
    let mut stranger = operator();
    stranger.tenant = id("other");
    let answer = Answer::of(&decide_support(&snapshot, &stranger, P::LogsView, id("live"), NOW));
    assert_eq!(answer, (E404, "tenant.other"));

    let (who, admin) = (operator(), Channel::Admin);
    for scope in [Scope::Tenant, Scope::Environment(id("live")), Scope::Project(id("default"))] {
        for permission in P::ALL.iter().copied() {
            let answer = Answer::of(&decide(&snapshot, &who, permission, scope.clone(), admin, NOW));
            assert_eq!(answer, (E404, "support.elsewhere"), "{permission} in {scope}");
        }
    }
    let needs: Permissions = [P::IntegrationsUpdate].into_iter().collect();
    for decision in [
        decide_execute(&snapshot, &who, target("live", "order"), Channel::Manual, NOW),
        decide_deploy(&snapshot, &who, id("live"), id("default"), admin, NOW),
        decide_adopt(&snapshot, &who, id("live"), id("default"), admin, NOW),
        decide_undeploy(&snapshot, &who, id("live"), id("default"), admin, NOW),
        decide_push(&snapshot, &who, id("default"), needs, admin, NOW),
        decide_console(&snapshot, &who, admin, NOW),
    ] {
        assert_eq!(Answer::of(&decision), (E404, "support.elsewhere"));
    }
}

#[test]
fn the_matrix_shows_what_is_let() {
    let tenant = tenant();
    let shown = support_rights(&tenant.snapshot(), &operator(), NOW);
    let shown: Vec<_> = shown.iter().map(|of| (of.grant.as_str(), of.environment.as_str(), of.right)).collect();
    assert_eq!(shown, [("g1", "live", P::LogsView), ("g1", "live", P::SettingsView)]);
    assert!(support_rights(&tenant.snapshot(), &operator(), NOW.plus_ms(4 * HOUR_MS)).is_empty());
    assert!(support_rights(&tenant.snapshot(), &by_basic("root"), NOW).is_empty());
}
