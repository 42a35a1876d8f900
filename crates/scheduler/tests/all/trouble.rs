//! What the store fails to do once is done later, and nobody has to restart anything.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use lockgate_model::{Kind, schedule::Stands};
use lockgate_runtime::{Error, NotReady};
use lockgate_scheduler::keep_running;
use serde_json::json;

use crate::house::{House, development, tick, within};

/// As a full table of descriptors does it: the change is durable, and reading it back fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_could_not_be_read_is_denied_until_it_can() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    assert_eq!(house.runtime.not_ready().await, None);
    house.faults.definitions.store(u32::MAX, Ordering::SeqCst);
    let body = json!({"title": "Everybody", "profiles": []});
    let changed = house.runtime.put_definition(&house.ada, Kind::Group, "all", body).await;
    assert!(matches!(changed, Err(Error::Unavailable { .. })), "{changed:?}");
    let denied = house.runtime.definitions(&house.ada, Kind::Group, "").await;
    assert!(matches!(denied, Err(Error::NotFound { .. })), "{denied:?}");
    assert_eq!(house.runtime.not_ready().await, Some(NotReady::Unread(1)));
    assert!(house.runtime.metrics().contains("lockgate_tenants_denied 1\n"));
    // It is tried again and again, and all that was told of it has passed.
    within("a third try", || house.faults.definitions.load(Ordering::SeqCst) <= u32::MAX - 3).await;
    house.faults.definitions.store(0, Ordering::SeqCst);
    // Nothing changes and nobody asks for it, and it is read.
    let runtime = house.runtime.clone();
    within("the tenant", || runtime.metrics().contains("lockgate_tenants_denied 0\n")).await;
    assert_eq!(house.runtime.not_ready().await, None);
    assert_eq!(house.runtime.definitions(&house.ada, Kind::Group, "").await.unwrap().len(), 1);
    house.through(60).await;
    assert_eq!(house.passed(), [60]);
}

/// As a full disk does it: the run completed, and that cannot be written for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_could_not_be_written_is_written_later() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.faults.ends.store(3, Ordering::SeqCst);
    assert_eq!(house.through(60).await, Some(120));
    assert_eq!(house.faults.ends.load(Ordering::SeqCst), 0);
    house.through(120).await;
    assert_eq!(house.passed(), [60, 120]);
    assert!(house.skips().await.is_empty());
    // By hand: whoever asked is answered before.
    house.faults.ends.store(u32::MAX, Ordering::SeqCst);
    house.runtime.run_schedule(&house.ada, &development(), &tick()).await.unwrap();
    assert_eq!(house.state().await.last.unwrap().stands, Stands::Running);
    house.faults.ends.store(0, Ordering::SeqCst);
    house.idle().await;
    let mut house = house.crash().await;
    house.through(180).await;
    assert_eq!(house.passed(), [60, 120, 120, 180]);
}

/// Once the clock says what it is, so do the schedules: in a living process, and after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_far_ahead_silences_nothing() {
    const FAR: i64 = 20 * 3_600;
    for schedule in ["{ every: PT60S }", "{ after: PT60S }", "{ cron: '* * * * *' }"] {
        for restarts in [false, true] {
            let mut house = House::open().await;
            house.deploy(schedule).await;
            house.through(FAR).await;
            if restarts {
                house.at(120);
                house = house.crash().await;
            }
            assert_eq!(house.through(120).await, Some(180), "{schedule}");
            house.through(180).await;
            assert_eq!(house.passed().last(), Some(&180), "{schedule}");
            // A clock that is set back a little does not repeat anything.
            house.at(170);
            house.through(170).await;
            let ran = house.passed().len();
            house.through(179).await;
            assert_eq!(house.passed().len(), ran, "{schedule}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_defect_in_one_step_ends_no_scheduler() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.faults.steps.store(1, Ordering::SeqCst);
    assert_eq!(house.through(60).await, Some(90), "it is looked at again");
    assert_eq!(house.through(90).await, Some(120));
    assert_eq!(house.passed(), [60]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduler_that_ended_by_a_defect_is_begun_again_and_its_runs_go_on() {
    let house = House::open().await;
    // The clock stands still, so it is looked at about once a second.
    house.deploy("{ every: PT1S }").await;
    house.shut();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let stopped = move || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.wait_for(|stop| *stop).await) }
    };
    house.at(1);
    let running = tokio::spawn(keep_running(house.runtime.clone(), stopped, Duration::ZERO));
    house.calls(1).await;
    let not_ready = async |expected| {
        let began = Instant::now();
        while house.runtime.not_ready().await != expected {
            assert!(began.elapsed() < Duration::from_secs(60), "{expected:?} does not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    house.faults.clock.store(u32::MAX, Ordering::SeqCst);
    not_ready(Some(NotReady::Unscheduled)).await;
    house.faults.clock.store(0, Ordering::SeqCst);
    not_ready(None).await;
    house.let_pass();
    house.idle().await;
    house.at(2);
    house.calls(2).await;
    assert_eq!(house.passed(), [1, 2]);
    stop.send_replace(true);
    running.await.unwrap();
}
