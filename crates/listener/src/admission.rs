//! Who may hold a connection: so many in all, so many from one source.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use lockgate_runtime::Network;

use crate::Settings;

/// Counts connections.
#[derive(Debug, Clone)]
pub(crate) struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    all_max: usize,
    source_max: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_source: HashMap<Network, usize>,
}

/// A place among the connections; dropping it frees the place.
#[derive(Debug)]
pub(crate) struct Admitted {
    shared: Arc<Shared>,
    source: Network,
}

impl Admission {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self(Arc::new(Shared {
            all_max: settings.connections_max,
            source_max: settings.connections_per_source_max,
            counts: Mutex::default(),
        }))
    }

    /// A place for one more connection; `None` when there is none.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Admitted> {
        let source = Network::of(address);
        let mut counts = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let from_source = counts.by_source.get(&source).copied().unwrap_or(0);
        if counts.all >= self.0.all_max || from_source >= self.0.source_max {
            return None;
        }
        counts.all += 1;
        counts.by_source.insert(source, from_source + 1);
        Some(Admitted { shared: self.0.clone(), source })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Some(left) = counts.by_source.get_mut(&self.source) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                counts.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(all: usize, each: usize) -> Admission {
        Admission::new(&Settings { connections_max: all, connections_per_source_max: each, ..Settings::default() })
    }

    #[test]
    fn one_more_than_the_limit_is_refused_until_a_place_is_freed() {
        let admission = admission(3, 2);
        let at = |text: &str| admission.admit(text.parse().unwrap());
        let (a, b) = (at("192.0.2.1"), at("192.0.2.1"));
        assert!(a.is_some() && b.is_some());
        assert!(at("192.0.2.1").is_none(), "the source has no more");
        let c = at("192.0.2.2");
        assert!(c.is_some());
        assert!(at("192.0.2.3").is_none(), "the server has no more");
        drop(a);
        assert!(at("192.0.2.1").is_some());
        drop((b, c));
        assert!(admission.0.counts.lock().unwrap().by_source.is_empty(), "what is gone is forgotten");
    }

    #[test]
    fn a_network_of_ipv6_addresses_is_one_source() {
        let admission = admission(9, 1);
        let at = |text: &str| admission.admit(text.parse().unwrap());
        let one = at("2001:db8::1");
        assert!(at("2001:db8::ffff:1").is_none());
        let other = at("2001:db8:0:1::1");
        assert!(other.is_some());
        let mapped = at("::ffff:192.0.2.1");
        assert!(at("192.0.2.1").is_none());
        drop((one, mapped));
    }
}
