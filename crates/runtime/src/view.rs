//! What this node knows of a tenant at one revision: immutable, swapped as a whole.
//!
//! Rows become a snapshot (for decisions), credentials (for authentication) and limits, all at the
//! same revision. A tenant whose rows cannot be built has no view, and without a view everything is
//! denied.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwapOption;
use dashmap::DashMap;
use lockgate_access::TenantSnapshot;
use lockgate_identity::{Credentials, DigestKey};
use lockgate_keys::Master;
use lockgate_model::{
    Definition, Kind, Limits,
    definition::{Revision, Unreadable},
    id::TenantId,
};
use lockgate_store::Store;
use serde::de::DeserializeOwned;
use tokio::sync::broadcast;

use crate::{
    Error,
    schedule::{self, Planned},
};

/// Changes that whoever follows them may be behind before it has to look at everything.
const CHANGES_KEPT: usize = 1_024;

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
    /// Limits of its runs.
    pub limits: Limits,
    rows: BTreeMap<Kind, BTreeMap<String, Definition>>,
    planned: OnceLock<Vec<Planned>>,
}

impl View {
    /// Builds it from rows.
    pub fn build(
        tenant: TenantId,
        revision: Revision,
        digest_key: DigestKey,
        definitions: Vec<Definition>,
    ) -> Result<Self, Unreadable> {
        let snapshot = TenantSnapshot::build(tenant.clone(), revision, &definitions)?;
        let credentials = Credentials::build(tenant.clone(), revision, &definitions)?;
        let limits = match definitions.iter().find(|d| d.kind == Kind::Limits) {
            Some(row) => row.read()?,
            None => Limits::default(),
        };
        let mut rows: BTreeMap<Kind, BTreeMap<String, Definition>> = BTreeMap::new();
        for row in definitions {
            rows.entry(row.kind).or_default().insert(row.id.clone(), row);
        }
        Ok(Self { tenant, revision, snapshot, credentials, digest_key, limits, rows, planned: OnceLock::new() })
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

    /// One row.
    pub fn row(&self, kind: Kind, id: &str) -> Option<&Definition> {
        self.rows.get(&kind)?.get(id)
    }

    /// One row as its type.
    pub fn read<T: DeserializeOwned>(&self, kind: Kind, id: &str) -> Result<Option<T>, Error> {
        self.row(kind, id).map(|row| row.read().map_err(Error::from)).transpose()
    }

    /// All rows of a kind whose id begins so, in the order of ids.
    pub fn rows(&self, kind: Kind, prefix: &str) -> impl Iterator<Item = &Definition> + use<'_> {
        let prefix = prefix.to_owned();
        self.rows.get(&kind).into_iter().flat_map(move |of_kind| {
            let prefix = prefix.clone();
            of_kind.range(prefix.clone()..).map(|(_, row)| row).take_while(move |row| row.id.starts_with(&prefix))
        })
    }
}

/// The views of all tenants of this node.
pub struct Views {
    store: Arc<dyn Store>,
    master: Arc<Master>,
    tenants: DashMap<TenantId, Arc<Slot>>,
    changes: broadcast::Sender<TenantId>,
}

struct Slot {
    view: ArcSwapOption<View>,
    /// Builds of one tenant follow each other, so that an older one never replaces a newer one.
    building: tokio::sync::Mutex<()>,
}

impl Views {
    /// No view yet; [`Views::follow`] keeps them current.
    pub fn new(store: Arc<dyn Store>, master: Arc<Master>) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        Self { store, master, tenants: DashMap::new(), changes }
    }

    /// Tells of each tenant whose view or schedules changed.
    pub fn changes(&self) -> broadcast::Receiver<TenantId> {
        self.changes.subscribe()
    }

    /// The tenant's schedules changed.
    pub fn tell(&self, tenant: &TenantId) {
        // Nobody may be listening.
        let _ = self.changes.send(tenant.clone());
    }

    /// What keys the digests of a tenant's API keys and one-time tokens.
    pub fn digest_key(&self, tenant: &TenantId) -> Result<DigestKey, Error> {
        let key = self.master.hmac_key(tenant, "identity").map_err(|error| {
            tracing::error!(%error, "no key for credentials");
            Error::Internal { what: "deriving a key".into() }
        })?;
        Ok(DigestKey::new(key.digest([b"digest key".as_slice()]).0))
    }

    /// The view of a tenant; `None` when there is no such tenant or its rows cannot be built.
    pub fn get(&self, tenant: &TenantId) -> Option<Arc<View>> {
        let slot = self.tenants.get(tenant)?.clone();
        slot.view.load_full()
    }

    /// All tenants that have a view, in the order of their ids.
    pub fn tenants(&self) -> Vec<TenantId> {
        let mut all: Vec<TenantId> = self.tenants.iter().map(|t| t.key().clone()).collect();
        all.sort();
        all
    }

    /// Reads a tenant again, unless the view is at `at_least` already.
    pub async fn refresh(&self, tenant: &TenantId, at_least: Option<Revision>) -> Result<(), Error> {
        let slot = self
            .tenants
            .entry(tenant.clone())
            .or_insert_with(|| Arc::new(Slot { view: ArcSwapOption::empty(), building: tokio::sync::Mutex::new(()) }))
            .clone();
        let _one = slot.building.lock().await;
        if let (Some(wanted), Some(view)) = (at_least, slot.view.load().as_ref())
            && view.revision >= wanted
        {
            return Ok(());
        }
        let (revision, rows) = match self.store.definitions(tenant).await {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%tenant, %error, "definitions cannot be read: the tenant is denied everything");
                slot.view.store(None);
                return Err(Error::Unavailable { what: "the store".into() });
            }
        };
        match View::build(tenant.clone(), revision, self.digest_key(tenant)?, rows) {
            Ok(view) => {
                slot.view.store(Some(Arc::new(view)));
                self.tell(tenant);
                Ok(())
            }
            Err(damaged) => {
                slot.view.store(None);
                Err(damaged.into())
            }
        }
    }

    /// Reads every tenant, once.
    pub async fn refresh_all(&self) -> Result<(), Error> {
        let tenants = self.store.tenants().await.map_err(|error| {
            tracing::error!(%error, "tenants cannot be read");
            Error::Unavailable { what: "the store".into() }
        })?;
        for tenant in tenants {
            // One damaged tenant denies that tenant, not the others; the log has told of it.
            let _ = self.refresh(&tenant, None).await;
        }
        Ok(())
    }

    /// Keeps the views current until the store is dropped.
    pub async fn follow(self: Arc<Self>) {
        use tokio::sync::broadcast::error::RecvError;
        let mut revisions = self.store.revisions();
        loop {
            match revisions.recv().await {
                Ok((tenant, revision)) => {
                    let _ = self.refresh(&tenant, Some(revision)).await;
                }
                Err(RecvError::Lagged(_)) => {
                    let _ = self.refresh_all().await;
                }
                Err(RecvError::Closed) => return,
            }
        }
    }
}
