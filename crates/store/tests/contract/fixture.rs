//! A tenant with an orchestration behind an API, its administrator and one who may nothing.

use std::collections::BTreeMap;

use lockgate_access::{
    Bound, Decision, DeployPermit, Stage, TenantSnapshot, decide_deploy, decide_execute, tenant_seed,
};
use lockgate_model::{
    Channel, Digest, Kind, Manifest, Principal, RunId, RunRecord, Target, TargetKind,
    audit::{Entry, Link, Outcome},
    definition::{DeployedModule, Deployment},
    id::{EnvironmentId, ProjectId, TargetName, TenantId, UserId, WriterId},
    principal::CredentialKind,
};
use lockgate_store::{Change, Put, Store};
use serde_json::json;

use super::NOW;

pub fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

pub fn live() -> EnvironmentId {
    EnvironmentId::parse("live").unwrap()
}

pub fn shop() -> ProjectId {
    ProjectId::parse("shop").unwrap()
}

pub fn order() -> TargetName {
    TargetName::parse("order").unwrap()
}

pub fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

pub fn entry(event: &str) -> Entry {
    Entry::new(NOW, event, Outcome::Done, "ada")
}

pub fn put(kind: Kind, id: &str, body: serde_json::Value) -> Put {
    Put { kind, id: id.to_owned(), body }
}

/// A change of rows without condition.
pub fn change(tenant: &TenantId, puts: Vec<Put>) -> Change {
    Change { tenant: tenant.clone(), entry: entry("update"), expected: None, puts, deletes: Vec::new() }
}

/// A group, as a row that means nothing in particular.
pub fn group(id: &str, title: &str) -> Put {
    put(Kind::Group, id, json!({"title": title, "profiles": []}))
}

/// The first rows of a tenant: those of `access`, a user without profiles, and the ACL of `order`.
pub async fn seed(store: &impl Store, tenant: &TenantId) {
    let mut puts: Vec<Put> =
        tenant_seed("Acme", &user("ada")).into_iter().map(|(kind, id, body)| Put { kind, id, body }).collect();
    puts.push(put(Kind::User, "bob", json!({"kind": "native"})));
    puts.push(put(Kind::Project, "shop", json!({"title": "Shop"})));
    puts.push(put(Kind::Assignment, "live/integrations/order", json!({"acl": "default"})));
    store.commit(change(tenant, puts)).await.unwrap();
}

pub async fn snapshot(store: &impl Store, tenant: &TenantId) -> TenantSnapshot {
    let (revision, rows) = store.definitions(tenant).await.unwrap();
    TenantSnapshot::build(tenant.clone(), revision, &rows).unwrap()
}

pub fn principal(tenant: &TenantId, id: &str) -> Principal {
    Principal {
        tenant: tenant.clone(),
        user: user(id),
        credential: CredentialKind::Basic,
        only_environment: None,
        only_targets: Vec::new(),
    }
}

/// Version 1 of the shop with one orchestration, `order`, in the given module.
pub fn deployment(module: Digest) -> Deployment {
    let order = (self::order(), DeployedModule { module, manifest: Manifest::default(), accounts: Vec::new() });
    Deployment {
        project: shop(),
        version: 1,
        source: Digest::of(b"sources"),
        publisher: user("ada"),
        adopted_by: None,
        run_as: None,
        deployed_at: NOW,
        restores: None,
        apis: BTreeMap::new(),
        orchestrations: BTreeMap::from([order]),
    }
}

/// Ada's permit to deploy a module as `order`.
pub async fn deploy_permit(store: &impl Store, tenant: &TenantId, module: Digest) -> DeployPermit {
    let snapshot = snapshot(store, tenant).await;
    let ada = principal(tenant, "ada");
    let decision = decide_deploy(&snapshot, &ada, live(), shop(), Channel::Admin, NOW).covered(
        deployment(module),
        &Bound::default(),
        &Stage::default(),
    );
    let receipt = store.record(&decision).await.unwrap();
    decision.deploy_permit(receipt).unwrap()
}

/// A seeded tenant with `order` deployed in live.
pub async fn deployed(store: &impl Store, tenant: &TenantId) {
    seed(store, tenant).await;
    let module = store.blob_put(tenant, b"module".to_vec()).await.unwrap();
    let permit = deploy_permit(store, tenant, module).await;
    let mut change = change(tenant, Vec::new());
    change.entry = entry("deployment");
    store.activate(permit, change).await.unwrap();
}

pub fn order_in_live() -> Target {
    Target { environment: live(), kind: TargetKind::Integrations, name: order() }
}

/// Somebody asks to run `order` by REST.
pub async fn asks(store: &impl Store, tenant: &TenantId, who: &str) -> Decision {
    let snapshot = snapshot(store, tenant).await;
    let principal = principal(tenant, who);
    decide_execute(&snapshot, &principal, order_in_live(), Channel::Rest, NOW)
}

/// Opens a run of `order` for Ada and waits until it is durable.
pub async fn opened(store: &impl Store, tenant: &TenantId) -> RunRecord {
    let decision = asks(store, tenant, "ada").await;
    let run = decision.record(RunId::new()).unwrap();
    let receipt = store.open_run(&decision, run.clone()).await.unwrap();
    receipt.durable().await.unwrap();
    run
}

/// The whole log of a tenant, page by page.
pub async fn whole_log(store: &impl Store, tenant: &TenantId) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    loop {
        let after: Option<(WriterId, u64)> = links.last().map(|l| (l.writer.clone(), l.seq));
        let page = store.audit(tenant, after, 1_000).await.unwrap();
        if page.is_empty() {
            return links;
        }
        links.extend(page);
    }
}

pub fn events(links: &[Link]) -> Vec<&str> {
    links.iter().map(|l| l.entry.event.as_str()).collect()
}
