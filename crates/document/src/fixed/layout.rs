//! Where each field stands and what it holds: read once from a value.

use std::borrow::Cow;

use super::number::{Decimal, Sign};
use crate::charset::Charset;
use crate::node::{Kind, Node};
use crate::options::{Empty, LayoutProblems, LineEnd, Members, Read, Stop, Told};
use crate::rows::Columns;

/// Most characters or bytes of one record.
pub const LENGTH_MAX: usize = 64 << 10;
/// Most fields of one record, with what lies between them.
pub const FIELDS_MAX: usize = 4_096;
/// Most types of records of one file.
pub const RECORD_TYPES_MAX: usize = 256;

/// The layout of a file. Within each of its record types the fields follow each other without a gap
/// and without an overlap.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(super) charset: Charset,
    pub(super) unit: Unit,
    /// None where records follow each other without a line end.
    pub(super) line_end: Option<LineEnd>,
    /// A record that is too short is taken as though blanks followed.
    pub(super) pads_short: bool,
    /// Records are wrapped in an object by the name of their type, as there are several.
    pub(super) wrapped: bool,
    pub(super) types: Vec<RecordType>,
}

/// What places and widths count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Characters,
    Bytes,
}

/// One type of records.
#[derive(Debug, Clone)]
pub(super) struct RecordType {
    pub(super) name: String,
    /// What tells it from the others; none takes what no other took.
    pub(super) when: Option<Literal>,
    pub(super) length: usize,
    pub(super) fields: Vec<Field>,
    /// Names of the fields that have a value, and behind them that of the type.
    pub(super) columns: Columns,
}

/// A text that stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) start: usize,
    pub(super) width: usize,
    pub(super) text: String,
    /// The text in the file's character set.
    pub(super) bytes: Vec<u8>,
}

/// Some characters of a record.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// Empty for what has no name.
    pub(super) name: String,
    /// From 0.
    pub(super) start: usize,
    pub(super) width: usize,
    pub(super) pad: char,
    pub(super) align: Align,
    pub(super) trim: Trim,
    pub(super) empty: Empty,
    pub(super) content: Content,
    /// Its place among the columns, when it has a value.
    pub(super) column: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// What is cut off a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trim {
    /// Its padding.
    Pad,
    /// The padding's sign on both sides.
    Both,
    Nothing,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Text,
    Number(Decimal),
    /// A text of which each letter `Y M D h m s` of the pattern is a digit and all else is itself.
    Date(String),
    /// Always this.
    Constant(String),
    /// Nothing that matters.
    Filler,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KindOf {
    Text,
    Number,
    Date,
    Filler,
}

const LAYOUT: &[&str] = &["charset", "unit", "line_end", "short_lines", "empty", "records", "fields", "length"];
const RECORD: &[&str] = &["when", "fields", "length"];
const WHEN: &[&str] = &["start", "text"];
const FIELD: &[&str] = &[
    "name", "start", "width", "kind", "align", "pad", "trim", "empty", "constant", "format", "decimals", "point",
    "sign", "plus",
];

impl Layout {
    /// Reads a layout from an object; docs/formats/fixed-width.md has its members.
    pub fn read(node: Node<'_>) -> Result<Self, LayoutProblems> {
        let told = Told::default();
        let layout = Members::of(node, String::new(), LAYOUT, &told).and_then(|members| Self::of(&members));
        told.result(layout)
    }

    fn of(members: &Members<'_>) -> Read<Self> {
        let charset = members.charset();
        let units = [("characters", Unit::Characters), ("bytes", Unit::Bytes)];
        let unit = members.choice("unit", &units);
        if let (Ok(charset), Ok(Some(Unit::Bytes))) = (&charset, &unit)
            && !charset.unwrap_or(Charset::UTF_8).holds_ascii()
        {
            members.wrong("unit", "places in this character set are counted in characters");
        }
        let line_end = match members.text("line_end") {
            Ok(Some("none")) => Ok(None),
            Ok(_) => members.choice("line_end", LineEnd::WORDS).map(|end| Some(end.unwrap_or(LineEnd::Any))),
            Err(stop) => Err(stop),
        };
        let pads_short = members.choice("short_lines", &[("refuse", false), ("pad", true)]);
        let empty = members.choice("empty", Empty::WORDS);
        // What stands in the fields is read in any case, for what is wrong with it.
        let mut layout = Self {
            charset: charset.ok().flatten().unwrap_or(Charset::UTF_8),
            unit: unit.ok().flatten().unwrap_or(Unit::Characters),
            line_end: line_end.unwrap_or(None),
            pads_short: pads_short.ok().flatten().unwrap_or(false),
            wrapped: false,
            types: Vec::new(),
        };
        let empty = empty.ok().flatten().unwrap_or(Empty::Text);
        match (members.get("fields"), members.get("records")) {
            (Some(_), None) => layout.types.push(layout.record_type("", members, empty)?),
            (None, Some(_)) => layout.record_types(members, empty)?,
            _ => return Err(members.whole("either fields or records must stand here")),
        }
        Ok(layout)
    }

    fn record_types(&mut self, members: &Members<'_>, empty: Empty) -> Read<()> {
        self.wrapped = true;
        let records = members.get("records").filter(|records| records.kind() == Kind::Object);
        let records = records.ok_or_else(|| members.wrong("records", "an object must stand here"))?;
        if members.get("length").is_some() {
            members.wrong("length", "each record type says its own");
        }
        if !(1..=RECORD_TYPES_MAX).contains(&records.len()) {
            return Err(members.wrong("records", format!("must be 1 to {RECORD_TYPES_MAX} record types")));
        }
        let pointer = members.pointer("records");
        let place = Members::any(records, pointer, members.told);
        for (name, record) in records.entries() {
            if name.is_empty() {
                place.wrong(name, "a record type has a name");
                continue;
            }
            let Ok(members) = Members::of(record, place.pointer(name), RECORD, members.told) else { continue };
            let Ok(record) = self.record_type(name, &members, empty) else { continue };
            let taken = |other: &RecordType| other.when.is_none() || other.when == record.when;
            if let Some(other) = self.types.iter().find(|other| taken(other)) {
                members.whole(format!("`{}` takes all records of this type before it", other.name));
                continue;
            }
            self.types.push(record);
        }
        Ok(())
    }

    fn record_type(&self, name: &str, members: &Members<'_>, empty: Empty) -> Read<RecordType> {
        let when = members.get("when").map(|when| self.when(when, members)).transpose();
        let list = members.get("fields").filter(|list| list.kind() == Kind::Array && !list.is_empty());
        let list = list.ok_or_else(|| members.wrong("fields", "a list of fields must stand here"))?;
        let selecting = when.as_ref().ok().and_then(Option::as_ref);
        let mut fields: Vec<Field> = Vec::new();
        // Where the next field begins; none: behind one that cannot be read, of which it is not known.
        let mut end = Some(0);
        let mut broken = false;
        for (place, node) in list.items().enumerate() {
            let pointer = format!("{}/{place}", members.pointer("fields"));
            let options = Members::of(node, pointer, FIELD, members.told);
            let field = options.as_ref().map_err(|stop| *stop).and_then(|options| {
                let field = self.field(options, end.unwrap_or(0), empty)?;
                if let Some(end) = end.filter(|end| field.start < *end) {
                    return Err(options.wrong("start", format!("the field before it ends with column {end}")));
                }
                if !field.name.is_empty() && fields.iter().any(|other| other.name == field.name) {
                    return Err(options.wrong("name", "the record has a field of this name already"));
                }
                Ok(field)
            });
            let Ok(field) = field else {
                (end, broken) = (None, true);
                continue;
            };
            if end.is_none() && options.is_ok_and(|options| options.get("start").is_none()) {
                continue;
            }
            fields.extend(gap(end.unwrap_or(field.start), field.start, selecting));
            end = Some(field.start + field.width);
            fields.push(field);
        }
        let end = end.filter(|_| !broken).ok_or(Stop)?;
        let when = when?;
        let selected = when.as_ref().map_or(0, |when| when.start + when.width);
        let least = end.max(selected);
        let length = members.count("length", least, LENGTH_MAX)?.unwrap_or(least);
        fields.extend(gap(end, length, when.as_ref()));
        if length > LENGTH_MAX || fields.len() > FIELDS_MAX {
            let most = format!("a record has at most {LENGTH_MAX} columns and {FIELDS_MAX} fields");
            return Err(members.wrong("fields", most));
        }
        let mut names = Vec::new();
        for field in fields.iter_mut().filter(|field| field.content.has_value()) {
            field.column = Some(names.len());
            names.push(field.name.as_str());
        }
        let columns = Columns::new(names.into_iter().chain([name]));
        Ok(RecordType { name: name.to_owned(), when, length, columns, fields })
    }

    /// The text that selects records of a type.
    fn when(&self, when: Node<'_>, members: &Members<'_>) -> Read<Literal> {
        let members = Members::of(when, members.pointer("when"), WHEN, members.told)?;
        let start = members.count("start", 1, LENGTH_MAX);
        let text = members.text("text")?.filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| members.wrong("text", "a text must stand here"))?;
        self.literal(start?.unwrap_or(1) - 1, text).map_err(|message| members.wrong("text", message))
    }

    /// A field that begins at `next` unless it says otherwise.
    fn field(&self, members: &Members<'_>, next: usize, empty: Empty) -> Read<Field> {
        let constant = members.text("constant")?;
        let kinds =
            [("text", KindOf::Text), ("number", KindOf::Number), ("date", KindOf::Date), ("filler", KindOf::Filler)];
        let kind = members.choice("kind", &kinds)?;
        if constant.is_some() && kind.is_some() {
            return Err(members.wrong("kind", "a constant is of no kind"));
        }
        let kind = kind.unwrap_or(KindOf::Text);
        let known: &[&str] = match (constant, kind) {
            (Some(_), _) => &["name", "start", "width", "constant"],
            (None, KindOf::Text) => &["name", "start", "width", "kind", "align", "pad", "trim", "empty"],
            (None, KindOf::Date) => &["name", "start", "width", "kind", "format", "empty"],
            (None, KindOf::Filler) => &["start", "width", "kind", "pad"],
            (None, KindOf::Number) => {
                &["name", "start", "width", "kind", "align", "pad", "empty", "decimals", "point", "sign", "plus"]
            }
        };
        if let Some(stray) = FIELD.iter().find(|key| members.get(key).is_some() && !known.contains(key)) {
            return Err(
                members.wrong(stray, format!("does not go with this kind of field; known are {}", known.join(", ")))
            );
        }
        let start = members.count("start", 1, LENGTH_MAX)?.map_or(next, |start| start - 1);
        let pattern = members.text("format")?;
        if kind == KindOf::Date && pattern.is_none() {
            return Err(members.wrong("format", "says how the date is written, such as YYYYMMDD"));
        }
        let literal = match (constant, pattern) {
            (Some(text), _) => Some(self.literal(start, text).map_err(|message| members.wrong("constant", message))?),
            (_, Some(text)) => Some(self.literal(start, text).map_err(|message| members.wrong("format", message))?),
            _ => None,
        };
        let own = literal.as_ref().map(|literal| literal.width);
        let width = members.count("width", own.unwrap_or(1).max(1), LENGTH_MAX)?.or(own.filter(|own| *own > 0));
        let width = width.ok_or_else(|| members.wrong("width", "says how many columns the field has"))?;
        if kind == KindOf::Date && own != Some(width) {
            return Err(members.wrong("width", "is that of the format"));
        }
        let content = match (constant, kind) {
            (Some(text), _) => Content::Constant(text.to_owned()),
            (None, KindOf::Text) => Content::Text,
            (None, KindOf::Filler) => Content::Filler,
            (None, KindOf::Date) => Content::Date(pattern.unwrap_or_default().to_owned()),
            (None, KindOf::Number) => Content::Number(decimal(members, width)?),
        };
        let is_number = matches!(content, Content::Number(_));
        let aligns = [("left", Align::Left), ("right", Align::Right)];
        let align = members.choice("align", &aligns)?.unwrap_or(if is_number { Align::Right } else { Align::Left });
        let pad = self.pad(members, if is_number && align == Align::Right { '0' } else { ' ' })?;
        if let Content::Number(number) = &content {
            if align == Align::Left && number.sign == Sign::Trailing {
                return Err(members.wrong("align", "a sign in the last column goes with numbers on the right"));
            }
            let stands_in_numbers = pad.is_ascii_digit() && pad != '0' || pad.is_ascii_alphabetic();
            if stands_in_numbers || matches!(pad, '+' | '-' | '{' | '}') || number.point == Some(pad) {
                return Err(members.wrong("pad", "stands in numbers"));
            }
            if pad == '0' && align == Align::Left {
                return Err(members.wrong("pad", "zeros behind a number would change it"));
            }
        }
        let trims = [("pad", Trim::Pad), ("both", Trim::Both), ("none", Trim::Nothing)];
        let name = members.text("name")?.unwrap_or_default().to_owned();
        if name.is_empty() && content.has_value() {
            return Err(members.wrong("name", "a field has a name"));
        }
        Ok(Field {
            name,
            start,
            width,
            pad,
            align,
            trim: members.choice("trim", &trims)?.unwrap_or(Trim::Pad),
            empty: members.choice("empty", Empty::WORDS)?.unwrap_or(empty),
            content,
            column: None,
        })
    }

    /// One character that a field is filled with.
    fn pad(&self, members: &Members<'_>, default: char) -> Read<char> {
        let Some(text) = members.text("pad")? else { return Ok(default) };
        let mut characters = text.chars();
        let (Some(pad), None) = (characters.next(), characters.next()) else {
            return Err(members.wrong("pad", "must be one character"));
        };
        let literal = self.literal(0, text).map_err(|message| members.wrong("pad", message))?;
        if literal.width != 1 {
            return Err(members.wrong("pad", "must be one byte, as widths are counted in bytes"));
        }
        Ok(pad)
    }

    fn literal(&self, start: usize, text: &str) -> Result<Literal, String> {
        if text.contains(['\r', '\n']) {
            return Err("must stand on one line".to_owned());
        }
        let mut bytes = Vec::new();
        self.charset.encode(text, &mut bytes).map_err(|error| error.message().to_owned())?;
        let width = if self.unit == Unit::Bytes { bytes.len() } else { text.chars().count() };
        Ok(Literal { start, width, text: text.to_owned(), bytes })
    }

    /// How many columns a text takes.
    pub(super) fn width(&self, text: &str) -> Result<usize, String> {
        match self.unit {
            Unit::Characters if text.is_ascii() => Ok(text.len()),
            Unit::Characters => Ok(text.chars().count()),
            Unit::Bytes if self.charset == Charset::UTF_8 => Ok(text.len()),
            Unit::Bytes => self.literal(0, text).map(|literal| literal.width),
        }
    }
}

/// Columns in bytes: those of a record that is counted in bytes, else those of UTF-8.
impl Layout {
    /// The first columns of a record, and what follows them; none when it has not so many.
    pub(super) fn split<'r>(&self, record: &'r [u8], columns: usize) -> Option<(&'r [u8], &'r [u8])> {
        if self.unit == Unit::Bytes || record.get(..columns).is_some_and(<[u8]>::is_ascii) {
            return record.split_at_checked(columns);
        }
        let mut starts = record.iter().enumerate().filter(|(_, byte)| *byte & 0xc0 != 0x80).map(|(at, _)| at);
        // The character behind the last one, or the end.
        match starts.nth(columns) {
            Some(at) => record.split_at_checked(at),
            None => (self.columns(record) == columns).then_some((record, &[])),
        }
    }
    /// How many columns these bytes are.
    pub(super) fn columns(&self, record: &[u8]) -> usize {
        match self.unit {
            Unit::Bytes => record.len(),
            Unit::Characters => record.iter().filter(|byte| *byte & 0xc0 != 0x80).count(),
        }
    }
    /// Does the text stand at its place? None when the record ends before its end.
    pub(super) fn is_selected(&self, record: &[u8], when: &Literal) -> Option<bool> {
        let (_, from) = self.split(record, when.start)?;
        let (there, _) = self.split(from, when.width)?;
        Some(there == if self.unit == Unit::Bytes { when.bytes.as_slice() } else { when.text.as_bytes() })
    }
}

/// Columns that no field takes: fillers, and between them the text that selects the record.
fn gap(start: usize, end: usize, when: Option<&Literal>) -> Vec<Field> {
    let field = |start: usize, end: usize, content: Content| Field {
        name: String::new(),
        start,
        width: end - start,
        pad: ' ',
        align: Align::Left,
        trim: Trim::Nothing,
        empty: Empty::Text,
        content,
        column: None,
    };
    let within = when.filter(|when| start <= when.start && when.start + when.width <= end);
    let mut fields = Vec::new();
    match within {
        Some(when) => {
            let (from, to) = (when.start, when.start + when.width);
            fields.push(field(start, from, Content::Filler));
            fields.push(field(from, to, Content::Constant(when.text.clone())));
            fields.push(field(to, end, Content::Filler));
        }
        None => fields.push(field(start, end, Content::Filler)),
    }
    fields.retain(|field| field.width > 0);
    fields
}

fn decimal(members: &Members<'_>, width: usize) -> Read<Decimal> {
    let signs = [
        ("none", Sign::None),
        ("leading", Sign::Leading),
        ("trailing", Sign::Trailing),
        ("overpunch-leading", Sign::OverpunchLeading),
        ("overpunch-trailing", Sign::OverpunchTrailing),
    ];
    let sign = members.choice("sign", &signs)?.unwrap_or(Sign::None);
    let point = members.choice("point", &[(".", '.'), (",", ',')])?;
    let plus = members.flag("plus")?;
    if plus && !matches!(sign, Sign::Leading | Sign::Trailing) {
        return Err(members.wrong("plus", "there is no place for it: sign must be leading or trailing"));
    }
    if point.is_some() && matches!(sign, Sign::OverpunchLeading | Sign::OverpunchTrailing) {
        return Err(members.wrong("point", "does not go with an overpunched sign"));
    }
    Ok(Decimal { decimals: members.count("decimals", 0, width)?, point, sign, plus })
}

impl Content {
    pub(super) fn has_value(&self) -> bool {
        matches!(self, Content::Text | Content::Number(_) | Content::Date(_))
    }
}

impl Field {
    /// What to call it in a message.
    pub(super) fn told(&self) -> String {
        let columns = match self.width {
            1 => format!("column {}", self.start + 1),
            _ => format!("columns {} to {}", self.start + 1, self.start + self.width),
        };
        if self.name.is_empty() { columns } else { format!("field `{}`, {columns}", self.name) }
    }
    /// A text with padding to the width of the field, of which it takes this much.
    pub(super) fn padded(&self, text: &str, taken: usize, line: &mut String) {
        let padding = || std::iter::repeat_n(self.pad, self.width.saturating_sub(taken));
        match self.align {
            Align::Left => {
                line.push_str(text);
                line.extend(padding());
            }
            Align::Right => {
                line.extend(padding());
                line.push_str(text);
            }
        }
    }
    /// What is left of a text without its padding.
    pub(super) fn trimmed<'t>(&self, text: &'t str) -> &'t str {
        match (self.trim, self.align) {
            (Trim::Nothing, _) => text,
            (Trim::Both, _) => text.trim_matches(self.pad),
            (Trim::Pad, Align::Left) => text.trim_end_matches(self.pad),
            (Trim::Pad, Align::Right) => text.trim_start_matches(self.pad),
        }
    }
    /// Does nothing but padding stand in it?
    pub(super) fn is_blank(&self, text: &str) -> bool {
        match self.content {
            // Zeros are a number.
            Content::Number(_) if self.pad == '0' => text.chars().all(|character| character == ' '),
            _ => text.chars().all(|character| character == self.pad),
        }
    }
    /// What stands there when it is empty.
    pub(super) fn blank(&self) -> Cow<'static, str> {
        let is_zero = self.pad == '0' && matches!(self.content, Content::Number(_));
        Cow::Owned(std::iter::repeat_n(if is_zero { ' ' } else { self.pad }, self.width).collect())
    }
}

/// Is a text written as the pattern says?
pub(super) fn is_dated(text: &str, pattern: &str) -> bool {
    let fits = |(character, sign): (char, char)| match sign {
        'Y' | 'M' | 'D' | 'h' | 'm' | 's' => character.is_ascii_digit(),
        other => character == other,
    };
    text.chars().count() == pattern.chars().count() && text.chars().zip(pattern.chars()).all(fits)
}
