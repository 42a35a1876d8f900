//! Statements that end otherwise than by themselves: deadlines, dropped calls, killed connections.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lockgate_connector_api::{Kind, Streamed};
use lockgate_testkit::contract::tells_nothing;
use serde_json::json;

use crate::account::{admin, app, call, soon};

const RUNNING: &str = "select count(*) from information_schema.processlist where user = 'app' and command <> 'Sleep' and info like concat('%', ?, '%')";

/// Waits until so many connections of `app` run something that holds `mark`.
async fn runs_at_the_server(mark: &str, times: u32) {
    let admin = admin().unwrap();
    let end = soon();
    while admin.value(RUNNING, json!([mark])).await != times {
        assert!(Instant::now() < end, "`{mark}` does not run {times} times");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The connections of `app` that run something that holds `mark` are ended.
async fn kill(mark: &str) {
    let admin = admin().unwrap();
    let sql = "select id from information_schema.processlist where user = 'app' and info like concat('%', ?, '%')";
    for row in admin.rows(sql, json!([mark])).await.as_array().unwrap() {
        admin.execute(&format!("kill {}", row["id"])).await;
    }
}

#[tokio::test]
async fn the_deadline_ends_the_statement_at_the_server() {
    let Some(account) = app() else { return };
    for operation in ["query", "execute"] {
        let sql = format!("select sleep(60) as deadline_{operation}");
        let mut call = call(operation, &sql, json!([]));
        let begun = Instant::now();
        call.deadline = begun + Duration::from_millis(300);
        let error = account.invoke(call).await.unwrap_err();
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Timeout, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
        runs_at_the_server(&format!("deadline_{operation}"), 0).await;
    }
    account.execute("create table nowhere (n int)").await;
    let mut batch = call("batch", "insert into nowhere select sleep(?)", json!([[0], [60]]));
    batch.deadline = Instant::now() + Duration::from_millis(500);
    assert_eq!(account.invoke(batch).await.unwrap_err().kind(), Kind::Timeout);
    runs_at_the_server("insert into nowhere", 0).await;
    assert_eq!(account.value("select count(*) from nowhere", json!([])).await, 0);
}

/// The server ends it as well, where our word does not reach it.
#[tokio::test]
async fn the_server_knows_the_deadline() {
    let Some(account) = app() else { return };
    let left = account.value("select @@max_statement_time", json!([])).await.as_f64().unwrap();
    assert!((1.0..=30.0).contains(&left), "{left}");
}

#[tokio::test]
async fn a_dropped_call_is_ended_at_the_server() {
    let Some(account) = app() else { return };
    let running = tokio::spawn({
        let account = account.clone();
        async move { account.call("query", "select sleep(60) as dropped_call", json!([])).await }
    });
    runs_at_the_server("dropped_call", 1).await;
    running.abort();
    runs_at_the_server("dropped_call", 0).await;
}

#[tokio::test]
async fn a_dropped_stream_is_ended_at_the_server() {
    let Some(account) = app() else { return };
    let sql = "select seq as dropped_stream, repeat('x', 100) as x from seq_1_to_100000000";
    let mut call = call("query", sql, json!([]));
    call.stream = true;
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("no records") };
    records.next().await.unwrap().unwrap();
    runs_at_the_server("dropped_stream", 1).await;
    drop(records);
    runs_at_the_server("dropped_stream", 0).await;
    account.test().await.unwrap();
}

#[tokio::test]
async fn the_deadline_ends_a_stream() {
    let Some(account) = app() else { return };
    let sql = "select repeat('x', 10000) as late_stream, sleep(0.01) as s from seq_1_to_100000";
    let mut call = call("query", sql, json!([]));
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
    runs_at_the_server("late_stream", 0).await;
}

#[tokio::test]
async fn a_killed_connection_fails_its_call_and_no_other() {
    let Some(account) = app() else { return };
    let running = tokio::spawn({
        let account = account.clone();
        async move { account.fails("query", "select sleep(60) as killed_call", json!([])).await }
    });
    runs_at_the_server("killed_call", 1).await;
    kill("killed_call").await;
    let error = running.await.unwrap();
    assert!(error.is_transient(), "{error}");
    // Killed while idle: found out before it is used.
    let number = account.value("select connection_id()", json!([])).await;
    let admin = admin().unwrap();
    admin.execute(&format!("kill {number}")).await;
    let gone = "select count(*) from information_schema.processlist where id = ?";
    while admin.value(gone, json!([number])).await != 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_ne!(account.value("select connection_id()", json!([])).await, number);
    // In the middle of a stream.
    let sql = "select seq as killed_stream, repeat('x', 100) as x from seq_1_to_100000000";
    let mut call = call("query", sql, json!([]));
    call.stream = true;
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("no records") };
    records.next().await.unwrap().unwrap();
    kill("killed_stream").await;
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
