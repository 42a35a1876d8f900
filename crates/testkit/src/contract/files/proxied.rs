//! Files by way of an HTTP proxy: everything goes through it, and nothing past it.

use std::{fs, sync::Arc};

use serde_json::json;

use super::{Account, Kind, Server, Unusual, content, each_server, generated, put, streamed};
use crate::{ConnectProxy, Tinyproxy, connect_proxy::Behaviour, contract::loopback};

/// Enough for more than one piece, however large these are.
const BYTES: u64 = 5 << 20;

pub async fn files_go_through_a_proxy_and_not_past_it<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        for behaviour in [Behaviour::Tunnels, Behaviour::TunnelsAtOnce] {
            let proxy = ConnectProxy::start(behaviour).await;
            let mut account = behind(kind, server, &proxy.setting());
            // There is no way to the server but by the proxy.
            account.cx.egress = Arc::new(proxy.egress(true, true));
            passes(kind, server, &account).await;
            let asked = proxy.asked();
            assert!(asked.iter().all(|head| head.starts_with("CONNECT 127.0.0.9:")), "{kind:?}: {asked:?}");
        }
    })
    .await;
}

pub async fn files_go_through_somebody_elses_proxy<K: Kind>() {
    let Some(proxy) = Tinyproxy::start("") else { return };
    each_server(async |kind: K, server: &K::Server| {
        let mut account = behind(kind, server, &proxy.setting());
        account.cx.egress = Arc::new(loopback());
        passes(kind, server, &account).await;
    })
    .await;
    assert!(proxy.asked() >= K::ALL.len(), "{} tunnels", proxy.asked());
}

fn behind<K: Kind>(kind: K, server: &K::Server, proxy: &str) -> Account {
    kind.open(Unusual { server: Some(server), settings: &[("proxy", proxy)], ..Unusual::at(server.port()) })
}

/// One operation after the other.
async fn passes<K: Kind>(kind: K, server: &K::Server, account: &Account) {
    let whole = content(0, usize::try_from(BYTES).unwrap());
    let passed = async {
        account.test().await?;
        account.call("mkdir", json!({"path": "box"})).await?;
        account.invoke(put("box/big", generated(BYTES))).await?;
        assert!(fs::read(server.files().join("box/big")).unwrap() == whole, "{kind:?}: another content was stored");
        let read = account.stream(streamed("box/big")).await?.collect(BYTES).await?;
        assert!(read == whole, "{kind:?}: another content was read");
        let listed = account.call("list", json!({"path": "box"})).await?;
        assert_eq!(listed["entries"][0]["size"], BYTES, "{kind:?}: {listed}");
        account.call("move", json!({"from": "box/big", "to": "box/bigger"})).await?;
        account.call("delete", json!({"path": "box/bigger"})).await
    };
    passed.await.unwrap_or_else(|e| panic!("{kind:?}: {e}, {}", e.private().reveal()));
    fs::remove_dir(server.files().join("box")).unwrap();
}
