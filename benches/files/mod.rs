//! What the benches of connectors to servers of files share: a gigabyte there and back, and a thousand
//! small files, by a connector and beside it by the client that people would use instead.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lockgate_connector_api::{Body, Call};
use lockgate_document::Document;
use lockgate_testkit::{
    FaultProxy,
    contract::files::{Account, Kind, Server as _},
    fault_proxy::Fault,
    process::peak_rss_bytes,
    temp_dir,
};

const MIB: u64 = 1024;
const ROUNDS: usize = 3;
const SMALL_FILES: usize = 1000;
const SMALL_BYTES: usize = 10 << 10;
/// Files and delay each way of a server that is not near.
const FAR: (usize, Duration) = (200, Duration::from_millis(5));
/// Calls at once; an account has eight sessions where nothing else is said.
const CALLS: usize = 32;

/// What is measured, and how long the other client takes for it.
pub trait Beside {
    /// Its name.
    const NAME: &'static str;

    /// Puts a file, has it written to the server's disk where it can, and gets it back to that path.
    fn big(&self, file: &Path, back: &Path) -> [Duration; 2];

    /// Puts all files of a folder to a server at that port, if it is measured.
    fn small(&self, folder: &Path, port: u16) -> Option<Duration>;
}

/// Measures and prints; the best of each, since what else the machine does only ever adds.
pub fn run<K: Kind, B: Beside>(kind: K, server: &K::Server, beside: &B) {
    let local = temp_dir();
    let (file, back, folder) = (local.path().join("file"), local.path().join("back"), local.path().join("small"));
    let block = vec![0x5a; 1 << 20];
    let mut writing = fs::File::create(&file).unwrap();
    for _ in 0..MIB {
        std::io::Write::write_all(&mut writing, &block).unwrap();
    }
    drop(writing);
    let far_folder = local.path().join("far");
    for (folder, files) in [(&folder, SMALL_FILES), (&far_folder, FAR.0)] {
        fs::create_dir(folder).unwrap();
        (0..files).for_each(|n| fs::write(folder.join(format!("small-{n:04}")), &block[..SMALL_BYTES]).unwrap());
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut ours, mut theirs) = ([Duration::MAX; 4], [Duration::MAX; 4]);
    let link = runtime.block_on(FaultProxy::start(server.port()));
    link.always(Fault::Latency(FAR.1));
    for round in 1..=ROUNDS {
        let account = kind.on(server);
        let [put, get] = runtime.block_on(big(&account));
        let small = runtime.block_on(put_small(&kind.on(server), SMALL_FILES));
        let far = runtime.block_on(put_small(&kind.through(server, link.port()), FAR.0));
        let [their_put, their_get] = beside.big(&file, &back);
        let their_small = beside.small(&folder, server.port()).unwrap_or(Duration::MAX);
        let their_far = beside.small(&far_folder, link.port()).unwrap_or(Duration::MAX);
        let shown = |times: [Duration; 4]| {
            let named = ["put", "get", "small", "far"].into_iter().zip(times).filter(|(_, time)| *time < Duration::MAX);
            named.map(|(name, time)| format!(" {name} {time:.2?}")).collect::<String>()
        };
        let (round_ours, round_theirs) = ([put, get, small, far], [their_put, their_get, their_small, their_far]);
        println!("round {round}: connector{}; {}{}", shown(round_ours), B::NAME, shown(round_theirs));
        for (best, one) in ours.iter_mut().chain(&mut theirs).zip(round_ours.into_iter().chain(round_theirs)) {
            *best = one.min(*best);
        }
    }
    let ratio = |place: usize| theirs[place].as_secs_f64() / ours[place].as_secs_f64();
    for (place, what) in ["put", "get"].into_iter().enumerate() {
        let rate = |time: Duration| MIB as f64 / time.as_secs_f64();
        let (ours, theirs) = (rate(ours[place]), rate(theirs[place]));
        println!(
            "{what} of {MIB} MiB: connector {ours:.0} MiB/s, {} {theirs:.0} MiB/s, ratio {:.2}",
            B::NAME,
            ratio(place)
        );
    }
    let far = format!("{} of them over a link with {:?} each way", FAR.0, FAR.1);
    for (place, what) in [(2, format!("{SMALL_FILES} files of {SMALL_BYTES} bytes")), (3, far)] {
        print!("put of {what}: connector {:.2?}", ours[place]);
        match theirs[place] {
            Duration::MAX => println!(),
            theirs => println!(", {} {theirs:.2?}, ratio {:.2}", B::NAME, ratio(place)),
        }
    }
    println!(
        "most memory of this process, both workloads: {:.1} MiB",
        peak_rss_bytes(std::process::id()) as f64 / f64::from(1 << 20)
    );
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

async fn big(account: &Account) -> [Duration; 2] {
    let block = Bytes::from(vec![0x5a; 1 << 20]);
    let blocks = stream::repeat_with(move || Ok(block.clone())).take(MIB as usize);
    let input = Document::object([("path", "ours".into()), ("exists", "replace".into())]);
    let body = Some(Body::new(blocks).with_length(Some(MIB << 20)));
    let begun = Instant::now();
    account.invoke(Call { body, ..Call::new("put", input, deadline()) }).await.unwrap();
    let put = begun.elapsed();
    let get = Call { stream: true, ..Call::new("get", Document::object([("path", "ours".into())]), deadline()) };
    let begun = Instant::now();
    let mut body = account.stream(get).await.unwrap();
    let mut bytes = 0;
    while let Some(piece) = body.next().await {
        bytes += piece.unwrap().len() as u64;
    }
    assert_eq!(bytes, MIB << 20);
    [put, begun.elapsed()]
}

async fn put_small(account: &Account, files: usize) -> Duration {
    let content = Bytes::from(vec![0x5a; SMALL_BYTES]);
    let begun = Instant::now();
    let puts = stream::iter(0..files).map(|n| {
        let path = format!("ours-{n:04}");
        let input = Document::object([("path", path.as_str().into()), ("exists", "replace".into())]);
        account.invoke(Call { body: Some(Body::full(content.clone())), ..Call::new("put", input, deadline()) })
    });
    puts.buffer_unordered(CALLS).try_for_each(async |_| Ok(())).await.unwrap();
    begun.elapsed()
}
