//! What a tenant is, for whoever may export it: definitions, accounts without their secrets, and which schedules are
//! paused. `lockgate apply` takes it as it comes.
//!
//! `export` is asked in each environment. Of the rest everybody sees what their other permissions show them anyway: a
//! right to carry things out is none to see more. What is not in it is told, so that nobody takes it for nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    sync::Arc,
};

use lockgate_access::{Decision, DeniedStatus, Scope, decide};
use lockgate_model::{
    Channel, Definition, Kind, Permission, Timestamp,
    audit::{Entry, Outcome},
    definition::Revision,
    id::EnvironmentId,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Caller, Error, Runtime, View};

/// A page of what a tenant is.
#[derive(Debug, Clone, Serialize)]
pub struct Export {
    /// The revision of the tenant that all pages are of; pauses of schedules have none, and are as of their page.
    pub revision: Revision,
    /// The environments that are exported.
    pub environments: Vec<EnvironmentId>,
    /// The kinds that are in it.
    pub kinds: Vec<&'static str>,
    /// The kinds that are not in it, or not of all environments.
    pub left_out: Vec<LeftOut>,
    /// The things, in the order that they are made in.
    pub items: Vec<Exported>,
    /// Behind which place the next page begins; absent if there is none.
    #[serde(skip)]
    pub next: Option<ExportPlace>,
}

/// A kind that is not in it, or not of all environments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The kind.
    pub kind: &'static str,
    /// What it takes.
    pub permission: Permission,
}

/// One thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exported {
    /// Its kind.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: Value,
}

/// A place in an export of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPlace {
    revision: Revision,
    kind: usize,
    id: String,
}

/// A text is no such place.
#[derive(Debug)]
pub struct NoPlace;

impl fmt::Display for ExportPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.revision, self.kind, self.id)
    }
}

impl FromStr for ExportPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut parts = text.splitn(3, ' ');
        let mut part = || parts.next().ok_or(NoPlace);
        let revision = Revision(part()?.parse().map_err(|_| NoPlace)?);
        let kind = part()?.parse().map_err(|_| NoPlace)?;
        Ok(Self { revision, kind, id: part()?.to_owned() })
    }
}

/// What is exported, in the order that it is made in; none for schedules, which are no definitions.
const KINDS: [Option<Kind>; 9] = [
    Some(Kind::Environment),
    Some(Kind::Profile),
    Some(Kind::Group),
    Some(Kind::User),
    Some(Kind::Acl),
    Some(Kind::ProjectPermission),
    Some(Kind::Assignment),
    Some(Kind::Account),
    None,
];

fn name(kind: Option<Kind>) -> &'static str {
    kind.map_or("schedule", Kind::as_str)
}

/// One of these permissions is asked besides.
fn besides(kind: Option<Kind>) -> &'static [Permission] {
    match kind {
        Some(Kind::User | Kind::Group) => &[Permission::UserManagement],
        Some(Kind::Profile | Kind::Acl | Kind::ProjectPermission) => &[Permission::AccessControl],
        Some(_) => &[Permission::SettingsView],
        None => &[Permission::SettingsView, Permission::SchedulesControl],
    }
}

/// What of a tenant somebody may export.
struct May {
    /// Where.
    environments: BTreeSet<EnvironmentId>,
    /// Of each kind that is in it, where; of those that lie in no environment everything.
    kinds: BTreeMap<usize, BTreeSet<EnvironmentId>>,
    left_out: Vec<LeftOut>,
    decision: Decision,
}

impl Runtime {
    /// Refuses whoever may export nothing.
    pub(crate) async fn admit_export(&self, caller: &Caller) -> Result<(), Error> {
        self.may_export(caller).await.map(drop)
    }

    /// The things behind a place, at most so many. The first page is told in the audit log before it is answered. A
    /// place in an older revision of the tenant is a conflict: the pages would not fit together.
    pub async fn export(&self, caller: &Caller, behind: Option<ExportPlace>, limit: usize) -> Result<Export, Error> {
        let (view, may) = self.may_export(caller).await?;
        if behind.as_ref().is_some_and(|place| place.revision != view.revision) {
            let message = "the tenant was changed since the first page; begin again".into();
            return Err(Error::Conflict { code: "LG-BUSY", message });
        }
        let kinds: Vec<&str> = may.kinds.keys().filter_map(|at| KINDS.get(*at)).map(|kind| name(*kind)).collect();
        if behind.is_none() {
            let environments: Vec<&str> = may.environments.iter().map(EnvironmentId::as_str).collect();
            let mut entry = Entry::new(self.now(), "export", Outcome::Done, caller.principal.user.as_str());
            entry.channel = Some(Channel::Admin);
            entry.source.clone_from(&caller.source);
            entry.revision = view.revision.0;
            entry.rule = may.decision.rule().to_owned();
            let detail = [("environments", environments.join(" ")), ("kinds", kinds.join(" "))];
            entry.detail = detail.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            self.record(caller.tenant(), entry).await?;
        }
        let (mut items, mut next) = (Vec::new(), None);
        for (at, within) in &may.kinds {
            let Some(kind) = KINDS.get(*at) else { continue };
            let after = match &behind {
                Some(place) if place.kind > *at => continue,
                Some(place) if place.kind == *at => Some(place.id.as_str()),
                _ => None,
            };
            let enough = limit.saturating_sub(items.len()).saturating_add(1);
            items.extend(self.things(&view, *kind, within, (after, enough)).await?);
            if items.len() > limit {
                items.truncate(limit);
                let id = items.last().map(|last| last.id.clone()).unwrap_or_default();
                // Where nothing of this kind came any more the last one is of a kind before.
                let of = |last: &Exported| KINDS.iter().position(|kind| name(*kind) == last.kind);
                let kind = items.last().and_then(of).unwrap_or_default();
                next = Some(ExportPlace { revision: view.revision, kind, id });
                break;
            }
        }
        let environments = may.environments.into_iter().collect();
        Ok(Export { revision: view.revision, environments, kinds, left_out: may.left_out, items, next })
    }

    /// What somebody may export; who may export nothing is refused.
    async fn may_export(&self, caller: &Caller) -> Result<(Arc<View>, May), Error> {
        let view = self.view(caller.tenant())?;
        let may = judged(&view, caller, self.now());
        match may {
            Ok(may) => Ok((view, may)),
            Err(Some(decision)) => Err(self.refuse(&decision, caller).await),
            Err(None) => Err(Error::not_found("environment")),
        }
    }

    /// Things of a kind behind an id, at most so many.
    async fn things(
        &self,
        view: &View,
        kind: Option<Kind>,
        within: &BTreeSet<EnvironmentId>,
        (behind, enough): (Option<&str>, usize),
    ) -> Result<Vec<Exported>, Error> {
        let is_here =
            |id: &str| id.split('/').next().is_some_and(|first| within.iter().any(|one| one.as_str() == first));
        let is_behind = |id: &str| behind.is_none_or(|behind| id > behind);
        let Some(of) = kind else {
            let mut all = BTreeMap::new();
            for environment in within {
                for schedule in self.schedules_of(view, environment).await? {
                    all.insert(format!("{environment}/{}", schedule.name), schedule.paused.is_some());
                }
            }
            let thing = |(id, paused)| Exported { kind: name(kind), id, body: json!({ "paused": paused }) };
            return Ok(all.into_iter().filter(|(id, _)| is_behind(id)).take(enough).map(thing).collect());
        };
        let all = view.rows(of, "").filter(|row| is_behind(&row.id) && (!lies_within(kind) || is_here(&row.id)));
        let thing = |row: &Definition| {
            let mut body = row.body.clone();
            if let (Kind::Account, Some(members)) = (of, body.as_object_mut()) {
                // Their names; what they are is in no definition.
                members.remove("secrets");
            }
            Exported { kind: name(kind), id: row.id.clone(), body }
        };
        Ok(all.take(enough).map(thing).collect())
    }
}

/// What somebody may export; or the decision that refuses it.
fn judged(view: &View, caller: &Caller, now: Timestamp) -> Result<May, Option<Box<Decision>>> {
    let ask = |permission, scope| decide(&view.snapshot, &caller.principal, permission, scope, Channel::Admin, now);
    let all: Vec<EnvironmentId> = view.snapshot.environments().into_iter().cloned().collect();
    let (mut environments, mut allowed, mut denied) = (BTreeSet::new(), None, Vec::new());
    for environment in &all {
        let decision = ask(Permission::Export, Scope::Environment(environment.clone()));
        if decision.is_allowed() {
            environments.insert(environment.clone());
            allowed.get_or_insert(decision);
        } else {
            denied.push(decision);
        }
    }
    let Some(decision) = allowed else {
        // Of an environment that the caller may know nothing of less is told than of another.
        let forbidden = |decision: &Decision| decision.denied().is_some_and(|no| no.status == DeniedStatus::Forbidden);
        let at = denied.iter().position(forbidden).unwrap_or_default();
        return Err(denied.into_iter().nth(at).map(Box::new));
    };
    let everywhere = environments.len() == all.len();
    let (mut kinds, mut left_out) = (BTreeMap::new(), Vec::new());
    for (at, kind) in KINDS.iter().enumerate() {
        let permissions = besides(*kind);
        let may = |scope: Scope| permissions.iter().any(|one| ask(*one, scope.clone()).is_allowed());
        let shown = |one: &&EnvironmentId| may(Scope::Environment((*one).clone()));
        let within: BTreeSet<EnvironmentId> = environments.iter().filter(shown).cloned().collect();
        let (is_in, whole) = match kind {
            // A list of some of them would have the others deleted.
            Some(Kind::Environment) => (everywhere && !within.is_empty(), true),
            _ if lies_within(*kind) => (!within.is_empty(), everywhere && within == environments),
            _ => (may(Scope::Tenant), true),
        };
        if !(is_in && whole) {
            let lies_in_environments = lies_within(*kind) || *kind == Some(Kind::Environment);
            let mut besides = permissions.iter().copied().filter(|_| !lies_in_environments || within != environments);
            left_out.push(LeftOut { kind: name(*kind), permission: besides.next().unwrap_or(Permission::Export) });
        }
        if is_in {
            kinds.insert(at, within);
        }
    }
    Ok(May { environments, kinds, left_out, decision })
}

/// Its things lie in environments, which their ids begin with.
fn lies_within(kind: Option<Kind>) -> bool {
    matches!(kind, None | Some(Kind::Assignment | Kind::Account))
}
