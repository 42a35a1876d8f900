//! Promote: what is active in one environment becomes active in another, the very same bytes; only the
//! accounts they are bound to differ.
//!
//! Nothing is compiled: a module is its digest, whatever compiler the server has by now. It is a deploy
//! in the eyes of access: the caller needs the right in the environment that changes, every operation
//! must be covered there, and the publish right stands on the caller from then on.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_access::{Bound, Scope};
use lockgate_model::{
    Digest, Kind, Permission, TargetKind,
    definition::{AccountBinding, Assignment, Deployment, ServerIdentity},
    id::{AccountName, AclId, EnvironmentId, ProjectId, TargetName, UserId},
    manifest::{AccountRef, Authority},
};
use serde::Serialize;

use crate::{
    Caller, Condition, Deployed, Error, Runtime, View,
    deploy::{Compiled, Way, assignment_id, bindings, rows},
};

/// What a promotion would change, before it does.
#[derive(Debug, Clone, Serialize)]
pub struct Promotion {
    /// From where.
    pub from: EnvironmentId,
    /// To where.
    pub to: EnvironmentId,
    /// What.
    pub project: ProjectId,
    /// The version that would become active.
    pub version: u64,
    /// Digest of its sources.
    pub source: Digest,
    /// The version that is active there now.
    pub replaces: Option<u64>,
    /// Its orchestrations.
    pub orchestrations: Vec<PromotedOrchestration>,
    /// The accounts they use, here and there.
    pub accounts: Vec<PromotedAccount>,
    /// What they may touch that what is active there now may not.
    pub gains: Vec<Authority>,
    /// What they may not touch any more.
    pub loses: Vec<Authority>,
    /// The ACL that was asked for, for what has none there yet.
    pub acl: Option<AclId>,
    /// All reasons for which it would be refused as things stand; none if it would be done.
    pub refusals: Vec<String>,
}

/// One orchestration of a promotion.
#[derive(Debug, Clone, Serialize)]
pub struct PromotedOrchestration {
    /// Its name.
    pub name: TargetName,
    /// Digest of the module: the same there as here.
    pub module: Digest,
    /// Digest of the module that is active there now.
    pub replaces: Option<Digest>,
    /// The ACL that is assigned here.
    pub acl_from: Option<AclId>,
    /// The ACL that is assigned there; none where nothing is yet, and then it gets the one that was
    /// asked for, or `default`.
    pub acl_to: Option<AclId>,
    /// When it runs by itself, if it does.
    pub schedule: Option<String>,
    /// As whom it would run by itself there.
    pub runs_as: Option<UserId>,
}

/// One account of a promotion.
#[derive(Debug, Clone, Serialize)]
pub struct PromotedAccount {
    /// As the project names it: a declared name, or a literal origin.
    pub account: String,
    /// The binding here.
    pub from: Option<BoundTo>,
    /// The binding there; none is what has to be bound first.
    pub to: Option<BoundTo>,
}

/// Where an account leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoundTo {
    /// The bound account.
    pub name: AccountName,
    /// Its connector.
    pub connector: String,
    /// Its address.
    pub address: String,
    /// How the server proves itself: `ca`, `system`, `pin` or `host-key`.
    pub identity: &'static str,
}

impl Runtime {
    /// What [`Runtime::promote`] would do; for holders of `settings-view` in both environments.
    pub async fn promotion(
        &self,
        caller: &Caller,
        project: &ProjectId,
        from: &EnvironmentId,
        to: &EnvironmentId,
        acl: Option<AclId>,
        run_as: Option<UserId>,
    ) -> Result<Promotion, Error> {
        let view = self.may_promote_from(caller, from, to).await?;
        self.may_read(caller, Permission::SettingsView, Scope::Environment(to.clone())).await?;
        let new = active(&view, from, project)?.ok_or_else(|| nothing(project, from))?;
        let old = active(&view, to, project)?;
        let (here, there) = (Accounts::of(&view, from)?, Accounts::of(&view, to)?);
        let (gained, lost) = (authority(Some(&new)), authority(old.as_ref()));
        let assigned = |environment: &EnvironmentId, name: &TargetName| -> Result<Option<AclId>, Error> {
            let id = assignment_id(environment, TargetKind::Integrations, name);
            Ok(view.read::<Assignment>(Kind::Assignment, &id)?.map(|assigned| assigned.acl))
        };
        let me = &caller.principal.user;
        let mut orchestrations = Vec::new();
        for (name, module) in &new.orchestrations {
            orchestrations.push(PromotedOrchestration {
                name: name.clone(),
                module: module.module,
                replaces: old.as_ref().and_then(|old| old.orchestrations.get(name)).map(|old| old.module),
                acl_from: assigned(from, name)?,
                acl_to: assigned(to, name)?,
                schedule: module.manifest.schedule.as_ref().map(ToString::to_string),
                runs_as: module.manifest.schedule.as_ref().map(|_| run_as.as_ref().unwrap_or(me).clone()),
            });
        }
        let mut accounts = BTreeMap::new();
        for operation in &gained {
            let account = match &operation.account {
                AccountRef::Declared(name) => name.to_string(),
                AccountRef::Origin(origin) => origin.clone(),
            };
            let both = || PromotedAccount {
                account: account.clone(),
                from: here.of_operation(operation),
                to: there.of_operation(operation),
            };
            accounts.entry(account.clone()).or_insert_with(both);
        }
        let asked = Deployment { publisher: me.clone(), adopted_by: None, run_as: run_as.clone(), ..new.clone() };
        let refusals = self.would_refuse(&view, caller, asked, to, &there, acl.as_ref()).await?;
        Ok(Promotion {
            from: from.clone(),
            to: to.clone(),
            project: project.clone(),
            version: new.version,
            source: new.source,
            replaces: old.map(|old| old.version),
            orchestrations,
            accounts: accounts.into_values().collect(),
            gains: gained.difference(&lost).cloned().collect(),
            loses: lost.difference(&gained).cloned().collect(),
            acl,
            refusals,
        })
    }

    /// Activates in `to` what is active in `from`, the same bytes. Schedules run as the caller, or as
    /// `run_as`, whom to name needs `access-control`.
    pub async fn promote(
        &self,
        caller: &Caller,
        project: &ProjectId,
        from: &EnvironmentId,
        to: &EnvironmentId,
        acl: Option<AclId>,
        run_as: Option<UserId>,
    ) -> Result<Deployed, Error> {
        let view = self.may_promote_from(caller, from, to).await?;
        let right = self.may_deploy(&view, caller, to, project);
        if !right.is_allowed() {
            return Err(self.refuse(&right, caller).await);
        }
        let run_as = self.run_as(&view, caller, to, project, run_as).await?;
        let deployment = active(&view, from, project)?.ok_or_else(|| nothing(project, from))?;
        let compiled = self.stored(&view, &deployment).await?;
        let detail = BTreeMap::from([("from".to_owned(), from.to_string())]);
        let way = Way { event: "promotion", detail, run_as, restores: None, condition: Condition::default() };
        self.bring(caller, to, project, &compiled, acl.as_ref(), &way).await
    }

    /// Where it comes from must be visible to the caller, and be another place.
    async fn may_promote_from(
        &self,
        caller: &Caller,
        from: &EnvironmentId,
        to: &EnvironmentId,
    ) -> Result<std::sync::Arc<View>, Error> {
        let view = self.may_read(caller, Permission::SettingsView, Scope::Environment(from.clone())).await?;
        if from == to {
            return Err(Error::invalid("LG-PROMOTE", "a promotion leads from one environment to another".to_owned()));
        }
        Ok(view)
    }

    /// A deployment's modules as they are stored; loading proves that this server still takes them.
    pub(crate) async fn stored(&self, view: &View, deployment: &Deployment) -> Result<Compiled, Error> {
        let mut modules = BTreeMap::new();
        for (name, one) in &deployment.orchestrations {
            let module = self.module(&view.tenant, one.module).await?;
            modules.insert(name.clone(), (one.module, module.manifest().clone()));
        }
        Ok(Compiled { version: deployment.version, source: deployment.source, modules })
    }

    /// What would refuse it now, all of it. A question, so nothing is recorded.
    async fn would_refuse(
        &self,
        view: &View,
        caller: &Caller,
        mut asked: Deployment,
        to: &EnvironmentId,
        there: &Accounts,
        acl: Option<&AclId>,
    ) -> Result<Vec<String>, Error> {
        asked.run_as = asked.run_as.filter(|named| *named != caller.principal.user);
        let right = self.may_deploy_as(view, caller, to, &asked.project, asked.run_as.as_ref());
        let mut reasons: Vec<String> = right.denied().map(|denied| denied.rule).into_iter().collect();
        if let Some(named) = asked.run_as.as_ref().filter(|named| view.row(Kind::User, named.as_str()).is_none()) {
            reasons.push(format!("there is no user `{named}`"));
        }
        if let Err(error) = rows(view, to, &asked, acl) {
            reasons.push(error.to_string());
        }
        let bound: Bound = there.0.iter().map(|(name, binding)| (name.clone(), binding)).collect();
        let operations = authority(Some(&asked));
        let uncovered = operations.iter().filter_map(|operation| bound.account_for(operation).err());
        let uncovered: BTreeSet<String> = uncovered.map(|uncovered| uncovered.to_string()).collect();
        let all_covered = uncovered.is_empty();
        reasons.extend(uncovered);
        if right.is_allowed() && all_covered {
            let modules = asked.orchestrations.values().map(|one| one.module).collect();
            let green = self.green(view, to, &modules).await?;
            reasons.extend(right.covered(asked, &bound, &green).denied().map(|denied| denied.rule));
        }
        Ok(reasons)
    }
}

/// The bound accounts of one environment.
struct Accounts(Vec<(AccountName, AccountBinding)>);

impl Accounts {
    fn of(view: &View, environment: &EnvironmentId) -> Result<Self, Error> {
        Ok(Self(bindings(view, environment)?))
    }

    fn of_operation(&self, operation: &Authority) -> Option<BoundTo> {
        let bound: Bound = self.0.iter().map(|(name, binding)| (name.clone(), binding)).collect();
        let name = bound.account_for(operation).ok()?;
        let (name, binding) = self.0.iter().find(|(known, _)| known == name)?;
        let identity = match binding.identity {
            ServerIdentity::Ca(_) => "ca",
            ServerIdentity::System => "system",
            ServerIdentity::Pin(_) => "pin",
            ServerIdentity::HostKey(_) => "host-key",
        };
        let (connector, address) = (binding.connector.clone(), binding.address.clone());
        Some(BoundTo { name: name.clone(), connector, address, identity })
    }
}

pub(crate) fn active(
    view: &View,
    environment: &EnvironmentId,
    project: &ProjectId,
) -> Result<Option<Deployment>, Error> {
    view.read(Kind::Deployment, &format!("{environment}/{project}"))
}

pub(crate) fn nothing(project: &ProjectId, environment: &EnvironmentId) -> Error {
    Error::NotPublished { rule: format!("nothing of project `{project}` is active in `{environment}`") }
}

/// All operations of a deployment.
fn authority(deployment: Option<&Deployment>) -> BTreeSet<Authority> {
    let modules = deployment.into_iter().flat_map(|deployment| deployment.orchestrations.values());
    modules.flat_map(|module| module.manifest.operations.iter().cloned()).collect()
}

/// What makes two deployments the same in what they do.
pub(crate) fn bytes(deployment: &Deployment) -> BTreeMap<&TargetName, Digest> {
    deployment.orchestrations.iter().map(|(name, module)| (name, module.module)).collect()
}
