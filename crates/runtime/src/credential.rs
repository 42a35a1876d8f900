//! Credentials that administrators hand out: one-time tokens for the first login or a reset, and API
//! keys. Each is shown once; what is kept does not give it back.

use std::collections::BTreeMap;

use dashmap::DashMap;
use lockgate_access::Scope;
use lockgate_model::{
    Channel, Kind, Permission, Timestamp,
    definition::User,
    id::{EnvironmentId, KeyId, TargetName, TenantId, UserId},
};
use serde::{Deserialize, Serialize};

use lockgate_identity::{ApiKey, Credential, DigestKey, OneTime, StoredKey};

use crate::{Caller, Error, Runtime, View, change::Plan, push::json};

/// Days an API key lasts unless another number is asked for, and at most.
const KEY_DAYS: i64 = 90;
const KEY_DAYS_MAX: i64 = 397;
const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;
/// Targets one key may name.
const TARGETS_MAX: usize = 100;

/// What an API key is to be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyWanted {
    /// The only environment it is good for; absent for all of the user's.
    #[serde(default)]
    pub environment: Option<EnvironmentId>,
    /// The orchestrations and APIs it may call, and do nothing else; empty for whatever the user may.
    #[serde(default)]
    pub targets: Vec<TargetName>,
    /// It is a client's: sent to the token endpoint alone, for access tokens.
    #[serde(default)]
    pub client: bool,
    /// How many days it lasts; absent for 90.
    #[serde(default)]
    pub days: Option<i64>,
    /// For people.
    #[serde(default)]
    pub title: String,
}

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
    /// The orchestrations and APIs it may call, and do nothing else; empty for no such limit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetName>,
    /// It is a client's: good for access tokens alone.
    pub client: bool,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// When this server saw it last, to the minute; absent if not since it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
}

/// When keys were seen last.
#[derive(Debug, Default)]
pub(crate) struct KeysSeen(DashMap<(TenantId, KeyId), Timestamp>);

impl KeysSeen {
    /// Notes a use, to the minute: not each of many requests writes.
    pub(crate) fn note(&self, tenant: &TenantId, key: &KeyId, now: Timestamp) {
        let place = (tenant.clone(), key.clone());
        if self.0.get(&place).is_none_or(|last| last.plus_ms(MINUTE_MS) <= now) {
            self.0.insert(place, now);
        }
    }

    fn last(&self, tenant: &TenantId, key: &KeyId) -> Option<Timestamp> {
        self.0.get(&(tenant.clone(), key.clone())).map(|last| *last)
    }

    fn forget(&self, tenant: &TenantId, key: &KeyId) {
        self.0.remove(&(tenant.clone(), key.clone()));
    }
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
    /// Gives a user a one-time token: for the first login, or to set a forgotten password anew.
    pub async fn invite(&self, caller: &Caller, user: &UserId) -> Result<String, Error> {
        self.change(caller, |view| {
            let decision = self.manages(view, caller, user)?;
            if decision.is_allowed() {
                let row: User =
                    view.read(Kind::User, user.as_str())?.ok_or_else(|| Error::not_found(format!("user `{user}`")))?;
                if row.kind != lockgate_model::principal::UserKind::Native {
                    let message = format!("user `{user}` has no password here");
                    return Err(Error::Conflict { code: "LG-NO-PASSWORD", message });
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
    pub async fn add_key(&self, caller: &Caller, user: &UserId, wanted: &KeyWanted) -> Result<NewKey, Error> {
        let days = wanted.days.unwrap_or(KEY_DAYS);
        self.change(caller, |view| {
            let decision = self.stands_for(view, caller);
            if decision.is_allowed() {
                if !(1..=KEY_DAYS_MAX).contains(&days) {
                    let text = format!("a key lasts 1 to {KEY_DAYS_MAX} days, not {days}");
                    return Err(Error::invalid("LG-KEY-DAYS", text));
                }
                if view.row(Kind::User, user.as_str()).is_none() {
                    return Err(Error::not_found(format!("user `{user}`")));
                }
                if wanted.targets.len() > TARGETS_MAX {
                    let text = format!("a key names at most {TARGETS_MAX} orchestrations and APIs");
                    return Err(Error::invalid("LG-KEY-TARGETS", text));
                }
                if let Some(environment) = &wanted.environment
                    && view.row(Kind::Environment, environment.as_str()).is_none()
                {
                    return Err(Error::not_found(format!("environment `{environment}`")));
                }
            }
            let key = ApiKey::generate().map_err(no_random)?;
            let expires = Some(self.now().plus_ms(days.saturating_mul(DAY_MS)));
            let row = StoredKey {
                environment: wanted.environment.clone(),
                targets: wanted.targets.clone(),
                client: wanted.client,
                expires,
                title: wanted.title.clone(),
                ..key.stored(&view.digest_key, user.clone())
            };
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
            let StoredKey { user, environment, targets, client, expires, title, .. } = row;
            let last_used = KeyId::parse(&id).ok().and_then(|key| self.0.keys_seen.last(caller.tenant(), &key));
            found.push(KeyInfo { id, user, environment, targets, client, expires, title, last_used });
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
        .await?;
        self.0.keys_seen.forget(caller.tenant(), key);
        Ok(())
    }

    /// A key or a certificate is good for rights that its user gets later as well: making one is giving rights.
    pub(crate) fn stands_for(&self, view: &View, caller: &Caller) -> lockgate_access::Decision {
        let ask = |permission| {
            let (principal, now) = (&caller.principal, self.now());
            lockgate_access::decide(&view.snapshot, principal, permission, Scope::Tenant, Channel::Admin, now)
        };
        ask(Permission::UserManagement).and_also(ask(Permission::AccessControl))
    }

    /// Handing out a credential of somebody is acting as them: whoever may manage users, but may not
    /// give rights, must not get at another's rights that way. A user without any right is safe.
    pub(crate) fn manages(
        &self,
        view: &View,
        caller: &Caller,
        user: &UserId,
    ) -> Result<lockgate_access::Decision, Error> {
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
