//! Connections that are killed, and what the server knows of a deadline.

use std::time::Duration;

use futures_util::StreamExt as _;
use lockgate_connector_api::Streamed;
use lockgate_testkit::contract::{sql::endings::runs_at_the_server, tells_nothing};
use serde_json::json;

use crate::account::{Tested, admin, app, call};

/// The connections of `app` that run something that holds `mark` are ended.
async fn kill(mark: &str) {
    let admin = admin().unwrap();
    let sql = "select id from information_schema.processlist where user = 'app' and info like concat('%', ?, '%')";
    for row in admin.rows(sql, json!([mark])).await.as_array().unwrap() {
        admin.execute(&format!("kill {}", row["id"])).await;
    }
}

/// The server ends it as well, where our word does not reach it.
#[tokio::test]
async fn the_server_knows_the_deadline() {
    let Some(account) = app() else { return };
    let left = account.value("select @@max_statement_time", json!([])).await.as_f64().unwrap();
    assert!((1.0..=30.0).contains(&left), "{left}");
}

#[tokio::test]
async fn a_killed_connection_fails_its_call_and_no_other() {
    let Some(account) = app() else { return };
    let running = tokio::spawn({
        let account = account.clone();
        async move { account.fails("query", "select sleep(60) as killed_call", json!([])).await }
    });
    runs_at_the_server::<Tested>("killed_call", 1).await;
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
