//! Password hashing, bounded: it costs 19 MiB and some 50 ms each by design, so a flood of logins
//! must neither take all memory nor sit on the threads that serve everyone else.
//!
//! Sources take turns, and where the queue is full the one with the most in it makes room: a stranger
//! who floods a tenant's address keeps nobody else out. Tenants are told apart by the text that was
//! presented, so that a tenant that is not there has the same share as one that is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::{Error, network::Network};

/// Logins that may wait for a slot.
const QUEUE_MAX: usize = 256;
/// Logins at one tenant's address that may wait for a slot.
const TENANT_MAX: usize = QUEUE_MAX / 4;

/// On whose behalf a hash is made: a digest of the tenant's name as presented, and the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub tenant: u64,
    pub source: Network,
}

/// Hashing slots and who waits for one.
#[derive(Debug, Clone)]
pub(crate) struct Hashing(Arc<Mutex<Queue>>);

#[derive(Debug)]
struct Queue {
    /// Slots that are free; none while somebody waits.
    free: usize,
    /// The round of the last who got a slot.
    round: u64,
    /// In the order they came.
    waiting: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    /// Slots go by rounds, and in one round each source has one turn.
    round: u64,
    share: Share,
    go: oneshot::Sender<Slot>,
}

/// A slot; dropping it passes it on.
#[derive(Debug)]
struct Slot(Option<Arc<Mutex<Queue>>>);

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            pass_on(&queue);
        }
    }
}

fn locked(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass_on(queue: &Arc<Mutex<Queue>>) {
    let mut all = locked(queue);
    while let Some(next) = all.waiting.iter().enumerate().min_by_key(|(at, w)| (w.round, *at)).map(|(at, _)| at) {
        let next = all.waiting.remove(next);
        all.round = next.round;
        match next.go.send(Slot(Some(queue.clone()))) {
            Ok(()) => return,
            // It went away. This slot must not pass itself on: that is what happens here.
            Err(mut slot) => slot.0 = None,
        }
    }
    all.free += 1;
}

impl Queue {
    /// Puts somebody in line. Where there is no place, whoever would have come last loses its own,
    /// which may be the one who comes.
    fn add(&mut self, share: Share, go: oneshot::Sender<Slot>) {
        // Who went away takes no place.
        self.waiting.retain(|waiter| !waiter.go.is_closed());
        let last = self.waiting.iter().filter(|w| w.share.source == share.source).map(|w| w.round).max();
        let round = last.unwrap_or_default().max(self.round) + 1;
        self.waiting.push(Waiter { round, share, go });
        let of_tenant = |waiter: &Waiter| waiter.share.tenant == share.tenant;
        if self.waiting.iter().filter(|w| of_tenant(w)).count() > TENANT_MAX {
            self.turn_away(of_tenant);
        }
        if self.waiting.len() > QUEUE_MAX {
            self.turn_away(|_| true);
        }
    }

    fn turn_away(&mut self, among: impl Fn(&Waiter) -> bool) {
        let among = self.waiting.iter().enumerate().filter(|(_, waiter)| among(waiter));
        if let Some(last) = among.max_by_key(|(at, waiter)| (waiter.round, *at)).map(|(at, _)| at) {
            self.waiting.remove(last);
        }
    }
}

impl Hashing {
    /// `slots` hashes at a time.
    pub(crate) fn new(slots: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { free: slots.max(1), round: 0, waiting: Vec::new() })))
    }

    /// Runs a hash or verification on a blocking thread when a slot is free.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        share: Share,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || Error::Unavailable { what: "password verification".into() };
        let waits = self.ask(share);
        let slot = waits.await.map_err(|_| busy())?;
        // The slot moves into the work: a caller that goes away does not free one that is still in use.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(slot);
            done
        });
        done.await.map_err(|_| Error::Internal { what: "password verification".into() })
    }

    /// A slot as soon as it is one's turn; an error for who is turned away.
    fn ask(&self, share: Share) -> oneshot::Receiver<Slot> {
        let (go, waits) = oneshot::channel();
        let mut queue = locked(&self.0);
        if queue.free > 0 {
            queue.free -= 1;
            drop(queue);
            // Nobody is there to receive it only if this call is given up: then it passes itself on.
            let _ = go.send(Slot(Some(self.0.clone())));
        } else {
            queue.add(share, go);
        }
        waits
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn share(tenant: u64, source: u32) -> Share {
        Share { tenant, source: Network::V4(Ipv4Addr::from_bits(source)) }
    }

    /// A slot if it is there already.
    fn now(waits: &mut oneshot::Receiver<Slot>) -> Option<Slot> {
        waits.try_recv().ok()
    }

    fn turned_away(waits: &mut oneshot::Receiver<Slot>) -> bool {
        matches!(waits.try_recv(), Err(oneshot::error::TryRecvError::Closed))
    }

    #[tokio::test]
    async fn never_more_at_once_than_slots() {
        let hashing = Hashing::new(2);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all: Vec<_> = (0..16)
            .map(|source| {
                let (hashing, now, most) = (hashing.clone(), now.clone(), most.clone());
                tokio::spawn(async move {
                    hashing
                        .run(share(1, source), move || {
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
        assert_eq!(locked(&hashing.0).free, 2, "slots come back");
    }

    #[test]
    fn a_flood_is_turned_away_instead_of_queued_without_end() {
        let hashing = Hashing::new(1);
        let mut all: Vec<_> = (0..1_000).map(|n| hashing.ask(share(n, 0))).collect();
        assert_eq!(all.iter_mut().filter_map(|one| turned_away(one).then_some(())).count(), 1_000 - QUEUE_MAX - 1);
    }

    #[test]
    fn sources_at_one_tenant_keep_nobody_out_and_sources_take_turns() {
        let hashing = Hashing::new(1);
        let first = now(&mut hashing.ask(share(1, 0))).unwrap();
        // Two strangers fill all there is for the tenant.
        let mut flood: Vec<_> = (0..400).map(|n| hashing.ask(share(1, n % 2))).collect();
        assert_eq!(locked(&hashing.0).waiting.len(), TENANT_MAX);
        let mut user = hashing.ask(share(1, 9));
        assert!(!turned_away(&mut user));
        assert_eq!(locked(&hashing.0).waiting.len(), TENANT_MAX, "a stranger made room");
        // Each stranger has a turn, then the user, long before the rest of the flood.
        let mut slot = first;
        for served in 0.. {
            drop(slot);
            if now(&mut user).is_some() {
                assert!(served <= 2, "{served} of the flood were before the user");
                break;
            }
            slot = flood.iter_mut().find_map(now).unwrap();
        }
    }

    #[test]
    fn a_flood_at_one_tenant_leaves_places_for_another() {
        let hashing = Hashing::new(1);
        let first = now(&mut hashing.ask(share(1, 0))).unwrap();
        let _flood: Vec<_> = (0..1_000).map(|n| hashing.ask(share(1, n))).collect();
        let mut neighbours: Vec<_> = (0..TENANT_MAX).map(|_| hashing.ask(share(2, 5))).collect();
        assert!(!neighbours.iter_mut().any(turned_away));
        drop(first);
    }

    #[test]
    fn who_goes_away_takes_neither_place_nor_slot() {
        let hashing = Hashing::new(1);
        let first = now(&mut hashing.ask(share(1, 0))).unwrap();
        for _ in 0..1_000 {
            drop(hashing.ask(share(1, 1)));
        }
        let mut waits = hashing.ask(share(1, 2));
        assert_eq!(locked(&hashing.0).waiting.len(), 1);
        drop(hashing.ask(share(1, 3)));
        drop(first);
        drop(now(&mut waits).unwrap());
        assert_eq!(locked(&hashing.0).free, 1);
        assert!(locked(&hashing.0).waiting.is_empty());
        drop(hashing.ask(share(1, 4)));
        assert_eq!(locked(&hashing.0).free, 1, "a slot that nobody took comes back");
    }
}
