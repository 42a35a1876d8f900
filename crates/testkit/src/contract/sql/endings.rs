//! Statements that end otherwise than by themselves: at their deadline, or because nobody waits for them.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lockgate_connector_api::{Call, Kind, Streamed};
use serde_json::json;

use super::{Account, Database, call, soon};
use crate::contract::tells_nothing;

/// Waits until so many connections of `app` run something that holds `mark`.
pub async fn runs_at_the_server<D: Database>(mark: &str, times: u32) {
    let admin = Account::admin::<D>().unwrap();
    let end = soon();
    while admin.value(D::RUNNING, json!([mark])).await != times {
        assert!(Instant::now() < end, "`{mark}` does not run {times} times");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The deadline ends a statement at the server too, and a batch with all that it did.
pub async fn the_deadline_ends_the_statement_at_the_server<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    for operation in ["query", "execute"] {
        let sql = format!("select {} as deadline_{operation}", D::sleep(60.0));
        let begun = Instant::now();
        let call = Call { deadline: begun + Duration::from_millis(300), ..call(operation, &sql, json!([])) };
        let error = account.invoke(call).await.unwrap_err();
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Timeout, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
        runs_at_the_server::<D>(&format!("deadline_{operation}"), 0).await;
    }
    account.execute("create table nowhere (n int)").await;
    let mut batch = call("batch", D::SLEEPY_INSERT, json!([[0], [60]]));
    batch.deadline = Instant::now() + Duration::from_millis(500);
    assert_eq!(account.invoke(batch).await.unwrap_err().kind(), Kind::Timeout);
    runs_at_the_server::<D>("insert into nowhere", 0).await;
    assert_eq!(account.value("select count(*) from nowhere", json!([])).await, 0);
}

/// So does dropping the call, and dropping its stream.
pub async fn what_is_dropped_is_ended_at_the_server<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    let running = tokio::spawn({
        let (account, sql) = (account.clone(), format!("select {} as dropped_call", D::sleep(60.0)));
        async move { account.call("query", &sql, json!([])).await }
    });
    runs_at_the_server::<D>("dropped_call", 1).await;
    running.abort();
    runs_at_the_server::<D>("dropped_call", 0).await;
    let sql = format!("select n as dropped_stream, x from ({}) as r", D::numbers(10_000_000));
    let call = Call { stream: true, ..call("query", &sql, json!([])) };
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("no records") };
    records.next().await.unwrap().unwrap();
    runs_at_the_server::<D>("dropped_stream", 1).await;
    drop(records);
    runs_at_the_server::<D>("dropped_stream", 0).await;
    account.test().await.unwrap();
}

/// A stream ends at its deadline, with an error.
pub async fn the_deadline_ends_a_stream<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    let sql = format!(
        "select repeat('x', 10000) as late_stream, {} as s from ({}) as r",
        D::sleep(0.01),
        D::numbers(100_000)
    );
    let mut call = Call { stream: true, ..call("query", &sql, json!([])) };
    call.deadline = Instant::now() + Duration::from_secs(3);
    let Some(Streamed::Records(mut records)) = account.invoke(call).await.unwrap().stream else { panic!("no records") };
    let error = loop {
        match records.next().await.unwrap() {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Timeout, "{error}");
    assert!(records.next().await.is_none());
    runs_at_the_server::<D>("late_stream", 0).await;
}
