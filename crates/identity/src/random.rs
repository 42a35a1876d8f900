//! Random bytes from the operating system, the only source.

use zeroize::Zeroizing;

/// The operating system gives no random bytes; nothing secret can be made then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandom;

/// 256 random bits.
pub(crate) fn key() -> Result<Zeroizing<[u8; 32]>, NoRandom> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// Random bytes.
pub(crate) fn bytes<const BYTES: usize>() -> Result<Zeroizing<Vec<u8>>, NoRandom> {
    let mut bytes = Zeroizing::new(vec![0; BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// Random bytes as lower-case hex.
pub(crate) fn hex<const BYTES: usize>() -> Result<Zeroizing<String>, NoRandom> {
    let bytes = bytes::<BYTES>()?;
    let mut text = Zeroizing::new(String::with_capacity(2 * BYTES));
    for byte in bytes.iter() {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or_default());
        }
    }
    Ok(text)
}
