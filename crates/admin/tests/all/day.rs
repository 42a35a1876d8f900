//! A day of an administrator and a publisher: every verb once, each answer read into its shape.

use lockgate_admin::shapes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::house::{House, PASSWORD, Told, basic};

/// Reads an answer of 200 into its shape, which refuses unknown and missing members.
#[track_caller]
fn is<T: DeserializeOwned>(told: &Told) -> T {
    assert_eq!(told.status, 200, "{}", told.text);
    serde_json::from_str(&told.text).unwrap_or_else(|e| panic!("the shape is stale: {e}\n{}", told.text))
}

#[track_caller]
fn items<T: DeserializeOwned>(told: &Told) -> Vec<T> {
    assert_eq!(told.status, 200, "{}", told.text);
    let all = told.json()["items"].clone();
    serde_json::from_value(all).unwrap_or_else(|e| panic!("the shape is stale: {e}\n{}", told.text))
}

#[track_caller]
fn done(told: Told) {
    assert_eq!((told.status, told.text.as_str()), (204, ""));
}

const ECHO: &str = "document: { dsl: '1.0.3', namespace: test, name: echo, version: '1.0.0' }\n\
    evaluate: { language: jsonata }\ndo:\n  - back: { set: { got: '${ $ }' } }\n";
const TEA: &str = "document: { dsl: '1.0.3', namespace: test, name: tea, version: '1.0.0' }\n\
    evaluate: { language: jsonata }\ndo:\n  - sum: { set: { n: '${ who * 2 }' } }\n  \
    - dry: { raise: { error: { type: 'https://example.com/dry', status: 409 } } }\n";

fn files() -> Value {
    json!({"files": {"project.yaml": "project: shop\ntitle: Shop\n", "echo.flow.yaml": ECHO, "tea.flow.yaml": TEA}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_and_credentials() {
    let house = House::open().await;
    let login = "/admin/v1/tenants/acme/login";
    let told = house.send("POST", login, None, Some(json!({"user": "ada", "password": "wrong"}))).await;
    assert_eq!(told.status, 401);
    let told = house.send("POST", login, None, Some(json!({"user": "ada", "password": PASSWORD}))).await;
    let session: shapes::Session = is(&told);
    let bearer = format!("Bearer {}", session.session);
    let who = async |credential: &str| house.send("GET", "/admin/v1/tenants/acme/whoami", Some(credential), None).await;
    let told: shapes::Who = is(&who(&bearer).await);
    assert_eq!((told.user.as_str(), told.credential.as_str()), ("ada", "session"));
    done(house.send("POST", "/admin/v1/tenants/acme/logout", Some(&bearer), None).await);
    assert_eq!(who(&bearer).await.status, 401, "the session is over");

    house.user("ben", &["developer"]).await;
    let told = house.ada("POST", "users/ben/keys", Some(json!({"environment": "development", "days": 7}))).await;
    let key: shapes::NewKey = is(&told);
    let told: shapes::Who = is(&who(&format!("Bearer {}", key.key)).await);
    assert_eq!((told.user.as_str(), told.only_environment.as_deref()), ("ben", Some("development")));
    let told = house.ada("GET", "users/ben/keys", None).await;
    let kept: Vec<shapes::KeyInfo> = items(&told);
    assert_eq!((kept.len(), &kept[0].id), (1, &key.id));
    assert!(!told.text.contains(key.key.rsplit('_').next().unwrap()), "the key is shown once");
    done(house.ada("DELETE", &format!("keys/{}", key.id), None).await);
    assert_eq!(who(&format!("Bearer {}", key.key)).await.status, 401, "the key is ended");
    assert_eq!(house.ada("POST", "users/ben/keys", Some(json!({"days": 0}))).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_of_each_kind() {
    let house = House::open().await;
    let valid_in = json!({"environments": ["development"]});
    for (path, body) in [
        ("profiles/runners", json!({"title": "Runners", "permissions": ["logs-view"], "valid_in": valid_in})),
        ("groups/ops", json!({"title": "Operations", "profiles": ["runners"]})),
        ("users/ben", json!({"kind": "service", "groups": ["ops"]})),
        ("acls/orders", json!({"title": "Orders", "profiles": ["runners"]})),
        ("environments/staging", json!({"title": "Staging", "order": 9})),
        ("project-permissions/default/testers", json!({"permissions": [], "users": ["ben"]})),
    ] {
        let told = house.ada("PUT", path, Some(body.clone())).await;
        assert_eq!(told.status, 204, "{path}: {}", told.text);
        let one: shapes::Definition = is(&house.ada("GET", path, None).await);
        assert!(path.ends_with(&one.id), "{path}");
        let list = path.split('/').next().unwrap();
        let all: Vec<shapes::Definition> = items(&house.ada("GET", list, None).await);
        assert!(all.contains(&one), "{path} is not in its list");
    }
    let of_ada: shapes::Definition = is(&house.ada("GET", "users/ada", None).await);
    assert!(matches!(of_ada.body, shapes::DefinitionBody::User(_)));

    let path = "environments/development/acls/integrations/echo";
    done(house.ada("PUT", path, Some(json!({"acl": "orders"}))).await);
    let told = house.ada("GET", path, None).await;
    let revision: u64 = told.headers["etag"].to_str().unwrap().trim_matches('"').parse().unwrap();
    let assigned: shapes::Assignment = is(&told);
    assert_eq!(assigned.acl, "orders");
    let told = house.ada("GET", "environments/development/acls", None).await;
    assert_eq!(
        told.json(),
        json!({"items": [{"kind": "integrations", "name": "echo", "acl": "orders", "revision": revision}]})
    );
    assert_eq!(house.ada("DELETE", "acls/orders", None).await.status, 409, "it is in use");
    done(house.ada("DELETE", path, None).await);
    assert_eq!(house.ada("GET", path, None).await.status, 404);

    let batch = json!({"items": [
        {"kind": "group", "id": "more", "body": {"title": "More"}},
        {"kind": "acl", "id": "orders"},
    ]});
    let told = house.ada("POST", "apply", Some(batch)).await;
    assert_eq!((told.status, told.json()), (200, json!({"applied": 2})));
    for path in ["project-permissions/default/testers", "users/ben", "groups/ops"] {
        done(house.ada("DELETE", path, None).await);
        assert_eq!(house.ada("GET", path, None).await.status, 404, "{path}");
    }
    assert_eq!(house.ada("GET", "acls/orders", None).await.status, 404);
    assert_eq!(house.ada("GET", "accounts/x", None).await.status, 404, "no kind of this verb");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_push_to_a_run_and_its_trace() {
    let house = House::open().await;

    // All problems of broken sources, with line and column.
    let mut broken = files();
    broken["files"]["echo.flow.yaml"] = json!(ECHO.replace("${ $ }", "${ (1 }"));
    broken["files"]["tea.flow.yaml"] = json!(TEA.replace("set:", "sett:"));
    let told = house.ada("POST", "projects/shop/versions", Some(broken)).await;
    assert_eq!(told.status, 422, "{}", told.text);
    let error: shapes::Refusal = serde_json::from_str(&told.text).unwrap();
    let problems = error.problems.unwrap();
    let files_with: Vec<_> = problems.iter().map(|p| (p.file.as_str(), p.line)).collect();
    assert!(files_with.contains(&("echo.flow.yaml", Some(4))), "{files_with:?}");
    assert!(files_with.contains(&("tea.flow.yaml", Some(4))), "{files_with:?}");

    let pushed: shapes::Pushed = is(&house.ada("POST", "projects/shop/versions", Some(files())).await);
    assert_eq!((pushed.version, pushed.changed), (1, true));
    let projects: Vec<shapes::Project> = items(&house.ada("GET", "projects", None).await);
    assert!(projects.iter().any(|p| p.id == "shop" && p.head == 1));
    let versions: Vec<shapes::ProjectVersion> = items(&house.ada("GET", "projects/shop/versions", None).await);
    assert_eq!((versions.len(), versions[0].version, &versions[0].source), (1, 1, &pushed.source));
    assert_eq!(house.ada("GET", "projects/absent/versions", None).await.status, 404);

    let path = "environments/development/deployments/shop";
    let deployed: shapes::Deployed = is(&house.ada("PUT", path, Some(json!({"version": 1}))).await);
    assert_eq!(deployed.orchestrations.len(), 2);
    let active: Vec<shapes::Deployment> = items(&house.ada("GET", "environments/development/deployments", None).await);
    assert_eq!((active.len(), active[0].publisher.as_str()), (1, "ada"));

    let promotion = "environments/test/deployments/shop/from/development";
    let plan: shapes::Promotion = is(&house.ada("GET", promotion, None).await);
    assert_eq!((plan.version, plan.replaces, plan.refusals.len()), (1, None, 0));
    assert!(plan.orchestrations.iter().all(|one| one.replaces.is_none() && one.acl_to.is_none()));
    let promoted: shapes::Deployed = is(&house.ada("POST", promotion, Some(json!({}))).await);
    let modules =
        |deployed: &shapes::Deployed| deployed.orchestrations.iter().map(|o| o.module.clone()).collect::<Vec<_>>();
    assert_eq!(modules(&promoted), modules(&deployed), "the same bytes");
    let told = house.ada("POST", "environments/test/deployments/shop/rollback", None).await;
    assert_eq!((told.status, told.code().as_str()), (409, "LG-ROLLBACK"));

    // Run now: digits stay as they came.
    let runs = "environments/development/runs";
    let text = "{\"name\": \"echo\", \"input\": {\"n\": 12345678901234567890.10}}";
    let request = http::Request::post(format!("/admin/v1/tenants/acme/{runs}"))
        .header("authorization", basic("ada"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(text))
        .unwrap();
    let told = house.ask(request).await;
    assert_eq!((told.status, told.text.as_str()), (200, "{\"got\":{\"n\":12345678901234567890.10}}"));
    let run = told.headers["lockgate-run"].to_str().unwrap().to_owned();
    let told = house.ada("POST", runs, Some(json!({"name": "tea", "input": {"who": "ben"}}))).await;
    assert_eq!((told.status, &told.headers["content-type"]), (500, &"application/problem+json".parse().unwrap()));
    let problem: shapes::RunProblem = serde_json::from_str(&told.text).unwrap();
    assert!(problem.code.starts_with("T200"), "{problem:?}");
    assert_eq!(problem.place.unwrap().file, "tea.flow.yaml");
    let told = house.ada("POST", runs, Some(json!({"name": "tea", "input": {"who": 2}}))).await;
    let problem: shapes::RunProblem = serde_json::from_str(&told.text).unwrap();
    assert_eq!((told.status, problem.code.as_str(), problem.detail), (409, "LG-RAISED", None), "as it was raised");
    let told = house.ada("POST", runs, Some(json!({"name": "absent"}))).await;
    assert_eq!(told.status, 404);

    let one: shapes::RunRecord = is(&house.ada("GET", &format!("{runs}/{run}"), None).await);
    assert_eq!((one.trigger.as_str(), one.phase), ("manual", shapes::Phase::Completed));
    let all: Vec<shapes::RunRecord> = items(&house.ada("GET", runs, None).await);
    assert_eq!(all.len(), 3);
    let faulted: Vec<shapes::RunRecord> =
        items(&house.ada("GET", &format!("{runs}?phase=faulted&limit=5"), None).await);
    assert_eq!(faulted.iter().map(|r| r.target.name.as_str()).collect::<Vec<_>>(), ["tea", "tea"]);

    // Their log lines: page by page, of one run, and of this environment and tenant alone.
    let logs = "environments/development/logs";
    let lines: Vec<shapes::LogLine> = items(&house.ada("GET", logs, None).await);
    assert!(
        matches!(&lines[0].event, shapes::LogEvent::RunOpened { principal, .. } if principal == "ada"),
        "{lines:?}"
    );
    assert_eq!((lines.len(), lines[0].run.as_str()), (8, run.as_str()));
    assert!(matches!(&lines[3].event, shapes::LogEvent::Failed { code, .. } if code.starts_with("T200")), "{lines:?}");
    let after: Vec<shapes::LogLine> =
        items(&house.ada("GET", &format!("{logs}?after={}&limit=2", lines[1].at), None).await);
    assert_eq!(after, lines[2..4]);
    let of_run: Vec<shapes::LogLine> = items(&house.ada("GET", &format!("{logs}?run={run}"), None).await);
    assert_eq!(of_run, lines[..2]);
    let elsewhere: Vec<shapes::LogLine> = items(&house.ada("GET", &logs.replace("development", "test"), None).await);
    assert_eq!(elsewhere, []);
    let others = house.send("GET", &format!("/admin/v1/tenants/other/{logs}"), Some(&basic("bob")), None).await;
    assert_eq!(items::<shapes::LogLine>(&others), []);

    // Why, for one who may and for one who may not.
    let why = async |user: &str| {
        let body = json!({"user": user, "environment": "development", "name": "echo"});
        is::<shapes::Explanation>(&house.ada("POST", "access/why", Some(body)).await)
    };
    let told = why("ada").await;
    assert!(told.allowed && !told.paths.is_empty(), "{told:?}");
    let told = why("nobody").await;
    assert!(!told.allowed && !told.missing.is_empty(), "{told:?}");

    // The log tells of all that, in pages whose chains hold.
    let first: shapes::AuditPage = is(&house.ada("GET", "audit?limit=3", None).await);
    let cursor = first.next.clone().expect("a page of three is not the last");
    let after = first.links.last().unwrap().seq;
    let newest: shapes::AuditPage = is(&house.ada("GET", "audit?newest=2", None).await);
    let events: Vec<_> = newest.links.iter().map(|link| link.entry.event.as_str()).collect();
    assert_eq!(events, ["audit-read", "audit-read"], "the newest alone, this reading the last");
    assert!(newest.next.is_none());
    let told = house.ada("GET", &format!("audit?cursor={cursor}"), None).await;
    let rest: shapes::AuditPage = is(&told);
    let events: Vec<_> = first.links.iter().chain(&rest.links).map(|l| l.entry.event.as_str()).collect();
    for event in ["login", "push", "deploy", "execute", "audit-read"] {
        assert!(events.contains(&event), "no `{event}` in {events:?}");
    }
    for link in &rest.links {
        assert!(link.seq > after, "pages overlap");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_are_listed_paused_resumed_skipped_and_run() {
    let house = House::open().await;
    let timed = ECHO.replace("\ndo:", "\nschedule: { cron: '0 6 * * MON-FRI' }\ndo:");
    let late = TEA.replace("\ndo:", "\nschedule: { every: P1D }\ndo:").replace("who", "scheduled");
    let files = json!({"files": {"project.yaml": "project: shop\n", "echo.flow.yaml": timed, "tea.flow.yaml": late}});
    assert_eq!(house.ada("POST", "projects/shop/versions", Some(files)).await.status, 200);
    house.user("ben", &["monitor"]).await;
    let path = "environments/development/deployments/shop";
    let refused = house.ada("PUT", path, Some(json!({"run_as": "nobody"}))).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "LG-NOT-FOUND"));
    let deployed: shapes::Deployed = is(&house.ada("PUT", path, Some(json!({"run_as": "ada"}))).await);
    let timing = deployed.orchestrations[0].manifest.schedule.clone().unwrap();
    let expected = shapes::Timing::Cron { expression: "0 6 * * MON-FRI".into(), timezone: "UTC".into() };
    assert_eq!(timing, expected);
    assert!(deployed.notes.iter().any(|note| note.contains("runs by itself as `ada`")), "{:?}", deployed.notes);

    let schedules = "environments/development/schedules";
    let listed = async || -> Vec<shapes::Schedule> { items(&house.ada("GET", schedules, None).await) };
    let all = listed().await;
    let names: Vec<_> = all.iter().map(|s| (s.name.as_str(), s.schedule.as_str(), s.runs_as.as_str())).collect();
    assert_eq!(names, [("echo", "cron 0 6 * * MON-FRI UTC", "ada"), ("tea", "every 86400 s", "ada")]);
    assert!(all.iter().all(|s| s.next.is_some() && s.last.is_none() && !s.running));

    let ben = basic("ben");
    let seen: Vec<shapes::Schedule> =
        items(&house.send("GET", &format!("/admin/v1/tenants/acme/{schedules}"), Some(&ben), None).await);
    assert_eq!(seen.len(), 2, "who sees deployments sees what fires");
    for verb in ["pause", "resume", "skip", "run"] {
        let full = format!("/admin/v1/tenants/acme/{schedules}/echo/{verb}");
        let told = house.send("POST", &full, Some(&ben), None).await;
        assert_eq!((told.status, told.code().as_str()), (403, "LG-FORBIDDEN"), "{verb}");
        assert_eq!(house.ada("POST", &format!("{schedules}/absent/{verb}"), None).await.status, 404);
    }
    let skipped: shapes::SkippedNext = is(&house.ada("POST", &format!("{schedules}/echo/skip"), None).await);
    assert_eq!(Some(skipped.skipped), all[0].next);
    assert_eq!(skipped.next, listed().await[0].next);
    assert!(skipped.next > all[0].next);
    done(house.ada("POST", &format!("{schedules}/echo/pause"), None).await);
    let nothing = house.ada("POST", &format!("{schedules}/echo/skip"), None).await;
    assert_eq!((nothing.status, nothing.code().as_str()), (409, "LG-SCHEDULE-NOTHING-DUE"));
    let paused = listed().await.remove(0);
    assert_eq!((paused.next, paused.paused.unwrap().by.as_str()), (None, "ada"));
    let ran: shapes::RanNow = is(&house.ada("POST", &format!("{schedules}/echo/run"), None).await);
    assert_eq!(ran.error, None);
    let ran: shapes::RanNow = is(&house.ada("POST", &format!("{schedules}/tea/run"), None).await);
    assert!(ran.error.unwrap().code.starts_with("T200"), "an error is told without its text");
    done(house.ada("POST", &format!("{schedules}/echo/resume"), None).await);
    let resumed = listed().await.remove(0);
    assert!(resumed.next.is_some() && resumed.last.is_some() && resumed.paused.is_none());
    let told = house.ada("GET", &format!("environments/development/runs/{}", ran.run), None).await;
    assert_eq!(is::<shapes::RunRecord>(&told).trigger, "schedule");
}

const REST: &str = "document: { dsl: '1.0.3', namespace: test, name: rest, version: '1.0.0' }\n\
    evaluate: { language: jsonata }\ndo:\n  - rest: { wait: PT1H }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_are_cancelled_and_restarted() {
    let house = House::open().await;
    let files = json!({"files": {"project.yaml": "project: shop\n", "echo.flow.yaml": ECHO, "rest.flow.yaml": REST}});
    let _: shapes::Pushed = is(&house.ada("POST", "projects/shop/versions", Some(files)).await);
    let _: shapes::Deployed = is(&house.ada("PUT", "environments/development/deployments/shop", Some(json!({}))).await);
    let runs = "environments/development/runs";
    let cancelling = async {
        loop {
            let open: Vec<shapes::RunRecord> = items(&house.ada("GET", &format!("{runs}?phase=waiting"), None).await);
            let Some(open) = open.first() else { continue };
            let restart = house.ada("POST", &format!("{runs}/{}/restart", open.id), Some(json!({"input": 1}))).await;
            assert_eq!((restart.status, restart.code().as_str()), (409, "LG-RUN-OPEN"));
            return is::<shapes::CancelledRun>(&house.ada("POST", &format!("{runs}/{}/cancel", open.id), None).await);
        }
    };
    let waiting = house.ada("POST", runs, Some(json!({"name": "rest"})));
    let (told, cancelled) = tokio::join!(waiting, cancelling);
    assert_eq!((told.status, &told.json()["code"]), (503, &json!("LG-CANCELLED")));
    assert_eq!(cancelled.phase, shapes::Phase::Cancelled);
    let again = house.ada("POST", &format!("{runs}/{}/cancel", cancelled.run), None).await;
    assert_eq!((again.status, again.code().as_str()), (409, "LG-RUN-ENDED"));

    let told = house.ada("POST", runs, Some(json!({"name": "echo", "input": null}))).await;
    assert_eq!(told.text, "{\"got\":null}", "`null` is an input");
    let run = told.headers["lockgate-run"].to_str().unwrap();
    let path = format!("{runs}/{run}/restart");
    let plan: shapes::RestartPlan = is(&house.ada("GET", &path, None).await);
    assert_eq!((plan.run.as_str(), plan.name.as_str(), plan.deployed_by.as_str()), (run, "echo", "ada"));
    assert_eq!((plan.took, plan.occurrence), (plan.takes.clone(), None));
    let without = house.ada("POST", &path, Some(json!({}))).await;
    assert_eq!((without.status, without.code().as_str()), (400, "LG-RESTART-INPUT"));
    let both = house.ada("POST", &path, Some(json!({"input": 1, "nothing": true}))).await;
    assert_eq!((both.status, both.code().as_str()), (400, "LG-BODY"));
    for (body, output) in [
        (json!({"input": [2]}), "{\"got\":[2]}"),
        (json!({"input": null}), "{\"got\":null}"),
        (json!({"nothing": true}), "{}"),
    ] {
        let told = house.ada("POST", &path, Some(body)).await;
        assert_eq!((told.status, told.text.as_str()), (200, output));
        assert_eq!(told.headers["lockgate-module"].to_str().ok(), plan.takes.module.as_deref());
        let new = told.headers["lockgate-run"].to_str().unwrap();
        let new: shapes::RunRecord = is(&house.ada("GET", &format!("{runs}/{new}"), None).await);
        assert_eq!((new.restarts.as_deref(), new.trigger.as_str()), (Some(run), "restart"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_go_in_and_never_come_out() {
    let house = House::open().await;
    let path = "environments/live/accounts/erp";
    let canary = "canary-7f3a";
    let binding = json!({"connector": "https", "address": "https://127.0.0.1:1/api", "identity": "system",
        "settings": {"auth": "bearer"}, "secrets": {"token": canary}});
    let told = house.ada("PUT", path, Some(binding)).await;
    let account: shapes::Account = is(&told);
    assert_eq!(account.secrets, ["token"]);
    let mut seen = told.text;
    let told = house.ada("GET", "environments/live/accounts", None).await;
    let accounts: Vec<shapes::Account> = items(&told);
    assert_eq!(accounts.len(), 1);
    seen += &told.text;
    let told = house.ada("POST", &format!("{path}/test"), None).await;
    assert_eq!((told.status, &told.json()["ok"]), (200, &json!(false)), "loopback is not allowed here");
    assert!(told.json()["message"].is_string());
    seen += &told.text;
    seen += &house.ada("GET", "audit", None).await.text;
    assert!(!seen.contains(canary));
    let wrong = json!({"connector": "https", "address": "http://plain.example.com", "identity": "system"});
    assert_eq!(house.ada("PUT", path, Some(wrong)).await.status, 400);
    // The identity of a server is shown by those that have one to show, under the same egress rule.
    let shown = format!("{path}/identity");
    let endpoint = |connector: &str, address: &str| Some(json!({"connector": connector, "address": address}));
    let told = house.ada("POST", &shown, endpoint("https", "https://127.0.0.1:1")).await;
    assert_eq!((told.status, &told.json()["identity"]), (200, &Value::Null));
    let through = |proxy: &str| Some(json!({"connector": "https", "address": "https://127.0.0.1:1", "proxy": proxy}));
    assert_eq!(house.ada("POST", &shown, through("127.0.0.1:3128")).await.status, 200);
    for wrong in [
        endpoint("https", "http://127.0.0.1:1"),
        endpoint("none", "https://127.0.0.1:1"),
        through("127.0.0.1"),
        through("http://127.0.0.1:3128"),
    ] {
        assert_eq!(house.ada("POST", &shown, wrong).await.status, 400);
    }
    done(house.ada("DELETE", path, None).await);
    assert_eq!(house.ada("DELETE", path, None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connectors_describe_themselves() {
    let house = House::open().await;
    let told = house.send("GET", "/admin/v1/connectors", None, None).await;
    let all: Vec<shapes::Connector> = items(&told);
    assert_eq!(all.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["https"]);
    let one: shapes::Connector = is(&house.send("GET", "/admin/v1/connectors/https", None, None).await);
    assert_eq!(one, all[0]);
    assert_eq!(house.send("GET", "/admin/v1/connectors/carrier-pigeon", None, None).await.status, 404);
}
