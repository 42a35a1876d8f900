//! What makes no snapshot: any doubt about the rows. Without one, everything is denied.

use lockgate_access::TenantSnapshot;
use lockgate_model::{
    Kind, TargetKind,
    definition::{Deployment, Environment, Profile, Revision, User, ValidIn},
    principal::UserKind,
};
use serde_json::json;

use crate::tenant::*;

fn refused(bend: impl FnOnce(&mut Tenant)) -> String {
    let mut tenant = Tenant::story();
    bend(&mut tenant);
    tenant.build().unwrap_err().to_string()
}

#[test]
fn rows_that_cannot_be_read() {
    for (kind, id, body) in [
        (Kind::User, "eve", json!({"kind": "root"})),
        (Kind::User, "eve", json!({"kind": "native", "admin": true})),
        (Kind::User, "Eve", json!({"kind": "native"})),
        (Kind::Profile, "p", json!({"title": "", "permissions": ["everything"], "valid_in": "all"})),
        (Kind::Profile, "p", json!({"title": "", "permissions": []})),
        (Kind::Acl, "a", json!([])),
        (Kind::Environment, "moon", json!(null)),
        (Kind::Assignment, "live/order", json!({"acl": "default"})),
        (Kind::Assignment, "live/flows/order", json!({"acl": "default"})),
        (Kind::Assignment, "order", json!({"acl": "default"})),
        (Kind::ProjectVersion, "default/first", json!({})),
        (Kind::Deployment, "live/other", json!({})),
        (Kind::Tenant, "other", json!({"title": ""})),
        (Kind::Account, "live", json!({})),
    ] {
        let error = refused(|t| t.put(kind, id, &body));
        assert!(error.contains(&format!("{kind}/{id}")), "{error}");
    }
}

#[test]
fn references_that_lead_nowhere() {
    type Bend = fn(&mut Tenant);
    let cases: [(&str, Bend); 15] = [
        ("profile", |t| t.user("eve", UserKind::Native, &["no-such"])),
        ("group", |t| {
            t.user("eve", UserKind::Native, &[]);
            t.edit(Kind::User, "eve", |u: &mut User| u.groups = ids(&["no-such"]));
        }),
        ("profile", |t| t.group("staff", &["no-such"])),
        ("environment", |t| t.profile("p", &[], Some(&["live", "no-such"]))),
        ("profile", |t| t.put(Kind::Acl, "a", &json!({"title": "", "profiles": ["no-such"]}))),
        ("acl", |t| t.assign("live/integrations/order", "no-such")),
        ("environment", |t| t.assign("no-such/integrations/order", "default")),
        ("environment", |t| t.deploy("no-such", "default", "pat", &[])),
        ("project", |t| t.deploy("live", "no-such", "pat", &[])),
        ("project", |t| t.put(Kind::ProjectPermission, "no-such/p", &json!({"permissions": []}))),
        ("user", |t| t.put(Kind::ProjectPermission, "default/p", &json!({"permissions": [], "users": ["no-such"]}))),
        ("group", |t| t.put(Kind::ProjectPermission, "default/p", &json!({"permissions": [], "groups": ["no-such"]}))),
        ("user", |t| t.put(Kind::Credential, "no-such", &json!({}))),
        ("user", |t| t.put(Kind::ApiKey, "k", &json!({"user": "no-such"}))),
        ("environment", |t| t.put(Kind::Secret, "no-such/erp/password", &json!({}))),
    ];
    for (names, bend) in cases {
        let error = refused(bend);
        assert!(error.contains(&format!("names the {names} `no-such`, which does not exist")), "{error}");
    }
}

#[test]
fn what_leaves_a_guess() {
    let nowhere =
        |t: &mut Tenant| t.edit(Kind::Profile, "caller", |p: &mut Profile| p.valid_in = ValidIn::Environments(vec![]));
    assert!(refused(nowhere).contains("valid in no environment"));
    let second = |t: &mut Tenant| t.edit(Kind::Environment, "test", |e: &mut Environment| e.order = 0);
    assert!(refused(second).contains("the same place in the promotion order"));
    assert!(refused(|t| t.remove(Kind::Tenant, "tenant")).contains("it is missing"));
    let twice = |t: &mut Tenant| {
        t.put(Kind::Project, "copy", &json!({"title": ""}));
        t.deploy("live", "copy", "pat", &["order"]);
    };
    assert!(refused(twice).contains("deployed twice"));
    assert!(refused(|t| t.api("order", TargetKind::RestApis, "order")).contains("deployed twice"));
    assert!(refused(|t| t.api("orders", TargetKind::RestApis, "no-such")).contains("which it does not hold"));
    assert!(refused(|t| t.api("orders", TargetKind::Integrations, "order")).contains("neither REST nor SOAP"));
    let wide = json!({"permissions": ["deploy"]});
    assert!(refused(|t| t.put(Kind::ProjectPermission, "default/p", &wide)).contains("no permission on a project"));
    let moved = |t: &mut Tenant| t.edit(Kind::Deployment, "live/default", |d: &mut Deployment| d.project = id("other"));
    assert!(refused(moved).contains("another project"));
}

#[test]
fn a_row_twice_or_of_another_tenant() {
    let mut rows = Tenant::story().definitions();
    rows.push(rows[0].clone());
    let error = TenantSnapshot::build(tenant(), Revision(1), &rows).unwrap_err();
    assert!(error.to_string().contains("there twice"), "{error}");
    let mut rows = Tenant::story().definitions();
    rows[0].tenant = id("evil");
    let error = TenantSnapshot::build(tenant(), Revision(1), &rows).unwrap_err();
    assert!(error.to_string().contains("another tenant"), "{error}");
    assert!(TenantSnapshot::build(tenant(), Revision(0), &[]).is_err(), "no rows are no tenant");
}

#[test]
fn it_tells_what_it_holds() {
    let snapshot = Tenant::story().snapshot();
    assert_eq!(snapshot.environments(), ["development", "test", "prelive", "live"].map(id).iter().collect::<Vec<_>>());
    assert_eq!(snapshot.environment_before(&id("live")).unwrap().as_str(), "prelive");
    assert_eq!(snapshot.environment_before(&id("development")), None);
    assert_eq!(snapshot.development().unwrap().as_str(), "development");
    assert_eq!(snapshot.users().count(), 3);
    assert_eq!(snapshot.deployments(&id("live")).count(), 1);
    let acl = snapshot.acl_of(&id("live"), TargetKind::Integrations, &id("order"));
    assert_eq!(acl.unwrap().as_str(), "callers");
    assert!(!snapshot.is_suspended());
    assert_eq!((snapshot.tenant(), snapshot.revision()), (&tenant(), Revision(7)));
}
