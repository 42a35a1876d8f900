//! Keys of a document that is being built: records have the same ones, and each is written once.

use crate::arena::Arena;
use crate::fault::Fault;
use crate::text::{Text, fingerprint};

/// Keys that are kept to be met again.
pub(crate) const KEYS_MAX: usize = 64;

/// Keys that were written into one arena.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    known: Vec<Text>,
    /// The place of the key that came after the last one before, as records have them in one order.
    next: usize,
}

impl Keys {
    /// The key in the arena: as it was written before, where it was.
    pub(crate) fn written(&mut self, arena: &mut Arena, key: &str) -> Result<Text, Fault> {
        let print = fingerprint(key.as_bytes());
        let is_it = |known: &Text| known.print == print && arena.values.bytes(*known) == key.as_bytes();
        let expected = self.known.get(self.next).filter(|known| is_it(known)).map(|_| self.next);
        let place = expected.or_else(|| self.known.iter().position(is_it));
        if let Some((place, known)) = place.and_then(|place| Some((place, self.known.get(place)?))) {
            self.next = place + 1;
            return Ok(*known);
        }
        let text = arena.write(key)?;
        if self.known.len() < KEYS_MAX {
            self.known.push(text);
            self.next = self.known.len();
        }
        Ok(text)
    }
}
