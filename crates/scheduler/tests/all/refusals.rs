//! Both gates at each fire, and who may deploy as whom.

use lockgate_model::{Kind, audit::Outcome};
use lockgate_runtime::{Deploy, Error};
use serde_json::json;

use crate::house::{House, development};

fn as_robot() -> Deploy {
    Deploy { run_as: Some("robot".parse().unwrap()), acl: Some("runners".parse().unwrap()), ..Deploy::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_gives_rights_deploys_as_somebody_else() {
    let house = House::open().await;
    let pat = house.user("pat", &["devops"]).await;
    let stranger = house.user("stranger", &[]).await;
    house.put(Kind::User, "robot", json!({"kind": "service", "profiles": ["runner"]})).await;
    let denied = house.deploy_as(&pat, "{ every: PT60S }", as_robot()).await;
    assert!(matches!(&denied, Err(Error::Forbidden { rule }) if rule.contains("access-control")), "{denied:?}");
    // Who may not even deploy is told what it always is.
    let denied = house.deploy_as(&stranger, "{ every: PT60S }", as_robot()).await;
    assert!(matches!(denied, Err(Error::NotFound { .. })), "{denied:?}");
    let nobody = Deploy { run_as: Some("nobody".parse().unwrap()), ..Deploy::default() };
    let absent = house.deploy_as(&house.ada, "{ every: PT60S }", nobody).await;
    assert!(matches!(absent, Err(Error::NotFound { .. })), "{absent:?}");
    let own = Deploy { run_as: Some("pat".parse().unwrap()), ..Deploy::default() };
    house.deploy_as(&pat, "{ every: PT60S }", own).await.unwrap();
    house.deploy_as(&house.ada, "{ every: PT60S }", Deploy { acl: None, ..as_robot() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_names_anew_as_whom_it_runs() {
    let house = House::open().await;
    let pat = house.user("pat", &["devops"]).await;
    house.put(Kind::User, "robot", json!({"kind": "service", "profiles": ["runner"]})).await;
    house.deploy_as(&house.ada, "{ every: PT60S }", as_robot()).await.unwrap();
    house.bind("test").await;
    let (clock, from, to) = ("clock".parse().unwrap(), development(), "test".parse().unwrap());
    let promote = async |caller, run_as: Option<&str>| {
        let run_as = run_as.map(|name| name.parse().unwrap());
        house.runtime.promote(caller, &clock, &from, &to, None, run_as).await
    };
    let denied = promote(&pat, Some("robot")).await;
    assert!(matches!(&denied, Err(Error::Forbidden { rule }) if rule.contains("access-control")), "{denied:?}");
    let absent = promote(&house.ada, Some("nobody")).await;
    assert!(matches!(absent, Err(Error::NotFound { .. })), "{absent:?}");
    let runs_as = async || house.runtime.schedules(&house.ada, &to).await.unwrap().remove(0).runs_as.to_string();
    // Whoever was named where it came from is not named here.
    promote(&pat, None).await.unwrap();
    assert_eq!(runs_as().await, "pat");
    promote(&house.ada, Some("robot")).await.unwrap();
    assert_eq!(runs_as().await, "robot");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_principal_that_may_not_is_denied_at_each_fire_and_the_schedule_stays() {
    let mut house = House::open().await;
    house.put(Kind::User, "robot", json!({"kind": "service", "profiles": []})).await;
    house.deploy_as(&house.ada, "{ every: PT60S }", as_robot()).await.unwrap();
    house.through(60).await;
    house.through(120).await;
    assert_eq!(house.passed(), [0; 0]);
    // From now on it may; then it is disabled. It cannot go while something runs as it.
    house.put(Kind::User, "robot", json!({"kind": "service", "profiles": ["runner"]})).await;
    house.through(180).await;
    house.put(Kind::User, "robot", json!({"kind": "service", "profiles": ["runner"], "enabled": false})).await;
    house.through(240).await;
    let kept = house.runtime.delete_definition(&house.ada, Kind::User, "robot").await;
    assert!(matches!(kept, Err(Error::Conflict { code: "in-use", .. })), "{kept:?}");
    assert_eq!(house.through(300).await, Some(360), "it stays");
    assert_eq!(house.passed(), [180]);
    let asked: Vec<_> = house.entries("execute").await.into_iter().map(|e| (e.principal, e.outcome, e.rule)).collect();
    let outcomes: Vec<_> = asked.iter().map(|(_, outcome, rule)| (*outcome, rule.split(' ').next().unwrap())).collect();
    let denied = Outcome::Denied;
    assert_eq!(
        outcomes,
        [
            (denied, "environment.no-profile"),
            (denied, "environment.no-profile"),
            (Outcome::Allowed, "execute.allowed"),
            (denied, "user.disabled"),
            (denied, "user.disabled"),
        ]
    );
    assert!(asked.iter().all(|(principal, ..)| principal == "robot"));
    let runs = house.runs().await;
    assert_eq!(runs.len(), 1, "a denial opens no run");
    assert_eq!((runs[0].trigger.as_str(), runs[0].principal.as_str()), ("schedule", "robot"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_publishers_right_nothing_fires_until_somebody_adopts_it() {
    let mut house = House::open().await;
    let pat = house.user("pat", &["devops", "runner"]).await;
    let runners = Deploy { acl: Some("runners".parse().unwrap()), ..Deploy::default() };
    house.deploy_as(&pat, "{ every: PT60S }", runners).await.unwrap();
    house.through(60).await;
    assert_eq!(house.passed(), [60]);
    house.put(Kind::User, "pat", json!({"kind": "native", "profiles": ["runner"]})).await;
    house.through(120).await;
    assert_eq!(house.passed(), [60]);
    let denied = house.entries("execute").await.pop().unwrap();
    assert_eq!((denied.outcome, denied.rule.as_str()), (Outcome::Denied, "execute.publish-right-fallen publisher=pat"));
    // It runs as the adopter then, who has to be on the list like anybody.
    let clock = "clock".parse().unwrap();
    house.runtime.adopt(&house.ada, &"development".parse().unwrap(), &clock).await.unwrap();
    house.through(180).await;
    assert_eq!(house.passed(), [60]);
    house.put(Kind::Acl, "runners", json!({"title": "", "profiles": ["runner", "administrator"]})).await;
    house.through(240).await;
    assert_eq!(house.passed(), [60, 240]);
    assert_eq!(house.runs().await.last().unwrap().principal.as_str(), "ada");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_fires_in_a_suspended_tenant() {
    let mut house = House::open().await;
    house.deploy("{ every: PT60S }").await;
    house.runtime.operator_suspend(house.ada.tenant(), true).await.unwrap();
    house.through(60).await;
    assert_eq!(house.passed(), [0; 0]);
    house.runtime.operator_suspend(house.ada.tenant(), false).await.unwrap();
    house.through(120).await;
    assert_eq!(house.passed(), [120]);
}
