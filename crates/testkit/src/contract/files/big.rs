//! A body of two gigabytes passes in and out in little memory, seen from outside: the work is done by a
//! process of its own, whose largest resident memory the kernel tells.

use std::{
    env, fs,
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Body, Call};
use lockgate_document::Document;

use super::{Kind, Server};
use crate::process::peak_rss_bytes;

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
    let resident = peak_rss_bytes(std::process::id());
    println!("{} MiB: put {put:?}, get {:?}, bytes resident at most: {resident}", BYTES >> 20, begun.elapsed());
}
