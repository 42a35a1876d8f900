//! What the operations do and what they do not.

use lockgate_connector_api::Kind;
use serde_json::json;

use crate::account::{admin, app, binding, call, shared};

#[tokio::test]
async fn parameters_stay_data() {
    let Some(account) = app() else { return };
    account.execute("create table injected (name text)").await;
    for evil in
        ["'; drop table injected; --", "\\'; drop table injected; --", "?", "%s", "\"", "a\u{0}b", "x' or 'a'='a", "😀"]
    {
        let insert = "insert into injected values (?)";
        assert_eq!(account.call("execute", insert, json!([evil])).await.unwrap(), json!({"rows": 1}));
        let found = account.rows("select name from injected where name = binary ?", json!([evil])).await;
        assert_eq!(found, json!([{"name": evil}]));
    }
    assert_eq!(account.value("select count(*) from injected", json!([])).await, 8);
    // Two statements are not one.
    let error = account.fails("execute", "delete from injected; select 1", json!([])).await;
    assert_eq!((error.kind(), error.code()), (Kind::Rejected, "mysql-statement"));
    assert_eq!(account.value("select count(*) from injected", json!([])).await, 8);
}

#[tokio::test]
async fn a_query_only_reads() {
    let Some((_, server)) = shared() else { return };
    let account = app().unwrap();
    account.execute("create table only_read (n int)").await;
    account.execute("create sequence only_read_numbers").await;
    account
        .execute("create function only_read_writes() returns int begin insert into only_read values (1); return 1; end")
        .await;
    for sql in [
        "insert into only_read values (1) returning n",
        "select only_read_writes()",
        "select nextval(only_read_numbers)",
    ] {
        let error = account.fails("query", sql, json!([])).await;
        assert_eq!((error.kind(), error.code()), (Kind::Rejected, "mysql-read-only"), "{sql}");
        assert!(error.private().reveal().starts_with("SQLSTATE 25006: error 1792: "));
    }
    assert_eq!(account.value("select count(*) from only_read", json!([])).await, 0);
    // Not even who may write files.
    let file = server.folder().join("data/written");
    let sql = format!("select 1 as a into outfile '{}'", file.display());
    let error = admin().unwrap().fails("query", &sql, json!([])).await;
    assert!(matches!(error.kind(), Kind::Input | Kind::Rejected), "{error}");
    assert!(!file.exists(), "a query wrote a file");
    // What gives no rows is no query, whatever it does; it is not even begun.
    for sql in
        ["drop table only_read", "insert into only_read values (1)", "commit", "do only_read_writes()", "set @a = 1"]
    {
        let error = account.fails("query", sql, json!([])).await;
        assert!(matches!(error.kind(), Kind::Input | Kind::Rejected), "{sql}: {error}");
    }
    assert_eq!(account.value("select count(*) from only_read", json!([])).await, 0);
}

#[tokio::test]
async fn a_query_gives_rows_and_columns() {
    let Some(account) = app() else { return };
    let sql = "select seq as n, concat('r', seq) as name from seq_1_to_3 where seq <= ?";
    let answer = account.invoke(call("query", sql, json!([2]))).await.unwrap();
    assert_eq!(
        crate::account::text(&answer.output),
        r#"{"rows":[{"n":1,"name":"r1"},{"n":2,"name":"r2"}],"columns":[{"name":"n","type":"bigint unsigned"},{"name":"name","type":"varchar"}]}"#
    );
    assert_eq!((answer.written, answer.read), (8, 2 * (2 + 8 + 3)));
    assert_eq!(account.rows(sql, json!([0])).await, json!([]));
}

#[tokio::test]
async fn rows_past_the_limit_are_too_large() {
    let Some(account) = app() else { return };
    for sql in ["select repeat('x', 1000) as x from seq_1_to_2000", "select repeat('x', 2000000) as x"] {
        let mut call = call("query", sql, json!([]));
        call.limits.reply_bytes_max = 1_000_000;
        let error = account.invoke(call).await.unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge, "{sql}");
    }
    // What the arena cannot hold is too large as well.
    let mut call = call("query", "select seq as n from seq_1_to_100000", json!([]));
    call.limits.arena_bytes_max = 1 << 20;
    assert_eq!(account.invoke(call).await.unwrap_err().kind(), Kind::TooLarge);
    assert_eq!(account.value("select 1 as one", json!([])).await, 1);
}

/// A row of several packets, each way.
#[tokio::test]
async fn values_larger_than_a_packet_go_through() {
    let Some((pki, server)) = shared() else { return };
    admin().unwrap().execute("set global max_allowed_packet = 67108864").await;
    let account = binding(server.port()).open(pki);
    let text = "x".repeat(0xff_ffff + 100);
    let mut large = call("query", "select ? as x, length(?) as n", json!([text, text]));
    large.limits = lockgate_model::Limits { reply_bytes_max: 40 << 20, arena_bytes_max: 200 << 20, ..large.limits };
    let answer = account.invoke(large).await.unwrap();
    let rows = crate::account::read(&answer.output);
    assert_eq!(rows["rows"][0]["n"], text.len());
    assert!(rows["rows"][0]["x"] == text.as_str());
}

#[tokio::test]
async fn a_statement_counts_and_returns() {
    let Some(account) = app() else { return };
    assert_eq!(
        account.execute("create table counted (id int auto_increment primary key, name varchar(20) unique)").await,
        json!({"rows": 0})
    );
    let insert = "insert into counted (name) select concat('n', seq) from seq_1_to_9 where seq <= ? returning id, name";
    let answer = account.call("execute", insert, json!([2])).await.unwrap();
    assert_eq!(answer, json!({"rows": 2, "returned": [{"id": 1, "name": "n1"}, {"id": 2, "name": "n2"}]}));
    assert_eq!(account.execute("update counted set name = concat(name, 'x')").await, json!({"rows": 2}));
    // Rows that are found count, as they are or changed.
    assert_eq!(account.execute("update counted set name = name").await, json!({"rows": 2}));
    assert_eq!(account.execute("delete from counted").await, json!({"rows": 2}));
    assert_eq!(account.execute("optimize table counted").await["returned"][0]["Op"], "optimize");
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let Some(account) = app() else { return };
    account.execute("create table batched (id int primary key, name varchar(9) check (name <> 'bad'))").await;
    let insert = "insert into batched values (?, ?)";
    let many: Vec<_> = (0..500).map(|n| json!([n, "good"])).collect();
    let mut bad = many.clone();
    bad[370] = json!([370, "bad"]);
    let error = account.fails("batch", insert, json!(bad)).await;
    assert_eq!((error.kind(), error.code()), (Kind::Conflict, "mysql-constraint"));
    assert!(
        error.private().reveal().starts_with("list 371: SQLSTATE 23000: error 4025: "),
        "{}",
        error.private().reveal()
    );
    assert_eq!(account.value("select count(*) from batched", json!([])).await, 0);
    // A parameter that nothing holds is found before anything is sent.
    let lists = json!([
        [1, "good"],
        [serde_json::from_str::<serde_json::Value>(&"9".repeat(70)).unwrap_or(json!("x")), "good", 3]
    ]);
    let error = account.fails("batch", insert, lists).await;
    assert_eq!(error.kind(), Kind::Input);
    assert!(error.private().reveal().starts_with("list 2: "), "{}", error.private().reveal());
    // A statement that ends the transaction is no batch: what it ended is done, and told.
    account.execute("create table ended (n int)").await;
    let error = account.fails("batch", "truncate table ended", json!([[], []])).await;
    assert_eq!(error.kind(), Kind::Input);

    let done = account.call("batch", insert, json!(many)).await.unwrap();
    assert_eq!((&done["rows"], done["counts"].as_array().unwrap().len()), (&json!(500), 500));
    assert_eq!(account.value("select count(*) from batched", json!([])).await, 500);
    assert_eq!(account.call("batch", insert, json!([])).await.unwrap(), json!({"rows": 0, "counts": []}));
    let deleted = account.call("batch", "delete from batched where id < ?", json!([[10], [10], [30]])).await.unwrap();
    assert_eq!(deleted, json!({"rows": 30, "counts": [10, 0, 20]}));
}

#[tokio::test]
async fn number_and_state_decide_the_kind() {
    let Some(account) = app() else { return };
    account.execute("create table stated (id int primary key, small tinyint, short varchar(3))").await;
    account.execute("insert into stated values (1, 1, 'a')").await;
    for (operation, sql, kind, state) in [
        ("query", "select * from no_such_table", Kind::Rejected, "42S02: error 1146"),
        ("query", "selec 1", Kind::Rejected, "42000: error 1064"),
        ("query", "select * from mysql.user", Kind::Authorization, "42000: error 1142"),
        ("execute", "insert into stated values (1, 1, 'a')", Kind::Conflict, "23000: error 1062"),
        ("execute", "insert into stated values (null, 1, 'a')", Kind::Conflict, "23000: error 1048"),
        ("execute", "insert into stated values (2, 1000, 'a')", Kind::Rejected, "22003: error 1264"),
        ("execute", "insert into stated values (2, 1, 'abcd')", Kind::Rejected, "22001: error 1406"),
        ("execute", "insert into stated values (2, 1/0, 'a')", Kind::Rejected, "22012: error 1365"),
        ("execute", "insert into stated values (2, 'x', 'a')", Kind::Rejected, "22007: error 1366"),
        ("execute", "signal sqlstate '45000'", Kind::Rejected, "45000: error 1644"),
        ("execute", "signal sqlstate '40001'", Kind::Unavailable, "40001: error 1644"),
        ("execute", "signal sqlstate '02000'", Kind::NotFound, "02000: error 1643"),
        ("execute", "create database elsewhere", Kind::Authorization, "42000: error 1044"),
        ("execute", "load data local infile 'body' into table stated", Kind::Input, ""),
        ("execute", "load data infile '/etc/passwd' into table stated", Kind::Authorization, "28000: error 1045"),
    ] {
        let error = account.fails(operation, sql, json!([])).await;
        assert_eq!(error.kind(), kind, "{sql}: {error} {}", error.private().reveal());
        let told = error.private().reveal();
        assert!(told.starts_with(&format!("SQLSTATE {state}")), "{sql}: {told}");
    }
    assert_eq!(account.value("select count(*) from stated", json!([])).await, 1);
}

/// A transaction that waits for another is ended by the server, and may be tried again.
#[tokio::test]
async fn contention_may_be_repeated() {
    let Some(account) = app() else { return };
    account.execute("create table contended (id int primary key, n int)").await;
    account.execute("insert into contended values (1, 0), (2, 0)").await;
    let one = json!([[1], [2]]);
    let other = json!([[2], [1]]);
    let sql = "update contended set n = n + 1 + sleep(0.3) where id = ?";
    let (first, second) = tokio::join!(account.call("batch", sql, one), account.call("batch", sql, other));
    let error = first.and(second).expect_err("one of them is in the way of the other");
    assert_eq!((error.kind(), error.code()), (Kind::Unavailable, "mysql-contention"));
    assert_eq!(account.value("select sum(n) from contended", json!([])).await, 2);
}
