//! What differs from one table to another: signs, header, line ends, what becomes a number.

use super::scan::COLUMNS_MAX;
use crate::charset::Charset;
use crate::node::{Kind, Node};
use crate::options::{Empty, LayoutProblems, LineEnd, Members, Read, Told};

/// How a table is written down. The default is RFC 4180 in UTF-8 with a header line.
///
/// Two dialects that a reader could not tell apart from their own data cannot be made: no sign has
/// two meanings, and none can stand in a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    /// A quote within a field that does not begin with one is a sign like others.
    pub(super) lenient: bool,
    pub(super) escape: Escape,
    pub(super) header: Header,
    pub(super) comment: Option<u8>,
    pub(super) trim: bool,
    pub(super) line_end: LineEnd,
    pub(super) empty: Empty,
    pub(super) numbers: Vec<String>,
    pub(super) charset: Charset,
    pub(super) mark: bool,
    pub(super) quoting: Quoting,
}

/// How a quote stands in a quoted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// Twice (RFC 4180 §2 (7)).
    Doubled,
    /// Behind a backslash, and so may every other sign that has a meaning.
    Backslash,
}

/// Where the names of the columns come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Header {
    /// From the first line.
    Line,
    /// From here; there is no header line.
    Names(Vec<String>),
    /// The columns are called 1, 2, 3 …; there is no header line.
    Numbers,
    /// There are none: a record is an array.
    Arrays,
}

/// Which fields are written in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Those that could be misread without.
    Needed,
    /// All.
    Always,
}

/// The members of a dialect.
const MEMBERS: &[&str] = &[
    "delimiter",
    "quote",
    "quotes",
    "escape",
    "header",
    "comment",
    "trim",
    "line_end",
    "empty",
    "numbers",
    "charset",
    "mark",
    "quoting",
];

/// Signs that have a name.
const NAMED: &[(&str, u8)] = &[("comma", b','), ("semicolon", b';'), ("tab", b'\t'), ("pipe", b'|'), ("space", b' ')];

impl Default for Dialect {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            lenient: false,
            escape: Escape::Doubled,
            header: Header::Line,
            comment: None,
            trim: false,
            line_end: LineEnd::Any,
            empty: Empty::Text,
            numbers: Vec::new(),
            charset: Charset::UTF_8,
            mark: false,
            quoting: Quoting::Needed,
        }
    }
}

impl Dialect {
    /// Reads a dialect from an object; docs/formats/csv.md has its members. Undefined is the default.
    pub fn read(node: Node<'_>) -> Result<Self, LayoutProblems> {
        let told = Told::default();
        let dialect = Members::of(node, String::new(), MEMBERS, &told).map(|members| Self::of(&members));
        told.result(dialect)
    }

    fn of(members: &Members<'_>) -> Self {
        let mut dialect = Self::default();
        set(&mut dialect.delimiter, sign(members, "delimiter", NAMED));
        match members.text("quote") {
            Ok(Some("none")) => dialect.quote = None,
            Ok(Some(_)) => set(&mut dialect.quote, sign(members, "quote", &[]).map(|quote| quote.map(Some))),
            _ => {}
        }
        set(&mut dialect.lenient, members.choice("quotes", &[("strict", false), ("lenient", true)]));
        set(&mut dialect.comment, sign(members, "comment", &[]).map(Some));
        let escapes = [("doubled", Escape::Doubled), ("backslash", Escape::Backslash)];
        set(&mut dialect.escape, members.choice("escape", &escapes));
        set(&mut dialect.trim, members.flag("trim").map(Some));
        set(&mut dialect.line_end, members.choice("line_end", LineEnd::WORDS));
        set(&mut dialect.empty, members.choice("empty", Empty::WORDS));
        let quotings = [("needed", Quoting::Needed), ("always", Quoting::Always)];
        set(&mut dialect.quoting, members.choice("quoting", &quotings));
        set(&mut dialect.charset, members.charset());
        set(&mut dialect.mark, members.flag("mark").map(Some));
        set(&mut dialect.header, header(members));
        set(&mut dialect.numbers, members.texts("numbers"));
        // Of members that cannot be read it is not known what they would say.
        if members.told.is_empty() {
            dialect.agrees(members);
        }
        dialect
    }

    /// Do the members agree with each other?
    fn agrees(&self, members: &Members<'_>) {
        let signs = [
            ("delimiter", Some(self.delimiter)),
            ("quote", self.quote),
            ("comment", self.comment),
            ("escape", (self.escape == Escape::Backslash).then_some(b'\\')),
        ];
        for (place, (member, sign)) in signs.iter().enumerate() {
            if sign.is_some() && signs.iter().take(place).any(|(_, other)| other == sign) {
                members.wrong(member, "the same sign has another meaning already");
            }
        }
        if self.trim && matches!(self.delimiter, b' ' | b'\t') {
            members.wrong("trim", "blanks are cut off or divide fields, not both");
        }
        if self.quote.is_none() && self.quoting == Quoting::Always {
            members.wrong("quoting", "there is no quote");
        }
        if self.quote.is_none() && self.lenient {
            members.wrong("quotes", "there is no quote");
        }
        if self.mark && self.charset.mark().is_empty() {
            members.wrong("mark", "this character set has no byte order mark");
        }
        let known: Option<&dyn Fn(&str) -> bool> = match &self.header {
            Header::Line => None,
            Header::Names(names) => Some(&move |name| names.iter().any(|one| one == name)),
            Header::Numbers | Header::Arrays => Some(&|name| position(name).is_some()),
        };
        if let Some(name) = known.and_then(|known| self.numbers.iter().find(|name| !known(name))) {
            members.wrong("numbers", format!("there is no column `{name}`"));
        }
        if self.header == Header::Arrays && self.empty == Empty::Absent {
            members.wrong("empty", "an array has no absent items: say null or text");
        }
    }
}

/// The place of a column that is called by its number.
pub(super) fn position(name: &str) -> Option<usize> {
    let number =
        name.parse::<usize>().ok().filter(|number| (1..=COLUMNS_MAX).contains(number) && number.to_string() == name)?;
    Some(number - 1)
}

fn set<T>(place: &mut T, value: Read<Option<T>>) {
    if let Ok(Some(value)) = value {
        *place = value;
    }
}

/// One ASCII sign that can stand in no name, number or word, or the name of one.
fn sign(members: &Members<'_>, key: &str, named: &[(&str, u8)]) -> Read<Option<u8>> {
    let Some(text) = members.text(key)? else { return Ok(None) };
    if let Some((_, sign)) = named.iter().find(|(name, _)| *name == text) {
        return Ok(Some(*sign));
    }
    // Only what divides fields may be a blank or a control character.
    match text.as_bytes() {
        [sign] if is_sign(*sign) && (!named.is_empty() || sign.is_ascii_punctuation()) => Ok(Some(*sign)),
        _ => {
            let names: String = named.iter().map(|(name, _)| format!(", or {name}")).collect();
            Err(members.wrong(
                key,
                format!("must be one ASCII sign{names}, but no letter, no digit, no line end and none of `.`, `+` and `-`, which stand in values"),
            ))
        }
    }
}

fn is_sign(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, 0 | b'\r' | b'\n' | b'.' | b'+' | b'-')
}

fn header(members: &Members<'_>) -> Read<Option<Header>> {
    let Some(node) = members.get("header") else { return Ok(None) };
    if node.kind() != Kind::Array {
        let words = [("line", Header::Line), ("numbers", Header::Numbers), ("arrays", Header::Arrays)];
        return match words.into_iter().find(|(word, _)| node.as_str() == Some(*word)) {
            Some((_, header)) => Ok(Some(header)),
            None => Err(members.wrong("header", "must be line, numbers, arrays or a list of names")),
        };
    }
    let names = members.texts("header")?.unwrap_or_default();
    if names.is_empty() || names.len() > COLUMNS_MAX {
        return Err(members.wrong("header", format!("must be 1 to {COLUMNS_MAX} names")));
    }
    match wrong_name(names.iter().map(String::as_str)) {
        Some((place, what)) => Err(members.wrong("header", format!("name {place} {what}"))),
        None => Ok(Some(Header::Names(names))),
    }
}

/// The first name that cannot be a column's, by its place from 1, and why.
pub(super) fn wrong_name<'a>(names: impl Iterator<Item = &'a str>) -> Option<(usize, &'static str)> {
    let mut seen = std::collections::HashSet::new();
    (1..).zip(names).find_map(|(place, name)| {
        let what = if name.is_empty() { "is empty" } else { "is there twice" };
        (name.is_empty() || !seen.insert(name)).then_some((place, what))
    })
}
