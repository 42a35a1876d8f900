//! A change across both files: checked, announced in the audit log, written, settled.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};

use lockgate_access::DeployPermit;
use lockgate_model::{
    Digest,
    definition::{Deployment, Kind, Revision},
    id::{EnvironmentId, TenantId},
};

use super::{
    Files,
    definitions::{self, Rows},
    runs,
};
use crate::{Change, Error, Put};

/// Makes a change that holds no deployment.
pub(super) async fn commit(files: Arc<Files>, change: Change) -> Result<Revision, Error> {
    if holds(&change, Kind::Deployment) {
        return Err(Error::Refused("a deployment is written with a deploy permit only".into()));
    }
    in_the_background(files, change, Needs::default()).await
}

/// What must be so when a change is made, besides what it says itself.
#[derive(Default)]
struct Needs {
    /// Modules that are stored.
    modules: Vec<Digest>,
    /// A row that nobody wrote after a revision.
    unchanged: Option<(Kind, String, Revision)>,
}

/// Activates what the permit names, or ends it if the change deletes that very row.
pub(super) async fn activate(files: Arc<Files>, permit: DeployPermit, mut change: Change) -> Result<Revision, Error> {
    let row = (Kind::Deployment, format!("{}/{}", permit.environment(), permit.project()));
    if change.tenant != *permit.tenant() {
        return Err(Error::Refused("the deploy permit is another tenant's".into()));
    }
    let ends = change.deletes.contains(&row);
    refuse_other_rows(&change, &row, permit.environment())?;
    let mut needs = Needs {
        modules: Vec::new(),
        // The permit was decided on what was active then: another deployment since wins.
        unchanged: Some((row.0, row.1.clone(), permit.revision())),
    };
    if !ends {
        let orchestrations = permit.deployment().orchestrations.values();
        needs.modules = orchestrations.map(|o| o.module).collect();
        change.puts.push(deployment_put(row.1, permit.deployment())?);
    }
    // The decision is on record before anything comes of it.
    permit
        .receipt()
        .durable()
        .await
        .map_err(|e| Error::Failed { doing: "activate a deployment", reason: e.to_string() })?;
    in_the_background(files, change, needs).await
}

fn deployment_put(id: String, deployment: &Deployment) -> Result<Put, Error> {
    let body = serde_json::to_value(deployment)
        .map_err(|_| Error::Refused("the deployment cannot be written as JSON".into()))?;
    Ok(Put { kind: Kind::Deployment, id, body })
}

/// With a deploy permit, nothing but assignments of the same environment may change.
fn refuse_other_rows(change: &Change, own: &(Kind, String), environment: &EnvironmentId) -> Result<(), Error> {
    let beside = |kind: Kind, id: &str| {
        kind == Kind::Assignment && id.strip_prefix(environment.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    let puts = change.puts.iter().map(|p| (p.kind, p.id.as_str(), false));
    let deletes = change.deletes.iter().map(|(kind, id)| (*kind, id.as_str(), (*kind, id) == (own.0, &own.1)));
    for (kind, id, is_own) in puts.chain(deletes) {
        if !is_own && !beside(kind, id) {
            return Err(Error::Refused(format!("a deploy permit for `{}` does not write {kind} `{id}`", own.1)));
        }
    }
    Ok(())
}

fn holds(change: &Change, kind: Kind) -> bool {
    change.puts.iter().any(|p| p.kind == kind) || change.deletes.iter().any(|(k, _)| *k == kind)
}

/// A change runs to its end even if its caller goes away: half of it would be an announcement.
async fn in_the_background(files: Arc<Files>, change: Change, needs: Needs) -> Result<Revision, Error> {
    let rows = rows(&change)?;
    tokio::spawn(async move { files.apply(change, rows, needs).await }).await.map_err(|_| Error::Closed)?
}

/// The rows as texts; refuses a change that is empty or names a row twice.
fn rows(change: &Change) -> Result<Rows, Error> {
    let mut rows = Vec::with_capacity(change.puts.len() + change.deletes.len());
    for put in &change.puts {
        let body =
            serde_json::to_string(&put.body).map_err(|_| Error::Refused("a body cannot be written as JSON".into()))?;
        rows.push((put.kind, put.id.clone(), Some(body)));
    }
    for (kind, id) in &change.deletes {
        rows.push((*kind, id.clone(), None));
    }
    if rows.is_empty() {
        return Err(Error::Refused("a change changes at least one row".into()));
    }
    let mut seen = BTreeSet::new();
    for (kind, id, _) in &rows {
        if !seen.insert((kind, id)) {
            return Err(Error::Refused(format!("a change names {kind} `{id}` twice")));
        }
    }
    Ok(rows)
}

impl Files {
    async fn apply(&self, change: Change, rows: Rows, needs: Needs) -> Result<Revision, Error> {
        let Change { tenant, entry, expected, deletes, .. } = change;
        let turn = self.turn(&tenant);
        let _held = turn.lock().await;
        let _between = self.between.read().await;
        let ended = deletes.iter().filter(|(kind, _)| *kind == Kind::Environment).map(|(_, id)| id.clone()).collect();
        let current = self.check(&tenant, expected, deletes, needs).await?;
        let at = entry.at;
        let announce = runs::Job::Announce { tenant: tenant.clone(), entry: Box::new(entry), current, ended };
        let place = self.runs.queue(announce).await?.durable().await?;
        let apply = definitions::Job::Apply {
            tenant: tenant.clone(),
            current,
            revision: place.revision,
            at,
            writer: self.writer.clone(),
            seq: place.seq,
            rows,
        };
        let applied = match self.definitions.queue(apply).await {
            Ok(pending) => pending.durable().await,
            Err(error) => Err(error),
        };
        let now_at = match &applied {
            Ok(()) => place.revision,
            // Nobody knows: the file closed itself. The next start finds out and settles it.
            Err(Error::Closed) => return Err(Error::Closed),
            Err(_) => current,
        };
        let settle = runs::Job::Settle { tenant: tenant.clone(), current: now_at, at };
        // Not awaited: if it is lost, the next change or the next start settles it.
        if let Err(error) = self.runs.queue(settle).await {
            tracing::warn!(%error, %tenant, "an announced change is settled at the next start");
        }
        applied?;
        // Nobody may be listening.
        let _ = self.revisions.send((tenant, place.revision));
        Ok(place.revision)
    }

    /// What can be refused is refused before it is announced.
    async fn check(
        &self,
        tenant: &TenantId,
        expected: Option<Revision>,
        deletes: Vec<(Kind, String)>,
        needs: Needs,
    ) -> Result<Revision, Error> {
        let tenant = tenant.clone();
        self.read_definitions
            .read(move |db| {
                let current = definitions::revision(db, &tenant)?;
                if let Some(expected) = expected.filter(|expected| *expected != current) {
                    return Err(Error::Conflict { tenant, expected, found: current });
                }
                if let Some((kind, id, expected)) = needs.unchanged {
                    let newest = definitions::newest(db, &tenant, kind, &id)?;
                    if let Some((found, _)) = newest.filter(|(at, _)| *at > expected) {
                        return Err(Error::Conflict { tenant, expected, found });
                    }
                }
                for (kind, id) in deletes {
                    let newest = definitions::newest(db, &tenant, kind, &id)?;
                    if newest.is_none_or(|(_, deleted)| deleted) {
                        return Err(Error::Absent { kind, id });
                    }
                }
                for module in needs.modules {
                    if !definitions::blob_exists(db, &tenant, &module)? {
                        return Err(Error::Refused(format!("module {module} is not stored")));
                    }
                }
                Ok(current)
            })
            .await
    }

    fn turn(&self, tenant: &TenantId) -> Arc<tokio::sync::Mutex<()>> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner).entry(tenant.clone()).or_default().clone()
    }
}
