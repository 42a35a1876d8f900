//! Interchanges as they go out: heads and trailers around messages, counts as they come.

use super::{
    Dialect, generic,
    limits::{NOTICES_MAX, SEGMENT_BYTES_MAX},
    path::Path,
    rule::{Selector, Writing, is_absent, members},
    segment::{Place, Segment},
    service::{self, Level, Role},
    syntax::{Delimiters, Mode, Syntax},
    writing,
};
use crate::{
    format::FormatError,
    node::{Kind, Node},
};

/// The head of an interchange, parsed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Heads {
    mode: Mode,
    head: Segment,
    notices: Vec<Segment>,
}

pub(super) struct Outgoing {
    dialect: Dialect,
    open: Option<Open>,
}

struct Open {
    heads: Heads,
    groups: u64,
    /// Messages that stand in no group.
    direct: u64,
    /// The open group and its messages.
    group: Option<(Segment, u64)>,
}

impl Outgoing {
    pub fn new(dialect: Dialect) -> Outgoing {
        Outgoing { dialect, open: None }
    }

    /// How the open interchange is written.
    pub fn mode(&self) -> Option<&Mode> {
        self.open.as_ref().map(|open| &open.heads.mode)
    }
    /// Is this the interchange that is open?
    pub fn is_open(&self, heads: &Heads) -> bool {
        self.open.as_ref().is_some_and(|open| open.heads == *heads)
    }
    /// Does the open interchange say something without any message?
    pub fn is_notice(&self) -> bool {
        self.open.as_ref().is_some_and(|open| !open.heads.notices.is_empty())
    }

    /// Reads the value of an interchange's head.
    pub fn heads(&self, value: Node<'_>, path: &Path<'_>) -> Result<Heads, FormatError> {
        let syntax = value.get("format").as_str().and_then(Syntax::named);
        let Some(syntax) = syntax else {
            return Err(path.key("format").refused("LG-EDI-VALUE", "must be `x12` or `edifact`"));
        };
        let head = Level::Interchange.head(syntax);
        let delimiters = if syntax == Syntax::X12 { Delimiters::X12 } else { Delimiters::EDIFACT };
        let mode =
            Mode { syntax, delimiters, characters: self.dialect.characters.into(), version: 0, either_mark: false };
        let beside = ["format", "delimiters", "notices"];
        let head = Writing { mode: &mode, selector: &Selector::default() }.segment(
            head.tag,
            &head.elements,
            value,
            &beside,
            path,
        )?;
        let mode = match syntax {
            Syntax::X12 => Mode { delimiters: x12_delimiters(&head, path)?, ..mode },
            Syntax::Edifact => {
                let (characters, version) = service::repertoire(&head).ok_or_else(|| {
                    let what = "must name UNOA to UNOK, UNOW or UNOY and a version from 1 to 4";
                    path.key("syntax").refused("LG-EDI-SYNTAX", what)
                })?;
                let repetition = delimiters.repetition.filter(|_| version >= 4);
                Mode { delimiters: Delimiters { repetition, ..delimiters }, characters, version, ..mode }
            }
        };
        let path_of = path.key("delimiters");
        let mode = match value.get("delimiters") {
            given if is_absent(given) => mode,
            given => Mode { delimiters: given_delimiters(given, &mode, &path_of)?, ..mode },
        };
        if !mode.delimiters.are_sound() {
            let what = "must be signs that all differ and are neither letters, digits nor blanks";
            return Err(path_of.refused("LG-EDI-DELIMITERS", what));
        }
        let path = path.key("notices");
        let notices = match value.get("notices") {
            absent if is_absent(absent) => Vec::new(),
            given if given.kind() != Kind::Array || given.len() > NOTICES_MAX => {
                return Err(path.refused("LG-EDI-VALUE", format_args!("must be an array of at most {NOTICES_MAX}")));
            }
            given => {
                let take = |(index, item)| generic::take(item, Role::Notice, &mode, &path.index(index));
                given.items().enumerate().map(take).collect::<Result<Vec<_>, _>>()?
            }
        };
        Ok(Heads { mode, head, notices })
    }

    pub fn begin_interchange(&mut self, heads: Heads, path: &Path<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let mode = heads.mode;
        match mode.syntax {
            Syntax::X12 => {
                service::write_isa(&heads.head, &mode, out).map_err(|place| reserved(place, path))?;
                self.line(&mode, out);
            }
            Syntax::Edifact => {
                let delimiters = mode.delimiters;
                let usual = Delimiters {
                    repetition: Delimiters::EDIFACT.repetition.filter(|_| mode.version >= 4),
                    ..Delimiters::EDIFACT
                };
                if self.dialect.advice || delimiters != usual {
                    let Delimiters { element, component, repetition, segment, release, decimal } = delimiters;
                    out.extend_from_slice(b"UNA");
                    out.extend([
                        component,
                        element,
                        decimal,
                        release.unwrap_or(b' '),
                        repetition.unwrap_or(b' '),
                        segment,
                    ]);
                    self.line(&mode, out);
                }
                self.emit(&heads.head, &mode, path, out)?;
            }
        }
        for notice in &heads.notices {
            self.emit(notice, &mode, path, out)?;
        }
        self.open = Some(Open { heads, groups: 0, direct: 0, group: None });
        Ok(())
    }

    /// Begins a group, unless the one that is open has the same head.
    pub fn group(&mut self, value: Node<'_>, path: &Path<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let head = self.group_head(value, path)?;
        if self.open.as_ref().and_then(|open| open.group.as_ref()).is_some_and(|(group, _)| *group == head) {
            return Ok(());
        }
        self.begin_group(head, path, out)
    }
    pub fn group_head(&self, value: Node<'_>, path: &Path<'_>) -> Result<Segment, FormatError> {
        let Some(mode) = self.mode() else {
            return Err(path.refused("LG-EDI-ENVELOPE", "stands outside of an interchange"));
        };
        let head = Level::Group.head(mode.syntax);
        Writing { mode, selector: &Selector::default() }.segment(head.tag, &head.elements, value, &[], path)
    }
    pub fn begin_group(&mut self, head: Segment, path: &Path<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.end_group(out)?;
        let Some(mode) = self.mode().copied() else { return Ok(()) };
        self.emit(&head, &mode, path, out)?;
        match &mut self.open {
            Some(open) if open.direct > 0 => {
                return Err(path.refused("LG-EDI-ENVELOPE", "begins a group after messages that stand in none"));
            }
            Some(open) => {
                open.groups += 1;
                open.group = Some((head, 0));
            }
            None => {}
        }
        Ok(())
    }

    /// Writes a message: an object with `message` and `segments` or `content`, and members `beside`.
    pub fn message(
        &mut self,
        value: Node<'_>,
        beside: &[&str],
        path: &Path<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let own = ["message", "segments", "content"];
        members(value, own.into_iter().chain(beside.iter().copied()), path)?;
        let Some(open) = &self.open else {
            return Err(path.refused("LG-EDI-ENVELOPE", "stands outside of an interchange"));
        };
        let mode = open.heads.mode;
        let group = open.group.as_ref().map(|(head, _)| head);
        if group.is_none() && (mode.syntax == Syntax::X12 || open.groups > 0) {
            return Err(path.key("group").refused("LG-EDI-MISSING", "is missing: the message must stand in a group"));
        }
        let rule = Level::Message.head(mode.syntax);
        let head = Writing { mode: &mode, selector: &Selector::default() }.segment(
            rule.tag,
            &rule.elements,
            value.get("message"),
            &[],
            &path.key("message"),
        )?;
        self.emit(&head, &mode, &path.key("message"), out)?;
        let mut count = 2u64;
        let mut each = |segment: &Segment, path: &Path<'_>| {
            count += 1;
            self.emit(segment, &mode, path, out)
        };
        let (segments, content) = (value.get("segments"), value.get("content"));
        if self.dialect.grammars.is_empty() {
            let path = path.key("segments");
            if segments.kind() != Kind::Array || !content.is_undefined() {
                return Err(path.refused("LG-EDI-VALUE", "must be an array, and `content` absent: no grammar is given"));
            }
            for (index, segment) in segments.items().enumerate() {
                let path = path.index(index);
                each(&generic::take(segment, Role::Data, &mode, &path)?, &path)?;
            }
        } else {
            let found = self.dialect.grammars.iter().find(|grammar| grammar.describes(mode.syntax, group, &head));
            let Some(grammar) = found else {
                let what = "is of a message or version that no grammar is given for";
                return Err(path.key("message").refused("LG-EDI-MESSAGE", what));
            };
            let path = path.key("content");
            if content.kind() != Kind::Object || !segments.is_undefined() {
                return Err(
                    path.refused("LG-EDI-VALUE", "must be an object, and `segments` absent: there are grammars")
                );
            }
            writing::write(grammar, &mode, content, &path, &mut each)?;
        }
        self.trailer(Level::Message, &head, count, &mode, out)?;
        if let Some(open) = &mut self.open {
            match &mut open.group {
                Some((_, messages)) => *messages += 1,
                None => open.direct += 1,
            }
        }
        Ok(())
    }

    pub fn end_group(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let mode = open.heads.mode;
        match open.group.take() {
            Some((head, messages)) => self.trailer(Level::Group, &head, messages, &mode, out),
            None => Ok(()),
        }
    }
    pub fn end_interchange(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.end_group(out)?;
        match self.open.take() {
            Some(open) => {
                let Heads { mode, head, .. } = &open.heads;
                self.trailer(Level::Interchange, head, open.groups + open.direct, mode, out)
            }
            None => Ok(()),
        }
    }

    fn trailer(
        &self,
        level: Level,
        head: &Segment,
        count: u64,
        mode: &Mode,
        out: &mut Vec<u8>,
    ) -> Result<(), FormatError> {
        let mut trailer = Segment::new(level.head(mode.syntax).trailer);
        trailer.push(Place::of(1, 1), &count.to_string());
        trailer.push(Place::of(2, 1), head.get(level.control(mode.syntax), 1));
        self.emit(&trailer, mode, &Path::ROOT, out)
    }

    /// Appends one segment.
    fn emit(&self, segment: &Segment, mode: &Mode, path: &Path<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let Mode { delimiters, characters, .. } = mode;
        let begin = out.len();
        out.extend_from_slice(segment.tag().as_bytes());
        let mut at = Place { element: 0, ..Place::FIRST };
        for (place, text) in segment.pieces() {
            while at.element < place.element {
                out.push(delimiters.element);
                at = Place { element: at.element + 1, ..Place::FIRST };
            }
            while at.repetition < place.repetition {
                // Who made the segment has asked whether it may repeat.
                out.extend(delimiters.repetition);
                at = Place { repetition: at.repetition + 1, component: 1, ..at };
            }
            while at.component < place.component {
                out.push(delimiters.component);
                at.component += 1;
            }
            for sign in text.chars() {
                match u8::try_from(sign).ok().filter(|byte| byte.is_ascii() && delimiters.has(*byte)) {
                    Some(byte) => match delimiters.release {
                        Some(release) => out.extend([release, byte]),
                        None => return Err(reserved(place, path)),
                    },
                    None if characters.encode(sign, out) => {}
                    None => {
                        let what = format!("has a character in element {} that its character set lacks", place.element);
                        return Err(path.refused("LG-CHARSET", what));
                    }
                }
            }
        }
        if out.len() - begin > SEGMENT_BYTES_MAX {
            return Err(path.refused("LG-EDI-LIMIT", "makes a segment longer than 1 MiB"));
        }
        out.push(delimiters.segment);
        self.line(mode, out);
        Ok(())
    }
    fn line(&self, mode: &Mode, out: &mut Vec<u8>) {
        if self.dialect.lines && mode.delimiters.segment != b'\n' {
            out.push(b'\n');
        }
    }
}

fn reserved(place: Place, path: &Path<'_>) -> FormatError {
    let what = format!(
        "has a delimiter or a character that X12 cannot carry in element {}: choose other delimiters",
        place.element
    );
    path.refused("LG-EDI-RESERVED", what)
}

/// Those of X12 where the value names none: repetition from 00402 on.
fn x12_delimiters(head: &Segment, path: &Path<'_>) -> Result<Delimiters, FormatError> {
    let repeats = head.get(12, 1) >= "00402";
    match (repeats, head.get(11, 1).is_empty()) {
        (true, false) => {
            let what = "must be absent from 00402 on, where the separator of repetitions has its place";
            Err(path.key("standard").refused("LG-EDI-VALUE", what))
        }
        (false, true) => {
            let what = "is missing, mostly `U`: before 00402 ISA11 holds it";
            Err(path.key("standard").refused("LG-EDI-MISSING", what))
        }
        _ => Ok(Delimiters { repetition: Delimiters::X12.repetition.filter(|_| repeats), ..Delimiters::X12 }),
    }
}

/// Those that a value names, all of them; what it leaves out does not divide.
fn given_delimiters(value: Node<'_>, mode: &Mode, path: &Path<'_>) -> Result<Delimiters, FormatError> {
    let usual = mode.delimiters;
    let known = usual.dividing().map(|(name, _)| name);
    members(value, known.into_iter().chain(["decimal"]), path)?;
    let sign =
        |name: &str, needed: bool, may: bool| match (value.get(name), value.get(name).as_str().map(str::as_bytes)) {
            (absent, _) if is_absent(absent) && !needed => Ok(None),
            (_, Some([byte])) if may => Ok(Some(*byte)),
            (_, Some([_])) => {
                Err(path.key(name).refused("LG-EDI-DELIMITERS", "has no place in this version of the syntax"))
            }
            _ => Err(path.key(name).refused("LG-EDI-DELIMITERS", "must be a text of one ASCII character")),
        };
    let is_edifact = mode.syntax == Syntax::Edifact;
    let needed = |name: &str| sign(name, true, true).map(Option::unwrap_or_default);
    let repetition = sign("repetition", !is_edifact && usual.repetition.is_some(), usual.repetition.is_some())?;
    Ok(Delimiters {
        element: needed("element")?,
        component: needed("component")?,
        repetition,
        segment: needed("segment")?,
        release: sign("release", false, is_edifact)?,
        decimal: sign("decimal", is_edifact, is_edifact)?.unwrap_or(usual.decimal),
    })
}
