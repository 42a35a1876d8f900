//! Signatures over the body and the timestamp (WS-Security X.509 Certificate Token Profile 1.1, XML Signature).
//!
//! What counts is what is used: a message is taken as signed where exactly one signature stands in its security header,
//! whose references name, by ids that occur once in the whole document, the body that is read and the timestamp that is
//! checked; where each was digested as exclusive canonical XML and in no other way; and where a certificate that the
//! caller trusts for this endpoint verifies it. Certificates within a message are not looked at.
//!
//! Deliberately absent: SHA-1, other transforms (XPath, XSLT, `enveloped`), keys that a message brings along,
//! chains: which certificates are an endpoint's, and until when, is for the caller to say.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bergshamra::{DsigContext, Key, KeyUsage, KeysManager, VerifyResult, keys::loader};
use lockgate_document::{Document, Limits, Node};

use super::{WSSE, WSU, name};
use crate::{
    Block, SoapError,
    envelope::{Envelope, document, elements},
    shape::{Child, Names, children},
};

/// Namespace of XML Signature.
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const DIGESTS: [&str; 3] =
    [SHA256, "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512"];
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
const METHODS: [&str; 6] = [
    RSA_SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    ECDSA_SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];
/// References of one signature: each is the work of digesting what it refers to.
const REFERENCES_MAX: usize = 16;
const X509: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
const BASE64: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
/// The `wsu:Id` of our token.
const TOKEN_ID: &str = "X509-1";

fn wrong(message: &'static str) -> SoapError {
    SoapError::new("LG-SOAP-SIGNATURE", message)
}

/// A private key with its certificate. It has no `Debug` form.
pub struct Signer {
    key: Key,
    certificate: Vec<u8>,
    method: &'static str,
}

impl Signer {
    /// A key of RSA or of the curve P-256 (PKCS#8, PEM), and its certificate (DER).
    pub fn new(key_pem: &str, certificate: &[u8]) -> Result<Signer, SoapError> {
        let (key, method) = match loader::load_rsa_private_pem(key_pem.as_bytes()) {
            Ok(key) => (key, RSA_SHA256),
            Err(_) => {
                let key = loader::load_ec_p256_private_pem(key_pem.as_bytes());
                (key.map_err(|_| wrong("the key is none of RSA or P-256 in PKCS#8"))?, ECDSA_SHA256)
            }
        };
        public(certificate)?;
        Ok(Signer { key, certificate: certificate.to_vec(), method })
    }

    /// What a security header holds for a signature over the elements with these ids, beside these elements.
    pub fn blocks(&self, ids: &[&str]) -> Vec<Block> {
        let ds = |local| Block::new(DS, local);
        let by = |local, algorithm: &str| ds(local).attribute("", "Algorithm", algorithm);
        let token = Block::new(WSSE, "BinarySecurityToken")
            .attribute(WSU, "Id", TOKEN_ID)
            .attribute("", "ValueType", X509)
            .attribute("", "EncodingType", BASE64)
            .text(STANDARD.encode(&self.certificate));
        let mut info =
            ds("SignedInfo").child(by("CanonicalizationMethod", EXCLUSIVE)).child(by("SignatureMethod", self.method));
        for id in ids {
            info = info.child(
                ds("Reference")
                    .attribute("", "URI", format!("#{id}"))
                    .child(ds("Transforms").child(by("Transform", EXCLUSIVE)))
                    .child(by("DigestMethod", SHA256))
                    .child(ds("DigestValue")),
            );
        }
        let reference =
            Block::new(WSSE, "Reference").attribute("", "URI", format!("#{TOKEN_ID}")).attribute("", "ValueType", X509);
        let key = ds("KeyInfo").child(Block::new(WSSE, "SecurityTokenReference").child(reference));
        vec![token, ds("Signature").child(info).child(ds("SignatureValue")).child(key)]
    }

    /// The envelope with its signature, whose place [`Signer::blocks`] made.
    pub fn sign(&self, envelope: Vec<u8>) -> Result<Vec<u8>, SoapError> {
        let text = String::from_utf8(envelope).map_err(|_| wrong("the envelope is not in UTF-8"))?;
        let mut keys = KeysManager::new();
        keys.add_key(self.key.clone());
        let signed = bergshamra::dsig::sign::sign_owned(&DsigContext::new(keys), text);
        signed.map(String::into_bytes).map_err(|_| wrong("the envelope could not be signed"))
    }
}

/// The public key of a certificate.
fn public(certificate: &[u8]) -> Result<Key, SoapError> {
    let key = loader::load_x509_cert_der(certificate);
    let mut key = key.map_err(|_| wrong("the certificate is none, or of a kind of keys that is not known"))?;
    key.usage = KeyUsage::Verify;
    Ok(key)
}

/// Reads a message whose body, and whose timestamp where it has one, is signed by the key of one of these
/// certificates (DER). What is given is read of the very bytes that were verified.
pub fn verified(bytes: &[u8], certificates: &[&[u8]], limits: &Limits) -> Result<Document, SoapError> {
    let text = plain(bytes)?;
    let document = document(bytes, limits)?;
    {
        let mut envelope = Envelope::of(&document)?;
        let signed = signed_ids(&mut envelope)?;
        let seen = Seen::of(&document)?;
        if seen.signatures != 1 {
            return Err(wrong("a signed message holds one signature, in its security header"));
        }
        // An id that stands twice could mean one element here and another there.
        if signed.iter().any(|id| seen.ids.get(id) != Some(&1)) {
            return Err(wrong("a signed id stands nowhere, or more than once"));
        }
        held(&mut envelope, &signed)?;
    }
    let mut keys = KeysManager::new();
    for certificate in certificates {
        keys.add_key(public(certificate)?);
    }
    // Where the signed elements stand was looked at above, and more strictly: the body is beside the header.
    let context = DsigContext::new(keys).with_strict_verification(false);
    match bergshamra::verify(&context, text) {
        Ok(result @ VerifyResult::Valid { .. }) if result.all_reference_digests_verified() => Ok(document),
        Ok(_) => Err(wrong("the signature is not of this message, or of another key")),
        Err(_) => Err(wrong("the signature cannot be verified")),
    }
}

/// The text of a message that everybody reads as the same characters.
fn plain(bytes: &[u8]) -> Result<&str, SoapError> {
    let text = str::from_utf8(bytes).map_err(|_| wrong("a signed message must be in UTF-8"))?;
    let declaration =
        text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map_or("", |(inside, _)| inside);
    let named = declaration.split_once("encoding").map_or("utf-8", |(_, rest)| {
        rest.trim_start()
            .trim_start_matches('=')
            .trim_start()
            .trim_start_matches(['"', '\''])
            .get(..5)
            .unwrap_or_default()
    });
    if !named.eq_ignore_ascii_case("utf-8") || text.contains('\0') || text.starts_with('\u{feff}') {
        return Err(wrong("a signed message must be in UTF-8, without a byte order mark"));
    }
    Ok(text)
}

/// The attribute `Algorithm`, which must be one of these.
fn algorithm(node: Node<'_>, known: &[&str]) -> Result<(), SoapError> {
    match node.get("@Algorithm").as_str().is_some_and(|named| known.contains(&named)) {
        true => Ok(()),
        false => Err(wrong("the signature uses an algorithm that is not taken")),
    }
}

/// The ids that the signature in the security header signs; what it does otherwise than expected is refused.
fn signed_ids(envelope: &mut Envelope<'_>) -> Result<Vec<String>, SoapError> {
    let found = envelope.with_block(&name(), |names, security| {
        let mut ids = Vec::new();
        each(names, security, &mut |names, name, node| {
            if name != (DS, "Signature") {
                return Ok(());
            }
            each(names, node, &mut |names, name, part| match name {
                (DS, "SignedInfo") => signed_info(names, part, &mut ids),
                (DS, "SignatureValue") => Ok(()),
                // Which key it is, the caller says; nothing is fetched because a message says so.
                (DS, "KeyInfo") => each(names, part, &mut |_, name, _| match name {
                    (WSSE, "SecurityTokenReference") | (DS, "X509Data" | "KeyName") => Ok(()),
                    _ => Err(wrong("the signature tells its key in a way that is not taken")),
                }),
                _ => Err(wrong("the signature holds what is not taken")),
            })
        })?;
        Ok(ids)
    })?;
    found.filter(|ids| !ids.is_empty()).ok_or_else(|| wrong("the message is not signed"))
}

fn signed_info<'a>(names: &mut Names<'a>, info: Node<'a>, ids: &mut Vec<String>) -> Result<(), SoapError> {
    each(names, info, &mut |names, name, part| match name {
        (DS, "CanonicalizationMethod") => algorithm(part, &[EXCLUSIVE]),
        (DS, "SignatureMethod") => algorithm(part, &METHODS),
        (DS, "Reference") => {
            let id = part.get("@URI").as_str().and_then(|uri| uri.strip_prefix('#'));
            let is_name = |id: &&str| {
                !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            };
            let id = id.filter(is_name).ok_or_else(|| wrong("the signature refers to something else than an id"))?;
            ids.push(id.to_owned());
            if ids.len() > REFERENCES_MAX {
                return Err(wrong("the signature has more references than any should have"));
            }
            let (mut transforms, mut digests) = (0, 0);
            each(names, part, &mut |names, name, part| match name {
                (DS, "Transforms") => each(names, part, &mut |_, _, transform| {
                    transforms += 1;
                    algorithm(transform, &[EXCLUSIVE])
                }),
                (DS, "DigestMethod") => {
                    digests += 1;
                    algorithm(part, &DIGESTS)
                }
                (DS, "DigestValue") => Ok(()),
                _ => Err(wrong("a reference of the signature holds what is not taken")),
            })?;
            if (transforms, digests) == (1, 1) { Ok(()) } else { Err(wrong("a reference is digested in another way")) }
        }
        _ => Err(wrong("the signature holds what is not taken")),
    })
}

/// Are the body that is read and the timestamp that is checked among the signed ids?
fn held(envelope: &mut Envelope<'_>, signed: &[String]) -> Result<(), SoapError> {
    let body = envelope.body_element;
    let mark = envelope.names.enter(body);
    let is_signed = id(&envelope.names, body).is_some_and(|id| signed.contains(&id));
    envelope.names.leave(mark);
    if !is_signed {
        return Err(wrong("the body is not signed"));
    }
    envelope.with_block(&name(), |names, security| {
        each(names, security, &mut |names, name, node| match name {
            (WSU, "Timestamp") if !id(names, node).is_some_and(|id| signed.contains(&id)) => {
                Err(wrong("the timestamp is not signed"))
            }
            _ => Ok(()),
        })
    })?;
    Ok(())
}

/// `wsu:Id`
fn id(names: &Names<'_>, node: Node<'_>) -> Option<String> {
    let attributes = node.entries().map_while(|(key, value)| Some((key.strip_prefix('@')?, value)));
    let mut ids = attributes.filter(|(key, _)| {
        key.split_once(':').is_some_and(|(prefix, local)| local == "Id" && names.namespace(prefix) == WSU)
    });
    ids.next().and_then(|(_, value)| value.as_str()).map(str::to_owned)
}

type Name<'a> = (&'a str, &'a str);

/// Shows each child element with its name, its declarations in force.
fn each<'a>(
    names: &mut Names<'a>,
    node: Node<'a>,
    show: &mut dyn FnMut(&mut Names<'a>, Name<'a>, Node<'a>) -> Result<(), SoapError>,
) -> Result<(), SoapError> {
    for (key, child) in elements(node)? {
        let mark = names.enter(child);
        let name = names.element(key);
        show(names, name, child)?;
        names.leave(mark);
    }
    Ok(())
}

/// What stands anywhere in a document.
#[derive(Default)]
struct Seen {
    signatures: usize,
    /// Values of attributes that somebody may take for an id, with how often each stands there.
    ids: BTreeMap<String, usize>,
}

impl Seen {
    fn of(document: &Document) -> Result<Seen, SoapError> {
        let (mut seen, mut names) = (Seen::default(), Names::default());
        for (key, root) in document.root().entries() {
            seen.look(&mut names, key, root);
        }
        Ok(seen)
    }

    fn look<'a>(&mut self, names: &mut Names<'a>, key: &'a str, node: Node<'a>) {
        let mark = names.enter(node);
        self.signatures += usize::from(names.element(key) == (DS, "Signature"));
        for (key, value) in node.entries() {
            let Some(attribute) = key.strip_prefix('@') else { break };
            let local = attribute.rsplit(':').next().unwrap_or_default();
            if local.eq_ignore_ascii_case("id") || local == "AssertionID" {
                *self.ids.entry(value.as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        for child in children(node) {
            if let Child::Element(key, child) = child {
                self.look(names, key, child);
            }
        }
        names.leave(mark);
    }
}
