//! Reading: records out of lines or lengths, each of the type that its selecting text says.

use std::{borrow::Cow, str};

use lockgate_model::Limits;

use super::layout::{Content, Field, Layout, RecordType, Unit, is_dated};
use crate::charset::Charset;
use crate::document::Document;
use crate::fault::Fault;
use crate::feed::Feed;
use crate::format::{FormatError, RecordReader};
use crate::handle::Handle;
use crate::options::{Empty, LineEnd};
use crate::records::{Records, Source};
use crate::rows::Rows;

/// Reads a file piece by piece and gives each record as soon as it is complete.
///
/// What is pushed is held until it is read: ask for records after each piece. A record holds at most
/// [`LENGTH_MAX`](super::LENGTH_MAX) columns, and memory is flat however many there are.
pub struct FixedReader(Records<Lines>);

struct Lines {
    layout: Layout,
    feed: Feed,
    /// Bytes after which a record is longer than any of the layout.
    bytes_max: usize,
    /// Bytes of the rest that hold no line end.
    scanned: usize,
    /// The last line ended with a CR: a LF belongs to it.
    after_cr: bool,
    records: u64,
}

/// A record in the rest of the feed: its bytes, and how many it takes with its line end.
struct Extent {
    length: usize,
    taken: usize,
}

impl FixedReader {
    /// A reader of this layout. Each document that it gives is held to the limits.
    pub fn new(layout: &Layout, limits: &Limits) -> Self {
        let length = layout.types.iter().map(|kind| kind.length).max().unwrap_or(0);
        let (feed, bytes_max) = match layout.unit {
            // A character has at most four bytes.
            Unit::Characters => (Feed::new(layout.charset), length * 4),
            Unit::Bytes => (Feed::bytes(layout.charset), length),
        };
        let lines = Lines { layout: layout.clone(), feed, bytes_max, scanned: 0, after_cr: false, records: 0 };
        Self(Records::new(lines, limits))
    }

    /// The records that are complete, as one array of at most so many: cheaper than one by one. None
    /// when there is none. What is wrong with a record is told when those before it were given.
    pub fn batch(&mut self, records_max: usize) -> Result<Option<Document>, FormatError> {
        self.0.batch(records_max)
    }

    /// All records, as one array; the file must have ended.
    pub(super) fn all(self) -> Result<Document, FormatError> {
        self.0.all()
    }

    /// Bytes of memory that its buffers hold.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.0.source.feed.held()
    }
}

impl RecordReader for FixedReader {
    fn push(&mut self, bytes: &[u8]) {
        if !self.0.has_failed() {
            self.0.source.feed.push(bytes);
        }
    }
    fn end(&mut self) {
        self.0.source.feed.end();
    }
    fn next(&mut self) -> Result<Option<Document>, FormatError> {
        self.0.one()
    }
}

impl Source for Lines {
    fn record(&mut self, rows: &mut Rows) -> Result<Option<Handle>, FormatError> {
        let extent = match self.layout.line_end {
            Some(line_end) => self.line(line_end)?,
            None => self.stretch()?,
        };
        let Some(Extent { length, taken }) = extent else {
            // What could not be decoded comes behind all that could.
            return self.feed.wrong().map_or(Ok(None), |wrong| Err(wrong.clone().of_record(self.records + 1)));
        };
        let record = self.read(rows, self.rest(length))?;
        self.feed.take(taken);
        self.scanned = 0;
        self.records += 1;
        Ok(Some(record))
    }
    fn offset(&self) -> u64 {
        self.feed.offset(0)
    }
}

impl Lines {
    fn rest(&self, length: usize) -> &[u8] {
        let rest = self.feed.rest();
        rest.get(..length).unwrap_or(rest)
    }
    /// Nothing will follow the rest.
    fn has_ended(&self) -> bool {
        self.feed.has_ended() && self.feed.wrong().is_none()
    }

    /// The next line that is not empty.
    fn line(&mut self, line_end: LineEnd) -> Result<Option<Extent>, FormatError> {
        loop {
            let rest = self.feed.rest();
            if self.after_cr && !rest.is_empty() {
                self.after_cr = false;
                if rest.first() == Some(&b'\n') {
                    self.feed.take(1);
                    continue;
                }
            }
            // What follows a record that is too long makes no difference.
            let end = rest.len().min(self.bytes_max + 1);
            let unread = rest.get(self.scanned..end).unwrap_or_default();
            let Some(run) = unread.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
                self.scanned = end;
                // Too long already: reading it says where.
                let is_whole = end > self.bytes_max || (self.has_ended() && !rest.is_empty());
                return Ok(is_whole.then_some(Extent { length: end, taken: end }));
            };
            let length = self.scanned + run;
            self.scanned = length;
            let sign = (rest.get(length).copied(), rest.get(length + 1).copied());
            let taken = match (line_end, sign) {
                (LineEnd::Crlf, (Some(b'\r'), None)) if !self.has_ended() => return Ok(None),
                (LineEnd::Crlf, (Some(b'\r'), Some(b'\n'))) => length + 2,
                (LineEnd::Any | LineEnd::Lf, (Some(b'\n'), _)) | (LineEnd::Cr, (Some(b'\r'), _)) => length + 1,
                (LineEnd::Any, _) => {
                    self.after_cr = true;
                    length + 1
                }
                _ => {
                    return Err(self.wrong(
                        "LG-FIXED-LINE-END",
                        length,
                        "this is not the line end that the layout names",
                    ));
                }
            };
            if length > 0 {
                return Ok(Some(Extent { length, taken }));
            }
            self.feed.take(taken);
            self.scanned = 0;
        }
    }

    /// The next record by its length.
    fn stretch(&self) -> Result<Option<Extent>, FormatError> {
        let rest = self.feed.rest();
        let held = self.rest(self.bytes_max);
        let (held, broken) = match self.layout.unit {
            Unit::Bytes => (held, false),
            Unit::Characters => match str::from_utf8(held) {
                Ok(_) => (held, false),
                // A character that is cut by the end of what there is waits for its other bytes.
                Err(bad) => {
                    let is_cut = bad.error_len().is_none() && (held.len() < rest.len() || !self.has_ended());
                    (held.get(..bad.valid_up_to()).unwrap_or_default(), !is_cut)
                }
            },
        };
        let is_final = broken || self.has_ended();
        if held.is_empty() && !broken {
            return Ok(None);
        }
        let Some(kind) = self.selected(held, is_final)? else { return Ok(None) };
        match self.layout.split(held, kind.length) {
            Some((record, _)) => Ok(Some(Extent { length: record.len(), taken: record.len() })),
            None if broken => Err(self.wrong("LG-CHARSET", held.len(), "these bytes are no text in utf-8")),
            None if is_final => Ok(Some(Extent { length: held.len(), taken: held.len() })),
            None => Ok(None),
        }
    }

    /// The type of a record; none when its text is not there yet.
    fn selected(&self, record: &[u8], is_final: bool) -> Result<Option<&RecordType>, FormatError> {
        for kind in &self.layout.types {
            let Some(when) = &kind.when else { return Ok(Some(kind)) };
            match self.layout.is_selected(record, when) {
                Some(true) => return Ok(Some(kind)),
                None if !is_final => return Ok(None),
                _ => {}
            }
        }
        let message = "the record is of no type that the layout knows: no selecting text stands at its place";
        Err(self.wrong("LG-FIXED-RECORD", 0, message))
    }

    /// The value of a record.
    fn read(&self, rows: &mut Rows, record: &[u8]) -> Result<Handle, FormatError> {
        let full = |fault: Fault| FormatError::fault(&fault, self.offset()).of_record(self.records + 1);
        let record = self.text(record)?;
        let Some(kind) = self.selected(record, true)? else { return Err(full(Fault::WrongKind)) };
        if let Some((fits, more)) = self.layout.split(record, kind.length)
            && !more.is_empty()
        {
            let message = format!("the record is longer than {} columns", kind.length);
            return Err(self.wrong("LG-FIXED-LONG", fits.len(), message));
        }
        let number = self.layout.types.iter().position(|other| std::ptr::eq(other, kind)).unwrap_or(0);
        let keys = rows.keys(number, &kind.columns).map_err(full)?;
        rows.begin("", kind.columns.len(), true).map_err(full)?;
        let (mut rest, mut at) = (record, 0);
        for field in &kind.fields {
            let (cut, after) = match self.layout.split(rest, field.width) {
                Some(split) => split,
                None if self.layout.pads_short => (rest, &b""[..]),
                None => {
                    let message = format!("the record is too short for {}", field.told());
                    return Err(self.wrong("LG-FIXED-SHORT", record.len(), message));
                }
            };
            let mut text = self.decoded(cut, at)?;
            let missing = field.width - self.layout.columns(cut);
            if missing > 0 {
                text.to_mut().extend(std::iter::repeat_n(' ', missing));
            }
            let value = self.value(rows, field, &text, at)?.map_err(full)?;
            if let Some(column) = field.column.filter(|_| !value.is_undefined()) {
                rows.field(&kind.columns, keys, column, value).map_err(full)?;
            }
            (rest, at) = (after, at + cut.len());
        }
        let value = rows.end_object().map_err(full)?;
        if !self.layout.wrapped {
            return Ok(value);
        }
        rows.field(&kind.columns, keys, kind.columns.len() - 1, value).map_err(full)?;
        rows.end_object().map_err(full)
    }

    /// The value of a field, which stands at this byte; undefined when it has none.
    fn value(
        &self,
        rows: &mut Rows,
        field: &Field,
        text: &str,
        at: usize,
    ) -> Result<Result<Handle, Fault>, FormatError> {
        let wrong = |code, what: &str| Err(self.wrong(code, at, format!("{} {what}", field.told())));
        let is_blank = field.content.has_value() && field.is_blank(text);
        match field.empty {
            Empty::Null if is_blank => return Ok(Ok(Handle::NULL)),
            Empty::Absent if is_blank => return Ok(Ok(Handle::UNDEFINED)),
            _ => {}
        }
        match &field.content {
            Content::Filler => Ok(Ok(Handle::UNDEFINED)),
            Content::Constant(constant) => {
                match text.strip_prefix(constant.as_str()).is_some_and(|rest| rest.chars().all(|sign| sign == ' ')) {
                    true => Ok(Ok(Handle::UNDEFINED)),
                    false => wrong("LG-FIXED-CONSTANT", &format!("is not `{constant}`")),
                }
            }
            Content::Text => Ok(rows.text(field.trimmed(text))),
            Content::Date(pattern) if is_dated(text, pattern) => Ok(rows.text(text)),
            Content::Date(pattern) => wrong("LG-FIXED-DATE", &format!("is not written as {pattern}")),
            Content::Number(number) => {
                let digits = if field.pad == '0' { text } else { field.trimmed(text) };
                match number.read(digits).map(|lexeme| rows.number(&lexeme)) {
                    Some(Ok(Some(number))) => Ok(Ok(number)),
                    Some(Err(fault)) => Ok(Err(fault)),
                    _ => wrong("LG-FIXED-NUMBER", "is no number as the layout has it"),
                }
            }
        }
    }

    /// A record that is counted in characters is text as a whole.
    fn text<'r>(&self, record: &'r [u8]) -> Result<&'r [u8], FormatError> {
        if self.layout.unit == Unit::Bytes {
            return Ok(record);
        }
        match str::from_utf8(record) {
            Ok(_) => Ok(record),
            // What is too long was cut by us.
            Err(bad) if bad.error_len().is_none() && record.len() > self.bytes_max => {
                Ok(record.get(..bad.valid_up_to()).unwrap_or_default())
            }
            Err(bad) => Err(self.wrong("LG-CHARSET", bad.valid_up_to(), "these bytes are no text in utf-8")),
        }
    }

    /// The text of a field.
    fn decoded<'r>(&self, cut: &'r [u8], at: usize) -> Result<Cow<'r, str>, FormatError> {
        let charset = self.layout.charset;
        if self.layout.unit == Unit::Characters || charset == Charset::UTF_8 {
            let text = str::from_utf8(cut).map(Cow::Borrowed);
            let message = "these bytes are no text in utf-8: does a field end within a character?";
            return text.map_err(|bad| self.wrong("LG-CHARSET", at + bad.valid_up_to(), message));
        }
        let mut text = String::new();
        let decoded = charset.decoder_at(self.feed.offset(at)).decode(cut, true, &mut text);
        decoded.map(|()| Cow::Owned(text)).map_err(|error| error.of_record(self.records + 1))
    }

    fn wrong(&self, code: &'static str, at: usize, message: impl Into<Cow<'static, str>>) -> FormatError {
        FormatError::new(code, self.feed.offset(at), message).of_record(self.records + 1)
    }
}

/// No data.
impl std::fmt::Debug for FixedReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FixedReader({} records read)", self.0.source.records)
    }
}
