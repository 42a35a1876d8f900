//! A body of two gigabytes passes in and out in little memory, and so does one without end whose line breaks, seen from outside: the work is done by a
//! process of its own, whose largest resident memory the kernel tells.

use std::{
    env, fs,
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Body, Call, Kind as Is};
use lockgate_document::Document;

use super::{Kind, Server};
use crate::{
    FaultProxy,
    fault_proxy::{Fault, Way},
    process::peak_rss_bytes,
};

const BYTES: u64 = 2 << 30;
const RESIDENT_BYTES_MAX: u64 = 64 << 20;
/// Set for the process that does the work.
const WORKER: &str = "LOCKGATE_TEST_BIG_WORKER";

/// What the content is, over and over.
static BLOCK: LazyLock<Bytes> =
    LazyLock::new(|| (0..1_u32 << 18).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect());

/// The body of a test of that name, which is a process of its own: it starts itself once more.
///
/// # Panics
/// When a content is another one afterwards, or took more memory.
pub fn gigabytes_pass_in_little_memory<K: Kind>(test: &str, kind: K) {
    if env::var_os(WORKER).is_some() {
        return work(kind);
    }
    if kind.start().is_none() {
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
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

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn work<K: Kind>(kind: K) {
    let server = kind.start().unwrap();
    let account = kind.on(&server);
    let deadline = Instant::now() + Duration::from_secs(600);
    let input = || Document::object([("path", "big".into())]);
    let begun = Instant::now();
    let blocks = stream::repeat_with(|| Ok(BLOCK.clone())).take(usize::try_from(BYTES >> 20).unwrap());
    let body = Some(Body::new(blocks).with_length(Some(BYTES)));
    let answer = account.invoke(Call { body, ..Call::new("put", input(), deadline) }).await.unwrap();
    assert_eq!(answer.written, BYTES);
    assert_eq!(fs::metadata(server.files().join("big")).unwrap().len(), BYTES);
    let put = begun.elapsed();
    let begun = Instant::now();
    let mut body = account.stream(Call { stream: true, ..Call::new("get", input(), deadline) }).await.unwrap();
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
    let got = begun.elapsed();
    breaks(kind, &server).await;
    let resident = peak_rss_bytes(std::process::id());
    println!("{} MiB: put {put:?}, get {got:?}, bytes resident at most: {resident}", BYTES >> 20);
}

/// A content without end, over a line that breaks in the midst of it and over one that goes silent: it is gone on
/// with until the deadline, or given up, and what waits for the line does not grow.
async fn breaks<K: Kind>(kind: K, server: &K::Server) {
    for fault in [Fault::Reset(Way::Up, 100 << 20), Fault::BlackHole(Way::Up, 100 << 20)] {
        let proxy = FaultProxy::start(server.port()).await;
        proxy.once(fault);
        let account = kind.through(server, proxy.port());
        // No faster than a disk takes it.
        let endless = stream::repeat_with(|| Ok(BLOCK.clone())).then(|block| async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            block
        });
        let input = Document::object([("path", "endless".into())]);
        let call = Call::new("put", input, Instant::now() + Duration::from_secs(4));
        let error = account.invoke(Call { body: Some(Body::new(endless.boxed())), ..call }).await.unwrap_err();
        assert!(matches!(error.kind(), Is::Timeout | Is::Unreachable), "{kind:?} {fault:?}: {error}");
        assert!(!server.files().join("endless").exists(), "{kind:?} {fault:?}");
        server.is_tidy(&format!("{kind:?} {fault:?}")).await;
    }
}
