//! The stage rule: what was green once in the environment before may go on, whatever ran there since.
#![expect(clippy::unwrap_used, reason = "test code: a broken premise must fail the test on the spot")]

mod house;

use futures_util::future::join_all;
use lockgate_model::{Kind, id::EnvironmentId};
use lockgate_runtime::{Clock, Error};
use serde_json::json;

use crate::house::{development, house, publish, run};

const SET: &str = "- a: { set: { from: here } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_green_run_is_not_forgotten_among_a_thousand_others() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house(dir.path(), Clock::system()).await;
    let strict = json!({"title": "Test", "order": 1, "needs_green_run": true});
    runtime.put_definition(&ada, Kind::Environment, "test", strict).await.unwrap();
    let tock = publish(&runtime, &ada, "tock", SET).await;
    publish(&runtime, &ada, "tick", SET).await;
    let test: EnvironmentId = "test".parse().unwrap();
    let promote = async || runtime.promote(&ada, &tock, &development(), &test, None, None).await;
    let refused = promote().await;
    assert!(matches!(&refused, Err(Error::Forbidden { rule }) if rule.contains("no-green-run")), "{refused:?}");
    run(&runtime, &ada, "tock").await.result.unwrap();
    for _ in 0..10 {
        join_all((0..104).map(|_| run(&runtime, &ada, "tick"))).await;
    }
    let shown = runtime.promotion(&ada, &tock, &development(), &test, None, None).await.unwrap();
    assert!(shown.refusals.is_empty(), "{:?}", shown.refusals);
    promote().await.unwrap();
}
