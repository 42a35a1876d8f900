//! Connections: how many, how long, and what is left in them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lockgate_connector_api::{Call, Kind};
use lockgate_testkit::{FaultProxy, wait_until_async};
use serde_json::json;

use crate::account::{Account, Binding, call, shared, soon};

#[tokio::test]
async fn calls_wait_for_a_connection() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 3, ..Binding::app(server.port()) }.open(pki);
    let sql = "select pg_backend_pid() as pid, pg_sleep(0.02) as s";
    let rows = join_all((0..24).map(|_| account.rows(sql, json!([])))).await;
    let mut pids: Vec<_> = rows.iter().map(|r| r[0]["pid"].as_i64().unwrap()).collect();
    pids.sort_unstable();
    pids.dedup();
    assert!((1..=3).contains(&pids.len()), "{pids:?}");
    // All taken until the deadline.
    let taking: Vec<_> = (0..3)
        .map(|_| {
            let account = account.clone();
            tokio::spawn(async move { account.call("query", "select pg_sleep(60) as taken", json!([])).await })
        })
        .collect();
    let admin = Account::admin().unwrap();
    let sql =
        "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep(60) as taken'";
    let end = soon();
    while admin.value(sql, json!([])).await != 3 {
        assert!(Instant::now() < end, "they never ran");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut call = call("query", "select 1 as one", json!([]));
    call.deadline = Instant::now() + Duration::from_millis(300);
    let error = account.invoke(call).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Timeout, "postgres-busy"));
    // Dropped, they give their connections back once they have ended at the server.
    taking.iter().for_each(tokio::task::JoinHandle::abort);
    account.test().await.unwrap();
}

/// What a stream flows into may need a connection of the same account.
#[tokio::test]
async fn streams_leave_a_connection_to_the_calls_they_flow_into() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 2, ..Binding::app(server.port()) }.open(pki);
    let stream = |deadline| {
        let endless = call("query", "select n from generate_series(1, 100000000) as n", json!([]));
        account.invoke(Call { stream: true, deadline, ..endless })
    };
    let held = stream(soon()).await.unwrap();
    let error = stream(Instant::now() + Duration::from_millis(300)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Timeout, "postgres-busy"));
    assert_eq!(account.value("select 1", json!([])).await, 1);
    drop(held);
    stream(soon()).await.unwrap();
}

#[tokio::test]
async fn nothing_of_a_call_is_left_in_its_connection() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 1, ..Binding::app(server.port()) }.open(pki);
    let pid = account.value("select pg_backend_pid()", json!([])).await;
    account.execute("set search_path = pg_temp").await;
    account.execute("set datestyle = 'German'").await;
    account.execute("set timezone = 'Asia/Tokyo'").await;
    account.execute("set statement_timeout = 1").await;
    account.execute("create temporary table left_over (n int)").await;
    account.execute("listen left_over").await;
    account.execute("select pg_advisory_lock(7700)").await;
    account.rows("select pg_advisory_lock(7701)", json!([])).await;
    account.rows("select set_config('intervalstyle', 'postgres', false)", json!([])).await;
    let state = account
        .rows(
            "select pg_backend_pid() as pid, current_setting('search_path') as path, current_setting('datestyle') as dates, \
             current_setting('timezone') as zone, current_setting('statement_timeout') = '1ms' as hurried, \
             to_regclass('left_over') as temporary, (select count(*) from pg_listening_channels()) as listening, \
             (select count(*) from pg_locks where locktype = 'advisory' and objid in (7700, 7701)) as locks, \
             interval '1 day' as day",
            json!([]),
        )
        .await;
    assert_eq!(
        state,
        json!([{"pid": pid, "path": "\"$user\", public", "dates": "ISO, MDY", "zone": "UTC", "hurried": false,
                "temporary": null, "listening": 0, "locks": 0, "day": "P1D"}])
    );
}

#[tokio::test]
async fn a_transaction_that_is_begun_is_not_left() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 1, ..Binding::app(server.port()) }.open(pki);
    account.execute("create table begun (n int)").await;
    assert_eq!(account.fails("execute", "begin", json!([])).await.kind(), Kind::Input);
    account.execute("insert into begun values (1)").await;
    let other = Account::shared().unwrap();
    assert_eq!(other.value("select count(*) from begun", json!([])).await, 1);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_call() {
    let Some(account) = Account::shared() else { return };
    let first = account.value("select pg_backend_pid()", json!([])).await;
    for _ in 0..3 {
        assert_eq!(account.value("select pg_backend_pid()", json!([])).await, first);
        account.fails("query", "select 1/0 as n", json!([])).await;
    }
}

#[tokio::test]
async fn connections_are_closed_when_no_call_comes_and_with_their_account() {
    let Some((pki, server)) = shared() else { return };
    let proxy = FaultProxy::start(server.port()).await;
    let account = Binding::app(proxy.port()).open(pki);
    account.rows("select 1 as n", json!([])).await;
    assert_eq!(proxy.open(), 1, "it is kept");
    wait_until_async("the end of an idle connection", Duration::from_secs(100), || proxy.open() == 0).await;
    account.rows("select 1 as n", json!([])).await;
    assert_eq!((proxy.open(), proxy.connections()), (1, 2));
    drop(account);
    wait_until_async("the end of an account's connection", Duration::from_secs(10), || proxy.open() == 0).await;
}
