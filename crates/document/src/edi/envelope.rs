//! Envelopes: what may stand where, and whether trailers say what was there.
//!
//! X12: ISA … IEA around GS … GE around ST … SE (X12.5). EDIFACT: UNB … UNZ around UNG … UNE, or
//! around messages directly, around UNH … UNT (ISO 9735). Every trailer has a count and repeats the
//! control number of its head.
//!
//! Deliberately absent: whether a control number came before, which the receiver's books know;
//! security headers outside messages, packages and interactive EDIFACT, which are refused.

use super::{
    characters::Characters,
    limits::{NOTICES_BYTES_MAX, NOTICES_MAX},
    segment::{Place, Segment},
    service::{self, Level, Role},
    syntax::{Mode, Syntax},
    token::Tokenizer,
};
use crate::format::FormatError;

/// What comes next in an interchange. Its heads are kept until their envelope ends.
pub(super) enum Event {
    Begin(Level),
    /// A segment of the message that is open.
    Segment(Segment),
    /// The envelope ends with this trailer.
    End(Level, Segment),
}

pub(super) struct Envelope {
    tokens: Tokenizer,
    interchange: Option<Open>,
    group: Option<Open>,
    message: Option<Open>,
    /// Acknowledgements in the head of the interchange.
    notices: Vec<Segment>,
    /// The interchange has ended; its head is kept until what follows is asked for.
    ended: bool,
}

/// An envelope that has not ended.
struct Open {
    head: Segment,
    /// Groups of an interchange, messages of a group, segments of a message.
    inside: u64,
    /// Messages that stand directly in an interchange.
    direct: u64,
}

impl Envelope {
    pub fn new(characters: Characters) -> Envelope {
        let tokens = Tokenizer::new(characters);
        Envelope { tokens, interchange: None, group: None, message: None, notices: Vec::new(), ended: false }
    }
    pub fn push(&mut self, bytes: &[u8]) {
        self.tokens.push(bytes);
    }
    pub fn end(&mut self) {
        self.tokens.end();
    }

    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.tokens.held()
    }

    /// How the open interchange is read.
    pub fn mode(&self) -> Option<&Mode> {
        self.tokens.mode()
    }
    /// The head of an open envelope.
    pub fn head(&self, level: Level) -> Option<&Segment> {
        match level {
            Level::Interchange => &self.interchange,
            Level::Group => &self.group,
            Level::Message => &self.message,
        }
        .as_ref()
        .map(|open| &open.head)
    }
    pub fn notices(&self) -> &[Segment] {
        &self.notices
    }
    /// Where the next byte lies.
    pub fn offset(&self) -> u64 {
        self.tokens.offset()
    }

    /// The next event; none when more bytes are needed or all were read.
    pub fn next(&mut self) -> Result<Option<Event>, FormatError> {
        if self.ended {
            self.tokens.leave();
            (self.interchange, self.ended) = (None, false);
            self.notices.clear();
        }
        while let Some(segment) = self.tokens.next()? {
            let Some(mode) = self.tokens.mode() else { return Ok(None) };
            let (syntax, tag) = (mode.syntax, segment.tag());
            match service::role(syntax, tag) {
                Role::Data if self.message.is_some() => {
                    self.count(Level::Message);
                    return Ok(Some(Event::Segment(segment)));
                }
                Role::Data => return Err(misplaced(&segment, "stands outside of a message")),
                Role::Notice => self.notice(segment)?,
                Role::Begin(level) => {
                    self.begin(level, syntax, segment)?;
                    return Ok(Some(Event::Begin(level)));
                }
                Role::End(level) => {
                    self.close(level, syntax, &segment)?;
                    return Ok(Some(Event::End(level, segment)));
                }
            }
        }
        Ok(None)
    }

    fn count(&mut self, level: Level) {
        let open = match level {
            Level::Interchange => &mut self.interchange,
            Level::Group => &mut self.group,
            Level::Message => &mut self.message,
        };
        if let Some(open) = open {
            open.inside += 1;
        }
    }

    /// X12.5: between ISA and the first group.
    fn notice(&mut self, segment: Segment) -> Result<(), FormatError> {
        if self.group.is_some() || self.interchange.as_ref().is_none_or(|open| open.inside > 0) {
            return Err(misplaced(&segment, "stands before the first group or not at all"));
        }
        let held: u64 = self.notices.iter().chain([&segment]).map(Segment::bytes).sum();
        if self.notices.len() >= NOTICES_MAX || held > NOTICES_BYTES_MAX {
            return Err(segment.refused("LG-EDI-LIMIT", None, "there are more of them than any interchange needs"));
        }
        self.notices.push(segment);
        Ok(())
    }

    fn begin(&mut self, level: Level, syntax: Syntax, head: Segment) -> Result<(), FormatError> {
        let (inside, direct) = self.interchange.as_ref().map_or((0, 0), |open| (open.inside, open.direct));
        let misplaced = |what| Err(misplaced(&head, what));
        match level {
            Level::Interchange if self.interchange.is_some() => {
                return misplaced("begins an interchange within another: the trailer of that is missing");
            }
            _ if self.message.is_some() => return misplaced("stands within a message: its trailer is missing"),
            Level::Group if self.group.is_some() => return misplaced("stands within a group: its trailer is missing"),
            Level::Group if direct > 0 => return misplaced("begins a group after messages that stand in none"),
            Level::Message if self.group.is_none() && syntax == Syntax::X12 => {
                return misplaced("stands outside of a group");
            }
            Level::Message if self.group.is_none() && inside > 0 => {
                return misplaced("stands outside of a group, and groups came before it");
            }
            _ => {}
        }
        if head.get(level.control(syntax), 1).is_empty() {
            let place = Place::of(level.control(syntax), 1);
            return Err(head.refused("LG-EDI-MISSING", Some(place), "the control number is missing"));
        }
        // A message counts its own head and trailer.
        let open = Open { head, inside: u64::from(level == Level::Message), direct: 0 };
        match level {
            Level::Interchange => self.interchange = Some(open),
            Level::Group => {
                self.count(Level::Interchange);
                self.group = Some(open);
            }
            Level::Message => {
                match (&mut self.group, &mut self.interchange) {
                    (Some(group), _) => group.inside += 1,
                    (None, Some(interchange)) => interchange.direct += 1,
                    _ => {}
                }
                self.message = Some(open);
            }
        }
        Ok(())
    }

    fn close(&mut self, level: Level, syntax: Syntax, trailer: &Segment) -> Result<(), FormatError> {
        let open = match level {
            Level::Message => {
                self.count(Level::Message);
                self.message.take()
            }
            _ if self.message.is_some() => {
                return Err(misplaced(trailer, "stands within a message: its trailer is missing"));
            }
            Level::Group => self.group.take(),
            Level::Interchange if self.group.is_some() => {
                return Err(misplaced(trailer, "stands within a group: its trailer is missing"));
            }
            Level::Interchange => self.interchange.take(),
        };
        let Some(open) = open else {
            return Err(misplaced(trailer, format_args!("ends a {}, and none is open", level.name())));
        };
        let count = open.inside + open.direct;
        let told = trailer.get(1, 1);
        let is_count = told.len() <= 10 && told.bytes().all(|byte| byte.is_ascii_digit());
        if !is_count || told.parse::<u64>() != Ok(count) {
            let counted = match (level, open.direct) {
                (Level::Message, _) => "segments",
                (Level::Group, _) | (Level::Interchange, 1..) => "messages",
                (Level::Interchange, 0) => "groups",
            };
            let what = format!("does not say the count: there were {count} {counted}");
            return Err(trailer.refused("LG-EDI-COUNT", Some(Place::FIRST), what));
        }
        if trailer.get(2, 1) != open.head.get(level.control(syntax), 1) {
            let what = format!("is not the control number of {} (segment {})", open.head.tag(), open.head.number);
            return Err(trailer.refused("LG-EDI-CONTROL", Some(Place::of(2, 1)), what));
        }
        if let Some((place, _)) = trailer
            .pieces()
            .find(|(place, _)| !matches!((place.element, place.component, place.repetition), (1 | 2, 1, 1)))
        {
            return Err(trailer.refused(
                "LG-EDI-ELEMENT",
                Some(place),
                "a trailer has a count and a control number alone",
            ));
        }
        if level == Level::Interchange {
            (self.interchange, self.ended) = (Some(open), true);
        }
        Ok(())
    }
}

fn misplaced(segment: &Segment, what: impl std::fmt::Display) -> FormatError {
    segment.refused("LG-EDI-ENVELOPE", None, what)
}
