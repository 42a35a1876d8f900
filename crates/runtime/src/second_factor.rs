//! A user's second factor: enrolled by its user with the password, confirmed by a first code, asked at
//! each login from then on; taken away by its user with a code, or by an administrator.
//!
//! The secret is sealed for its row and version like those of accounts.

use std::collections::BTreeMap;

use lockgate_access::{Decision, Scope};
use lockgate_identity::{Basic, Begun, Credential, Password, SecondFactor, Spent, TotpSecret};
use lockgate_keys::{Binding, Sealed};
use lockgate_model::{
    Channel, Definition, Kind, Permission,
    id::{TenantId, UserId},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Caller, Error, Runtime, View,
    account::{SecretText, sealing_failed},
    change::Plan,
    credential::no_random,
    login::Second,
    network::Network,
    push::json,
};

/// A new secret, shown once; it is asked for after its first code.
#[derive(Serialize)]
pub struct Enrolment {
    /// As a person types it into an authenticator: base32 without padding.
    pub secret: String,
    /// As an authenticator reads it off a screen.
    pub address: String,
}

/// Ten codes for who has lost the authenticator, each good once; shown once.
#[derive(Serialize)]
pub struct Recovery {
    /// The codes.
    pub recovery_codes: Vec<String>,
}

/// What a user's logins ask besides the password.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SecondFactorStatus {
    /// They ask for one.
    pub on: bool,
    /// A code of an authenticator is one.
    pub codes: bool,
    /// So many passkeys are.
    pub passkeys: usize,
    /// The tenant asks it of who has a password.
    pub required: bool,
    /// Recovery codes that were not used.
    pub recovery_codes_left: usize,
}

/// What is stored of the secret beside what `identity` keeps.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedSecret {
    version: u64,
    sealed: Sealed,
}

fn binding<'a>(view: &'a View, id: &'a str, version: u64) -> Binding<'a> {
    Binding { tenant: &view.tenant, environment: None, id, version }
}

fn row_id(user: &UserId) -> String {
    format!("credential/{user}/second-factor")
}

impl Runtime {
    /// Whether the caller's logins ask for a code.
    pub async fn second_factor(&self, caller: &Caller) -> Result<SecondFactorStatus, Error> {
        let view = self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        let stored = view.credentials.stored(&caller.principal.user).cloned().unwrap_or_default();
        Ok(SecondFactorStatus {
            on: stored.has_second_factor(),
            codes: stored.has_codes(),
            passkeys: stored.passkeys.len(),
            required: view.credentials.policy().second_factor,
            recovery_codes_left: stored.recovery_left(),
        })
    }

    /// Gives the caller a new secret for an authenticator. Logins ask for nothing before it is confirmed.
    /// The password is asked again: a session that somebody else got hold of must not lock its user out.
    pub async fn enrol_second_factor(&self, caller: &Caller, password: SecretText) -> Result<Enrolment, Error> {
        self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        self.own_password(caller, password).await?;
        // A rotation of keys waits until what is sealed here is stored, whether or not somebody waits for the answer.
        let (runtime, caller) = (self.clone(), caller.clone());
        let enrolled = tokio::spawn(async move { runtime.sealed_and_enrolled(&caller).await });
        enrolled.await.map_err(|_| Error::Internal { what: "enrolling a second factor".into() })?
    }

    /// The caller's own password, asked again.
    pub(crate) async fn own_password(&self, caller: &Caller, password: SecretText) -> Result<(), Error> {
        let (tenant, user) = (caller.tenant(), &caller.principal.user);
        let basic = Basic { user: user.to_string(), password: Password::new(password.expose().to_owned()) };
        let proved = self.basic(tenant.as_str(), Some(self.view(tenant)?), basic, &caller.source).await;
        if proved.as_ref().err() == Some(&Error::Unauthenticated) {
            let attempted = (Channel::Admin, "second-factor");
            self.note_attempt(tenant.as_str(), &caller.source, attempted, (user.as_str(), user.as_str())).await;
        }
        proved.map(drop)
    }

    async fn sealed_and_enrolled(&self, caller: &Caller) -> Result<Enrolment, Error> {
        let user = &caller.principal.user;
        let _sealing = self.0.sealing.read().await;
        self.change(caller, |view| {
            let old = view.credentials.stored(user).cloned().unwrap_or_default();
            if old.has_codes() {
                let text = "a second factor is on already: take it away first".to_owned();
                return Err(Error::Conflict { code: "LG-SECOND-FACTOR-ON", message: text });
            }
            let secret = TotpSecret::generate().map_err(no_random)?;
            let (id, version) = (row_id(user), view.revision.0 + 1);
            let sealed = self.0.master.seal(&binding(view, &id, version), secret.expose()).map_err(sealing_failed)?;
            let factor = SecondFactor::new(json(&SealedSecret { version, sealed })?);
            let answer = Enrolment {
                secret: secret.base32().to_string(),
                address: secret.address(view.tenant.as_str(), user.as_str()).to_string(),
            };
            let row = Credential { second_factor: Some(factor), ..old };
            self.own_setup(view, caller, "enrolled", &row, answer)
        })
        .await
    }

    /// Turns the second factor on by its first code; logins ask for it from here on. The recovery codes are
    /// shown this once.
    pub async fn confirm_second_factor(&self, caller: &Caller, code: &SecretText) -> Result<Recovery, Error> {
        let user = &caller.principal.user;
        let none = || Error::Conflict {
            code: "LG-SECOND-FACTOR-NONE",
            message: "no second factor waits for its first code: enrol one first".to_owned(),
        };
        self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        let turn = self.turn_for_code(caller.tenant().as_str(), user, &caller.source).await?;
        let confirmed = self
            .change(caller, |view| {
                let old = view.credentials.stored(user).cloned().unwrap_or_default();
                let factor = old.second_factor.clone().filter(|factor| !factor.is_confirmed()).ok_or_else(none)?;
                let secret = self.totp_secret(view, user, &factor)?;
                let confirmed = factor.confirm(&secret, user, code.expose(), &view.digest_key, self.now());
                let (factor, codes) = confirmed.map_err(|_| wrong_code())?.map_err(no_random)?;
                // Ten are enough: they take the place of those that came with a passkey.
                let row = Credential { second_factor: Some(factor), recovery: Vec::new(), ..old };
                let recovery_codes = codes.expose().map(str::to_owned).collect();
                self.own_setup(view, caller, "confirmed", &row, Recovery { recovery_codes })
            })
            .await;
        self.judged(caller, Some(turn), &confirmed).await;
        if confirmed.is_ok() {
            // Others that are open were never asked for a code.
            self.0.sessions.close_others(caller.tenant(), user, caller.token.as_ref());
        }
        confirmed
    }

    /// Takes the caller's own second factor away, for a code of it.
    pub async fn remove_second_factor(&self, caller: &Caller, code: &SecretText) -> Result<(), Error> {
        let user = &caller.principal.user;
        self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        let turn = self.turn_for_code(caller.tenant().as_str(), user, &caller.source).await?;
        let removed = self
            .change(caller, |view| {
                let old = view.credentials.stored(user).cloned().unwrap_or_default();
                let factor = old.second_factor.clone().ok_or_else(|| Error::not_found("second factor"))?;
                if factor.is_confirmed() {
                    let secret = self.totp_secret(view, user, &factor)?;
                    let spent = factor.spend(&secret, user, code.expose(), &view.digest_key, self.now());
                    let (factor, _) = spent.map_err(|_| wrong_code())?;
                    let row = Credential { second_factor: Some(factor), ..old }.without_codes();
                    return self.own_setup(view, caller, "removed", &row, ());
                }
                let row = Credential { second_factor: None, ..old };
                self.own_setup(view, caller, "removed", &row, ())
            })
            .await;
        self.judged(caller, Some(turn), &removed).await;
        removed
    }

    /// Takes a user's second factor away, codes and passkeys, for who has lost it; the user's sessions end. One's own
    /// goes by a code of it: a session that somebody else got hold of is not enough.
    pub async fn take_second_factor(&self, caller: &Caller, user: &UserId) -> Result<(), Error> {
        self.change(caller, |view| {
            let decision = self.manages(view, caller, user)?;
            let has = |stored: &&Credential| stored.second_factor.is_some() || !stored.passkeys.is_empty();
            let stored = view.credentials.stored(user).filter(has);
            if decision.is_allowed() && *user == caller.principal.user {
                let text = "one's own second factor is taken away by a code of it, or by another administrator";
                return Err(Error::Conflict { code: "LG-SECOND-FACTOR-OWN", message: text.to_owned() });
            }
            if decision.is_allowed() && stored.is_none() {
                return Err(Error::not_found(format!("second factor of user `{user}`")));
            }
            let row = stored.cloned().unwrap_or_default().without_second_factor();
            plan(decision, user, "taken", &row, ())
        })
        .await?;
        self.0.sessions.close_user(caller.tenant(), user);
        Ok(())
    }

    /// The credential after the second factor that a login brings, where one is on, and what it was. Asked only
    /// after the password or token was right; of a passkey alone it is all that is asked.
    pub(crate) async fn spend_second(
        &self,
        view: &View,
        user: &UserId,
        credential: Credential,
        (second, begun): (&Second, Option<&Begun>),
        source: &str,
    ) -> Result<(Credential, Option<Spent>), Error> {
        if !credential.has_second_factor() {
            return Ok((credential, None));
        }
        if second.is_none() {
            self.note_proved(&view.tenant, source, "second-factor", user, "missing").await;
            let text = "a second factor is on: send a code of the authenticator or a recovery code as `code`, or an \
                answer of a passkey as `passkey`";
            return Err(Error::invalid("LG-SECOND-FACTOR", text));
        }
        let turn = self.turn_for(second, &view.tenant, user, source).await?;
        match self.spent(view, user, credential, second, begun)? {
            Some((credential, spent)) => {
                if let Some(turn) = turn {
                    turn.right();
                }
                Ok((credential, Some(spent)))
            }
            None => {
                if let Some(turn) = turn {
                    turn.failed();
                }
                self.note_proved(&view.tenant, source, "second-factor", user, "wrong").await;
                Err(Error::Unauthenticated)
            }
        }
    }

    /// The credential without the code, or after the answer of the passkey; none if it is not true.
    pub(crate) fn spent(
        &self,
        view: &View,
        user: &UserId,
        credential: Credential,
        second: &Second,
        begun: Option<&Begun>,
    ) -> Result<Option<(Credential, Spent)>, Error> {
        if let Some(answered) = &second.passkey {
            return self.answered(view, user, credential, answered, begun);
        }
        let Some(code) = &second.code else { return Ok(None) };
        let (code, key) = (code.expose(), &view.digest_key);
        if let Some(factor) = credential.second_factor.clone().filter(SecondFactor::is_confirmed) {
            let secret = self.totp_secret(view, user, &factor)?;
            if let Ok((factor, spent)) = factor.spend(&secret, user, code, key, self.now()) {
                return Ok(Some((Credential { second_factor: Some(factor), ..credential }, spent)));
            }
        }
        let spent = credential.spend_recovery(user, code, key);
        Ok(spent.ok().map(|credential| (credential, Spent::RecoveryCode)))
    }

    /// What a code was. Only a right one makes up for wrong ones before it, and a wrong one is told of.
    pub(crate) async fn judged<T>(
        &self,
        caller: &Caller,
        turn: Option<crate::guesses::Turn<'_>>,
        outcome: &Result<T, Error>,
    ) {
        match outcome {
            Ok(_) => {
                if let Some(turn) = turn {
                    turn.right();
                }
            }
            Err(error) if *error == wrong_code() => {
                if let Some(turn) = turn {
                    turn.failed();
                }
                let (tenant, user) = (caller.tenant(), &caller.principal.user);
                self.note_proved(tenant, &caller.source, "second-factor", user, "wrong").await;
            }
            Err(_) => drop(turn),
        }
    }

    /// A code can be guessed. An answer of a passkey cannot: nobody is slowed down by those that are not true.
    pub(crate) async fn turn_for(
        &self,
        second: &Second,
        tenant: &TenantId,
        user: &UserId,
        source: &str,
    ) -> Result<Option<crate::guesses::Turn<'_>>, Error> {
        match second.passkey {
            Some(_) => Ok(None),
            None => self.turn_for_code(tenant.as_str(), user, source).await.map(Some),
        }
    }

    async fn turn_for_code(
        &self,
        tenant: &str,
        user: &UserId,
        source: &str,
    ) -> Result<crate::guesses::Turn<'_>, Error> {
        self.0.codes.turn_anywhere(tenant, user.as_str(), Network::of_text(source)).await
    }

    fn totp_secret(&self, view: &View, user: &UserId, factor: &SecondFactor) -> Result<TotpSecret, Error> {
        let failed = || Error::Internal { what: "opening the secret of a second factor".into() };
        let stored = SealedSecret::deserialize(&factor.sealed).map_err(|_| failed())?;
        let opened = self.0.master.unseal(&binding(view, &row_id(user), stored.version), &stored.sealed);
        let opened = opened.map_err(|error| {
            // A row that was moved, swapped or altered ends here.
            tracing::error!(tenant = %view.tenant, %user, %error, "the secret of a second factor does not open");
            failed()
        })?;
        TotpSecret::from_bytes(opened.expose()).ok_or_else(failed)
    }

    /// The row of a user's credentials with the secret of its second factor sealed anew; nothing where there is none under
    /// another key than this one, or none that opens.
    pub(crate) fn resealed_factor(
        &self,
        view: &View,
        row: &Definition,
        current: u32,
        version: u64,
    ) -> Result<Option<Value>, Error> {
        let mut body: Credential = row.read()?;
        let (Some(factor), Ok(user)) = (&mut body.second_factor, UserId::parse(&row.id)) else { return Ok(None) };
        let is_old = |stored: SealedSecret| stored.sealed.key() != current;
        if !SealedSecret::deserialize(&factor.sealed).is_ok_and(is_old) {
            return Ok(None);
        }
        let Ok(secret) = self.totp_secret(view, &user, factor) else { return Ok(None) };
        let id = row_id(&user);
        let sealed = self.0.master.seal(&binding(view, &id, version), secret.expose()).map_err(sealing_failed)?;
        factor.sealed = json(&SealedSecret { version, sealed })?;
        json(&body).map(Some)
    }

    fn own_setup<T>(
        &self,
        view: &View,
        caller: &Caller,
        step: &str,
        row: &Credential,
        answer: T,
    ) -> Result<Plan<T>, Error> {
        let decision = self.may_set_up(view, caller);
        plan(decision, &caller.principal.user, step, row, answer)
    }
}

pub(crate) fn wrong_code() -> Error {
    Error::invalid("LG-CODE", "the code is not one of this authenticator now, or was used")
}

fn plan<T>(decision: Decision, user: &UserId, step: &str, row: &Credential, answer: T) -> Result<Plan<T>, Error> {
    Ok(Plan {
        decision,
        event: "second-factor",
        object: format!("user/{user}"),
        fields: Vec::new(),
        detail: BTreeMap::from([("step".to_owned(), step.to_owned())]),
        puts: vec![(Kind::Credential, user.to_string(), json(row)?)],
        deletes: Vec::new(),
        answer,
    })
}
