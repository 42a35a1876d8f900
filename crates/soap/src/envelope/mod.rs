//! Envelopes: header blocks and a body, written and read (SOAP 1.1 §4, SOAP 1.2 Part 1 §5).
//!
//! What is read is held to the form that the WS-I Basic Profile 1.1 gives it: at most one header, one body behind it,
//! and nothing else. A header that must be understood and that nobody says to understand refuses the message.

mod block;
mod fault;
mod read;
mod write;

pub use block::Block;
pub use fault::{Fault, FaultCode, refusal};
pub use read::{Envelope, HeaderBlock, document};
pub(crate) use read::{elements, text as text_of};
pub(crate) use write::{Parts, write};
