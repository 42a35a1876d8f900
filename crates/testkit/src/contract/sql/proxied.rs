//! A database by way of an HTTP proxy: its connections go through it, those that end a statement too, and
//! nothing goes past it.

use std::time::{Duration, Instant};

use lockgate_connector_api::{Body, Call, Kind};
use serde_json::json;

use super::{Account, Binding, Database, Server as _, call, endings::runs_at_the_server, loads::load};
use crate::{ConnectProxy, Tinyproxy, connect_proxy::Behaviour};

/// Statements, loads, streams and what ends them go through a proxy, and there is no way past it.
pub async fn statements_go_through_a_proxy_and_not_past_it<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
    for (table, behaviour) in [("by_proxy", Behaviour::Tunnels), ("at_once", Behaviour::TunnelsAtOnce)] {
        let proxy = ConnectProxy::start(behaviour).await;
        let (setting, egress) = (Some(proxy.setting()), proxy.egress(true, true));
        let binding = Binding { proxy: setting, egress, ..Binding::app::<D>(server.port()) };
        passes::<D>(&binding.open(pki), table, || proxy.asked().len()).await;
        let asked = proxy.asked();
        let to = format!("CONNECT 127.0.0.9:{} HTTP/1.1\r\n", server.port());
        assert!(asked.iter().all(|head| head.starts_with(&to)), "{asked:?}");
    }
}

/// The same with a proxy of somebody else's.
pub async fn statements_go_through_somebody_elses_proxy<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
    let Some(proxy) = Tinyproxy::start("") else { return };
    let binding = Binding { proxy: Some(proxy.setting()), ..Binding::app::<D>(server.port()) };
    passes::<D>(&binding.open(pki), "by_tinyproxy", || proxy.asked()).await;
}

/// One operation after the other, and statements that are ended: at a deadline, and because nobody waits.
async fn passes<D: Database>(account: &Account, table: &str, tunnels: impl Fn() -> usize) {
    account.test().await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    account.execute(&format!("create table {table} (id int, x varchar(20))")).await;
    let lines: String = (0..20_000).fold("id,x\n".to_owned(), |all, n| format!("{all}{n},x{n}\n"));
    let one = load(&json!({"table": table, "columns": ["id", "x"]}), Body::full(lines));
    account.invoke(one).await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    assert_eq!(account.value(&format!("select count(*) from {table}"), json!([])).await, 20_000);
    let rows = account.records(&format!("select id, x from {table}")).await.unwrap();
    assert_eq!(rows.len(), 20_000);
    let mark = format!("ended_{table}");
    let endless = format!("select {} as {mark}", D::sleep(60.0));
    let begun = Instant::now();
    let late = Call { deadline: begun + Duration::from_secs(1), ..call("query", &endless, json!([])) };
    let running = tokio::spawn({
        let account = account.clone();
        async move { account.invoke(late).await }
    });
    runs_at_the_server::<D>(&mark, 1).await;
    assert_eq!(running.await.unwrap().expect_err("it takes a minute").kind(), Kind::Timeout);
    runs_at_the_server::<D>(&mark, 0).await;
    // Dropped where the deadline is far: what ends it at the server is the cancel, or the kill.
    let mark = format!("dropped_{table}");
    let running = tokio::spawn({
        let (account, sql) = (account.clone(), format!("select {} as {mark}", D::sleep(60.0)));
        async move { account.call("query", &sql, json!([])).await }
    });
    runs_at_the_server::<D>(&mark, 1).await;
    let before = tunnels();
    running.abort();
    runs_at_the_server::<D>(&mark, 0).await;
    assert!(tunnels() > before, "what ended the statement did not go through the proxy");
    assert!(begun.elapsed() < Duration::from_secs(40), "the statement ended by itself");
}
