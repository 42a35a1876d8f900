//! Rows as a stream of records: all of them, in order, in flat memory.

use std::process::Command;

use futures_util::StreamExt as _;
use lockgate_connector_api::{Kind, Streamed};
use lockgate_testkit::process::peak_rss_bytes;
use serde_json::json;

use crate::account::{Account, call};

/// Set in the process whose memory is measured.
const MEASURED: &str = "LOCKGATE_TEST_MYSQL_STREAM";
const ROWS: usize = 1_000_000;
const MEMORY_BYTES_MAX: u64 = 64 << 20;

#[tokio::test]
async fn records_come_in_order() {
    let Some(account) = Account::shared() else { return };
    let records = account.records("select seq as n from seq_1_to_2500").await.unwrap();
    assert_eq!(records.len(), 2500);
    assert!(records.iter().enumerate().all(|(at, record)| record["n"] == at + 1));
    assert!(account.records("select 1 as n from dual where false").await.unwrap().is_empty());
    assert_eq!(account.records("select 1 as n").await.unwrap(), [json!({"n": 1})]);
}

#[tokio::test]
async fn a_stream_tells_its_columns_and_gives_no_rows_beside() {
    let Some(account) = Account::shared() else { return };
    let mut call = call("query", "select 1 as n", json!([]));
    call.stream = true;
    let answer = account.invoke(call).await.unwrap();
    assert_eq!(crate::account::read(&answer.output), json!({"columns": [{"name": "n", "type": "int"}]}));
}

#[tokio::test]
async fn batches_are_bounded_in_records_and_bytes() {
    let Some(account) = Account::shared() else { return };
    for (sql, records_max) in
        [("select seq as n from seq_1_to_5000", 1_000), ("select repeat('x', 10000) as x from seq_1_to_500", 30)]
    {
        let mut call = call("query", sql, json!([]));
        call.stream = true;
        let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("none") };
        while let Some(batch) = records.next().await {
            let length = batch.unwrap().root().len();
            assert!((1..=records_max).contains(&length), "{sql}: {length}");
        }
    }
}

/// An error after some rows ends the stream with that error.
#[tokio::test]
async fn an_error_in_the_middle_is_told() {
    let Some(account) = Account::shared() else { return };
    let error = account
        .records("select cast(9223372036854775807 as signed) + if(seq = 3000, 1, 0) as q from seq_1_to_5000")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    // A record that no reply could hold.
    let mut call = call("query", "select repeat('x', 3000000) as x", json!([]));
    (call.stream, call.limits.reply_bytes_max) = (true, 1_000_000);
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("none") };
    assert_eq!(records.next().await.unwrap().unwrap_err().kind(), Kind::TooLarge);
    assert!(records.next().await.is_none());
}

/// In a process of its own, whose peak of resident memory is this stream's.
#[test]
fn a_million_rows_take_flat_memory() {
    if std::env::var_os(MEASURED).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(measured());
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "streams::a_million_rows_take_flat_memory", "--nocapture"])
        .env(MEASURED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    println!("{said}");
    assert!(child.status.success(), "{child:?}");
}

async fn measured() {
    let Some(account) = Account::shared() else { return };
    let sql = "select seq as id, concat('customer ', seq) as name, cast(seq * 1.25 as decimal(12, 2)) as total, \
               now(6) as at, seq % 2 = 0 as even from seq_1_to_1000000";
    let mut call = call("query", sql, json!([]));
    (call.stream, call.deadline) = (true, std::time::Instant::now() + std::time::Duration::from_secs(300));
    let begun = std::time::Instant::now();
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("no records") };
    let mut rows = 0;
    while let Some(batch) = records.next().await {
        rows += batch.unwrap().root().len();
    }
    let peak = peak_rss_bytes(std::process::id());
    println!(
        "{rows} rows in {:.1} s, VmHWM {:.1} MiB",
        begun.elapsed().as_secs_f64(),
        peak as f64 / f64::from(1 << 20)
    );
    assert_eq!(rows, ROWS);
    assert!(peak < MEMORY_BYTES_MAX, "{peak} bytes");
}
