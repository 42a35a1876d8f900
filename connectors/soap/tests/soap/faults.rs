//! What a broken network does: every call ends within its deadline, and what is reported done is done.

use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use lockgate_connector_api::{Body, Call, Error};
use lockgate_testkit::{
    FaultProxy, Pki, SoapPeer,
    contract::faults::{DEADLINE, clean, each, everywhere},
};
use serde_json::{Value, json};

use crate::account::{Account, call, read, wsdl};

fn parcels(text: &str, operation: &str, input: Value) -> Call {
    let input = json!({"wsdl": wsdl(text), "port": "Application", "operation": operation, "input": input});
    Call { deadline: Instant::now() + DEADLINE, ..call("call", input) }
}

fn send(text: &str, number: &str) -> Call {
    let lines: Vec<Value> = (0..200).map(|n| json!({"article": format!("a-{n}"), "count": 1, "weight": 0.5})).collect();
    parcels(
        text,
        "send",
        json!({"parcel": {"number": number, "sent": "2026-11-23T06:30:00Z", "lines": {"Line": lines}}}),
    )
}

fn find(text: &str, number: &str) -> Call {
    parcels(text, "find", json!({"number": number}))
}

async fn account(pki: &Pki, port: u16) -> Account {
    Account::open(pki, &format!("https://localhost:{port}"), &[], &[])
}

/// Bytes that a call carries both ways when nothing breaks.
async fn totals(pki: &Pki, port: u16, one: Call) -> (u64, u64) {
    let proxy = FaultProxy::start(port).await;
    account(pki, proxy.port()).await.invoke(one).await.unwrap();
    proxy.carried()
}

#[tokio::test]
async fn a_message_that_is_told_as_taken_was_taken_as_a_whole() {
    let pki = Pki::new();
    let Some(server) = SoapPeer::spyne(&pki, "1.1") else { return };
    let (pki, port, text) = (&pki, server.port(), &*server.description(&pki, "/?wsdl"));
    let faults = everywhere(totals(pki, port, send(text, "first")).await);
    let looking = &account(pki, port).await;
    let whole = read(&looking.invoke(find(text, "first")).await.unwrap().output);
    let lines = whole["output"]["findResult"]["lines"].clone();
    each(faults, port, async |n, fault, port| {
        let (number, what) = (format!("P-{n}"), format!("{fault:?}"));
        let begun = Instant::now();
        let done = clean(account(pki, port).await.invoke(send(text, &number)).await, begun, &what);
        let told = done.as_ref().map(|answer| read(&answer.output));
        assert!(told.is_none_or(|told| told == json!({"output": {"sendResult": "100.0"}})), "{what}");
        let there = looking
            .invoke(find(text, &number))
            .await
            .map(|answer| read(&answer.output)["output"]["findResult"]["lines"].clone());
        match there {
            Ok(there) => assert!(there == lines, "{what}: a part of it is there"),
            Err(error) => assert!(error.code() == "soap-fault" && done.is_none(), "{what}: told as done: {error}"),
        }
        done.is_none()
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_whole_or_an_error() {
    let pki = Pki::new();
    let Some(server) = SoapPeer::spyne(&pki, "1.1") else { return };
    let (pki, port, text) = (&pki, server.port(), &*server.description(&pki, "/?wsdl"));
    let direct = account(pki, port).await;
    direct.invoke(send(text, "first")).await.unwrap();
    let whole = read(&direct.invoke(find(text, "first")).await.unwrap().output);
    let faults = everywhere(totals(pki, port, find(text, "first")).await);
    each(faults, port, async |_, fault, port| {
        let begun = Instant::now();
        let found = clean(account(pki, port).await.invoke(find(text, "first")).await, begun, &format!("{fault:?}"));
        let is_failed = found.is_none();
        assert!(found.is_none_or(|found| read(&found.output) == whole), "{fault:?}: a short success");
        is_failed
    })
    .await;
}

/// Bytes of attachments.
const BYTES: usize = 400_000;

/// What the service gives, and what it expects.
fn content() -> Vec<u8> {
    (0..BYTES).map(|n| n.to_le_bytes()[0]).collect()
}

fn files(operation: &str, input: Value) -> Call {
    let wsdl = wsdl(include_str!("../files.wsdl"));
    let input = json!({"wsdl": wsdl, "port": "FilesPort", "operation": operation, "input": input});
    Call { deadline: Instant::now() + DEADLINE, ..call("call", input) }
}

fn store() -> Call {
    let pieces: Vec<_> = content().chunks(10_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let body = Some(Body::new(stream::iter(pieces)));
    Call { body, ..files("store", json!({"name": "a", "content": "cid:attachment"})) }
}

fn fetch() -> Call {
    Call { stream: true, ..files("fetch", json!({"name": BYTES.to_string()})) }
}

async fn at_files(pki: &Pki, port: u16) -> Account {
    Account::open(pki, &format!("https://localhost:{port}/files"), &[], &[])
}

/// The content of the attachment, where there is one.
async fn done(pki: &Pki, port: u16, one: Call) -> Result<(Value, Option<Bytes>), Error> {
    let answer = at_files(pki, port).await.invoke(one).await?;
    let content = match answer.stream {
        Some(stream) => Some(stream.bytes().unwrap().collect(1 << 20).await?),
        None => None,
    };
    Ok((read(&answer.output), content))
}

#[tokio::test]
async fn an_attachment_is_whole_or_an_error() {
    let pki = Pki::new();
    let Some(server) = SoapPeer::mtom(&pki) else { return };
    let (pki, whole) = (&pki, &content());
    for one in [store, fetch] {
        let proxy = FaultProxy::start(server.port()).await;
        done(pki, proxy.port(), one()).await.unwrap();
        each(everywhere(proxy.carried()), server.port(), async |_, fault, port| {
            let (begun, what) = (Instant::now(), format!("{fault:?}"));
            match clean(done(pki, port, one()).await, begun, &what) {
                None => true,
                Some((_, Some(content))) => {
                    assert!(content == *whole, "{what}: a short success");
                    false
                }
                Some((output, None)) => {
                    assert_eq!(output, json!({"output": {"bytes": BYTES.to_string()}}), "{what}");
                    false
                }
            }
        })
        .await;
    }
}
