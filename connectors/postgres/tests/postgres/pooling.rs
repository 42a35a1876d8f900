//! Connections: how many, how long, and what is left in them.

use std::time::Duration;

use lockgate_connector_api::Kind;
use lockgate_testkit::{FaultProxy, wait_until_async};
use serde_json::json;

use crate::account::{Binding, app, binding, shared};

#[tokio::test]
async fn nothing_of_a_call_is_left_in_its_connection() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 1, ..binding(server.port()) }.open(pki);
    let pid = account.value("select pg_backend_pid()", json!([])).await;
    account.execute("set search_path = pg_temp").await;
    account.execute("set datestyle = 'German'").await;
    account.execute("set timezone = 'Asia/Tokyo'").await;
    account.execute("set statement_timeout = 5000").await;
    account.execute("create temporary table left_over (n int)").await;
    account.execute("listen left_over").await;
    account.execute("select pg_advisory_lock(7700)").await;
    account.rows("select pg_advisory_lock(7701)", json!([])).await;
    account.execute("declare left_over cursor with hold for select 1 as n").await;
    account.execute("create sequence numbers").await;
    account.execute("select nextval('numbers')").await;
    account.rows("select set_config('intervalstyle', 'postgres', false)", json!([])).await;
    let state = account
        .rows(
            "select pg_backend_pid() as pid, current_setting('search_path') as path, current_setting('datestyle') as dates, \
             current_setting('timezone') as zone, current_setting('statement_timeout') = '5s' as hurried, \
             to_regclass('left_over') as temporary, (select count(*) from pg_listening_channels()) as listening, \
             (select count(*) from pg_locks where locktype = 'advisory' and objid in (7700, 7701)) as locks, \
             interval '1 day' as day, (select count(*) from pg_cursors where is_holdable) as cursors",
            json!([]),
        )
        .await;
    assert_eq!(
        state,
        json!([{"pid": pid, "path": "\"$user\", public", "dates": "ISO, MDY", "zone": "UTC", "hurried": false,
                "temporary": null, "listening": 0, "locks": 0, "day": "P1D", "cursors": 0}])
    );
    let error = account.fails("query", "select lastval()", json!([])).await;
    assert!(error.private().reveal().starts_with("SQLSTATE 55000"), "{}", error.private().reveal());
    // Who may be another role is itself again.
    let admin = Binding { username: "admin", connections_max: 1, ..binding(server.port()) }.open(pki);
    for sql in ["set role app", "set session authorization app"] {
        admin.execute(sql).await;
        let users = admin.rows("select current_user::text as one, session_user::text as other", json!([])).await;
        assert_eq!(users, json!([{"one": "admin", "other": "admin"}]), "{sql}");
    }
}

/// What a statement prepares cannot be told from what it leaves alone, so its connection goes.
#[tokio::test]
async fn a_connection_with_prepared_statements_of_a_call_serves_no_other() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 1, ..binding(server.port()) }.open(pki);
    account.execute("create table kept (n int unique deferrable initially deferred)").await;
    account
        .execute(
            "create function prepares() returns int language plpgsql as \
             'begin execute ''prepare left_over as select 1''; return 1; end'",
        )
        .await;
    // The statement of another call, under its name, as something else.
    account
        .execute(
            "create function replaces() returns int language plpgsql as $$ declare old text; begin \
             select name into old from pg_prepared_statements where statement = 'select 7 as seven'; \
             execute format('deallocate %I', old); execute format('prepare %I as select 8 as seven', old); \
             return 1; end $$",
        )
        .await;
    let statements =
        "select pg_backend_pid() as pid, (select count(*) from pg_prepared_statements where from_sql) as n";
    for (operation, sql, parameters) in [
        ("execute", "prepare s3 as select 1", json!([])),
        ("query", "select prepares()", json!([])),
        ("query", "select prepares() / 0 as n", json!([])),
        ("query", "select replaces()", json!([])),
        ("batch", "insert into kept select prepares() - 1 + $1", json!([[1], [2]])),
        ("batch", "insert into kept select prepares() / $1", json!([[0]])),
        // Prepares before the commit that fails.
        ("batch", "insert into kept select prepares() from generate_series(1, $1)", json!([[2]])),
    ] {
        assert_eq!(account.value("select 7 as seven", json!([])).await, 7);
        let before = account.value("select pg_backend_pid()", json!([])).await;
        let _ = account.call(operation, sql, parameters).await;
        let after = account.rows(statements, json!([])).await;
        assert_eq!(after[0]["n"], 0, "{sql}");
        assert_ne!(after[0]["pid"], before, "{sql}");
    }
    // A connection in which nothing was prepared stays.
    let pid = account.value("select pg_backend_pid()", json!([])).await;
    account.execute("deallocate all").await;
    assert_eq!(account.value("select pg_backend_pid()", json!([])).await, pid);
}

#[tokio::test]
async fn names_of_prepared_statements_are_not_guessed() {
    let Some((pki, server)) = shared() else { return };
    let mut seen = Vec::new();
    for _ in 0..3 {
        let account = Binding { connections_max: 1, ..binding(server.port()) }.open(pki);
        let name = account.value("select name from pg_prepared_statements", json!([])).await;
        assert!(!seen.contains(&name), "{name} again");
        seen.push(name);
    }
}

/// Not all of it is undone with the transaction.
#[tokio::test]
async fn nothing_of_a_batch_is_left_when_its_commit_fails() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 1, ..binding(server.port()) }.open(pki);
    account.execute("create table twice (n int unique deferrable initially deferred)").await;
    let sql = "insert into twice select $1 from pg_advisory_lock(7702)";
    let error = account.fails("batch", sql, json!([[1], [1]])).await;
    assert_eq!(error.kind(), Kind::Conflict);
    let locks = "select count(*) from pg_locks where locktype = 'advisory' and objid = 7702";
    assert_eq!(account.value(locks, json!([])).await, 0);
}

#[tokio::test]
async fn a_transaction_that_is_begun_is_not_left() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 1, ..binding(server.port()) }.open(pki);
    account.execute("create table begun (n int)").await;
    assert_eq!(account.fails("execute", "begin", json!([])).await.kind(), Kind::Input);
    account.execute("insert into begun values (1)").await;
    let other = app().unwrap();
    assert_eq!(other.value("select count(*) from begun", json!([])).await, 1);
}

#[tokio::test]
async fn connections_are_closed_when_no_call_comes_and_with_their_account() {
    let Some((pki, server)) = shared() else { return };
    let proxy = FaultProxy::start(server.port()).await;
    let account = binding(proxy.port()).open(pki);
    account.rows("select 1 as n", json!([])).await;
    assert_eq!(proxy.open(), 1, "it is kept");
    wait_until_async("the end of an idle connection", Duration::from_secs(100), || proxy.open() == 0).await;
    account.rows("select 1 as n", json!([])).await;
    assert_eq!((proxy.open(), proxy.connections()), (1, 2));
    drop(account);
    wait_until_async("the end of an account's connection", Duration::from_secs(10), || proxy.open() == 0).await;
}
