//! Authentication: an `Authorization` header becomes a [`Caller`], or 401 that says nothing.
//!
//! A Basic credential that was verified is remembered in memory by a keyed digest over it and the
//! revision of the user's own rows, so that a listener does not pay Argon2 for each request and a
//! changed user or password is asked again at once. Unknown tenants, unknown users and wrong
//! passwords cost the same and look the same.

use std::sync::Arc;

use dashmap::DashMap;
use lockgate_identity::{Basic, BasicKey, PasswordCheck, Presented};
use lockgate_model::{Digest, Principal, Timestamp, id::TenantId};

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

impl Runtime {
    /// Establishes who sends a request to a tenant's address.
    pub async fn authenticate(&self, tenant: &str, authorization: Option<&str>, source: &str) -> Result<Caller, Error> {
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
        let (verified, basic) = self.0.hashing.run(work).await?;
        let principal = verified.map_err(|_| Error::Unauthenticated)?;
        if let Some(digest) = view.as_ref().and_then(|v| v.credentials.basic_digest(&remembered.key, &basic)) {
            remembered.add(digest, now);
        }
        Ok(principal)
    }
}
