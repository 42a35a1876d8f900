//! Transactions of several steps, as far as they are PostgreSQL's own.

use lockgate_connector_api::Kind;
use serde_json::json;

use crate::account::{Binding, app, binding, shared};

/// A statement that was prepared before its table was altered does not fail the transaction.
#[tokio::test]
async fn a_table_that_was_altered_meanwhile_does_not_matter() {
    let Some((pki, server)) = shared() else { return };
    let account = Binding { connections_max: 2, ..binding(server.port()) }.open(pki);
    account.execute("create table altered_between (n int)").await;
    let steps =
        json!({"steps": [{"sql": "insert into altered_between values (1)"}, {"sql": "select * from altered_between"}]});
    account.output("transaction", steps.clone()).await.unwrap();
    app().unwrap().execute("alter table altered_between add m int default 5").await;
    let given = account.output("transaction", steps).await.unwrap();
    assert_eq!(given["steps"][1]["returned"], json!([{"n": 1, "m": 5}, {"n": 1, "m": 5}]));
}

/// A procedure cannot end the transaction that it is called in.
#[tokio::test]
async fn a_procedure_that_commits_is_refused() {
    let Some(account) = app() else { return };
    account.execute("create table kept_together (n int)").await;
    account
        .execute("create procedure commits_within() language plpgsql as 'begin insert into kept_together values (2); commit; end'")
        .await;
    let steps = json!({"steps": [{"sql": "insert into kept_together values (1)"}, {"sql": "call commits_within()"}]});
    assert_eq!(account.output("transaction", steps).await.unwrap_err().kind(), Kind::Rejected);
    assert_eq!(account.value("select count(*) from kept_together", json!([])).await, 0);
}
