//! A decision: the verdict, the rule that decided, and all that its audit entry and its permit need.

use lockgate_model::{
    Channel, Digest, Permission, Principal, RunId, RunRecord, Target, Timestamp,
    audit::{Entry, Outcome},
    definition::{Deployment, Revision},
    id::{EnvironmentId, ProjectId, TenantId},
    permission::Permissions,
    run::Phase,
};

use crate::{AuditReceipt, DeployPermit, ExecutePermit, RuleText, Scope, TenantSnapshot, rule};

/// How a denial is answered. The order of answers is 404, 403, 409 (401 comes before access).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeniedStatus {
    /// 404: unknown, or the caller holds no profile valid there and must not learn whether it exists.
    NotFound,
    /// 403: it exists and the caller may not.
    Forbidden,
    /// 409: the caller may, but it is not deployed there or its publish right has fallen.
    NotPublished,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Yes.
    Allow,
    /// No, and how to answer.
    Deny(DeniedStatus),
}

/// A denial, as the caller of `permit` gets it. The rule is for the audit log and for `access why`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("denied by rule `{rule}`")]
pub struct Denied {
    /// How to answer.
    pub status: DeniedStatus,
    /// The rule that decided.
    pub rule: String,
}

/// What was asked for.
#[derive(Debug)]
pub enum Act {
    /// To run a target.
    Execute {
        /// Which.
        target: Target,
        /// Project version that is deployed there; 0 if none is.
        version: u64,
        /// Digest of its module, unless it is an API or not deployed.
        module: Option<Digest>,
    },
    /// To activate a project in an environment, or to change what is active.
    Deploy {
        /// Which of these.
        how: Deploying,
        /// Where.
        environment: EnvironmentId,
        /// What.
        project: ProjectId,
        /// What was found covered; set by [`Decision::covered`].
        covered: Option<Box<Deployment>>,
        /// What [`Decision::covered`] has to hold it to.
        stage: StageRule,
    },
    /// To store a version of a project.
    Push {
        /// Which project.
        project: ProjectId,
        /// What the difference needs.
        needs: Permissions,
    },
    /// An administrative act.
    Administer {
        /// The permission it needs.
        permission: Permission,
        /// Where.
        scope: Scope,
    },
    /// To open or use the console.
    Console,
    /// To look at metadata by a grant of support access.
    Support {
        /// What a user would need for it.
        permission: Permission,
        /// Where.
        environment: EnvironmentId,
    },
}

/// What is done to a deployment. All of it needs `deploy` in the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deploying {
    /// Activate a version.
    Activate,
    /// Let the publish right of what is active stand on the caller.
    Adopt,
    /// Take it away.
    End,
}

impl Deploying {
    fn event(self) -> &'static str {
        match self {
            Self::Activate => "deploy",
            Self::Adopt => "adopt",
            Self::End => "undeploy",
        }
    }
}

/// What an environment asks of a version before it is deployed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRule {
    /// Each module needs a green run in the environment before.
    pub needs_green_run: bool,
    /// The environment before in the promotion order; `None` in the first.
    pub before: Option<EnvironmentId>,
}

/// The answer of a `decide…` function. Not `Clone`: it gives at most one permit.
#[derive(Debug)]
#[must_use = "a decision that nobody reads protects nothing"]
pub struct Decision {
    pub(crate) verdict: Verdict,
    pub(crate) rule: RuleText,
    pub(crate) tenant: TenantId,
    pub(crate) revision: Revision,
    pub(crate) principal: Principal,
    pub(crate) channel: Channel,
    pub(crate) at: Timestamp,
    pub(crate) act: Act,
    /// Asked before this one, and needed as well.
    pub(crate) before: Option<Box<Decision>>,
    /// The run that would be started again.
    pub(crate) restarts: Option<RunId>,
}

impl Decision {
    pub(crate) fn new(
        snapshot: &TenantSnapshot,
        principal: &Principal,
        channel: Channel,
        at: Timestamp,
        act: Act,
        answer: Result<RuleText, crate::gate::No>,
    ) -> Self {
        let (verdict, rule) = match answer {
            Ok(rule) => (Verdict::Allow, rule),
            Err(no) => (Verdict::Deny(no.status), no.rule),
        };
        Self {
            verdict,
            rule,
            tenant: snapshot.tenant().clone(),
            revision: snapshot.revision(),
            principal: principal.clone(),
            channel,
            at,
            act,
            before: None,
            restarts: None,
        }
    }

    /// It is about starting a run again: its entries and the record of the new run name that one.
    pub fn of_restart(mut self, run: RunId) -> Self {
        self.restarts = Some(run);
        self
    }

    /// The decision that settles it: the first denial, else the last one asked. A 403 of a later part
    /// goes before a 409: what is published is told only to who may do all of it.
    fn settling(&self) -> &Self {
        let forbidden = self.verdict == Verdict::Deny(DeniedStatus::Forbidden);
        match self.before.as_deref().map(Self::settling) {
            Some(before) if forbidden && before.verdict == Verdict::Deny(DeniedStatus::NotPublished) => self,
            Some(before) if before.verdict != Verdict::Allow => before,
            _ => self,
        }
    }

    /// Yes only if every part says yes.
    pub fn verdict(&self) -> Verdict {
        self.settling().verdict
    }
    /// It is a yes.
    pub fn is_allowed(&self) -> bool {
        self.verdict() == Verdict::Allow
    }
    /// The rule that decided: a stable text, explained in `docs/access.md`.
    pub fn rule(&self) -> &str {
        self.settling().rule.as_str()
    }
    pub(crate) fn settled_rule(&self) -> RuleText {
        self.settling().rule.clone()
    }
    /// The denial, if it is one.
    pub fn denied(&self) -> Option<Denied> {
        match self.verdict() {
            Verdict::Allow => None,
            Verdict::Deny(status) => Some(Denied { status, rule: self.rule().to_owned() }),
        }
    }
    /// The tenant that was asked about.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// Its revision that was decided on.
    pub fn revision(&self) -> Revision {
        self.revision
    }
    /// Who asked.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
    /// By which way.
    pub fn channel(&self) -> Channel {
        self.channel
    }
    /// When.
    pub fn at(&self) -> Timestamp {
        self.at
    }
    /// What was asked for last.
    pub fn act(&self) -> &Act {
        &self.act
    }
    /// What is to be executed; behind an API, the orchestration. `None` for other acts.
    pub fn target(&self) -> Option<&Target> {
        match &self.act {
            Act::Execute { target, .. } => Some(target),
            _ => None,
        }
    }
    /// Digest of the module that would run.
    pub fn module(&self) -> Option<Digest> {
        match &self.act {
            Act::Execute { module, .. } => *module,
            _ => None,
        }
    }
    /// The deployment as [`Decision::covered`] completed it: the row to write.
    pub fn deployment(&self) -> Option<&Deployment> {
        match &self.act {
            Act::Deploy { covered, .. } => covered.as_deref(),
            _ => None,
        }
    }
    /// All parts in the order they were asked; one unless an API or [`Decision::and_also`] is involved.
    pub fn parts(&self) -> Vec<&Decision> {
        let mut parts = self.before.as_deref().map(Self::parts).unwrap_or_default();
        parts.push(self);
        parts
    }

    /// Asks for both: allowed only if both are. What runs, and the permit, are those of `next`.
    /// Decisions for different tenants, revisions or principals never make a yes.
    pub fn and_also(self, mut next: Self) -> Self {
        if self.tenant != next.tenant || self.revision != next.revision || self.principal != next.principal {
            next.verdict = Verdict::Deny(DeniedStatus::Forbidden);
            next.rule = rule::MIXED.into();
        }
        next.ask_first(Box::new(self));
        next
    }

    fn ask_first(&mut self, first: Box<Self>) {
        match &mut self.before {
            Some(before) => before.ask_first(first),
            none => *none = Some(first),
        }
    }

    /// One audit entry for each part, in order. `run` is the run the same append opens.
    pub fn entries(&self, run: Option<RunId>) -> Vec<Entry> {
        self.parts().into_iter().map(|part| part.entry(run)).collect()
    }

    fn entry(&self, run: Option<RunId>) -> Entry {
        let outcome = if self.verdict == Verdict::Allow { Outcome::Allowed } else { Outcome::Denied };
        let (event, object, digest) = match &self.act {
            Act::Execute { target, module, .. } => {
                ("execute", format!("{}/{}/{}", target.environment, target.kind.as_str(), target.name), *module)
            }
            Act::Deploy { how, environment, project, covered, .. } => {
                (how.event(), format!("{environment}/{project}"), covered.as_ref().map(|d| d.source))
            }
            Act::Push { project, .. } => ("push", format!("project/{project}"), None),
            Act::Administer { scope, .. } => ("administer", scope.to_string(), None),
            Act::Console => ("console", String::new(), None),
            Act::Support { environment, .. } => ("support-read", format!("environment/{environment}"), None),
        };
        let mut entry = Entry::new(self.at, event, outcome, self.principal.user.as_str());
        entry.channel = Some(self.channel);
        entry.object = object;
        entry.rule = self.rule.as_str().to_owned();
        entry.revision = self.revision.0;
        entry.digest = digest;
        entry.run = run;
        if let Act::Administer { permission, .. } | Act::Support { permission, .. } = &self.act {
            entry.detail.insert("permission".to_owned(), permission.as_str().to_owned());
        }
        if let Some(run) = self.restarts {
            entry.detail.insert("restarts".to_owned(), run.to_string());
        }
        if self.principal.tenant != self.tenant {
            entry.detail.insert("principal-of".to_owned(), self.principal.tenant.to_string());
        }
        entry
    }

    /// The record of the run this decision opens, or of its refusal; `None` for other acts.
    pub fn record(&self, id: RunId) -> Option<RunRecord> {
        let Act::Execute { target, version, module } = &self.act else { return None };
        let allowed = self.is_allowed();
        Some(RunRecord {
            id,
            tenant: self.tenant.clone(),
            target: target.clone(),
            version: *version,
            module: module.filter(|_| allowed),
            trigger: self.channel,
            principal: self.principal.user.clone(),
            restarts: self.restarts,
            occurrence: None,
            decision: self.rule().to_owned(),
            started: self.at,
            ended: (!allowed).then_some(self.at),
            phase: if allowed { Phase::Running } else { Phase::Denied },
            error: None,
            cost: 0,
            bytes: Default::default(),
            tasks: Vec::new(),
        })
    }

    fn refused(&self, rule: &str) -> Denied {
        self.denied().unwrap_or_else(|| Denied { status: DeniedStatus::Forbidden, rule: rule.to_owned() })
    }

    /// Spends an allowed execute decision, and the receipt of its run, on a permit.
    pub fn permit(self, receipt: AuditReceipt) -> Result<ExecutePermit, Denied> {
        let run = receipt.run();
        match (self.verdict(), &self.act, run) {
            (Verdict::Allow, Act::Execute { target, module: Some(module), .. }, Some(run)) => Ok(ExecutePermit {
                tenant: self.tenant,
                target: target.clone(),
                module: *module,
                principal: self.principal,
                run,
                revision: self.revision,
                receipt,
            }),
            (_, Act::Execute { module: Some(_), .. }, None) => Err(self.refused(rule::NO_RUN)),
            _ => Err(self.refused(rule::WRONG_ACT)),
        }
    }

    /// Spends an allowed and [covered](Decision::covered) deploy decision on a permit.
    pub fn deploy_permit(self, receipt: AuditReceipt) -> Result<DeployPermit, Denied> {
        if let Some(denied) = self.denied() {
            return Err(denied);
        }
        match self.act {
            Act::Deploy { environment, covered: Some(deployment), .. } => Ok(DeployPermit {
                tenant: self.tenant,
                environment,
                deployment: *deployment,
                principal: self.principal,
                revision: self.revision,
                receipt,
            }),
            Act::Deploy { covered: None, .. } => {
                Err(Denied { status: DeniedStatus::Forbidden, rule: rule::UNCHECKED.to_owned() })
            }
            _ => Err(Denied { status: DeniedStatus::Forbidden, rule: rule::WRONG_ACT.to_owned() }),
        }
    }
}
