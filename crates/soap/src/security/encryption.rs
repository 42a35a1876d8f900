//! Encryption of the body (WS-Security 1.1 §9, XML Encryption 1.1): its content by AES-GCM under a key of this one message, and
//! that key by RSA-OAEP for who reads it.
//!
//! A message is signed before it is encrypted and decrypted before its signature is looked at: what is verified is what
//! is read. What is decrypted takes the place of what was encrypted and nothing else: text that would end the element in
//! which it stands is refused. Whatever cannot be decrypted is told in the same words, so that nobody learns from them how.
//!
//! Deliberately absent: CBC, whose padding tells (XML Encryption 1.1 §6.1.1); RSA with the padding of PKCS#1 v1.5; keys agreed
//! on, derived or shared; encrypted headers; messages that were encrypted before they were signed.

use std::{collections::BTreeSet, ops::Range};

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
        PrivateDecryptingKey, PublicEncryptingKey,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bergshamra::xml::NodeId;
use lockgate_document::Limits;
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};

use super::{
    WSSE,
    signature::{DS, SHA256, plain, public, token},
    tree::Tree,
};
use crate::{Block, SoapError, Version, envelope::document};

/// Namespace of XML Encryption.
pub(crate) const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const CONTENT: &str = "http://www.w3.org/2001/04/xmlenc#Content";
const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";
const AES128: &str = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
const AES256: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
/// With SHA-1 in its mask, which is no signature and needs no collisions to be hard: the one that everybody has.
const OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const MGF1_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";
const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
const TOKEN_ID: &str = "X509-2";
const KEY_ID: &str = "EK-1";
const DATA_ID: &str = "ED-1";
/// Parts of one message that may be encrypted: the body and a few elements of the security header.
const PARTS_MAX: usize = 4;

fn wrong(message: &'static str) -> SoapError {
    SoapError::new("LG-SOAP-ENCRYPTION", message)
}

/// The one answer to whatever fails with the key.
fn undecrypted() -> SoapError {
    wrong("the message cannot be decrypted: it is for another key, or was changed")
}

/// The digest of RSA-OAEP and of its mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyDigest {
    /// SHA-1 in both, as `rsa-oaep-mgf1p` has it (XML Encryption 1.1 §5.5.2): what every receiver knows.
    #[default]
    Sha1,
    /// SHA-256 in both, as `rsa-oaep` of XML Encryption 1.1 names them.
    Sha256,
}

/// Who reads what is sent: a certificate with a key of RSA.
pub struct Recipient {
    key: OaepPublicEncryptingKey,
    certificate: Vec<u8>,
    digest: KeyDigest,
}

/// The key of one message. It has no `Debug` form and cannot be used twice.
pub struct ContentKey([u8; 32]);

impl Recipient {
    /// By a certificate (DER).
    pub fn new(certificate: &[u8]) -> Result<Recipient, SoapError> {
        const NONE: &str = "the certificate is none with a key of RSA of 2,048 bits or more";
        let key = public(certificate)?.to_spki_der().ok_or_else(|| wrong(NONE))?;
        let key = PublicEncryptingKey::from_der(&key).map_err(|_| wrong(NONE))?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| wrong(NONE))?;
        Ok(Recipient { key, certificate: certificate.to_vec(), digest: KeyDigest::default() })
    }

    /// With another digest than what every receiver knows.
    #[must_use]
    pub fn by(self, digest: KeyDigest) -> Recipient {
        Recipient { digest, ..self }
    }

    /// What a security header holds for a message to this recipient, in front of a signature; and the key by which its body
    /// is to be encrypted.
    pub fn blocks(&self) -> Result<(Vec<Block>, ContentKey), SoapError> {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|_| wrong("the machine gives no random bytes"))?;
        let mut room = vec![0; self.key.ciphertext_size()];
        let algorithm = match self.digest {
            KeyDigest::Sha1 => &OAEP_SHA1_MGF1SHA1,
            KeyDigest::Sha256 => &OAEP_SHA256_MGF1SHA256,
        };
        let wrapped = self.key.encrypt(algorithm, &key, &mut room, None);
        let wrapped = wrapped.map_err(|_| wrong("the key of the message cannot be encrypted"))?;
        let xenc = |local| Block::new(XENC, local);
        let method = |algorithm, digest| {
            let digest = Block::new(DS, "DigestMethod").attribute("", "Algorithm", digest);
            xenc("EncryptionMethod").attribute("", "Algorithm", algorithm).child(digest)
        };
        let method = match self.digest {
            KeyDigest::Sha1 => method(OAEP_MGF1P, SHA1),
            KeyDigest::Sha256 => {
                method(OAEP, SHA256).child(Block::new(XENC11, "MGF").attribute("", "Algorithm", MGF1_SHA256))
            }
        };
        let reference = Block::new(WSSE, "Reference").attribute("", "URI", format!("#{TOKEN_ID}"));
        let reference = reference.attribute("", "ValueType", super::signature::X509);
        let info = Block::new(DS, "KeyInfo").child(Block::new(WSSE, "SecurityTokenReference").child(reference));
        let value = xenc("CipherData").child(xenc("CipherValue").text(STANDARD.encode(wrapped)));
        let list = xenc("ReferenceList").child(xenc("DataReference").attribute("", "URI", format!("#{DATA_ID}")));
        let parts = [method, info, value, list];
        let block = parts.into_iter().fold(xenc("EncryptedKey").attribute("", "Id", KEY_ID), Block::child);
        Ok((vec![token(TOKEN_ID, &self.certificate), block], ContentKey(key)))
    }
}

impl ContentKey {
    /// The envelope with its body encrypted, for whom [`Recipient::blocks`] are in its header.
    pub fn encrypted(self, envelope: Vec<u8>) -> Result<Vec<u8>, SoapError> {
        let mut text = String::from_utf8(envelope).map_err(|_| wrong("the envelope is not in UTF-8"))?;
        let inside = {
            let tree = Tree::of(&text)?;
            let (body, _) = Parts::of(&tree)?;
            tree.inside(body).ok_or_else(|| wrong("a body in which nothing stands cannot be encrypted"))?
        };
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| wrong("the machine gives no random bytes"))?;
        let mut sealed = text.get(inside.clone()).unwrap_or_default().as_bytes().to_vec();
        let key = UnboundKey::new(&AES_256_GCM, &self.0).map(LessSafeKey::new);
        key.and_then(|key| {
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        })
        .map_err(|_| wrong("the body cannot be encrypted"))?;
        let value = STANDARD.encode([&nonce[..], &sealed].concat());
        let data = format!(
            "<xenc:EncryptedData xmlns:xenc=\"{XENC}\" Id=\"{DATA_ID}\" Type=\"{CONTENT}\">\
             <xenc:EncryptionMethod Algorithm=\"{AES256}\"/>\
             <ds:KeyInfo xmlns:ds=\"{DS}\"><wsse:SecurityTokenReference xmlns:wsse=\"{WSSE}\">\
             <wsse:Reference URI=\"#{KEY_ID}\"/></wsse:SecurityTokenReference></ds:KeyInfo>\
             <xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"
        );
        text.replace_range(inside, &data);
        Ok(text.into_bytes())
    }
}

/// Who reads what comes: a private key of RSA. It has no `Debug` form.
pub struct Reader(OaepPrivateDecryptingKey);

impl Reader {
    /// By a key in PEM (PKCS#8).
    pub fn new(key_pem: &str) -> Result<Reader, SoapError> {
        const NONE: &str = "the key is none of RSA of 2,048 bits or more in PKCS#8";
        let key = PrivatePkcs8KeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| wrong(NONE))?;
        let key = PrivateDecryptingKey::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| wrong(NONE))?;
        OaepPrivateDecryptingKey::new(key).map(Reader).map_err(|_| wrong(NONE))
    }

    /// The message with what was encrypted in its place. A message whose body is not encrypted for this key is refused.
    pub fn decrypted(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, SoapError> {
        let text = plain(bytes)?;
        // Holds the text to what a tree takes.
        document(bytes, limits)?;
        let tree = Tree::of(text)?;
        let (body, security) = Parts::of(&tree)?;
        let parts = Parts::read(&tree, body, security)?;
        let key = self.unwrapped(&parts)?;
        let mut pieces = Vec::with_capacity(parts.data.len());
        for data in &parts.data {
            let piece = opened(data.algorithm, &key, &tree.base64(data.value))?;
            let range = tree.range(data.node).ok_or_else(undecrypted)?;
            pieces.push((range, String::from_utf8(piece).map_err(|_| undecrypted())?));
        }
        pieces.sort_by_key(|(range, _)| range.start);
        let mut plain = text.to_owned();
        for (range, piece) in pieces.iter().rev() {
            plain.replace_range(range.clone(), piece);
        }
        // Where the body and the security header end is where they ended before.
        let moved = |range: Range<usize>| {
            let grown = |before: usize| {
                let pieces = pieces.iter().filter(|(range, _)| range.start < before);
                pieces.fold(before, |place, (range, piece)| place + piece.len() - range.len())
            };
            grown(range.start)..grown(range.end)
        };
        // What was hidden is held to the limits as what was not.
        document(plain.as_bytes(), limits).map_err(|_| undecrypted())?;
        let again = Tree::of(&plain).map_err(|_| undecrypted())?;
        let (body_again, security_again) = Parts::of(&again).map_err(|_| undecrypted())?;
        let same = |before: NodeId, after: NodeId| tree.range(before).map(moved) == again.range(after);
        let count = |tree: &Tree<'_>, node: NodeId| tree.elements(node).len();
        let holds = same(body, body_again)
            && same(security, security_again)
            && count(&tree, security) == count(&again, security_again);
        if !holds {
            return Err(undecrypted());
        }
        drop(again);
        Ok(plain.into_bytes())
    }

    fn unwrapped(&self, parts: &Parts) -> Result<Vec<u8>, SoapError> {
        let wrapped = STANDARD.decode(&parts.key).map_err(|_| undecrypted())?;
        let mut room = vec![0; self.0.min_output_size()];
        let key = self.0.decrypt(parts.transport, &wrapped, &mut room, None);
        key.map(|key| key.to_vec()).map_err(|_| undecrypted())
    }
}

/// What of a message is encrypted, and how.
struct Parts {
    transport: &'static OaepAlgorithm,
    /// The encrypted key, in base64.
    key: String,
    data: Vec<Encrypted>,
}

/// An element that stands for what was encrypted.
struct Encrypted {
    node: NodeId,
    algorithm: &'static Algorithm,
    value: NodeId,
}

impl Parts {
    /// The body and the security header of an envelope.
    fn of(tree: &Tree<'_>) -> Result<(NodeId, NodeId), SoapError> {
        let root = tree.root().ok_or_else(|| wrong("the message is no envelope"))?;
        let version = Version::of(tree.name(root).0).ok_or_else(|| wrong("the message is no envelope"))?;
        let one = |parent: NodeId, name: (&str, &str)| match tree
            .elements(parent)
            .into_iter()
            .filter(|child| tree.name(*child) == name)
            .collect::<Vec<_>>()[..]
        {
            [one] => Some(one),
            _ => None,
        };
        let body = one(root, (version.namespace(), "Body"));
        let security = one(root, (version.namespace(), "Header")).and_then(|header| one(header, (WSSE, "Security")));
        body.zip(security).ok_or_else(|| wrong("the message is not encrypted: it has no security header"))
    }

    fn read(tree: &Tree<'_>, body: NodeId, security: NodeId) -> Result<Parts, SoapError> {
        let [node] = tree.named((XENC, "EncryptedKey"))[..] else {
            return Err(wrong("an encrypted message holds one encrypted key"));
        };
        if tree.parent(node) != Some(security) {
            return Err(wrong("the encrypted key stands where nobody reads it"));
        }
        let transport = transport(tree, tree.one(node, (XENC, "EncryptionMethod")).ok_or_else(unknown)?)?;
        let list = tree.one(node, (XENC, "ReferenceList")).ok_or_else(|| wrong("the encrypted key is for nothing"))?;
        let references = tree.elements(list).into_iter().map(|reference| {
            let uri = tree.attribute(reference, "URI").and_then(|uri| uri.strip_prefix('#'));
            uri.filter(|_| tree.name(reference) == (XENC, "DataReference")).ok_or_else(unknown)
        });
        let references: BTreeSet<&str> = references.collect::<Result<_, _>>()?;
        let all = tree.named((XENC, "EncryptedData"));
        if all.len() > PARTS_MAX || all.len() != references.len() {
            return Err(wrong("the encrypted key is not that of each encrypted part"));
        }
        let data = all.into_iter().map(|node| Encrypted::of(tree, node, &references, body, security));
        let data: Vec<Encrypted> = data.collect::<Result<_, _>>()?;
        if !data.iter().any(|data| tree.parent(data.node) == Some(body)) {
            return Err(wrong("the body is not encrypted"));
        }
        Ok(Parts { transport, key: tree.base64(value(tree, node)?), data })
    }
}

impl Encrypted {
    fn of(
        tree: &Tree<'_>,
        node: NodeId,
        references: &BTreeSet<&str>,
        body: NodeId,
        security: NodeId,
    ) -> Result<Encrypted, SoapError> {
        let id = tree.attribute(node, "Id").filter(|id| references.contains(id));
        // An id that stands twice could mean one part here and another there.
        let id = id.filter(|id| tree.identified(id).len() == 1);
        id.ok_or_else(|| wrong("the encrypted key is not that of each encrypted part"))?;
        let stands = match (tree.parent(node), tree.attribute(node, "Type")) {
            (Some(parent), Some(CONTENT)) => parent == body && tree.elements(body).len() == 1,
            (Some(parent), Some(ELEMENT)) => parent == security,
            _ => false,
        };
        if !stands {
            return Err(wrong(
                "something else is encrypted than the content of the body and elements of the security header",
            ));
        }
        let method = tree.one(node, (XENC, "EncryptionMethod")).ok_or_else(unknown)?;
        let algorithm = match tree.attribute(method, "Algorithm") {
            Some(AES128) => &AES_128_GCM,
            Some(AES256) => &AES_256_GCM,
            _ => return Err(unknown()),
        };
        Ok(Encrypted { node, algorithm, value: value(tree, node)? })
    }
}

fn unknown() -> SoapError {
    wrong(
        "the message is encrypted in a way that is not taken: AES-GCM of 128 or 256 bits, and RSA-OAEP with one digest, are",
    )
}

/// `CipherData/CipherValue`; nothing is fetched because a message says so.
fn value(tree: &Tree<'_>, node: NodeId) -> Result<NodeId, SoapError> {
    let data = tree.one(node, (XENC, "CipherData")).ok_or_else(unknown)?;
    tree.one(data, (XENC, "CipherValue")).ok_or_else(unknown)
}

/// XML Encryption 1.1 §5.5.2. The mask is made with the digest, or nobody here takes it.
fn transport(tree: &Tree<'_>, method: NodeId) -> Result<&'static OaepAlgorithm, SoapError> {
    let named = |name: (&str, &str)| tree.one(method, name).map(|node| tree.attribute(node, "Algorithm"));
    let known = [(DS, "DigestMethod"), (XENC11, "MGF")];
    if !tree.elements(method).into_iter().all(|child| known.contains(&tree.name(child))) {
        return Err(unknown());
    }
    match (tree.attribute(method, "Algorithm"), named((DS, "DigestMethod")), named((XENC11, "MGF"))) {
        (Some(OAEP_MGF1P), None | Some(Some(SHA1)), None) => Ok(&OAEP_SHA1_MGF1SHA1),
        (Some(OAEP), Some(Some(SHA256)), Some(Some(MGF1_SHA256))) => Ok(&OAEP_SHA256_MGF1SHA256),
        _ => Err(unknown()),
    }
}

/// XML Encryption 1.1 §5.2.4: the nonce, what is encrypted, its tag.
fn opened(algorithm: &'static Algorithm, key: &[u8], base64: &str) -> Result<Vec<u8>, SoapError> {
    let mut sealed = STANDARD.decode(base64).map_err(|_| undecrypted())?;
    let (nonce, rest) = sealed.split_at_mut_checked(NONCE_LEN).ok_or_else(undecrypted)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| undecrypted())?;
    let key = UnboundKey::new(algorithm, key).map(LessSafeKey::new).map_err(|_| undecrypted())?;
    key.open_in_place(nonce, Aad::empty(), rest).map(|opened| opened.to_vec()).map_err(|_| undecrypted())
}
