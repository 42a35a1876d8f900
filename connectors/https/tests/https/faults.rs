//! What a broken network does: every call ends within its deadline, and what is reported done is
//! done as a whole.

use std::{
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::stream;
use lockgate_connector_api::{Body, Call};
use lockgate_testkit::{
    FaultProxy, Nginx, Pki,
    contract::faults::{DEADLINE, clean, each, everywhere},
    fault_proxy::Fault,
    pki::Server,
};
use serde_json::json;

use crate::account::{Account, call};

const BYTES: usize = 400_000;

fn whole() -> Vec<u8> {
    (0..BYTES as u32 / 4).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect()
}

/// A path below `/base` of the account's address.
fn put(name: &str) -> Call {
    let pieces: Vec<_> = whole().chunks(10_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let body = Body::new(stream::iter(pieces)).with_length(Some(BYTES as u64));
    Call { body: Some(body), deadline: Instant::now() + DEADLINE, ..call("put", json!({"path": name})) }
}

fn get(name: &str) -> Call {
    Call { stream: true, deadline: Instant::now() + DEADLINE, ..call("get", json!({"path": name})) }
}

/// The content of a streamed reply.
async fn content(account: &Account, name: &str) -> Result<Vec<u8>, lockgate_connector_api::Error> {
    account.invoke(get(name)).await?.stream.unwrap().bytes().unwrap().collect(u64::MAX).await.map(|b| b.to_vec())
}

/// Bytes that a call carries both ways when nothing breaks.
async fn totals(pki: &Pki, server: &Nginx, one: Call) -> (u64, u64) {
    let proxy = FaultProxy::start(server.port()).await;
    let account = Account::open(pki, proxy.port(), &[], &[]);
    if let Some(stream) = account.invoke(one).await.unwrap().stream {
        stream.bytes().unwrap().collect(u64::MAX).await.unwrap();
    }
    proxy.carried()
}

#[tokio::test]
async fn a_put_is_whole_or_not_there() {
    let pki = Pki::new();
    let Some(server) = Nginx::start(&pki, Server::Good, false) else { return };
    let (pki, server, whole) = (&pki, &server, &whole());
    let faults = everywhere(totals(pki, server, put("first")).await);
    assert!(fs::read(server.stored().join("first")).unwrap() == *whole);
    each(faults, server.port(), async |n, fault, port| {
        let (name, what) = (format!("final-{n}"), format!("{fault:?}"));
        let account = Account::open(pki, port, &[], &[]);
        let begun = Instant::now();
        let done = clean(account.invoke(put(&name)).await, begun, &what).is_some();
        let there = fs::read(server.stored().join(&name)).ok();
        assert!(there.as_ref().is_none_or(|there| there == whole), "{what}: a part of it is there");
        assert!(!done || there.is_some(), "{what}: success without the file");
        !done
    })
    .await;
}

#[tokio::test]
async fn a_get_is_whole_or_fails() {
    let pki = Pki::new();
    let Some(server) = Nginx::start(&pki, Server::Good, false) else { return };
    let (pki, whole) = (&pki, &whole());
    fs::write(server.stored().join("file"), whole).unwrap();
    let faults = everywhere(totals(pki, &server, get("file")).await);
    each(faults, server.port(), async |_, fault, port| {
        let account = Account::open(pki, port, &[], &[]);
        let begun = Instant::now();
        match clean(content(&account, "file").await, begun, &format!("{fault:?}")) {
            Some(bytes) => assert!(bytes == *whole, "{fault:?}: a short success"),
            None => return true,
        }
        false
    })
    .await;
}

#[tokio::test]
async fn a_slow_network_is_only_slow() {
    let pki = Pki::new();
    let Some(server) = Nginx::start(&pki, Server::Good, false) else { return };
    let proxy = FaultProxy::start(server.port()).await;
    proxy.always(Fault::Latency(Duration::from_millis(20)));
    let account = Account::open(&pki, proxy.port(), &[], &[]);
    account.invoke(Call { deadline: Instant::now() + Duration::from_secs(20), ..put("file") }).await.unwrap();
    assert!(content(&account, "file").await.unwrap() == whole());
}
