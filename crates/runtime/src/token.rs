//! OAuth 2.0 client credentials (RFC 6749 §4.4): a client proves itself at the token endpoint of an
//! environment and gets an access token for it.
//!
//! A client is a key of a user that was made for this. Who a token acts as and whether it still may is asked
//! at each request: ending the key, or disabling its user, ends the tokens that were given for it.

use lockgate_identity::{ACCESS_TOKEN_SECONDS, AccessToken, ApiKey, Claims};
use lockgate_model::{
    Channel, Principal,
    audit::{Entry, Outcome},
    id::{EnvironmentId, TenantId},
};
use zeroize::Zeroizing;

use crate::{Error, Runtime, View, account::SecretText, credential::no_random};

/// As `access` says it of every other act.
const SUSPENDED: &str = "tenant.suspended";

/// An access token as it is given, once.
pub struct GivenToken {
    /// The token; it goes behind `Authorization: Bearer`.
    pub token: Zeroizing<String>,
    /// It ends after so many seconds.
    pub seconds: i64,
}

impl Runtime {
    /// Gives a client an access token for an environment. What is wrong is not said: an unknown tenant,
    /// client and environment, and a wrong secret, look the same. That the tenant is suspended is told
    /// to who has proved to be a client.
    pub async fn give_token(
        &self,
        (tenant, environment): (&str, &str),
        client: &str,
        secret: &SecretText,
        source: &str,
    ) -> Result<GivenToken, Error> {
        let given = self.try_give_token(tenant, environment, client, secret, source).await;
        if given.as_ref().err() == Some(&Error::Unauthenticated) {
            self.note_attempt(tenant, source, (Channel::Rest, "token"), ("-", client)).await;
        }
        given
    }

    async fn try_give_token(
        &self,
        tenant: &str,
        environment: &str,
        client: &str,
        secret: &SecretText,
        source: &str,
    ) -> Result<GivenToken, Error> {
        let refused = Error::Unauthenticated;
        let key = ApiKey::parse(secret.expose()).filter(|key| key.id().as_str() == client);
        let view = TenantId::parse(tenant).ok().and_then(|tenant| self.0.views.get(&tenant));
        let (Some(key), Ok(environment)) = (key, EnvironmentId::parse(environment)) else {
            return Err(refused);
        };
        let Some(view) = view else {
            key.is_nobodys();
            return Err(refused);
        };
        let now = self.now();
        let user = view.credentials.client(&key, &environment, &view.digest_key, now).map_err(|_| refused)?;
        self.0.keys_seen.note(&view.tenant, key.id(), now);
        let mut entry = Entry::new(now, "token", Outcome::Done, user.as_str());
        entry.channel = Some(Channel::Rest);
        entry.object = format!("environment/{environment}");
        entry.source = source.to_owned();
        entry.detail.insert("client".to_owned(), key.id().to_string());
        if view.snapshot.is_suspended() {
            (entry.outcome, entry.rule) = (Outcome::Denied, SUSPENDED.to_owned());
            self.record(&view.tenant, entry).await?;
            return Err(Error::Forbidden { rule: SUSPENDED.to_owned() });
        }
        let claims =
            Claims::new(&view.tenant, &environment, (user.clone(), key.id().clone()), now).map_err(no_random)?;
        let keys = self.token_keys(&view.tenant, &environment)?;
        let message = claims.message(keys.current().kid());
        entry.detail.insert("token".to_owned(), claims.jti.clone());
        self.record(&view.tenant, entry).await?;
        let token = Zeroizing::new(format!("{message}.{}", keys.current().sign(message.as_bytes())));
        Ok(GivenToken { token, seconds: ACCESS_TOKEN_SECONDS })
    }

    /// What tells true access tokens of an environment: a JWK set (RFC 7517). It is there whether tenant and
    /// environment are or not, so that it tells nobody; `None` for what cannot be an id.
    pub fn token_key_set(&self, tenant: &str, environment: &str) -> Option<Result<serde_json::Value, Error>> {
        let (tenant, environment) = (TenantId::parse(tenant).ok()?, EnvironmentId::parse(environment).ok()?);
        Some(self.token_keys(&tenant, &environment).map(|keys| keys.jwks()))
    }

    /// Whose access token this is. The signature is asked before anything that it says, and of tenants that are not as of
    /// those that are: how long it takes tells nobody which there are.
    pub(crate) fn by_token(&self, tenant: &str, view: Option<&View>, token: &AccessToken) -> Result<Principal, Error> {
        let tenant = TenantId::parse(tenant).map_err(|_| Error::Unauthenticated)?;
        let environment = token.environment(&tenant).ok_or(Error::Unauthenticated)?;
        let keys = self.token_keys(&tenant, &environment)?;
        if !keys.hold(token.kid(), token.message(), token.signature()) {
            return Err(Error::Unauthenticated);
        }
        let view = view.ok_or(Error::Unauthenticated)?;
        view.credentials.access_token(token, &environment, self.now()).map_err(|_| Error::Unauthenticated)
    }

    fn token_keys(&self, tenant: &TenantId, environment: &EnvironmentId) -> Result<lockgate_keys::TokenKeys, Error> {
        self.0.master.token_keys(tenant, environment, self.now()).map_err(|error| {
            tracing::error!(%error, "the keys of access tokens cannot be derived");
            Error::Internal { what: "deriving a key".into() }
        })
    }
}
