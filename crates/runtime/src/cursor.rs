//! Cursors: where a list goes on, in a text that only this installation makes.
//!
//! A cursor names a place in one list of one tenant, under the filters it was begun with, for one user. It gives no right: each page
//! asks access as the first one did. It is sealed so that one that was made up, altered, or taken from another list
//! is told as such.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{Caller, Error, Runtime};

/// Bytes of a cursor's seal.
const SEAL_BYTES: usize = 16;
/// Characters of a cursor: places are ids, and a few numbers.
const CHARS_MAX: usize = 1_024;

impl Runtime {
    /// The cursor behind a place of a list.
    pub fn cursor(&self, caller: &Caller, list: &str, place: &str) -> Result<String, Error> {
        let key = self.0.master.hmac_key(caller.tenant(), "cursor").map_err(|error| {
            tracing::error!(%error, "a key of a tenant cannot be derived");
            Error::Internal { what: "deriving a key".into() }
        })?;
        let seal = key.digest([list.as_bytes(), caller.principal.user.as_str().as_bytes(), place.as_bytes()]);
        let sealed: Vec<u8> = seal.0.into_iter().take(SEAL_BYTES).chain(place.bytes()).collect();
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The place that a cursor of a list names.
    pub fn place(&self, caller: &Caller, list: &str, cursor: &str) -> Result<String, Error> {
        let read = || {
            let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            String::from_utf8(sealed.get(SEAL_BYTES..)?.to_vec()).ok()
        };
        let place = Some(cursor).filter(|cursor| cursor.len() <= CHARS_MAX).and_then(|_| read());
        match place {
            Some(place) if self.cursor(caller, list, &place)? == cursor => Ok(place),
            _ => {
                let text = "`cursor` is none of this list with these filters: send `next` of the page before as it is";
                Err(Error::invalid("LG-CURSOR", text))
            }
        }
    }
}
