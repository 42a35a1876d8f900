//! A random token in a private file: what a program on this machine, or one that was given it,
//! shows to be let in.

use std::path::Path;

use aws_lc_rs::{constant_time::verify_slices_are_equal, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lockgate_model::Digest;
use zeroize::Zeroizing;

use crate::{
    Error,
    file::{create_private, private_directory, read_private},
};

const RANDOM_BYTES: usize = 32;
/// A shorter text was put there by hand, and can be guessed.
const BYTES_MIN: usize = 32;

/// Knows a token when it is shown. It holds a digest alone.
#[derive(Clone)]
pub struct Token(Digest);

impl Token {
    /// Reads the token of `dir/name`, or makes it at the first start (mode 0600). Whitespace around
    /// it means nothing. Refuses files that others may use, and links.
    pub fn open_or_create(dir: &Path, name: &str) -> Result<Self, Error> {
        private_directory(dir)?;
        let path = dir.join(name);
        let text = match read_private(&path)? {
            Some(text) => text,
            None => {
                let mut random = Zeroizing::new([0u8; RANDOM_BYTES]);
                rand::fill(random.as_mut_slice()).map_err(|_| Error::Provider("draw random bytes"))?;
                let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()).into_bytes());
                create_private(&path, &text)?;
                text
            }
        };
        let text = text.trim_ascii();
        if text.len() < BYTES_MIN {
            let reason = format!("it is shorter than {BYTES_MIN} bytes; remove it, and the next start makes another");
            return Err(Error::File { doing: "use the token in", path, reason });
        }
        Ok(Self(Digest::of(text)))
    }

    /// Whether this is the token; in the same time whatever is shown.
    pub fn is(&self, shown: &str) -> bool {
        verify_slices_are_equal(&Digest::of(shown.as_bytes()).0, &self.0.0).is_ok()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}
