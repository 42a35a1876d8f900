//! The segments of the envelopes: which they are, and the names of what they hold.
//!
//! X12.5 for ISA, GS and their trailers, X12.6 for ST and SE; ISO 9735 (in its version 4, parts 1 and
//! 10) for UNB, UNG, UNH and theirs. Lengths are the largest of all versions.

use std::sync::LazyLock;

use super::{
    characters::Repertoire,
    rule::{Component, Content, Element, Elements},
    scalar::{Scalar, ScalarKind},
    segment::{Place, Segment},
    syntax::{Delimiters, Mode, Syntax},
};
use crate::format::FormatError;

/// What a segment does for the envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Begin(Level),
    End(Level),
    /// An acknowledgement in the head of an X12 interchange.
    Notice,
    Data,
}

/// The envelopes, from outside to inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Interchange,
    Group,
    Message,
}

pub(super) fn role(syntax: Syntax, tag: &str) -> Role {
    match (syntax, tag) {
        (Syntax::X12, "ISA") | (Syntax::Edifact, "UNA" | "UNB") => Role::Begin(Level::Interchange),
        (Syntax::X12, "GS") | (Syntax::Edifact, "UNG") => Role::Begin(Level::Group),
        (Syntax::X12, "ST") | (Syntax::Edifact, "UNH") => Role::Begin(Level::Message),
        (Syntax::X12, "SE") | (Syntax::Edifact, "UNT") => Role::End(Level::Message),
        (Syntax::X12, "GE") | (Syntax::Edifact, "UNE") => Role::End(Level::Group),
        (Syntax::X12, "IEA") | (Syntax::Edifact, "UNZ") => Role::End(Level::Interchange),
        (Syntax::X12, "TA1" | "TA3") => Role::Notice,
        _ => Role::Data,
    }
}

/// Segments whose bytes are not text: they can hold any delimiter.
pub(super) fn is_binary(syntax: Syntax, tag: &[u8]) -> bool {
    match syntax {
        Syntax::X12 => matches!(tag, b"BIN" | b"BDS"),
        Syntax::Edifact => matches!(tag, b"UNO" | b"UNP"),
    }
}

impl Level {
    /// The element of the head that its trailer repeats in its second.
    pub fn control(self, syntax: Syntax) -> u32 {
        match (self, syntax) {
            (Level::Interchange, Syntax::X12) => 13,
            (Level::Group, Syntax::X12) => 6,
            (Level::Message, Syntax::X12) => 2,
            (Level::Interchange | Level::Group, Syntax::Edifact) => 5,
            (Level::Message, Syntax::Edifact) => 1,
        }
    }
    pub fn head(self, syntax: Syntax) -> &'static Head {
        let heads: &'static [Head; 3] = match syntax {
            Syntax::X12 => &X12,
            Syntax::Edifact => &EDIFACT,
        };
        let [interchange, group, message] = heads;
        match self {
            Level::Interchange => interchange,
            Level::Group => group,
            Level::Message => message,
        }
    }
    /// The name in values and messages.
    pub fn name(self) -> &'static str {
        match self {
            Level::Interchange => "interchange",
            Level::Group => "group",
            Level::Message => "message",
        }
    }
}

/// A head, and the tag of its trailer.
pub(super) struct Head {
    pub tag: &'static str,
    pub trailer: &'static str,
    pub elements: Elements,
}

/// Widths of the elements of ISA.
const ISA_WIDTHS: [usize; 16] = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1];
const ISA_REPETITION: u32 = 11;
const ISA_COMPONENT: u32 = 16;

/// Takes an ISA with its terminator apart: its delimiters, and its elements without padding.
pub(super) fn read_isa(bytes: &[u8], mode: Mode, at: u64) -> Result<(Mode, Segment), FormatError> {
    let unsound = |message: &'static str| FormatError::new("LG-EDI-DELIMITERS", at, message);
    let (head, terminator) = bytes.split_at_checked(bytes.len().saturating_sub(1)).unwrap_or_default();
    let element = head.get(3).copied().unwrap_or_default();
    let mut fields = [&b""[..]; 16];
    let mut rest = head.get(3..).unwrap_or_default();
    for (field, width) in fields.iter_mut().zip(ISA_WIDTHS) {
        let (separator, after) = rest.split_first().unwrap_or((&0, &[]));
        if *separator != element {
            return Err(unsound("the elements of ISA do not have their fixed widths (X12.5)"));
        }
        (*field, rest) = after.split_at_checked(width).unwrap_or((after, &[]));
    }
    let [.., repetition, version, _, _, _, component] = fields;
    let repeats = version >= b"00402".as_slice();
    let delimiters = Delimiters {
        element,
        component: component.first().copied().unwrap_or_default(),
        repetition: repetition.first().copied().filter(|_| repeats),
        segment: terminator.first().copied().unwrap_or_default(),
        ..Delimiters::X12
    };
    if !delimiters.are_sound() {
        return Err(unsound(
            "ISA names delimiters that are not all different signs: elements, terminator, components (ISA16) and, from 00402 on, repetitions (ISA11)",
        ));
    }
    let mode = Mode { delimiters, ..mode };
    let mut segment = Segment::new("ISA");
    (segment.offset, segment.number) = (at, 1);
    let mut place = at + 3;
    for ((number, field), width) in (1u32..).zip(fields).zip(ISA_WIDTHS) {
        place += 1;
        if number != ISA_COMPONENT && !(number == ISA_REPETITION && repeats) {
            // Of fixed width, so that delimiters would pass for data.
            if field.iter().any(|byte| delimiters.has(*byte)) {
                return Err(unsound("an element of ISA holds a delimiter"));
            }
            let text = Repertoire::Ascii
                .decode(field, &delimiters)
                .map_err(|at| FormatError::new("LG-CHARSET", place + at as u64, Repertoire::Ascii.refusal()))?;
            segment.push(Place::of(number, 1), text.trim_end_matches(' '));
        }
        place += width as u64;
    }
    Ok((mode, segment))
}

/// Appends ISA, its elements filled up with blanks; the lengths of its texts have been checked. The
/// place of a character that cannot stand in it, where there is one.
pub(super) fn write_isa(segment: &Segment, mode: &Mode, out: &mut Vec<u8>) -> Result<(), Place> {
    out.extend_from_slice(b"ISA");
    for (number, width) in (1u32..).zip(ISA_WIDTHS) {
        out.push(mode.delimiters.element);
        let start = out.len();
        match (number, mode.delimiters.repetition) {
            (ISA_COMPONENT, _) => out.push(mode.delimiters.component),
            (ISA_REPETITION, Some(repetition)) => out.push(repetition),
            _ => {
                for sign in segment.get(number, 1).chars() {
                    if !Repertoire::Ascii.encode(sign, out) || out.last().is_some_and(|byte| mode.delimiters.has(*byte))
                    {
                        return Err(Place::of(number, 1));
                    }
                }
            }
        }
        out.resize(start + width, b' ');
    }
    out.push(mode.delimiters.segment);
    Ok(())
}

/// The repertoire of a head that is written.
pub(super) fn repertoire(segment: &Segment) -> Option<(Repertoire, u8)> {
    let version = match segment.get(1, 2).as_bytes() {
        [digit @ b'1'..=b'4'] => digit - b'0',
        _ => return None,
    };
    Repertoire::of_identifier(segment.get(1, 1), version).map(|characters| (characters, version))
}

static X12: LazyLock<[Head; 3]> = LazyLock::new(|| {
    let isa = vec![
        needed("authorization_qualifier", 2, 2),
        optional("authorization", 10),
        needed("security_qualifier", 2, 2),
        optional("security", 10),
        needed("sender_qualifier", 2, 2),
        needed("sender", 1, 15),
        needed("receiver_qualifier", 2, 2),
        needed("receiver", 1, 15),
        needed("date", 6, 6),
        needed("time", 4, 4),
        optional("standard", 1),
        needed("version", 5, 5),
        needed("control", 9, 9),
        needed("acknowledgment", 1, 1),
        needed("usage", 1, 1),
    ];
    let gs = vec![
        needed("functional_id", 2, 2),
        needed("sender", 1, 15),
        needed("receiver", 1, 15),
        needed("date", 6, 8),
        needed("time", 4, 8),
        needed("control", 1, 9),
        needed("agency", 1, 2),
        needed("version", 1, 12),
    ];
    let st = vec![needed("type", 3, 3), needed("control", 4, 9), optional("implementation", 35)];
    [
        Head { tag: "ISA", trailer: "IEA", elements: isa },
        Head { tag: "GS", trailer: "GE", elements: gs },
        Head { tag: "ST", trailer: "SE", elements: st },
    ]
});

static EDIFACT: LazyLock<[Head; 3]> = LazyLock::new(|| {
    let party =
        || vec![part("id", true, 35), part("qualifier", false, 4), part("internal", false, 35), part("sub", false, 35)];
    let moment = || vec![part("date", true, 8), part("time", true, 4)];
    let password = || vec![part("reference", true, 14), part("qualifier", false, 2)];
    let guideline =
        || vec![part("id", true, 14), part("version", false, 3), part("release", false, 3), part("agency", false, 3)];
    let syntax = vec![
        part("id", true, 4),
        part("version", true, 1),
        part("code_lists", false, 6),
        part("encoding", false, 3),
        part("release", false, 2),
    ];
    let unb = vec![
        composite("syntax", true, syntax),
        composite("sender", true, party()),
        composite("receiver", true, party()),
        composite("prepared", true, moment()),
        needed("control", 1, 14),
        composite("password", false, password()),
        optional("application", 14),
        optional("priority", 1),
        optional("acknowledgment", 1),
        optional("agreement", 35),
        optional("test", 1),
    ];
    // From version 4 on only type, control and agency are mandatory in UNG.
    let version = vec![part("version", true, 3), part("release", false, 3), part("association", false, 6)];
    let party = || vec![part("id", true, 35), part("qualifier", false, 4)];
    let ung = vec![
        optional("type", 6),
        composite("sender", false, party()),
        composite("receiver", false, party()),
        composite("prepared", false, moment()),
        needed("control", 1, 14),
        optional("agency", 3),
        composite("version", false, version),
        optional("password", 14),
    ];
    let kind = vec![
        part("id", true, 6),
        part("version", true, 3),
        part("release", true, 3),
        part("agency", true, 3),
        part("association", false, 6),
        part("code_lists", false, 6),
        part("sub_function", false, 6),
    ];
    let unh = vec![
        needed("control", 1, 14),
        composite("type", true, kind),
        optional("access", 35),
        composite("transfer", false, vec![part("sequence", true, 2), part("place", false, 1)]),
        composite("subset", false, guideline()),
        composite("guideline", false, guideline()),
        composite("scenario", false, guideline()),
    ];
    [
        Head { tag: "UNB", trailer: "UNZ", elements: unb },
        Head { tag: "UNG", trailer: "UNE", elements: ung },
        Head { tag: "UNH", trailer: "UNT", elements: unh },
    ]
});

fn text(min: u32, max: u32) -> Scalar {
    Scalar { kind: ScalarKind::Text, min, max, codes: Vec::new() }
}
fn simple(name: &str, required: bool, min: u32, max: u32) -> Option<Element> {
    Some(Element { name: name.to_owned(), required, repeat: 1, content: Content::Simple(text(min, max)) })
}
fn needed(name: &str, min: u32, max: u32) -> Option<Element> {
    simple(name, true, min, max)
}
fn optional(name: &str, max: u32) -> Option<Element> {
    simple(name, false, 1, max)
}
fn composite(name: &str, required: bool, components: Vec<Option<Component>>) -> Option<Element> {
    Some(Element { name: name.to_owned(), required, repeat: 1, content: Content::Composite(components) })
}
fn part(name: &str, required: bool, max: u32) -> Option<Component> {
    Some(Component { name: name.to_owned(), required, scalar: text(1, max) })
}
