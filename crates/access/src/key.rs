//! An id as the key of a table that decisions look into: short ones lie in the table itself, so that a look-up
//! does not follow a pointer to compare them.

use std::{
    borrow::Borrow,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// Bytes of an id that lie in the table.
const SHORT: usize = 22;

#[derive(Debug, Clone)]
pub(crate) enum Key {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Arc<[u8]>),
}

impl Key {
    pub fn of(id: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..id.len()), u8::try_from(id.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(id.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(id.as_bytes().into()),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It was made of text.
        f.write_str(std::str::from_utf8(self.borrow()).unwrap_or_default())
    }
}
impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let (own, others): (&[u8], &[u8]) = (self.borrow(), other.borrow());
        own == others
    }
}
impl Eq for Key {}
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let own: &[u8] = self.borrow();
        own.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_of_every_length_are_found_and_no_other() {
        let ids: Vec<String> = (1..=64).map(|length| "a".repeat(length)).collect();
        let keys: HashSet<Key> = ids.iter().map(|id| Key::of(id)).collect();
        assert_eq!(keys.len(), 64);
        assert!(ids.iter().all(|id| keys.contains(id.as_bytes())));
        assert!(!keys.contains("b".as_bytes()) && !keys.contains("a".repeat(65).as_bytes()));
    }
}
