//! Rows as a stream of records.

use lockgate_connector_api::Kind;
use lockgate_testkit::contract::sql::streams;
use serde_json::json;

use crate::account::{Tested, app, call};

#[tokio::test]
async fn a_stream_tells_its_columns_and_gives_no_rows_beside() {
    let Some(account) = app() else { return };
    let mut call = call("query", "select 1 as n", json!([]));
    call.stream = true;
    let answer = account.invoke(call).await.unwrap();
    assert_eq!(crate::account::read(&answer.output), json!({"columns": [{"name": "n", "type": "int4"}]}));
}

/// An error after some rows ends the stream with that error.
#[tokio::test]
async fn an_error_in_the_middle_is_told() {
    let Some(account) = app() else { return };
    let error = account.records("select 1 / (3000 - n) as q from generate_series(1, 5000) as n").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
}

#[test]
fn a_million_rows_take_flat_memory() {
    streams::takes_flat_memory("streams::a_million_rows_take_flat_memory", async || {
        let sql = "select n as id, 'customer ' || n as name, (n * 1.25)::numeric(12, 2) as total, now() as at, n % 2 = 0 as even \
               from generate_series(1, 1000000) as n";
        let rows = streams::drained::<Tested>(sql).await?;
        assert_eq!(rows, 1_000_000);
        Some(format!("{rows} rows"))
    });
}
