//! What a broken network does: every call ends within its deadline, a statement is done as a whole
//! or not at all, and rows that are reported complete are.

use std::time::{Duration, Instant};

use lockgate_connector_api::{Body, Call};
use serde_json::{Value, json};

use super::{Account, Binding, Database, Server as _, call, read};
use crate::{
    FaultProxy,
    contract::faults::{DEADLINE, clean, each, everywhere},
    fault_proxy::{Fault, Way},
};

const ROWS: usize = 2_000;
/// Rows that a call leaves in the table `broken`, or none.
const DONE: usize = 50;

/// An operation, and its call that writes those rows, for an `id` and a text.
type Writes<'a> = (&'a str, &'a (dyn Fn(usize, &str) -> Call + Sync));

/// The same call, in a hurry.
pub(super) fn hurried(call: Call) -> Call {
    Call { deadline: Instant::now() + DEADLINE, ..call }
}

/// User `app` through a proxy.
pub(super) fn through<D: Database>(port: u16) -> Account {
    Binding::app::<D>(port).open(&D::shared().unwrap().0)
}

/// Bytes that a call carries both ways when nothing breaks.
async fn totals<D: Database>(port: u16, one: Call) -> (u64, u64) {
    let proxy = FaultProxy::start(port).await;
    through::<D>(proxy.port()).invoke(one).await.unwrap();
    proxy.carried()
}

/// Rows are all there, or the call fails; a slow network is only slow.
pub async fn rows_are_all_there_or_the_call_fails<D: Database>() {
    let Some((_, server)) = D::shared() else { return };
    let query = || hurried(call("query", &D::numbers(ROWS), json!([])));
    let faults = everywhere(totals::<D>(server.port(), query()).await);
    each(faults.clone(), server.port(), async |_, fault, port| {
        let begun = Instant::now();
        let answer = through::<D>(port).invoke(query()).await;
        let Some(answer) = clean(answer, begun, &format!("{fault:?}")) else { return true };
        assert_eq!(read(&answer.output)["rows"].as_array().unwrap().len(), ROWS, "{fault:?}");
        false
    })
    .await;
    each(faults, server.port(), async |_, fault, port| {
        let begun = Instant::now();
        let records = through::<D>(port).records_of(query()).await;
        let Some(records) = clean(records, begun, &format!("{fault:?}")) else { return true };
        assert!(records.len() == ROWS && records[ROWS - 1]["n"] == ROWS, "{fault:?}: {} rows", records.len());
        false
    })
    .await;
    let proxy = FaultProxy::start(server.port()).await;
    proxy.always(Fault::Latency(Duration::from_millis(20)));
    assert_eq!(through::<D>(proxy.port()).records(&D::numbers(ROWS)).await.unwrap().len(), ROWS);
}

/// Calls that write [`DONE`] rows into the table `broken (id, n, x)` do all of it or nothing, and do not claim to have
/// done what they did not.
pub async fn calls_are_done_as_a_whole_or_not_at_all<D: Database>() {
    let Some((_, server)) = D::shared() else { return };
    let account = Account::shared::<D>().unwrap();
    account.execute("create table broken (id int, n int, x text)").await;
    let text = "x".repeat(2_000);
    let execute = |id: usize, text: &str| call("execute", D::INSERT_FIFTY, json!([id, text]));
    let batch = |id: usize, text: &str| {
        let rows: Vec<Value> = (0..DONE).map(|n| json!([id, n, text])).collect();
        call("batch", D::INSERT_ONE, rows.into())
    };
    let load = |id: usize, text: &str| {
        let lines: String = (0..DONE).map(|n| format!("{id},{n},{text}\n")).collect();
        let input = json!({"table": "broken", "columns": ["id", "n", "x"], "header": false});
        super::loads::load(&input, Body::full(lines))
    };
    let transaction = |id: usize, text: &str| {
        let lists = |rows: std::ops::Range<usize>| -> Vec<Value> { rows.map(|n| json!([id, n, text])).collect() };
        let steps = [lists(0..1), lists(1..DONE)].map(|each| json!({"sql": D::INSERT_ONE, "each": each}));
        super::call_of("transaction", &json!({"steps": steps}))
    };
    let own: [Writes<'_>; 4] =
        [("execute", &execute), ("batch", &batch), ("load", &load), ("transaction", &transaction)];
    for (of, (operation, one)) in own.iter().enumerate() {
        let of = (of + 1) * 1_000_000;
        let faults = everywhere(totals::<D>(server.port(), hurried(one(of, &text))).await);
        let (account, text) = (&account, &text);
        each(faults, server.port(), async |n, fault, port| {
            let (id, what) = (of + n + 1, format!("{operation} {fault:?}"));
            let begun = Instant::now();
            let done = clean(through::<D>(port).invoke(hurried(one(id, text))).await, begun, &what).is_some();
            let count = account.value(D::COUNT, json!([id])).await;
            assert!(count == 0 || count == DONE, "{what}: {count} of {DONE} rows");
            assert!(!done || count == DONE, "{what}: success without the rows");
            !done
        })
        .await;
    }
}

/// What was done is told within the call's time, though the connection cannot be made fit for another
/// call behind it.
pub async fn what_is_done_is_told_whatever_comes_behind_it<D: Database>() {
    let Some((_, server)) = D::shared() else { return };
    let account = Account::shared::<D>().unwrap();
    account.execute("create table done (id int, n int, x text)").await;
    let insert = D::INSERT_ONE.replace("broken", "done");
    let transaction = |id: usize| {
        hurried(super::call_of("transaction", &json!({"steps": [{"sql": insert, "parameters": [id, 1, "x"]}]})))
    };
    let execute = |id: usize| hurried(call("execute", &insert, json!([id, 1, "x"])));
    for (id, one) in [&transaction as &(dyn Fn(usize) -> Call + Sync), &execute].into_iter().enumerate() {
        let (_, down) = totals::<D>(server.port(), one(100 + id)).await;
        let proxy = FaultProxy::start(server.port()).await;
        // The last answer is cut: that of the clean-up.
        proxy.once(Fault::BlackHole(Way::Down, down - 5));
        let begun = Instant::now();
        through::<D>(proxy.port()).invoke(one(id)).await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
        assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());
        assert_eq!(account.value(&D::COUNT.replace("broken", "done"), json!([id])).await, 1);
    }
}
