//! Strings as spans of a region's characters, and the quick facts kept beside them.

/// Prints between quotes as it is: no character needs an escape.
pub(crate) const PLAIN: u8 = 1;
/// One byte is one character.
pub(crate) const ASCII: u8 = 2;

/// A string: a span of the characters of the region in `slot`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    pub(crate) at: u32,
    pub(crate) len: u32,
    /// See [`fingerprint`]: strings that differ here differ.
    pub(crate) print: u32,
    pub(crate) slot: u16,
    /// [`PLAIN`], [`ASCII`].
    pub(crate) traits: u8,
}

impl Text {
    /// The empty string.
    pub(crate) const EMPTY: Text = Text { at: 0, len: 0, print: 0, slot: 0, traits: PLAIN | ASCII };

    /// Describes the `bytes` that stand at `at` of the region in `slot`.
    pub(crate) fn of(slot: u16, at: u32, bytes: &[u8]) -> Text {
        Text { at, len: bytes.len() as u32, print: fingerprint(bytes), slot, traits: traits(bytes) }
    }
}

/// A cheap mark of a string: its length and its first, middle and last byte.
#[inline]
pub(crate) fn fingerprint(bytes: &[u8]) -> u32 {
    let (Some(&first), Some(&middle), Some(&last)) = (bytes.first(), bytes.get(bytes.len() / 2), bytes.last()) else {
        return 0;
    };
    u32::from_le_bytes([bytes.len() as u8, first, middle, last])
}

/// Are two strings of one length the same? Most keys have sixteen bytes at most: two words that may
/// overlap are all of them.
#[inline]
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if a.len() > 16 {
        return a == b;
    }
    match (a.first_chunk::<8>(), b.first_chunk::<8>(), a.last_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a), Some(b), Some(x), Some(y)) => {
            u64::from_le_bytes(*a) == u64::from_le_bytes(*b) && u64::from_le_bytes(*x) == u64::from_le_bytes(*y)
        }
        _ => match (a.first_chunk::<4>(), b.first_chunk::<4>(), a.last_chunk::<4>(), b.last_chunk::<4>()) {
            (Some(a), Some(b), Some(x), Some(y)) => {
                u32::from_le_bytes(*a) == u32::from_le_bytes(*b) && u32::from_le_bytes(*x) == u32::from_le_bytes(*y)
            }
            _ => a == b,
        },
    }
}

/// [`PLAIN`] and [`ASCII`] of some bytes.
pub(crate) fn traits(bytes: &[u8]) -> u8 {
    let (mut special, mut high) = (0, 0);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        special |= special_bytes(word);
        high |= word;
    }
    let mut plain = special == 0;
    for &byte in rest {
        plain &= !is_special(byte);
        high |= u64::from(byte);
    }
    (if plain { PLAIN } else { 0 }) | (if high & HIGH == 0 { ASCII } else { 0 })
}

/// Length of the run of bytes at the start that stand for themselves in a JSON string, and whether they are ASCII.
#[inline]
pub(crate) fn plain_run(bytes: &[u8]) -> (usize, bool) {
    let mut high = 0;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special = special_bytes(word);
        if special != 0 {
            let within = special.trailing_zeros() / 8;
            high |= word & ((1 << (8 * within)) - 1);
            return (index * 8 + within as usize, high & HIGH == 0);
        }
        high |= word;
    }
    let tail = rest.iter().take_while(|&&byte| !is_special(byte)).inspect(|&&byte| high |= u64::from(byte)).count();
    (words.len() * 8 + tail, high & HIGH == 0)
}

const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is a quote, a backslash or a control character. Bytes above the
/// first such byte may be marked wrongly; the first is right.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5c);
    (quote.wrapping_sub(ONES) & !quote
        | backslash.wrapping_sub(ONES) & !backslash
        | word.wrapping_sub(ONES * 0x20) & !word)
        & HIGH
}
#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_byte_is_found_at_every_place() {
        for special in [0, 9, 10, 31, b'"', b'\\'] {
            for place in 0..20 {
                for filler in [b'a', b' ', 0x7f, 0xc3, b'!', b'#', b']', b'['] {
                    let mut bytes = vec![filler; 20];
                    bytes[place] = special;
                    assert_eq!(
                        plain_run(&bytes),
                        (place, filler < 0x80 || place == 0),
                        "{special} in {filler} at {place}"
                    );
                    assert_eq!(traits(&bytes) & PLAIN, 0);
                }
            }
        }
    }

    #[test]
    fn strings_are_the_same_when_every_byte_is() {
        for length in 0..40 {
            let text: Vec<u8> = (0..length).collect();
            assert!(same_bytes(&text, &text.clone()));
            for place in 0..text.len() {
                let mut other = text.clone();
                other[place] ^= 0x80;
                assert!(!same_bytes(&text, &other), "{length} at {place}");
            }
        }
    }

    #[test]
    fn plain_bytes_are_plain() {
        for length in 0..30 {
            assert_eq!(plain_run(&vec![b'x'; length]), (length, true));
            assert_eq!(traits(&vec![b'x'; length]), PLAIN | ASCII);
        }
        assert_eq!(traits("größer als".as_bytes()), PLAIN);
        assert_eq!(plain_run("größer als".as_bytes()), (12, false));
    }
}
