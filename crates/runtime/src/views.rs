//! The views of all tenants of this node, kept current. What has no view is read again until it has one; without a
//! view everything is denied.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use dashmap::DashMap;
use lockgate_identity::DigestKey;
use lockgate_keys::{HmacKey, Master};
use lockgate_model::{definition::Revision, id::TenantId};
use lockgate_store::Store;
use tokio::sync::{Notify, broadcast};

use crate::{Error, View};

/// Changes that whoever follows them may be behind before it has to look at everything.
const CHANGES_KEPT: usize = 1_024;
/// Pauses before what could not be read is read again: the first, and the longest.
const AGAIN_MIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(5);

/// The views of all tenants of this node.
pub struct Views {
    store: Arc<dyn Store>,
    master: Arc<Master>,
    tenants: DashMap<TenantId, Arc<Slot>>,
    changes: broadcast::Sender<TenantId>,
    /// Which tenants there are could not be read when everything had to be.
    all_behind: AtomicBool,
    /// Something could not be read.
    failed: Notify,
}

#[derive(Default)]
struct Slot {
    view: ArcSwapOption<View>,
    /// A [`Gap`], for those who only count.
    gap: AtomicU8,
    /// Builds of one tenant follow each other, so that an older one never replaces a newer one.
    building: tokio::sync::Mutex<()>,
}

/// Why a tenant has no view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Gap {
    /// It has one, or was never looked at.
    None,
    /// The store did not give its rows.
    Unread,
    /// Its rows make no sense: no node can make a view of them.
    Damaged,
}

/// Tenants that have no view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Denied {
    /// The store did not give their rows.
    pub(crate) unread: usize,
    /// Their rows make no sense.
    pub(crate) damaged: usize,
}

impl Slot {
    fn has(&self, gap: Gap) -> bool {
        self.gap.load(Ordering::SeqCst) == gap as u8
    }
    /// Denies the tenant everything; whether it is denied for this reason only now.
    fn deny(&self, gap: Gap) -> bool {
        self.view.store(None);
        self.gap.swap(gap as u8, Ordering::SeqCst) != gap as u8
    }
    fn allow(&self, view: View) {
        self.view.store(Some(Arc::new(view)));
        self.gap.store(Gap::None as u8, Ordering::SeqCst);
    }
}

impl Views {
    /// No view yet; [`Views::follow`] keeps them current.
    pub fn new(store: Arc<dyn Store>, master: Arc<Master>) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let (all_behind, failed) = (AtomicBool::new(false), Notify::new());
        Self { store, master, tenants: DashMap::new(), changes, all_behind, failed }
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
        let key = self.key(tenant, "identity")?;
        Ok(DigestKey::new(key.digest([b"digest key".as_slice()]).0))
    }

    fn keys(&self, tenant: &TenantId) -> Result<(DigestKey, HmacKey), Error> {
        Ok((self.digest_key(tenant)?, self.key(tenant, "idempotency")?))
    }

    fn key(&self, tenant: &TenantId, purpose: &str) -> Result<HmacKey, Error> {
        self.master.hmac_key(tenant, purpose).map_err(|error| {
            tracing::error!(%error, purpose, "a key of a tenant cannot be derived");
            Error::Internal { what: "deriving a key".into() }
        })
    }

    /// The view of a tenant; `None` when there is no such tenant or its rows cannot be read or built.
    pub fn get(&self, tenant: &TenantId) -> Option<Arc<View>> {
        let slot = self.tenants.get(tenant)?.clone();
        slot.view.load_full()
    }

    /// All tenants this node knows of, in the order of their ids.
    pub fn tenants(&self) -> Vec<TenantId> {
        let mut all: Vec<TenantId> = self.tenants.iter().map(|t| t.key().clone()).collect();
        all.sort();
        all
    }

    /// How many tenants are denied everything because they have no view.
    pub(crate) fn denied(&self) -> Denied {
        let count = |gap| self.tenants.iter().filter(|slot| slot.has(gap)).count();
        // Which there are is unknown: at least one of them may have changed.
        let unknown = usize::from(self.all_behind.load(Ordering::SeqCst));
        Denied { unread: count(Gap::Unread).max(unknown), damaged: count(Gap::Damaged) }
    }

    /// Reads a tenant again, unless the view is at `at_least` already. What changed since the view is enough where it is
    /// known that something did; without `at_least` everything is read.
    pub async fn refresh(&self, tenant: &TenantId, at_least: Option<Revision>) -> Result<(), Error> {
        let slot = self.tenants.entry(tenant.clone()).or_default().clone();
        let _one = slot.building.lock().await;
        if let (Some(wanted), Some(view)) = (at_least, slot.view.load_full()) {
            if view.revision >= wanted {
                return Ok(());
            }
            if let Some(next) = self.followed(&view).await {
                slot.allow(next);
                self.tell(tenant);
                return Ok(());
            }
        }
        let read = match self.store.definitions(tenant).await {
            Ok(read) => self.keys(tenant).map(|keys| (read, keys)),
            Err(error) => {
                if slot.deny(Gap::Unread) {
                    tracing::error!(%tenant, %error, "definitions cannot be read: the tenant is denied everything until they can");
                }
                Err(Error::Unavailable { what: "the store".into() })
            }
        };
        let ((revision, rows), keys) = read.inspect_err(|_| {
            slot.deny(Gap::Unread);
            self.failed.notify_one();
        })?;
        match View::build(tenant.clone(), revision, keys, rows) {
            Ok(view) => {
                slot.allow(view);
                self.tell(tenant);
                Ok(())
            }
            Err(damaged) => {
                self.failed.notify_one();
                match slot.deny(Gap::Damaged) {
                    // The log is told.
                    true => Err(damaged.into()),
                    false => Err(Error::Internal { what: "reading a definition".into() }),
                }
            }
        }
    }

    /// The view after what changed since; `None` where that is not to be had, and all rows have to tell.
    async fn followed(&self, view: &View) -> Option<View> {
        let since = self.store.definitions_since(&view.tenant, view.revision).await.ok()?;
        view.follow(since).ok()
    }

    /// Reads every tenant, once.
    pub async fn refresh_all(&self) -> Result<(), Error> {
        let tenants = match self.store.tenants().await {
            Ok(tenants) => tenants,
            Err(error) => {
                if !self.all_behind.swap(true, Ordering::SeqCst) {
                    tracing::error!(%error, "tenants cannot be read");
                }
                self.failed.notify_one();
                return Err(Error::Unavailable { what: "the store".into() });
            }
        };
        self.all_behind.store(false, Ordering::SeqCst);
        for tenant in tenants {
            // One damaged tenant denies that tenant, not the others; the log has told of it.
            let _ = self.refresh(&tenant, None).await;
        }
        Ok(())
    }

    /// Keeps the views current until the store is dropped.
    pub async fn follow(self: Arc<Self>) {
        // Of the two only this one ends.
        tokio::select! {
            () = self.follow_revisions() => {}
            () = self.read_again() => {}
        }
    }

    async fn follow_revisions(&self) {
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

    /// Reads what could not be read until it can be: nobody else would before the next change.
    async fn read_again(&self) {
        loop {
            self.failed.notified().await;
            let mut pause = AGAIN_MIN;
            while self.denied() != Denied::default() {
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(AGAIN_MAX);
                if self.all_behind.load(Ordering::SeqCst) {
                    let _ = self.refresh_all().await;
                }
                let without: Vec<TenantId> =
                    self.tenants.iter().filter(|slot| !slot.has(Gap::None)).map(|slot| slot.key().clone()).collect();
                for tenant in without {
                    if self.refresh(&tenant, None).await.is_ok() {
                        tracing::info!(%tenant, "definitions can be read again");
                    }
                }
            }
        }
    }
}
