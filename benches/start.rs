//! From nothing to ready: `quickstart` in an empty directory (keys, CA, tenant, compile, deploy, one
//! order) and on an existing one, and the memory of the idle server afterwards.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use lockgate_testkit::process::{Running, peak_rss_bytes, program, rss_bytes};

fn ready(data: &Path) -> (Running, Duration) {
    let began = Instant::now();
    let mut command = Command::new(program());
    command.args(["quickstart", "--json", "--no-database", "--data"]).arg(data);
    command.env("LOCKGATE_LOG", "off").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Running::start(&mut command);
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("order_url"), "{line}");
    (server, began.elapsed())
}

fn start(c: &mut Criterion) {
    let mut group = c.benchmark_group("to ready");
    group.sample_size(10);
    group.bench_function("empty directory", |b| {
        b.iter_custom(|count| {
            (0..count)
                .map(|_| {
                    let folder = lockgate_testkit::temp_dir();
                    ready(&folder.path().join("data")).1
                })
                .sum()
        })
    });
    let folder = lockgate_testkit::temp_dir();
    let data = folder.path().join("data");
    drop(ready(&data));
    group.bench_function("existing directory", |b| b.iter_custom(|count| (0..count).map(|_| ready(&data).1).sum()));
    group.finish();
    let (server, _) = ready(&data);
    std::thread::sleep(Duration::from_secs(2));
    let (idle, peak) = (rss_bytes(server.0.id()), peak_rss_bytes(server.0.id()));
    println!("idle after one order: resident {} MiB, peak {} MiB", idle >> 20, peak >> 20);
}

criterion_group!(benches, start);
criterion_main!(benches);
