//! A body of two gigabytes passes in and out in little memory, seen from outside: the work is done
//! by a process of its own, whose largest resident memory the kernel tells.
#![expect(clippy::unwrap_used, reason = "a broken premise must fail the test on the spot")]

use std::{
    env, fs,
    io::Read as _,
    process::Command,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Address, Body, Call, Config, Registry, Scheme};
use lockgate_document::Document;
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::{
    Nginx, Pki,
    contract::{context, loopback},
    pki::Server,
    process::peak_rss_bytes,
};

const BODY_BYTES: u64 = 2 << 30;
const RESIDENT_BYTES_MAX: u64 = 64 << 20;
/// Set for the process that does the work.
const WORKER: &str = "LOCKGATE_TEST_BIG_WORKER";

/// The worker makes the PKI and starts the server, which is a further process.
#[test]
fn gigabytes_pass_in_little_memory() {
    if env::var_os(WORKER).is_some() {
        return work();
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "gigabytes_pass_in_little_memory", "--nocapture"])
        .env(WORKER, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}");
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

/// What the content is, over and over.
fn block() -> Bytes {
    (0..1_u32 << 16).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn work() {
    let pki = Pki::new();
    let Some(server) = Nginx::start(&pki, Server::Good, false) else { return };
    let mut registry = Registry::new();
    registry.add::<lockgate_connector_https::Https>();
    let cx = context(loopback());
    let config = Config {
        address: Address::parse(
            Scheme { name: "https", port: 443 },
            true,
            &format!("https://localhost:{}/base", server.port()),
        )
        .unwrap(),
        identity: ServerIdentity::System,
        settings: [].into(),
        secrets: [].into(),
        tls: Some(pki.client_config(None)),
    };
    let account = registry.get("https").unwrap().open(config, &cx).unwrap();
    let deadline = Instant::now() + Duration::from_secs(600);
    let call = |operation| Call::new(operation, Document::object([("path", "big".into())]), deadline);
    let block = block();
    let length = block.len() as u64;

    let begun = Instant::now();
    let sent = block.clone();
    let blocks = stream::repeat_with(move || Ok(sent.clone())).take(usize::try_from(BODY_BYTES / length).unwrap());
    let body = Some(Body::new(blocks).with_length(Some(BODY_BYTES)));
    account.clone().invoke(cx.clone(), Call { body, ..call("put") }).await.unwrap();
    let put = begun.elapsed();
    let mut stored = fs::File::open(server.stored().join("big")).unwrap();
    assert_eq!(stored.metadata().unwrap().len(), BODY_BYTES);
    let mut first = vec![0; block.len()];
    stored.read_exact(&mut first).unwrap();
    assert!(first == block);

    let begun = Instant::now();
    let answer = account.invoke(cx, Call { stream: true, ..call("get") }).await.unwrap();
    let mut body = answer.stream.unwrap().bytes().unwrap();
    let mut at = 0_u64;
    while let Some(piece) = body.next().await {
        let mut piece = piece.unwrap();
        while !piece.is_empty() {
            let rest = block.slice(usize::try_from(at % length).unwrap()..);
            let part = piece.split_to(piece.len().min(rest.len()));
            assert!(rest.starts_with(&part), "another content at {at}");
            at += part.len() as u64;
        }
    }
    assert_eq!(at, BODY_BYTES);
    let resident = peak_rss_bytes(std::process::id());
    println!("{} MiB: put {put:?}, get {:?}, bytes resident at most: {resident}", BODY_BYTES >> 20, begun.elapsed());
    assert!(resident < RESIDENT_BYTES_MAX, "{resident} bytes resident");
}
