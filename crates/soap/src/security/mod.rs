//! WS-Security 1.1 (OASIS): user names with passwords, timestamps, signatures and encryption by X.509 certificates.
//!
//! Time and nonces of tokens come from the caller. What is read is strict: a token that says two things is refused.
//!
//! Deliberately absent: where passwords are kept, and which nonces were seen; who serves asks both.

pub mod encryption;
pub mod signature;
mod statement;
mod timestamp;
mod tree;
mod username;

use lockgate_document::{Node, schema::XmlName};

pub use timestamp::Lifetime;
pub use username::{NONCE_BYTES, Password, Presented, UsernameToken};

use crate::{
    Block, SoapError, Version,
    envelope::{Envelope, HeaderBlock, elements},
    shape::Names,
};

/// Namespace of security headers.
pub const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// Namespace of ids and timestamps.
pub const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";

/// The header that holds these, for who receives the message; it must be understood.
pub fn header(version: Version, children: Vec<Block>) -> Block {
    let header = Block::new(WSSE, "Security").attribute(version.namespace(), "mustUnderstand", "1");
    Block { children, ..header }
}

/// The name of that header.
pub fn name() -> XmlName {
    XmlName::new(WSSE, "Security")
}

/// Refuses a security header that must be understood and holds something else than what is looked at: a timestamp, and
/// a signature with its certificate, and in a message that was decrypted the key by which it was.
pub fn understood(envelope: &mut Envelope<'_>, is_decrypted: bool) -> Result<(), SoapError> {
    let is_ours = |block: &HeaderBlock| block.must_understand && block.is_ours && block.name == name();
    if !envelope.headers().iter().any(is_ours) {
        return Ok(());
    }
    let known = [(WSU, "Timestamp"), (WSSE, "BinarySecurityToken"), (signature::DS, "Signature")];
    envelope.with_block(&name(), |names, security| {
        for (key, node) in elements(security)? {
            let mark = names.enter(node);
            let is_key = is_decrypted && names.element(key) == (encryption::XENC, "EncryptedKey");
            if !is_key && !known.contains(&names.element(key)) {
                let message = "the security header must be understood, and holds what nobody here looks at";
                return Err(SoapError::new("LG-SOAP-UNDERSTAND", message));
            }
            names.leave(mark);
        }
        Ok(())
    })?;
    Ok(())
}

/// The `wsu:Id` of an element whose declarations are in force.
pub(crate) fn id<'a>(names: &Names<'a>, node: Node<'a>) -> Option<&'a str> {
    let attributes = node.entries().map_while(|(key, value)| Some((key.strip_prefix('@')?, value)));
    let mut ids = attributes.filter(|(key, _)| names.attribute(key) == (WSU, "Id"));
    ids.next().and_then(|(_, value)| value.as_str())
}
