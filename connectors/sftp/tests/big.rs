//! A body of two gigabytes passes in and out in little memory, seen from outside: the work is done by a
//! process of its own, whose largest resident memory the kernel tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a broken premise must fail the test on the spot")]

use std::{
    env,
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Address, Body, Call, Config, Registry, Scheme, Secret};
use lockgate_document::Document;
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::{
    contract::{context, loopback},
    process::peak_rss_bytes,
    ssh_peer::{Openssh, Shown, SshKeys},
};

const RESIDENT_BYTES_MAX: u64 = 64 << 20;
/// Set for the process that does the work.
const WORKER: &str = "LOCKGATE_TEST_BIG_WORKER";

#[test]
fn gigabytes_pass_in_little_memory() {
    if env::var_os(WORKER).is_some() {
        return work();
    }
    let keys = SshKeys::new("unused");
    let Some(server) = Openssh::start(&keys, Shown::Own) else { return };
    let bytes: u64 = 2 << 30;
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "gigabytes_pass_in_little_memory", "--nocapture"])
        .env(WORKER, bytes.to_string())
        .env("ADDRESS", format!("sftp://localhost:{}{}", server.port(), server.files().display()))
        .env("HOST_KEY", keys.fingerprint("host_ed25519"))
        .env("USER_NAME", Openssh::user())
        .env("PRIVATE_KEY", keys.private("user_plain"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let told = told.lines().find(|line| line.contains("resident")).unwrap();
    println!("{told}");
    let resident: u64 = told.split_whitespace().last().unwrap().parse().unwrap();
    assert!(resident < RESIDENT_BYTES_MAX, "{resident} bytes resident");
    assert_eq!(std::fs::metadata(server.files().join("big")).unwrap().len(), bytes);
}

/// What the content is, over and over.
static BLOCK: LazyLock<Bytes> =
    LazyLock::new(|| (0..1_u32 << 18).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect());

#[expect(clippy::disallowed_methods, reason = "the one who started this process tells it what to do")]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn work() {
    let bytes: u64 = env::var(WORKER).unwrap().parse().unwrap();
    let mut registry = Registry::new();
    registry.add::<lockgate_connector_sftp::Sftp>();
    let cx = context(loopback());
    let config = Config {
        address: Address::parse(Scheme { name: "sftp", port: 22 }, true, &env::var("ADDRESS").unwrap()).unwrap(),
        identity: ServerIdentity::HostKey(env::var("HOST_KEY").unwrap()),
        settings: [("username".to_owned(), env::var("USER_NAME").unwrap())].into(),
        secrets: [("private_key".to_owned(), Secret::new(env::var("PRIVATE_KEY").unwrap()))].into(),
        tls: None,
    };
    let account = registry.get("sftp").unwrap().open(config, &cx).unwrap();
    let deadline = Instant::now() + Duration::from_secs(600);
    let input = || Document::object([("path", "big".into())]);
    let begun = Instant::now();
    let blocks = stream::repeat_with(|| Ok(BLOCK.clone())).take(usize::try_from(bytes >> 20).unwrap());
    let body = Some(Body::new(blocks).with_length(Some(bytes)));
    let answer =
        account.clone().invoke(cx.clone(), Call { body, ..Call::new("put", input(), deadline) }).await.unwrap();
    assert_eq!(answer.written, bytes);
    let put = begun.elapsed();
    let begun = Instant::now();
    let call = Call { stream: true, ..Call::new("get", input(), deadline) };
    let mut body = account.invoke(cx, call).await.unwrap().stream.unwrap().bytes().unwrap();
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
    assert_eq!(at as u64, bytes);
    let resident = peak_rss_bytes(std::process::id());
    println!("{} MiB: put {put:?}, get {:?}, bytes resident at most: {resident}", bytes >> 20, begun.elapsed());
}
