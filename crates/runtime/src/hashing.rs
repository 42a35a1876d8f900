//! Password hashing, bounded: it costs 19 MiB and some 50 ms each by design, so a flood of logins
//! must neither take all memory nor sit on the threads that serve everyone else. Each tenant has its
//! share of the queue, so that a flood at one tenant's address leaves places for the others.

use std::sync::Arc;

use dashmap::DashMap;
use lockgate_model::id::TenantId;
use tokio::sync::Semaphore;

use crate::Error;

/// Hashing slots. Waiters queue; past `QUEUE_MAX` waiters, or `SHARE_MAX` of the same tenant, a login
/// is answered 503 at once.
#[derive(Debug, Clone)]
pub struct Hashing {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Waiters of each tenant; logins to tenants that are not there share one place.
    waiting: Arc<DashMap<Option<TenantId>, usize>>,
}

/// Logins that may wait for a slot.
const QUEUE_MAX: usize = 256;
/// Logins of one tenant that may wait for a slot.
const SHARE_MAX: usize = QUEUE_MAX / 4;

/// A place in a tenant's share of the queue, given back on every path.
struct Place {
    waiting: Arc<DashMap<Option<TenantId>, usize>>,
    tenant: Option<TenantId>,
}

impl Place {
    fn take(waiting: &Arc<DashMap<Option<TenantId>, usize>>, tenant: Option<TenantId>) -> Option<Self> {
        let mut count = waiting.entry(tenant.clone()).or_default();
        if *count >= SHARE_MAX {
            return None;
        }
        *count += 1;
        Some(Self { waiting: waiting.clone(), tenant })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mut count) = self.waiting.get_mut(&self.tenant) {
            *count -= 1;
        }
        self.waiting.remove_if(&self.tenant, |_, count| *count == 0);
    }
}

impl Hashing {
    /// `slots` hashes at a time.
    pub fn new(slots: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots.max(1))),
            queue: Arc::new(Semaphore::new(QUEUE_MAX)),
            waiting: Arc::default(),
        }
    }

    /// Runs a hash or verification on a blocking thread when a slot is free, on behalf of a tenant.
    pub async fn run<T: Send + 'static>(
        &self,
        tenant: Option<&TenantId>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || Error::Unavailable { what: "password verification".into() };
        let _share = Place::take(&self.waiting, tenant.cloned()).ok_or_else(busy)?;
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        // The permit moves into the work: a caller that goes away does not free a slot that is still in use.
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(slot);
            done
        })
        .await
        .map_err(|_| Error::Internal { what: "password verification".into() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn never_more_at_once_than_slots() {
        let hashing = Hashing::new(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all: Vec<_> = (0..16)
            .map(|_| {
                let (hashing, now, most) = (hashing.clone(), now.clone(), most.clone());
                tokio::spawn(async move {
                    hashing
                        .run(None, move || {
                            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            std::thread::sleep(std::time::Duration::from_millis(5));
                            now.fetch_sub(1, Ordering::SeqCst);
                        })
                        .await
                })
            })
            .collect();
        for one in all {
            one.await.unwrap().unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_instead_of_queued_without_end() {
        let hashing = Hashing::new(1);
        let all: Vec<_> = (0..QUEUE_MAX + 40)
            .map(|_| {
                let hashing = hashing.clone();
                tokio::spawn(async move {
                    hashing.run(None, || std::thread::sleep(std::time::Duration::from_micros(200))).await
                })
            })
            .collect();
        let mut refused = 0;
        for one in all {
            refused += usize::from(one.await.unwrap().is_err());
        }
        assert!(refused > 0, "nobody was turned away");
    }

    #[tokio::test]
    async fn a_flood_at_one_tenant_leaves_places_for_another() {
        let (hashing, flooded) = (Hashing::new(1), TenantId::parse("flooded").unwrap());
        let (go, held) = std::sync::mpsc::channel::<()>();
        let first = tokio::spawn({
            let (hashing, flooded) = (hashing.clone(), flooded.clone());
            async move { hashing.run(Some(&flooded), move || held.recv()).await }
        });
        let flood: Vec<_> = (0..QUEUE_MAX)
            .map(|_| {
                let (hashing, flooded) = (hashing.clone(), flooded.clone());
                tokio::spawn(async move { hashing.run(Some(&flooded), || ()).await })
            })
            .collect();
        while hashing.waiting.get(&Some(flooded.clone())).is_none_or(|count| *count < SHARE_MAX) {
            tokio::task::yield_now().await;
        }
        let neighbour = TenantId::parse("neighbour").unwrap();
        let other = tokio::spawn({
            let hashing = hashing.clone();
            async move { hashing.run(Some(&neighbour), || "in").await }
        });
        tokio::task::yield_now().await;
        go.send(()).unwrap();
        assert_eq!(other.await.unwrap().unwrap(), "in");
        let _ = first.await.unwrap().unwrap();
        let mut refused = 0;
        for one in flood {
            refused += usize::from(one.await.unwrap().is_err());
        }
        assert!(refused > QUEUE_MAX / 2, "the flood took the whole queue: {refused} refused");
        assert!(hashing.waiting.is_empty(), "places are given back");
    }
}
