//! The stage rule: what was green once in the environment before may go on, whatever ran there since.
#![expect(clippy::unwrap_used, reason = "test code: a broken premise must fail the test on the spot")]

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::join_all;
use lockgate_connector_api::Registry;
use lockgate_engine::{Engine, EngineConfig};
use lockgate_keys::Master;
use lockgate_model::{
    Channel, Kind,
    id::{EnvironmentId, ProjectId},
};
use lockgate_runtime::{Ask, Caller, Clock, Deploy, Document, Error, NewTenant, Parts, Runtime, Sources};
use lockgate_store::SqliteStore;
use serde_json::json;

const PASSWORD: &str = "Correct-Horse-7";

/// A tenant `acme` of `ada`.
async fn house(dir: &std::path::Path) -> (Runtime, Caller) {
    let clock = Clock::system();
    let parts = Parts {
        store: Arc::new(SqliteStore::open(&dir.join("store"), clock.now()).unwrap()),
        engine: Arc::new(Engine::new(EngineConfig { stacks_max: 64, ..EngineConfig::default() }).unwrap()),
        master: Arc::new(Master::open_or_create(&dir.join("keys")).unwrap()),
        registry: Arc::new(Registry::new()),
        clock,
    };
    let runtime = Runtime::open(parts).await.unwrap();
    let new = NewTenant { id: "acme".parse().unwrap(), title: "Acme".into(), administrator: "ada".parse().unwrap() };
    let token = runtime.operator_create_tenant(new).await.unwrap();
    let secret = |text: &str| serde_json::from_value(json!(text)).unwrap();
    runtime.login_token("acme", "ada", secret(&token), secret(PASSWORD), "").await.unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("ada:{PASSWORD}")));
    let ada = runtime.authenticate("acme", Some(&basic), "").await.unwrap();
    (runtime, ada)
}

fn development() -> EnvironmentId {
    "development".parse().unwrap()
}

/// Pushes a project of one flow of the same name, and deploys it.
async fn publish(runtime: &Runtime, ada: &Caller, name: &str) -> ProjectId {
    let project: ProjectId = name.parse().unwrap();
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}\n\
         evaluate: {{ language: jsonata }}\ndo:\n  - a: {{ set: {{ from: {name} }} }}\n"
    );
    let files = [("project.yaml".to_owned(), format!("project: {name}\n")), (format!("{name}.flow.yaml"), flow)];
    runtime.push(ada, &project, Sources(files.into())).await.unwrap();
    runtime.deploy(ada, &development(), &project, Deploy::default()).await.unwrap();
    project
}

async fn run(runtime: &Runtime, ada: &Caller, name: &str) {
    let ask = Ask::new("development", name, Channel::Rest);
    let limits = runtime.limits(ada);
    let input = async move { Ok(Document::parse(b"{}", &limits).unwrap()) };
    runtime.execute(ada, ask, input).await.unwrap().result.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_green_run_is_not_forgotten_among_a_thousand_others() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house(dir.path()).await;
    let strict = json!({"title": "Test", "order": 1, "needs_green_run": true});
    runtime.put_definition(&ada, Kind::Environment, "test", strict).await.unwrap();
    let tock = publish(&runtime, &ada, "tock").await;
    publish(&runtime, &ada, "tick").await;
    let test: EnvironmentId = "test".parse().unwrap();
    let promote = async || runtime.promote(&ada, &tock, &development(), &test, None, None).await;
    let refused = promote().await;
    assert!(matches!(&refused, Err(Error::Forbidden { rule }) if rule.contains("no-green-run")), "{refused:?}");
    run(&runtime, &ada, "tock").await;
    for _ in 0..10 {
        join_all((0..104).map(|_| run(&runtime, &ada, "tick"))).await;
    }
    let shown = runtime.promotion(&ada, &tock, &development(), &test, None, None).await.unwrap();
    assert!(shown.refusals.is_empty(), "{:?}", shown.refusals);
    promote().await.unwrap();
}
