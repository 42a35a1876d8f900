//! Connections: how many, and who has to leave one to others.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use lockgate_connector_api::{Call, Kind};
use serde_json::json;

use super::{Account, Binding, Database, Server as _, call, endings::runs_at_the_server, soon};

/// No more connections than the account may have; who gets none until the deadline is told so.
pub async fn calls_wait_for_a_connection<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
    let account = Binding { connections_max: 3, ..Binding::app::<D>(server.port()) }.open(pki);
    let sql = format!("{} as id, {} as s", D::CONNECTION, D::sleep(0.02));
    let rows = join_all((0..24).map(|_| account.rows(&sql, json!([])))).await;
    let mut numbers: Vec<_> = rows.iter().map(|r| r[0]["id"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert!((1..=3).contains(&numbers.len()), "{numbers:?}");
    // All taken until the deadline.
    let taking: Vec<_> = (0..3)
        .map(|_| {
            let (account, sql) = (account.clone(), format!("select {} as taken", D::sleep(60.0)));
            tokio::spawn(async move { account.call("query", &sql, json!([])).await })
        })
        .collect();
    runs_at_the_server::<D>(" as taken", 3).await;
    let mut call = call("query", "select 1 as one", json!([]));
    call.deadline = Instant::now() + Duration::from_millis(300);
    let error = account.invoke(call).await.unwrap_err();
    assert!(error.kind() == Kind::Timeout && error.code().ends_with("-busy"), "{error}");
    // Dropped, they give their connections back once they have ended at the server.
    taking.iter().for_each(tokio::task::JoinHandle::abort);
    account.test().await.unwrap();
}

/// What a stream flows into may need a connection of the same account.
pub async fn streams_leave_a_connection_to_the_calls_they_flow_into<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
    let account = Binding { connections_max: 2, ..Binding::app::<D>(server.port()) }.open(pki);
    let stream = |deadline| {
        let endless = call("query", &D::numbers(100_000_000), json!([]));
        account.invoke(Call { stream: true, deadline, ..endless })
    };
    let held = stream(soon()).await.unwrap();
    let error = stream(Instant::now() + Duration::from_millis(300)).await.unwrap_err();
    assert!(error.kind() == Kind::Timeout && error.code().ends_with("-busy"), "{error}");
    assert_eq!(account.value("select 1 as one", json!([])).await, 1);
    drop(held);
    stream(soon()).await.unwrap();
}

/// A connection serves one call after the other, failed ones too.
pub async fn a_connection_is_kept_for_the_next_call<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    let first = account.value(D::CONNECTION, json!([])).await;
    for _ in 0..3 {
        assert_eq!(account.value(D::CONNECTION, json!([])).await, first);
        account.fails("query", "select nowhere as n", json!([])).await;
    }
}
