//! A key index for objects with many fields: hash to ordinal, so that looking up all of n keys is not quadratic.

use std::hash::{BuildHasher, RandomState};

use crate::fault::Fault;
use crate::memory::Memory;

/// Open addressing over (hash, ordinal + 1); 0 marks a free place. Nothing is ever removed.
/// The hash is keyed: whoever sends the keys cannot choose where they fall.
#[derive(Debug, Default)]
pub(crate) struct Index {
    state: RandomState,
    places: Vec<(u32, u32)>,
    used: usize,
}

impl Index {
    /// An index with room for `keys` keys.
    pub(crate) fn with_room(memory: &mut Memory, keys: usize) -> Result<Index, Fault> {
        let mut index = Index::default();
        index.resize(memory, (keys + 1).saturating_mul(2).next_power_of_two())?;
        Ok(index)
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.places.capacity() * size_of::<(u32, u32)>()) as u64
    }

    pub(crate) fn hash(&self, key: &str) -> u32 {
        self.state.hash_one(key) as u32
    }

    /// The ordinal under this hash that `is_it` accepts.
    pub(crate) fn find(&self, hash: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.places.len().wrapping_sub(1);
        let mut place = hash as usize & mask;
        while let Some(&(found, next)) = self.places.get(place) {
            let ordinal = next.checked_sub(1)?;
            if found == hash && is_it(ordinal) {
                return Some(ordinal);
            }
            place = (place + 1) & mask;
        }
        None
    }

    /// Adds an ordinal that is not there yet.
    pub(crate) fn insert(&mut self, memory: &mut Memory, hash: u32, ordinal: u32) -> Result<(), Fault> {
        if (self.used + 1).saturating_mul(2) > self.places.len() {
            self.resize(memory, self.places.len().saturating_mul(2).max(8))?;
        }
        self.place(hash, ordinal + 1);
        self.used += 1;
        Ok(())
    }

    fn place(&mut self, hash: u32, next: u32) {
        let mask = self.places.len().wrapping_sub(1);
        let mut place = hash as usize & mask;
        while let Some(free) = self.places.get_mut(place) {
            if free.1 == 0 {
                *free = (hash, next);
                return;
            }
            place = (place + 1) & mask;
        }
    }

    fn resize(&mut self, memory: &mut Memory, places: usize) -> Result<(), Fault> {
        let mut fresh: Vec<(u32, u32)> = Vec::new();
        memory.room(&mut fresh, places)?;
        fresh.resize(places, (0, 0));
        let old = std::mem::replace(&mut self.places, fresh);
        memory.release((old.capacity() * size_of::<(u32, u32)>()) as u64);
        for (hash, next) in old {
            if next != 0 {
                self.place(hash, next);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_inserted_and_nothing_else() {
        let mut memory = Memory::new(1 << 20);
        let mut index = Index::default();
        assert_eq!(index.find(7, |_| true), None);
        let keys: Vec<String> = (0..500).map(|n| format!("key{n}")).collect();
        for (ordinal, key) in keys.iter().enumerate() {
            let hash = index.hash(key);
            index.insert(&mut memory, hash, ordinal as u32).unwrap();
        }
        for (ordinal, key) in keys.iter().enumerate() {
            let found = index.find(index.hash(key), |at| keys[at as usize] == *key);
            assert_eq!(found, Some(ordinal as u32));
        }
        assert_eq!(index.find(index.hash("key500"), |at| keys[at as usize] == "key500"), None);
        assert_eq!(memory.used(), index.bytes());
    }

    #[test]
    fn refuses_to_outgrow_the_arena() {
        assert!(matches!(Index::with_room(&mut Memory::new(1_000), 500), Err(Fault::ArenaFull)));
    }
}
