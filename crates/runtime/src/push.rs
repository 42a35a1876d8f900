//! Push: a new version of a project's sources. The difference with the head decides which
//! permissions it needs; broken sources are refused with all their problems.

use std::collections::BTreeMap;

use lockgate_compiler::{Project, Sources};
use lockgate_model::{
    Channel, Digest, Kind,
    definition::{Deployment, Project as ProjectRow, ProjectVersion},
    id::{ProjectId, TargetName},
};
use serde::Serialize;

use crate::{Caller, Error, Runtime, View, change::Plan};

/// Bytes of all sources of a project.
const SOURCES_BYTES_MAX: usize = 16 << 20;
/// Files of a project.
const SOURCES_FILES_MAX: usize = 5_000;

/// What a push did.
#[derive(Debug, Clone, Serialize)]
pub struct Pushed {
    /// The project.
    pub project: ProjectId,
    /// Its new version; the head's when nothing differs.
    pub version: u64,
    /// Digest of the sources.
    pub source: Digest,
    /// Orchestrations it holds.
    pub orchestrations: Vec<TargetName>,
    /// `false` when the head holds the same sources already.
    pub changed: bool,
}

/// Id of a version's row.
pub(crate) fn version_id(project: &ProjectId, version: u64) -> String {
    // Ten digits, so that rows sort by number.
    format!("{project}/{version:010}")
}

impl Runtime {
    /// What connectors offer, as the compiler checks calls against it.
    pub(crate) fn catalog(&self) -> lockgate_compiler::Catalog {
        catalog(self.registry())
    }

    /// Whether the caller may edit anything of a project; who may not need not have anything parsed.
    pub(crate) async fn may_edit(&self, caller: &Caller, project: &ProjectId) -> Result<(), Error> {
        let view = self.view(caller.tenant())?;
        let scope = lockgate_access::Scope::Project(project.clone());
        let held = view.snapshot.effective(&caller.principal.user, &scope);
        let any = held.iter().find(|permission| permission.area() == lockgate_model::permission::Area::Project);
        let decision = match any {
            // Its credential may be for less than its user may.
            Some(any) => {
                lockgate_access::decide(&view.snapshot, &caller.principal, any, scope, Channel::Admin, self.now())
            }
            None => decide_difference(&view, caller, project, &BTreeMap::new(), &BTreeMap::new(), self.now())?,
        };
        if decision.is_allowed() {
            return Ok(());
        }
        Err(self.refuse(&decision, caller).await)
    }

    /// Stores a version of a project.
    pub async fn push(&self, caller: &Caller, project: &ProjectId, sources: Sources) -> Result<Pushed, Error> {
        self.may_edit(caller, project).await?;
        let bytes: usize = sources.0.iter().map(|(path, text)| path.len() + text.len()).sum();
        if bytes > SOURCES_BYTES_MAX || sources.0.len() > SOURCES_FILES_MAX {
            return Err(Error::invalid(
                "LG-PUSH-SIZE",
                format!(
                    "the sources are too large: at most {SOURCES_FILES_MAX} files and {} MiB",
                    SOURCES_BYTES_MAX >> 20
                ),
            ));
        }
        let catalog = self.catalog();
        let (parsed, sources) = self.compiling(move || (Project::checked(&sources, &catalog), sources)).await?;
        let parsed = parsed.map_err(Error::Problems)?;
        if parsed.id() != project {
            return Err(Error::invalid(
                "LG-PUSH-PROJECT",
                format!("project.yaml names project `{}`, not `{project}`", parsed.id()),
            ));
        }
        let (source, objects) = (sources.digest(), parsed.objects());
        let orchestrations = parsed.orchestrations();
        // Who may not store them has nothing stored, not even for a moment.
        let view = self.view(caller.tenant())?;
        let (_, before) = head(&view, project)?;
        let old = before.map(|v| v.objects).unwrap_or_default();
        let first = decide_difference(&view, caller, project, &old, &objects, self.now())?;
        if !first.is_allowed() {
            return Err(self.refuse(&first, caller).await);
        }
        let bundle =
            serde_json::to_vec(&sources.0).map_err(|_| Error::Internal { what: "writing the bundle".into() })?;
        let stored = self.0.store.blob_put(caller.tenant(), bundle).await?;
        self.change(caller, |view| {
            let (row, before) = head(view, project)?;
            let number = row.as_ref().map_or(0, |row| row.head);
            let old = before.as_ref().map(|v| v.objects.clone()).unwrap_or_default();
            let mut plan = Plan {
                decision: decide_difference(view, caller, project, &old, &objects, self.now())?,
                event: "push",
                object: format!("project/{project}"),
                fields: Vec::new(),
                detail: BTreeMap::new(),
                puts: Vec::new(),
                deletes: Vec::new(),
                answer: Pushed {
                    project: project.clone(),
                    version: number + 1,
                    source,
                    orchestrations: orchestrations.clone(),
                    changed: true,
                },
            };
            if !plan.decision.is_allowed() {
                return Ok(plan);
            }
            for name in &orchestrations {
                if let Some(other) = holder(view, name, project)? {
                    return Err(Error::Conflict {
                        code: "LG-PUSH-NAME",
                        message: format!(
                            "orchestration `{name}` belongs to project `{other}` already: names are unique in a tenant"
                        ),
                    });
                }
            }
            if before.as_ref().is_some_and(|v| v.source == source) {
                plan.answer.version = number;
                plan.answer.changed = false;
            }
            plan.fields = objects.iter().filter(|(k, v)| old.get(*k) != Some(v)).map(|(k, _)| k.clone()).collect();
            plan.fields.extend(old.keys().filter(|k| !objects.contains_key(*k)).cloned());
            if plan.answer.changed {
                if row.is_none() {
                    for (kind, id, body) in lockgate_access::project_seed(project, parsed.title()) {
                        if kind != Kind::Project {
                            plan.puts.push((kind, id, body));
                        }
                    }
                }
                let row = ProjectRow { title: parsed.title().to_owned(), head: number + 1 };
                let version = ProjectVersion {
                    source,
                    bundle: stored,
                    pushed_by: caller.principal.user.clone(),
                    pushed_at: self.now(),
                    objects: objects.clone(),
                    orchestrations: orchestrations.clone(),
                };
                plan.puts.push((Kind::Project, project.to_string(), json(&row)?));
                plan.puts.push((Kind::ProjectVersion, version_id(project, number + 1), json(&version)?));
            }
            Ok(plan)
        })
        .await
    }
}

/// What connectors offer, as the compiler checks calls against it.
pub fn catalog(registry: &lockgate_connector_api::Registry) -> lockgate_compiler::Catalog {
    let connectors = registry
        .specs()
        .map(|spec| {
            let operations = spec
                .operations
                .iter()
                .map(|o| {
                    let info = lockgate_compiler::OperationInfo {
                        version: o.version.to_owned(),
                        idempotent: o.idempotent,
                        takes: o.takes.map(str::to_owned),
                        gives: o.gives,
                        constant: o.constant.iter().map(|member| (*member).to_owned()).collect(),
                        // A contract test holds schemas to be JSON.
                        input: serde_json::from_str(o.input).unwrap_or_default(),
                    };
                    (o.name.to_owned(), info)
                })
                .collect();
            (spec.name.to_owned(), operations)
        })
        .collect();
    lockgate_compiler::Catalog { connectors }
}

/// The project that holds an orchestration: in its head, or in what is active anywhere.
fn holder(view: &View, name: &TargetName, but: &ProjectId) -> Result<Option<ProjectId>, Error> {
    for row in view.rows(Kind::Deployment, "") {
        let deployment: Deployment = row.read()?;
        if deployment.project != *but && deployment.orchestrations.contains_key(name) {
            return Ok(Some(deployment.project));
        }
    }
    for row in view.rows(Kind::Project, "") {
        let project = ProjectId::parse(&row.id).map_err(|_| Error::Internal { what: "reading a definition".into() })?;
        let head: ProjectRow = row.read()?;
        let version: Option<ProjectVersion> = view.read(Kind::ProjectVersion, &version_id(&project, head.head))?;
        if project != *but && version.is_some_and(|v| v.orchestrations.contains(name)) {
            return Ok(Some(project));
        }
    }
    Ok(None)
}

fn decide_difference(
    view: &View,
    caller: &Caller,
    project: &ProjectId,
    old: &BTreeMap<String, Digest>,
    new: &BTreeMap<String, Digest>,
    now: lockgate_model::Timestamp,
) -> Result<lockgate_access::Decision, Error> {
    let needs = lockgate_access::push_permissions(old, new)
        .map_err(|unknown| Error::invalid("LG-PUSH-OBJECT", unknown.to_string()))?;
    Ok(lockgate_access::decide_push(&view.snapshot, &caller.principal, project.clone(), needs, Channel::Admin, now))
}

/// A project's row and its newest version.
fn head(view: &View, project: &ProjectId) -> Result<(Option<ProjectRow>, Option<ProjectVersion>), Error> {
    let row: Option<ProjectRow> = view.read(Kind::Project, project.as_str())?;
    let number = row.as_ref().map_or(0, |row| row.head);
    Ok((row, view.read(Kind::ProjectVersion, &version_id(project, number))?))
}

/// Stack of a compiling thread: sources nest, and a tenant's must not end the process.
const STACK_BYTES: usize = 64 << 20;

impl Runtime {
    /// Parses or compiles: on a thread of its own with room for deep nesting, two at a time, so that
    /// it neither holds up the threads that serve everyone nor takes all of the machine.
    pub(crate) async fn compiling<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let failed = || Error::Internal { what: "compiling".into() };
        let slot = self.0.compilers.clone().acquire_owned().await.map_err(|_| failed())?;
        let (done, result) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("compile".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                // Nobody waits any more when the caller has gone away.
                let _ = done.send(work());
                drop(slot);
            })
            .map_err(|_| Error::Unavailable { what: "a thread for compiling".into() })?;
        result.await.map_err(|_| failed())
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|_| Error::Internal { what: "writing a definition".into() })
}
