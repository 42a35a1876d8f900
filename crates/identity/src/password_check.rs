//! Verifying a password with equal work whoever it is for.

use lockgate_model::Principal;

use crate::{
    Basic, Credentials, Hash,
    credentials::{Refused, native},
};

/// A verification that is about to be done: owned, so that it can go to a thread for costly work.
///
/// There is one for every request, also for an unknown tenant, an unknown user or a user without
/// password: those verify against a hash that nothing fits. Nothing returns before the hash is done.
#[derive(Debug)]
pub struct PasswordCheck {
    hash: Hash,
    answer: Result<Principal, Refused>,
}

impl PasswordCheck {
    /// Looks up what to verify against; `None` for an unknown tenant.
    pub fn of(credentials: Option<&Credentials>, basic: &Basic) -> Self {
        let found = credentials
            .ok_or(Refused::UnknownTenant)
            .and_then(|credentials| Ok((credentials, credentials.known(&basic.user)?)));
        match found {
            Err(refused) => Self { hash: Hash::nobody(), answer: Err(refused) },
            Ok((credentials, known)) => {
                let hash = known.credential.as_ref().and_then(|credential| credential.password.clone());
                let answer = match hash {
                    Some(_) => native(known).and_then(|()| credentials.by_password(&basic.user)),
                    None => Err(Refused::NoPassword),
                };
                Self { hash: hash.unwrap_or_else(Hash::nobody), answer }
            }
        }
    }

    /// Verifies: one Argon2id, whatever the answer. Run it off the threads that serve requests.
    pub fn verify(self, basic: &Basic) -> Result<Principal, Refused> {
        let fits = self.hash.verify(&basic.password);
        match (fits, self.answer) {
            (true, answer) => answer,
            (false, Err(refused)) => Err(refused),
            (false, Ok(_)) => Err(Refused::WrongPassword),
        }
    }
}
