//! WS-Addressing 1.0 (W3C Recommendation of 9 May 2006): the headers of a request, and to which request an answer
//! belongs.
//!
//! Deliberately absent: answers to another address than the connection's own, reference parameters.

use lockgate_document::{Kind, schema::XmlName};

use crate::{
    Block, SoapError,
    envelope::{Envelope, text_of},
};

/// The namespace of WS-Addressing 1.0.
pub const WSA: &str = "http://www.w3.org/2005/08/addressing";
/// Who asked, on the connection on which it did.
const ANONYMOUS: &str = "http://www.w3.org/2005/08/addressing/anonymous";
/// What an answer is to its request (Core §3.1).
const REPLY: &str = "http://www.w3.org/2005/08/addressing/reply";

/// The properties of a request.
#[derive(Debug, Clone, Copy)]
pub struct Addressing<'a> {
    /// Whom it is for.
    pub to: &'a str,
    /// What it asks for: [`Operation::addressing_action`](crate::Operation::addressing_action).
    pub action: &'a str,
    /// Its id, an IRI of the caller's, such as `urn:uuid:…`.
    pub message_id: &'a str,
}

impl Addressing<'_> {
    /// The header blocks.
    pub fn blocks(&self) -> Vec<Block> {
        vec![
            Block::new(WSA, "To").text(self.to),
            Block::new(WSA, "Action").text(self.action),
            Block::new(WSA, "MessageID").text(self.message_id),
            Block::new(WSA, "ReplyTo").child(Block::new(WSA, "Address").text(ANONYMOUS)),
        ]
    }
}

/// The headers of an answer that may be ones that must be understood where [`related`] looks at it: those that say what
/// the answer is. Where an answer to the answer is to go, nobody here would obey.
pub fn known() -> Vec<XmlName> {
    ["To", "Action", "MessageID", "RelatesTo", "From"].into_iter().map(|local| XmlName::new(WSA, local)).collect()
}

/// Does an answer say to which request it belongs? One that names another request is refused. One that names none is
/// not, as endpoints without WS-Addressing do not; but one that must be signed is: it could be an answer that was kept.
pub fn related(envelope: &mut Envelope<'_>, message_id: &str) -> Result<bool, SoapError> {
    let wrong = |message| SoapError::new("LG-SOAP-ADDRESSING", message);
    let named = envelope.with_block(&XmlName::new(WSA, "RelatesTo"), |_, node| {
        let relation = node.get("@RelationshipType");
        let is_reply = relation.kind() == Kind::Undefined || relation.as_str() == Some(REPLY);
        Ok(is_reply.then(|| text_of(node).trim() == message_id))
    })?;
    match named.flatten() {
        Some(true) => Ok(true),
        Some(false) => Err(wrong("the answer is one to another request")),
        None if envelope.is_signed() => Err(wrong("the answer does not say to which request it is one")),
        None => Ok(false),
    }
}
