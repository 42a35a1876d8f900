//! What a signature says that it signs, and how (XML Signature, §4). All that it says is said once, in the order of its
//! schema, so that nobody reads one statement where another was signed; what is not expected is refused.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bergshamra::{Key, crypto, xml::NodeId};

use super::{
    WSSE, WSU,
    signature::{DIGESTS, DS, EXCLUSIVE, METHODS, wrong},
    tree::Tree,
};
use crate::{SoapError, Version};

/// References of one signature: each is the work of digesting what it refers to.
const REFERENCES_MAX: usize = 16;

/// The one signature of a message.
pub(super) struct Statement<'t> {
    tree: &'t Tree<'t>,
    version: Version,
    /// The security header in which it stands.
    security: NodeId,
    info: Canonical<'t>,
    method: &'t str,
    value: NodeId,
    pub references: Vec<Reference<'t>>,
}

/// An element that is signed.
pub(super) struct Reference<'t> {
    pub id: &'t str,
    digest_method: &'t str,
    digest_value: NodeId,
    prefixes: Vec<&'t str>,
}

/// An element, and the prefixes whose declarations belong to its canonical form.
struct Canonical<'t>(NodeId, Vec<&'t str>);

impl<'t> Statement<'t> {
    pub fn of(tree: &'t Tree<'t>) -> Result<Statement<'t>, SoapError> {
        let root = tree.root().map(|root| tree.name(root));
        let version = root.and_then(|(namespace, _)| Version::of(namespace));
        let version = version.ok_or_else(|| wrong("the message is no envelope"))?;
        let signature = match tree.named((DS, "Signature"))[..] {
            [] => return Err(wrong("the message is not signed")),
            [signature] => signature,
            _ => return Err(wrong("a signed message holds one signature, in its security header")),
        };
        let security = tree.parent(signature).filter(|parent| tree.name(*parent) == (WSSE, "Security"));
        let security = security.ok_or_else(|| wrong("a signed message holds one signature, in its security header"))?;
        let parts = tree.elements(signature);
        let (info, value) = match (&parts[..], &names(tree, &parts)[..]) {
            (&[info, value], [(DS, "SignedInfo"), (DS, "SignatureValue")]) => (info, value),
            (&[info, value, key], [(DS, "SignedInfo"), (DS, "SignatureValue"), (DS, "KeyInfo")]) => {
                is_known_key(tree, key)?;
                (info, value)
            }
            _ => return Err(wrong("the signature holds what is not taken")),
        };
        let parts = tree.elements(info);
        let (canonical, method, references) = match (&parts[..], &names(tree, &parts)[..]) {
            (
                [canonical, method, references @ ..],
                [(DS, "CanonicalizationMethod"), (DS, "SignatureMethod"), (DS, "Reference"), rest @ ..],
            ) if rest.iter().all(|name| *name == (DS, "Reference")) => (*canonical, *method, references),
            _ => return Err(wrong("the signature does not say once what it signs, and how")),
        };
        if references.len() > REFERENCES_MAX {
            return Err(wrong("the signature has more references than any should have"));
        }
        let prefixes = exclusive(tree, canonical)?;
        let references =
            references.iter().map(|reference| Reference::of(tree, *reference)).collect::<Result<_, _>>()?;
        let method = algorithm(tree, method, &METHODS)?;
        Ok(Statement { tree, version, security, info: Canonical(info, prefixes), method, value, references })
    }

    /// Is each of the references to an element that has its id alone and stands where it is read: the body, a header, or in
    /// the security header? And has it the digest that the signature says?
    pub fn holds(&self) -> Result<(), SoapError> {
        self.references.iter().try_for_each(|reference| {
            let digest = self.digest(reference)?;
            match STANDARD.decode(self.tree.base64(reference.digest_value)).is_ok_and(|said| said == digest) {
                true => Ok(()),
                false => Err(wrong("the signature is not of this message, or of another key")),
            }
        })
    }

    fn digest(&self, reference: &Reference<'_>) -> Result<Vec<u8>, SoapError> {
        let tree = self.tree;
        // An id that stands twice could mean one element here and another there.
        let [element] = tree.identified(reference.id)[..] else {
            return Err(wrong("a signed id stands nowhere, or more than once"));
        };
        let soap = |local| (self.version.namespace(), local);
        let path: Vec<_> = std::iter::successors(Some(element), |node| tree.parent(*node))
            .take_while(|node| tree.name(*node) != ("", ""))
            .collect();
        let stands = match names(tree, &path)[..] {
            [name, envelope] => name == soap("Body") && envelope == soap("Envelope"),
            [name, header, envelope] => {
                (header, envelope) == (soap("Header"), soap("Envelope")) && name != (WSU, "Timestamp")
            }
            [_, _, header, envelope] => {
                path.get(1) == Some(&self.security) && (header, envelope) == (soap("Header"), soap("Envelope"))
            }
            _ => false,
        };
        if !stands {
            return Err(wrong("the signature is of something that stands where nobody reads it"));
        }
        let bytes = tree.canonical(element, &reference.prefixes)?;
        crypto::digest::digest(reference.digest_method, &bytes).map_err(|_| wrong("a digest cannot be made"))
    }

    /// Is it by one of these keys?
    pub fn is_by(&self, keys: &[Key]) -> Result<(), SoapError> {
        let value = STANDARD.decode(self.tree.base64(self.value));
        let value = value.map_err(|_| wrong("the signature cannot be verified"))?;
        let info = self.tree.canonical(self.info.0, &self.info.1)?;
        let fitting = |key: &&Key| crypto::sign::key_algorithm_matches_signature_uri(self.method, key.data.algorithm());
        let is_by = |key: &Key| verifies(self.method, key, &info, &value);
        match keys.iter().filter(fitting).any(is_by) {
            true => Ok(()),
            false => Err(wrong("the signature is not of this message, or of another key")),
        }
    }

    /// The text with the digests that the signature has room for.
    pub fn digested(&self, text: &str) -> Result<String, SoapError> {
        let mut text = text.to_owned();
        // From the last to the first, so that places stay where they are.
        for reference in self.references.iter().rev() {
            let digest = STANDARD.encode(self.digest(reference)?);
            self.fill(&mut text, reference.digest_value, &digest)?;
        }
        Ok(text)
    }

    /// The text with the signature by a key.
    pub fn signed(&self, text: &str, key: &Key) -> Result<String, SoapError> {
        let value = sign(self.method, key, &self.tree.canonical(self.info.0, &self.info.1)?)?;
        let mut text = text.to_owned();
        self.fill(&mut text, self.value, &STANDARD.encode(value))?;
        Ok(text)
    }

    fn fill(&self, text: &mut String, node: NodeId, with: &str) -> Result<(), SoapError> {
        let (range, with) = self.tree.filled(node, with).ok_or_else(|| wrong("the envelope could not be signed"))?;
        text.replace_range(range, &with);
        Ok(())
    }
}

impl<'t> Reference<'t> {
    fn of(tree: &'t Tree<'t>, node: NodeId) -> Result<Reference<'t>, SoapError> {
        let id = tree.attribute(node, "URI").and_then(|uri| uri.strip_prefix('#'));
        let is_name =
            |id: &&str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let id = id.filter(is_name).ok_or_else(|| wrong("the signature refers to something else than an id"))?;
        let parts = tree.elements(node);
        let (&[transforms, method, digest_value], [(DS, "Transforms"), (DS, "DigestMethod"), (DS, "DigestValue")]) =
            (&parts[..], &names(tree, &parts)[..])
        else {
            return Err(wrong("a reference of the signature holds what is not taken"));
        };
        let [transform] = tree.elements(transforms)[..] else {
            return Err(wrong("a reference is digested in another way"));
        };
        let digest_method = algorithm(tree, method, &DIGESTS)?;
        Ok(Reference { id, digest_method, digest_value, prefixes: exclusive(tree, transform)? })
    }
}

fn names<'t>(tree: &'t Tree<'t>, nodes: &[NodeId]) -> Vec<(&'t str, &'t str)> {
    nodes.iter().map(|node| tree.name(*node)).collect()
}

/// The attribute `Algorithm`, which must be one of these.
fn algorithm<'t>(tree: &'t Tree<'t>, node: NodeId, known: &[&str]) -> Result<&'t str, SoapError> {
    let named = tree.attribute(node, "Algorithm").filter(|named| known.contains(named));
    named.ok_or_else(|| wrong("the signature uses an algorithm that is not taken"))
}

/// The prefixes of an element that says that something is made canonical exclusively (Exclusive XML Canonicalization, §4).
fn exclusive<'t>(tree: &'t Tree<'t>, node: NodeId) -> Result<Vec<&'t str>, SoapError> {
    algorithm(tree, node, &[EXCLUSIVE])?;
    match tree.elements(node)[..] {
        [] => Ok(Vec::new()),
        [list] if tree.name(list) == (EXCLUSIVE, "InclusiveNamespaces") => {
            Ok(tree.attribute(list, "PrefixList").unwrap_or_default().split_ascii_whitespace().collect())
        }
        _ => Err(wrong("the signature holds what is not taken")),
    }
}

/// Which key it is, the caller says; nothing is fetched because a message says so.
fn is_known_key(tree: &Tree<'_>, key: NodeId) -> Result<(), SoapError> {
    let known =
        |name: &(&str, &str)| [(WSSE, "SecurityTokenReference"), (DS, "X509Data"), (DS, "KeyName")].contains(name);
    match names(tree, &tree.elements(key)).iter().all(known) {
        true => Ok(()),
        false => Err(wrong("the signature tells its key in a way that is not taken")),
    }
}

/// A signature over bytes.
pub(super) fn sign(method: &str, key: &Key, bytes: &[u8]) -> Result<Vec<u8>, SoapError> {
    let signed = || crypto::sign::from_uri(method).ok()?.sign(&key.to_signing_key().ok()??, bytes).ok();
    signed().ok_or_else(|| wrong("the envelope could not be signed"))
}

/// Does a key verify a signature over bytes?
pub(super) fn verifies(method: &str, key: &Key, bytes: &[u8], signature: &[u8]) -> bool {
    let verified = || crypto::sign::from_uri(method).ok()?.verify(&key.to_signing_key().ok()??, bytes, signature).ok();
    verified() == Some(true)
}
