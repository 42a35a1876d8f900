//! Deploy: one version of a project becomes active in one environment.
//!
//! The right is asked first; then the sources are compiled (or the bytes that the same sources gave
//! before are taken); then the manifest is held against the bound accounts and the stage rule; then
//! one commit. Promotion and rollback ([`crate::promote`], [`crate::rollback`]) activate bytes that are there already.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_access::{
    Bound, Decision, DeployPermit, Scope, Stage, TenantSnapshot, decide, decide_adopt, decide_deploy, decide_undeploy,
};
use lockgate_compiler::{Project, Sources};
use lockgate_model::{
    Channel, Digest, Kind, Manifest, Permission, Principal, TargetKind, Timestamp,
    abi::ABI,
    audit::{Entry, Outcome},
    definition::{
        AccountBinding, Assignment, DeployedModule, Deployment, Project as ProjectRow, ProjectVersion, Revision,
    },
    id::{AccountName, AclId, EnvironmentId, ProjectId, TargetName, UserId},
};
use lockgate_store::{Change, ModuleKey, Put};
use serde::Serialize;

use crate::{
    Caller, Condition, Error, Runtime, View,
    push::{json, version_id},
};

/// Times a deploy is decided again when the tenant changed in between.
const ATTEMPTS: usize = 8;

/// What is to be deployed, besides where and which project.
#[derive(Debug, Clone, Default)]
pub struct Deploy {
    /// The version; the head if none is named.
    pub version: Option<u64>,
    /// The ACL for what has none there yet.
    pub acl: Option<AclId>,
    /// As whom its schedules run; the caller if nobody is named. Naming another needs `access-control`.
    pub run_as: Option<UserId>,
    /// What must hold of what is active there.
    pub condition: Condition,
}

/// What a deploy did.
#[derive(Debug, Clone, Serialize)]
pub struct Deployed {
    /// Where.
    pub environment: EnvironmentId,
    /// What.
    pub project: ProjectId,
    /// Its version.
    pub version: u64,
    /// Digest of its sources.
    pub source: Digest,
    /// Its orchestrations.
    pub orchestrations: Vec<DeployedOrchestration>,
    /// Worth knowing: the ACL that was assigned, and that it is the default one.
    pub notes: Vec<String>,
}

/// One orchestration that is active now.
#[derive(Debug, Clone, Serialize)]
pub struct DeployedOrchestration {
    /// Its name.
    pub name: TargetName,
    /// Digest of the module: the same bytes in every environment.
    pub module: Digest,
    /// What it may touch.
    pub manifest: Manifest,
    /// The ACL that says who may run it here.
    pub acl: AclId,
}

/// `decide_adopt` or `decide_undeploy`.
type Decide = fn(&TenantSnapshot, &Principal, EnvironmentId, ProjectId, Channel, Timestamp) -> Decision;

/// A version compiled and stored.
pub(crate) struct Compiled {
    pub version: u64,
    pub source: Digest,
    pub modules: BTreeMap<TargetName, (Digest, Manifest)>,
}

/// How bytes come to an environment, as the audit log has it.
pub(crate) struct Way {
    /// Audit event.
    pub event: &'static str,
    /// What its entry tells besides the version.
    pub detail: BTreeMap<String, String>,
    /// As whom its schedules run, if not as the caller.
    pub run_as: Option<UserId>,
    /// A rollback: when the deployment was made whose bytes come back.
    pub restores: Option<Timestamp>,
    /// What must hold of what is active there.
    pub condition: Condition,
}

impl Runtime {
    /// Activates a version.
    pub async fn deploy(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
        Deploy { version, acl, run_as, condition }: Deploy,
    ) -> Result<Deployed, Error> {
        let view = self.view(caller.tenant())?;
        let first = self.may_deploy(&view, caller, environment, project);
        if !first.is_allowed() {
            return Err(self.refuse(&first, caller).await);
        }
        let run_as = self.run_as(&view, caller, environment, project, run_as).await?;
        let compiled = self.compiled(&view, project, version).await?;
        let way = Way { event: "deployment", detail: BTreeMap::new(), run_as, restores: None, condition };
        self.bring(caller, environment, project, &compiled, acl.as_ref(), &way).await
    }

    /// Asks user and right, the first half of every way to deploy.
    pub(crate) fn may_deploy(
        &self,
        view: &View,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
    ) -> Decision {
        let (environment, project) = (environment.clone(), project.clone());
        decide_deploy(&view.snapshot, &caller.principal, environment, project, Channel::Admin, self.now())
    }

    /// The same, and `access-control` where schedules are to run as somebody else: that is giving rights.
    pub(crate) fn may_deploy_as(
        &self,
        view: &View,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
        run_as: Option<&UserId>,
    ) -> Decision {
        let deploys = self.may_deploy(view, caller, environment, project);
        if run_as.is_none() {
            return deploys;
        }
        let (control, scope) = (Permission::AccessControl, Scope::Tenant);
        decide(&view.snapshot, &caller.principal, control, scope, Channel::Admin, self.now()).and_also(deploys)
    }

    /// Whoever is named besides the caller, if the caller may name somebody and that is a user. To be
    /// asked after [`Runtime::may_deploy`]: who may not even see the environment learns nothing here.
    pub(crate) async fn run_as(
        &self,
        view: &View,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
        named: Option<UserId>,
    ) -> Result<Option<UserId>, Error> {
        let Some(named) = named.filter(|named| *named != caller.principal.user) else { return Ok(None) };
        let decision = self.may_deploy_as(view, caller, environment, project, Some(&named));
        if !decision.is_allowed() {
            return Err(self.refuse(&decision, caller).await);
        }
        match view.row(Kind::User, named.as_str()) {
            Some(_) => Ok(Some(named)),
            None => Err(Error::not_found(format!("user `{named}`"))),
        }
    }

    /// Activates compiled modules in an environment; asks the right anew for each try.
    pub(crate) async fn bring(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
        compiled: &Compiled,
        acl: Option<&AclId>,
        way: &Way,
    ) -> Result<Deployed, Error> {
        let tenant = caller.tenant();
        let modules: BTreeSet<Digest> = compiled.modules.values().map(|(module, _)| *module).collect();
        for _ in 0..ATTEMPTS {
            let view = self.view(tenant)?;
            let green = self.green(&view, environment, &modules).await?;
            let deployment = Deployment {
                project: project.clone(),
                version: compiled.version,
                source: compiled.source,
                publisher: caller.principal.user.clone(),
                adopted_by: None,
                run_as: way.run_as.clone(),
                deployed_at: self.now(),
                restores: way.restores,
                orchestrations: compiled
                    .modules
                    .iter()
                    .map(|(name, (module, manifest))| {
                        let deployed =
                            DeployedModule { module: *module, manifest: manifest.clone(), accounts: Vec::new() };
                        (name.clone(), deployed)
                    })
                    .collect(),
                apis: BTreeMap::new(),
            };
            let bindings = bindings(&view, environment)?;
            let bound: Bound = bindings.iter().map(|(name, binding)| (name.clone(), binding)).collect();
            let first_uncovered = deployment
                .orchestrations
                .values()
                .flat_map(|module| &module.manifest.operations)
                .find_map(|operation| bound.account_for(operation).err());
            let decision = self.may_deploy_as(&view, caller, environment, project, way.run_as.as_ref());
            let decision = decision.covered(deployment, &bound, &green);
            if !decision.is_allowed() {
                let refusal = self.refuse(&decision, caller).await;
                // The rule is short for the audit log; who deploys is told what to bind.
                return Err(match first_uncovered {
                    Some(uncovered) => Error::Conflict { code: "LG-DEPLOY-UNBOUND", message: uncovered.to_string() },
                    None => refusal,
                });
            }
            way.condition.of(active(&view, environment, project))?;
            if let Some(deployed) = self.activate(caller, &view, decision, environment, acl, way).await? {
                return Ok(deployed);
            }
        }
        Err(Error::Conflict { code: "LG-BUSY", message: "the tenant is being changed by others; try again".into() })
    }

    /// Spends the decision and commits. `None`: the tenant changed in between.
    async fn activate(
        &self,
        caller: &Caller,
        view: &View,
        decision: Decision,
        environment: &EnvironmentId,
        acl: Option<&AclId>,
        way: &Way,
    ) -> Result<Option<Deployed>, Error> {
        let tenant = &view.tenant;
        let Some(deployment) = decision.deployment().cloned() else {
            return Err(Error::Internal { what: "access".into() });
        };
        let rule = decision.rule().to_owned();
        let (puts, orchestrations, notes) = rows(view, environment, &deployment, acl)?;
        // The tenant must be readable with it: the store writes the row as it is.
        let mut after: Vec<_> = puts.iter().map(|put| (put.kind, put.id.clone(), put.body.clone())).collect();
        after.push((Kind::Deployment, format!("{environment}/{}", deployment.project), json(&deployment)?));
        lockgate_access::validate_change(&view.snapshot, &after, &[])
            .map_err(|refusal| Error::Conflict { code: refusal.code, message: refusal.message })?;
        let permit = self.deploy_permit(caller, decision).await?;
        let mut entry = Entry::new(self.now(), way.event, Outcome::Done, caller.principal.user.as_str());
        entry.channel = Some(Channel::Admin);
        entry.object = format!("{environment}/{}", deployment.project);
        entry.rule = rule;
        entry.digest = Some(deployment.source);
        entry.source.clone_from(&caller.source);
        entry.detail.clone_from(&way.detail);
        entry.detail.insert("version".into(), deployment.version.to_string());
        if let Some(run_as) = &deployment.run_as {
            entry.detail.insert("run-as".into(), run_as.to_string());
        }
        let change = Change { tenant: tenant.clone(), entry, expected: Some(view.revision), puts, deletes: Vec::new() };
        let committed = self.0.store.activate(permit, change).await;
        if self.settle(tenant, committed).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(Deployed {
            environment: environment.clone(),
            project: deployment.project.clone(),
            version: deployment.version,
            source: deployment.source,
            orchestrations,
            notes,
        }))
    }

    /// The modules of a version: those that were compiled before, or new ones.
    async fn compiled(&self, view: &View, project: &ProjectId, version: Option<u64>) -> Result<Compiled, Error> {
        let absent = || Error::not_found(format!("version of project `{project}`"));
        let head: ProjectRow = view.read(Kind::Project, project.as_str())?.ok_or_else(absent)?;
        let version = version.unwrap_or(head.head);
        let row: ProjectVersion = view.read(Kind::ProjectVersion, &version_id(project, version))?.ok_or_else(absent)?;
        let tenant = &view.tenant;
        let key = |name: &TargetName| ModuleKey {
            source: row.source,
            orchestration: name.clone(),
            compiler: lockgate_compiler::VERSION.to_owned(),
            abi: ABI,
        };
        let mut modules = BTreeMap::new();
        for name in &row.orchestrations {
            let Some(digest) = self.0.store.module_get(tenant, &key(name)).await? else { break };
            let module = self.module(tenant, digest).await?;
            modules.insert(name.clone(), (digest, module.manifest().clone()));
        }
        if modules.len() < row.orchestrations.len() {
            modules.clear();
            let bundle = self.0.store.blob_get(tenant, &row.bundle).await?;
            let bundle = bundle.ok_or(Error::Internal { what: "reading the bundle".into() })?;
            let files: BTreeMap<String, String> =
                serde_json::from_slice(&bundle).map_err(|_| Error::Internal { what: "reading the bundle".into() })?;
            let catalog = self.catalog();
            let all = self
                .compiling(move || Project::parse(&Sources(files)).and_then(|parsed| parsed.compile(&catalog)))
                .await?
                .map_err(Error::Problems)?;
            for one in all {
                let name = TargetName::parse(&one.name).map_err(|e| Error::invalid("LG-NAME", e.to_string()))?;
                // Loading proves that the engine takes it before anything is activated.
                self.load(tenant, one.wasm.clone()).await?;
                let digest = self.0.store.blob_put(tenant, one.wasm).await?;
                self.0.store.module_put(tenant, key(&name), digest).await?;
                modules.insert(name, (digest, one.manifest));
            }
        }
        Ok(Compiled { version, source: row.source, modules })
    }

    /// Those of the modules that completed a run in the environment before this one in the promotion
    /// order.
    pub(crate) async fn green(
        &self,
        view: &View,
        environment: &EnvironmentId,
        modules: &BTreeSet<Digest>,
    ) -> Result<Stage, Error> {
        let Some(before) = view.snapshot.environment_before(environment) else { return Ok(Stage::default()) };
        Ok(Stage { green: self.0.store.green(&view.tenant, before, modules.clone()).await? })
    }
}

/// The rows that go with a deployment (its own row is the store's to write, from the permit): an ACL
/// for each orchestration that has none yet or for which one was named.
type Rows = (Vec<Put>, Vec<DeployedOrchestration>, Vec<String>);

pub(crate) fn rows(
    view: &View,
    environment: &EnvironmentId,
    deployment: &Deployment,
    acl: Option<&AclId>,
) -> Result<Rows, Error> {
    let (mut puts, mut orchestrations, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(acl) = acl
        && view.row(Kind::Acl, acl.as_str()).is_none()
    {
        return Err(Error::not_found(format!("ACL `{acl}`")));
    }
    for (name, module) in &deployment.orchestrations {
        let id = assignment_id(environment, TargetKind::Integrations, name);
        let assigned: Option<Assignment> = view.read(Kind::Assignment, &id)?;
        let (acl, new) = match (acl, assigned) {
            (Some(named), Some(old)) if old.acl == *named => (named.clone(), false),
            // Who deploys may choose where nothing was chosen; opening or closing what somebody else
            // decided is access control.
            (Some(named), Some(old)) => {
                let message = format!(
                    "`{name}` uses ACL `{}` in `{environment}`: `lockgate acl assign {named} --to {name} --env {environment}` changes it",
                    old.acl
                );
                return Err(Error::Conflict { code: "LG-DEPLOY-ACL", message });
            }
            (Some(named), None) => (named.clone(), true),
            (None, Some(old)) => (old.acl, false),
            (None, None) => (default_acl()?, true),
        };
        if new {
            puts.push(Put { kind: Kind::Assignment, id, body: json(&Assignment { acl: acl.clone() })? });
            notes.push(format!("`{name}` uses ACL `{acl}` in `{environment}`"));
        }
        if let Some(schedule) = &module.manifest.schedule {
            notes.push(format!("`{name}` runs by itself as `{}`: {schedule}", deployment.runs_as()));
        }
        orchestrations.push(DeployedOrchestration {
            name: name.clone(),
            module: module.module,
            manifest: module.manifest.clone(),
            acl,
        });
    }
    Ok((puts, orchestrations, notes))
}

/// Id of the row that says which ACL a target uses.
pub(crate) fn assignment_id(environment: &EnvironmentId, kind: TargetKind, name: &TargetName) -> String {
    format!("{environment}/{}/{name}", kind.as_str())
}

/// The revision that activated what is active of a project.
fn active(view: &View, environment: &EnvironmentId, project: &ProjectId) -> Option<Revision> {
    view.row(Kind::Deployment, &format!("{environment}/{project}")).map(|row| row.revision)
}

fn default_acl() -> Result<AclId, Error> {
    AclId::parse("default").map_err(|_| Error::Internal { what: "naming the default ACL".into() })
}

pub(crate) fn bindings(view: &View, environment: &EnvironmentId) -> Result<Vec<(AccountName, AccountBinding)>, Error> {
    let prefix = format!("{environment}/");
    view.rows(Kind::Account, &prefix)
        .map(|row| {
            let name = AccountName::parse(row.id.strip_prefix(&prefix).unwrap_or(&row.id))
                .map_err(|_| Error::Internal { what: "reading a definition".into() })?;
            Ok((name, row.read()?))
        })
        .collect()
}

impl Runtime {
    /// The publish right of what is active stands on the caller from now on; bytes and accounts stay.
    pub async fn adopt(&self, caller: &Caller, environment: &EnvironmentId, project: &ProjectId) -> Result<(), Error> {
        let rows = |_: &View| Ok(Vec::new());
        let condition = Condition::default();
        self.turn(caller, environment, project, ("adopt", decide_adopt), rows, &condition).await
    }

    /// Ends what is active of a project in an environment.
    pub async fn undeploy(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
        condition: &Condition,
    ) -> Result<(), Error> {
        let id = format!("{environment}/{project}");
        let rows = |_: &View| Ok(vec![(Kind::Deployment, id.clone())]);
        self.turn(caller, environment, project, ("undeploy", decide_undeploy), rows, condition).await
    }

    /// Adopting and ending: one decision, one permit, one commit, and nothing to compile.
    async fn turn(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
        (event, decide): (&'static str, Decide),
        deletes: impl Fn(&View) -> Result<Vec<(Kind, String)>, Error>,
        condition: &Condition,
    ) -> Result<(), Error> {
        let tenant = caller.tenant();
        for _ in 0..ATTEMPTS {
            let view = self.view(tenant)?;
            let (place, what) = (environment.clone(), project.clone());
            let decision = decide(&view.snapshot, &caller.principal, place, what, Channel::Admin, self.now());
            if !decision.is_allowed() {
                return Err(self.refuse(&decision, caller).await);
            }
            condition.of(active(&view, environment, project))?;
            let (rule, digest) = (decision.rule().to_owned(), decision.deployment().map(|d| d.source));
            let permit = self.deploy_permit(caller, decision).await?;
            let mut entry = Entry::new(self.now(), event, Outcome::Done, caller.principal.user.as_str());
            entry.channel = Some(Channel::Admin);
            entry.object = format!("{environment}/{project}");
            entry.rule = rule;
            entry.digest = digest;
            entry.source.clone_from(&caller.source);
            let change = Change {
                tenant: tenant.clone(),
                entry,
                expected: Some(view.revision),
                puts: Vec::new(),
                deletes: deletes(&view)?,
            };
            let committed = self.0.store.activate(permit, change).await;
            if self.settle(tenant, committed).await?.is_some() {
                return Ok(());
            }
        }
        Err(Error::Conflict { code: "LG-BUSY", message: "the tenant is being changed by others; try again".into() })
    }

    /// Records the decision and spends it on a permit.
    async fn deploy_permit(&self, caller: &Caller, decision: Decision) -> Result<DeployPermit, Error> {
        let mut receipt = None;
        for mut entry in decision.entries(None) {
            entry.source.clone_from(&caller.source);
            receipt = Some(self.0.store.append(decision.tenant(), entry).await?);
        }
        let receipt = receipt.ok_or(Error::Internal { what: "access".into() })?;
        decision.deploy_permit(receipt).map_err(|denied| Error::Forbidden { rule: denied.rule })
    }

    /// What is active of a project in an environment, and the revision that made it so.
    pub async fn deployment(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
    ) -> Result<(Revision, Deployment), Error> {
        let row = self.definition(caller, Kind::Deployment, &format!("{environment}/{project}")).await?;
        Ok((row.revision, row.read()?))
    }

    /// What is active in an environment, for holders of `settings-view`.
    pub async fn deployments(&self, caller: &Caller, environment: &EnvironmentId) -> Result<Vec<Deployment>, Error> {
        let scope = Scope::Environment(environment.clone());
        let view = self.may_read(caller, Permission::SettingsView, scope).await?;
        view.rows(Kind::Deployment, &format!("{environment}/")).map(|row| Ok(row.read()?)).collect()
    }
}
