//! Statements that end otherwise than by themselves: deadlines, dropped calls, killed connections.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lockgate_connector_api::{Kind, Streamed};
use lockgate_testkit::contract::tells_nothing;
use serde_json::json;

use crate::account::{admin, app, call, soon};

/// Waits until no backend of `app` runs anything that holds `mark`.
async fn ends_at_the_server(mark: &str) {
    let admin = admin().unwrap();
    let sql = "select count(*) from pg_stat_activity where usename = 'app' and state <> 'idle' and query like '%' || $1 || '%'";
    let end = soon();
    while admin.value(sql, json!([mark])).await != 0 {
        assert!(Instant::now() < end, "`{mark}` still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_deadline_ends_the_statement_at_the_server() {
    let Some(account) = app() else { return };
    for operation in ["query", "execute"] {
        let sql = format!("select pg_sleep(60) as deadline_{operation}");
        let mut call = call(operation, &sql, json!([]));
        let begun = Instant::now();
        call.deadline = begun + Duration::from_millis(300);
        let error = account.invoke(call).await.unwrap_err();
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Timeout, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
        ends_at_the_server(&format!("deadline_{operation}")).await;
    }
    let mut batch = call("batch", "insert into nowhere select 1 from pg_sleep($1)", json!([[60], [60]]));
    account.execute("create table nowhere (n int)").await;
    batch.deadline = Instant::now() + Duration::from_millis(300);
    assert_eq!(account.invoke(batch).await.unwrap_err().kind(), Kind::Timeout);
    ends_at_the_server("insert into nowhere").await;
    assert_eq!(account.value("select count(*) from nowhere", json!([])).await, 0);
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_at_the_server() {
    let Some(account) = app() else { return };
    let running = tokio::spawn({
        let account = account.clone();
        async move { account.call("query", "select pg_sleep(60) as dropped_call", json!([])).await }
    });
    let admin = admin().unwrap();
    let sql = "select count(*) from pg_stat_activity where state = 'active' and usename = 'app' and query like '%dropped_call%'";
    let end = soon();
    while admin.value(sql, json!([])).await != 1 {
        assert!(Instant::now() < end, "it never ran");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running.abort();
    ends_at_the_server("dropped_call").await;
}

#[tokio::test]
async fn a_dropped_stream_is_cancelled_at_the_server() {
    let Some(account) = app() else { return };
    let mut call = call(
        "query",
        "select n as dropped_stream, repeat('x', 100) as x from generate_series(1, 100000000) as n",
        json!([]),
    );
    call.stream = true;
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("no records") };
    records.next().await.unwrap().unwrap();
    drop(records);
    ends_at_the_server("dropped_stream").await;
    account.test().await.unwrap();
}

#[tokio::test]
async fn the_deadline_ends_a_stream() {
    let Some(account) = app() else { return };
    let mut call = call(
        "query",
        "select repeat('x', 10000) as late_stream, pg_sleep(0.01) as s from generate_series(1, 100000) as n",
        json!([]),
    );
    call.stream = true;
    call.deadline = Instant::now() + Duration::from_secs(3);
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("no records") };
    let error = loop {
        match records.next().await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Timeout, "{error}");
    assert!(records.next().await.is_none());
    ends_at_the_server("late_stream").await;
}

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
