//! The standard's conformance kit through the whole path: each scenario is a project that is pushed, deployed and
//! executed over HTTP, and each of its steps is held to what its text says.
//!
//! Its hosts are a stand-in of this test, over TLS with a CA of its own. A name cannot be given to an address of
//! this machine, so the origins in the definitions become the stand-in's; paths stay.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, service::service_fn};
use hyper_util::rt::TokioIo;
use lockgate_compiler::error_type_names;
use lockgate_mapping::yaml;
use lockgate_testkit::{Pki, pki::Server, wait_until};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::house::{House, Reply};

const SCENARIOS: usize = 21;

/// Hosts of the kit.
const HOSTS: [&str; 2] = ["https://petstore.swagger.io", "https://httpbin.org"];

/// What the stand-in answers: a status and a document.
fn answer(path: &str, authorization: Option<&str>) -> (u16, Value) {
    let pet = |id: i64| json!({ "id": id, "name": "Milou", "status": "available", "photoUrls": [] });
    let segments: Vec<_> = path.split('/').skip(1).collect();
    match segments[..] {
        ["v2", "swagger.json"] => (200, description()),
        ["v2", "pet", "findByStatus"] => (200, json!([pet(1), pet(2)])),
        ["v2", "pet", id] => match id.parse() {
            Ok(id) => (200, pet(id)),
            Err(_) => (404, json!({ "message": "no such pet" })),
        },
        // `serverless-workflow:conformance-test`
        ["basic-auth", _, _] if authorization == Some("Basic c2VydmVybGVzcy13b3JrZmxvdzpjb25mb3JtYW5jZS10ZXN0") => {
            (200, json!({ "authenticated": true }))
        }
        ["basic-auth", _, _] => (401, json!({ "authenticated": false })),
        _ => (404, json!({ "message": "nothing here" })),
    }
}

/// The description of the stand-in's own operations, which are where the description is.
fn description() -> Value {
    let operation = |id: &str, name: &str, placed: &str, kind: &str| {
        json!({ "get": {
            "operationId": id,
            "parameters": [{ "name": name, "in": placed, "required": true, "type": kind }],
            "responses": { "200": { "description": "ok" } },
        } })
    };
    json!({
        "swagger": "2.0",
        "info": { "title": "Pets", "version": "1.0.0" },
        "basePath": "/v2",
        "paths": {
            "/pet/findByStatus": operation("findPetsByStatus", "status", "query", "string"),
            "/pet/{petId}": operation("getPetById", "petId", "path", "integer"),
        },
    })
}

/// Starts the stand-in; its port.
fn stand_in(runtime: &tokio::runtime::Runtime, pki: &Pki) -> u16 {
    let acceptor = TlsAcceptor::from(pki.server_config(Server::Good, false, &["http/1.1"]));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(tls) = acceptor.accept(stream).await else { return };
                let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                    let authorization = request.headers().get("authorization").and_then(|value| value.to_str().ok());
                    let (status, document) = answer(request.uri().path(), authorization);
                    let reply = Response::builder().status(status).header("content-type", "application/json");
                    Ok::<_, Infallible>(reply.body(Full::new(Bytes::from(document.to_string()))).unwrap())
                });
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tls), service).await;
            });
        }
    });
    port
}

/// A document of the kit, which is YAML.
fn document(text: &str) -> Value {
    let node = yaml::parse("kit", text).unwrap_or_else(|e| panic!("{e:?} in {text}"));
    serde_json::from_str(&node.to_json()).unwrap()
}

/// Numbers as f64: `1` and `1.0` are one value.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

/// The value at `a.b.c`.
fn property<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

/// What stands between single quotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('\'').skip(1).step_by(2).collect()
}

/// Old and new names of one error type are one.
fn same_field(name: &str, ours: &Value, theirs: &Value) -> bool {
    let aliases = theirs.as_str().map(error_type_names).unwrap_or_default();
    plain(ours) == plain(theirs) || name == "type" && aliases.iter().any(|alias| *ours == alias.as_str())
}

struct Kit {
    house: House,
    origin: String,
    folder: std::path::PathBuf,
    /// Of the stand-in.
    ca: std::path::PathBuf,
}

impl Kit {
    /// Runs a scenario; why it fails.
    fn run(&self, scenario: &Value) -> Result<(), String> {
        let steps = scenario["steps"].as_array().unwrap();
        let (mut definition, mut input, mut ran) = (None, None, None);
        for step in steps {
            let (text, doc) = (step["text"].as_str().unwrap(), step["doc"].as_str());
            match text {
                "a workflow with definition:" => definition = doc,
                "given the workflow input is:" => input = doc.map(document),
                "the workflow is executed" => ran = Some(self.execute(definition.unwrap(), input.as_ref())?),
                _ => {
                    let (reply, times) = ran.as_ref().ok_or("a check before the run")?;
                    check(text, doc, reply, times).map_err(|why| format!("{text}: {why}\n{reply:?} {times:?}"))?;
                }
            }
        }
        Ok(())
    }

    /// Pushes, deploys and executes a definition: the reply, and when each task was entered and left.
    fn execute(&self, definition: &str, input: Option<&Value>) -> Result<(Reply, Times), String> {
        let name = document(definition)["document"]["name"].as_str().unwrap().to_owned();
        let definition = HOSTS.iter().fold(definition.to_owned(), |text, host| text.replace(host, &self.origin));
        let _ = std::fs::remove_dir_all(&self.folder);
        std::fs::create_dir(&self.folder).unwrap();
        std::fs::write(self.folder.join("project.yaml"), "project: kit\n").unwrap();
        std::fs::write(self.folder.join(format!("{name}.flow.yaml")), definition).unwrap();
        let context = self.house.data.join("context.json");
        let (folder, ca) = (self.folder.to_str().unwrap(), self.ca.to_str().unwrap());
        for arguments in [&["build", folder, "--ca", ca][..], &["push", folder], &["deploy", "kit", "development"]] {
            let output = self.house.cli_as(&context, arguments, "");
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
        }
        let body = input.map(Value::to_string);
        let path = format!("/demo/development/{name}");
        let reply = self.house.request(&self.house.administrator(), "POST", &path, body.as_deref(), &[]);
        let run =
            reply.headers.lines().find_map(|line| line.to_lowercase().strip_prefix("lockgate-run:").map(str::to_owned));
        let run = run.ok_or_else(|| format!("no run: {reply:?}"))?;
        let run = run.trim().rsplit('/').next().unwrap_or_default().to_owned();
        let mut record = Value::Null;
        wait_until("the end of the run", Duration::from_secs(30), || {
            record = self.house.cli_json(&["runs", "show", &run, "--env", "development"]);
            record["ended"].is_number() || record["ended"].is_string()
        });
        // The flow's own input and output are no tasks.
        let all = record["tasks"].as_array().unwrap().iter();
        let tasks = all.filter(|task| task["task"].as_str().unwrap().starts_with("/do/"));
        let times = tasks.map(|task| {
            let at = |member: &str| task[member].as_u64().unwrap();
            (task["task"].as_str().unwrap().rsplit('/').next().unwrap().to_owned(), (at("first_us"), at("last_us")))
        });
        Ok((reply, times.collect()))
    }
}

/// When each task was entered first and left last.
type Times = BTreeMap<String, (u64, u64)>;

fn check(text: &str, doc: Option<&str>, reply: &Reply, times: &Times) -> Result<(), String> {
    let ensure = |holds: bool, why: &str| if holds { Ok(()) } else { Err(why.to_owned()) };
    let at = |task: &str| times.get(task).copied().ok_or_else(|| format!("`{task}` did not run"));
    let completed = matches!(reply.status, 200 | 204);
    let words: Vec<_> = text.split(' ').collect();
    match words[..] {
        ["the", "workflow", "should", "complete"] => ensure(completed, "it faults"),
        ["the", "workflow", "should", "complete", "with", "output:"] => ensure(
            completed && plain(&reply.json()) == plain(&document(doc.ok_or("no output")?)),
            "it gives something else",
        ),
        ["the", "workflow", "should", "fault"] => ensure(!completed, "it completes"),
        ["the", "workflow", "should", "fault", "with", "error:"] => {
            let (error, expected) = (reply.json(), document(doc.ok_or("no error")?));
            let fields = expected.as_object().ok_or("no error object")?;
            let same = fields.iter().all(|(name, value)| same_field(name, &error[name], value));
            ensure(!completed && same, "it is another error")
        }
        ["the", "workflow", "output", "should", "have", "properties", ..] => {
            let output = reply.json();
            let missing: Vec<_> = quoted(text).into_iter().filter(|path| property(&output, path).is_none()).collect();
            ensure(!quoted(text).is_empty() && missing.is_empty(), &format!("{missing:?} is missing"))
        }
        ["the", "workflow", "output", "should", "have", "a", _, "property", "with", "value:"] => {
            let (output, expected) = (reply.json(), document(doc.ok_or("no value")?));
            let value = quoted(text).first().and_then(|path| property(&output, path)).ok_or("it is missing")?;
            ensure(plain(value) == plain(&expected), "it is something else")
        }
        ["the", "workflow", "output", "should", "have", "a", _, "property", "containing", count, "items"] => {
            let output = reply.json();
            let value = quoted(text).first().and_then(|path| property(&output, path)).ok_or("it is missing")?;
            ensure(value.as_array().map(Vec::len) == count.parse().ok(), "it has another number of items")
        }
        [task, "should", "run", "first"] => {
            let (first, _) = at(task)?;
            ensure(times.values().all(|(other, _)| first <= *other), "another runs before")
        }
        [task, "should", "run", "last"] => {
            let (first, _) = at(task)?;
            ensure(times.values().all(|(other, _)| *other <= first), "another runs after")
        }
        [task, "should", "run", "after", other] => ensure(at(other)?.1 <= at(task)?.0, "it does not"),
        [task, "should", "run", "before", other] => ensure(at(task)?.1 <= at(other)?.0, "it does not"),
        _ => Err("this test does not know the step".to_owned()),
    }
}

#[test]
fn the_conformance_kit_passes() {
    let Some(suite) = lockgate_testkit::suite("sw-ctk") else { return };
    let scenarios: Value = serde_json::from_slice(&std::fs::read(suite.join("scenarios.json")).unwrap()).unwrap();
    let scenarios = scenarios.as_array().unwrap();
    assert_eq!(scenarios.len(), SCENARIOS);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pki = Pki::new();
    let port = stand_in(&runtime, &pki).to_string();
    let house = House::start();
    let (ca, origin) = (house.folder().join("stand-in.pem"), format!("https://127.0.0.1:{port}"));
    std::fs::write(&ca, pki.ca_pem()).unwrap();
    let bind = ["account", "add", "stand-in", "--env", "development", "--connector", "https", "--address"];
    house.cli(&[&bind[..], &[&format!("{origin}/"), "--ca", ca.to_str().unwrap()]].concat());
    let data = house.data.to_str().unwrap();
    house.cli(&["operator", "egress", "allow", "--data", data, "demo", "development", "127.0.0.1/32", &port]);

    let folder = house.folder().join("kit");
    let kit = Kit { house, origin, folder, ca };
    let mut wrong = Vec::new();
    for scenario in scenarios {
        let name = scenario["scenario"].as_str().unwrap();
        if let Err(why) = kit.run(scenario) {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n\n"), kit.house.log());
}
