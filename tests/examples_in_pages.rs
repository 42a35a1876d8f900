//! Every YAML example of the pages is taken by the compiler. A block ```` ```yaml ```` is a flow, or
//! tasks of one; what else it is, its fence says: ```` ```yaml mapping ````, ```` ```yaml case ````. One
//! that is ```` ```yaml refused ```` is a mapping whose problems are those of the block
//! ```` ```text problems ```` behind it. One that is ```` ```yaml gives ```` is a case of the flow before it, which
//! `lockgate test` runs. A block ```` ```yaml document NAME ```` or ```` ```xml document NAME ```` is a document that the
//! flows of all pages can name, ```` ```yaml mapping NAME ```` is a mapping that the flows of all pages can call. A block
//! ```` ```json type NAME ```` is a document type, which the mappings of all pages can name; ```` ```yaml definitions ````
//! is what `lockgate apply` takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    process::Command,
};

use lockgate_compiler::{Catalog, Project, Sources, Types};
use lockgate_mapping::yaml::{self, Node};
use lockgate_testkit::{process::program, workspace_root};

/// A block of a page: the page with its line, what the fence says after `yaml`, the text.
type Example = (String, String, String);

fn examples(folder: &Path, found: &mut Vec<Example>) {
    for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        if path.extension().is_none_or(|e| e != "md") {
            continue;
        }
        let (text, mut open) = (std::fs::read_to_string(&path).unwrap(), None::<Example>);
        for (line, content) in (1..).zip(text.lines()) {
            match (&mut open, content.strip_prefix("```")) {
                (Some(_), Some(_)) => found.extend(open.take().filter(|(.., text)| !text.is_empty())),
                (Some((.., text)), None) => writeln!(text, "{content}").unwrap(),
                (None, Some(fence)) => {
                    let kind = None
                        .or_else(|| fence.strip_prefix("yaml"))
                        .or_else(|| fence.strip_prefix("json ").filter(|kind| kind.starts_with("type ")))
                        .or_else(|| fence.strip_prefix("xml ").filter(|kind| kind.starts_with("document ")))
                        .or_else(|| fence.strip_prefix("text ").filter(|kind| *kind == "problems"));
                    if let Some(kind) = kind {
                        open = Some((format!("{}:{line}", path.display()), kind.trim().to_owned(), String::new()));
                    } else {
                        // Another language: its text is passed over.
                        open = Some((String::new(), "other".to_owned(), String::new()));
                    }
                }
                (None, None) => {}
            }
        }
    }
    found.retain(|(_, kind, _)| kind != "other");
}

/// What an example calls and where it jumps to, so that a project can be made around it.
#[derive(Default)]
struct Around {
    accounts: BTreeMap<String, (String, BTreeSet<String>)>,
    maps: BTreeSet<String>,
    jumps: BTreeSet<String>,
    tasks: BTreeSet<String>,
}

impl Around {
    fn look(&mut self, node: &Node) {
        let text = |key: &str| node.get(key).and_then(Node::as_text);
        if let Some((connector, operation)) = text("call").and_then(|call| call.split_once('.')) {
            let operation = operation.split([':', '@']).next().unwrap();
            if connector == "map" {
                self.maps.insert(operation.to_owned());
            } else {
                let account = node.get("with").and_then(|with| with.get("account")).and_then(Node::as_text);
                let account = self.accounts.entry(account.expect("a call has an account").to_owned());
                account.or_insert((connector.to_owned(), BTreeSet::new())).1.insert(operation.to_owned());
            }
        }
        self.jumps.extend(text("then").filter(|to| !matches!(*to, "continue" | "exit" | "end")).map(str::to_owned));
        for (key, inner) in node.entries().unwrap_or_default() {
            self.tasks.insert(key.text.clone());
            self.look(inner);
        }
        node.items().unwrap_or_default().iter().for_each(|item| self.look(item));
    }
}

/// A project around an example: the name of its flow, its files.
type Made = (String, BTreeMap<String, String>);

/// Compiles a flow, or tasks.
fn compile(text: &str, documents: &BTreeMap<String, String>, catalog: &Catalog) -> Result<Made, String> {
    let node = yaml::parse("example", text).map_err(|e| e.to_string())?;
    let mut around = Around::default();
    around.look(&node);
    let (name, flow) = match node.get("document").and_then(|document| document.get("name")).and_then(Node::as_text) {
        Some(name) => (name.to_owned(), text.to_owned()),
        None => {
            let head = "document: { dsl: '1.0.3', namespace: pages, name: example, version: '1.0.0' }\n\
                        evaluate: { language: jsonata }\n";
            // The whole of a flow but its head, or tasks.
            let tasks = if node.get("do").is_some() { "" } else { "do:\n" };
            let mut flow = format!("{head}{tasks}{text}");
            for target in around.jumps.difference(&around.tasks) {
                writeln!(flow, "- {target}: {{ set: {{ a: 1 }}, then: end }}").unwrap();
            }
            ("example".to_owned(), flow)
        }
    };
    let mut project = "project: pages\n".to_owned();
    if !around.accounts.is_empty() {
        project.push_str("accounts:\n");
    }
    for (account, (connector, operations)) in &around.accounts {
        let operations = operations.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        writeln!(project, "  {account}: {{ connector: {connector}, operations: [{operations}] }}").unwrap();
    }
    let mut files = documents.clone();
    files.insert(format!("{name}.flow.yaml"), flow);
    files.insert("project.yaml".to_owned(), project);
    for map in around.maps {
        if files.contains_key(&format!("{map}.map.yaml")) {
            continue;
        }
        let text = format!("mapping: {map}\nversion: 1.0.0\nrules: [{{ to: a, from: b }}]\n");
        files.insert(format!("{map}.map.yaml"), text);
    }
    let sources = Sources(files);
    let compiled = Project::checked(&sources, catalog).and_then(|project| project.compile(catalog));
    match compiled {
        Ok(_) => Ok((name, sources.0)),
        Err(all) => {
            Err(all.0.iter().map(|p| p.render(sources.0.get(&p.file).map_or("", String::as_str))).collect::<String>())
        }
    }
}

/// Runs a case of a flow as its author would.
fn run((name, files): &Made, case: &str) -> Result<(), String> {
    let folder = lockgate_testkit::temp_dir();
    let cases = [(format!("cases/{name}/page.yaml"), case.to_owned())];
    for (path, text) in files.iter().chain(cases.iter().map(|(path, text)| (path, text))) {
        // Mappings and documents that the flow does not use are other examples'.
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let tested = Command::new(program()).arg("test").arg(folder.path()).output().unwrap();
    match tested.status.success() {
        true => Ok(()),
        false => Err([tested.stdout, tested.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat()),
    }
}

#[test]
fn every_yaml_example_of_the_pages_is_taken_by_the_compiler() {
    let catalog = lockgate_runtime::catalog(&lockgate_connector_catalog::registry());
    let docs = workspace_root().join("docs");
    let mut found = Vec::new();
    examples(&docs, &mut found);
    examples(&docs.join("connectors"), &mut found);
    let mut wrong = String::new();
    let mut flows = 0;
    let of_type = |kind: &str| kind.strip_prefix("type ").map(|name| format!("types/{name}.json"));
    let files: Vec<_> = found.iter().filter_map(|(_, kind, text)| Some((of_type(kind)?, text))).collect();
    let (types, broken) = Types::read(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    assert!(broken.is_empty() && files.len() >= 2, "{broken}");
    let document = |kind: &str| kind.strip_prefix("document ").map(|name| format!("documents/{name}"));
    let map = |kind: &str| kind.strip_prefix("mapping ").map(|name| format!("{name}.map.yaml"));
    let documents: BTreeMap<String, String> =
        found.iter().filter_map(|(_, kind, text)| Some((document(kind).or(map(kind))?, text.clone()))).collect();
    let tables = [("countries".to_owned(), serde_json::json!({}))].into();
    let mapped = |text: &str| lockgate_compiler::map_module("example.map.yaml", text, &tables, &types).map(drop);
    let (mut refused, mut made, mut unrun) = (None, None::<Made>, None);
    for (place, kind, text) in &found {
        let taken = match kind.as_str() {
            "" => {
                flows += 1;
                if let Some(place) = unrun.take() {
                    writeln!(wrong, "{place}: no case shows what it gives").unwrap();
                }
                unrun = place.contains("/orchestrations.md:").then_some(place);
                compile(text, &documents, &catalog).map(|project| made = Some(project))
            }
            "gives" => {
                unrun = None;
                made.take().ok_or_else(|| "no flow stands before it".to_owned()).and_then(|made| run(&made, text))
            }
            _ if kind.starts_with("mapping ") => mapped(text).map_err(|e| e.to_string()),
            "mapping" => mapped(text).map_err(|e| e.to_string()),
            "refused" => {
                let all = mapped(text).err().unwrap_or_default().0;
                let shown: Vec<_> = all.iter().map(|problem| problem.render(text)).collect();
                refused = Some(shown.join("\n"));
                Ok(())
            }
            "problems" => match refused.take() {
                Some(shown) if shown == *text => Ok(()),
                shown => Err(format!("the problems are\n{}", shown.unwrap_or_default())),
            },
            _ if kind.starts_with("type ") || kind.starts_with("document ") => Ok(()),
            // Users, profiles and so on: the page's own test applies them.
            "definitions" => Ok(()),
            "case" => {
                let files = [("project.yaml", "project: pages\n"), ("cases/order-to-erp/busy.yaml", text)];
                let sources = Sources(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into());
                // The flow it is for is not on the page.
                let mut found = Project::parse(&sources).err().unwrap_or_default();
                found.0.retain(|problem| !problem.message.starts_with("there is no flow"));
                found.into_result(()).map_err(|e| e.to_string())
            }
            other => Err(format!("nothing is known of `yaml {other}`")),
        };
        if let Err(problems) = taken {
            writeln!(wrong, "{place}:\n{problems}").unwrap();
        }
    }
    assert!(unrun.is_none(), "{unrun:?}: no case shows what it gives");
    assert!(wrong.is_empty(), "{wrong}");
    assert!(flows >= 9, "only {flows} examples are flows");
}
