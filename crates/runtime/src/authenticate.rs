//! Authentication: an `Authorization` header becomes a [`Caller`], or 401 that says nothing.
//!
//! A Basic credential that was verified is remembered in memory by a keyed digest over it and the
//! revision of the user's own rows, so that a listener does not pay Argon2 for each request and a
//! changed user or password is asked again at once. Unknown tenants, unknown users and wrong
//! passwords cost the same and look the same.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use dashmap::DashMap;
use lockgate_identity::{Basic, BasicKey, PasswordCheck, Presented};
use lockgate_model::{
    Digest, Principal, Timestamp,
    audit::{Entry, Outcome},
    id::{TenantId, UserId},
    principal::CredentialKind,
};

use crate::{Error, Runtime, View, hashing::Share, network::Network};

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

/// Sources whose attempts are counted one by one at a time; those that come on top are `other`, all
/// in one.
const SOURCES_MAX: usize = 1_000;
/// One entry tells of all attempts of a source in this time.
const ATTEMPTS_MS: i64 = 10_000;

/// Failed attempts by tenant and source since their last audit entry.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<Counted>);

/// Whose attempts are counted as one: of a source and, where the password was right, of a user. `None`: of all other
/// sources.
type Counting = (TenantId, Option<(Network, Option<UserId>)>);

#[derive(Default)]
struct Counted {
    sources: HashMap<Counting, (Timestamp, u64)>,
    /// When it was last looked through for what is over.
    cleared: Option<Timestamp>,
}

/// What there is to tell: of whom, and how many attempts.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    source: String,
    attempts: u64,
}

impl Attempts {
    /// Counts one; what to tell of, when it is time for an entry.
    fn note(&self, tenant: &TenantId, source: Network, proved: Option<&UserId>, now: Timestamp) -> Option<Told> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (tenant.clone(), Some((source, proved.cloned())));
        if counted.sources.len() >= SOURCES_MAX && !counted.sources.contains_key(&key) {
            if counted.cleared.is_none_or(|last| last.plus_ms(ATTEMPTS_MS) <= now) {
                counted.sources.retain(|_, (last, _)| last.plus_ms(ATTEMPTS_MS) > now);
                counted.cleared = Some(now);
            }
            if counted.sources.len() >= SOURCES_MAX {
                key.1 = None;
            }
        }
        let told = key.1.as_ref().map_or_else(|| "other".to_owned(), |(source, _)| source.to_string());
        let (last, attempts) = counted.sources.entry(key).or_insert((Timestamp(i64::MIN), 0));
        *attempts += 1;
        if last.plus_ms(ATTEMPTS_MS) > now {
            return None;
        }
        *last = now;
        Some(Told { source: told, attempts: std::mem::take(attempts) })
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

    /// The same for the admin API: an access token is for the orchestrations and APIs of an environment, and no credential
    /// here.
    pub async fn authenticate_administration(
        &self,
        tenant: &str,
        authorization: Option<&str>,
        source: &str,
    ) -> Result<Caller, Error> {
        let caller = self.authenticate(tenant, authorization, source).await?;
        if caller.principal.credential == CredentialKind::AccessToken {
            self.note_attempt(tenant, source, "authenticate", "-").await;
            return Err(Error::Unauthenticated);
        }
        Ok(caller)
    }

    /// Tells of an attempt by which nobody was established.
    pub(crate) async fn note_attempt(&self, tenant: &str, source: &str, event: &'static str, who: &str) {
        self.note_all(tenant, source, event, (who, None)).await;
    }

    /// Tells of an attempt by who had the right password of this user and lacked what `why` says; counted by user.
    pub(crate) async fn note_proved(
        &self,
        tenant: &TenantId,
        source: &str,
        event: &'static str,
        user: &UserId,
        why: &'static str,
    ) {
        self.note_all(tenant.as_str(), source, event, (user.as_str(), Some((user, why)))).await;
    }

    async fn note_all(
        &self,
        tenant: &str,
        source: &str,
        event: &'static str,
        (who, proved): (&str, Option<(&UserId, &'static str)>),
    ) {
        self.0.telemetry.metrics.login_failed(event);
        let Some(tenant) = TenantId::parse(tenant).ok().filter(|tenant| self.0.views.get(tenant).is_some()) else {
            return;
        };
        let now = self.now();
        let user = proved.map(|(user, _)| user);
        let Some(told) = self.0.attempts.note(&tenant, Network::of_text(source), user, now) else { return };
        let mut entry = Entry::new(now, event, Outcome::Failed, who);
        entry.source = told.source;
        entry.detail.insert("attempts".to_owned(), told.attempts.to_string());
        if let Some((user, why)) = proved {
            entry.object = format!("user/{user}");
            entry.detail.insert("step".to_owned(), why.to_owned());
        }
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
                let principal = self.basic(tenant, view.clone(), basic, source).await?;
                let verified = view.ok_or(Error::Unauthenticated)?;
                let view = self.view(&verified.tenant)?;
                // Verifying may have waited, and the password may be another one since.
                let password = |of: &View| of.credentials.stored(&principal.user).and_then(|s| s.password.clone());
                if !Arc::ptr_eq(&verified, &view) && password(&verified) != password(&view) {
                    return Err(Error::Unauthenticated);
                }
                let alone = view.credentials.password_alone(&principal.user);
                alone.map(|()| caller(principal, None)).map_err(|_| Error::Unauthenticated)
            }
            Presented::ApiKey(key) => {
                let view = view.ok_or(Error::Unauthenticated)?;
                let principal = view.credentials.api_key(&key, &view.digest_key, now);
                if principal.is_ok() {
                    self.0.keys_seen.note(&view.tenant, key.id(), now);
                }
                principal.map(|p| caller(p, None)).map_err(|_| Error::Unauthenticated)
            }
            Presented::AccessToken(token) => {
                self.by_token(tenant, view.as_deref(), &token).map(|principal| caller(principal, None))
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

    /// Whose user id and password these are. `tenant` is what was presented, whether it is there or not.
    pub(crate) async fn basic(
        &self,
        tenant: &str,
        view: Option<Arc<View>>,
        basic: Basic,
        source: &str,
    ) -> Result<Principal, Error> {
        // The digest covers the revisions of the user's own rows: any change of them is a miss.
        let recall = || {
            let (remembered, now) = (&self.0.remembered, self.now());
            let credentials = &view.as_ref()?.credentials;
            credentials.recall(&remembered.key, &basic, |digest| remembered.holds(digest, now))
        };
        if let Some(principal) = recall() {
            return Ok(principal);
        }
        let turn = self.0.guesses.turn(tenant, &basic.user, Network::of_text(source)).await?;
        // Of many requests that begin with the same credential one pays for it.
        if let Some(principal) = recall() {
            return Ok(principal);
        }
        let check = PasswordCheck::of(view.as_ref().map(|v| &v.credentials), &basic);
        let work = move || {
            let verified = check.verify(&basic);
            (verified, basic)
        };
        let (verified, basic) = self.0.hashing.run(self.share(tenant, source), work).await?;
        let Ok(principal) = verified else {
            turn.failed();
            return Err(Error::Unauthenticated);
        };
        turn.right();
        let remembered = &self.0.remembered;
        if let Some(digest) = view.as_ref().and_then(|v| v.credentials.basic_digest(&remembered.key, &basic)) {
            remembered.add(digest, self.now());
        }
        Ok(principal)
    }

    /// Whose place in the queue for hashing is taken.
    pub(crate) fn share(&self, tenant: &str, source: &str) -> Share {
        Share { tenant: self.0.guesses.digest(tenant), source: Network::of_text(source) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str, attempts: u64) -> Option<Told> {
        Some(Told { source: source.to_owned(), attempts })
    }

    #[test]
    fn a_flood_of_attempts_is_one_entry_that_counts_them() {
        let (attempts, tenant) = (Attempts::default(), TenantId::parse("t").unwrap());
        let note = |source, ms| attempts.note(&tenant, Network::of_text(source), None, Timestamp::from_ms(ms));
        assert_eq!(note("192.0.2.1", 0), told("192.0.2.1", 1));
        assert!((1..1_000).all(|ms| note("192.0.2.1", ms).is_none()));
        assert_eq!(note("192.0.2.2", 5), told("192.0.2.2", 1), "another source");
        assert_eq!(note("192.0.2.1", 10_000), told("192.0.2.1", 1_000));
    }

    #[test]
    fn many_addresses_make_few_entries() {
        let (attempts, tenant) = (Attempts::default(), TenantId::parse("t").unwrap());
        let note = |source: Network, ms| attempts.note(&tenant, source, None, Timestamp::from_ms(ms));
        let v6 = |network: u128, host: u128| {
            Network::of(std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (network << 64) | host).into())
        };
        let one_subscriber = (0..10_000).filter_map(|host| note(v6(7, host), 0)).collect::<Vec<_>>();
        assert_eq!(one_subscriber, [told("2001:db8:0:7::/64", 1).unwrap()]);
        let entries: Vec<Told> = (0..50_000).filter_map(|network| note(v6(network, 1), 0)).collect();
        assert_eq!(entries.len(), SOURCES_MAX, "one each, and one for all others");
        assert_eq!(entries.last(), told("other", 1).as_ref());
        assert!(attempts.0.lock().unwrap().sources.len() <= SOURCES_MAX + 1);
        // Attempts of who has a right password are counted by user: another's do not hide them.
        let proved = |user, ms| {
            let (source, user) = (Network::of_text("192.0.2.1"), UserId::parse(user).unwrap());
            attempts.note(&tenant, source, Some(&user), Timestamp::from_ms(ms))
        };
        assert_eq!(proved("ada", 20_000), told("192.0.2.1", 1));
        assert_eq!(proved("ben", 20_000), told("192.0.2.1", 1));
        assert_eq!(proved("ada", 20_001), None);
        // What is over makes room.
        assert_eq!(note(v6(60_000, 1), 20_000), told("2001:db8:0:ea60::/64", 1));
    }
}
