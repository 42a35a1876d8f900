//! What fires when, and never two at a time.

use std::time::Duration;

use lockgate_model::{run::Phase, schedule::Stands};
use lockgate_scheduler::Scheduler;

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fires_at_its_distance_and_once() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    assert_eq!(house.through(0).await, Some(60));
    assert_eq!(house.through(59).await, Some(60));
    assert_eq!(house.through(60).await, Some(120));
    assert_eq!(house.through(60).await, Some(120), "once");
    assert_eq!(house.through(125).await, Some(180), "late, and the rhythm stays");
    assert_eq!(house.passed(), [60, 120]);
    let (input, key) = house.ledger.calls.lock().unwrap()[1].clone();
    assert_eq!(input["at"], serde_json::json!({"scheduled": "2026-01-01T00:02:00.000Z"}));
    assert_ne!(key, house.ledger.calls.lock().unwrap()[0].1, "another occurrence, another key");
    assert!(house.runs().await.iter().all(|run| run.phase == Phase::Completed && run.trigger.as_str() == "schedule"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cron_fires_by_the_clocks_of_its_zone() {
    let mut house = House::open().await;
    // The house's flows keep the time of Kathmandu, where it is 05:45 at midnight UTC.
    house.deploy("{ cron: '0,15 6 * * *' }").await;
    assert_eq!(house.through(0).await, Some(900));
    house.through(902).await;
    assert_eq!(house.through(1_800).await, Some(86_400 + 900));
    assert_eq!(house.passed(), [900, 1_800]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_fires_at_deployment_and_waits_for_the_end() {
    let mut house = House::open().await;
    house.at(10);
    house.deploy("{ after: PT60S }").await;
    house.shut();
    assert_eq!(house.turn(10).await, None, "its run goes on");
    house.calls(1).await;
    assert_eq!(house.turn(500).await, None);
    house.at(600);
    house.let_pass();
    assert_eq!(house.through(600).await, Some(660));
    assert_eq!(house.through(660).await, Some(720));
    assert_eq!(house.passed(), [10, 660]);
    assert!(house.skips().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_run_goes_on_its_occurrences_are_skipped_and_told() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.shut();
    house.turn(60).await;
    house.calls(1).await;
    assert_eq!(house.turn(120).await, Some(180));
    house.turn(180).await;
    assert_eq!(house.passed(), [60]);
    house.let_pass();
    house.through(190).await;
    house.through(240).await;
    assert_eq!(house.passed(), [60, 240]);
    let overlap = |at: i64| ("overlap".to_owned(), at, at, "1".to_owned());
    assert_eq!(house.skips().await, [overlap(120), overlap(180)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_begins_and_ends_its_schedule() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.through(60).await;
    let (development, clock) = ("development".parse().unwrap(), "clock".parse().unwrap());
    house.runtime.undeploy(&house.ada, &development, &clock, &lockgate_runtime::Condition::default()).await.unwrap();
    assert_eq!(house.through(120).await, None);
    // What lies before the deployment is none of its occurrences.
    house.at(1_000);
    house.deploy("{ every: PT60S }").await;
    assert_eq!(house.through(1_000).await, Some(1_020));
    house.through(1_020).await;
    // Another schedule takes the place of the old one.
    house.at(1_030);
    house.deploy("{ cron: '15 * * * *' }").await;
    assert_eq!(house.through(1_080).await, Some(1_800));
    assert_eq!(house.passed(), [60, 1_020]);
    assert!(house.skips().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_fires_by_itself_and_ends_when_it_is_stopped() {
    let house = House::open().await;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let stopped = async move { drop(stopped.wait_for(|stop| *stop).await) };
    let scheduler = Scheduler::new(house.runtime.clone());
    let running = tokio::spawn(scheduler.run(stopped, Duration::from_millis(200)));
    // Deployed while it waits: it is told.
    house.shut();
    house.deploy("{ after: PT60S }").await;
    house.calls(1).await;
    stop.send_replace(true);
    let ended = running.await.unwrap();
    assert_eq!(ended.interrupted, 1, "the grace was too short for it");
    assert_eq!(house.passed(), [0]);
    let mut house = house.crash().await;
    assert_eq!(house.state().await.last.unwrap().stands, Stands::Lost, "the next start makes it again");
    house.let_pass();
    house.through(1).await;
    assert_eq!(house.passed(), [0, 0]);
}
