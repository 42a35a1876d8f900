//! What this node knows of a tenant at one revision: immutable, swapped as a whole.
//!
//! Rows become a snapshot (for decisions), credentials (for authentication) and limits, all at the
//! same revision. A change makes the next view of the one before it. A tenant whose rows cannot be read or
//! built has no view.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use lockgate_access::TenantSnapshot;
use lockgate_identity::{Credentials, DigestKey};
use lockgate_keys::HmacKey;
use lockgate_model::{
    Definition, Kind, SharedMap,
    definition::{DeployedModule, Deployment, Revision, Unreadable},
    id::{EnvironmentId, TargetName, TenantId},
};
use lockgate_store::Since;
use serde::de::DeserializeOwned;

use crate::{
    Error,
    limits::HeldLimits,
    schedule::{self, Planned},
};

/// A tenant at a revision.
pub struct View {
    /// Whose.
    pub tenant: TenantId,
    /// At which revision.
    pub revision: Revision,
    /// For decisions.
    pub snapshot: TenantSnapshot,
    /// For authentication.
    pub credentials: Credentials,
    /// Keys the digests of its API keys and one-time tokens.
    pub digest_key: DigestKey,
    /// Keys the idempotency keys of its calls.
    pub(crate) site_key: HmacKey,
    /// Limits of its runs.
    pub(crate) limits: HeldLimits,
    rows: AllRows,
    planned: OnceLock<Vec<Planned>>,
    deployed: OnceLock<Deployed>,
}

/// By kind and id. Views of a tenant share those that did not change.
type AllRows = BTreeMap<Kind, SharedMap<String, Arc<Definition>>>;

/// Deployments by the environment and the name of each of their orchestrations.
type Deployed = BTreeMap<EnvironmentId, BTreeMap<TargetName, Arc<Deployment>>>;

impl View {
    /// Builds it from rows.
    pub fn build(
        tenant: TenantId,
        revision: Revision,
        (digest_key, site_key): (DigestKey, HmacKey),
        definitions: Vec<Definition>,
    ) -> Result<Self, Unreadable> {
        let snapshot = TenantSnapshot::build(tenant.clone(), revision, &definitions)?;
        let credentials = Credentials::build(tenant.clone(), revision, &definitions)?;
        let limits = HeldLimits::of(definitions.iter().filter(|row| row.kind == Kind::Limits))?;
        let mut rows = AllRows::new();
        for row in definitions {
            rows.entry(row.kind).or_default().insert(row.id.clone(), Arc::new(row));
        }
        let (planned, deployed) = (OnceLock::new(), OnceLock::new());
        Ok(Self { tenant, revision, snapshot, credentials, digest_key, site_key, limits, rows, planned, deployed })
    }

    /// The same after changes: what [`View::build`] makes of all rows then, for the cost of what changed.
    pub(crate) fn follow(&self, since: Since) -> Result<Self, Unreadable> {
        let Since { revision, puts, deletes } = since;
        let put = |row: &Definition| (row.kind, row.id.clone(), row.body.clone());
        let snapshot = self.snapshot.follow(revision, &puts.iter().map(put).collect::<Vec<_>>(), &deletes)?;
        let credentials = self.credentials.follow(revision, &puts, &deletes)?;
        let mut rows = self.rows.clone();
        for (kind, id) in &deletes {
            rows.entry(*kind).or_default().remove(id.as_str());
        }
        let mut kinds = deletes.iter().map(|(kind, _)| *kind).chain(puts.iter().map(|row| row.kind));
        let same_deployments = kinds.all(|kind| kind != Kind::Deployment);
        for row in puts {
            rows.entry(row.kind).or_default().insert(row.id.clone(), Arc::new(row));
        }
        let limits = HeldLimits::of(rows.get(&Kind::Limits).into_iter().flat_map(SharedMap::values).map(|row| &**row))?;
        let (planned, deployed) = match same_deployments {
            true => (self.planned.clone(), self.deployed.clone()),
            false => (OnceLock::new(), OnceLock::new()),
        };
        let (tenant, digest_key, site_key) = (self.tenant.clone(), self.digest_key.clone(), self.site_key.clone());
        Ok(Self { tenant, revision, snapshot, credentials, digest_key, site_key, limits, rows, planned, deployed })
    }

    /// The schedules of its deployments; read once.
    pub(crate) fn planned(&self) -> &[Planned] {
        self.planned.get_or_init(|| {
            // The snapshot was built from the same rows, so they can be read.
            schedule::planned(self).unwrap_or_else(|damaged| {
                tracing::error!(tenant = %self.tenant, %damaged, "no schedule of the tenant fires");
                Vec::new()
            })
        })
    }

    /// The deployment of an orchestration in an environment, and its module there; read once.
    pub(crate) fn deployed(
        &self,
        environment: &EnvironmentId,
        name: &TargetName,
    ) -> Option<(&Deployment, &DeployedModule)> {
        let deployed = self.deployed.get_or_init(|| {
            // Likewise.
            deployments(self).unwrap_or_else(|damaged| {
                tracing::error!(tenant = %self.tenant, %damaged, "no deployment of the tenant runs");
                Deployed::new()
            })
        });
        let deployment = deployed.get(environment)?.get(name)?;
        Some((deployment, deployment.orchestrations.get(name)?))
    }

    /// One row.
    pub fn row(&self, kind: Kind, id: &str) -> Option<&Definition> {
        self.rows.get(&kind)?.get(id).map(|row| &**row)
    }

    /// One row as its type.
    pub fn read<T: DeserializeOwned>(&self, kind: Kind, id: &str) -> Result<Option<T>, Error> {
        self.row(kind, id).map(|row| row.read().map_err(Error::from)).transpose()
    }

    /// All rows.
    pub(crate) fn all_rows(&self) -> impl Iterator<Item = &Definition> {
        self.rows.values().flat_map(SharedMap::values).map(|row| &**row)
    }

    /// All rows of a kind whose id begins so, in the order of ids.
    pub fn rows(&self, kind: Kind, prefix: &str) -> impl Iterator<Item = &Definition> + use<'_> {
        let prefix = prefix.to_owned();
        self.rows.get(&kind).into_iter().flat_map(move |of_kind| {
            let prefix = prefix.clone();
            of_kind.from(prefix.as_str()).map(|(_, row)| &**row).take_while(move |row| row.id.starts_with(&prefix))
        })
    }
}

fn deployments(view: &View) -> Result<Deployed, Unreadable> {
    let mut deployed = Deployed::new();
    for row in view.rows(Kind::Deployment, "") {
        let deployment: Arc<Deployment> = Arc::new(row.read()?);
        let Some(environment) = row.id.split('/').next().and_then(|id| EnvironmentId::parse(id).ok()) else { continue };
        let names = deployment.orchestrations.keys().map(|name| (name.clone(), deployment.clone()));
        deployed.entry(environment).or_default().extend(names);
    }
    Ok(deployed)
}

#[cfg(test)]
mod tests;
