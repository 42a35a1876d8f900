//! What the store fails to do once is done later, and nobody has to restart anything.

use std::sync::atomic::Ordering;

use lockgate_model::Kind;
use lockgate_runtime::{Error, NotReady};
use serde_json::json;

use crate::house::{House, within};

/// As a full table of descriptors does it: the change is durable, and reading it back fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_could_not_be_read_is_denied_until_it_can() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    assert_eq!(house.runtime.not_ready().await, None);
    house.faults.definitions.store(u32::MAX, Ordering::SeqCst);
    let body = json!({"title": "Everybody", "profiles": []});
    let changed = house.runtime.put_definition(&house.ada, Kind::Group, "all", body).await;
    assert!(matches!(changed, Err(Error::Unavailable { .. })), "{changed:?}");
    let denied = house.runtime.definitions(&house.ada, Kind::Group, "").await;
    assert!(matches!(denied, Err(Error::NotFound { .. })), "{denied:?}");
    assert_eq!(house.runtime.not_ready().await, Some(NotReady::Unread(1)));
    assert!(house.runtime.metrics().contains("lockgate_tenants_denied 1\n"));
    // It is tried again and again, and all that was told of it has passed.
    within("a third try", || house.faults.definitions.load(Ordering::SeqCst) <= u32::MAX - 3).await;
    house.faults.definitions.store(0, Ordering::SeqCst);
    // Nothing changes and nobody asks for it, and it is read.
    let runtime = house.runtime.clone();
    within("the tenant", || runtime.metrics().contains("lockgate_tenants_denied 0\n")).await;
    assert_eq!(house.runtime.not_ready().await, None);
    assert_eq!(house.runtime.definitions(&house.ada, Kind::Group, "").await.unwrap().len(), 1);
    house.through(60).await;
    assert_eq!(house.passed(), [60]);
}
