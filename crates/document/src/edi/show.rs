//! Heads and messages as values, as they come out of an interchange.

use lockgate_model::Limits;

use super::{
    Dialect,
    envelope::Envelope,
    generic,
    matching::Matching,
    rule::{Reading, Selector},
    segment::Segment,
    service::Level,
    syntax::{Mode, Syntax},
};
use crate::{builder::Builder, fault::Fault, format::FormatError};

/// Adds the key of an open envelope, and its head as value.
pub(super) fn head(envelope: &Envelope, level: Level, builder: &mut Builder) -> Result<(), FormatError> {
    let (Some(mode), Some(segment)) = (envelope.mode(), envelope.head(level)) else { return Ok(()) };
    let faulty = |fault: Fault| FormatError::fault(&fault, segment.offset);
    builder.key(level.name()).map_err(faulty)?;
    builder.begin_object().map_err(faulty)?;
    if level == Level::Interchange {
        builder.key("format").map_err(faulty)?;
        builder.text(mode.syntax.name()).map_err(faulty)?;
        delimiters(mode, builder).map_err(faulty)?;
    }
    let head = level.head(mode.syntax);
    Reading { segment, mode, selector: &Selector::default() }.elements(&head.elements, builder)?;
    if level == Level::Interchange && !envelope.notices().is_empty() {
        builder.key("notices").map_err(faulty)?;
        builder.begin_array().map_err(faulty)?;
        envelope.notices().iter().try_for_each(|notice| generic::show(notice, builder))?;
        builder.end().map_err(faulty)?;
    }
    builder.end().map_err(faulty)
}

fn delimiters(mode: &Mode, builder: &mut Builder) -> Result<(), Fault> {
    builder.key("delimiters")?;
    builder.begin_object()?;
    let decimal = (mode.syntax == Syntax::Edifact).then_some(mode.delimiters.decimal);
    for (name, byte) in mode.delimiters.dividing().into_iter().chain([("decimal", decimal)]) {
        if let Some(byte) = byte {
            builder.key(name)?;
            builder.text(char::from(byte).encode_utf8(&mut [0; 4]))?;
        }
    }
    builder.end()
}

/// The content of one message on its way into a value.
pub(super) enum Content {
    /// Its segments stand in the builder already.
    Generic,
    /// The grammar's number, and what it has taken.
    Named(usize, Matching),
}

impl Content {
    /// A message has begun: its head becomes a value, and the grammar for it is found.
    pub fn begin(
        envelope: &Envelope,
        dialect: &Dialect,
        limits: &Limits,
        builder: &mut Builder,
    ) -> Result<Content, FormatError> {
        head(envelope, Level::Message, builder)?;
        let (Some(mode), Some(segment)) = (envelope.mode(), envelope.head(Level::Message)) else {
            return Ok(Content::Generic);
        };
        if dialect.grammars.is_empty() {
            let faulty = |fault: Fault| FormatError::fault(&fault, segment.offset);
            builder.key("segments").map_err(faulty)?;
            builder.begin_array().map_err(faulty)?;
            return Ok(Content::Generic);
        }
        let group = envelope.head(Level::Group);
        let found = dialect.grammars.iter().position(|grammar| grammar.describes(mode.syntax, group, segment));
        match found.and_then(|number| Some((number, dialect.grammars.get(number)?))) {
            Some((number, grammar)) => Ok(Content::Named(number, Matching::new(grammar, limits.arena_bytes_max))),
            None => Err(segment.refused("LG-EDI-MESSAGE", None, "no grammar is given for this message and version")),
        }
    }

    pub fn segment(&mut self, segment: Segment, dialect: &Dialect, builder: &mut Builder) -> Result<(), FormatError> {
        match self {
            Content::Generic => generic::show(&segment, builder),
            Content::Named(number, matching) => match dialect.grammars.get(*number) {
                Some(grammar) => matching.take(grammar, segment),
                None => Ok(()),
            },
        }
    }

    pub fn end(
        self,
        trailer: &Segment,
        mode: &Mode,
        dialect: &Dialect,
        builder: &mut Builder,
    ) -> Result<(), FormatError> {
        let faulty = |fault: Fault| FormatError::fault(&fault, trailer.offset);
        match self {
            Content::Generic => builder.end().map_err(faulty),
            Content::Named(number, matching) => match dialect.grammars.get(number) {
                Some(grammar) => {
                    builder.key("content").map_err(faulty)?;
                    matching.finish(grammar, trailer, mode, builder)
                }
                None => Ok(()),
            },
        }
    }
}
