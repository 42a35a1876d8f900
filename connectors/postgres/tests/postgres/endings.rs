//! Statements that end otherwise than by themselves: deadlines, dropped calls, killed connections.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lockgate_connector_api::{Kind, Streamed};
use lockgate_testkit::contract::tells_nothing;
use serde_json::json;

use crate::account::{admin, app, call, soon};

#[tokio::test]
async fn a_killed_connection_fails_its_call_and_no_other() {
    let Some(account) = app() else { return };
    let admin = admin().unwrap();
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and query like '%killed_call%' and state = 'active'";
    let running = tokio::spawn({
        let account = account.clone();
        async move { account.fails("query", "select pg_sleep(60) as killed_call", json!([])).await }
    });
    let end = soon();
    while admin.rows(kill, json!([])).await == json!([]) {
        assert!(Instant::now() < end, "it never ran");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let error = running.await.unwrap();
    assert_eq!((error.kind(), error.code()), (Kind::Unavailable, "postgres-shutdown"), "{error}");
    assert!(error.private().reveal().starts_with("SQLSTATE 57P01"));
    // Killed while idle: found out before it is used.
    let pid = account.value("select pg_backend_pid()", json!([])).await;
    assert_eq!(admin.value("select pg_terminate_backend($1)", json!([pid])).await, true);
    let gone = "select count(*) from pg_stat_activity where pid = $1";
    while admin.value(gone, json!([pid])).await != 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_ne!(account.value("select pg_backend_pid()", json!([])).await, pid);
    // In the middle of a stream.
    let mut call = call(
        "query",
        "select n as killed_stream, repeat('x', 100) as x from generate_series(1, 100000000) as n",
        json!([]),
    );
    call.stream = true;
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("no records") };
    records.next().await.unwrap().unwrap();
    admin.rows(&kill.replace("killed_call", "killed_stream"), json!([])).await;
    let error = loop {
        match records.next().await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    tells_nothing(&error);
    assert!(error.is_transient(), "{error}");
    account.test().await.unwrap();
}
