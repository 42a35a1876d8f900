//! A restart neither loses nor doubles.

use lockgate_model::{run::Phase, schedule::Stands};

use crate::house::House;

fn keys(house: &House) -> Vec<Option<String>> {
    house.ledger.calls.lock().unwrap().iter().map(|(_, key)| key.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ran_does_not_run_again() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.through(60).await;
    let mut house = house.crash().await;
    assert_eq!(house.through(60).await, Some(120));
    house.through(120).await;
    assert_eq!(house.passed(), [60, 120]);
    assert!(house.skips().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_what_was_missed_the_latest_runs_and_the_log_tells_of_the_others() {
    for (schedule, first) in [("{ every: PT60S }", 120), ("{ cron: '* * * * *' }", 120)] {
        let mut house = House::open().await;
        house.deploy(schedule).await;
        house.through(60).await;
        let mut house = house.crash().await;
        assert_eq!(house.through(310).await, Some(360), "{schedule}");
        assert_eq!(house.passed(), [60, 300]);
        assert_eq!(house.skips().await, [("missed".to_owned(), first, 240, "3".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_lost_with_its_process_is_made_again_once_with_the_same_keys() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.shut();
    house.turn(60).await;
    house.calls(1).await;
    let mut house = house.crash().await;
    assert_eq!(house.state().await.last.unwrap().stands, Stands::Lost);
    house.turn(70).await;
    house.calls(2).await;
    // A second crash in the same run: it is not tried for ever.
    let mut house = house.crash().await;
    house.let_pass();
    house.through(80).await;
    house.through(120).await;
    assert_eq!(house.passed(), [60, 60, 120]);
    let keys = keys(&house);
    assert!(keys[0].is_some() && keys[0] == keys[1], "the same occurrence has the same key");
    assert_ne!(keys[1], keys[2]);
    assert_eq!(house.skips().await, [("lost".to_owned(), 60, 60, "1".to_owned())]);
    let phases: Vec<_> = house.runs().await.iter().map(|run| run.phase).collect();
    assert_eq!(phases[2], Phase::Completed);
    assert!(phases[..2].iter().all(|phase| matches!(phase, Phase::Lost | Phase::Cancelled)), "{phases:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_somebody_cancelled_is_not_made_again() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.shut();
    house.turn(60).await;
    house.calls(1).await;
    let run = house.runs().await[0].id;
    house.runtime.cancel_run(&house.ada, &"development".parse().unwrap(), run).await.unwrap();
    house.scheduler.settled().await;
    assert!(matches!(house.state().await.last.unwrap().stands, Stands::Ended { .. }));
    house.let_pass();
    house.through(70).await;
    let mut house = house.crash().await;
    house.through(80).await;
    assert_eq!(house.passed(), [60], "neither now nor after a restart");
    house.through(120).await;
    assert_eq!(house.passed(), [60, 120]);
    let phases: Vec<_> = house.runs().await.iter().map(|run| run.phase).collect();
    assert_eq!(phases, [Phase::Cancelled, Phase::Completed]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_goes_on_from_a_lost_run() {
    let mut house = House::open().await;
    house.deploy("{ after: PT60S }").await;
    house.shut();
    house.turn(0).await;
    house.calls(1).await;
    let mut house = house.crash().await;
    house.let_pass();
    assert_eq!(house.through(100).await, Some(160));
    assert_eq!(house.passed(), [0, 0]);
    let mut house = house.crash().await;
    assert_eq!(house.through(900).await, Some(960));
    assert_eq!(house.passed(), [0, 0, 160]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_run_of_an_older_version_is_not_made_again() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.shut();
    house.turn(60).await;
    house.calls(1).await;
    let mut house = house.crash().await;
    house.let_pass();
    house.at(90);
    house.deploy("{ every: PT30S }").await;
    house.through(90).await;
    house.through(120).await;
    assert_eq!(house.passed(), [60, 120]);
    assert_eq!(house.skips().await, [("lost".to_owned(), 60, 60, "1".to_owned())]);
}
