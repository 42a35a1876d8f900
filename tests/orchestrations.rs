//! The cases of orchestrations, run through the compiler and the engine with their mocks: those that
//! ship in `orchestrations/`, and `tests/flows/`, which has a case for every kind of task.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use lockgate_compiler::{
    Project, Sources,
    project::{Exchange, Expect, Reply},
};
use lockgate_document::Document;
use lockgate_engine::{Beside, Engine, EngineConfig, Mock, MockError, Mocks, Waits};
use lockgate_model::Limits;
use lockgate_runtime::Siblings;
use serde_json::Value;

fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, files);
        } else {
            let inside = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(inside, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn document(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{e:?} in {json}"))
}

fn value(document: &Document) -> Value {
    serde_json::from_slice(&document.print(1 << 20).unwrap()).unwrap_or(Value::Null)
}

/// Runs all cases of a project; returns how many there are.
fn run(root: &Path) -> usize {
    let mut files = BTreeMap::new();
    walk(root, root, &mut files);
    let (sources, catalog) = (Sources(files), lockgate_runtime::catalog(&lockgate_connector_catalog::registry()));
    let project = Project::checked(&sources, &catalog).unwrap_or_else(|p| panic!("{}: {p}", root.display()));
    let engine = Arc::new(Engine::new(EngineConfig::default()).unwrap());
    let modules: BTreeMap<String, Vec<u8>> =
        project.compile(&catalog).unwrap().into_iter().map(|module| (module.name, module.wasm)).collect();
    let modules = Arc::new(modules);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for case in project.cases() {
        let mock = |exchange: &Exchange| match &exchange.reply {
            Reply::Answer(json) => Mock::Answer(Arc::new(document(json))),
            Reply::Error { kind, status } => {
                Mock::Error(MockError { kind: kind.clone(), status: *status, detail: "mocked".into() })
            }
        };
        let answers = case.mocks.iter().map(|(at, list)| (at.clone(), list.iter().map(mock).collect())).collect();
        let mocks = Arc::new(Mocks { answers, waits: Waits::Virtual, ..Mocks::default() });
        let limits = Limits::default();
        let siblings = Siblings::new(&engine, &modules, &mocks, limits, None);
        let beside = Beside { mocks, siblings: Some(siblings), until: None };
        let input = case.input.as_deref().map_or_else(Document::undefined, document);
        let module = engine.load(&modules[&case.flow]).unwrap();
        let outcome = runtime.block_on(engine.evaluate_beside(&module, input, beside, limits, case.now, None));
        let name = format!("{}: {}/{}", root.display(), case.flow, case.name);
        match (&outcome.result, &case.expect) {
            (Ok(output), Expect::Output(expected)) => {
                assert_eq!(value(output), serde_json::from_str::<Value>(expected).unwrap(), "{name}");
            }
            (Err(failure), Expect::Error(expected)) => {
                let error = failure.document.as_ref().map(value).unwrap_or_default();
                let expected: Value = serde_json::from_str(expected).unwrap();
                for (member, wanted) in expected.as_object().unwrap() {
                    assert_eq!(error.get(member), Some(wanted), "{name}: {error}");
                }
            }
            (Ok(output), Expect::Error(_)) => panic!("{name}: no error but {}", value(output)),
            (Ok(output), Expect::Nothing) => assert!(output.is_undefined(), "{name}: {}", value(output)),
            (Err(failure), Expect::Output(_) | Expect::Nothing) => panic!("{name}: {failure:?}: {}", failure.message),
        }
    }
    project.cases().len()
}

#[test]
fn shipped_orchestrations_do_what_their_cases_say() {
    let mut projects = 0;
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("orchestrations")).unwrap() {
        assert!(run(&entry.unwrap().path()) > 0, "an orchestration ships without cases");
        projects += 1;
    }
    assert!(projects > 0);
}

#[test]
fn every_kind_of_task_does_what_its_cases_say() {
    assert!(run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flows")) >= 40);
}
