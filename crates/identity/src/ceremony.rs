//! Ceremonies of passkeys that have begun. The server keeps none of them: what has to be known until the answer comes
//! goes to the browser and back, under the tenant's digest key. So nobody can push another's out, by however many
//! sources they come, and no answer waits for a table.
//!
//! A ceremony is good once: the passkey that answers it is stored with it until its time is over, in the change that
//! stores the passkey's counter. It is good in its tenant, whose key the digest is made with, and for a few minutes.
//!
//! Nothing in it is a secret, and no key that an answer is verified with: the challenge, and who is asked.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lockgate_model::{Digest, Timestamp, id::UserId};
use serde::{Deserialize, Serialize};
use webauthn_rs::prelude::{DiscoverableAuthentication, PasskeyRegistration};

use crate::{DigestKey, Refused, digest_key::same};

/// One is good for so long: what browsers give a user to answer.
const CEREMONY_MS: i64 = 5 * 60_000;
/// A passkey answers so many in that time.
const ANSWERED_MAX: usize = 32;

/// What waits for the authenticator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Ceremony {
    /// A user adds a passkey.
    Add {
        user: UserId,
        /// What the user came with.
        by: Option<Digest>,
        state: Box<PasskeyRegistration>,
    },
    /// A user who is known proves to be it.
    Prove { user: UserId, state: Box<DiscoverableAuthentication> },
    /// Somebody proves to be whom the passkey says.
    Enter { state: Box<DiscoverableAuthentication> },
}

/// A ceremony that has begun, as it came back.
#[derive(Debug, Clone)]
pub struct Begun {
    ceremony: Ceremony,
    until: Timestamp,
    /// By what it is remembered that it was answered.
    id: Digest,
}

/// A ceremony on its way.
#[derive(Serialize, Deserialize)]
struct Sent {
    until: Timestamp,
    ceremony: Ceremony,
}

/// A ceremony that a passkey has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answered {
    ceremony: Digest,
    until: Timestamp,
}

fn digest(bytes: &[u8], key: &DigestKey) -> Digest {
    key.digest([b"passkey ceremony".as_slice(), bytes])
}

impl Ceremony {
    /// Begins it: the text that comes back with the answer.
    pub(crate) fn begin(self, now: Timestamp, key: &DigestKey) -> Result<String, Refused> {
        let sent = Sent { until: now.plus_ms(CEREMONY_MS), ceremony: self };
        let bytes = serde_json::to_vec(&sent).map_err(|_| Refused::WrongPasskey)?;
        Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(&bytes), digest(&bytes, key).hex()))
    }
}

impl Begun {
    /// Reads what came back; `None` if this key has not made it.
    pub fn read(text: &str, key: &DigestKey) -> Option<Self> {
        let (bytes, shown) = text.split_once('.')?;
        let bytes = URL_SAFE_NO_PAD.decode(bytes).ok()?;
        let id = digest(&bytes, key);
        let shown: Digest = format!("sha256:{shown}").parse().ok()?;
        let Sent { until, ceremony } = same(&id, &shown).then(|| serde_json::from_slice(&bytes).ok())??;
        Some(Self { ceremony, until, id })
    }

    /// What waits, unless its time is over.
    pub(crate) fn waits(&self, now: Timestamp) -> Result<&Ceremony, Refused> {
        if self.until > now { Ok(&self.ceremony) } else { Err(Refused::WrongPasskey) }
    }

    /// What a passkey has answered, this one besides. Those whose time is over are forgotten.
    pub(crate) fn answered(&self, before: &[Answered], now: Timestamp) -> Result<Vec<Answered>, Refused> {
        let mut all: Vec<Answered> = before.iter().filter(|answered| answered.until > now).cloned().collect();
        if all.len() >= ANSWERED_MAX || all.iter().any(|answered| answered.ceremony == self.id) {
            return Err(Refused::WrongPasskey);
        }
        all.push(Answered { ceremony: self.id, until: self.until });
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Site;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn key(byte: u8) -> DigestKey {
        DigestKey::new([byte; 32])
    }

    fn begun() -> String {
        Site::new("https://lockgate.example").unwrap().prove(None, NOW, &key(7)).unwrap().ceremony
    }

    #[test]
    fn one_that_was_made_up_altered_or_made_with_another_key_is_none() {
        let text = begun();
        let (bytes, shown) = text.split_once('.').unwrap();
        let other = begun();
        let (others, _) = other.split_once('.').unwrap();
        for wrong in [
            "",
            ".",
            "a.b",
            bytes,
            &format!("{bytes}."),
            &format!("{others}.{shown}"),
            &format!("{text}0"),
            text.split_at(1).1,
        ] {
            assert!(Begun::read(wrong, &key(7)).is_none(), "{wrong}");
        }
        assert!(Begun::read(&text, &key(8)).is_none(), "another tenant's key");
        assert!(Begun::read(&text, &key(7)).is_some());
    }

    #[test]
    fn one_is_good_for_its_time_and_once() {
        let first = Begun::read(&begun(), &key(7)).unwrap();
        assert!(first.waits(NOW).is_ok() && first.waits(NOW.plus_ms(CEREMONY_MS - 1)).is_ok());
        assert!(first.waits(NOW.plus_ms(CEREMONY_MS)).is_err(), "it is over");
        let answered = first.answered(&[], NOW).unwrap();
        assert!(first.answered(&answered, NOW).is_err(), "it was answered");
        let second = Begun::read(&begun(), &key(7)).unwrap();
        assert_eq!(second.answered(&answered, NOW).unwrap().len(), 2);
        let late = NOW.plus_ms(CEREMONY_MS);
        assert_eq!(second.answered(&answered, late).unwrap().len(), 1, "what is over is forgotten");
    }

    #[test]
    fn what_a_passkey_has_answered_is_bounded() {
        let mut answered = Vec::new();
        for _ in 0..ANSWERED_MAX {
            answered = Begun::read(&begun(), &key(7)).unwrap().answered(&answered, NOW).unwrap();
        }
        assert!(Begun::read(&begun(), &key(7)).unwrap().answered(&answered, NOW).is_err());
    }
}
