//! The account of an arena's memory: asked where a buffer grows, not at each value.
//!
//! What counts is what is reserved. A buffer doubles, but never past the limit, and one huge
//! allocation is refused before it is made.

use crate::fault::Fault;

/// Smallest reservation of a buffer in bytes.
const RESERVE_BYTES_MIN: usize = 512;
/// The same in an arena of which more is expected, at most.
const RESERVE_BYTES_MAX: usize = 8 << 10;

/// Bytes reserved by one arena, against its limit.
#[derive(Debug)]
pub(crate) struct Memory {
    used: u64,
    peak: u64,
    max: u64,
    /// What a buffer reserves first, in bytes.
    first: usize,
}

impl Memory {
    pub(crate) fn new(bytes_max: u64) -> Memory {
        Memory { used: 0, peak: 0, max: bytes_max, first: RESERVE_BYTES_MIN }
    }
    /// What is left to tell when the memory has gone elsewhere: the peak.
    pub(crate) fn spent(&self) -> Memory {
        Memory { used: 0, ..*self }
    }
    pub(crate) fn used(&self) -> u64 {
        self.used
    }
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }
    pub(crate) fn max(&self) -> u64 {
        self.max
    }
    pub(crate) fn set_max(&mut self, bytes_max: u64) {
        self.max = bytes_max;
    }

    /// An input of this length is read: its buffers, and those of what is made of it, will hardly be smaller. So they grow
    /// in fewer steps.
    pub(crate) fn input_of(&mut self, bytes: usize) {
        self.first = bytes.clamp(self.first, RESERVE_BYTES_MAX);
    }

    /// Makes sure that `buffer` takes `more` elements.
    #[inline]
    pub(crate) fn room<T>(&mut self, buffer: &mut Vec<T>, more: usize) -> Result<(), Fault> {
        if buffer.capacity() - buffer.len() >= more {
            return Ok(());
        }
        self.grow(buffer, more)
    }
    /// Makes sure that `buffer` takes `more` bytes.
    #[inline]
    pub(crate) fn room_text(&mut self, buffer: &mut String, more: usize) -> Result<(), Fault> {
        if buffer.capacity() - buffer.len() >= more {
            return Ok(());
        }
        self.grow_text(buffer, more)
    }

    #[cold]
    fn grow<T>(&mut self, buffer: &mut Vec<T>, more: usize) -> Result<(), Fault> {
        let before = buffer.capacity();
        let capacity = self.plan(buffer.len(), before, more, size_of::<T>())?;
        buffer.try_reserve_exact(capacity - buffer.len()).map_err(|_| Fault::ArenaFull)?;
        self.claim_unchecked(((buffer.capacity() - before) * size_of::<T>()) as u64);
        Ok(())
    }
    #[cold]
    fn grow_text(&mut self, buffer: &mut String, more: usize) -> Result<(), Fault> {
        let before = buffer.capacity();
        let capacity = self.plan(buffer.len(), before, more, 1)?;
        buffer.try_reserve_exact(capacity - buffer.len()).map_err(|_| Fault::ArenaFull)?;
        self.claim_unchecked((buffer.capacity() - before) as u64);
        Ok(())
    }

    /// The capacity to grow to: twice as much, or just enough when twice is too much.
    fn plan(&self, length: usize, capacity: usize, more: usize, unit: usize) -> Result<usize, Fault> {
        let least = length.checked_add(more).filter(|&least| u32::try_from(least).is_ok()).ok_or(Fault::ArenaFull)?;
        let wished = least.max(capacity.saturating_mul(2)).max(self.first / unit).min(u32::MAX as usize);
        for candidate in [wished, least] {
            if self.fits(((candidate - capacity) as u64).saturating_mul(unit as u64)) {
                return Ok(candidate);
            }
        }
        Err(Fault::ArenaFull)
    }

    fn fits(&self, bytes: u64) -> bool {
        self.used.saturating_add(bytes) <= self.max
    }
    /// Takes `bytes` of the limit for something that keeps its own buffer.
    pub(crate) fn claim(&mut self, bytes: u64) -> Result<(), Fault> {
        if !self.fits(bytes) {
            return Err(Fault::ArenaFull);
        }
        self.claim_unchecked(bytes);
        Ok(())
    }
    fn claim_unchecked(&mut self, bytes: u64) {
        self.used = self.used.saturating_add(bytes);
        self.peak = self.peak.max(self.used);
    }
    /// Gives `bytes` back.
    pub(crate) fn release(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_one_byte_too_many_and_takes_the_last_one() {
        let mut memory = Memory::new(1_000);
        let mut buffer: Vec<u64> = Vec::new();
        assert_eq!(memory.room(&mut buffer, 126), Err(Fault::ArenaFull));
        assert_eq!(memory.used(), 0);
        assert_eq!(memory.room(&mut buffer, 125), Ok(()));
        assert_eq!(memory.used(), 1_000);
        buffer.resize(125, 0);
        assert_eq!(memory.room(&mut buffer, 1), Err(Fault::ArenaFull));
        assert_eq!(memory.claim(1), Err(Fault::ArenaFull));
    }

    #[test]
    fn refuses_what_cannot_be_counted() {
        let mut memory = Memory::new(u64::MAX);
        let mut buffer: Vec<u64> = vec![0];
        assert_eq!(memory.room(&mut buffer, usize::MAX), Err(Fault::ArenaFull));
        assert_eq!(memory.room(&mut buffer, u32::MAX as usize), Err(Fault::ArenaFull));
    }

    #[test]
    fn falls_back_to_just_enough_near_the_limit() {
        let mut memory = Memory::new(1_000);
        let mut text = String::new();
        memory.room_text(&mut text, 600).unwrap();
        text.push_str(&"x".repeat(600));
        memory.room_text(&mut text, 100).unwrap();
        assert_eq!(memory.used(), 700);
        memory.release(700);
        assert_eq!((memory.used(), memory.peak()), (0, 700));
    }
}
