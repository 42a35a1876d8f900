//! SOAP: from a WSDL to operations, from values to envelopes and back; what envelopes carry beside.
//!
//! [`Wsdl::read`] takes the description of a service (WSDL 1.1) and gives its ports; [`Wsdl::operation`]
//! gives one operation with the types of what goes in and comes out. An [`Operation`] writes a value as the
//! request that its service expects, and reads the answer: a value again, or a [`Fault`]. Elements become
//! values as docs/formats/xml.md says, with the arrays and the local names of their types (docs/soap.md).
//!
//! What holds everywhere: input is hostile. A document type declaration is refused wherever it stands, sizes and
//! depths are bounded before memory is taken, and nothing is followed that is not handed in.
//!
//! Deliberately absent: sockets, files, clocks and randomness. Who calls hands in the documents that a WSDL
//! imports, the time, nonces and keys, and carries the bytes.

pub mod addressing;
pub mod envelope;
mod error;
pub mod mtom;
mod operation;
mod problem;
pub mod security;
mod shape;
mod version;
pub mod wsdl;

pub use envelope::Block;
pub use error::SoapError;
pub use lockgate_document::schema::XmlName;
pub use operation::{Answer, Contract, Message, Operation, Output, Request};
pub use problem::Problem;
pub use version::Version;
pub use wsdl::{Style, Wsdl};
