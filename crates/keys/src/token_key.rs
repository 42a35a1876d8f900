//! The keys that access tokens are signed with: Ed25519 (RFC 8032), one for each environment and period,
//! derived from the key that secrets are sealed with.
//!
//! A rotation exchanges that one, and so all of these at once: who had the keys before it can sign no token, and the
//! tokens that were given end with it. A client asks for another one, as it does when one has run out.
//!
//! Nothing of them is stored, so they are there for an environment that does not exist as well as for one
//! that does, and publishing the public halves tells nobody which exist.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lockgate_model::{
    Digest, Timestamp,
    id::{EnvironmentId, TenantId},
};

use crate::{Error, Master};

/// A key signs for so long.
const PERIOD_SECONDS: i64 = 30 * 24 * 3_600;

/// The keys of an environment at a time.
pub struct TokenKeys {
    before: TokenSigner,
    current: TokenSigner,
    next: TokenSigner,
}

impl TokenKeys {
    pub(crate) fn derive(
        master: &Master,
        tenant: &TenantId,
        environment: &EnvironmentId,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let period = now.0.div_euclid(1_000_000).div_euclid(PERIOD_SECONDS);
        let of = |period: i64| {
            let seed = master.seed(tenant, &format!("access tokens of {environment} in {period}"))?;
            TokenSigner::from_seed(seed.as_slice())
        };
        Ok(Self { before: of(period - 1)?, current: of(period)?, next: of(period + 1)? })
    }

    /// What signs now.
    pub fn current(&self) -> &TokenSigner {
        &self.current
    }

    /// The signature is by the key of this name, which is the current one or the one before: tokens of the
    /// last minutes of a period are good in the next.
    pub fn hold(&self, kid: &str, message: &[u8], signature: &[u8]) -> bool {
        let signers = [&self.current, &self.before];
        signers.iter().any(|signer| signer.kid == kid && signer.holds(message, signature))
    }

    /// The public halves as a JWK set (RFC 7517, RFC 8037 §2): also the next one, so that who keeps a copy
    /// for a while misses none.
    pub fn jwks(&self) -> serde_json::Value {
        let keys = [&self.before, &self.current, &self.next];
        serde_json::json!({"keys": keys.map(TokenSigner::jwk)})
    }
}

/// Signs with one key.
pub struct TokenSigner {
    pair: Ed25519KeyPair,
    kid: String,
}

impl TokenSigner {
    fn from_seed(seed: &[u8]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::Provider("derive a signing key"))?;
        // RFC 7638 §3: the digest of the required members in the order of their names.
        let thumbprint = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encoded(pair.public_key().as_ref()));
        let kid = encoded(&Digest::of(thumbprint.as_bytes()).0);
        Ok(Self { pair, kid })
    }

    /// Its name: the thumbprint of its public half.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The signature of a message, as base64url.
    pub fn sign(&self, message: &[u8]) -> String {
        encoded(self.pair.sign(message).as_ref())
    }

    fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref()).verify(message, signature).is_ok()
    }

    fn jwk(&self) -> serde_json::Value {
        let x = encoded(self.pair.public_key().as_ref());
        serde_json::json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x})
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl fmt::Debug for TokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSigner({}, [secret])", self.kid)
    }
}
impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKeys({:?})", self.current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn keys(master: &Master, tenant: &str, environment: &str, periods: i64) -> TokenKeys {
        let at = Timestamp(NOW.0 + periods * PERIOD_SECONDS * 1_000_000);
        master.token_keys(&tenant.parse().unwrap(), &environment.parse().unwrap(), at).unwrap()
    }

    #[test]
    fn a_signature_is_of_its_environment_and_period_and_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let master = Master::open_or_create(&dir.path().join("keys")).unwrap();
        let given = keys(&master, "acme", "live", 0);
        let (message, kid) = (b"a message".as_slice(), given.current().kid().to_owned());
        let signature = URL_SAFE_NO_PAD.decode(given.current().sign(message)).unwrap();
        let holds = |tenant, environment, periods| {
            let keys = keys(&master, tenant, environment, periods);
            // By its name and by each that is known there.
            keys.hold(&kid, message, &signature) || keys.hold(keys.current().kid(), message, &signature)
        };
        assert!(holds("acme", "live", 0) && holds("acme", "live", 1));
        for (tenant, environment, periods) in
            [("acme", "live", 2), ("acme", "live", -1), ("acme", "test", 0), ("other", "live", 0)]
        {
            assert!(!holds(tenant, environment, periods), "{tenant} {environment} {periods}");
        }
        assert!(!given.hold(&kid, b"b message", &signature));
        assert!(!given.hold("", message, &signature) && !given.hold(&kid, message, &[]));
        assert!(!format!("{given:?}").contains("seed"));
    }

    #[test]
    fn the_next_key_is_published_before_it_signs() {
        let dir = tempfile::tempdir().unwrap();
        let master = Master::open_or_create(&dir.path().join("keys")).unwrap();
        let kids = |periods| -> Vec<String> {
            let set = keys(&master, "acme", "live", periods).jwks();
            set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(kids(0)[1..], kids(1)[..2]);
        assert_eq!(kids(1)[1], keys(&master, "acme", "live", 1).current().kid());
        assert!(!keys(&master, "acme", "live", 0).jwks().to_string().contains("\"d\""), "no private half");
    }

    /// RFC 8037 appendix A.1 to A.4: key, thumbprint, message and signature.
    #[test]
    fn keys_names_and_signatures_are_those_of_the_standard() {
        let decoded = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        let signer = TokenSigner::from_seed(&decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")).unwrap();
        assert_eq!(signer.jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(signer.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert_eq!(
            signer.sign(message),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }
}
