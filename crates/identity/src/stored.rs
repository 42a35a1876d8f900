//! What is stored of a user's credential: the body of a row of kind `credential`.

use serde::{Deserialize, Serialize};

use lockgate_model::{Digest, id::UserId};

use crate::{DigestKey, Hash, Password, Policy, Refused, SecondFactor, StoredPasskey, StoredToken, second_factor};

/// Passwords that must not come back: the current one and those before it, five together.
pub const HISTORY: usize = 5;

/// A user's password and first-login token, neither readable from it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The password's hash; absent until a first login sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Hash>,
    /// Hashes of the passwords before, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Hash>,
    /// A token that may set the password once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<StoredToken>,
    /// The password is good for a login that sets another, and for nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_change: bool,
    /// What a login asks besides the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
    /// What a login takes as well, in the place of a code, or of password and code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<StoredPasskey>,
    /// Keyed digests of recovery codes that were made with the first passkey and not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<Digest>,
}

/// What a tenant asks of passwords: the body of the row of kind `password-policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordPolicy {
    /// The preset in force.
    pub preset: Policy,
    /// A user with a password has to have a second factor: until then its sessions are good for enrolling one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub second_factor: bool,
}

impl Credential {
    /// Whether whoever this lets in is let in by the other: nothing was reset, expired or added between the two.
    pub fn admits_as(&self, other: &Self) -> bool {
        let factor =
            |of: &Self| of.second_factor.as_ref().filter(|factor| factor.is_confirmed()).map(|f| f.sealed.clone());
        let passkeys = |of: &Self| of.passkeys.iter().map(|passkey| passkey.id.clone()).collect::<Vec<_>>();
        self.password == other.password
            && self.must_change == other.must_change
            && factor(self) == factor(other)
            && passkeys(self) == passkeys(other)
    }

    /// With a token that sets the password: for a new user, or for a reset. A password that is set
    /// stays good until the token is used.
    #[must_use]
    pub fn with_token(self, token: StoredToken) -> Self {
        Self { token: Some(token), ..self }
    }

    /// With a new password: the old one goes to the history, any token ends, and it need not be changed.
    #[must_use]
    pub fn with_password(mut self, password: Hash) -> Self {
        if let Some(old) = self.password.replace(password) {
            self.before.insert(0, old);
            self.before.truncate(HISTORY - 1);
        }
        self.token = None;
        self.must_change = false;
        self
    }

    /// A login asks a second factor.
    pub fn has_second_factor(&self) -> bool {
        !self.passkeys.is_empty() || self.has_codes()
    }

    /// An authenticator that shows codes is proved to have the secret.
    pub fn has_codes(&self) -> bool {
        self.second_factor.as_ref().is_some_and(SecondFactor::is_confirmed)
    }

    /// Recovery codes that were not used.
    pub fn recovery_left(&self) -> usize {
        self.recovery.len() + self.second_factor.as_ref().map_or(0, SecondFactor::recovery_left)
    }

    /// Without a recovery code that was made with a passkey. None is good twice.
    pub fn spend_recovery(mut self, user: &UserId, code: &str, key: &DigestKey) -> Result<Self, Refused> {
        let left = second_factor::without(&self.recovery, user, code, key).ok_or(Refused::WrongCode)?;
        self.recovery = left;
        Ok(self)
    }

    /// Without the authenticator of codes. Its recovery codes stay with the passkeys.
    #[must_use]
    pub fn without_codes(mut self) -> Self {
        if let Some(factor) = self.second_factor.take()
            && !self.passkeys.is_empty()
        {
            self.recovery.extend(factor.into_recovery());
        }
        self
    }

    /// Without anything that a login asks besides the password.
    #[must_use]
    pub fn without_second_factor(self) -> Self {
        Self { second_factor: None, passkeys: Vec::new(), recovery: Vec::new(), ..self }
    }

    /// Without a passkey; with the last one go the recovery codes that were made with the first.
    #[must_use]
    pub fn without_passkey(mut self, id: &str) -> Self {
        self.passkeys.retain(|passkey| passkey.id != id);
        if self.passkeys.is_empty() {
            self.recovery.clear();
        }
        self
    }

    /// The password is the current one or among the last before it. As costly as up to five
    /// verifications.
    pub fn was_used(&self, password: &Password) -> bool {
        self.password.iter().chain(&self.before).take(HISTORY).any(|hash| hash.verify(password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[test]
    fn the_last_five_passwords_do_not_come_back() {
        let mut credential = Credential::default();
        for n in 0..6 {
            credential = credential.with_password(Hash::of(&password(&format!("pass number {n}"))).unwrap());
        }
        for n in 1..6 {
            assert!(credential.was_used(&password(&format!("pass number {n}"))), "number {n} came back");
        }
        assert!(!credential.was_used(&password("pass number 0")));
        assert!(!credential.was_used(&password("another")));
    }

    #[test]
    fn setting_the_password_ends_the_token() {
        let key = crate::DigestKey::new([7; 32]);
        let token = crate::OneTime::generate("ada".parse().unwrap()).unwrap();
        let stored = token.stored(&key, lockgate_model::Timestamp::from_ms(0));
        let credential = Credential::default().with_token(stored);
        assert!(credential.token.is_some());
        assert!(credential.with_password(Hash::nobody()).token.is_none());
    }

    #[test]
    fn a_row_with_anything_but_argon2id_cannot_be_read() {
        for bad in [
            r#"{"password": "hunter2"}"#,
            r#"{"password": "$argon2d$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"}"#,
            r#"{"password": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ"}"#,
            r#"{"clear": "hunter2"}"#,
        ] {
            assert!(serde_json::from_str::<Credential>(bad).is_err(), "{bad}");
        }
    }
}
