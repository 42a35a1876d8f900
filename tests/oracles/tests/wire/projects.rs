//! What the tenants' projects hold, compiled: each an orchestration that answers at once, and `taken`, which in every
//! tenant belongs to another project. So a push that access lets through ends there, and changes nothing.

use std::collections::BTreeMap;

use lockgate_compiler::Project;
use lockgate_model::{
    Digest,
    abi::ABI,
    id::{TargetName, TenantId},
};
use lockgate_oracles::{
    generate::{PROJECTS, orchestration},
    product,
};
use lockgate_runtime::{Sources, catalog};
use lockgate_store::{ModuleKey, SqliteStore, Store as _};

use crate::server::registry;

/// The project that holds `taken`.
pub const HOLDER: &str = "holder";
/// What no other project may hold.
pub const TAKEN: &str = "taken";

/// Files by their paths.
pub type Files = BTreeMap<String, String>;

fn flow(name: &str, answer: u8) -> (String, String) {
    let head = format!("document: {{ dsl: '1.0.3', namespace: wire, name: {name}, version: '1.0.0' }}\n");
    let body = format!("evaluate: {{ language: jsonata }}\ndo:\n  - back: {{ set: {{ answer: {answer} }} }}\n");
    (format!("{name}.flow.yaml"), head + &body)
}

/// The sources of a project, with the account that it declares or without.
pub fn files(project: &str, with_account: bool) -> Files {
    let account = if with_account { "accounts:\n  erp: { connector: https, operations: [post] }\n" } else { "" };
    let project_file = ("project.yaml".to_owned(), format!("project: {project}\n{account}"));
    [project_file, flow(&orchestration(project).name, 1), flow(TAKEN, 1)].into()
}

/// The sources of a push that needs this permission alone; none where there is no such.
pub fn push(project: &str, pushed: bool, permission: &str) -> Option<Files> {
    let whole = || files(project, true);
    let with = |(path, text)| {
        let mut files = whole();
        files.insert(path, text);
        files
    };
    match (permission, pushed) {
        ("integrations.create", true) => Some(with(flow("more", 1))),
        ("integrations.create", false) => Some(files(project, false)),
        ("integrations.update", true) => Some(with(flow(TAKEN, 2))),
        ("accounts.delete", true) => Some(files(project, false)),
        _ => None,
    }
}

/// A project, compiled.
struct Compiled {
    source: Digest,
    objects: BTreeMap<String, Digest>,
    orchestration: TargetName,
    wasm: Vec<u8>,
}

/// All of them.
pub struct Projects(BTreeMap<String, Compiled>);

impl Projects {
    pub fn compile() -> Self {
        let compiled = |project: &str| {
            let (sources, name) = (Sources(files(project, true)), orchestration(project).name);
            let parsed = Project::parse(&sources).unwrap();
            let all = parsed.compile(&catalog(&registry())).unwrap();
            let wasm = all.into_iter().find(|one| one.name == name).unwrap().wasm;
            let (source, objects) = (sources.digest(), parsed.objects());
            Compiled { source, objects, orchestration: TargetName::parse(&name).unwrap(), wasm }
        };
        Self(PROJECTS.into_iter().map(|project| (project.to_owned(), compiled(project))).collect())
    }

    /// Stores the modules of a tenant.
    pub async fn store(&self, store: &SqliteStore, tenant: &TenantId) {
        for Compiled { source, orchestration, wasm, .. } in self.0.values() {
            let module = store.blob_put(tenant, wasm.clone()).await.unwrap();
            let compiler = lockgate_compiler::VERSION.to_owned();
            let key = ModuleKey { source: *source, orchestration: orchestration.clone(), compiler, abi: ABI };
            store.module_put(tenant, key, module).await.unwrap();
        }
    }

    /// What versions hold of them.
    pub fn sources(&self) -> BTreeMap<String, product::Sources> {
        let of = |of: &Compiled| product::Sources { digest: of.source, objects: of.objects.clone() };
        self.0.iter().map(|(project, compiled)| (project.clone(), of(compiled))).collect()
    }

    /// The modules by orchestration.
    pub fn modules(&self) -> BTreeMap<String, Digest> {
        let of = |of: &Compiled| (of.orchestration.to_string(), Digest::of(&of.wasm));
        self.0.values().map(of).collect()
    }
}
