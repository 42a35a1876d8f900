//! Support access: grants that an administrator of the tenant opens and ends, and what the operator may look
//! at by one. Each look is in the tenant's audit log before it is answered, whether it was let or not.
//!
//! A grant is no credential: there is nothing to be stolen, kept or narrowed. The operator's socket asks each
//! time, and each time the grant is looked for and its end is asked.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_access::{Decision, SUPPORT_OPENS, Scope, decide, decide_support};
use lockgate_model::{
    Channel, Digest, Kind, Permission, RunId, RunRecord, Timestamp,
    definition::SupportGrant,
    id::{EnvironmentId, ProjectId, TargetName, TenantId},
    support::SPAN_MAX_MS,
};
use lockgate_telemetry::{Line, LogQuery};
use serde::{Deserialize, Serialize};

use crate::{Caller, Error, RunFilter, Runtime, ScheduleStatus, View, change::Plan, push::json};

/// Hours a grant lasts unless another number is asked for.
const HOURS: i64 = 4;
const HOUR_MS: i64 = 3_600_000;
/// Hours it lasts at most.
const HOURS_MAX: i64 = SPAN_MAX_MS / HOUR_MS;
/// Grants of a tenant that stand at a time.
const GRANTS_MAX: usize = 20;
/// Characters that say what for.
const TITLE_CHARS_MAX: usize = 200;
/// Hex digits of a grant's id.
const ID_CHARS: usize = 16;

/// What a grant is to be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportWanted {
    /// Where; each is named.
    pub environments: BTreeSet<EnvironmentId>,
    /// How many hours it lasts; absent for 4.
    #[serde(default)]
    pub hours: Option<i64>,
    /// What for, for people.
    #[serde(default)]
    pub title: String,
}

/// A grant that stands.
#[derive(Debug, Clone, Serialize)]
pub struct SupportInfo {
    /// By what it can be ended.
    pub id: String,
    /// The grant.
    #[serde(flatten)]
    pub grant: SupportGrant,
}

/// A deployment as the operator sees it by a grant: which versions, and nothing of what they touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupportDeployment {
    /// The project.
    pub project: ProjectId,
    /// Its version.
    pub version: u64,
    /// Digest of its sources.
    pub source: Digest,
    /// When it was deployed.
    pub deployed_at: Timestamp,
    /// Its orchestrations, with the digests of their modules.
    pub orchestrations: BTreeMap<TargetName, Digest>,
    /// Its APIs, with the orchestration behind each.
    pub apis: BTreeMap<TargetName, TargetName>,
}

/// What is looked at. There is nothing else: no document, no binding, no address, no secret. Ids of users and names of accounts
/// stand in records and lines as the tenant sees them itself.
#[derive(Debug, Clone)]
pub enum SupportLook {
    /// Records of runs.
    Runs(RunFilter),
    /// One record.
    Run(RunId),
    /// Log lines of runs.
    Logs(LogQuery),
    /// What is active.
    Deployments,
    /// What runs by itself.
    Schedules,
}

/// What is seen of it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum SupportSeen {
    /// Records of runs.
    Runs(Vec<RunRecord>),
    /// One record.
    Run(Box<RunRecord>),
    /// Log lines.
    Logs(Vec<Line>),
    /// What is active.
    Deployments(Vec<SupportDeployment>),
    /// What runs by itself.
    Schedules(Vec<ScheduleStatus>),
}

impl SupportLook {
    /// What a user of the tenant would need for it.
    fn permission(&self) -> Permission {
        match self {
            Self::Runs(_) | Self::Run(_) | Self::Logs(_) => Permission::LogsView,
            Self::Deployments | Self::Schedules => Permission::SettingsView,
        }
    }

    /// For the audit log.
    fn what(&self) -> String {
        match self {
            Self::Runs(_) => "runs".to_owned(),
            Self::Run(run) => format!("run/{run}"),
            Self::Logs(_) => "logs".to_owned(),
            Self::Deployments => "deployments".to_owned(),
            Self::Schedules => "schedules".to_owned(),
        }
    }
}

impl Runtime {
    /// Opens support access for some hours. Grants that have ended go with it.
    pub async fn open_support(&self, caller: &Caller, wanted: &SupportWanted) -> Result<SupportInfo, Error> {
        let hours = wanted.hours.unwrap_or(HOURS);
        self.change(caller, |view| {
            let (decision, now) = (self.administers(view, caller), self.now());
            let (standing, ended): (Vec<_>, Vec<_>) =
                grants(view)?.into_iter().partition(|info| info.grant.stands(now));
            if decision.is_allowed() {
                sound(view, wanted, hours, standing.len())?;
            }
            let grant = SupportGrant {
                title: wanted.title.clone(),
                environments: wanted.environments.clone(),
                given_by: caller.principal.user.clone(),
                from: now,
                until: now.plus_ms(hours.saturating_mul(HOUR_MS)),
            };
            // It is no secret: a revision makes one change.
            let parts = [b"support grant".as_slice(), view.tenant.as_str().as_bytes(), &view.revision.0.to_be_bytes()];
            let id: String = Digest::of_parts(parts).hex().chars().take(ID_CHARS).collect();
            let named: Vec<&str> = grant.environments.iter().map(EnvironmentId::as_str).collect();
            let detail = [("environments", named.join(" ")), ("until", grant.until.to_string())];
            Ok(Plan {
                decision,
                event: "support-open",
                object: format!("support-grant/{id}"),
                fields: Vec::new(),
                detail: detail.map(|(key, value)| (key.to_owned(), value)).into(),
                puts: vec![(Kind::SupportGrant, id.clone(), json(&grant)?)],
                deletes: ended.into_iter().map(|info| (Kind::SupportGrant, info.id)).collect(),
                answer: SupportInfo { id, grant },
            })
        })
        .await
    }

    /// Grants that stand.
    pub async fn support(&self, caller: &Caller) -> Result<Vec<SupportInfo>, Error> {
        let view = self.may_read(caller, Permission::AccessControl, Scope::Tenant).await?;
        let now = self.now();
        Ok(grants(&view)?.into_iter().filter(|info| info.grant.stands(now)).collect())
    }

    /// Ends a grant: whoever asks by it from here on is refused.
    pub async fn end_support(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        self.change(caller, |view| {
            let ask = Permission::AccessControl;
            let decision = decide(&view.snapshot, &caller.principal, ask, Scope::Tenant, Channel::Admin, self.now());
            if decision.is_allowed() && view.row(Kind::SupportGrant, id).is_none() {
                return Err(Error::not_found("such grant of support access"));
            }
            Ok(Plan {
                decision,
                event: "support-end",
                object: format!("support-grant/{id}"),
                fields: Vec::new(),
                detail: BTreeMap::new(),
                puts: Vec::new(),
                deletes: vec![(Kind::SupportGrant, id.to_owned())],
                answer: (),
            })
        })
        .await
    }

    /// Operator: looks at metadata of an environment by a grant. `by` says who had the socket open.
    pub async fn operator_look(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        look: SupportLook,
        by: &str,
    ) -> Result<SupportSeen, Error> {
        let view = self.view(tenant)?;
        let (operator, asked) = (view.credentials.support(), look.permission());
        let decision = decide_support(&view.snapshot, &operator, asked, environment.clone(), self.now());
        for mut entry in decision.entries(None) {
            entry.detail.insert("what".to_owned(), look.what());
            entry.detail.insert("by".to_owned(), by.to_owned());
            self.record(tenant, entry).await?;
        }
        if !decision.is_allowed() {
            return Err(Error::Forbidden { rule: decision.rule().to_owned() });
        }
        let seen = match look {
            SupportLook::Runs(filter) => SupportSeen::Runs(self.found_runs(tenant, environment, filter).await?),
            SupportLook::Run(run) => SupportSeen::Run(Box::new(self.found_run(tenant, environment, run).await?)),
            SupportLook::Logs(query) => SupportSeen::Logs(self.0.telemetry.logs.lines(tenant, environment, &query)),
            SupportLook::Deployments => SupportSeen::Deployments(deployments(&view, environment)),
            SupportLook::Schedules => SupportSeen::Schedules(self.schedules_of(&view, environment).await?),
        };
        // It was written down and read: in that time the grant may have ended.
        let view = self.view(tenant)?;
        let still = decide_support(&view.snapshot, &operator, asked, environment.clone(), self.now());
        match still.is_allowed() {
            true => Ok(seen),
            false => Err(Error::Forbidden { rule: still.rule().to_owned() }),
        }
    }

    /// Letting somebody of outside look is both: whom to let in, and to what.
    fn administers(&self, view: &View, caller: &Caller) -> Decision {
        let [first, second] = SUPPORT_OPENS.map(|permission| {
            let (principal, now) = (&caller.principal, self.now());
            decide(&view.snapshot, principal, permission, Scope::Tenant, Channel::Admin, now)
        });
        first.and_also(second)
    }
}

/// What opening must refuse, whoever asks.
fn sound(view: &View, wanted: &SupportWanted, hours: i64, standing: usize) -> Result<(), Error> {
    let wrong = |text: String| Err(Error::invalid("LG-SUPPORT", text));
    if !(1..=HOURS_MAX).contains(&hours) {
        return wrong(format!("support access lasts 1 to {HOURS_MAX} hours, not {hours}"));
    }
    if wanted.environments.is_empty() {
        return wrong("support access is for environments that are named: name at least one".to_owned());
    }
    if wanted.title.chars().count() > TITLE_CHARS_MAX || wanted.title.chars().any(char::is_control) {
        return wrong(format!("a title has at most {TITLE_CHARS_MAX} characters and no control characters"));
    }
    if standing >= GRANTS_MAX {
        return wrong(format!("{GRANTS_MAX} grants of support access stand already: end one first"));
    }
    let absent = wanted.environments.iter().find(|id| view.row(Kind::Environment, id.as_str()).is_none());
    absent.map_or(Ok(()), |absent| Err(Error::not_found(format!("environment `{absent}`"))))
}

fn grants(view: &View) -> Result<Vec<SupportInfo>, Error> {
    let read = |row: &lockgate_model::Definition| Ok(SupportInfo { id: row.id.clone(), grant: row.read()? });
    view.rows(Kind::SupportGrant, "").map(read).collect()
}

/// Grants that go along with a user who gave them, or with an environment for which they have ended.
pub(crate) fn grants_along(view: &View, kind: Kind, id: &str, now: Timestamp) -> Result<Vec<String>, Error> {
    let goes = |grant: &SupportGrant| match kind {
        Kind::User => grant.given_by.as_str() == id,
        Kind::Environment => !grant.stands(now) && grant.environments.contains(id),
        _ => false,
    };
    Ok(grants(view)?.into_iter().filter(|info| goes(&info.grant)).map(|info| info.id).collect())
}

fn deployments(view: &View, environment: &EnvironmentId) -> Vec<SupportDeployment> {
    let seen = |of: &lockgate_model::definition::Deployment| SupportDeployment {
        project: of.project.clone(),
        version: of.version,
        source: of.source,
        deployed_at: of.deployed_at,
        orchestrations: of.orchestrations.iter().map(|(name, module)| (name.clone(), module.module)).collect(),
        apis: of.apis.iter().map(|(name, api)| (name.clone(), api.orchestration.clone())).collect(),
    };
    view.snapshot.deployments(environment).map(seen).collect()
}
