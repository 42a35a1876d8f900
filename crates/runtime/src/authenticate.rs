//! Authentication: an `Authorization` header becomes a [`Caller`], or 401 that says nothing.
//!
//! A Basic credential that was verified is remembered in memory by a keyed digest over it and the
//! revision of the user's own rows, so that a listener does not pay Argon2 for each request and a
//! changed user or password is asked again at once. Unknown tenants, unknown users and wrong
//! passwords cost the same and look the same.

use std::sync::Arc;

use dashmap::DashMap;
use lockgate_identity::{Basic, BasicKey, PasswordCheck, Presented};
use lockgate_model::{
    Digest, Principal, Timestamp,
    audit::{Entry, Outcome},
    id::TenantId,
};

use crate::{Error, Runtime, View};

/// Who asks, established, with the tenant's view of that moment.
#[derive(Clone)]
pub struct Caller {
    /// The principal.
    pub principal: Principal,
    /// Where the request came from: an address without port, or empty.
    pub source: String,
    pub(crate) token: Option<Digest>,
}

impl Caller {
    /// The caller's tenant; all it asks for is there.
    pub fn tenant(&self) -> &TenantId {
        &self.principal.tenant
    }
}

/// Verified Basic credentials remembered at a time.
const REMEMBERED_MAX: usize = 10_000;
/// A remembered credential is verified again after this long.
const REMEMBERED_MS: i64 = 3_600_000;

/// Remembered Basic credentials.
pub(crate) struct Remembered {
    key: BasicKey,
    until: DashMap<Digest, Timestamp>,
}

impl Remembered {
    pub(crate) fn new() -> Result<Self, Error> {
        let key = BasicKey::random().map_err(|_| Error::Internal { what: "drawing random bytes".into() })?;
        Ok(Self { key, until: DashMap::new() })
    }

    fn holds(&self, digest: &Digest, now: Timestamp) -> bool {
        self.until.get(digest).is_some_and(|until| *until > now)
    }

    fn add(&self, digest: Digest, now: Timestamp) {
        if self.until.len() >= REMEMBERED_MAX {
            self.until.retain(|_, until| *until > now);
        }
        if self.until.len() >= REMEMBERED_MAX {
            self.until.clear();
        }
        self.until.insert(digest, now.plus_ms(REMEMBERED_MS));
    }
}

/// Sources whose attempts are counted at a time.
const SOURCES_MAX: usize = 10_000;
/// One entry tells of all attempts of a source in this time.
const ATTEMPTS_MS: i64 = 10_000;

/// Failed attempts by tenant and source since their last audit entry.
#[derive(Default)]
pub(crate) struct Attempts(DashMap<(TenantId, String), (Timestamp, u64)>);

impl Attempts {
    /// Counts one; the number of attempts to tell of, when it is time for an entry.
    fn note(&self, tenant: &TenantId, source: &str, now: Timestamp) -> Option<u64> {
        if self.0.len() >= SOURCES_MAX {
            self.0.retain(|_, (last, _)| last.plus_ms(ATTEMPTS_MS) > now);
        }
        let mut counted = self.0.entry((tenant.clone(), source.to_owned())).or_insert((Timestamp(i64::MIN), 0));
        let (last, attempts) = counted.value_mut();
        *attempts += 1;
        if last.plus_ms(ATTEMPTS_MS) > now {
            return None;
        }
        *last = now;
        Some(std::mem::take(attempts))
    }
}

impl Runtime {
    /// Establishes who sends a request to a tenant's address. A credential that is not true is in the
    /// tenant's audit log, one entry for many from the same source.
    pub async fn authenticate(&self, tenant: &str, authorization: Option<&str>, source: &str) -> Result<Caller, Error> {
        let established = self.establish(tenant, authorization, source).await;
        if authorization.is_some() && established.as_ref().err() == Some(&Error::Unauthenticated) {
            self.note_attempt(tenant, source, "authenticate", "-").await;
        }
        established
    }

    pub(crate) async fn note_attempt(&self, tenant: &str, source: &str, event: &'static str, who: &str) {
        self.0.telemetry.metrics.login_failed(event);
        let Some(tenant) = TenantId::parse(tenant).ok().filter(|tenant| self.0.views.get(tenant).is_some()) else {
            return;
        };
        let now = self.now();
        let Some(attempts) = self.0.attempts.note(&tenant, source, now) else { return };
        let mut entry = Entry::new(now, event, Outcome::Failed, who);
        entry.source = source.to_owned();
        entry.detail.insert("attempts".to_owned(), attempts.to_string());
        // Not awaited: who guesses passwords does not wait for our disk, nor learns of the tenant by it.
        if let Err(error) = self.0.store.append(&tenant, entry).await {
            tracing::error!(%error, "a failed authentication could not be recorded");
        }
    }

    async fn establish(&self, tenant: &str, authorization: Option<&str>, source: &str) -> Result<Caller, Error> {
        let presented = authorization.and_then(|header| Presented::parse(header).ok()).ok_or(Error::Unauthenticated)?;
        let view = TenantId::parse(tenant).ok().and_then(|tenant| self.0.views.get(&tenant));
        let now = self.now();
        let caller = |principal, token| Caller { principal, source: source.to_owned(), token };
        match presented {
            Presented::Basic(basic) => {
                let principal = self.basic(view, basic).await?;
                Ok(caller(principal, None))
            }
            Presented::ApiKey(key) => {
                let view = view.ok_or(Error::Unauthenticated)?;
                let principal = view.credentials.api_key(&key, &view.digest_key, now);
                principal.map(|p| caller(p, None)).map_err(|_| Error::Unauthenticated)
            }
            Presented::Session(token) => {
                let view = view.ok_or(Error::Unauthenticated)?;
                let digest = token.digest();
                let session = self.0.sessions.find(&digest, now).ok_or(Error::Unauthenticated)?;
                if session.tenant != view.tenant {
                    return Err(Error::Unauthenticated);
                }
                let principal = view.credentials.session(&session.user);
                principal.map(|p| caller(p, Some(digest))).map_err(|_| Error::Unauthenticated)
            }
        }
    }

    pub(crate) async fn basic(&self, view: Option<Arc<View>>, basic: Basic) -> Result<Principal, Error> {
        let now = self.now();
        let remembered = &self.0.remembered;
        // The digest covers the revisions of the user's own rows: any change of them is a miss.
        let recalled = view
            .as_ref()
            .and_then(|view| view.credentials.recall(&remembered.key, &basic, |digest| remembered.holds(digest, now)));
        if let Some(principal) = recalled {
            return Ok(principal);
        }
        let check = PasswordCheck::of(view.as_ref().map(|v| &v.credentials), &basic);
        let work = move || {
            let verified = check.verify(&basic);
            (verified, basic)
        };
        let tenant = view.as_ref().map(|view| &view.tenant);
        let (verified, basic) = self.0.hashing.run(tenant, work).await?;
        let principal = verified.map_err(|_| Error::Unauthenticated)?;
        if let Some(digest) = view.as_ref().and_then(|v| v.credentials.basic_digest(&remembered.key, &basic)) {
            remembered.add(digest, now);
        }
        Ok(principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_attempts_is_one_entry_that_counts_them() {
        let (attempts, tenant) = (Attempts::default(), TenantId::parse("t").unwrap());
        let at = Timestamp::from_ms;
        assert_eq!(attempts.note(&tenant, "a", at(0)), Some(1));
        assert!((1..1_000).all(|ms| attempts.note(&tenant, "a", at(ms)).is_none()));
        assert_eq!(attempts.note(&tenant, "b", at(5)), Some(1), "another source");
        assert_eq!(attempts.note(&tenant, "a", at(10_000)), Some(1_000));
    }
}
