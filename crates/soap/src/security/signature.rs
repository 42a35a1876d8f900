//! Signatures over the body and the timestamp (WS-Security X.509 Certificate Token Profile 1.1, XML Signature).
//!
//! What counts is what is used: a message is taken as signed where exactly one signature stands in its security header,
//! which says once what it signs; whose references name, by ids that occur once in the whole document, the body that is
//! read, the timestamp that is checked, and nothing that stands elsewhere than where it is read; where each was digested as
//! exclusive canonical XML and in no other way; and where a certificate that the caller trusts for this endpoint verifies
//! it. Certificates within a message are not looked at.
//!
//! Deliberately absent: SHA-1, other transforms (XPath, XSLT, `enveloped`), keys that a message brings along,
//! chains: which certificates are an endpoint's, and until when, is for the caller to say.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bergshamra::{Key, keys::loader};
use lockgate_document::{Document, Limits};

use super::{
    WSSE, WSU, id, name,
    statement::{Statement, sign, verifies},
    tree::Tree,
};
use crate::{
    Block, SoapError,
    envelope::{Envelope, document, elements},
};

/// Namespace of XML Signature.
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(super) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
pub(super) const DIGESTS: [&str; 3] =
    [SHA256, "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512"];
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
pub(super) const METHODS: [&str; 6] = [
    RSA_SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    ECDSA_SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];
pub(super) const X509: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3";
const BASE64: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
/// The `wsu:Id` of our token.
const TOKEN_ID: &str = "X509-1";

pub(super) fn wrong(message: &'static str) -> SoapError {
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
        let public = public(certificate)?;
        let probe = sign(method, &key, b"probe")?;
        if !verifies(method, &public, b"probe", &probe) {
            return Err(wrong("the certificate is one of another key"));
        }
        Ok(Signer { key, certificate: certificate.to_vec(), method })
    }

    /// What a security header holds for a signature over the elements with these ids, beside these elements.
    pub fn blocks(&self, ids: &[&str]) -> Vec<Block> {
        let ds = |local| Block::new(DS, local);
        let by = |local, algorithm: &str| ds(local).attribute("", "Algorithm", algorithm);
        let token = token(TOKEN_ID, &self.certificate);
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
        let digested = Statement::of(&Tree::of(&text)?)?.digested(&text)?;
        Ok(Statement::of(&Tree::of(&digested)?)?.signed(&digested, &self.key)?.into_bytes())
    }
}

/// A certificate that goes along.
pub(super) fn token(id: &str, certificate: &[u8]) -> Block {
    Block::new(WSSE, "BinarySecurityToken")
        .attribute(WSU, "Id", id)
        .attribute("", "ValueType", X509)
        .attribute("", "EncodingType", BASE64)
        .text(STANDARD.encode(certificate))
}

/// The public key of a certificate.
pub(super) fn public(certificate: &[u8]) -> Result<Key, SoapError> {
    let key = loader::load_x509_cert_der(certificate);
    key.map_err(|_| wrong("the certificate is none, or of a kind of keys that is not known"))
}

/// A message whose signature was verified.
#[derive(Debug)]
pub struct Signed {
    pub(crate) document: Document,
    /// `wsu:Id` of what is signed.
    pub(crate) ids: BTreeSet<String>,
}

/// Reads a message whose body, and whose timestamp where it has one, is signed by the key of one of these
/// certificates (DER). What is given is read of the very bytes that were verified; [`Envelope::signed`] shows what of it
/// is signed.
pub fn verified(bytes: &[u8], certificates: &[&[u8]], limits: &Limits) -> Result<Signed, SoapError> {
    let text = plain(bytes)?;
    let document = document(bytes, limits)?;
    let tree = Tree::of(text)?;
    let mut envelope = Envelope::of(&document)?;
    let statement = Statement::of(&tree)?;
    let ids: BTreeSet<String> = statement.references.iter().map(|reference| reference.id.to_owned()).collect();
    if ids.len() != statement.references.len() {
        return Err(wrong("the signature refers to something twice"));
    }
    held(&mut envelope, &ids)?;
    statement.holds()?;
    let keys: Vec<Key> = certificates.iter().map(|certificate| public(certificate)).collect::<Result<_, _>>()?;
    statement.is_by(&keys)?;
    Ok(Signed { document, ids })
}

/// The text of a message that everybody reads as the same characters.
pub(super) fn plain(bytes: &[u8]) -> Result<&str, SoapError> {
    let text = str::from_utf8(bytes).map_err(|_| wrong("a signed or encrypted message must be in UTF-8"))?;
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
        return Err(wrong("a signed or encrypted message must be in UTF-8, without a byte order mark"));
    }
    Ok(text)
}

/// Are the body that is read and the timestamp that is checked among the signed ids? And is the security header that
/// is read that of the signature?
fn held(envelope: &mut Envelope<'_>, signed: &BTreeSet<String>) -> Result<(), SoapError> {
    let is_signed = |id: Option<&str>| id.is_some_and(|id| signed.contains(id));
    if !is_signed(id(&envelope.names, envelope.body_element)) {
        return Err(wrong("the body is not signed"));
    }
    let signatures = envelope.with_block(&name(), |names, security| {
        let mut signatures = 0;
        for (key, node) in elements(security)? {
            let mark = names.enter(node);
            match names.element(key) {
                (WSU, "Timestamp") if !is_signed(id(names, node)) => {
                    return Err(wrong("the timestamp is not signed"));
                }
                (DS, "Signature") => signatures += 1,
                _ => {}
            }
            names.leave(mark);
        }
        Ok(signatures)
    })?;
    match signatures {
        Some(1) => Ok(()),
        _ => Err(wrong("a signed message holds one signature, in its security header")),
    }
}
