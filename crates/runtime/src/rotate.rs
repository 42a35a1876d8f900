//! Operator: another master key, and all secrets sealed anew under another key, while requests run.
//!
//! First the new keys are durable; then each tenant's secrets are sealed anew by ordinary changes of a few rows; at the
//! end the keys that seal nothing any more are dropped. A crash anywhere leaves every secret readable, since keys are
//! dropped last; the next rotation does what was left.

use std::collections::BTreeMap;

use lockgate_keys::{Binding, Keeper};
use lockgate_model::{
    Kind,
    audit::{Entry, Outcome},
    id::{EnvironmentId, TenantId},
};
use lockgate_store::{Change, Put};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Error, Runtime, View,
    account::{SecretRow, sealing_failed},
    push::json,
};

/// Secrets of one change: others wait for it.
const BATCH: usize = 100;
/// Times a batch is made again when others change the tenant.
const ATTEMPTS: usize = 64;

/// What the keys of an installation seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeysInUse {
    /// Number of the key that new secrets are sealed with.
    pub current: u32,
    /// Values that each key seals, by its number.
    pub sealed: BTreeMap<u32, u64>,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// Number of the new key.
    pub current: u32,
    /// Secrets that were sealed anew.
    pub resealed: u64,
    /// Numbers of the keys that are kept, because something is still sealed with them.
    pub kept: Vec<u32>,
}

impl Runtime {
    /// Operator: which key seals how much.
    pub fn operator_keys(&self) -> KeysInUse {
        let mut sealed = BTreeMap::new();
        for tenant in self.0.views.tenants() {
            if let Some(view) = self.0.views.get(&tenant) {
                view.all_rows().for_each(|row| count(&row.body, &mut sealed));
            }
        }
        KeysInUse { current: self.0.master.current(), sealed }
    }

    /// Operator: rotates to another master key, kept by `to`. Each tenant's audit log tells of it first.
    pub async fn operator_rotate(&self, to: Keeper) -> Result<Rotated, Error> {
        let Ok(_one) = self.0.rotating.try_lock() else {
            let message = "another rotation is under way, or a backup begins: wait until it is done".to_owned();
            return Err(Error::Conflict { code: "LG-KEYS-ROTATING", message });
        };
        let tenants = self.0.store.tenants().await?;
        for tenant in &tenants {
            self.record(tenant, Entry::new(self.now(), "operator-keys", Outcome::Done, "operator")).await?;
        }
        let current = {
            // Whoever sealed with the old key has committed it when this is reached.
            let _alone = self.0.sealing.write().await;
            let master = self.0.master.clone();
            let rotated = tokio::task::spawn_blocking(move || master.rotate(&to)).await;
            let rotated = rotated.map_err(|_| Error::Internal { what: "rotating keys".into() })?;
            rotated.map_err(|e| Error::invalid("LG-KEYS", format!("the keys were not rotated: {e}")))?
        };
        let mut resealed = 0;
        let mut all = true;
        for tenant in &tenants {
            match self.reseal(tenant, current).await {
                Ok(count) => resealed += count,
                // Its secrets stay under the key they are under, which stays for them.
                Err(error) => {
                    all = false;
                    tracing::error!(%tenant, %error, "secrets could not be sealed anew; their key is kept");
                }
            }
        }
        // A tenant that cannot be read may hold anything.
        let used = self.operator_keys().sealed;
        all &= tenants.iter().all(|tenant| self.0.views.get(tenant).is_some());
        let master = self.0.master.clone();
        let retired = tokio::task::spawn_blocking(move || master.retire(|key| !all || used.contains_key(&key))).await;
        let kept = retired.map_err(|_| Error::Internal { what: "rotating keys".into() })?;
        let kept = kept.map_err(|e| Error::invalid("LG-KEYS", format!("old keys could not be dropped: {e}")))?;
        tracing::info!(current, resealed, "keys are rotated");
        Ok(Rotated { current, resealed, kept })
    }

    /// Seals a tenant's secrets anew that are not under this key; answers how many.
    async fn reseal(&self, tenant: &TenantId, current: u32) -> Result<u64, Error> {
        let (mut done, mut failed) = (0, 0);
        loop {
            let next = self.0.store.next_revision(tenant).await?;
            let view = self.view(tenant)?;
            let version = next.max(view.revision.next()).0;
            let puts = self.resealed(&view, current, version)?;
            if puts.is_empty() {
                return Ok(done);
            }
            let count = puts.len() as u64;
            let mut entry = Entry::new(self.now(), "key-rotate", Outcome::Done, "operator");
            entry.detail.insert("key".to_owned(), current.to_string());
            entry.detail.insert("count".to_owned(), count.to_string());
            // They open at the revision they were sealed for, and nobody has them any more if they get another.
            entry.revision = version;
            let expected = Some(view.revision);
            let change = Change { tenant: tenant.clone(), entry, expected, puts, deletes: Vec::new() };
            match self.settle(tenant, self.0.store.commit(change).await).await? {
                Some(_) => done += count,
                None if failed < ATTEMPTS => failed += 1,
                None => return Err(Error::Unavailable { what: "a tenant that others change all the time".into() }),
            }
        }
    }

    /// The next few secrets, sealed anew for the revision that they will have.
    fn resealed(&self, view: &View, current: u32, version: u64) -> Result<Vec<Put>, Error> {
        let mut puts = Vec::new();
        for row in view.rows(Kind::Secret, "") {
            let body: SecretRow = row.read()?;
            if body.sealed.key() == current {
                continue;
            }
            let environment = row.id.split('/').next().and_then(|id| EnvironmentId::parse(id).ok());
            let binding =
                Binding { tenant: &view.tenant, environment: environment.as_ref(), id: &row.id, version: body.version };
            let secret = match body.opens_at(row.revision).then(|| self.0.master.unseal(&binding, &body.sealed)) {
                Some(Ok(secret)) => secret,
                // Changed from outside: it opens nowhere, and must not become one that does.
                _ => {
                    tracing::error!(tenant = %view.tenant, id = row.id, "a sealed secret does not open; it stays as it is");
                    continue;
                }
            };
            let sealed = self.0.master.seal(&Binding { version, ..binding }, secret.expose());
            let body = json(&SecretRow { version, sealed: sealed.map_err(sealing_failed)? })?;
            puts.push(Put { kind: Kind::Secret, id: row.id.clone(), body });
            if puts.len() == BATCH {
                return Ok(puts);
            }
        }
        for row in view.rows(Kind::Credential, "") {
            if let Some(body) = self.resealed_factor(view, row, current, version)? {
                puts.push(Put { kind: Kind::Credential, id: row.id.clone(), body });
            }
            if puts.len() == BATCH {
                break;
            }
        }
        Ok(puts)
    }
}

/// Counts sealed values, wherever they are in a row: who seals something new need not be known here.
fn count(body: &Value, sealed: &mut BTreeMap<u32, u64>) {
    match body {
        Value::Object(members) if ["v", "wrapped", "nonce", "ciphertext"].iter().all(|m| members.contains_key(*m)) => {
            let key = members.get("key").and_then(Value::as_u64).unwrap_or_default();
            *sealed.entry(u32::try_from(key).unwrap_or(u32::MAX)).or_default() += 1;
        }
        Value::Object(members) => members.values().for_each(|value| count(value, sealed)),
        Value::Array(items) => items.iter().for_each(|value| count(value, sealed)),
        _ => {}
    }
}
