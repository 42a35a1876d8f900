//! What the operations do and what they do not.

use lockgate_connector_api::Kind;
use serde_json::json;

use crate::account::{app, call};

#[tokio::test]
async fn parameters_stay_data() {
    let Some(account) = app() else { return };
    account.execute("create table injected (name text)").await;
    for evil in
        ["'; drop table injected; --", "\\'; drop table injected; --", "$1", "%s", "\"", "a\u{1}b", "x' or 'a'='a"]
    {
        let insert = "insert into injected values ($1)";
        assert_eq!(account.call("execute", insert, json!([evil])).await.unwrap(), json!({"rows": 1}));
        let found = account.rows("select name from injected where name = $1", json!([evil])).await;
        assert_eq!(found, json!([{"name": evil}]));
    }
    assert_eq!(account.value("select count(*) from injected", json!([])).await, 7);
    // Two statements are not one.
    let error = account.fails("execute", "delete from injected; select 1", json!([])).await;
    assert_eq!((error.kind(), error.code()), (Kind::Rejected, "postgres-statement"));
    assert_eq!(account.value("select count(*) from injected", json!([])).await, 7);
}

#[tokio::test]
async fn a_query_only_reads() {
    let Some(account) = app() else { return };
    account.execute("create table only_read (n int)").await;
    account.execute("create sequence only_read_numbers").await;
    account.execute("create function only_read_writes() returns int language sql as 'insert into only_read values (1) returning n'").await;
    for sql in [
        "insert into only_read values (1) returning n",
        "with x as (insert into only_read values (1) returning n) select * from x",
        "select only_read_writes()",
        "select nextval('only_read_numbers')",
    ] {
        let error = account.fails("query", sql, json!([])).await;
        assert_eq!((error.kind(), error.code()), (Kind::Rejected, "postgres-read-only"), "{sql}");
        assert!(error.private().reveal().starts_with("SQLSTATE 25006: "));
    }
    assert_eq!(account.value("select count(*) from only_read", json!([])).await, 0);
}

#[tokio::test]
async fn a_query_gives_rows_and_columns() {
    let Some(account) = app() else { return };
    let sql = "select n, 'r' || n as name from generate_series(1, $1) as n";
    let answer = account.invoke(call("query", sql, json!([2]))).await.unwrap();
    assert_eq!(
        crate::account::text(&answer.output),
        r#"{"rows":[{"n":1,"name":"r1"},{"n":2,"name":"r2"}],"columns":[{"name":"n","type":"int4"},{"name":"name","type":"text"}]}"#
    );
    assert_eq!((answer.written, answer.read), (1, 2 * (2 * 4 + 3)));
    // Again, now that it is prepared; and with no rows.
    assert_eq!(account.rows(sql, json!([0])).await, json!([]));
}

#[tokio::test]
async fn rows_past_the_limit_are_too_large() {
    let Some(account) = app() else { return };
    for sql in ["select repeat('x', 1000) as x from generate_series(1, 2000)", "select repeat('x', 2000000) as x"] {
        let mut call = call("query", sql, json!([]));
        call.limits.reply_bytes_max = 1_000_000;
        let error = account.invoke(call).await.unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge, "{sql}");
    }
    // What the arena cannot hold is too large as well.
    let mut call = call("query", "select n from generate_series(1, 100000) as n", json!([]));
    call.limits.arena_bytes_max = 1 << 20;
    assert_eq!(account.invoke(call).await.unwrap_err().kind(), Kind::TooLarge);
    assert_eq!(account.value("select 1 as one", json!([])).await, 1);
}

#[tokio::test]
async fn a_statement_counts_and_returns() {
    let Some(account) = app() else { return };
    assert_eq!(
        account.execute("create table counted (id int generated always as identity, name text unique)").await,
        json!({"rows": 0})
    );
    let insert = "insert into counted (name) select 'n' || n from generate_series(1, $1) as n returning id, name";
    let answer = account.call("execute", insert, json!([2])).await.unwrap();
    assert_eq!(answer, json!({"rows": 2, "returned": [{"id": 1, "name": "n1"}, {"id": 2, "name": "n2"}]}));
    assert_eq!(account.execute("update counted set name = name || 'x'").await, json!({"rows": 2}));
    assert_eq!(account.execute("delete from counted").await, json!({"rows": 2}));
    assert_eq!(account.execute("vacuum counted").await, json!({"rows": 0}));
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let Some(account) = app() else { return };
    account.execute("create table batched (id int primary key, name text check (name <> 'bad'), later int)").await;
    account.execute("alter table batched add constraint later foreign key (later) references batched deferrable initially deferred").await;
    let insert = "insert into batched (id, name) values ($1, $2)";
    let many: Vec<_> = (0..2500).map(|n| json!([n, "good"])).collect();
    // A bad list in the second part that is sent: the first is undone too.
    let mut bad = many.clone();
    bad[1700] = json!([1700, "bad"]);
    let error = account.fails("batch", insert, json!(bad)).await;
    assert_eq!((error.kind(), error.code()), (Kind::Conflict, "postgres-constraint"));
    assert!(error.private().reveal().starts_with("list 1701: SQLSTATE 23514: "), "{}", error.private().reveal());
    assert_eq!(account.value("select count(*) from batched", json!([])).await, 0);
    // A parameter that does not fit is found before anything is sent.
    bad[1700] = json!(["x", "good"]);
    let error = account.fails("batch", insert, json!(bad)).await;
    assert_eq!(error.kind(), Kind::Input);
    assert!(error.private().reveal().starts_with("list 1701: parameter 1 (`int4`): "), "{}", error.private().reveal());
    // What only the commit refuses.
    let error = account.fails("batch", "insert into batched (id, later) values ($1, 77)", json!([[1], [2]])).await;
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(account.value("select count(*) from batched", json!([])).await, 0);

    let done = account.call("batch", insert, json!(many)).await.unwrap();
    assert_eq!((&done["rows"], done["counts"].as_array().unwrap().len()), (&json!(2500), 2500));
    assert_eq!(account.value("select count(*) from batched", json!([])).await, 2500);
    assert_eq!(account.call("batch", insert, json!([])).await.unwrap(), json!({"rows": 0, "counts": []}));
    let deleted = account.call("batch", "delete from batched where id < $1", json!([[10], [10], [30]])).await.unwrap();
    assert_eq!(deleted, json!({"rows": 30, "counts": [10, 0, 20]}));
}

/// Large parameters and much talk of the server's on the way: neither side waits for the other.
#[tokio::test]
async fn a_batch_larger_than_all_buffers_goes_through() {
    let Some(account) = app() else { return };
    account.execute("create table large (t text)").await;
    let lists: Vec<_> = (0..400).map(|_| json!(["x".repeat(50_000)])).collect();
    let done = account.call("batch", "insert into large values ($1)", json!(lists)).await.unwrap();
    assert_eq!(done["rows"], 400);
    account
        .execute(
            "create function talks(t text) returns void language plpgsql as \
             'begin perform set_config(''client_min_messages'', ''notice'', true); \
              raise notice ''%'', repeat(t, 2000); end'",
        )
        .await;
    let lists: Vec<_> = (0..900).map(|_| json!(["talk-talk-"])).collect();
    let error = account.fails("batch", "select talks($1)", json!(lists)).await;
    assert_eq!(error.kind(), Kind::Input, "{error}");
    let done =
        account.call("batch", "insert into large select 'x' from (select talks($1)) as t", json!(lists)).await.unwrap();
    assert_eq!(done["rows"], 900);
}

#[tokio::test]
async fn the_state_decides_the_kind() {
    let Some(account) = app() else { return };
    account.execute("create table stated (id int primary key)").await;
    account.execute("insert into stated values (1)").await;
    for (operation, sql, kind, state) in [
        ("query", "select * from no_such_table", Kind::Rejected, "42P01"),
        ("query", "selec 1", Kind::Rejected, "42601"),
        ("query", "select 1/0 as n", Kind::Rejected, "22012"),
        ("query", "select * from pg_authid", Kind::Authorization, "42501"),
        ("execute", "insert into stated values (1)", Kind::Conflict, "23505"),
        ("execute", "insert into stated values (null)", Kind::Conflict, "23502"),
        ("execute", "do 'begin raise exception ''peer-words''; end'", Kind::Rejected, "P0001"),
        ("execute", "do 'begin raise serialization_failure; end'", Kind::Unavailable, "40001"),
        ("query", "select pg_cancel_backend(pg_backend_pid()) as c, pg_sleep(5) as s", Kind::Timeout, "57014"),
    ] {
        let error = account.fails(operation, sql, json!([])).await;
        assert_eq!(error.kind(), kind, "{sql}: {error}");
        assert!(error.private().reveal().starts_with(&format!("SQLSTATE {state}: ")), "{}", error.private().reveal());
        let told = error.told().unwrap();
        assert_eq!((told.name, told.value.reveal().root().as_str()), ("sqlstate", Some(state)));
    }
}

/// A statement that was prepared goes on when its table was altered, or when it was forgotten.
#[tokio::test]
async fn a_prepared_statement_outlives_changes() {
    let Some(account) = app() else { return };
    account.execute("create table altered (a int)").await;
    account.execute("insert into altered values (1)").await;
    let sql = "select * from altered";
    assert_eq!(account.rows(sql, json!([])).await, json!([{"a": 1}]));
    account.execute("alter table altered add b text default 'x'").await;
    assert_eq!(account.rows(sql, json!([])).await, json!([{"a": 1, "b": "x"}]));
    account.execute("alter table altered alter a type text").await;
    assert_eq!(account.rows(sql, json!([])).await, json!([{"a": "1", "b": "x"}]));
    account.execute("deallocate all").await;
    assert_eq!(account.rows(sql, json!([])).await, json!([{"a": "1", "b": "x"}]));
    // What cannot be used any more is not left at the server.
    account.execute("alter table altered drop b").await;
    assert_eq!(account.rows(sql, json!([])).await, json!([{"a": "1"}]));
    let names = account.rows("select statement from pg_prepared_statements", json!([])).await;
    assert_eq!(names.as_array().unwrap().len(), 2, "{names}");
}

#[tokio::test]
async fn a_prepared_batch_outlives_changes() {
    let Some(account) = app() else { return };
    account.execute("create table altered_by_batches (a int, b int)").await;
    let (insert, update) =
        ("insert into altered_by_batches values ($1, 0)", "update altered_by_batches set b = b + 1 where a = $1");
    let many: Vec<_> = (0..1500).map(|n| json!([n])).collect();
    for change in ["select 1", "deallocate all", "alter table altered_by_batches alter a type numeric"] {
        account.execute(change).await;
        assert_eq!(account.call("batch", insert, json!(many)).await.unwrap()["rows"], 1500, "{change}");
        account.execute(change).await;
        account.call("batch", update, json!([[1], [2]])).await.unwrap();
    }
    assert_eq!(account.value("select count(*) from altered_by_batches", json!([])).await, 4500);
}

/// More statements than stay prepared.
#[tokio::test]
async fn prepared_statements_are_bounded() {
    let Some(account) = app() else { return };
    for n in 0..150 {
        assert_eq!(account.value(&format!("select {n} as n"), json!([])).await, n);
    }
    let count = account.value("select count(*) from pg_prepared_statements", json!([])).await;
    assert!(count.as_u64().unwrap() <= 64, "{count}");
    assert_eq!(account.value("select 0 as n", json!([])).await, 0);
}
