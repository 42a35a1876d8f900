//! Password hashing, bounded: it costs 19 MiB and some 50 ms each by design, so a flood of logins
//! must neither take all memory nor sit on the threads that serve everyone else.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::Error;

/// Hashing slots. Waiters queue; past `QUEUE_MAX` waiters a login is answered 503 at once.
#[derive(Debug, Clone)]
pub struct Hashing {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

/// Logins that may wait for a slot.
const QUEUE_MAX: usize = 256;

impl Hashing {
    /// `slots` hashes at a time.
    pub fn new(slots: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(slots.max(1))), queue: Arc::new(Semaphore::new(QUEUE_MAX)) }
    }

    /// Runs a hash or verification on a blocking thread when a slot is free.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let busy = || Error::Unavailable { what: "password verification".into() };
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
                        .run(move || {
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
                tokio::spawn(
                    async move { hashing.run(|| std::thread::sleep(std::time::Duration::from_micros(200))).await },
                )
            })
            .collect();
        let mut refused = 0;
        for one in all {
            refused += usize::from(one.await.unwrap().is_err());
        }
        assert!(refused > 0, "nobody was turned away");
    }
}
