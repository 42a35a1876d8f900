//! EDI: ASC X12 and UN/EDIFACT, read and written segment by segment.
//!
//! Sources: ASC X12.5 (interchange control structures), X12.6 (application control structure);
//! ISO 9735 in its syntax versions 1 to 4. docs/formats/edi.md says which value stands for which
//! text. [`read`] and [`write`] take an interchange as a whole; [`Reader`] and [`Writer`] one message
//! at a time, in memory that does not depend on the size of the interchange. With a [`Grammar`] a
//! message has names, nesting and numbers; without one it is a list of its segments.
//!
//! Deliberately absent: the directories of the standards and their codes; acknowledgements (997,
//! CONTRL) as a deed, since a flow that reads and writes can make them; binary segments (X12 BIN, BDS,
//! EDIFACT UNO), security outside messages, interactive EDIFACT; clocks: dates and control numbers are
//! values.

mod characters;
mod cursor;
mod decimal;
mod envelope;
mod generic;
mod grammar;
mod limits;
mod matching;
mod moment;
mod outgoing;
mod path;
mod records;
mod rule;
mod scalar;
mod segment;
mod service;
mod show;
mod syntax;
mod token;
mod whole;
mod writing;

use std::sync::Arc;

pub use characters::Characters;
pub use grammar::Grammar;
pub use records::{Reader, Writer};
pub use syntax::Syntax;
pub use whole::{read, write};

/// How interchanges are read and written, apart from what they say themselves.
#[derive(Debug, Clone, Default)]
pub struct Dialect {
    /// The characters of X12 interchanges; EDIFACT names its own.
    pub characters: Characters,
    /// The messages there may be. Without any, messages are lists of segments.
    pub grammars: Arc<[Grammar]>,
    /// Ends each segment that is written with a line end after its terminator.
    pub lines: bool,
    /// Writes UNA even where it names nothing but the defaults.
    pub advice: bool,
}

#[cfg(test)]
mod tests;
