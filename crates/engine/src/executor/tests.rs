use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use lockgate_model::id::TenantId;

use super::{Begun, Executor, Lost, Ticket};
use crate::{CancelToken, EngineConfig, config::wasmtime_engine, fair::Account, stop::Stop, ticker::Ticker};

fn executor(workers: usize) -> Executor {
    let config = EngineConfig { workers, stacks_max: 8, stacks_per_tenant_max: 4, ..EngineConfig::default() };
    let engine = wasmtime_engine(&config).unwrap();
    Executor::start(&config, Ticker::start(engine.weak()).unwrap()).unwrap()
}

fn tenant(name: &str) -> Account {
    Some(TenantId::parse(name).unwrap())
}

fn stop() -> Arc<Stop> {
    Arc::new(Stop::new(Instant::now() + Duration::from_secs(60), CancelToken::new()))
}

/// Ends its slice.
async fn slice() {
    let mut yielded = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// Works in slices until told to end or stopped.
async fn busy(stop: Arc<Stop>, end: Arc<AtomicBool>, slices: Arc<AtomicU32>) -> &'static str {
    loop {
        if stop.reason().is_some() {
            return "stopped";
        }
        if end.load(Ordering::SeqCst) {
            return "ended";
        }
        slices.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1));
        slice().await;
    }
}

fn queued<T>(begun: Result<Begun<T>, Lost>) -> Ticket<T> {
    match begun.ok().unwrap() {
        Begun::Queued(ticket) => ticket,
        Begun::Ended(_) => panic!("it ended at once"),
    }
}

#[tokio::test]
async fn a_short_step_ends_where_it_was_asked_for() {
    let executor = executor(1);
    let here = std::thread::current().id();
    match executor.begin(&tenant("a"), &stop(), async move { std::thread::current().id() == here }) {
        Ok(Begun::Ended(same)) => assert!(same),
        _ => panic!("it was queued"),
    }
}

#[tokio::test]
async fn a_long_step_goes_on_elsewhere() {
    let executor = executor(1);
    let here = std::thread::current().id();
    let ticket = queued(executor.begin(&tenant("a"), &stop(), async move {
        slice().await;
        std::thread::current().id() != here
    }));
    assert_eq!(ticket.await, Ok(true));
}

#[tokio::test]
async fn the_busy_steps_of_one_tenant_do_not_keep_another_from_ending() {
    let executor = executor(1);
    let (end, slices) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let loops: Vec<_> = (0..6)
        .map(|_| {
            let stop = stop();
            let work = busy(Arc::clone(&stop), Arc::clone(&end), Arc::clone(&slices));
            queued(executor.begin(&tenant("greedy"), &stop, work))
        })
        .collect();
    // Ten slices on the one worker, each after its turn; the loops turn all the while.
    let ticket = queued(executor.begin(&tenant("modest"), &stop(), async {
        for _ in 0..10 {
            slice().await;
        }
    }));
    assert_eq!(ticket.await, Ok(()));
    let between = slices.load(Ordering::SeqCst);
    assert!(between < 1_000, "the other had {between} slices meanwhile");
    end.store(true, Ordering::SeqCst);
    for ticket in loops {
        assert_eq!(ticket.await, Ok("ended"));
    }
}

#[tokio::test]
async fn a_panic_loses_its_step_and_no_other() {
    let executor = executor(1);
    assert!(executor.begin(&tenant("a"), &stop(), async { panic!("in the first slice") }).is_err());
    let later = queued(executor.begin(&tenant("a"), &stop(), async {
        slice().await;
        panic!("on the worker")
    }));
    assert_eq!(later.await, Err::<(), _>(Lost));
    let fine = queued(executor.begin(&tenant("a"), &stop(), slice()));
    assert_eq!(fine.await, Ok(()));
}

#[tokio::test]
async fn a_dropped_ticket_stops_its_step() {
    let executor = executor(1);
    let (stop, slices) = (stop(), Arc::new(AtomicU32::new(0)));
    let gone = Arc::new(());
    let held = Arc::clone(&gone);
    let work = {
        let work = busy(Arc::clone(&stop), Arc::default(), slices);
        async move {
            work.await;
            drop(held);
        }
    };
    drop(queued(executor.begin(&tenant("a"), &stop, work)));
    for _ in 0..1_000 {
        if Arc::strong_count(&gone) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it still runs");
}

#[tokio::test]
async fn closing_tells_those_who_wait() {
    let executor = executor(1);
    let stop = stop();
    let work = busy(Arc::clone(&stop), Arc::default(), Arc::default());
    let ticket = queued(executor.begin(&tenant("a"), &stop, work));
    drop(executor);
    assert_eq!(ticket.await, Err(Lost));
}
