//! Rows as a stream of records: all of them, in order, in flat memory.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use lockgate_connector_api::{Call, Kind, Streamed};
use serde_json::json;

use super::{Account, Database, call};
use crate::process::peak_rss_bytes;

/// What a process may hold at its peak, however long a stream is.
const MEMORY_BYTES_MAX: u64 = 64 << 20;
/// Set in the process whose memory is measured.
const MEASURED: &str = "LOCKGATE_TEST_MEASURED";

/// Streams give their records in order, in bounded batches.
pub async fn records_come_in_order<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    let records = account.records(&D::numbers(2_500)).await.unwrap();
    assert_eq!(records.len(), 2_500);
    assert!(records.iter().enumerate().all(|(at, record)| record["n"] == at + 1));
    let none = format!("select * from ({}) as r where n < 0", D::numbers(1));
    assert!(account.records(&none).await.unwrap().is_empty());
    assert_eq!(account.records("select 1 as n").await.unwrap(), [json!({"n": 1})]);
    for (sql, records_max) in
        [(D::numbers(5_000), 1_000), (format!("select repeat('x', 10000) as y from ({}) as r", D::numbers(500)), 30)]
    {
        let call = Call { stream: true, ..call("query", &sql, json!([])) };
        let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("none") };
        while let Some(batch) = records.next().await {
            let length = batch.unwrap().root().len();
            assert!((1..=records_max).contains(&length), "{sql}: {length}");
        }
    }
    // A record that no reply could hold.
    let mut call = Call { stream: true, ..call("query", "select repeat('x', 3000000) as x", json!([])) };
    call.limits.reply_bytes_max = 1_000_000;
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("none") };
    assert_eq!(records.next().await.unwrap().unwrap_err().kind(), Kind::TooLarge);
    assert!(records.next().await.is_none());
}

/// Runs a test of this name once more, in a process of its own, whose peak of resident memory is that
/// of `measured` and must stay under 64 MiB. It gives what it moved.
///
/// # Panics
/// When it does not.
pub fn takes_flat_memory(test: &str, measured: impl AsyncFnOnce() -> Option<String>) {
    if std::env::var_os(MEASURED).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(async {
            let begun = Instant::now();
            let Some(moved) = measured().await else { return };
            let peak = peak_rss_bytes(std::process::id());
            let mebibytes = peak as f64 / f64::from(1 << 20);
            println!("{moved} in {:.1} s, VmHWM {mebibytes:.1} MiB", begun.elapsed().as_secs_f64());
            assert!(peak < MEMORY_BYTES_MAX, "{peak} bytes");
        });
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(MEASURED, "1")
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&child.stdout));
    assert!(child.status.success(), "{child:?}");
}

/// Reads all rows of a stream; gives how many.
pub async fn drained<D: Database>(sql: &str) -> Option<usize> {
    let account = Account::shared::<D>()?;
    let deadline = Instant::now() + Duration::from_secs(300);
    let call = Call { stream: true, deadline, ..call("query", sql, json!([])) };
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("none") };
    let mut rows = 0;
    while let Some(batch) = records.next().await {
        rows += batch.unwrap().root().len();
    }
    Some(rows)
}
