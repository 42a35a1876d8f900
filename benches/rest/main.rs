//! A request at the TLS listener to its reply, over kept connections: workload A of bench `mapping`, one order of
//! 2 KB to its invoice. Lockgate authenticates (remembered Basic), passes both gates, appends the decision and the
//! run durably, runs the module and replies. Beside it in the same run: a hand-written service on axum with the
//! same mapping on typed structs, with and without a durable append; Node-RED with its JSONata node; and `GET
//! /healthz` of our own port, which is what TLS and HTTP alone cost here.
//!
//! Every server has the first core and the load, `wrk`, the second, so a figure is the throughput of one core.
//! Rounds of all servers alternate. `LOCKGATE_BENCH_MEMORY` names a folder in memory (`/dev/shm`): Lockgate then
//! runs once more with its data there, where a sync costs nothing.

mod load;
mod servers;

use load::{Measured, Request};
use servers::Server;

/// Medians are of so many rounds, each of so many seconds.
const ROUNDS: usize = 5;
const SECONDS: u32 = 4;
const WIDTHS: [usize; 2] = [1, 64];

fn main() {
    let folder = lockgate_testkit::temp_dir();
    let memory = std::env::var_os("LOCKGATE_BENCH_MEMORY").map(|parent| tempfile::tempdir_in(parent).unwrap());
    let order = servers::order();
    let mut rows: Vec<(Server, Request)> = Vec::new();

    let ours = servers::lockgate("Lockgate, durable", &folder.path().join("data"));
    let health = Request::get(&ours, "/healthz");
    let post = Request::post(&ours, &order);
    rows.push((ours.named("Lockgate, GET /healthz"), health));
    rows.push((ours, post));
    if let Some(memory) = &memory {
        let ours = servers::lockgate("Lockgate, data in memory", &memory.path().join("data"));
        let post = Request::post(&ours, &order);
        rows.push((ours, post));
    }
    if let Some(peers) = servers::axum(folder.path()) {
        rows.extend(peers.into_iter().map(|peer| {
            let post = Request::post(&peer, &order);
            (peer, post)
        }));
    }
    if let Some(peer) = servers::node_red(folder.path()) {
        let post = Request::post(&peer, &order);
        rows.push((peer, post));
    }

    let expected = servers::invoice();
    for (server, request) in &rows {
        if request.is_post() {
            load::same(server, request, &expected);
        }
        load::measure(server, request, 16, 2, folder.path());
    }
    for width in WIDTHS {
        let mut all: Vec<Vec<Measured>> = rows.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for ((server, request), measured) in rows.iter().zip(&mut all) {
                measured.push(load::measure(server, request, width, SECONDS, folder.path()));
            }
        }
        println!("\n{width} connections, medians of {ROUNDS} rounds of {SECONDS} s, one core each for server and load");
        println!("| server | requests/s | p50 ms | p99 ms | CPU µs a request | not 2xx |");
        println!("|---|---:|---:|---:|---:|---:|");
        for ((server, _), measured) in rows.iter().zip(&all) {
            let median = |of: fn(&Measured) -> f64| load::median(measured.iter().map(of).collect());
            println!(
                "| {} | {:.0} | {:.2} | {:.2} | {:.1} | {} |",
                server.name,
                median(|m| m.per_second),
                median(|m| m.p50_ms),
                median(|m| m.p99_ms),
                median(|m| m.cpu_us),
                measured.iter().map(|m| m.refused).sum::<u64>(),
            );
        }
    }
    println!();
    for (server, _) in &rows {
        println!("{}: peak resident memory {} MiB", server.name, server.peak_rss_bytes() >> 20);
    }
}
