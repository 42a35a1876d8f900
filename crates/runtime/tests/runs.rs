//! Runs that are ended from outside, and how long their records are kept, by a clock that the test sets.
#![expect(clippy::unwrap_used, reason = "test code: a broken premise must fail the test on the spot")]

mod house;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use lockgate_model::{Channel, RunId, audit, definition::Retention, id::TenantId, run::Phase};
use lockgate_runtime::{Ask, Caller, Clock, Error, Keep, RunFilter, Runtime};

use crate::house::{development, house, publish, run};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A clock that is ahead by so many days as it is told.
fn clock(days: &Arc<AtomicI64>) -> Clock {
    let (days, system) = (days.clone(), Clock::system());
    Clock::from_fn(move || system.now().plus_ms(days.load(Ordering::SeqCst) * DAY_MS))
}

async fn kept(runtime: &Runtime, ada: &Caller) -> Vec<RunId> {
    let filter = RunFilter { limit: 1_000, ..RunFilter::default() };
    let runs = runtime.runs(ada, &development(), filter).await.unwrap();
    runs.into_iter().rev().map(|run| run.id).collect()
}

fn runs_kept(runs: u64) -> Keep {
    Keep { runs_max: runs.try_into().ok(), ..Keep::default() }
}

fn retention(days: u32, runs: u64) -> Retention {
    Retention { days_max: days.try_into().unwrap(), runs_max: runs.try_into().unwrap(), audit_days_max: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_cancelled_while_its_input_is_on_its_way() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house(dir.path(), Clock::system()).await;
    publish(&runtime, &ada, "tick", "- a: { set: { a: 1 } }").await;
    let waiting = tokio::spawn({
        let (runtime, ada) = (runtime.clone(), ada.clone());
        let ask = Ask::new("development", "tick", Channel::Rest);
        async move { runtime.execute(&ada, ask, std::future::pending()).await }
    });
    while kept(&runtime, &ada).await.is_empty() {
        tokio::task::yield_now().await;
    }
    let run = kept(&runtime, &ada).await[0];
    assert_eq!(runtime.run(&ada, &development(), run).await.unwrap().phase, Phase::Pending, "it has not begun");
    let cancelled = runtime.cancel_run(&ada, &development(), run).await.unwrap();
    assert_eq!((cancelled.run, cancelled.phase), (run, Phase::Cancelled));
    let failure = waiting.await.unwrap().unwrap().result.unwrap_err();
    assert_eq!((failure.error.code.as_str(), failure.error.status), ("LG-CANCELLED", 503));
    let record = runtime.run(&ada, &development(), run).await.unwrap();
    assert_eq!((record.phase, record.error), (Phase::Cancelled, Some(failure.error)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_open_tells_where_it_stands_and_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house(dir.path(), Clock::system()).await;
    publish(&runtime, &ada, "tick", "- a: { set: { a: 1 } }").await;
    publish(&runtime, &ada, "rest", "- first: { set: { a: 1 } }\n  - second: { wait: PT1H }").await;
    run(&runtime, &ada, "tick").await;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let (runtime, ada) = (runtime.clone(), ada.clone());
            tokio::spawn(async move { run(&runtime, &ada, "rest").await })
        })
        .collect();
    let found = async |phase, limit| {
        let filter = RunFilter { phase: Some(phase), limit, ..RunFilter::default() };
        runtime.runs(&ada, &development(), filter).await.unwrap()
    };
    while found(Phase::Waiting, 10).await.len() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(found(Phase::Waiting, 2).await.len(), 2, "no more than are asked for");
    assert_eq!(found(Phase::Waiting, 0).await.len(), 3);
    assert_eq!((found(Phase::Running, 10).await.len(), found(Phase::Pending, 10).await.len()), (0, 0));
    assert_eq!(found(Phase::Completed, 10).await.len(), 1);

    let open = found(Phase::Waiting, 1).await[0].id;
    let record = runtime.run(&ada, &development(), open).await.unwrap();
    let tasks: Vec<_> = record.tasks.iter().map(|task| (task.task.as_str(), task.entered)).collect();
    assert_eq!(tasks, [("/input", 1), ("/do/0/first", 1), ("/do/1/second", 1)]);
    assert!(record.cost > 0 && record.ended.is_none());
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let later = runtime.run(&ada, &development(), open).await.unwrap();
    assert!(later.tasks[2].wall_us >= record.tasks[2].wall_us + 20_000, "its time goes on: {:?}", later.tasks);
    assert_eq!((later.tasks[1].wall_us, later.cost), (record.tasks[1].wall_us, record.cost));
    let listed = runtime.runs(&ada, &development(), RunFilter { limit: 10, ..RunFilter::default() }).await.unwrap();
    assert_eq!(listed.iter().filter(|run| run.phase == Phase::Waiting).count(), 3);

    for run in found(Phase::Waiting, 10).await {
        runtime.cancel_run(&ada, &development(), run.id).await.unwrap();
    }
    for run in waiting {
        assert!(run.await.unwrap().result.is_err());
    }
    assert!(found(Phase::Waiting, 10).await.is_empty());
    let record = runtime.run(&ada, &development(), open).await.unwrap();
    assert_eq!((record.phase, record.tasks.len()), (Phase::Cancelled, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_stay_as_long_as_the_operator_says_and_open_runs_in_any_case() {
    let dir = tempfile::tempdir().unwrap();
    let days = Arc::new(AtomicI64::new(0));
    let (runtime, ada) = house(dir.path(), clock(&days)).await;
    let acme = ada.tenant().clone();
    let absent: TenantId = "absent".parse().unwrap();
    let refused = runtime.operator_keep(&absent, runs_kept(1)).await;
    assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
    assert!(matches!(runtime.operator_retention(&absent), Err(Error::NotFound { .. })));
    assert_eq!(runtime.operator_retention(&acme), Ok(retention(30, 1_000_000)));

    publish(&runtime, &ada, "tick", "- a: { set: { a: 1 } }").await;
    publish(&runtime, &ada, "rest", "- a: { wait: PT1H }").await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(run(&runtime, &ada, "tick").await.run);
    }
    let waiting = tokio::spawn({
        let (runtime, ada) = (runtime.clone(), ada.clone());
        async move { run(&runtime, &ada, "rest").await }
    });
    while kept(&runtime, &ada).await.len() < 4 {
        tokio::task::yield_now().await;
    }
    let open = *kept(&runtime, &ada).await.last().unwrap();
    days.store(29, Ordering::SeqCst);
    runs.push(run(&runtime, &ada, "tick").await.run);
    runtime.remove_old_runs().await;
    assert_eq!(kept(&runtime, &ada).await.len(), 5, "nothing is 30 days old");

    let log = runtime.audit(&ada, None, 0).await.unwrap().links;
    days.store(31, Ordering::SeqCst);
    runtime.remove_old_runs().await;
    assert_eq!(kept(&runtime, &ada).await, [open, runs[3]]);
    for gone in &runs[..3] {
        let told = runtime.run(&ada, &development(), *gone).await;
        assert!(matches!(told, Err(Error::NotFound { .. })), "{told:?}");
        let told = runtime.cancel_run(&ada, &development(), *gone).await;
        assert!(matches!(told, Err(Error::NotFound { .. })), "{told:?}");
    }
    let now = runtime.audit(&ada, None, 0).await.unwrap().links;
    assert_eq!(now[..log.len()], log, "the audit log stays");
    audit::verify(&now).unwrap();

    // By number; what is open is kept besides.
    for _ in 0..3 {
        runs.push(run(&runtime, &ada, "tick").await.run);
    }
    runtime.operator_keep(&acme, runs_kept(2)).await.unwrap();
    assert_eq!(runtime.operator_retention(&acme), Ok(retention(30, 2)));
    runtime.remove_old_runs().await;
    assert_eq!(kept(&runtime, &ada).await, [open, runs[5], runs[6]]);
    days.store(1_000, Ordering::SeqCst);
    runtime.remove_old_runs().await;
    assert_eq!(kept(&runtime, &ada).await, [open]);
    runtime.cancel_run(&ada, &development(), open).await.unwrap();
    assert!(waiting.await.unwrap().result.is_err());
    runtime.remove_old_runs().await;
    assert_eq!(runtime.run(&ada, &development(), open).await.unwrap().phase, Phase::Cancelled, "it ended today");
    let entry = runtime.newest_audit(&ada, 1_000).await.unwrap().links;
    let told = entry.iter().filter(|link| link.entry.event == "operator-tenant" && link.entry.fields == ["retention"]);
    assert_eq!(told.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_longer_kept_goes_by_itself_when_the_operator_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house(dir.path(), Clock::system()).await;
    publish(&runtime, &ada, "tick", "- a: { set: { a: 1 } }").await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let keeping = tokio::spawn({
        let runtime = runtime.clone();
        async move { runtime.keep_runs_short(async move { drop(stopped.await) }).await }
    });
    for _ in 0..5 {
        run(&runtime, &ada, "tick").await;
    }
    runtime.operator_keep(ada.tenant(), runs_kept(1)).await.unwrap();
    while kept(&runtime, &ada).await.len() > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stop.send(()).unwrap();
    keeping.await.unwrap();
}
