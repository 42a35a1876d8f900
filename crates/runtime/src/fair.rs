//! A table with an end that tenants share: where it is full, the tenant with the most entries gives its oldest, so that
//! no tenant's entries push out those of one that has fewer.
//!
//! Each entry ends by itself, all after the same time, so that the order they came in is the order they end in. Every
//! step takes logarithmic time; nothing is ever searched through.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
};

/// Entries by key, each of a tenant, with their end in some measure of time.
#[derive(Debug)]
pub(crate) struct Fair<T, K, V, At> {
    entries_max: usize,
    entries: HashMap<K, Held<T, V, At>>,
    /// In the order they came.
    order: BTreeMap<u64, K>,
    of: HashMap<T, BTreeSet<u64>>,
    /// The tenant with the most comes last.
    sizes: BTreeSet<(usize, T)>,
    next: u64,
}

#[derive(Debug)]
struct Held<T, V, At> {
    tenant: T,
    came: u64,
    until: At,
    value: V,
}

impl<T: Clone + Ord + Hash, K: Copy + Eq + Hash, V, At: Copy + Ord> Fair<T, K, V, At> {
    /// So many entries at most.
    pub(crate) fn new(entries_max: usize) -> Self {
        Self {
            entries_max: entries_max.max(1),
            entries: HashMap::new(),
            order: BTreeMap::new(),
            of: HashMap::new(),
            sizes: BTreeSet::new(),
            next: 0,
        }
    }

    /// Adds an entry that ends then, in the place of one with this key.
    pub(crate) fn insert(&mut self, tenant: T, key: K, value: V, (now, until): (At, At)) {
        self.remove(&key);
        while let Some(first) = self.order.first_key_value().map(|(_, key)| *key).filter(|key| !self.lives(key, now)) {
            self.remove(&first);
        }
        if self.entries.len() >= self.entries_max {
            let most = self.sizes.last().and_then(|(_, tenant)| self.of.get(tenant)?.first());
            let oldest = most.and_then(|came| self.order.get(came)).copied();
            oldest.map(|oldest| self.remove(&oldest));
        }
        let came = self.next;
        self.next += 1;
        self.order.insert(came, key);
        self.resized(&tenant, |own| _ = own.insert(came));
        self.entries.insert(key, Held { tenant, came, until, value });
    }

    /// What is there and has not ended.
    pub(crate) fn get(&self, key: &K, now: At) -> Option<&V> {
        self.entries.get(key).filter(|held| held.until > now).map(|held| &held.value)
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, key: &K, now: At) -> Option<&mut V> {
        self.entries.get_mut(key).filter(|held| held.until > now).map(|held| &mut held.value)
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let Held { tenant, came, value, .. } = self.entries.remove(key)?;
        self.order.remove(&came);
        self.resized(&tenant, |own| _ = own.remove(&came));
        Some(value)
    }

    /// A tenant's entries that have not ended, the oldest first.
    pub(crate) fn of_tenant(&self, tenant: &T, now: At) -> impl Iterator<Item = (&K, &V)> {
        let keys = self.of.get(tenant).into_iter().flatten().filter_map(|came| self.order.get(came));
        keys.filter_map(move |key| Some((key, self.get(key, now)?)))
    }

    fn lives(&self, key: &K, now: At) -> bool {
        self.get(key, now).is_some()
    }

    /// Changes what a tenant has, and its rank with it.
    fn resized(&mut self, tenant: &T, change: impl FnOnce(&mut BTreeSet<u64>)) {
        let own = self.of.entry(tenant.clone()).or_default();
        let before = (own.len(), tenant.clone());
        change(own);
        let after = own.len();
        if after == 0 {
            self.of.remove(tenant);
        }
        self.sizes.remove(&before);
        if after > 0 {
            self.sizes.insert((after, tenant.clone()));
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: u32) -> (u32, u32) {
        (now, now + 1_000)
    }

    #[test]
    fn the_tenant_with_the_most_gives_way_with_its_oldest() {
        let mut table = Fair::new(100);
        table.insert("small", 0, (), at(0));
        table.insert("small", 1, (), at(0));
        for key in 2..1_000 {
            table.insert("large", key, (), at(1));
            assert!(table.len() <= 100);
        }
        let of = |table: &Fair<_, u32, (), u32>, tenant| -> Vec<u32> {
            table.of_tenant(&tenant, 1).map(|(key, ())| *key).collect()
        };
        assert_eq!(of(&table, "small"), [0, 1], "the oldest of all, and they stay");
        assert_eq!(of(&table, "large"), (902..1_000).collect::<Vec<_>>());
        // Who comes late takes places up to as many as the others have.
        for key in 1_000..2_000 {
            table.insert("late", key, (), at(2));
        }
        assert_eq!(["small", "large", "late"].map(|tenant| of(&table, tenant).len()), [2, 49, 49]);
    }

    #[test]
    fn what_has_ended_makes_room_before_anybody_gives_way() {
        let mut table = Fair::new(3);
        for (tenant, key) in [("a", 0), ("b", 1), ("b", 2)] {
            table.insert(tenant, key, (), at(key));
        }
        assert!(table.get(&0, 999).is_some() && table.get(&0, 1_000).is_none());
        table.insert("c", 3, (), at(1_000));
        assert!([1, 2, 3].iter().all(|key| table.get(key, 1_000).is_some()));
        // The same key again is one entry, and the newest.
        table.insert("b", 1, (), at(1_000));
        assert_eq!(table.len(), 3);
        table.insert("c", 4, (), at(1_000));
        assert!(table.get(&1, 1_000).is_some());
        for key in 0..5 {
            table.remove(&key);
        }
        assert!(table.order.is_empty() && table.of.is_empty() && table.sizes.is_empty());
    }
}
