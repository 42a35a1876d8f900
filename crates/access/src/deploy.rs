//! May this principal deploy this project in this environment, and this very version of it?
//!
//! Two questions, because the second needs the compiled manifest: [`decide_deploy`] asks user and
//! right before anything is compiled, [`Decision::covered`] asks what was compiled. No permit comes
//! from the first alone.

use std::collections::BTreeSet;

use lockgate_model::{
    Channel, Digest, Permission, Principal, Timestamp,
    definition::Deployment,
    id::{EnvironmentId, ProjectId},
};

use crate::{
    Act, Bound, Decision, DeniedStatus, Deploying, RuleText, Scope, StageRule, TenantSnapshot, Verdict, administer,
    gate::{self, No, forbidden, not_published},
    rule,
};

/// What the environment before has seen.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    /// Digests of modules that had a run ending well in the environment before.
    pub green: BTreeSet<Digest>,
}

/// Asks user and right: the user is enabled, the channel open to it, and it holds `deploy` by a
/// profile valid in the environment. Complete it with [`Decision::covered`] after compiling.
pub fn decide_deploy(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    environment: EnvironmentId,
    project: ProjectId,
    channel: Channel,
    now: Timestamp,
) -> Decision {
    let (answer, stage) = match judge(snapshot, principal, &environment, channel) {
        Ok((rule, stage)) => (Ok(rule), stage),
        Err(no) => (Err(no), StageRule { needs_green_run: true, before: None }),
    };
    let act = Act::Deploy { how: Deploying::Activate, environment, project, covered: None, stage };
    Decision::new(snapshot, principal, channel, now, act, answer)
}

/// Decides whether the caller may adopt what is active: the same bytes and accounts, with the
/// publish right standing on the caller from now on. The decision's deployment is the row to write.
pub fn decide_adopt(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    environment: EnvironmentId,
    project: ProjectId,
    channel: Channel,
    now: Timestamp,
) -> Decision {
    decide_active(snapshot, principal, environment, project, channel, now, Deploying::Adopt)
}

/// Decides whether the caller may end what is active. The permit names the row that goes.
pub fn decide_undeploy(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    environment: EnvironmentId,
    project: ProjectId,
    channel: Channel,
    now: Timestamp,
) -> Decision {
    decide_active(snapshot, principal, environment, project, channel, now, Deploying::End)
}

/// What is active was covered when it was activated; here only the right is asked.
fn decide_active(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    environment: EnvironmentId,
    project: ProjectId,
    channel: Channel,
    now: Timestamp,
    how: Deploying,
) -> Decision {
    let mut covered = None;
    let mut stage = StageRule { needs_green_run: true, before: None };
    let answer = judge(snapshot, principal, &environment, channel).and_then(|(rule, asked)| {
        let active = snapshot.rows.deployments.get(&(environment.clone(), project.clone()));
        let mut active =
            active.map(|active| Deployment::clone(active)).ok_or_else(|| not_published(rule::NOTHING_DEPLOYED))?;
        if how == Deploying::Adopt {
            active.adopted_by = Some(principal.user.clone());
            // Letting something run as somebody else is giving rights, by adopting as by deploying.
            let gives = gate::not_narrowed(principal, None).is_ok()
                && administer::giving(snapshot, &principal.user, Permission::AccessControl, &Scope::Tenant).is_some();
            if !gives {
                active.run_as = None;
            }
        }
        covered = Some(Box::new(active));
        stage = asked;
        Ok(rule)
    });
    Decision::new(snapshot, principal, channel, now, Act::Deploy { how, environment, project, covered, stage }, answer)
}

fn judge(
    snapshot: &TenantSnapshot,
    principal: &Principal,
    environment: &EnvironmentId,
    channel: Channel,
) -> Result<(RuleText, StageRule), No> {
    let user = gate::user(snapshot, principal)?;
    let facts = gate::visible(snapshot, principal, user, environment)?;
    gate::standing(snapshot, principal, user, channel)?;
    gate::calls_nothing_else(principal)?;
    let scope = Scope::Environment(environment.clone());
    let profile = administer::giving(snapshot, &principal.user, Permission::Deploy, &scope)
        .ok_or_else(|| forbidden(RuleText::with(rule::NO_DEPLOY, &[("environment", environment.as_str())])))?;
    let stage = StageRule { needs_green_run: facts.needs_green_run, before: facts.before.clone() };
    Ok((RuleText::with(rule::DEPLOY, &[("profile", profile.as_str())]), stage))
}

impl Decision {
    /// Asks the rest of the deploy formula about what was compiled: every operation of every module
    /// is covered by a bound account, and the stage rule holds.
    ///
    /// `deployment` is the row that is to be activated, its `accounts` empty or not: they are set
    /// here, by the index of each operation, so that what was checked is what is written (take it
    /// from [`Decision::deployment`]). A deployment of another project or by another publisher is
    /// refused, as is any other decision than one of [`decide_deploy`], and one whose schedules run as
    /// somebody else unless `access-control` in the tenant was asked first
    /// ([`Decision::and_also`]). A no stays a no.
    pub fn covered(mut self, mut deployment: Deployment, bound: &Bound, stage: &Stage) -> Self {
        if self.verdict() != Verdict::Allow {
            return self;
        }
        match self.check(&mut deployment, bound, stage) {
            Ok(()) => {
                if let Act::Deploy { covered, .. } = &mut self.act {
                    *covered = Some(Box::new(deployment));
                }
            }
            Err(rule) => {
                self.verdict = Verdict::Deny(DeniedStatus::Forbidden);
                self.rule = rule;
            }
        }
        self
    }

    /// `access-control` is among what was asked and allowed.
    fn gives_rights(&self) -> bool {
        self.parts().iter().any(|part| {
            let control = Permission::AccessControl;
            matches!(&part.act, Act::Administer { permission, scope: Scope::Tenant } if *permission == control)
                && part.verdict == Verdict::Allow
        })
    }

    fn check(&self, deployment: &mut Deployment, bound: &Bound, seen: &Stage) -> Result<(), RuleText> {
        let Act::Deploy { how: Deploying::Activate, project, stage, .. } = &self.act else {
            return Err(rule::WRONG_ACT.into());
        };
        let own = deployment.publisher == self.principal.user && deployment.adopted_by.is_none();
        if deployment.project != *project || !own {
            return Err(RuleText::with(rule::OTHER_VERSION, &[("project", deployment.project.as_str())]));
        }
        // Letting something run as somebody else is giving rights: that was asked as well, or it is a no.
        let other = deployment.run_as.as_ref().filter(|named| **named != self.principal.user);
        if let Some(other) = other.filter(|_| !self.gives_rights()) {
            return Err(RuleText::with(rule::RUN_AS_OTHER, &[("user", other.as_str())]));
        }
        for module in deployment.orchestrations.values_mut() {
            let accounts = module.manifest.operations.iter().map(|operation| bound.account_for(operation).cloned());
            module.accounts = accounts.collect::<Result<_, _>>().map_err(|uncovered| uncovered.rule())?;
        }
        if !stage.needs_green_run {
            return Ok(());
        }
        // The first environment has none before it; a rule that nothing can meet lets nothing in.
        let before = stage.before.as_ref().map_or("-", EnvironmentId::as_str);
        match deployment.orchestrations.iter().find(|(_, module)| !seen.green.contains(&module.module)) {
            Some((name, _)) => {
                Err(RuleText::with(rule::NO_GREEN_RUN, &[("orchestration", name.as_str()), ("environment", before)]))
            }
            None if stage.before.is_none() => Err(RuleText::with(rule::NO_GREEN_RUN, &[("environment", before)])),
            None => Ok(()),
        }
    }
}
