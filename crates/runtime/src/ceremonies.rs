//! Ceremonies of passkeys that have begun: in memory of this node, each good once and for a few minutes.
//!
//! Anybody may begin one, so what one source can have is bounded, and where there is no place left the
//! source with the most makes room.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use lockgate_identity::Ceremony;
use lockgate_model::{Timestamp, id::TenantId};

use crate::network::Network;

/// One is good for so long: what browsers give a user to answer.
const CEREMONY_MS: i64 = 5 * 60_000;
/// Of one source at a time, and of all.
const OF_SOURCE_MAX: usize = 32;
const ALL_MAX: usize = 10_000;

/// What has begun.
#[derive(Default)]
pub(crate) struct Ceremonies(Mutex<Begun>);

#[derive(Default)]
struct Begun {
    waiting: HashMap<String, Waiting>,
    /// The oldest first; of those that are over too, until their source begins another. No source has none.
    by_source: HashMap<Network, VecDeque<String>>,
}

struct Waiting {
    tenant: TenantId,
    source: Network,
    until: Timestamp,
    ceremony: Ceremony,
}

impl Begun {
    /// Forgets what is over, and the sources that have nothing left.
    fn clear(&mut self, now: Timestamp) {
        self.waiting.retain(|_, waiting| waiting.until > now);
        let waiting = &self.waiting;
        self.by_source.retain(|_, own| {
            own.retain(|id| waiting.contains_key(id));
            !own.is_empty()
        });
    }
}

impl Ceremonies {
    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one that begins.
    pub(crate) fn begin(&self, id: String, tenant: TenantId, source: Network, ceremony: Ceremony, now: Timestamp) {
        let mut begun = self.begun();
        if begun.waiting.len() >= ALL_MAX {
            begun.clear(now);
        }
        let full = begun.waiting.len() >= ALL_MAX;
        let Begun { waiting, by_source } = &mut *begun;
        if full && let Some(most) = by_source.values_mut().max_by_key(|own| own.len()) {
            most.pop_front().map(|oldest| waiting.remove(&oldest));
        }
        let own = by_source.entry(source).or_default();
        own.retain(|id| waiting.contains_key(id));
        while own.len() >= OF_SOURCE_MAX {
            own.pop_front().map(|oldest| waiting.remove(&oldest));
        }
        own.push_back(id.clone());
        waiting.insert(id, Waiting { tenant, source, until: now.plus_ms(CEREMONY_MS), ceremony });
    }

    /// Takes one away, whatever comes of it: it is not there a second time.
    pub(crate) fn take(&self, id: &str, tenant: &str, now: Timestamp) -> Option<Ceremony> {
        let mut begun = self.begun();
        let waiting = begun.waiting.remove(id)?;
        if let Some(own) = begun.by_source.get_mut(&waiting.source) {
            own.retain(|own| own != id);
            if own.is_empty() {
                begun.by_source.remove(&waiting.source);
            }
        }
        drop(begun);
        (waiting.tenant.as_str() == tenant && waiting.until > now).then_some(waiting.ceremony)
    }
}

#[cfg(test)]
mod tests {
    use lockgate_identity::{DigestKey, Site};

    use super::*;

    fn ceremony() -> (String, Ceremony) {
        let site = Site::new("https://lockgate.example").unwrap();
        let (asked, ceremony) = site.prove(None, &DigestKey::new([7; 32])).unwrap().unwrap();
        (asked.ceremony, ceremony)
    }

    fn begin(all: &Ceremonies, source: &str, ms: i64) -> String {
        let (id, ceremony) = ceremony();
        let tenant = TenantId::parse("acme").unwrap();
        all.begin(id.clone(), tenant, Network::of_text(source), ceremony, Timestamp::from_ms(ms));
        id
    }

    #[test]
    fn one_is_good_once_in_its_tenant_and_for_its_time() {
        let (all, now) = (Ceremonies::default(), Timestamp::from_ms(1));
        let id = begin(&all, "192.0.2.1", 0);
        assert!(all.take("another", "acme", now).is_none());
        assert!(all.take(&id, "acme", now).is_some());
        assert!(all.take(&id, "acme", now).is_none(), "it was used");
        assert!(all.begun().by_source.is_empty(), "a source that has none left is forgotten");
        let id = begin(&all, "192.0.2.1", 0);
        assert!(all.take(&id, "other", now).is_none());
        assert!(all.take(&id, "acme", now).is_none(), "it was tried elsewhere");
        let id = begin(&all, "192.0.2.1", 0);
        assert!(all.take(&id, "acme", Timestamp::from_ms(CEREMONY_MS)).is_none(), "it is over");
    }

    #[test]
    fn a_source_pushes_out_its_own() {
        let (all, now) = (Ceremonies::default(), Timestamp::from_ms(1));
        let other = begin(&all, "192.0.2.2", 0);
        let own: Vec<String> = (0..=OF_SOURCE_MAX).map(|_| begin(&all, "192.0.2.1", 0)).collect();
        assert_eq!(all.begun().waiting.len(), OF_SOURCE_MAX + 1);
        assert!(all.take(&own[0], "acme", now).is_none() && all.take(&own[1], "acme", now).is_some());
        assert!(all.take(&other, "acme", now).is_some());
    }

    #[test]
    fn what_is_kept_is_bounded_and_who_has_the_most_makes_room() {
        let (all, now) = (Ceremonies::default(), Timestamp::from_ms(1));
        let many = begin(&all, "198.51.100.1", 0);
        begin(&all, "198.51.100.1", 0);
        let of = |n: usize| format!("10.{}.{}.{}", n >> 16, (n >> 8) & 255, n & 255);
        let one = begin(&all, &of(0), 0);
        for n in 1..ALL_MAX {
            begin(&all, &of(n), 0);
            assert!(all.begun().waiting.len() <= ALL_MAX);
        }
        assert!(all.take(&many, "acme", now).is_none());
        assert!(all.take(&one, "acme", now).is_some());
        begin(&all, "192.0.2.9", CEREMONY_MS);
        begin(&all, "192.0.2.9", CEREMONY_MS);
        assert!(all.begun().waiting.len() <= 2 && all.begun().by_source.len() == 1, "what is over makes room");
    }
}
