//! Login and logout: a password, or a one-time token that sets the password, becomes a session.

use lockgate_identity::{Basic, OneTime, Password, SessionToken};
use lockgate_model::{
    Channel, Kind, Timestamp,
    audit::{Entry, Outcome},
    id::{TenantId, UserId},
};
use lockgate_store::{Change, Put};
use serde::Serialize;

use crate::{
    Caller, Error, Runtime,
    account::SecretText,
    credential::no_random,
    session::{SESSION_MS, Session},
};

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

impl Runtime {
    /// Opens a session for a user id and password.
    pub async fn login_password(
        &self,
        tenant: &str,
        user: &str,
        password: SecretText,
        source: &str,
    ) -> Result<LoggedIn, Error> {
        let basic = Basic { user: user.to_owned(), password: Password::new(password.expose().to_owned()) };
        let view = TenantId::parse(tenant).ok().and_then(|tenant| self.0.views.get(&tenant));
        match self.basic(tenant, view, basic, source).await {
            Ok(principal) => self.open_session(principal.tenant, principal.user, source).await,
            Err(Error::Unauthenticated) => {
                self.note_attempt(tenant, source, "login", &named(user)).await;
                Err(Error::Unauthenticated)
            }
            Err(other) => Err(other),
        }
    }

    /// Spends a one-time token: sets the password and opens a session.
    pub async fn login_token(
        &self,
        tenant: &str,
        user: &str,
        token: SecretText,
        new_password: SecretText,
        source: &str,
    ) -> Result<LoggedIn, Error> {
        let view = TenantId::parse(tenant).ok().and_then(|tenant| self.0.views.get(&tenant));
        let view = view.ok_or(Error::Unauthenticated)?;
        let presented = OneTime::parse(token.expose()).filter(|token| token.user().as_str() == user);
        let found = presented.and_then(|token| view.credentials.one_time(&token, &view.digest_key, self.now()).ok());
        let Some(user) = found else {
            self.note_attempt(tenant, source, "login", &named(user)).await;
            return Err(Error::Unauthenticated);
        };
        let password = Password::new(new_password.expose().to_owned());
        let row = self.new_password_row(&view, &user, password, source).await?;
        let mut entry = Entry::new(self.now(), "password-change", Outcome::Done, user.as_str());
        entry.object = format!("user/{user}");
        entry.source = source.to_owned();
        // The view's revision is expected: of two who spend the same token one comes first.
        let change = Change {
            tenant: view.tenant.clone(),
            entry,
            expected: Some(view.revision),
            puts: vec![Put { kind: Kind::Credential, id: user.to_string(), body: row }],
            deletes: Vec::new(),
        };
        let committed = self.0.store.commit(change).await;
        if self.settle(&view.tenant, committed).await?.is_none() {
            return Err(Error::Conflict {
                code: "LG-BUSY",
                message: "the tenant was changed in between; try again".into(),
            });
        }
        self.0.sessions.close_user(&view.tenant, &user);
        self.open_session(view.tenant.clone(), user, source).await
    }

    /// Ends the session the caller came with.
    pub async fn logout(&self, caller: &Caller) -> Result<(), Error> {
        let mut entry = Entry::new(self.now(), "logout", Outcome::Done, caller.principal.user.as_str());
        entry.source.clone_from(&caller.source);
        self.record(caller.tenant(), entry).await?;
        if let Some(token) = caller.token {
            self.0.sessions.close(&token);
        }
        Ok(())
    }

    async fn open_session(&self, tenant: TenantId, user: UserId, source: &str) -> Result<LoggedIn, Error> {
        let now = self.now();
        let mut entry = Entry::new(now, "login", Outcome::Done, user.as_str());
        entry.channel = Some(Channel::Admin);
        entry.source = source.to_owned();
        self.record(&tenant, entry).await?;
        let token = SessionToken::generate().map_err(no_random)?;
        let expires = now.plus_ms(SESSION_MS);
        let session = Session { tenant: tenant.clone(), user: user.clone(), expires };
        self.0.sessions.open(token.digest(), session, now);
        Ok(LoggedIn { session: token.expose().to_owned(), user, tenant, expires })
    }
}

/// A failed attempt names the user only if it could be one, so that a password typed into the wrong
/// field does not end up in the log.
fn named(user: &str) -> String {
    UserId::parse(user).map_or_else(|_| "-".to_owned(), |id| id.to_string())
}
