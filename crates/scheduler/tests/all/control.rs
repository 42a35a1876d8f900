//! Pausing, resuming, running now: who may, and what comes of it.

use lockgate_model::Kind;
use lockgate_runtime::{Deploy, Error};
use serde_json::json;

use crate::house::{House, START_S, development, here, tick};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_control_schedules() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    let stranger = house.user("stranger", &[]).await;
    let monitor = house.user("monitor", &["monitor"]).await;
    let (runtime, here, tick) = (house.runtime.clone(), development(), tick());
    // Who sees what is deployed sees what fires, and controls nothing.
    let status_of = |error: Error| error.status();
    assert_eq!(runtime.schedules(&stranger, &here).await.map_err(status_of), Err(404));
    assert_eq!(runtime.schedules(&monitor, &here).await.unwrap().len(), 1);
    house
        .put(Kind::Profile, "mute", json!({"title": "", "permissions": ["logs-view"], "valid_in": self::here()}))
        .await;
    let mute = house.user("mute", &["mute"]).await;
    assert_eq!(runtime.schedules(&mute, &here).await.map_err(status_of), Err(403));
    for (caller, status) in [(&stranger, 404), (&monitor, 403)] {
        assert_eq!(runtime.skip_schedule(caller, &here, &tick).await.map_err(status_of), Err(status));
        assert_eq!(runtime.pause_schedule(caller, &here, &tick).await.map_err(status_of), Err(status));
        assert_eq!(runtime.resume_schedule(caller, &here, &tick).await.map_err(status_of), Err(status));
        assert_eq!(runtime.run_schedule(caller, &here, &tick).await.map_err(status_of), Err(status));
        // It is the same for one that is not there.
        let absent = "absent".parse().unwrap();
        assert_eq!(runtime.pause_schedule(caller, &here, &absent).await.map_err(status_of), Err(status));
    }
    let absent = runtime.pause_schedule(&house.ada, &here, &"absent".parse().unwrap()).await;
    assert!(matches!(absent, Err(Error::NotFound { .. })));
    house.through(60).await;
    assert_eq!(house.passed(), [60]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paused_it_does_not_fire_and_resumed_it_makes_nothing_up() {
    let mut house = House::open().await;
    house
        .put(Kind::Profile, "control", json!({"title": "", "permissions": ["schedules-control"], "valid_in": here()}))
        .await;
    let ops = house.user("ops", &["control"]).await;
    house.deploy("{ every: PT60S }").await;
    house.through(60).await;
    house.at(70);
    for _ in 0..2 {
        house.runtime.pause_schedule(&ops, &development(), &tick()).await.unwrap();
    }
    assert_eq!(house.through(600).await, None);
    // Over a restart, and over a deployment.
    let mut house = house.crash().await;
    house.through(660).await;
    house.at(670);
    house.deploy("{ every: PT30S }").await;
    house.through(700).await;
    let status = house.runtime.schedules(&ops, &development()).await.unwrap().remove(0);
    assert_eq!((status.next, status.paused.unwrap().by.as_str()), (None, "ops"));
    assert_eq!(house.passed(), [60]);
    house.at(1_000);
    house.runtime.resume_schedule(&ops, &development(), &tick()).await.unwrap();
    assert_eq!(house.through(1_000).await, Some(1_030));
    house.through(1_030).await;
    assert_eq!(house.passed(), [60, 1_030]);
    assert!(house.skips().await.is_empty());
    let told = |entries: Vec<lockgate_model::audit::Entry>| -> Vec<_> {
        entries.into_iter().map(|e| (e.principal, e.object)).collect()
    };
    let by_ops = ("ops".to_owned(), "development/integrations/tick".to_owned());
    assert_eq!(told(house.entries("schedule-pause").await), [by_ops.clone(), by_ops.clone()]);
    assert_eq!(told(house.entries("schedule-resume").await), [by_ops]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_hand_it_runs_as_its_principal_and_no_occurrence_is_spent() {
    let mut house = House::open().await;
    house
        .put(Kind::Profile, "control", json!({"title": "", "permissions": ["schedules-control"], "valid_in": here()}))
        .await;
    let ops = house.user("ops", &["control"]).await;
    house.put(Kind::User, "robot", json!({"kind": "service", "profiles": ["runner"]})).await;
    let robot =
        Deploy { run_as: Some("robot".parse().unwrap()), acl: Some("runners".parse().unwrap()), ..Deploy::default() };
    house.deploy_as(&house.ada, "{ every: PT60S }", robot).await.unwrap();
    house.at(10);
    house.runtime.pause_schedule(&ops, &development(), &tick()).await.unwrap();
    let ran = house.runtime.run_schedule(&ops, &development(), &tick()).await.unwrap();
    assert_eq!(ran.error, None);
    house.runtime.resume_schedule(&ops, &development(), &tick()).await.unwrap();
    house.at(20);
    house.runtime.run_schedule(&ops, &development(), &tick()).await.unwrap();
    house.through(70).await;
    assert_eq!(house.passed(), [10, 20, 70]);
    let runs = house.runs().await;
    assert_eq!(runs[0].id, ran.run);
    assert!(runs.iter().all(|run| run.principal.as_str() == "robot"));
    assert_eq!(house.entries("schedule-run").await.len(), 2);

    // What the principal may not, nobody does by hand.
    house.put(Kind::User, "robot", json!({"kind": "service", "profiles": []})).await;
    let denied = house.runtime.run_schedule(&ops, &development(), &tick()).await;
    assert!(matches!(denied, Err(Error::Conflict { code: "LG-SCHEDULE-DENIED", .. })), "{denied:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_hand_is_no_second_run_and_goes_on_without_its_caller() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.shut();
    house.turn(60).await;
    house.calls(1).await;
    let refused = house.runtime.run_schedule(&house.ada, &development(), &tick()).await;
    assert!(matches!(refused, Err(Error::Conflict { code: "LG-SCHEDULE-RUNNING", .. })), "{refused:?}");
    house.let_pass();
    house.through(61).await;
    house.shut();
    let (runtime, ada) = (house.runtime.clone(), house.ada.clone());
    let asked = tokio::spawn(async move { runtime.run_schedule(&ada, &development(), &tick()).await });
    house.calls(2).await;
    asked.abort();
    // It is no less a run: the next occurrence is skipped.
    house.turn(120).await;
    assert_eq!(house.skips().await, [("overlap".to_owned(), 120, 120, "1".to_owned())]);
    house.let_pass();
    while house.state().await.last.unwrap().stands == lockgate_model::schedule::Stands::Running {
        tokio::task::yield_now().await;
    }
    house.through(180).await;
    assert_eq!(house.passed(), [60, 61, 180]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_skipped_by_hand_does_not_run_and_the_next_does() {
    for (schedule, first, skipped, next) in [
        ("{ every: PT3H }", 10_800, 21_600, 32_400),
        ("{ cron: '15 */3 * * *' }", 1_800, 12_600, 23_400),
        ("{ after: PT3H }", 0, 10_800, 21_600),
    ] {
        let mut house = House::open().await;
        house.deploy(schedule).await;
        house.through(first).await;
        let before = house.passed();
        let asked = house.runtime.skip_schedule(&house.ada, &development(), &tick()).await.unwrap();
        let seconds = |time: lockgate_model::Timestamp| time.0 / 1_000_000 - START_S;
        assert_eq!((seconds(asked.skipped), asked.next.map(seconds)), (skipped, Some(next)), "{schedule}");
        // Its time is hours ahead: no clock was wrong. It holds over a restart, too.
        let mut house = house.crash().await;
        house.through(first + 60).await;
        assert_eq!(house.through(skipped).await, Some(next), "{schedule}");
        assert_eq!(house.passed(), before, "{schedule}");
        house.through(next).await;
        assert_eq!(house.passed().last(), Some(&next), "{schedule}");
        let entry = house.entries("schedule-skip").await.remove(0);
        assert_eq!((entry.principal.as_str(), entry.object.as_str()), ("ada", "development/integrations/tick"));
        assert_eq!(house.skips().await, [("asked".to_owned(), skipped, skipped, "1".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_skipped_where_nothing_is_due() {
    let mut house = House::open().await;
    house.deploy("{ after: PT60S }").await;
    house.shut();
    house.turn(0).await;
    house.calls(1).await;
    let running = house.runtime.skip_schedule(&house.ada, &development(), &tick()).await;
    assert!(matches!(running, Err(Error::Conflict { code: "LG-SCHEDULE-NOTHING-DUE", .. })), "{running:?}");
    house.let_pass();
    house.through(1).await;
    house.runtime.pause_schedule(&house.ada, &development(), &tick()).await.unwrap();
    let paused = house.runtime.skip_schedule(&house.ada, &development(), &tick()).await;
    assert!(matches!(paused, Err(Error::Conflict { code: "LG-SCHEDULE-NOTHING-DUE", .. })), "{paused:?}");
    assert!(house.entries("schedule-skip").await.is_empty());
}
