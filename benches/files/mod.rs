//! What the benches of connectors to servers of files share: a gigabyte there and back, and a thousand
//! small files, by a connector and beside it by the clients that people would use instead. All of them read
//! and write files of the same folder. An argument (`big`, `small`, `far`) runs that part alone.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    thread,
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
use tokio::sync::mpsc;

const BIG_BYTES: u64 = 1 << 30;
const ROUNDS: usize = 5;
const SMALL_FILES: usize = 1000;
const SMALL_BYTES: usize = 10 << 10;
/// Files and delay each way of a server that is not near.
const FAR: (usize, Duration) = (200, Duration::from_millis(5));
/// Calls at once; an account has eight sessions where nothing else is said.
const CALLS: usize = 32;
/// What is read from a file or written to one at a time, and how many of these may wait.
const PIECE_BYTES: usize = 256 << 10;
const PIECES_MAX: usize = 16;

/// Another client.
pub trait Beside {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Puts a file, has it written to the server's disk where it can, and gets it back to that path.
    fn big(&self, file: &Path, back: &Path) -> [Duration; 2];

    /// Puts all files of a folder to a server at that port, if it is measured.
    fn small(&self, folder: &Path, port: u16) -> Option<Duration>;
}

/// The parts that are measured, as they are named and told.
const PARTS: [&str; 4] =
    ["put of 1 GiB", "get of 1 GiB", "put of 1,000 files of 10 KiB", "put of 200 over 5 ms each way"];

/// Times of the parts, where measured.
type Times = [Option<Duration>; 4];

/// Measures and prints; the best of each, since what else the machine does only ever adds.
pub fn run<K: Kind>(kind: K, server: &K::Server, beside: &[&dyn Beside]) {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_asked = |part: &str| asked.is_empty() || asked.iter().any(|one| one == part);
    let local = temp_dir();
    let [file, back, folder, far_folder] = ["file", "back", "small", "far"].map(|name| local.path().join(name));
    if is_asked("big") {
        write_big(&file);
    }
    for (folder, files) in [(&folder, SMALL_FILES), (&far_folder, FAR.0)] {
        fs::create_dir(folder).unwrap();
        (0..files).for_each(|n| fs::write(folder.join(format!("small-{n:04}")), vec![0x5a; SMALL_BYTES]).unwrap());
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let link = runtime.block_on(FaultProxy::start(server.port()));
    link.always(Fault::Latency(FAR.1));
    let ours = || {
        let big = is_asked("big").then(|| runtime.block_on(big(&kind.on(server), &file, &back)));
        let small = is_asked("small").then(|| runtime.block_on(small(&kind.on(server), &folder)));
        let far = is_asked("far").then(|| runtime.block_on(small_far(kind, server, &link, &far_folder)));
        [big.map(|[put, _]| put), big.map(|[_, get]| get), small, far]
    };
    let theirs = |other: &dyn Beside| {
        let big = is_asked("big").then(|| other.big(&file, &back));
        let small = is_asked("small").then(|| other.small(&folder, server.port())).flatten();
        let far = is_asked("far").then(|| other.small(&far_folder, link.port())).flatten();
        [big.map(|[put, _]| put), big.map(|[_, get]| get), small, far]
    };
    let mut best = vec![Times::default(); 1 + beside.len()];
    for round in 1..=ROUNDS {
        let times: Vec<Times> = std::iter::once_with(ours).chain(beside.iter().map(|other| theirs(*other))).collect();
        println!(
            "round {round}: {}",
            names(beside).zip(&times).map(|(name, times)| shown(name, times)).collect::<String>()
        );
        for (best, one) in best.iter_mut().flatten().zip(times.iter().flatten()) {
            *best = best.iter().chain(one).min().copied();
        }
    }
    tell(beside, &best);
}

fn names<'a>(beside: &'a [&'a dyn Beside]) -> impl Iterator<Item = &'static str> + 'a {
    std::iter::once("connector").chain(beside.iter().map(|other| other.name()))
}

fn shown(name: &str, times: &Times) -> String {
    let times = ["put", "get", "small", "far"].into_iter().zip(times);
    let times = times.filter_map(|(part, time)| time.map(|time| format!(" {part} {time:.2?}")));
    format!("{name}{}; ", times.collect::<String>())
}

fn tell(beside: &[&dyn Beside], best: &[Times]) {
    for (place, part) in PARTS.into_iter().enumerate() {
        let Some(ours) = best[0][place] else { continue };
        print!("{part}:");
        for (name, times) in names(beside).zip(best) {
            let Some(time) = times[place] else { continue };
            print!(" {name} {time:.3?}");
            if place < 2 {
                print!(" ({:.0} MiB/s)", 1024.0 / time.as_secs_f64());
            }
            print!(", ratio {:.2};", time.as_secs_f64() / ours.as_secs_f64());
        }
        println!();
    }
    let resident = peak_rss_bytes(std::process::id()) as f64 / f64::from(1 << 20);
    println!("most memory of this process throughout: {resident:.1} MiB");
}

/// Pseudo-random, so that nobody gains by finding it alike.
fn write_big(file: &Path) {
    let mut writing = File::create(file).unwrap();
    let mut word = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..BIG_BYTES >> 20 {
        let block = (0..1 << 17).flat_map(|_| {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            word.to_le_bytes()
        });
        writing.write_all(&block.collect::<Vec<u8>>()).unwrap();
    }
}

pub fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

/// The content of a file, read by a thread.
pub fn contents(file: &Path) -> Body {
    let (send, pieces) = mpsc::channel(PIECES_MAX);
    let reading = File::open(file).unwrap();
    let length = reading.metadata().unwrap().len();
    thread::spawn(move || {
        loop {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            (&reading).take(PIECE_BYTES as u64).read_to_end(&mut piece).unwrap();
            if piece.is_empty() || send.blocking_send(Ok(Bytes::from(piece))).is_err() {
                break;
            }
        }
    });
    let pieces = stream::unfold(pieces, async |mut pieces| pieces.recv().await.map(|piece| (piece, pieces)));
    Body::new(pieces).with_length(Some(length))
}

/// Writes a content to a file by a thread; gives its length.
async fn write(mut body: Body, file: PathBuf) -> u64 {
    let (send, mut pieces) = mpsc::channel::<Bytes>(PIECES_MAX);
    let writing = thread::spawn(move || {
        let mut writing = File::create(file).unwrap();
        let mut bytes = 0;
        while let Some(piece) = pieces.blocking_recv() {
            writing.write_all(&piece).unwrap();
            bytes += piece.len() as u64;
        }
        bytes
    });
    while let Some(piece) = body.next().await {
        send.send(piece.unwrap()).await.unwrap();
    }
    drop(send);
    tokio::task::spawn_blocking(|| writing.join().unwrap()).await.unwrap()
}

pub async fn big(account: &Account, file: &Path, back: &Path) -> [Duration; 2] {
    let input = Document::object([("path", "ours".into()), ("exists", "replace".into())]);
    let begun = Instant::now();
    account.invoke(Call { body: Some(contents(file)), ..Call::new("put", input, deadline()) }).await.unwrap();
    let put = begun.elapsed();
    let get = Call { stream: true, ..Call::new("get", Document::object([("path", "ours".into())]), deadline()) };
    let begun = Instant::now();
    let body = account.stream(get).await.unwrap();
    assert_eq!(write(body, back.to_owned()).await, BIG_BYTES);
    [put, begun.elapsed()]
}

pub async fn small(account: &Account, folder: &Path) -> Duration {
    let begun = Instant::now();
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let puts = stream::iter(files).map(|file| {
        let path = format!("ours-{}", file.file_name().unwrap().display());
        let input = Document::object([("path", path.as_str().into()), ("exists", "replace".into())]);
        let body = Some(Body::full(fs::read(file).unwrap()));
        account.invoke(Call { body, ..Call::new("put", input, deadline()) })
    });
    puts.buffer_unordered(CALLS).try_for_each(async |_| Ok(())).await.unwrap();
    begun.elapsed()
}

async fn small_far<K: Kind>(kind: K, server: &K::Server, link: &FaultProxy, folder: &Path) -> Duration {
    small(&kind.through(server, link.port()), folder).await
}
