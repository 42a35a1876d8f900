//! A tenant `acme` of `ada`, in a store of the test's own.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_connector_api::Registry;
use lockgate_engine::{Engine, EngineConfig};
use lockgate_keys::Master;
use lockgate_model::{
    Channel,
    id::{EnvironmentId, ProjectId},
};
use lockgate_runtime::{Ask, Caller, Clock, Deploy, Document, Finished, Login, NewTenant, Parts, Runtime, Sources};
use lockgate_store::SqliteStore;
use serde_json::json;

const PASSWORD: &str = "Correct-Horse-7";

/// A tenant `acme` of `ada`.
pub async fn house(dir: &std::path::Path, clock: Clock) -> (Runtime, Caller) {
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
    runtime.login("acme", &Login::by_token("ada", secret(&token), secret(PASSWORD)), "").await.unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("ada:{PASSWORD}")));
    let ada = runtime.authenticate("acme", Some(&basic), "").await.unwrap();
    (runtime, ada)
}

pub fn development() -> EnvironmentId {
    "development".parse().unwrap()
}

/// Pushes a project of one flow of the same name, and deploys it.
pub async fn publish(runtime: &Runtime, ada: &Caller, name: &str, task: &str) -> ProjectId {
    let project: ProjectId = name.parse().unwrap();
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}\n\
         evaluate: {{ language: jsonata }}\ndo:\n  {task}\n"
    );
    let files = [("project.yaml".to_owned(), format!("project: {name}\n")), (format!("{name}.flow.yaml"), flow)];
    runtime.push(ada, &project, Sources(files.into())).await.unwrap();
    runtime.deploy(ada, &development(), &project, Deploy::default()).await.unwrap();
    project
}

/// Runs it to its end.
pub async fn run(runtime: &Runtime, ada: &Caller, name: &str) -> Finished {
    let ask = Ask::new("development", name, Channel::Rest);
    let limits = runtime.limits(ada);
    let input = async move { Ok(Document::parse(b"{}", &limits).unwrap()) };
    runtime.execute(ada, ask, input).await.unwrap()
}
