//! What a login asks besides the password: a code of an authenticator, or one of ten recovery codes.

use lockgate_model::{Digest, Timestamp, id::UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    DigestKey, Refused, TotpSecret,
    digest_key::same,
    random::{self, NoRandom},
    totp::Step,
};

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// A user's second factor as it is stored. The secret is sealed by whoever stores it; this crate gets it
/// opened, and keeps the sealed form as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    /// The sealed secret, with what it takes to open it.
    pub sealed: Value,
    /// The step of the last code that was taken, and with it that the authenticator is proved to have the
    /// secret; absent until then, and a login asks nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_step: Option<Step>,
    /// Keyed digests of the recovery codes that were not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recovery: Vec<Digest>,
}

/// What a login brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// A code of the authenticator.
    Code,
    /// A recovery code.
    RecoveryCode,
    /// An answer of a passkey.
    Passkey,
}

impl Spent {
    /// For the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::RecoveryCode => "recovery-code",
            Self::Passkey => "passkey",
        }
    }
}

/// Digests of recovery codes without this one; `None` if it is none of them.
pub(crate) fn without(stored: &[Digest], user: &UserId, code: &str, key: &DigestKey) -> Option<Vec<Digest>> {
    let presented = digest(user, code, key);
    let left: Vec<Digest> = stored.iter().filter(|one| !same(one, &presented)).copied().collect();
    (left.len() < stored.len()).then_some(left)
}

/// Ten new recovery codes, to be shown once.
pub struct RecoveryCodes(Vec<Zeroizing<String>>);

impl RecoveryCodes {
    /// Ten new ones.
    pub fn generate() -> Result<Self, NoRandom> {
        // 80 bits each: as four groups of five hex digits they can be typed off paper.
        let code = || {
            let hex = random::hex::<10>()?;
            let groups = hex.as_bytes().chunks(5).map(|group| String::from_utf8_lossy(group).into_owned());
            Ok(Zeroizing::new(groups.collect::<Vec<_>>().join("-")))
        };
        Ok(Self((0..RECOVERY_CODES).map(|_| code()).collect::<Result<_, _>>()?))
    }

    /// The codes.
    pub fn expose(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|code| code.as_str())
    }

    /// What to store of them.
    pub fn stored(&self, user: &UserId, key: &DigestKey) -> Vec<Digest> {
        self.expose().map(|code| digest(user, code, key)).collect()
    }
}

/// Bound to the user: a digest moved to another row fits nothing. Capitals and spaces are how people
/// copy from paper.
fn digest(user: &UserId, code: &str, key: &DigestKey) -> Digest {
    let plain: Zeroizing<String> =
        Zeroizing::new(code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_lowercase());
    key.digest([b"recovery-code".as_slice(), user.as_str().as_bytes(), plain.as_bytes()])
}

impl SecondFactor {
    /// One that waits for its first code.
    pub fn new(sealed: Value) -> Self {
        Self { sealed, last_step: None, recovery: Vec::new() }
    }

    /// The authenticator is proved to have the secret; logins ask for it.
    pub fn is_confirmed(&self) -> bool {
        self.last_step.is_some()
    }

    /// Recovery codes that were not used.
    pub fn recovery_left(&self) -> usize {
        self.recovery.len()
    }

    /// Takes the first code, which turns it on, and makes the recovery codes.
    pub fn confirm(
        mut self,
        secret: &TotpSecret,
        user: &UserId,
        code: &str,
        key: &DigestKey,
        now: Timestamp,
    ) -> Result<Result<(Self, RecoveryCodes), NoRandom>, Refused> {
        self.last_step = Some(secret.step(code, Step::MIN, now).ok_or(Refused::WrongCode)?);
        Ok(RecoveryCodes::generate().map(|codes| {
            self.recovery = codes.stored(user, key);
            (self, codes)
        }))
    }

    /// Takes a code of the authenticator, or a recovery code: the factor without it, to be stored
    /// before anything rests on it. Neither is good twice.
    pub fn spend(
        mut self,
        secret: &TotpSecret,
        user: &UserId,
        code: &str,
        key: &DigestKey,
        now: Timestamp,
    ) -> Result<(Self, Spent), Refused> {
        let last = self.last_step.ok_or(Refused::WrongCode)?;
        if let Some(step) = secret.step(code.trim(), last, now) {
            self.last_step = Some(step);
            return Ok((self, Spent::Code));
        }
        self.recovery = without(&self.recovery, user, code, key).ok_or(Refused::WrongCode)?;
        Ok((self, Spent::RecoveryCode))
    }

    pub(crate) fn into_recovery(self) -> Vec<Digest> {
        self.recovery
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(59_000_000);
    const CODE: &str = "287082";

    fn parts() -> (TotpSecret, UserId, DigestKey) {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        (secret, "ada".parse().unwrap(), DigestKey::new([7; 32]))
    }
    fn confirmed() -> (SecondFactor, Vec<String>) {
        let (secret, user, key) = parts();
        let factor = SecondFactor::new(Value::Null);
        let (factor, codes) = factor.confirm(&secret, &user, CODE, &key, NOW).unwrap().unwrap();
        (factor, codes.expose().map(str::to_owned).collect())
    }

    #[test]
    fn before_its_first_code_it_takes_none_and_asks_nothing() {
        let (secret, user, key) = parts();
        let factor = SecondFactor::new(Value::Null);
        assert!(!factor.is_confirmed());
        assert_eq!(factor.clone().spend(&secret, &user, CODE, &key, NOW), Err(Refused::WrongCode));
        assert_eq!(factor.confirm(&secret, &user, "000000", &key, NOW).err(), Some(Refused::WrongCode));
    }

    #[test]
    fn a_code_is_good_once_and_the_confirming_one_was_used() {
        let (secret, user, key) = parts();
        let (factor, _) = confirmed();
        assert!(factor.is_confirmed());
        assert_eq!(factor.clone().spend(&secret, &user, CODE, &key, NOW), Err(Refused::WrongCode));
        let later = Timestamp(1_111_111_109_000_000);
        let (spent, by) = factor.spend(&secret, &user, " 081804 ", &key, later).unwrap();
        assert_eq!(by, Spent::Code);
        assert_eq!(spent.spend(&secret, &user, "081804", &key, later), Err(Refused::WrongCode));
    }

    #[test]
    fn a_recovery_code_is_good_once_for_its_user() {
        let (secret, user, key) = parts();
        let (factor, codes) = confirmed();
        assert_eq!((codes.len(), factor.recovery_left()), (10, 10));
        let other: UserId = "ben".parse().unwrap();
        assert!(factor.clone().spend(&secret, &other, &codes[0], &key, NOW).is_err());
        let typed = codes[3].to_uppercase().replace('-', " ");
        let (spent, by) = factor.spend(&secret, &user, &typed, &key, NOW).unwrap();
        assert_eq!(by, Spent::RecoveryCode);
        assert_eq!(spent.recovery_left(), 9);
        assert!(spent.clone().spend(&secret, &user, &codes[3], &key, NOW).is_err());
        assert!(spent.spend(&secret, &user, &codes[4], &key, NOW).is_ok());
    }

    #[test]
    fn what_is_stored_shows_no_code() {
        let (factor, codes) = confirmed();
        let stored = serde_json::to_string(&factor).unwrap();
        assert!(codes.iter().all(|code| !stored.contains(code.as_str()) && !stored.contains(&code.replace('-', ""))));
        assert_eq!(serde_json::from_str::<SecondFactor>(&stored).unwrap(), factor);
    }
}
