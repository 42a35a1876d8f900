//! A project: its files read, checked against each other, and compiled.
//!
//! ```text
//! project.yaml          id, title, account declarations
//! <name>.flow.yaml      an orchestration; `document.name` is its name
//! <name>.map.yaml       a mapping
//! types/<name>.json     a document type: `.json`, `.schema.json` or `.xsd`
//! tables/<name>.json    reference data
//! cases/<flow>/*.yaml   test cases
//! sample.json           an input to try the project with
//! README.md             for people
//! documents/            documents that flows and types name: API descriptions, schemas
//! lock/                 what `build` fetched: `imports.json`, and the documents by their digests
//! ```
//!
//! Deliberately absent: files and folders of a machine (the caller brings texts), bindings, secrets.

mod alone;
mod calls;
mod cases;
mod declaration;
pub(crate) mod input;
mod runs;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use lockgate_mapping::{MapFile, yaml};
use lockgate_model::id::{AccountName, ProjectId, TargetName};
use lockgate_model::{Diagnostic, Diagnostics, Digest, Span};

use crate::documents::{
    Documents, Named,
    lock::{LOCK_FILE, Lock, is_lock_file},
};
use crate::flow::{self, Surroundings, tree::Flow};
use crate::mapping::{Tables, check_tables, compile_map};
use crate::module::{Compiled, Mark, ModuleBuilder};
use crate::reader::{Reader, nearest};
use crate::types::{self, Types, check_types};

pub use alone::{flow_module, flow_modules, flows_run};
pub use calls::Stream;
pub use cases::{Case, Exchange, Exchanges, Expect, NOW, Reply, mocks};
pub use declaration::Declaration;
pub use sources::{Catalog, OperationInfo, Sources};

/// What the files in documents/ end with.
const DOCUMENT_ENDINGS: [&str; 5] = [".json", ".yaml", ".yml", ".xsd", ".wsdl"];
pub(crate) const PROJECT_FILE: &str = "project.yaml";
pub(crate) const PROJECT_KEYS: [&str; 3] = ["project", "title", "accounts"];

/// A project without problems of its own; the catalog is asked when it is compiled.
#[derive(Debug)]
pub struct Project {
    id: ProjectId,
    title: Option<String>,
    accounts: BTreeMap<AccountName, Declaration>,
    flows: Vec<FlowFile>,
    maps: BTreeMap<String, MapFile>,
    tables: Tables,
    types: Types,
    cases: Vec<Case>,
    sources: Sources,
}

#[derive(Debug)]
struct FlowFile {
    file: String,
    flow: Flow,
}

impl Project {
    /// Reads and checks all files; all problems of all files come at once.
    pub fn parse(sources: &Sources) -> Result<Project, Diagnostics> {
        let (parts, problems) = read(sources);
        parts.project(sources, problems)
    }

    /// The same with the catalog: everything that is wrong with these files comes at once.
    pub fn checked(sources: &Sources, catalog: &Catalog) -> Result<Project, Diagnostics> {
        let (parts, mut problems) = read(sources);
        let declarations = parts.file.accounts.values().chain(&parts.file.misnamed);
        problems.0.extend(check_catalog(sources, declarations, parts.flows.iter().map(|(flow, _)| flow), catalog).0);
        parts.project(sources, problems)
    }

    /// What the catalog does not have.
    pub fn check(&self, catalog: &Catalog) -> Diagnostics {
        check_catalog(&self.sources, self.accounts.values(), &self.flows, catalog)
    }

    /// One module for each orchestration, in the order of their names.
    pub fn compile(&self, catalog: &Catalog) -> Result<Vec<Compiled>, Diagnostics> {
        let mut problems = self.check(catalog);
        let mut compiled = Vec::new();
        for flow in &self.flows {
            let around = Surroundings { file: &flow.file, maps: &self.maps, tables: &self.tables };
            match flow::emit(&flow.flow, &around) {
                Ok(module) => compiled.push(module),
                Err(found) => problems.0.extend(found.0),
            }
        }
        compiled.sort_by(|a, b| a.name.cmp(&b.name));
        problems.into_result(compiled)
    }

    /// The module of an orchestration whose rules of mappings note in the frame that they gave something, and
    /// these rules in the order of their slots: for the coverage of test cases. None where there is no such
    /// orchestration, or it does not compile.
    pub fn marked(&self, orchestration: &str) -> Option<(Compiled, Vec<Mark>)> {
        let flow = self.flows.iter().find(|flow| flow.flow.name == orchestration)?;
        let around = Surroundings { file: &flow.file, maps: &self.maps, tables: &self.tables };
        flow::emit_marked(&flow.flow, &around).ok()
    }

    /// The project's id.
    pub fn id(&self) -> &ProjectId {
        &self.id
    }

    /// Its title; its id when it has none.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(self.id.as_str())
    }

    /// The accounts that its flows use.
    pub fn accounts(&self) -> &BTreeMap<AccountName, Declaration> {
        &self.accounts
    }

    /// Names of its orchestrations, sorted.
    pub fn orchestrations(&self) -> Vec<TargetName> {
        // A flow whose name is none is a problem, and then there is no project.
        let mut names: Vec<TargetName> =
            self.flows.iter().filter_map(|flow| TargetName::parse(&flow.flow.name).ok()).collect();
        names.sort();
        names
    }

    /// The streams of each of its orchestrations, by name.
    pub fn streams(&self) -> BTreeMap<String, Vec<Stream>> {
        self.flows.iter().map(|FlowFile { flow, .. }| (flow.name.clone(), calls::streams(flow))).collect()
    }

    /// The file of each of its orchestrations, by name.
    pub fn files(&self) -> BTreeMap<&str, &str> {
        self.flows.iter().map(|FlowFile { file, flow }| (flow.name.as_str(), file.as_str())).collect()
    }

    /// Its mappings by name.
    pub fn maps(&self) -> &BTreeMap<String, MapFile> {
        &self.maps
    }

    /// Its reference data by name.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Its document types by name.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// Its test cases, in the order of their files.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// `sample.json`
    pub fn sample(&self) -> Option<&str> {
        self.sources.0.get("sample.json").map(String::as_str)
    }

    /// What a push asks permission for: `<kind>/<name>` to a digest that changes when the object does.
    ///
    /// Flows, mappings, cases and what remains of project.yaml are `integrations`, declarations are
    /// `accounts`, types/ is `document-types`, tables/ is `reference-data`.
    pub fn objects(&self) -> BTreeMap<String, Digest> {
        let mut files: BTreeMap<String, Vec<(&String, &String)>> = BTreeMap::new();
        for file in &self.sources.0 {
            let object = match Entry::of(file.0) {
                Some(Entry::Flow(name)) => format!("integrations/{name}"),
                Some(Entry::Map(name)) => format!("integrations/{name}.map"),
                Some(Entry::Case { flow, .. }) => format!("integrations/{flow}.cases"),
                Some(Entry::Type(name)) => format!("document-types/{name}"),
                Some(Entry::Table(name)) => format!("reference-data/{name}"),
                // The accounts in it are objects of their own.
                Some(Entry::Project) => continue,
                _ => "integrations/project".to_owned(),
            };
            files.entry(object).or_default().push(file);
        }
        let mut objects: BTreeMap<String, Digest> =
            files.into_iter().map(|(object, files)| (object, sources::digest_of(files.into_iter()))).collect();
        for (name, declaration) in &self.accounts {
            objects.insert(format!("accounts/{name}"), declaration.digest());
        }
        let others = objects.get("integrations/project").map_or([0; 32], |digest| digest.0);
        let rest = Digest::of_parts([self.id.as_str().as_bytes(), self.title().as_bytes(), others.as_slice()]);
        objects.insert("integrations/project".to_owned(), rest);
        objects
    }
}

/// What a path within a project is.
enum Entry<'p> {
    Project,
    Flow(&'p str),
    Map(&'p str),
    Type(&'p str),
    Table(&'p str),
    Case {
        flow: &'p str,
        name: &'p str,
    },
    Sample,
    Note,
    /// A document that flows and types name.
    Document,
    Lock,
}

impl<'p> Entry<'p> {
    fn of(path: &'p str) -> Option<Self> {
        let Some((folder, rest)) = path.split_once('/') else {
            return match path {
                PROJECT_FILE => Some(Entry::Project),
                "sample.json" => Some(Entry::Sample),
                "README.md" => Some(Entry::Note),
                _ => None
                    .or_else(|| path.strip_suffix(".flow.yaml").map(Entry::Flow))
                    .or_else(|| path.strip_suffix(".map.yaml").map(Entry::Map)),
            };
        };
        match folder {
            "types" => named(rest, &types::ENDINGS).map(Entry::Type),
            "tables" => named(rest, &[".json"]).map(Entry::Table),
            "cases" => {
                let (flow, name) = rest.split_once('/')?;
                Some(Entry::Case { flow, name: named(name, &[".yaml"])? })
            }
            "documents" => is_document(rest).then_some(Entry::Document),
            "lock" => is_lock_file(rest).then_some(Entry::Lock),
            _ => None,
        }
    }
}

/// A file of a document, in folders of any names.
fn is_document(path: &str) -> bool {
    path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
        && DOCUMENT_ENDINGS.iter().any(|ending| path.ends_with(ending))
}

fn named<'p>(path: &'p str, endings: &[&str]) -> Option<&'p str> {
    let name = endings.iter().find_map(|ending| path.strip_suffix(ending))?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Finds what is wrong with a `project.yaml` by itself.
pub(crate) fn check_declaration(reader: &mut Reader<'_>, node: &yaml::Node) {
    declaration::read(reader, node);
}

/// The https addresses of documents that these files and the documents themselves name, each with where it is named
/// first. What is not locked yet may name others, once it is.
pub fn imports(sources: &Sources) -> BTreeMap<String, Named> {
    let (documents, _) = Documents::new(sources.texts());
    read_with(sources, &documents);
    documents.into_asked()
}

/// What these files lock, as far as that can be read.
pub fn lock_of(sources: &Sources) -> Lock {
    let digest = |file: &str| sources.0.get(file).map(|text| Digest::of(text.as_bytes()));
    sources.0.get(LOCK_FILE).map(|text| Lock::read(LOCK_FILE, text, digest).0).unwrap_or_default()
}

/// What could be read of a project's files.
#[derive(Default)]
struct Parts {
    file: declaration::ProjectFile,
    /// Each with whether it is without problems of its own.
    flows: Vec<(FlowFile, bool)>,
    maps: BTreeMap<String, MapFile>,
    /// Files of mappings that have problems.
    broken_maps: BTreeSet<String>,
    tables: Tables,
    types: Types,
    cases: Vec<Case>,
}

impl Parts {
    /// The project, when there is no problem.
    fn project(self, sources: &Sources, problems: Diagnostics) -> Result<Project, Diagnostics> {
        problems.into_result(())?;
        // Without a problem there is an id.
        let Some(id) = self.file.id else { return Err(Diagnostics(vec![missing_project_file()])) };
        Ok(Project {
            id,
            title: self.file.title,
            accounts: self.file.accounts,
            flows: self.flows.into_iter().map(|(flow, _)| flow).collect(),
            maps: self.maps,
            tables: self.tables,
            types: self.types,
            cases: self.cases,
            sources: sources.clone(),
        })
    }
}

/// Reads everything. What cannot be read is there as far as it can, so that nothing that is named is
/// reported as missing besides.
fn read(sources: &Sources) -> (Parts, Diagnostics) {
    let (parts, mut problems) = read_files(sources);
    if !sources.0.contains_key(PROJECT_FILE) {
        problems.push(missing_project_file());
    }
    check_together(sources, &mut problems, &parts);
    (parts, problems)
}

/// Reads each file by itself.
fn read_files(sources: &Sources) -> (Parts, Diagnostics) {
    let (documents, mut problems) = Documents::new(sources.texts());
    let (parts, found) = read_with(sources, &documents);
    problems.0.extend(found.0);
    (parts, problems)
}

/// The same with the documents that files name.
fn read_with(sources: &Sources, documents: &Documents<'_>) -> (Parts, Diagnostics) {
    let mut problems = Diagnostics::default();
    let mut parts = Parts::default();
    let mut types = Vec::new();
    for (path, text) in &sources.0 {
        let Some(entry) = Entry::of(path) else {
            problems.push(unknown_file(path));
            continue;
        };
        match entry {
            Entry::Map(name) => {
                let (map, found) = MapFile::read(path, text);
                if !found.is_empty() {
                    parts.broken_maps.insert(path.clone());
                }
                problems.0.extend(found.0);
                if map.name.is_empty() {
                    parts.maps.insert(name.to_owned(), map);
                } else {
                    if map.name != name {
                        problems.push(misnamed(path, text, "mapping", &map.name));
                    }
                    parts.maps.insert(map.name.clone(), map);
                }
            }
            Entry::Type(_) => types.push((path.as_str(), text.as_str())),
            Entry::Note | Entry::Document | Entry::Lock => {}
            _ => {
                let (node, found) = match path.ends_with(".json").then(|| not_json(path, text)).flatten() {
                    Some(problem) => (None, Diagnostics(vec![problem])),
                    None => yaml::read(path, text),
                };
                let sound = found.is_empty();
                problems.0.extend(found.0);
                let Some(node) = node else {
                    match entry {
                        Entry::Project => parts.file.unread = true,
                        Entry::Table(name) => {
                            parts.tables.insert(name.to_owned(), serde_json::json!({}));
                        }
                        _ => {}
                    }
                    continue;
                };
                let mut reader = Reader::new(path, text);
                match entry {
                    Entry::Project => parts.file = declaration::read(&mut reader, &node),
                    Entry::Flow(name) => {
                        let flow = flow::read(&mut reader, &node, documents);
                        if !flow.name.is_empty() && flow.name != name {
                            let mut problem = misnamed(path, text, "flow", &flow.name);
                            let name = node.get("document").and_then(|document| document.get("name"));
                            problem.span = name.map_or(problem.span, |name| name.span);
                            reader.refuse(problem);
                        }
                        parts.flows.push((FlowFile { file: path.clone(), flow }, sound && reader.problems.is_empty()));
                    }
                    Entry::Table(name) => match serde_json::from_str(&node.to_json()) {
                        Ok(table) => {
                            parts.tables.insert(name.to_owned(), table);
                        }
                        Err(_) => reader.problem("LG-PROJECT-VALUE", node.span, "this table is no JSON"),
                    },
                    Entry::Case { flow, name } => parts.cases.extend(cases::read(&mut reader, &node, flow, name, path)),
                    _ => {}
                }
                problems.0.extend(reader.problems.0);
            }
        }
    }
    let (read, found) = types::read(types, documents);
    parts.types = read;
    problems.0.extend(found.0);
    problems.0.extend(runs::resolve(sources, &mut parts.flows));
    (parts, problems)
}

/// Checks that need the catalog of connectors.
fn check_catalog<'p>(
    sources: &Sources,
    declarations: impl IntoIterator<Item = &'p Declaration>,
    flows: impl IntoIterator<Item = &'p FlowFile>,
    catalog: &Catalog,
) -> Diagnostics {
    let text = |file: &str| sources.0.get(file).map_or("", String::as_str);
    let mut reader = Reader::new(PROJECT_FILE, text(PROJECT_FILE));
    declaration::check(&mut reader, declarations, catalog);
    let mut problems = reader.problems;
    for FlowFile { file, flow } in flows {
        let mut reader = Reader::new(file, text(file));
        calls::check_known(&mut reader, flow, catalog);
        problems.0.extend(reader.problems.0);
    }
    problems
}

/// Checks that need several files.
fn check_together(sources: &Sources, problems: &mut Diagnostics, parts: &Parts) {
    let Parts { file, flows, maps, broken_maps, tables, types, cases } = parts;
    for (FlowFile { file: path, flow }, sound) in flows {
        let mut reader = Reader::new(path, sources.0.get(path).map_or("", String::as_str));
        calls::check_declared(&mut reader, flow, (!file.unread).then_some(&file.accounts), maps);
        let sound = *sound && reader.problems.is_empty();
        problems.0.extend(reader.problems.0);
        // A sound flow is emitted and meets the expression compiler there.
        let around = Surroundings { file: path, maps, tables };
        let found = match sound {
            true => flow::emit(flow, &around).err().unwrap_or_default(),
            false => flow::probe(flow, &around),
        };
        problems.0.extend(found.0.into_iter().filter(|problem| problem.file == *path));
    }
    for map in maps.values() {
        problems.0.extend(check_types(map, types, tables).0);
        if broken_maps.contains(&map.file) {
            problems.0.extend(check_tables(map, tables).0);
            continue;
        }
        let mut scratch = ModuleBuilder::new(&map.name);
        let source = scratch.source(&map.file, &map.lines);
        if let Err(found) = compile_map(&mut scratch, map, source, tables) {
            problems.0.extend(found.0.into_iter().map(|problem| problem.file(&map.file)));
        }
    }
    // A flow that cannot be read may call anything.
    let files = sources.0.keys().filter(|path| matches!(Entry::of(path), Some(Entry::Flow(_)))).count();
    let all_sound = files == flows.len() && flows.iter().all(|(_, sound)| *sound);
    let called: BTreeMap<&str, BTreeSet<String>> =
        flows.iter().map(|(flow, _)| (flow.flow.name.as_str(), calls::names(&flow.flow))).collect();
    for case in cases {
        if all_sound && flows.iter().any(|(flow, _)| flow.flow.name == case.flow) {
            let mut reader = Reader::new(&case.file, "");
            cases::check(&mut reader, case, &called);
            problems.0.extend(reader.problems.0);
        }
        if !sources.0.contains_key(&format!("{}.flow.yaml", case.flow)) {
            let known = flows.iter().map(|(flow, _)| flow.flow.name.as_str());
            let problem =
                Diagnostic::new("LG-CASE-VALUE", Span::default(), format!("there is no flow `{}`", case.flow));
            problems.push(match nearest(&case.flow, known) {
                Some(near) => problem.help(format!("did you mean `cases/{near}/`?")).file(&case.file),
                None => problem.help("cases stand in `cases/<name of a flow>/`").file(&case.file),
            });
        }
    }
}

/// Why a text is no JSON.
pub(crate) fn not_json(path: &str, text: &str) -> Option<Diagnostic> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let line = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (line + error.column().saturating_sub(1)).min(text.len());
    let end = text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
    let message = match error.to_string() {
        _ if text.starts_with('\u{feff}') => "it begins with a byte order mark, which JSON does not have".to_owned(),
        _ if error.is_eof() => "the text ends too early".to_owned(),
        // The tree's own limit refuses it in its own words.
        words if words.starts_with("recursion") => return None,
        words => words.split(" at line ").next().unwrap_or_default().to_owned(),
    };
    Some(Diagnostic::new("LG-YAML-SYNTAX", Span::new(at, end), format!("not valid JSON: {message}")).file(path))
}

fn missing_project_file() -> Diagnostic {
    Diagnostic::new("LG-PROJECT-FILE", Span::default(), "there is no project.yaml")
        .help("write one: `project: <id>`, and `accounts` for what the flows call")
        .file(PROJECT_FILE)
}

fn misnamed(path: &str, text: &str, what: &str, name: &str) -> Diagnostic {
    let at = text.find(name).unwrap_or(0);
    let ending = if what == "flow" { "flow" } else { "map" };
    Diagnostic::new(
        "LG-PROJECT-NAME",
        Span::new(at, at + name.len()),
        format!("the {what} `{name}` stands in `{path}`"),
    )
    .help(format!("name and file go together: rename the file to `{name}.{ending}.yaml`, or the {what}"))
    .file(path)
}

fn unknown_file(path: &str) -> Diagnostic {
    let problem = Diagnostic::new("LG-PROJECT-FILE", Span::default(), "this file has no place in a project").file(path);
    let stem = |ending: &str| path.strip_suffix(ending).map(str::to_owned);
    let help = if path.starts_with("apis/") {
        "API descriptions are not supported yet".to_owned()
    } else if path.starts_with("lock/") {
        "lock/ holds what `lockgate build` fetched, and nothing else".to_owned()
    } else if let Some(stem) = stem(".yml") {
        format!("rename it to `{stem}.yaml`")
    } else if let Some(stem) = stem(".flow.json") {
        format!("rename it to `{stem}.flow.yaml`: JSON is YAML too")
    } else if let Some(near) = nearest(path, [PROJECT_FILE, "sample.json", "README.md"]) {
        format!("did you mean `{near}`?")
    } else {
        "a project has project.yaml, <name>.flow.yaml, <name>.map.yaml, types/, tables/<name>.json, \
         cases/<flow>/<case>.yaml, documents/, sample.json and README.md"
            .to_owned()
    };
    problem.help(help)
}
