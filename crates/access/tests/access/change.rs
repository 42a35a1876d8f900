//! What saving refuses.

use lockgate_access::{Row, TenantSnapshot, shipped_profiles, tenant_seed, validate_change};
use lockgate_model::{
    Kind,
    definition::{Deployment, Profile, Revision, User},
    principal::UserKind,
};
use serde_json::{Value, json};

use crate::tenant::*;

fn check(
    tenant: &Tenant,
    puts: &[(Kind, &str, Value)],
    deletes: &[(Kind, &str)],
) -> Result<(), (&'static str, String)> {
    let puts: Vec<Row> = puts.iter().map(|(kind, id, body)| (*kind, (*id).to_owned(), body.clone())).collect();
    let deletes: Vec<_> = deletes.iter().map(|(kind, id)| (*kind, (*id).to_owned())).collect();
    validate_change(&tenant.snapshot(), &puts, &deletes).map_err(|r| (r.code, r.message))
}
fn code(tenant: &Tenant, puts: &[(Kind, &str, Value)], deletes: &[(Kind, &str)]) -> &'static str {
    check(tenant, puts, deletes).unwrap_err().0
}
fn story() -> Tenant {
    let mut tenant = Tenant::story();
    tenant.group("staff", &["caller"]);
    tenant.edit(Kind::User, "bob", |u: &mut User| u.groups = ids(&["staff"]));
    tenant
}

#[test]
fn a_profile_without_environment() {
    let body = json!({"title": "", "permissions": [], "valid_in": {"environments": []}});
    let (code, message) = check(&story(), &[(Kind::Profile, "p", body)], &[]).unwrap_err();
    assert_eq!(code, "profile-without-environment");
    assert_eq!(message, "profile `p` is valid in no environment: name at least one, or all");
}

#[test]
fn an_acl_in_use() {
    let (code, message) = check(&story(), &[], &[(Kind::Acl, "callers")]).unwrap_err();
    assert_eq!(code, "acl-in-use");
    assert!(message.contains("in use by assignment `live/integrations/order`"), "{message}");
    let together = [(Kind::Acl, "callers"), (Kind::Assignment, "live/integrations/order")];
    assert_eq!(check(&story(), &[], &together), Ok(()), "an object and what names it go together");
}

#[test]
fn what_others_name() {
    for delete in
        [(Kind::Profile, "caller"), (Kind::Group, "staff"), (Kind::Environment, "live"), (Kind::Project, "default")]
    {
        assert_eq!(code(&story(), &[], &[delete]), "in-use", "{delete:?}");
    }
    let mut with_key = story();
    with_key.put(Kind::ApiKey, "k", &json!({"user": "bob"}));
    assert_eq!(code(&with_key, &[], &[(Kind::User, "bob")]), "in-use", "a new `bob` must not inherit the key");
    assert_eq!(check(&with_key, &[], &[(Kind::User, "bob"), (Kind::ApiKey, "k")]), Ok(()));
}

/// A later user of the same id would have the right that something is active by.
#[test]
fn a_user_whom_a_deployment_names() {
    let tenant = |edit: fn(&mut Deployment)| {
        let mut tenant = story();
        for user in ["eve", "zoe"] {
            tenant.user(user, UserKind::Native, &[]);
        }
        tenant.put(Kind::Project, "second", &json!({"title": "Second"}));
        tenant.deploy("live", "second", "zoe", &["other"]);
        tenant.edit(Kind::Deployment, "live/second", edit);
        tenant
    };
    let eve = (Kind::User, "eve");
    let as_publisher = |d: &mut Deployment| d.publisher = id("eve");
    let as_adopter = |d: &mut Deployment| d.adopted_by = Some(id("eve"));
    let as_run_as = |d: &mut Deployment| d.run_as = Some(id("eve"));
    for named in [as_publisher as fn(&mut Deployment), as_adopter, as_run_as] {
        let (code, message) = check(&tenant(named), &[], &[eve]).unwrap_err();
        assert_eq!(code, "in-use");
        assert!(message.starts_with("user `eve` is in use by deployment `live/second`: "), "{message}");
        // Gone and come back in one change is somebody else, too.
        let again = (Kind::User, "eve", json!({"kind": "native"}));
        assert_eq!(self::code(&tenant(named), &[again], &[eve]), "in-use");
        let ended = [eve, (Kind::Deployment, "live/second")];
        assert_eq!(check(&tenant(named), &[], &ended), Ok(()));
    }
    assert_eq!(check(&tenant(|_| {}), &[], &[eve]), Ok(()));
    // Adopted, it still stands on who published it.
    assert_eq!(code(&tenant(as_adopter), &[], &[(Kind::User, "zoe")]), "in-use");
}

#[test]
fn what_does_not_exist() {
    let user = |body: Value| (Kind::User, "eve", body);
    let body = json!({"kind": "native", "profiles": ["no-such"]});
    let (code_, message) = check(&story(), &[user(body)], &[]).unwrap_err();
    assert_eq!(code_, "dangling-reference");
    assert_eq!(message, "user `eve` names the profile `no-such`, which does not exist: create it first");
    assert_eq!(code(&story(), &[user(json!({"kind": "native", "groups": ["no-such"]}))], &[]), "dangling-reference");
}

#[test]
fn what_cannot_be_read() {
    let body = json!({"kind": "native", "enabled": "yes"});
    assert_eq!(code(&story(), &[(Kind::User, "eve", body)], &[]), "unreadable");
    assert_eq!(code(&story(), &[(Kind::User, "Eve!", json!({"kind": "native"}))], &[]), "unreadable");
    assert_eq!(code(&story(), &[], &[(Kind::Assignment, "order")]), "unreadable");
}

#[test]
fn shipped_profiles_stay() {
    let (id, shipped) = shipped_profiles().into_iter().find(|(id, _)| id.as_str() == "user").unwrap();
    let same = serde_json::to_value(&shipped).unwrap();
    let more = serde_json::to_value(Profile { title: "Better".to_owned(), ..shipped }).unwrap();
    assert_eq!(code(&story(), &[(Kind::Profile, id.as_str(), more)], &[]), "shipped-profile");
    assert_eq!(code(&story(), &[(Kind::Profile, id.as_str(), json!({}))], &[]), "shipped-profile");
    assert_eq!(code(&story(), &[], &[(Kind::Profile, "monitor")]), "shipped-profile");
    assert_eq!(check(&story(), &[(Kind::Profile, id.as_str(), same)], &[]), Ok(()));
}

#[test]
fn the_default_list_and_the_tenants_row() {
    assert_eq!(code(&story(), &[], &[(Kind::Acl, "default")]), "default-acl");
    assert_eq!(code(&story(), &[], &[(Kind::Tenant, "tenant")]), "tenant-row");
    let empty = json!({"title": "Default", "profiles": []});
    assert_eq!(check(&story(), &[(Kind::Acl, "default", empty)], &[]), Ok(()));
}

#[test]
fn two_environments_in_one_place() {
    let body = json!({"title": "", "order": 3});
    assert_eq!(code(&story(), &[(Kind::Environment, "hotfix", body)], &[]), "promotion-order");
    let body = json!({"title": "", "order": 4});
    assert_eq!(check(&story(), &[(Kind::Environment, "hotfix", body)], &[]), Ok(()));
}

#[test]
fn the_last_administrator() {
    let disabled = json!({"kind": "native", "enabled": false, "profiles": ["administrator"]});
    let plain = json!({"kind": "native", "profiles": ["user"]});
    for body in [disabled.clone(), plain] {
        assert_eq!(code(&story(), &[(Kind::User, "root", body)], &[]), "last-administrator");
    }
    assert_eq!(code(&story(), &[], &[(Kind::User, "root")]), "last-administrator");
    let mut two = story();
    two.user("spare", UserKind::Native, &["admin"]);
    assert_eq!(check(&two, &[(Kind::User, "root", disabled)], &[]), Ok(()));
}

#[test]
fn the_tenant_after_a_change_is_what_would_be_built() {
    let tenant = story();
    let (kind, id_, body) = (Kind::Acl, "callers".to_owned(), json!({"title": "", "profiles": []}));
    let after = tenant.snapshot().after(&[(kind, id_.clone(), body.clone())], &[]).unwrap();
    assert_eq!(after.revision(), Revision(8));
    let decide = |snapshot: &TenantSnapshot| {
        let channel = lockgate_model::Channel::Rest;
        Answer::of(&lockgate_access::decide_execute(snapshot, &by_basic("bob"), target("live", "order"), channel, NOW))
    };
    assert_eq!(decide(&after), (E403, "execute.not-on-acl acl=callers"));
    assert_eq!(decide(&tenant.snapshot()).0, ALLOW, "the tenant itself is untouched");
}

#[test]
fn the_seed_is_a_tenant() {
    let rows = tenant_seed("Acme", &id("root"));
    let mut kinds: Vec<&str> = rows.iter().map(|(kind, ..)| kind.as_str()).collect();
    kinds.dedup();
    assert_eq!(kinds, ["tenant", "environment", "profile", "acl", "user", "project"]);
    let acl = rows.iter().find(|(kind, ..)| *kind == Kind::Acl).unwrap();
    assert_eq!(acl.2, json!({"title": "Default", "profiles": ["admin", "administrator"]}));
    assert!(Tenant::seeded().build().is_ok());
}
