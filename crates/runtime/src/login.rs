//! Login and logout: a password, or a one-time token that sets the password, and a code where a second
//! factor is on, become a session, for who may have the console. That is asked of who has proved all else: a
//! password that was set by the way stands then, for calls by Basic, but where the tenant is suspended.

use lockgate_access::decide_console;
use lockgate_identity::{Basic, Begun, Credential, OneTime, Password, SessionToken, Spent};
use lockgate_model::{
    Channel, Kind, Principal, Timestamp,
    audit::{Entry, Outcome},
    id::{TenantId, UserId},
    principal::CredentialKind,
};
use lockgate_store::{Change, Put};
use serde::Serialize;

use crate::{
    Caller, Error, PasskeyAnswer, Runtime, View,
    account::SecretText,
    credential::no_random,
    network::Network,
    password::{falls_short, takes},
    push::json,
    session::Session,
};

/// Times a login is tried anew because the tenant was changed in between.
const ATTEMPTS: usize = 8;

/// A new session.
#[derive(Serialize)]
pub struct LoggedIn {
    /// The token, shown once; it goes as `Authorization: Bearer`.
    pub session: String,
    /// Whose.
    pub user: UserId,
    /// Whose tenant.
    pub tenant: TenantId,
    /// It ends by itself then.
    pub expires: Timestamp,
}

impl std::fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoggedIn").field("user", &self.user).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// What a login presents.
pub struct Login {
    /// User id, as sent.
    pub user: String,
    /// What proves it.
    pub proof: Proof,
    /// The second factor, where one is on.
    pub second: Second,
}

/// What a login brings besides the password: a code, or an answer of a passkey.
#[derive(Default)]
pub struct Second {
    /// A code of the authenticator, or a recovery code.
    pub code: Option<SecretText>,
    /// An answer of a passkey.
    pub passkey: Option<PasskeyAnswer>,
}

impl Second {
    /// Nothing.
    pub(crate) fn is_none(&self) -> bool {
        self.code.is_none() && self.passkey.is_none()
    }
}

/// What proves a user at a login.
pub enum Proof {
    /// The password, and the one to set in its place.
    Password {
        /// The one that is set.
        password: SecretText,
        /// Another to set.
        new: Option<SecretText>,
    },
    /// A one-time token, and the password it sets.
    Token {
        /// The token.
        token: SecretText,
        /// The password to set.
        new: SecretText,
    },
    /// A passkey alone, which knows its user; it is the second factor as well.
    Passkey,
}

impl Login {
    /// With a one-time token, which sets the password.
    pub fn by_token(user: &str, token: SecretText, new: SecretText) -> Self {
        Self { user: user.to_owned(), proof: Proof::Token { token, new }, second: Second::default() }
    }
}

impl Runtime {
    /// Opens a session, and sets another password where that is asked for.
    ///
    /// Whoever has not proved the password or token is told nothing but that: neither that a second
    /// factor is on nor that the password has to be changed.
    pub async fn login(&self, tenant: &str, login: &Login, source: &str) -> Result<LoggedIn, Error> {
        let begun = self.taken(&login.second, tenant);
        for _ in 0..ATTEMPTS {
            match self.enter(tenant, login, begun.as_ref(), source).await {
                Ok(Some(entered)) => return Ok(entered),
                // The tenant was changed in between: everything is asked again.
                Ok(None) => {}
                Err(error) => {
                    if error == Error::Unauthenticated {
                        let who = (&*named(&login.user), &*login.user);
                        self.note_attempt(tenant, source, (Channel::Admin, "login"), who).await;
                    }
                    return Err(error);
                }
            }
        }
        Err(Error::Conflict { code: "LG-BUSY", message: "the tenant is being changed by others; try again".into() })
    }

    async fn enter(
        &self,
        tenant: &str,
        login: &Login,
        begun: Option<&Begun>,
        source: &str,
    ) -> Result<Option<LoggedIn>, Error> {
        let view = TenantId::parse(tenant).ok().and_then(|tenant| self.0.views.get(&tenant));
        let (view, user, new) = match &login.proof {
            Proof::Password { password, new } => {
                let password = Password::new(password.expose().to_owned());
                let basic = Basic { user: login.user.clone(), password: password.clone() };
                let principal = self.basic(tenant, view.clone(), basic, source).await?;
                let view = view.ok_or(Error::Unauthenticated)?;
                if new.is_none() {
                    must_not_change(&view, &principal.user, &password)?;
                }
                (view, principal.user, new.as_ref())
            }
            Proof::Token { token, new } => {
                let presented = OneTime::parse(token.expose()).filter(|token| token.user().as_str() == login.user);
                let presented = presented.ok_or(Error::Unauthenticated)?;
                let Some(view) = view else {
                    presented.is_nobodys();
                    return Err(Error::Unauthenticated);
                };
                let user = view.credentials.one_time(&presented, &view.digest_key, self.now());
                let user = user.map_err(|_| Error::Unauthenticated)?;
                (view, user, Some(new))
            }
            Proof::Passkey => {
                // Read before it is asked whether there is such a tenant: it takes as long where there is none.
                let id = crate::passkey::named_by(&login.second);
                let view = view.ok_or(Error::Unauthenticated)?;
                let user = view.credentials.by_passkey(&id?).map_err(|_| Error::Unauthenticated)?;
                (view, user, None)
            }
        };
        let old = view.credentials.stored(&user).cloned().unwrap_or_default();
        let new = new.map(|new| Password::new(new.expose().to_owned()));
        if let Some(new) = new.as_ref().filter(|_| !(old.has_second_factor() && login.second.is_none())) {
            // What the tenant asks of passwords is no secret: nothing is spent for it.
            takes(&view, &user, new)?;
        }
        let (credential, spent) = self.spend_second(&view, &user, old, (&login.second, begun), source).await?;
        if matches!(login.proof, Proof::Passkey) && spent != Some(Spent::Passkey) {
            return Err(Error::Unauthenticated);
        }
        if view.snapshot.is_suspended() {
            // Nobody does anything then: nothing is spent, and no password is set.
            self.may_have_console(&view, &user, source).await?;
        }
        // What was used before is told after the second factor alone, which is spent all the same: of who tries codes out
        // with an old password nobody keeps one that is good.
        let (credential, changed, refused) = match new {
            None => (credential, false, None),
            Some(new) => match self.with_new_password(&view, &user, credential.clone(), new, source).await {
                Ok(credential) => (credential, true, None),
                Err(refused @ Error::Invalid { .. }) if spent.is_some() => (credential, false, Some(refused)),
                Err(error) => return Err(error),
            },
        };
        if spent.is_some() || changed {
            let event = if changed { "password-change" } else { "second-factor" };
            let mut entry = Entry::new(self.now(), event, Outcome::Done, user.as_str());
            entry.channel = Some(Channel::Admin);
            entry.object = format!("user/{user}");
            entry.source = source.to_owned();
            if !changed {
                entry.detail.insert("step".to_owned(), "used".to_owned());
            }
            if let Some(spent) = spent {
                entry.detail.insert("how".to_owned(), spent.as_str().to_owned());
            }
            // The view's revision is expected: of two who spend the same token or code one comes first.
            let change = Change {
                tenant: view.tenant.clone(),
                entry,
                expected: Some(view.revision),
                puts: vec![Put { kind: Kind::Credential, id: user.to_string(), body: json(&credential)? }],
                deletes: Vec::new(),
            };
            let committed = self.0.store.commit(change).await;
            if self.settle(&view.tenant, committed).await?.is_none() {
                return Ok(None);
            }
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        if changed {
            self.0.sessions.close_user(&view.tenant, &user);
            self.0.guesses.entered(view.tenant.as_str(), user.as_str(), Network::of_text(source));
        }
        self.open_session(view.tenant.clone(), user, &credential, source).await
    }

    /// Ends the session the caller came with.
    pub async fn logout(&self, caller: &Caller) -> Result<(), Error> {
        let mut entry = Entry::new(self.now(), "logout", Outcome::Done, caller.principal.user.as_str());
        entry.channel = Some(Channel::Admin);
        entry.source.clone_from(&caller.source);
        self.record(caller.tenant(), entry).await?;
        if let Some(token) = caller.token {
            self.0.sessions.close(&token);
        }
        Ok(())
    }

    /// Refuses whom access gives no console here.
    async fn may_have_console(&self, view: &View, user: &UserId, source: &str) -> Result<(), Error> {
        let principal = view.credentials.session(user).map_err(|_| Error::Unauthenticated)?;
        // Who has to enrol a second factor gets a session for that.
        let principal = Principal { credential: CredentialKind::Session, ..principal };
        let decision = decide_console(&view.snapshot, &principal, Channel::Admin, self.now());
        if decision.is_allowed() {
            return Ok(());
        }
        Err(self.refuse(&decision, &Caller { principal, source: source.to_owned(), token: None }).await)
    }

    /// A session for whom this credential let in; none where another one stands by now.
    async fn open_session(
        &self,
        tenant: TenantId,
        user: UserId,
        credential: &Credential,
        source: &str,
    ) -> Result<Option<LoggedIn>, Error> {
        self.may_have_console(&*self.view(&tenant)?, &user, source).await?;
        let now = self.now();
        let mut entry = Entry::new(now, "login", Outcome::Done, user.as_str());
        entry.channel = Some(Channel::Admin);
        entry.source = source.to_owned();
        self.record(&tenant, entry).await?;
        let token = SessionToken::generate().map_err(no_random)?;
        let session = Session::begin(&token.digest(), tenant.clone(), user.clone(), source, now);
        let expires = session.expires;
        self.0.sessions.open(token.digest(), session, now);
        // It may have been withdrawn while this login waited, before there was a session to end.
        let view = self.view(&tenant)?;
        let admits = view.credentials.stored(&user).is_some_and(|stored| stored.admits_as(credential));
        let may = if admits { self.may_have_console(&view, &user, source).await } else { Ok(()) };
        if !admits || may.is_err() {
            self.0.sessions.close(&token.digest());
            return may.map(|()| None);
        }
        Ok(Some(LoggedIn { session: token.expose().to_owned(), user, tenant, expires }))
    }
}

/// The password may open a session as it is.
fn must_not_change(view: &View, user: &UserId, password: &Password) -> Result<(), Error> {
    let expired = view.credentials.stored(user).is_some_and(|stored| stored.must_change);
    let reason = match expired {
        true => Some("an administrator asks for another".to_owned()),
        false => falls_short(view, user, password)?,
    };
    let told = |reason| format!("the password has to be changed: {reason} (send `new_password` with it)");
    reason.map_or(Ok(()), |reason| Err(Error::invalid("LG-PASSWORD-CHANGE", told(reason))))
}

/// A failed attempt names the user only if it could be one, so that a password typed into the wrong
/// field does not end up in the log.
fn named(user: &str) -> String {
    UserId::parse(user).map_or_else(|_| "-".to_owned(), |id| id.to_string())
}
