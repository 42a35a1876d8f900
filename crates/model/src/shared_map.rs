//! An ordered map whose copies share what they have alike: to copy it costs little, and to change a copy
//! costs the one chunk that changes.
//!
//! Sorted entries lie in chunks; a chunk that two maps share is copied when one of them writes to it.

use std::{borrow::Borrow, sync::Arc};

/// Entries of a chunk, at most.
const CHUNK_MAX: usize = 256;

/// See the module's page.
#[derive(Debug)]
pub struct SharedMap<K, V> {
    /// None is empty; each one's keys are behind those of the one before.
    chunks: Vec<Arc<Vec<(K, V)>>>,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<K, V> Clone for SharedMap<K, V> {
    fn clone(&self) -> Self {
        Self { chunks: self.chunks.clone() }
    }
}

impl<K: Ord, V> SharedMap<K, V> {
    /// All entries, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().map(|(key, value)| (key, value)))
    }

    /// The entries from a key on, in the order of their keys.
    pub fn from<'a, Q: Ord + ?Sized>(&'a self, key: &Q) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V, Q>
    where
        K: Borrow<Q>,
    {
        let chunks = self.chunks.get(self.place(key)..).unwrap_or_default();
        let begin = chunks.first().map_or(0, |chunk| position(chunk, key).unwrap_or_else(|at| at));
        chunks.iter().flat_map(|chunk| chunk.iter().map(|(key, value)| (key, value))).skip(begin)
    }

    /// All keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entry of a key.
    pub fn entry<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        let chunk = self.chunks.get(self.place(key))?;
        let at = position(chunk, key).ok()?;
        chunk.get(at).map(|(key, value)| (key, value))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key is in it.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entry(key).is_some()
    }

    /// The chunk that has the key, if one has.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        self.chunks.partition_point(|chunk| chunk.last().is_some_and(|(last, _)| last.borrow() < key))
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    /// Puts a value, in place of the one of the same key.
    pub fn insert(&mut self, key: K, value: V) {
        // Behind all there is, as rows mostly come: the last chunk takes it.
        let last = self.chunks.len().saturating_sub(1);
        let behind = self.chunks.last().and_then(|chunk| chunk.last()).is_none_or(|(last, _)| *last < key);
        let place = if behind { last } else { self.place(&key) };
        let Some(shared) = self.chunks.get_mut(place) else {
            return self.chunks.push(Arc::new(vec![(key, value)]));
        };
        let chunk = Arc::make_mut(shared);
        match if behind { Err(chunk.len()) } else { position(chunk, &key) } {
            Ok(at) => {
                if let Some(entry) = chunk.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => chunk.insert(at, (key, value)),
        }
        if chunk.len() > CHUNK_MAX {
            let rest = chunk.split_off(if behind { CHUNK_MAX } else { CHUNK_MAX / 2 });
            self.chunks.insert(place + 1, Arc::new(rest));
        }
    }

    /// Takes a key away; one that is not there is no error.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let place = self.place(key);
        let Some(shared) = self.chunks.get_mut(place) else { return };
        let Ok(at) = position(shared, key) else { return };
        let chunk = Arc::make_mut(shared);
        chunk.remove(at);
        if chunk.is_empty() {
            self.chunks.remove(place);
        }
    }
}

fn position<K: Borrow<Q>, V, Q: Ord + ?Sized>(chunk: &[(K, V)], key: &Q) -> Result<usize, usize> {
    chunk.binary_search_by(|(other, _)| other.borrow().cmp(key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn it_holds_what_a_map_of_the_library_holds_and_copies_stay_as_they_were() {
        let (mut shared, mut plain) = (SharedMap::default(), BTreeMap::new());
        let mut kept = Vec::new();
        let mut number = 1_u64;
        for step in 0..20_000_u64 {
            // Numbers far apart, over and over (Knuth's multiplier and increment).
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = (number >> 33) % 3_000;
            if number.is_multiple_of(3) {
                shared.remove(&key);
                plain.remove(&key);
            } else {
                shared.insert(key, step);
                plain.insert(key, step);
            }
            if step % 2_500 == 0 {
                kept.push((shared.clone(), plain.clone()));
            }
        }
        kept.push((shared, plain));
        for (shared, plain) in kept {
            assert!(shared.iter().eq(plain.iter()));
            assert!((0..3_000).all(|key| shared.get(&key) == plain.get(&key)));
            assert!((0..3_000).step_by(7).all(|key| shared.from(&key).next() == plain.range(key..).next()));
            assert!(shared.chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK_MAX));
        }
    }

    #[test]
    fn a_change_of_a_copy_copies_one_chunk() {
        let mut first = SharedMap::default();
        (0..10_000).for_each(|key| first.insert(key, key));
        let mut second = first.clone();
        second.insert(5_000, 0);
        let alike = first.chunks.iter().zip(&second.chunks).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(alike + 1, first.chunks.len());
    }
}
