//! An attachment of a gigabyte passes in and out in little memory, seen from outside: the work is done by a process of
//! its own, whose largest resident memory the kernel tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a broken premise must fail the test on the spot")]

use std::{
    env,
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Address, Body, Call, Config, Registry, Scheme};
use lockgate_document::Document;
use lockgate_model::{Limits, definition::ServerIdentity};
use lockgate_testkit::{
    Pki, SoapPeer,
    contract::{context, loopback},
    process::peak_rss_bytes,
};
use serde_json::{Value, json};

const BYTES: u64 = 1 << 30;
const RESIDENT_BYTES_MAX: u64 = 64 << 20;
/// Set for the process that does the work.
const WORKER: &str = "LOCKGATE_TEST_BIG_WORKER";

#[test]
fn a_gigabyte_passes_in_little_memory() {
    if env::var_os(WORKER).is_some() {
        return work();
    }
    if SoapPeer::mtom(&Pki::new()).is_none() {
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_gigabyte_passes_in_little_memory", "--nocapture"])
        .env(WORKER, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let told = told.lines().find(|line| line.contains("resident")).unwrap();
    println!("{told}");
    let resident: u64 = told.split_whitespace().last().unwrap().parse().unwrap();
    assert!(resident < RESIDENT_BYTES_MAX, "{resident} bytes resident");
}

/// What the content is, over and over.
static BLOCK: LazyLock<Bytes> = LazyLock::new(|| (0..1_u32 << 20).map(|n| n.to_le_bytes()[0]).collect());

fn call(operation: &str, input: Value) -> Call {
    let wsdl = json!({"main": "files.wsdl", "documents": {"files.wsdl": include_str!("files.wsdl")}});
    let input = json!({"wsdl": wsdl, "port": "FilesPort", "operation": operation, "input": input});
    let input = Document::parse(input.to_string().as_bytes(), &Limits::default()).unwrap();
    Call::new("call", input, Instant::now() + Duration::from_secs(600))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn work() {
    let pki = Pki::new();
    let server = SoapPeer::mtom(&pki).unwrap();
    let mut registry = Registry::new();
    registry.add::<lockgate_connector_soap::Soap>();
    let cx = context(loopback());
    let address = format!("https://localhost:{}/files", server.port());
    let config = Config {
        address: Address::parse(Scheme { name: "https", port: 443 }, true, &address).unwrap(),
        identity: ServerIdentity::Ca(pki.ca_pem()),
        settings: [].into(),
        secrets: [].into(),
        tls: Some(pki.client_config(None)),
    };
    let account = registry.get("soap").unwrap().open(config, &cx).unwrap();
    let begun = Instant::now();
    // Of a length that is not known beforehand, as most streams are.
    let blocks = stream::repeat_with(|| Ok(BLOCK.clone())).take(usize::try_from(BYTES >> 20).unwrap());
    let store = call("store", json!({"name": "big", "content": "cid:attachment"}));
    let answer = account.clone().invoke(cx.clone(), Call { body: Some(Body::new(blocks)), ..store }).await.unwrap();
    assert_eq!(answer.output.root().get("output").get("bytes").as_str(), Some(BYTES.to_string().as_str()));
    assert!(answer.written > BYTES);
    let store = begun.elapsed();
    let begun = Instant::now();
    let fetch = Call { stream: true, ..call("fetch", json!({"name": BYTES.to_string()})) };
    let mut body = account.invoke(cx, fetch).await.unwrap().stream.unwrap().bytes().unwrap();
    let mut at = 0_usize;
    while let Some(piece) = body.next().await {
        let mut piece = piece.unwrap();
        while !piece.is_empty() {
            let from = at % BLOCK.len();
            let part = piece.split_to(piece.len().min(BLOCK.len() - from));
            assert!(part == BLOCK[from..from + part.len()], "another content at {at}");
            at += part.len();
        }
    }
    assert_eq!(at as u64, BYTES);
    let resident = peak_rss_bytes(std::process::id());
    println!("{} MiB: store {store:?}, fetch {:?}, bytes resident at most: {resident}", BYTES >> 20, begun.elapsed());
}
