//! Credentials that administrators hand out: one-time tokens for the first login or a reset, and API
//! keys. Each is shown once; what is kept does not give it back.

use std::collections::BTreeMap;

use lockgate_access::Scope;
use lockgate_model::{
    Channel, Kind, Permission, Timestamp,
    definition::User,
    id::{EnvironmentId, KeyId, UserId},
};
use serde::Serialize;

use lockgate_identity::{ApiKey, Credential, DigestKey, Hash, OneTime, Password, Policy, StoredKey};

use crate::{Caller, Error, Runtime, View, change::Plan, hashing::Share, push::json};

/// Days an API key lasts unless another number is asked for, and at most.
const KEY_DAYS: i64 = 90;
const KEY_DAYS_MAX: i64 = 397;
const DAY_MS: i64 = 86_400_000;

/// A new API key, shown once.
#[derive(Serialize)]
pub struct NewKey {
    /// Its id, which may be shown again.
    pub id: KeyId,
    /// The key, as it goes behind `Authorization: Bearer`.
    pub key: String,
    /// It ends by itself then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// An API key as it may be shown again: everything but the key.
#[derive(Debug, Clone, Serialize)]
pub struct KeyInfo {
    /// Its id.
    pub id: String,
    /// On whose behalf it acts.
    pub user: UserId,
    /// The only environment it is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentId>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// The row of a user who has nothing but a one-time token, and the token.
pub(crate) fn token_row(key: &DigestKey, user: UserId, now: Timestamp) -> Result<(String, serde_json::Value), Error> {
    let token = OneTime::generate(user).map_err(no_random)?;
    let row = Credential::default().with_token(token.stored(key, now));
    Ok((token.expose(), json(&row)?))
}

/// Ids of a user's API keys.
pub(crate) fn keys_of(view: &View, user: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for row in view.rows(Kind::ApiKey, "") {
        let key: StoredKey = row.read()?;
        if key.user.as_str() == user {
            found.push(row.id.clone());
        }
    }
    Ok(found)
}

pub(crate) fn no_random(_: lockgate_identity::NoRandom) -> Error {
    Error::Internal { what: "drawing random bytes".into() }
}

impl Runtime {
    /// A credential row with a password, hashed when a slot is free.
    pub(crate) async fn password_row(
        &self,
        share: Share,
        old: Credential,
        password: Password,
    ) -> Result<serde_json::Value, Error> {
        let hash = self.0.hashing.run(share, move || Hash::of(&password)).await?;
        let hash = hash.map_err(|_| Error::Internal { what: "hashing the password".into() })?;
        json(&old.with_password(hash))
    }

    /// Checks a new password against the tenant's policy and the user's history, and makes its row.
    pub(crate) async fn new_password_row(
        &self,
        view: &View,
        user: &UserId,
        password: Password,
        source: &str,
    ) -> Result<serde_json::Value, Error> {
        let share = self.share(view.tenant.as_str(), source);
        let row: Option<User> = view.read(Kind::User, user.as_str())?;
        let title = row.map(|r| r.title).unwrap_or_default();
        let weak =
            |reason: String| Error::invalid("LG-PASSWORD", format!("the new password cannot be taken: {reason}"));
        Policy::default()
            .check(&[user.as_str(), &title], &password)
            .map_err(|all| weak(all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
        let old = view.credentials.stored(user).cloned().unwrap_or_default();
        let (used, old, password) = self
            .0
            .hashing
            .run(share, move || {
                let used = old.was_used(&password);
                (used, old, password)
            })
            .await?;
        if used {
            return Err(weak("it was used before".to_owned()));
        }
        self.password_row(share, old, password).await
    }

    /// Gives a user a one-time token: for the first login, or to set a forgotten password anew.
    pub async fn invite(&self, caller: &Caller, user: &UserId) -> Result<String, Error> {
        self.change(caller, |view| {
            let decision = self.manages(view, caller, user)?;
            if decision.is_allowed() {
                let row: User =
                    view.read(Kind::User, user.as_str())?.ok_or_else(|| Error::not_found(format!("user `{user}`")))?;
                if row.kind != lockgate_model::principal::UserKind::Native {
                    return Err(Error::invalid("LG-NO-PASSWORD", format!("user `{user}` has no password here")));
                }
            }
            let token = OneTime::generate(user.clone()).map_err(no_random)?;
            let old = view.credentials.stored(user).cloned().unwrap_or_default();
            let row = old.with_token(token.stored(&view.digest_key, self.now()));
            Ok(Plan {
                decision,
                event: "reset",
                object: format!("user/{user}"),
                fields: vec!["token".to_owned()],
                detail: BTreeMap::new(),
                puts: vec![(Kind::Credential, user.to_string(), json(&row)?)],
                deletes: Vec::new(),
                answer: token.expose(),
            })
        })
        .await
    }

    /// Makes an API key for a user.
    pub async fn add_key(
        &self,
        caller: &Caller,
        user: &UserId,
        environment: Option<EnvironmentId>,
        days: Option<i64>,
    ) -> Result<NewKey, Error> {
        let days = days.unwrap_or(KEY_DAYS);
        self.change(caller, |view| {
            let decision = self.manages(view, caller, user)?;
            if decision.is_allowed() {
                if !(1..=KEY_DAYS_MAX).contains(&days) {
                    let text = format!("a key lasts 1 to {KEY_DAYS_MAX} days, not {days}");
                    return Err(Error::invalid("LG-KEY-DAYS", text));
                }
                if view.row(Kind::User, user.as_str()).is_none() {
                    return Err(Error::not_found(format!("user `{user}`")));
                }
                if let Some(environment) = &environment
                    && view.row(Kind::Environment, environment.as_str()).is_none()
                {
                    return Err(Error::not_found(format!("environment `{environment}`")));
                }
            }
            let key = ApiKey::generate().map_err(no_random)?;
            let expires = Some(self.now().plus_ms(days.saturating_mul(DAY_MS)));
            let row = key.stored(&view.digest_key, user.clone(), environment.clone(), expires);
            Ok(Plan {
                decision,
                event: "add",
                object: format!("api-key/{}", key.id()),
                fields: Vec::new(),
                detail: BTreeMap::new(),
                puts: vec![(Kind::ApiKey, key.id().to_string(), json(&row)?)],
                deletes: Vec::new(),
                answer: NewKey { id: key.id().clone(), key: key.expose(), expires },
            })
        })
        .await
    }

    /// A user's API keys.
    pub async fn keys(&self, caller: &Caller, user: &UserId) -> Result<Vec<KeyInfo>, Error> {
        let view = self.may_read(caller, Permission::UserManagement, Scope::Tenant).await?;
        let mut found = Vec::new();
        for id in keys_of(&view, user.as_str())? {
            let row: StoredKey = view.read(Kind::ApiKey, &id)?.ok_or_else(|| Error::not_found("key"))?;
            found.push(KeyInfo { id, user: row.user, environment: row.environment, expires: row.expires });
        }
        Ok(found)
    }

    /// Ends an API key.
    pub async fn remove_key(&self, caller: &Caller, key: &KeyId) -> Result<(), Error> {
        self.change(caller, |view| {
            let row: Option<StoredKey> = view.read(Kind::ApiKey, key.as_str())?;
            let whose = row.as_ref().map_or(&caller.principal.user, |row| &row.user);
            let decision = self.manages(view, caller, whose)?;
            if decision.is_allowed() && row.is_none() {
                return Err(Error::not_found(format!("key `{key}`")));
            }
            Ok(Plan {
                decision,
                event: "delete",
                object: format!("api-key/{key}"),
                fields: Vec::new(),
                detail: BTreeMap::new(),
                puts: Vec::new(),
                deletes: vec![(Kind::ApiKey, key.to_string())],
                answer: (),
            })
        })
        .await
    }

    /// Handing out a credential of somebody is acting as them: whoever may manage users, but may not
    /// give rights, must not get at another's rights that way. A user without any right is safe.
    fn manages(&self, view: &View, caller: &Caller, user: &UserId) -> Result<lockgate_access::Decision, Error> {
        let ask = |permission| {
            let (principal, now) = (&caller.principal, self.now());
            lockgate_access::decide(&view.snapshot, principal, permission, Scope::Tenant, Channel::Admin, now)
        };
        let row: Option<User> = view.read(Kind::User, user.as_str())?;
        let holds = row.is_none_or(|row| !row.profiles.is_empty() || !row.groups.is_empty())
            || view.rows(Kind::ProjectPermission, "").any(|row| row.body.to_string().contains(&format!("\"{user}\"")));
        let decision = ask(Permission::UserManagement);
        Ok(if holds { decision.and_also(ask(Permission::AccessControl)) } else { decision })
    }
}
