//! What a broken network does: every call ends within its deadline, a statement is done as a whole
//! or not at all, and rows that are reported complete are.

use std::time::{Duration, Instant};

use lockgate_connector_api::{Body, Call};
use lockgate_testkit::{
    FaultProxy,
    contract::faults::{DEADLINE, clean, each, everywhere},
    fault_proxy::Fault,
};
use serde_json::{Value, json};

use crate::account::{Account, Binding, call, load, shared};

const ROWS: usize = 2_000;
const SQL: &str = "select seq as n, repeat(md5(seq), 6) as x from seq_1_to_2000";

fn hurried(operation: &str, sql: &str, parameters: Value) -> Call {
    Call { deadline: Instant::now() + DEADLINE, ..call(operation, sql, parameters) }
}

/// User `app` through a proxy.
fn through(port: u16) -> Account {
    Binding::app(port).open(&shared().unwrap().0)
}

/// Bytes that a call carries both ways when nothing breaks.
async fn totals(port: u16, one: Call) -> (u64, u64) {
    let proxy = FaultProxy::start(port).await;
    through(proxy.port()).invoke(one).await.unwrap();
    proxy.carried()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_all_there_or_the_call_fails() {
    let Some((_, server)) = shared() else { return };
    let faults = everywhere(totals(server.port(), hurried("query", SQL, json!([]))).await);
    each(faults.clone(), server.port(), async |_, fault, port| {
        let begun = Instant::now();
        let answer = through(port).invoke(hurried("query", SQL, json!([]))).await;
        let Some(answer) = clean(answer, begun, &format!("{fault:?}")) else { return true };
        assert_eq!(crate::account::read(&answer.output)["rows"].as_array().unwrap().len(), ROWS, "{fault:?}");
        false
    })
    .await;
    each(faults, server.port(), async |_, fault, port| {
        let begun = Instant::now();
        let records = through(port).records_of(hurried("query", SQL, json!([]))).await;
        let Some(records) = clean(records, begun, &format!("{fault:?}")) else { return true };
        assert!(records.len() == ROWS && records[ROWS - 1]["n"] == ROWS, "{fault:?}: {} rows", records.len());
        false
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_done_as_a_whole_or_not_at_all() {
    const BATCH: usize = 50;
    let Some((_, server)) = shared() else { return };
    let account = Account::shared().unwrap();
    account.execute("create table broken (of_call int, n int, x text)").await;
    let text = "x".repeat(2_000);
    let execute = |id: usize| {
        let sql = "insert into broken select ?, seq, ? from seq_1_to_50";
        hurried("execute", sql, json!([id, text]))
    };
    let batch = |id: usize| {
        let rows: Vec<_> = (0..BATCH).map(|n| json!([id, n, text])).collect();
        hurried("batch", "insert into broken values (?, ?, ?)", rows.into())
    };
    let lines = |id: usize| {
        let lines: String = (0..BATCH).map(|n| format!("{id},{n},{text}\n")).collect();
        let sql = "load data local infile 'body' into table broken fields terminated by ','";
        Call { deadline: Instant::now() + DEADLINE, ..load(sql, Body::full(lines)) }
    };
    let calls: [(_, &dyn Fn(usize) -> Call); 3] = [("execute", &execute), ("batch", &batch), ("load", &lines)];
    for (of, (operation, one)) in calls.into_iter().enumerate() {
        let of = (of + 1) * 1_000_000;
        let faults = everywhere(totals(server.port(), one(of)).await);
        let account = &account;
        each(faults, server.port(), async |n, fault, port| {
            let (id, what) = (of + n + 1, format!("{operation} {fault:?}"));
            let begun = Instant::now();
            let done = clean(through(port).invoke(one(id)).await, begun, &what).is_some();
            let count = account.value("select count(*) from broken where of_call = ?", json!([id])).await;
            assert!(count == 0 || count == BATCH, "{what}: {count} of {BATCH} rows");
            assert!(!done || count == BATCH, "{what}: success without the rows");
            !done
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_network_is_only_slow() {
    let Some((_, server)) = shared() else { return };
    let proxy = FaultProxy::start(server.port()).await;
    proxy.always(Fault::Latency(Duration::from_millis(20)));
    assert_eq!(through(proxy.port()).records(SQL).await.unwrap().len(), ROWS);
}
