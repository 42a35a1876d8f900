//! The server holds to its description: schemathesis reads the OpenAPI document and sends what it allows and what it
//! forbids, to every operation, as an administrator of the tenant.
//!
//! Each operation gets an example of things that are there ([`furnished`]), so that it is met once with success; those that
//! cannot be, so, are in [`UNMET`]. Ids are chosen there and not taken from answers: whoever asks is not among them, so
//! the run does not end its own key or user, and says so at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use lockgate_admin::openapi;
use lockgate_model::Limits;
use lockgate_testkit::{Pki, long, process::Running, schemathesis};
use serde_json::{Value, json};

use crate::{
    house::{House, PASSWORD},
    refusals::body,
};

/// How many cases the configuration says, and how many the long run takes.
const CASES: (&str, &str) = ("max-examples = 4\n", "max-examples = 100\n");
/// It ends by then, or is taken to hang.
const TIME_MAX: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(3_600));

/// What no example can be a success of, each with its reason. Other tests meet them. This list may only shrink.
const UNMET: &[(&str, &str, &str)] = &[
    ("POST", "/second-factor/confirm", "it takes a code of the moment"),
    ("DELETE", "/users/{id}/second-factor", "there is none before one was confirmed"),
    ("POST", "/passkeys/confirm", "it takes an authenticator's answer to what was asked"),
    ("PUT", "/passkeys/{id}", "there is none before one was confirmed"),
    ("POST", "/passkeys/{id}/remove", "there is none before one was confirmed"),
];

/// What was answered: method and route, with the statuses.
pub type Answered = Arc<Mutex<BTreeMap<(String, String), BTreeSet<u16>>>>;

/// Ids that the house gave.
struct Ids {
    session: String,
    key: String,
    certificate: String,
    grant: String,
    ran: String,
    open: String,
    pem: String,
}

fn flow(name: &str, head: &str, task: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}\n\
         evaluate: {{ language: jsonata }}\n{head}do:\n  - back: {{ {task} }}\n"
    )
}

/// Something of everything, for each operation something of its own where it takes it away.
async fn furnished(house: &House) -> Ids {
    let ada = async |method: &str, path: &str, body: Value| {
        let told = house.ada(method, path, (!body.is_null()).then_some(body)).await;
        assert!(told.status < 300, "{method} {path}: {}", told.text);
        told
    };
    let id = |value: Value| value["id"].as_str().unwrap().to_owned();
    house.reached_by("https://lockgate.example.com");
    // A run is open until it is cancelled.
    house.limit(&Limits { wall_ms_max: 3_600_000, ..Limits::default() }).await;
    for user in ["pat", "ben", "eva"] {
        house.user(user, &["developer"]).await;
    }
    let pki = Pki::new();
    let login = house.login(json!({"user": "eva", "password": PASSWORD})).await;
    assert_eq!(login.status, 200, "{}", login.text);
    let session = ada("GET", "users/eva/sessions", Value::Null).await.json()["items"][0].clone();
    for path in ["users/gone", "users/robot"] {
        ada("PUT", path, json!({"kind": "service"})).await;
    }
    for project in ["shop", "goods"] {
        let every = "schedule: { every: { days: 30 } }\n";
        for version in 0..2 {
            let (tick, rest) = (format!("tick-{project}"), format!("rest-{project}"));
            let files = json!({"files": {
                "project.yaml": format!("project: {project}\n"),
                format!("{tick}.flow.yaml"): flow(&tick, every, &format!("set: {{ got: {version} }}")),
                format!("{rest}.flow.yaml"): flow(&rest, "", "wait: PT1H"),
            }});
            ada("POST", &format!("projects/{project}/versions"), files).await;
            ada("PUT", &format!("environments/development/deployments/{project}"), json!({})).await;
        }
        let account = json!({"connector": "https", "address": "https://127.0.0.1:1", "identity": "system"});
        ada("PUT", &format!("environments/development/accounts/{project}"), account).await;
        ada("PUT", &format!("project-permissions/{project}/more"), json!({"permissions": []})).await;
    }
    for name in ["tick-shop", "tick-goods"] {
        ada("PUT", &format!("environments/development/acls/integrations/{name}"), json!({"acl": "default"})).await;
    }
    let runs = "environments/development/runs";
    let ran =
        ada("POST", runs, json!({"name": "tick-shop"})).await.headers["lockgate-run"].to_str().unwrap().to_owned();
    let resting = house.later("POST", runs, json!({"name": "rest-shop"}));
    let open = loop {
        let found = ada("GET", &format!("{runs}?name=rest-shop"), Value::Null).await.json()["items"][0].clone();
        match found["id"].as_str() {
            Some(run) => break run.to_owned(),
            None => assert!(!resting.is_finished(), "{found}"),
        }
    };
    Ids {
        session: id(session),
        key: id(ada("POST", "users/robot/keys", json!({})).await.json()),
        certificate: id(ada(
            "POST",
            "users/robot/certificates",
            json!({"certificate": pki.client("robot", true).certificate_pem()}),
        )
        .await
        .json()),
        grant: id(ada("POST", "support", json!({"environments": ["development"]})).await.json()),
        ran,
        open,
        pem: pki.client("other", true).certificate_pem(),
    }
}

/// What stands in the path of an operation's example.
fn names(method: &str, rest: &str, ids: &Ids) -> BTreeMap<&'static str, String> {
    let (mut id, mut name, mut project, mut environment) = ("pat", "tick-shop", "shop", "development");
    let kind = if rest.contains("/acls/{kind}") { "integrations" } else { "users" };
    match (method, rest) {
        ("put", "/{kind}/{id}") => id = "made",
        ("delete", "/{kind}/{id}") => id = "gone",
        ("post", "/users/{id}/token" | "/users/{id}/expire-password") => id = "ben",
        (_, "/users/{id}/keys" | "/users/{id}/certificates") => id = "robot",
        (_, "/sessions/{id}") => id = &ids.session,
        (_, "/keys/{id}") => id = &ids.key,
        (_, "/certificates/{id}") => id = &ids.certificate,
        (_, "/support/{id}") => id = &ids.grant,
        (_, path) if path.ends_with("/runs/{id}/cancel") => id = &ids.open,
        (_, path) if path.contains("/runs/{id}") => id = &ids.ran,
        ("post", "/projects/{project}/versions") => project = "wares",
        ("delete", "/project-permissions/{project}/{name}") => (project, name) = ("goods", "more"),
        (_, "/project-permissions/{project}/{name}") => name = "more",
        ("delete", path) if path.contains("/acls/") => name = "tick-goods",
        ("delete", path) if path.ends_with("/accounts/{name}") => name = "goods",
        (_, path) if path.contains("/accounts/") => name = "shop",
        ("delete", path) if path.ends_with("/deployments/{project}") => project = "goods",
        (_, path) if path.contains("/from/") => environment = "test",
        (_, "/admin/v1/connectors/{name}") => name = "https",
        _ => {}
    }
    let all = [("id", id), ("name", name), ("project", project), ("environment", environment), ("kind", kind)];
    let all = all.into_iter().chain([("from", "development"), ("tenant", "acme")]);
    all.map(|(parameter, value)| (parameter, value.to_owned())).collect()
}

/// The body of an operation's example.
fn example(method: &str, rest: &str, ids: &Ids) -> Option<Value> {
    Some(match (method, rest) {
        ("post", "/login") => json!({"user": "pat", "password": PASSWORD}),
        ("post", "/second-factor" | "/passkeys") => json!({"password": PASSWORD}),
        ("post", "/users/{id}/certificates") => json!({"certificate": ids.pem}),
        ("post", "/projects/{project}/versions") => json!({"files": {
            "project.yaml": "project: wares\n", "echo.flow.yaml": flow("echo", "", "set: { got: '${ $ }' }"),
        }}),
        ("post", "/apply" | "/access/what-if") => json!({"items": [{"kind": "group", "id": "made", "body": {}}]}),
        ("post", "/access/why") => json!({"user": "pat", "environment": "development", "name": "tick-shop"}),
        ("post", "/environments/{environment}/runs") => json!({"name": "tick-shop"}),
        ("post", "/environments/{environment}/runs/{id}/restart") => json!({"nothing": true}),
        ("post", "/environments/{environment}/accounts/{name}/identity") => {
            json!({"connector": "https", "address": "https://127.0.0.1:1"})
        }
        _ => return body(method, rest),
    })
}

/// The description with an example for each operation. Headers have none: conditions that hold of nothing would
/// keep an operation from ever being done.
fn with_examples(ids: &Ids) -> Value {
    let mut document = serde_json::to_value(openapi()).unwrap();
    for (path, item) in document["paths"].as_object_mut().unwrap() {
        let rest = path.strip_prefix("/admin/v1/tenants/{tenant}").unwrap_or(path).to_owned();
        for (method, operation) in item.as_object_mut().unwrap() {
            let names = names(method, &rest, ids);
            if let Some(Value::Array(parameters)) = operation.get_mut("parameters") {
                // Whoever asks for a page has its cursor from the server: `pages` asks so.
                parameters.retain(|parameter| parameter["name"] != "cursor");
                for parameter in parameters {
                    let parameter = parameter.as_object_mut().unwrap();
                    parameter.remove("example");
                    if parameter["in"] == "path" {
                        let name = names[parameter["name"].as_str().unwrap()].clone();
                        parameter.insert("example".to_owned(), name.into());
                    }
                }
            }
            if let (Some(content), Some(body)) =
                (operation.pointer_mut("/requestBody/content/application~1json"), example(method, &rest, ids))
            {
                content["example"] = body;
            }
        }
    }
    document
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_holds_to_its_description() {
    let Some(program) = schemathesis() else { return };
    let house = House::open().await;
    let ids = furnished(&house).await;
    let key = house.ada("POST", "users/ada/keys", Some(json!({}))).await.json()["key"].as_str().unwrap().to_owned();
    let (address, answered) = house.serve().await;
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    std::fs::write(&document, with_examples(&ids).to_string()).unwrap();
    let asked = include_str!("schemathesis.toml");
    assert!(asked.contains(CASES.0));
    let (asked, time_max) =
        if long() { (asked.replace(CASES.0, CASES.1), TIME_MAX.1) } else { (asked.to_owned(), TIME_MAX.0) };
    std::fs::write(folder.path().join("schemathesis.toml"), asked).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder.path()).env("LOCKGATE_KEY", &key);
    command.arg("run").arg(&document).args(["--url", &format!("http://{address}")]);
    let log = folder.path().join("log");
    let out = std::fs::File::create(&log).unwrap();
    let mut run = Running::start(command.stdin(Stdio::null()).stderr(out.try_clone().unwrap()).stdout(out));
    let told = || std::fs::read_to_string(&log).unwrap();
    let began = Instant::now();
    let ended = loop {
        if let Some(ended) = run.0.try_wait().unwrap() {
            break ended;
        }
        assert!(began.elapsed() < time_max, "it has not ended after {time_max:?}: {}", told());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(ended.success(), "{}", told());

    let who = house.send("GET", "/admin/v1/tenants/acme/whoami", Some(&format!("Bearer {key}")), None).await;
    assert_eq!((who.status, &who.json()["user"]), (200, &json!("ada")), "it shut itself out");
    let answered = answered.lock().unwrap();
    let mut unmet = BTreeSet::new();
    for (path, item) in openapi().paths.paths {
        let methods = [("GET", item.get), ("PUT", item.put), ("POST", item.post), ("DELETE", item.delete)];
        for (method, _) in methods.into_iter().filter(|(_, operation)| operation.is_some()) {
            let met =
                answered.get(&(method.to_owned(), path.clone())).into_iter().flatten().any(|status| *status < 300);
            if !met {
                unmet.insert((method, path.strip_prefix("/admin/v1/tenants/{tenant}").unwrap_or(&path).to_owned()));
            }
        }
    }
    let known: BTreeSet<_> = UNMET.iter().map(|(method, path, _)| (*method, (*path).to_owned())).collect();
    assert_eq!(unmet, known, "never met with success, and not as UNMET says");
}
