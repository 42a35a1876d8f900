//! Authentication: an `Authorization` header becomes a [`Caller`], or 401 that says nothing.
//!
//! A Basic credential that was verified is remembered in memory by a keyed digest over it and the
//! revision of the user's own rows, for the source it came from, so that a listener does not pay Argon2 for each request and a
//! changed user or password is asked again at once. Unknown tenants, unknown users and wrong
//! passwords cost the same and look the same.

use std::sync::{Arc, PoisonError, RwLock};

use lockgate_identity::{Basic, BasicKey, PasswordCheck, Presented};
use lockgate_model::{Channel, Digest, Principal, Timestamp, id::TenantId, principal::CredentialKind};

use crate::{Error, Runtime, View, fair::Fair, hashing::Share, network::Network};

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

/// Verified Basic credentials remembered at a time, of all tenants: of a hundred thousand users who call, from two sources
/// each.
const REMEMBERED_MAX: usize = 200_000;
/// A remembered credential is verified again after this long.
const REMEMBERED_MS: i64 = 3_600_000;

/// Remembered Basic credentials, each for the source that it came from: from elsewhere a right guess waits as long as wrong
/// ones do.
pub(crate) struct Remembered {
    key: BasicKey,
    held: RwLock<Fair<TenantId, (Digest, Network), (), Timestamp>>,
}

impl Remembered {
    pub(crate) fn new() -> Result<Self, Error> {
        let key = BasicKey::random().map_err(|_| Error::Internal { what: "drawing random bytes".into() })?;
        Ok(Self { key, held: RwLock::new(Fair::new(REMEMBERED_MAX)) })
    }

    fn holds(&self, digest: &Digest, source: Network, now: Timestamp) -> bool {
        self.held.read().unwrap_or_else(PoisonError::into_inner).get(&(*digest, source), now).is_some()
    }

    fn add(&self, tenant: &TenantId, digest: Digest, source: Network, now: Timestamp) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.insert(tenant.clone(), (digest, source), (), (now, now.plus_ms(REMEMBERED_MS)));
    }
}

impl Runtime {
    /// Establishes who sends a request to a tenant's address, to call what it offers. A credential that is not true is in
    /// the tenant's audit log, one entry for many from the same source.
    pub async fn authenticate(&self, tenant: &str, authorization: Option<&str>, source: &str) -> Result<Caller, Error> {
        self.authenticate_on(Channel::Rest, tenant, authorization, source).await
    }

    async fn authenticate_on(
        &self,
        channel: Channel,
        tenant: &str,
        authorization: Option<&str>,
        source: &str,
    ) -> Result<Caller, Error> {
        let established = self.establish(tenant, authorization, source).await;
        if let (Some(header), Err(Error::Unauthenticated)) = (authorization, &established) {
            let user = match Presented::parse(header) {
                Ok(Presented::Basic(basic)) => basic.user,
                _ => String::new(),
            };
            self.note_attempt(tenant, source, (channel, "authenticate"), ("-", &user)).await;
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
        let caller = self.authenticate_on(Channel::Admin, tenant, authorization, source).await?;
        if caller.principal.credential == CredentialKind::AccessToken {
            let user = caller.principal.user.as_str();
            self.note_attempt(tenant, source, (Channel::Admin, "authenticate"), ("-", user)).await;
            return Err(Error::Unauthenticated);
        }
        Ok(caller)
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
                let Some(view) = view else {
                    key.is_nobodys();
                    return Err(Error::Unauthenticated);
                };
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
                let digest = token.digest();
                let session = self.0.sessions.find(&digest, now);
                let (view, session) = view.zip(session).ok_or(Error::Unauthenticated)?;
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
        let from = Network::of_text(source);
        // The digest covers the revisions of the user's own rows: any change of them is a miss.
        let recall = || {
            let (remembered, now) = (&self.0.remembered, self.now());
            let credentials = &view.as_ref()?.credentials;
            credentials.recall(&remembered.key, &basic, |digest| remembered.holds(digest, from, now))
        };
        if let Some(principal) = recall() {
            return Ok(principal);
        }
        let turn = self.0.guesses.turn(tenant, &basic.user, from).await?;
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
        // An account that took too many wrong ones takes this one for wrong too.
        if !turn.right() {
            return Err(Error::Unauthenticated);
        }
        let remembered = &self.0.remembered;
        if let Some(digest) = view.as_ref().and_then(|v| v.credentials.basic_digest(&remembered.key, &basic)) {
            remembered.add(&principal.tenant, digest, from, self.now());
        }
        Ok(principal)
    }

    /// Whose place in the queue for hashing is taken.
    pub(crate) fn share(&self, tenant: &str, source: &str) -> Share {
        Share { tenant: self.0.guesses.digest(tenant), source: Network::of_text(source) }
    }
}
