//! Connections: how many, how long, and what is left in them.

use std::time::{Duration, Instant};

use lockgate_connector_api::Kind;
use serde_json::json;

use crate::account::{Binding, admin, app, binding, shared, soon};

#[tokio::test]
async fn nothing_of_a_call_is_left_in_its_connection() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 1, ..binding(server.port()) }.open(pki);
    let number = account.value("select connection_id()", json!([])).await;
    account.execute("create table locked (n int)").await;
    account.execute("set time_zone = '+05:00'").await;
    account.execute("set sql_mode = 'ANSI_QUOTES'").await;
    account.execute("set names latin1").await;
    account.execute("set max_statement_time = 600").await;
    account.execute("set @left_over = 1").await;
    account.execute("set autocommit = 0").await;
    account.execute("create temporary table left_over (n int)").await;
    account.rows("select get_lock('left_over', 0)", json!([])).await;
    account.execute("lock tables locked write").await;
    let state = account
        .rows(
            "select connection_id() as id, @@time_zone as zone, @@sql_mode like '%ANSI_QUOTES%' as quotes, \
             @@character_set_results as characters, @@max_statement_time <= 30 as hurried, @left_over as variable, \
             @@autocommit as commits, is_free_lock('left_over') as free, \"ä\" as quoted",
            json!([]),
        )
        .await;
    assert_eq!(
        state,
        json!([{"id": number, "zone": "+00:00", "quotes": 0, "characters": "utf8mb4", "hurried": 1, "variable": null,
                "commits": 1, "free": 1, "quoted": "ä"}])
    );
    let error = account.fails("query", "select * from left_over", json!([])).await;
    assert_eq!(error.kind(), Kind::Rejected);
    // The lock on the table is gone: another one writes.
    let other = app().unwrap();
    other.execute("insert into locked values (1)").await;
    // A transaction that a call leaves open is undone, and told.
    for sql in ["begin", "start transaction"] {
        assert_eq!(account.fails("execute", sql, json!([])).await.kind(), Kind::Input);
    }
    assert_eq!(account.value("select connection_id()", json!([])).await, number);
    // A reset keeps the database that was chosen, so its connection is not kept.
    for chosen in ["use information_schema", "/* hidden */ use information_schema", "set role none"] {
        account.execute(chosen).await;
        assert_eq!(account.value("select database()", json!([])).await, "peer", "{chosen}");
    }
    assert_ne!(account.value("select connection_id()", json!([])).await, number);
}

/// A connection that may be asked for a file serves its one call.
#[tokio::test]
async fn a_connection_that_loads_is_not_kept() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 2, ..binding(server.port()) }.open(pki);
    account.execute("create table loads_once (a int, n bigint)").await;
    account
        .execute("create trigger loads_once before insert on loads_once for each row set new.n = connection_id()")
        .await;
    for n in [1, 2] {
        let input = json!({"table": "loads_once", "columns": ["a"], "body": format!("a\n{n}\n")});
        account.output("load", input).await.unwrap();
    }
    let numbers = account.rows("select n from loads_once order by n", json!([])).await;
    let own = account.value("select connection_id()", json!([])).await;
    assert!(numbers[0]["n"] != numbers[1]["n"] && numbers[0]["n"] != own && numbers[1]["n"] != own, "{numbers} {own}");
    let admin = admin().unwrap();
    let sql = "select count(*) from information_schema.processlist where id in (?, ?)";
    let end = soon();
    while admin.value(sql, json!([numbers[0]["n"], numbers[1]["n"]])).await != 0 {
        assert!(Instant::now() < end, "it stays open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
