//! The stage rule: what was green once in the environment before may go on, whatever ran there since.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code: a broken premise must fail the test on the spot")]

mod house;

use futures_util::future::join_all;
use lockgate_document::Document;
use lockgate_model::{Channel, Kind, Limits, id::EnvironmentId};
use lockgate_runtime::{Ask, Clock, Condition, Error, Rollback};
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

/// A run is written as ended a moment after it has answered: then this is done.
async fn written<T>(done: impl AsyncFn() -> Result<T, Error>) {
    for _ in 0..1_000 {
        if done().await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the run is green by now");
}

/// What was active there before the rule was set is deployed there again only as anything else is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_asks_for_the_green_run_too() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house(dir.path(), Clock::system()).await;
    let test: EnvironmentId = "test".parse().unwrap();
    let tock = publish(&runtime, &ada, "tock", SET).await;
    let promote = async || runtime.promote(&ada, &tock, &development(), &test, None, None).await.unwrap();
    promote().await;
    publish(&runtime, &ada, "tock", "- a: { set: { from: there } }").await;
    run(&runtime, &ada, "tock").await.result.unwrap();
    promote().await;
    let strict = json!({"title": "Test", "order": 1, "needs_green_run": true});
    runtime.put_definition(&ada, Kind::Environment, "test", strict).await.unwrap();
    let back = async || runtime.rollback(&ada, &test, &tock, Rollback::default()).await;
    let refused = back().await;
    assert!(matches!(&refused, Err(Error::Forbidden { rule }) if rule.contains("no-green-run")), "{refused:?}");
    // Where the bytes ran well in the stage before, they go on.
    runtime.rollback(&ada, &development(), &tock, Rollback::default()).await.unwrap();
    run(&runtime, &ada, "tock").await.result.unwrap();
    written(back).await;
}

/// An environment that is made anew has the name of the one before, and nothing else of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_green_in_an_environment_that_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house(dir.path(), Clock::system()).await;
    let (first, second) = ("first".parse::<EnvironmentId>().unwrap(), "second".parse::<EnvironmentId>().unwrap());
    let put = async |name: &str, order: u32, needs_green_run: bool| {
        let body = json!({"title": name, "order": order, "needs_green_run": needs_green_run});
        runtime.put_definition(&ada, Kind::Environment, name, body).await.unwrap();
    };
    put("first", 10, false).await;
    put("second", 11, true).await;
    let tock = publish(&runtime, &ada, "tock", SET).await;
    let on = async |to: &EnvironmentId, from: &EnvironmentId| runtime.promote(&ada, &tock, from, to, None, None).await;
    on(&first, &development()).await.unwrap();
    let input = async { Ok(Document::parse(b"{}", &Limits::default()).unwrap()) };
    let ran = runtime.execute(&ada, Ask::new("first", "tock", Channel::Rest), input).await.unwrap();
    ran.result.unwrap();
    written(async || on(&second, &first).await).await;
    runtime.undeploy(&ada, &first, &tock, &Condition::default()).await.unwrap();
    runtime.delete_definition(&ada, Kind::Assignment, "first/integrations/tock").await.unwrap();
    runtime.delete_definition(&ada, Kind::Environment, "first").await.unwrap();
    put("first", 10, false).await;
    on(&first, &development()).await.unwrap();
    let refused = on(&second, &first).await;
    assert!(matches!(&refused, Err(Error::Forbidden { rule }) if rule.contains("no-green-run")), "{refused:?}");
}
