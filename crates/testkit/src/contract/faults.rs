//! What a broken network does to calls, at every place of a connection: each call ends within its
//! deadline, tells what failed, and what it reports done is done.
//!
//! A connector's test says what its calls leave behind and looks at the server itself.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Error, Kind};

use super::tells_nothing;
use crate::{
    FaultProxy,
    fault_proxy::{Fault, Way},
    long,
};

/// What calls are given.
pub const DEADLINE: Duration = Duration::from_secs(4);
/// Calls that break at the same time.
const SIDE_BY_SIDE: usize = 12;

/// Every fault at every place of a connection that carries so many bytes up and down: in the key
/// exchange, the sign-in, the content and the end. More places with `./test --long`.
pub fn everywhere((up, down): (u64, u64)) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (way, total) in [(Way::Up, up), (Way::Down, down)] {
        let mut places = vec![0, 30, 700, 1_300, 2_200, total / 2, total.saturating_sub(500), total.saturating_sub(60)];
        if long() {
            places.extend((1..40).map(|n| total * n / 40));
        }
        places.sort_unstable();
        places.dedup();
        for at in places.into_iter().filter(|at| *at < total) {
            faults.extend([
                Fault::Reset(way, at),
                Fault::Truncate(way, at),
                Fault::Flip(way, at),
                Fault::BlackHole(way, at),
            ]);
            if way == Way::Down {
                faults.push(Fault::Endless(at));
            }
        }
    }
    faults
}

/// Resets and silences at the end of a connection that carries so many bytes up and down, where the
/// last requests go out and their answers come in: before, between and after each of them.
pub fn at_the_end((up, down): (u64, u64)) -> Vec<Fault> {
    let places = [(Way::Up, up, 100, 1_000), (Way::Down, down, 40, 600)];
    let places = places
        .into_iter()
        .flat_map(|(way, total, step, bytes)| (1..=bytes / step).map(move |n| (way, total.saturating_sub(n * step))));
    places.flat_map(|(way, at)| [Fault::Reset(way, at), Fault::BlackHole(way, at)]).collect()
}

/// The value of a call that succeeded. One that failed did so by the network's fault, in time, and
/// tells nothing.
///
/// # Panics
/// When it did not.
pub fn clean<T>(outcome: Result<T, Error>, begun: Instant, what: &str) -> Option<T> {
    assert!(begun.elapsed() < DEADLINE + Duration::from_secs(4), "{what}: took {:?}", begun.elapsed());
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            tells_nothing(&error);
            let kinds = [Kind::Unreachable, Kind::Timeout, Kind::Protocol, Kind::Identity];
            assert!(kinds.contains(&error.kind()), "{what}: {error}, {}", error.private().reveal());
            None
        }
    }
}

/// Runs one call for every fault, each over a proxy of its own to a server's port, whose first
/// connection breaks; the call tells whether it failed. Gives the proxies: what a call tidies up
/// behind its deadline goes through them still.
///
/// # Panics
/// When so few calls fail that the faults cannot have come about.
pub async fn each<F: Future<Output = bool>>(
    faults: Vec<Fault>,
    port: u16,
    one: impl Fn(usize, Fault, u16) -> F,
) -> Vec<FaultProxy> {
    let all = faults.len();
    let (failed, proxies) = run(faults, port, one).await;
    assert!(failed * 10 > all * 7, "only {failed} of {all} calls failed: the faults do not come about");
    proxies
}

/// As [`each`], of a call that may go on over another connection and succeed.
///
/// # Panics
/// When so few faults come about that nothing is proven.
pub async fn each_healed<F: Future<Output = bool>>(
    faults: Vec<Fault>,
    port: u16,
    one: impl Fn(usize, Fault, u16) -> F,
) -> Vec<FaultProxy> {
    let (_, proxies) = run(faults, port, one).await;
    let (all, came) = (proxies.len(), proxies.iter().filter(|proxy| proxy.happened()).count());
    assert!(came * 10 > all * 7, "only {came} of {all} faults came about");
    proxies
}

async fn run<F: Future<Output = bool>>(
    faults: Vec<Fault>,
    port: u16,
    one: impl Fn(usize, Fault, u16) -> F,
) -> (usize, Vec<FaultProxy>) {
    let all = faults.len();
    let outcomes = stream::iter(faults.into_iter().enumerate()).map(|(n, fault)| {
        let one = &one;
        async move {
            let proxy = FaultProxy::start(port).await;
            proxy.once(fault);
            (one(n, fault, proxy.port()).await, proxy)
        }
    });
    let (failed, proxies): (Vec<bool>, Vec<FaultProxy>) = outcomes.buffer_unordered(SIDE_BY_SIDE).unzip().await;
    let failed = failed.into_iter().filter(|failed| *failed).count();
    println!("{failed} of {all} calls failed");
    (failed, proxies)
}
