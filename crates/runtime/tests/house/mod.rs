//! A tenant `acme` of `ada`, in a store of the test's own.

use std::{sync::Arc, time::Duration};

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

/// The store of a folder. A runtime that was dropped may hold it until its last task has ended.
pub async fn store(dir: &std::path::Path, clock: &Clock) -> SqliteStore {
    for _ in 0..500 {
        match SqliteStore::open(&dir.join("store"), clock.now()) {
            Ok(store) => return store,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    SqliteStore::open(&dir.join("store"), clock.now()).unwrap()
}

/// What lies in a folder, served.
pub async fn open(dir: &std::path::Path, clock: Clock) -> Runtime {
    let parts = Parts {
        store: Arc::new(store(dir, &clock).await),
        engine: Arc::new(Engine::new(EngineConfig { stacks_max: 64, ..EngineConfig::default() }).unwrap()),
        master: Arc::new(Master::open_or_create(&dir.join("keys")).unwrap()),
        registry: Arc::new(Registry::new()),
        clock,
    };
    Runtime::open(parts).await.unwrap()
}

/// A tenant `acme` of `ada`.
pub async fn house(dir: &std::path::Path, clock: Clock) -> (Runtime, Caller) {
    let runtime = open(dir, clock).await;
    let new = NewTenant { id: "acme".parse().unwrap(), title: "Acme".into(), administrator: "ada".parse().unwrap() };
    let token = runtime.operator_create_tenant(new).await.unwrap();
    let secret = |text: &str| serde_json::from_value(json!(text)).unwrap();
    runtime.login("acme", &Login::by_token("ada", secret(&token), secret(PASSWORD)), "").await.unwrap();
    let ada = ada(&runtime).await;
    (runtime, ada)
}

/// `ada`, by her password.
pub async fn ada(runtime: &Runtime) -> Caller {
    let basic = format!("Basic {}", STANDARD.encode(format!("ada:{PASSWORD}")));
    runtime.authenticate("acme", Some(&basic), "").await.unwrap()
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
    let limits = runtime.limits(ada, "development");
    let input = async move { Ok(Document::parse(b"{}", &limits).unwrap()) };
    runtime.execute(ada, ask, input).await.unwrap()
}
