//! Deployments: what a permit writes, and what it does not.

use lockgate_model::{Digest, Kind, definition::Deployment, id::TenantId};
use lockgate_store::{Error, Store};
use serde_json::json;

use super::{Backend, fixture::*};

async fn active(store: &impl Store) -> Option<Deployment> {
    let (_, rows) = store.definitions(&tenant()).await.unwrap();
    let row = rows.iter().find(|d| d.kind == Kind::Deployment)?;
    assert_eq!(row.id, "live/shop");
    Some(row.read().unwrap())
}

pub async fn a_permit_activates_its_deployment_alone(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let expected = deployment(Digest::of(b"module"));
    assert_eq!(active(&store).await, Some(expected));
    // The decision is on record before the change it allowed.
    let log = whole_log(&store, &tenant()).await;
    assert_eq!(events(&log), ["update", "deploy", "deployment"]);
}

pub async fn a_permit_of_another_tenant_is_refused(at: impl Backend) {
    let store = at.open().await;
    let other = TenantId::parse("other").unwrap();
    seed(&store, &tenant()).await;
    seed(&store, &other).await;
    let module = store.blob_put(&other, b"module".to_vec()).await.unwrap();
    let permit = deploy_permit(&store, &other, module).await;
    let refused = store.activate(permit, change(&tenant(), Vec::new())).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    assert_eq!(active(&store).await, None);
}

pub async fn a_permit_writes_assignments_beside_it_and_nothing_else(at: impl Backend) {
    let store = at.open().await;
    seed(&store, &tenant()).await;
    let module = store.blob_put(&tenant(), b"module".to_vec()).await.unwrap();
    let acl = json!({"acl": "default"});
    let body = serde_json::to_value(deployment(module)).unwrap();
    for (kind, id, body) in [
        (Kind::Acl, "default", json!({"title": "x", "profiles": []})),
        (Kind::User, "bob", json!({"kind": "native"})),
        (Kind::Assignment, "test/integrations/order", acl.clone()),
        (Kind::Assignment, "livelier/integrations/order", acl.clone()),
        (Kind::Deployment, "live/other", body.clone()),
        // Its own row comes out of the permit, not out of the change.
        (Kind::Deployment, "live/shop", body),
    ] {
        let permit = deploy_permit(&store, &tenant(), module).await;
        let change = change(&tenant(), vec![put(kind, id, body)]);
        let refused = store.activate(permit, change).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{kind} {id}");
    }
    let permit = deploy_permit(&store, &tenant(), module).await;
    let mut delete = change(&tenant(), Vec::new());
    delete.deletes = vec![(Kind::User, "bob".to_owned())];
    let refused = store.activate(permit, delete).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    assert_eq!(active(&store).await, None);

    let permit = deploy_permit(&store, &tenant(), module).await;
    let row = put(Kind::Assignment, "live/rest-apis/orders", acl);
    store.activate(permit, change(&tenant(), vec![row])).await.unwrap();
    assert!(active(&store).await.is_some());
    let versions = store.history(&tenant(), Kind::Assignment, "live/rest-apis/orders").await.unwrap();
    assert_eq!(versions.len(), 1);
}

pub async fn a_deployment_of_modules_that_are_not_stored_is_refused(at: impl Backend) {
    let store = at.open().await;
    seed(&store, &tenant()).await;
    let permit = deploy_permit(&store, &tenant(), Digest::of(b"nowhere")).await;
    let refused = store.activate(permit, change(&tenant(), Vec::new())).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    assert_eq!(active(&store).await, None);
}

pub async fn of_two_permits_decided_on_the_same_the_second_is_a_conflict(at: impl Backend) {
    let store = at.open().await;
    seed(&store, &tenant()).await;
    let one = store.blob_put(&tenant(), b"one".to_vec()).await.unwrap();
    let two = store.blob_put(&tenant(), b"two".to_vec()).await.unwrap();
    let first = deploy_permit(&store, &tenant(), one).await;
    let second = deploy_permit(&store, &tenant(), two).await;
    store.activate(first, change(&tenant(), Vec::new())).await.unwrap();
    let late = store.activate(second, change(&tenant(), Vec::new())).await;
    assert!(matches!(late, Err(Error::Conflict { .. })));
    assert_eq!(active(&store).await, Some(deployment(one)));
}
