//! What an account's messages carry about who sends them, when and to whom, and who may read them; and what its answers must.

use std::{fmt, time::SystemTime};

use jiff::{SignedDuration, Timestamp};
use lockgate_connector_api::{Config, Error, Kind, Secret};
use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Block, Operation, SoapError, XmlName,
    addressing::{self, Addressing},
    envelope::{self, Envelope},
    security::{
        self, Lifetime, NONCE_BYTES, Password, UsernameToken,
        encryption::{ContentKey, KeyDigest, Reader, Recipient},
        signature::{Signed, Signer, verified},
    },
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

/// By how much the clocks of two machines may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// `wsu:Id` of what is signed; no data may have it as an id, too.
const BODY_ID: &str = "lockgate-body";
const TIMESTAMP_ID: &str = "lockgate-timestamp";

/// How the messages of an account are made, and how answers are believed.
pub(crate) struct Messages {
    user: Option<User>,
    signer: Option<Signer>,
    /// Certificates (DER) by whose keys answers are signed; without any, nobody asks.
    trusted: Vec<CertificateDer<'static>>,
    /// Who reads what is sent.
    recipient: Option<Recipient>,
    /// By whose key answers are encrypted; without one, nobody asks.
    reader: Option<Reader>,
    lifetime: SignedDuration,
    addressing: bool,
}

struct User {
    name: String,
    password: Secret,
    is_digest: bool,
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Messages")
    }
}

/// An answer that was read.
pub(crate) enum Opened {
    Plain(Document),
    Signed(Signed),
}

impl Opened {
    /// Of what is signed, what is signed alone.
    pub fn envelope(&self) -> Result<Envelope<'_>, SoapError> {
        match self {
            Self::Plain(document) => Envelope::of(document),
            Self::Signed(signed) => Envelope::signed(signed),
        }
    }
}

/// What goes along with a message.
pub(crate) struct Along {
    /// Blocks of its header.
    pub blocks: Vec<Block>,
    /// The id of its body, where it is signed.
    pub body_id: Option<&'static str>,
    /// The key by which its body is encrypted, where it is.
    pub content_key: Option<ContentKey>,
    /// Its own id, where it has one.
    pub message_id: Option<String>,
}

impl Messages {
    /// Reads a configuration that has passed the check of the spec.
    pub fn read(config: &Config) -> Result<Self, Error> {
        let setting = |name: &str| config.settings.get(name).map(String::as_str);
        let pem = |name: &str| config.secrets.get(name);
        let user = match setting("security").unwrap_or("none") {
            "none" => None,
            kind => {
                let (name, password) = (setting("token_username"), config.secrets.get("token_password"));
                let (Some(name), Some(password)) = (name, password) else {
                    return Err(invalid("a field that its `security` needs is not set"));
                };
                Some(User { name: name.to_owned(), password: password.clone(), is_digest: kind == "username-digest" })
            }
        };
        let signer = match (pem("signing_key"), pem("signing_certificate")) {
            (Some(key), Some(certificate)) => {
                const WRONG: &str = "`signing_certificate` is no certificate in PEM";
                let all = certificates(certificate, WRONG)?;
                let own = all.first().ok_or_else(|| invalid(WRONG))?;
                let signer = Signer::new(key.expose(), own);
                Some(signer.map_err(|error| invalid("messages cannot be signed by `signing_key` and `signing_certificate`: the key must be of RSA or P-256, in PEM (PKCS#8)").with_private(error.to_string()))?)
            }
            _ => None,
        };
        let trusted = match pem("answer_certificate") {
            Some(pem) => certificates(pem, "`answer_certificate` is no certificate in PEM")?,
            None => Vec::new(),
        };
        let recipient = match pem("encryption_certificate") {
            Some(pem) => {
                const WRONG: &str = "`encryption_certificate` is no certificate in PEM";
                let all = certificates(pem, WRONG)?;
                let recipient = Recipient::new(all.first().ok_or_else(|| invalid(WRONG))?).map_err(|error| {
                    invalid("messages cannot be encrypted for `encryption_certificate`: its key must be of RSA")
                        .with_private(error.to_string())
                })?;
                Some(recipient.by(match setting("encryption_digest") {
                    Some("sha256") => KeyDigest::Sha256,
                    _ => KeyDigest::Sha1,
                }))
            }
            None => None,
        };
        let reader = pem("decryption_key").map(|key| Reader::new(key.expose())).transpose();
        let reader = reader.map_err(|error| {
            invalid("answers cannot be decrypted by `decryption_key`: it must be of RSA, in PEM (PKCS#8)")
                .with_private(error.to_string())
        })?;
        let seconds = setting("lifetime_seconds").map_or(Ok(300), str::parse);
        let seconds = seconds.map_err(|_| invalid("the setting `lifetime_seconds` must be a number"))?;
        let addressing = setting("addressing").is_some_and(|version| version == "1.0");
        let lifetime = SignedDuration::from_secs(seconds);
        Ok(Self { user, signer, trusted, recipient, reader, lifetime, addressing })
    }

    /// Whether messages are signed or encrypted: an attachment would be neither.
    pub fn guards(&self) -> bool {
        self.signer.is_some() || self.recipient.is_some()
    }

    /// Whether answers must be signed.
    pub fn verifies(&self) -> bool {
        !self.trusted.is_empty()
    }

    /// Whether answers must be signed or encrypted: an attachment would be neither.
    pub fn expects(&self) -> bool {
        self.verifies() || self.reader.is_some()
    }

    /// What goes along with a message that is sent now, to this address.
    pub fn along(&self, operation: &Operation, to: &str) -> Result<Along, Error> {
        let mut blocks = Vec::new();
        let mut children = Vec::new();
        let created = now();
        if self.user.is_some() || self.signer.is_some() {
            let expires = created.saturating_add(self.lifetime).map_err(|_| invalid("the clock cannot be read"))?;
            children.push(Lifetime { created, expires: Some(expires) }.block(TIMESTAMP_ID));
        }
        if let Some(User { name, password, is_digest }) = &self.user {
            let mut nonce = [0; NONCE_BYTES];
            getrandom::fill(&mut nonce).map_err(|_| invalid("the machine gives no random bytes"))?;
            let password =
                if *is_digest { Password::Digest(password.expose()) } else { Password::Text(password.expose()) };
            children.push(UsernameToken { user: name, password, nonce: &nonce, created }.block());
        }
        // In front of the signature: whoever reads the header in its order decrypts what was signed.
        let content_key = match &self.recipient {
            Some(recipient) => {
                let unable =
                    |error: SoapError| invalid("the message cannot be encrypted").with_private(error.to_string());
                let (blocks, key) = recipient.blocks().map_err(unable)?;
                children.extend(blocks);
                Some(key)
            }
            None => None,
        };
        if let Some(signer) = &self.signer {
            children.extend(signer.blocks(&[TIMESTAMP_ID, BODY_ID]));
        }
        if !children.is_empty() {
            blocks.push(security::header(operation.version, children));
        }
        let message_id = self.addressing.then(|| format!("urn:uuid:{}", lockgate_model::run::unique()));
        if let Some(message_id) = &message_id {
            blocks.extend(Addressing { to, action: &operation.addressing_action, message_id }.blocks());
        }
        Ok(Along { blocks, body_id: self.signer.as_ref().map(|_| BODY_ID), content_key, message_id })
    }

    /// The message with its signature, where the account signs; then with its body encrypted, where it encrypts.
    pub fn sealed(&self, message: Vec<u8>, content_key: Option<ContentKey>) -> Result<Vec<u8>, SoapError> {
        let message = match &self.signer {
            Some(signer) => signer.sign(message)?,
            None => message,
        };
        match content_key {
            Some(key) => key.encrypted(message),
            None => Ok(message),
        }
    }

    /// An answer, encrypted and signed as the account expects.
    pub fn opened(&self, bytes: &[u8], limits: &Limits) -> Result<Opened, SoapError> {
        let decrypted = self.reader.as_ref().map(|reader| reader.decrypted(bytes, limits)).transpose()?;
        let bytes = decrypted.as_deref().unwrap_or(bytes);
        if self.trusted.is_empty() {
            return envelope::document(bytes, limits).map(Opened::Plain);
        }
        let certificates: Vec<&[u8]> = self.trusted.iter().map(AsRef::as_ref).collect();
        verified(bytes, &certificates, limits).map(Opened::Signed)
    }

    /// Refuses an answer that is not good now, or is one to another message. One that must be signed says how long it is
    /// good, so that nobody can keep it and hand it out again.
    pub fn believed(&self, envelope: &mut Envelope<'_>, message_id: Option<&str>) -> Result<(), SoapError> {
        let lifetime = match envelope.is_signed() {
            true => Some(Lifetime::required(envelope, self.lifetime)?),
            false => Lifetime::of(envelope)?,
        };
        lifetime.map_or(Ok(()), |lifetime| lifetime.check(now(), SKEW))?;
        security::understood(envelope, self.reader.is_some())?;
        if let Some(message_id) = message_id {
            addressing::related(envelope, message_id)?;
        }
        Ok(())
    }

    /// Headers of an answer that are looked at.
    pub fn known(&self) -> Vec<XmlName> {
        let addressing = if self.addressing { addressing::known() } else { Vec::new() };
        addressing.into_iter().chain([security::name()]).collect()
    }
}

fn certificates(pem: &Secret, wrong: &'static str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose().as_bytes()).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(|| invalid(wrong))
}

fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the other side compares a message's time with its own clock")]
    let now = SystemTime::now();
    Timestamp::try_from(now).unwrap_or_default()
}

fn invalid(text: &'static str) -> Error {
    Error::new(Kind::Configuration, "soap-account", text)
}
