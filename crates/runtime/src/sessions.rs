//! Live sessions, listed and ended: one's own, and others' by who manages users.

use lockgate_access::Scope;
use lockgate_model::{
    Channel, Kind, Permission, Timestamp,
    audit::{Entry, Outcome},
    id::UserId,
};
use serde::Serialize;

use crate::{Caller, Error, Runtime, session::Session};

/// A live session as it is shown: everything but its token.
#[derive(Debug, Clone, Serialize)]
pub struct SessionInfo {
    /// By what it can be ended.
    pub id: String,
    /// Whose.
    pub user: UserId,
    /// From where it was opened: an address without port; absent for the server's own machine.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// It ends by itself then.
    pub expires: Timestamp,
    /// The one that asks.
    pub own: bool,
}

impl Runtime {
    /// The caller's own sessions.
    pub async fn own_sessions(&self, caller: &Caller) -> Result<Vec<SessionInfo>, Error> {
        self.not_narrowed(caller).await?;
        Ok(self.listed(caller, &caller.principal.user))
    }

    /// A user's sessions.
    pub async fn sessions(&self, caller: &Caller, user: &UserId) -> Result<Vec<SessionInfo>, Error> {
        let view = self.may_read(caller, Permission::UserManagement, Scope::Tenant).await?;
        if view.row(Kind::User, user.as_str()).is_none() {
            return Err(Error::not_found(format!("user `{user}`")));
        }
        Ok(self.listed(caller, user))
    }

    /// Ends a session: one's own, or another's with the permission to manage users.
    pub async fn end_session(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        self.not_narrowed(caller).await?;
        let found = self.0.sessions.named(caller.tenant(), id, self.now());
        if found.as_ref().is_none_or(|session| session.user != caller.principal.user) {
            // Who may not end it does not learn whether it is there.
            self.may_read(caller, Permission::UserManagement, Scope::Tenant).await?;
        }
        let session = found.ok_or_else(|| Error::not_found("such session"))?;
        self.record_end(caller, &session.user, 1).await?;
        self.0.sessions.close_named(caller.tenant(), id);
        Ok(())
    }

    /// Ends all sessions of a user.
    pub async fn end_sessions(&self, caller: &Caller, user: &UserId) -> Result<(), Error> {
        let ending = self.sessions(caller, user).await?.len();
        self.record_end(caller, user, ending).await?;
        self.0.sessions.close_user(caller.tenant(), user);
        Ok(())
    }

    /// A credential that is narrowed is for what it is narrowed to, and not for its user's own affairs.
    pub(crate) async fn not_narrowed(&self, caller: &Caller) -> Result<(), Error> {
        let principal = &caller.principal;
        if principal.only_environment.is_some() || !principal.only_targets.is_empty() {
            self.may_read(caller, Permission::ManagePersonalSetup, Scope::Tenant).await?;
        }
        Ok(())
    }

    fn listed(&self, caller: &Caller, user: &UserId) -> Vec<SessionInfo> {
        let now = self.now();
        let asks = caller.token.and_then(|token| self.0.sessions.find(&token, now)).map(|session| session.id);
        let shown = |Session { id, user, source, opened, expires, .. }| {
            let own = asks.as_ref() == Some(&id);
            SessionInfo { id, user, source, opened, expires, own }
        };
        self.0.sessions.of_user(caller.tenant(), user, now).into_iter().map(shown).collect()
    }

    async fn record_end(&self, caller: &Caller, user: &UserId, sessions: usize) -> Result<(), Error> {
        let mut entry = Entry::new(self.now(), "session-end", Outcome::Done, caller.principal.user.as_str());
        entry.channel = Some(Channel::Admin);
        entry.object = format!("user/{user}");
        entry.source.clone_from(&caller.source);
        entry.detail.insert("sessions".to_owned(), sessions.to_string());
        self.record(caller.tenant(), entry).await
    }
}
