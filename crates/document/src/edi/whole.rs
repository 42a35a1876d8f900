//! One interchange as one value:
//! `{interchange, groups: [{group, messages: [{message, segments}]}]}`, or `messages` where EDIFACT
//! has no groups.

use lockgate_model::Limits;

use super::{
    Dialect,
    envelope::{Envelope, Event},
    outgoing::Outgoing,
    path::Path,
    rule::{is_absent, members},
    service::Level,
    show::{self, Content},
    syntax::Syntax,
};
use crate::{
    builder::Builder,
    document::Document,
    fault::Fault,
    format::FormatError,
    node::{Kind, Node},
};

/// Reads the one interchange that these bytes are.
pub fn read(bytes: &[u8], dialect: &Dialect, limits: &Limits) -> Result<Document, FormatError> {
    let mut envelope = Envelope::new(dialect.characters);
    // In pieces, so that what is refused early costs little.
    let mut pieces = bytes.chunks(1 << 16);
    let mut building = Building { builder: Builder::new(limits), content: None, begun: false, listed: false };
    loop {
        while let Some(event) = envelope.next()? {
            building.event(event, &envelope, dialect, limits)?;
        }
        match pieces.next() {
            Some(piece) => envelope.push(piece),
            None => break,
        }
    }
    envelope.end();
    while let Some(event) = envelope.next()? {
        building.event(event, &envelope, dialect, limits)?;
    }
    if !building.begun {
        return Err(FormatError::new(
            "LG-EDI-END",
            envelope.offset(),
            "there is no interchange: no bytes but blanks came",
        ));
    }
    building.builder.finish().map_err(|fault| FormatError::fault(&fault, envelope.offset()))
}

/// The value as far as it is built.
struct Building {
    builder: Builder,
    content: Option<Content>,
    /// Has the interchange begun, and is its list of groups or messages open?
    begun: bool,
    listed: bool,
}

impl Building {
    fn event(
        &mut self,
        event: Event,
        envelope: &Envelope,
        dialect: &Dialect,
        limits: &Limits,
    ) -> Result<(), FormatError> {
        let faulty = |fault: Fault| FormatError::fault(&fault, envelope.offset());
        match event {
            Event::Begin(Level::Interchange) => {
                if self.begun {
                    let at = envelope.head(Level::Interchange).map_or(0, |head| head.offset);
                    let message = "a second interchange begins: read several as a stream of messages";
                    return Err(FormatError::new("LG-EDI-ENVELOPE", at, message));
                }
                self.begun = true;
                // Acknowledgements may follow it; what is wrong with itself is said at once.
                let mut alone = Builder::new(limits);
                alone.begin_object().map_err(faulty)?;
                show::head(envelope, Level::Interchange, &mut alone)?;
                self.builder.begin_object().map_err(faulty)
            }
            Event::Begin(Level::Group) => {
                self.list("groups", envelope)?;
                self.builder.begin_object().map_err(faulty)?;
                show::head(envelope, Level::Group, &mut self.builder)?;
                self.builder.key("messages").map_err(faulty)?;
                self.builder.begin_array().map_err(faulty)
            }
            Event::Begin(Level::Message) => {
                self.list("messages", envelope)?;
                self.builder.begin_object().map_err(faulty)?;
                self.content = Some(Content::begin(envelope, dialect, limits, &mut self.builder)?);
                Ok(())
            }
            Event::Segment(segment) => match &mut self.content {
                Some(content) => content.segment(segment, dialect, &mut self.builder),
                None => Ok(()),
            },
            Event::End(Level::Message, trailer) => {
                if let (Some(content), Some(mode)) = (self.content.take(), envelope.mode()) {
                    content.end(&trailer, mode, dialect, &mut self.builder)?;
                }
                self.builder.end().map_err(faulty)
            }
            Event::End(Level::Group, _) => self.builder.end().and_then(|()| self.builder.end()).map_err(faulty),
            Event::End(Level::Interchange, _) => {
                let is_x12 = envelope.mode().is_some_and(|mode| mode.syntax == Syntax::X12);
                self.list(if is_x12 { "groups" } else { "messages" }, envelope)?;
                self.builder.end().and_then(|()| self.builder.end()).map_err(faulty)
            }
        }
    }

    /// The head of the interchange is complete when something follows it.
    fn list(&mut self, name: &str, envelope: &Envelope) -> Result<(), FormatError> {
        if self.listed {
            return Ok(());
        }
        self.listed = true;
        let faulty = |fault: Fault| FormatError::fault(&fault, envelope.offset());
        show::head(envelope, Level::Interchange, &mut self.builder)?;
        self.builder.key(name).map_err(faulty)?;
        self.builder.begin_array().map_err(faulty)
    }
}

/// Appends the bytes of such a value; nothing when it is refused.
pub fn write(value: Node<'_>, dialect: &Dialect, out: &mut Vec<u8>) -> Result<(), FormatError> {
    let before = out.len();
    written(value, dialect, out).inspect_err(|_| out.truncate(before))
}

fn written(value: Node<'_>, dialect: &Dialect, out: &mut Vec<u8>) -> Result<(), FormatError> {
    let (mut outgoing, path) = (Outgoing::new(dialect.clone()), Path::ROOT);
    members(value, ["interchange", "groups", "messages"].into_iter(), &path)?;
    let (groups, messages) = (value.get("groups"), value.get("messages"));
    if is_absent(groups) == is_absent(messages) {
        return Err(path.refused("LG-EDI-VALUE", "must have `groups` or `messages`, and not both"));
    }
    let heads = outgoing.heads(value.get("interchange"), &path.key("interchange"))?;
    outgoing.begin_interchange(heads, &path.key("interchange"), out)?;
    if is_absent(groups) {
        each(messages, &path.key("messages"), &mut |message, path| outgoing.message(message, &[], path, out))?;
    } else {
        each(groups, &path.key("groups"), &mut |group, path| {
            members(group, ["group", "messages"].into_iter(), path)?;
            let head = outgoing.group_head(group.get("group"), &path.key("group"))?;
            outgoing.begin_group(head, &path.key("group"), out)?;
            each(group.get("messages"), &path.key("messages"), &mut |message, path| {
                outgoing.message(message, &[], path, out)
            })
        })?;
    }
    outgoing.end_interchange(out)
}

fn each(
    value: Node<'_>,
    path: &Path<'_>,
    write: &mut dyn FnMut(Node<'_>, &Path<'_>) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    if value.kind() != Kind::Array {
        return Err(path.refused("LG-EDI-VALUE", "must be an array"));
    }
    value.items().enumerate().try_for_each(|(index, item)| write(item, &path.index(index)))
}
