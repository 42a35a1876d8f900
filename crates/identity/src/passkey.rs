//! Passkeys: key pairs of a user's authenticator, which sign that they are here, by Web Authentication
//! (W3C, Level 3). The signature is over the name that the browser saw, so that no other site can ask for it.
//!
//! The verification is that of `webauthn-rs`; here stands what is ours. User verification (a PIN or a finger)
//! is asked each time, so that a passkey is two factors in one. Attestation is asked of nobody: who made an
//! authenticator is none of our business. What is stored is a public key, with a keyed digest over it and its
//! user: who can write rows still cannot make a passkey.
//!
//! Deliberately absent: a memory of ceremonies that have begun. What has to be known of one goes with the browser
//! (module `ceremony`).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lockgate_model::{Digest, Timestamp, id::UserId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    CreationChallengeResponse, Passkey, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
    Url, Uuid, Webauthn, WebauthnBuilder,
};

use crate::{
    DigestKey, Refused,
    ceremony::{Answered, Begun, Ceremony},
    digest_key::same,
};

/// Passkeys of one user.
pub const PASSKEYS_MAX: usize = 20;
/// Hex digits of a passkey's id.
const ID_CHARS: usize = 32;

/// The name that browsers reach the server by. Passkeys are good for it and no other.
pub struct Site {
    origin: String,
    webauthn: Webauthn,
}

/// The text is no address that passkeys can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("passkeys need an address with a DNS name, such as https://lockgate.example: neither an IP address nor a path")]
pub struct NoSite;

impl Site {
    /// For an origin: `https://name`, with a port unless it is 443. The relying party is the name.
    pub fn new(origin: &str) -> Result<Self, NoSite> {
        let url = Url::parse(origin).map_err(|_| NoSite)?;
        let name = url.domain().ok_or(NoSite)?;
        if url.scheme() != "https" || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(NoSite);
        }
        let built = WebauthnBuilder::new(name, &url).and_then(|site| site.rp_name("Lockgate").build());
        Ok(Self { origin: url.origin().ascii_serialization(), webauthn: built.map_err(|_| NoSite)? })
    }

    /// As browsers tell it.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Site").field(&self.origin).finish()
    }
}

/// A passkey as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredPasskey {
    /// By what it can be named: a digest of the authenticator's own id for it.
    pub id: String,
    /// For its user.
    pub title: String,
    /// When it was added.
    pub added: Timestamp,
    /// The public key with what belongs to it, as JSON.
    key: String,
    /// Keyed digest over user and key.
    proof: Digest,
    /// The ceremonies it has answered whose time is not over: none is good twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answered: Vec<Answered>,
}

/// A ceremony that begins: the whole of it as a text that comes back with the answer, and what the browser is to be told
/// (`PublicKeyCredentialCreationOptions` or `PublicKeyCredentialRequestOptions` under `publicKey`).
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    /// Under a keyed digest; nothing in it is a secret.
    pub ceremony: String,
    /// For the browser.
    pub options: Value,
}

fn id_of(credential: &[u8]) -> String {
    Digest::of(credential).hex().chars().take(ID_CHARS).collect()
}

/// What authenticators know a user by: it tells nothing, and stays the same.
fn handle(user: &UserId, key: &DigestKey) -> Uuid {
    let digest = key.digest([b"passkey user".as_slice(), user.as_str().as_bytes()]);
    Uuid::from_slice(digest.0.get(..16).unwrap_or_default()).unwrap_or_default()
}

fn proof(user: &UserId, text: &str, key: &DigestKey) -> Digest {
    key.digest([b"passkey".as_slice(), user.as_str().as_bytes(), text.as_bytes()])
}

/// What a browser sends, as its type; a page within a page of another site is refused.
fn answer<T: DeserializeOwned>(sent: &Value, client_data: impl Fn(&T) -> &[u8]) -> Result<T, Refused> {
    #[derive(Deserialize)]
    struct ClientData {
        #[serde(rename = "crossOrigin", default)]
        cross_origin: bool,
    }
    let read = T::deserialize(sent).map_err(|_| Refused::WrongPasskey)?;
    match serde_json::from_slice(client_data(&read)) {
        Ok(ClientData { cross_origin: false }) => Ok(read),
        _ => Err(Refused::WrongPasskey),
    }
}

impl StoredPasskey {
    fn new(passkey: &Passkey, user: &UserId, (title, added): (String, Timestamp), key: &DigestKey) -> Option<Self> {
        let text = serde_json::to_string(passkey).ok()?;
        let (id, proof) = (id_of(passkey.cred_id().as_slice()), proof(user, &text, key));
        Some(Self { id, title, added, key: text, proof, answered: Vec::new() })
    }

    /// The key, if it is this user's and was stored by us.
    fn open(&self, user: &UserId, key: &DigestKey) -> Result<Passkey, Refused> {
        if !same(&self.proof, &proof(user, &self.key, key)) {
            return Err(Refused::WrongPasskey);
        }
        serde_json::from_str(&self.key).map_err(|_| Refused::WrongPasskey)
    }

    /// The id under which the passkey is stored that an answer comes from.
    pub fn named_in(sent: &Value) -> Option<String> {
        let sent: PublicKeyCredential = answer(sent, |of: &PublicKeyCredential| &of.response.client_data_json).ok()?;
        Some(id_of(&sent.raw_id))
    }
}

impl Site {
    /// A user is about to add a passkey to those it has. `by` is what the user came with: the answer has to come with
    /// the same.
    pub fn add(
        &self,
        tenant: &str,
        (user, by): (&UserId, Option<Digest>),
        has: &[StoredPasskey],
        now: Timestamp,
        key: &DigestKey,
    ) -> Result<Asked, Refused> {
        let known: Vec<Passkey> = has.iter().filter_map(|stored| stored.open(user, key).ok()).collect();
        let known = known.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let name = format!("{user}@{tenant}");
        let begun = self.webauthn.start_passkey_registration(handle(user, key), &name, user.as_str(), Some(known));
        let (options, state) = begun.map_err(|_| Refused::WrongPasskey)?;
        let ceremony = Ceremony::Add { user: user.clone(), by, state: Box::new(state) };
        Ok(Asked { ceremony: ceremony.begin(now, key)?, options: discoverable(options) })
    }

    /// The passkey that an authenticator has made.
    pub fn added(
        &self,
        begun: &Begun,
        (user, by): (&UserId, Option<Digest>),
        sent: &Value,
        (title, now): (&str, Timestamp),
        key: &DigestKey,
    ) -> Result<StoredPasskey, Refused> {
        let Ceremony::Add { user: whose, by: with, state } = begun.waits(now)? else {
            return Err(Refused::WrongPasskey);
        };
        if whose != user || *with != by {
            return Err(Refused::WrongPasskey);
        }
        let sent = answer(sent, |of: &RegisterPublicKeyCredential| &of.response.client_data_json)?;
        let made = self.webauthn.finish_passkey_registration(&sent, state).map_err(|_| Refused::WrongPasskey)?;
        StoredPasskey::new(&made, user, (title.to_owned(), now), key).ok_or(Refused::WrongPasskey)
    }

    /// Somebody is about to prove who they are: this user, by one of its passkeys; or whoever it is.
    pub fn prove(
        &self,
        who: Option<(&UserId, &[StoredPasskey])>,
        now: Timestamp,
        key: &DigestKey,
    ) -> Result<Asked, Refused> {
        // The ceremony holds a challenge and no key: an answer is verified with what is stored, and nothing else.
        let begun = self.webauthn.start_discoverable_authentication().map_err(|_| Refused::WrongPasskey)?;
        let (mut options, state) = (shown(begun.0), Box::new(begun.1));
        let ceremony = match who {
            None => Ceremony::Enter { state },
            Some((user, has)) => {
                let known: Vec<Passkey> = has.iter().filter_map(|stored| stored.open(user, key).ok()).collect();
                if known.is_empty() {
                    return Err(Refused::WrongPasskey);
                }
                allow(&mut options, &known);
                Ceremony::Prove { user: user.clone(), state }
            }
        };
        Ok(Asked { ceremony: ceremony.begin(now, key)?, options })
    }

    /// The stored passkey after it was used, to be put back before anything rests on it: its counter goes up, and it
    /// has answered this ceremony.
    pub fn proved(
        &self,
        begun: &Begun,
        user: &UserId,
        stored: &StoredPasskey,
        sent: &Value,
        now: Timestamp,
        key: &DigestKey,
    ) -> Result<StoredPasskey, Refused> {
        let sent = answer(sent, |of: &PublicKeyCredential| &of.response.client_data_json)?;
        let mut passkey = stored.open(user, key)?;
        let theirs = sent.get_user_unique_id().map(|told| told == handle(user, key).as_bytes());
        let state = match begun.waits(now)? {
            // Who is not known beforehand has to be told by the authenticator.
            Ceremony::Enter { state } if theirs == Some(true) => state,
            Ceremony::Prove { user: whose, state } if whose == user && theirs != Some(false) => state,
            _ => return Err(Refused::WrongPasskey),
        };
        let result = self.webauthn.finish_discoverable_authentication_v2(&sent, (**state).clone(), &passkey);
        let result = result.map_err(|_| Refused::WrongPasskey)?;
        let moved = passkey.update_credential(&result).ok_or(Refused::WrongPasskey)?;
        // The ceremony knows the counter of when it began; another may have been answered since.
        if result.counter() > 0 && !moved {
            return Err(Refused::WrongPasskey);
        }
        let answered = begun.answered(&stored.answered, now)?;
        let after = StoredPasskey::new(&passkey, user, (stored.title.clone(), stored.added), key);
        after.map(|after| StoredPasskey { answered, ..after }).ok_or(Refused::WrongPasskey)
    }
}

/// A passkey that can be found without the user's name is better; an authenticator without room for it is
/// good as a second factor still.
fn discoverable(options: CreationChallengeResponse) -> Value {
    let mut options = serde_json::to_value(options).unwrap_or_default();
    if let Some(selection) = options.pointer_mut("/publicKey/authenticatorSelection").and_then(Value::as_object_mut) {
        selection.insert("residentKey".to_owned(), "preferred".into());
    }
    options
}

/// The keys that may answer.
fn allow(options: &mut Value, keys: &[Passkey]) {
    let id = |key: &Passkey| URL_SAFE_NO_PAD.encode(key.cred_id().as_slice());
    let keys: Vec<Value> = keys.iter().map(|key| json!({"type": "public-key", "id": id(key)})).collect();
    if let Some(options) = options.pointer_mut("/publicKey").and_then(Value::as_object_mut) {
        options.insert("allowCredentials".to_owned(), keys.into());
    }
}

/// The page says how the browser is to ask, not the server.
fn shown(mut options: RequestChallengeResponse) -> Value {
    options.mediation = None;
    serde_json::to_value(options).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_name_by_https() {
        for wrong in [
            "",
            "lockgate.example",
            "http://lockgate.example",
            "https://192.0.2.1",
            "https://[::1]:8443",
            "https://lockgate.example/console",
            "https://lockgate.example?x",
            "file:///etc",
        ] {
            assert_eq!(Site::new(wrong).err(), Some(NoSite), "{wrong}");
        }
        for (right, origin) in [
            ("https://lockgate.example", "https://lockgate.example"),
            ("https://lockgate.example:443/", "https://lockgate.example"),
            ("https://localhost:8443", "https://localhost:8443"),
        ] {
            assert_eq!(Site::new(right).unwrap().origin(), origin);
        }
    }

    #[test]
    fn what_is_asked_names_the_site_and_no_user() {
        let (site, key) = (Site::new("https://lockgate.example").unwrap(), DigestKey::new([7; 32]));
        let ada: UserId = "ada".parse().unwrap();
        let now = Timestamp::from_ms(0);
        let asked = site.add("acme", (&ada, None), &[], now, &key).unwrap();
        let options = &asked.options["publicKey"];
        assert_eq!(options["rp"]["id"], "lockgate.example");
        assert_eq!(options["attestation"], "none");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(options["authenticatorSelection"]["residentKey"], "preferred");
        assert!(!options["user"]["id"].as_str().unwrap().contains("ada"));
        let enter = site.prove(None, now, &key).unwrap();
        assert_eq!(enter.options["publicKey"]["userVerification"], "required");
        assert_eq!(enter.options["publicKey"]["allowCredentials"], serde_json::json!([]));
        assert!(enter.options.get("mediation").is_none());
        let again = site.prove(None, now, &key).unwrap();
        assert_ne!(again.ceremony, enter.ceremony);
        assert_ne!(again.options["publicKey"]["challenge"], enter.options["publicKey"]["challenge"]);
    }
}
