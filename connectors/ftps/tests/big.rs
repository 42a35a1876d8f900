//! A body of two gigabytes passes in and out in little memory, seen from outside: the work is done by a
//! process of its own, whose largest resident memory the kernel tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a broken premise must fail the test on the spot")]

use std::{
    env, fs,
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
    FtpServer, Pki,
    contract::{context, loopback},
    ftp_peer::{Program, Setup},
    process::peak_rss_bytes,
};

const BYTES: u64 = 2 << 30;
const RESIDENT_BYTES_MAX: u64 = 64 << 20;
const PASSWORD: &str = "practice";
/// Set for the process that does the work.
const WORKER: &str = "LOCKGATE_TEST_BIG_WORKER";

#[test]
fn gigabytes_pass_in_little_memory() {
    if env::var_os(WORKER).is_some() {
        return work();
    }
    if FtpServer::start(&Pki::new(), &Setup::new(Program::Proftpd, PASSWORD)).is_none() {
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "gigabytes_pass_in_little_memory", "--nocapture"])
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
static BLOCK: LazyLock<Bytes> =
    LazyLock::new(|| (0..1_u32 << 18).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect());

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn work() {
    let pki = Pki::new();
    let server = FtpServer::start(&pki, &Setup::new(Program::Proftpd, PASSWORD)).unwrap();
    let mut registry = Registry::new();
    registry.add::<lockgate_connector_ftps::Ftps>();
    let cx = context(loopback());
    let address = format!("ftps://localhost:{}", server.port());
    let config = Config {
        address: Address::parse(Scheme { name: "ftps", port: 21 }, true, &address).unwrap(),
        identity: ServerIdentity::Ca(pki.ca_pem()),
        settings: [("username".to_owned(), FtpServer::USER.to_owned())].into(),
        secrets: [("password".to_owned(), Secret::new(PASSWORD.to_owned()))].into(),
        tls: Some(pki.client_config(None)),
    };
    let account = registry.get("ftps").unwrap().open(config, &cx).unwrap();
    let deadline = Instant::now() + Duration::from_secs(600);
    let input = || Document::object([("path", "big".into())]);
    let begun = Instant::now();
    let blocks = stream::repeat_with(|| Ok(BLOCK.clone())).take(usize::try_from(BYTES >> 20).unwrap());
    let body = Some(Body::new(blocks).with_length(Some(BYTES)));
    let answer =
        account.clone().invoke(cx.clone(), Call { body, ..Call::new("put", input(), deadline) }).await.unwrap();
    assert_eq!(answer.written, BYTES);
    assert_eq!(fs::metadata(server.files().join("big")).unwrap().len(), BYTES);
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
    assert_eq!(at as u64, BYTES);
    let resident = peak_rss_bytes(std::process::id());
    println!("{} MiB: put {put:?}, get {:?}, bytes resident at most: {resident}", BYTES >> 20, begun.elapsed());
}
