//! Reading: records out of lines, as objects in the order of the header or as arrays.

use std::{borrow::Cow, str};

use lockgate_model::Limits;

use super::dialect::{Dialect, Escape, Header, position, wrong_name};
use super::scan::{Cell, Scanner, Step};
use crate::document::Document;
use crate::fault::Fault;
use crate::feed::Feed;
use crate::format::{FormatError, RecordReader};
use crate::handle::Handle;
use crate::options::Empty;
use crate::records::{Records, Source};
use crate::rows::{Columns, Rows};

/// Reads a table piece by piece and gives each record as soon as its line is complete.
///
/// What is pushed is held until it is read: ask for records after each piece. A record holds what
/// [`RECORD_BYTES_MAX`](super::RECORD_BYTES_MAX) and the limits allow, and memory is flat however many
/// there are.
pub struct CsvReader(Records<Lines>);

/// The lines of a table.
struct Lines {
    dialect: Dialect,
    feed: Feed,
    scanner: Scanner,
    /// The table's columns, once they are known.
    table: Option<Table>,
    records: u64,
}

/// What each field of a record becomes.
struct Table {
    /// None where records are arrays: any number of fields will do.
    columns: Option<Columns>,
    /// Places of the columns whose fields are numbers, in ascending order.
    numbers: Vec<usize>,
}

impl CsvReader {
    /// A reader of this dialect. Each document that it gives is held to the limits.
    pub fn new(dialect: &Dialect, limits: &Limits) -> Self {
        let lines = Lines {
            feed: Feed::new(dialect.charset),
            scanner: Scanner::new(dialect),
            dialect: dialect.clone(),
            table: None,
            records: 0,
        };
        Self(Records::new(lines, limits))
    }

    /// The names of the columns, once the header was read; none before and where records are arrays.
    pub fn columns(&self) -> Option<Vec<String>> {
        let columns = self.0.source.table.as_ref()?.columns.as_ref()?;
        Some(columns.names().map(str::to_owned).collect())
    }

    /// The records that are complete, as one array of at most so many: cheaper than one by one. None
    /// when there is none. What is wrong with a record is told when those before it were given.
    pub fn batch(&mut self, records_max: usize) -> Result<Option<Document>, FormatError> {
        self.0.batch(records_max)
    }

    /// All records, as one array; the table must have ended.
    pub(super) fn all(self) -> Result<Document, FormatError> {
        self.0.all()
    }

    /// Bytes of memory that its buffers hold.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.0.source.feed.held() + size_of_val(self.0.source.scanner.cells())
    }
}

impl RecordReader for CsvReader {
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
        let Some(length) = self.line()? else { return Ok(None) };
        let record = self.read(rows, length)?;
        self.feed.take(length);
        self.records += 1;
        Ok(Some(record))
    }
    fn offset(&self) -> u64 {
        self.feed.offset(0)
    }
}

impl Lines {
    /// The length of the next record, whose fields the scanner then knows. Reads the header before.
    fn line(&mut self) -> Result<Option<usize>, FormatError> {
        loop {
            let ended = self.feed.has_ended() && self.feed.wrong().is_none();
            let step = self.scanner.scan(self.feed.rest(), ended);
            match step.map_err(|wrong| self.wrong(wrong.problem.code(), wrong.at, wrong.problem.message()))? {
                Step::Passed(length) => self.feed.take(length),
                Step::More => return self.feed.wrong().map_or(Ok(None), |wrong| Err(self.placed(wrong.clone()))),
                Step::Record(length) if self.table.is_some() => return Ok(Some(length)),
                Step::Record(length) => {
                    self.table = Some(self.header(length)?);
                    if self.dialect.header == Header::Line {
                        self.feed.take(length);
                    } else {
                        return Ok(Some(length));
                    }
                }
            }
        }
    }

    /// The columns, from the first line of the table.
    fn header(&self, length: usize) -> Result<Table, FormatError> {
        let dialect = &self.dialect;
        let cells = self.scanner.cells();
        let names = |names: &mut dyn Iterator<Item = &str>| Some(Columns::new(names));
        let columns = match &dialect.header {
            Header::Arrays => None,
            Header::Names(given) => names(&mut given.iter().map(String::as_str)),
            Header::Numbers => {
                let numbers: Vec<String> = (1..=cells.len()).map(|number| number.to_string()).collect();
                names(&mut numbers.iter().map(String::as_str))
            }
            Header::Line => {
                let text = self.text(length)?;
                let found: Vec<Cow<'_, str>> = cells.iter().map(|cell| self.content(text, *cell)).collect();
                if let Some((place, what)) = wrong_name(found.iter().map(AsRef::as_ref)) {
                    let at = cells.get(place - 1).map_or(0, |cell| cell.start as usize);
                    return Err(self.wrong("LG-CSV-HEADER", at, format!("name {place} in the header {what}")));
                }
                names(&mut found.iter().map(AsRef::as_ref))
            }
        };
        let mut numbers = Vec::new();
        for name in &dialect.numbers {
            let place = match &columns {
                Some(columns) => columns.names().position(|column| column == name),
                None => position(name),
            };
            // The name is the publisher's own: the dialect has it.
            let missing = || format!("there is no column `{name}`, whose fields are numbers");
            numbers.push(place.ok_or_else(|| self.wrong("LG-CSV-COLUMN", 0, missing()))?);
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Table { columns, numbers })
    }

    /// The record of this length.
    fn read(&self, rows: &mut Rows, length: usize) -> Result<Handle, FormatError> {
        let full = |fault: Fault| self.fault(&fault);
        let Some(Table { columns, numbers }) = &self.table else { return Err(full(Fault::WrongKind)) };
        let text = self.text(length)?;
        let cells = self.scanner.cells();
        let columns = match columns {
            Some(columns) => {
                self.fits(cells, columns.len())?;
                Some((columns, rows.keys(0, columns).map_err(full)?))
            }
            None => None,
        };
        rows.begin(text, cells.len(), columns.is_some()).map_err(full)?;
        let mut numbers = numbers.iter().peekable();
        for (place, cell) in cells.iter().enumerate() {
            let is_number = numbers.next_if(|number| **number == place).is_some();
            let Some(value) = self.value(rows, text, *cell, is_number).map_err(full)? else {
                let message = format!("field {} is no number as JSON has them", place + 1);
                return Err(self.wrong("LG-CSV-NUMBER", cell.start as usize, message));
            };
            // A field that is absent leaves no trace.
            if value.is_undefined() {
                continue;
            }
            let added = match columns {
                Some((columns, keys)) => rows.field(columns, keys, place, value),
                None => rows.item(value),
            };
            added.map_err(full)?;
        }
        if columns.is_some() { rows.end_object() } else { rows.end_array() }.map_err(full)
    }

    /// Has the line as many fields as the table?
    fn fits(&self, cells: &[Cell], expected: usize) -> Result<(), FormatError> {
        if cells.len() == expected {
            return Ok(());
        }
        // The first field too many, or the end of the line.
        let end = cells.last().map_or(0, |cell| cell.end as usize + usize::from(cell.quoted));
        let at = cells.get(expected).map_or(end, |cell| cell.start as usize);
        let message = format!("the line has {} fields and the header has {expected}", cells.len());
        Err(self.wrong("LG-CSV-FIELDS", at, message))
    }

    /// The value of a field: undefined when it is absent, none when it must be a number and is not.
    #[inline]
    fn value(&self, rows: &mut Rows, text: &str, cell: Cell, is_number: bool) -> Result<Option<Handle>, Fault> {
        if cell.start == cell.end && !cell.quoted {
            match self.dialect.empty {
                Empty::Text => {}
                Empty::Null => return Ok(Some(Handle::NULL)),
                Empty::Absent => return Ok(Some(Handle::UNDEFINED)),
            }
        }
        if is_number {
            return rows.number(&self.content(text, cell));
        }
        if cell.escaped {
            return rows.text(&self.content(text, cell)).map(Some);
        }
        rows.span(raw(text, cell), cell.start as usize).map(Some)
    }

    /// The record's line as text.
    fn text(&self, length: usize) -> Result<&str, FormatError> {
        let line = self.feed.rest().get(..length).unwrap_or_default();
        str::from_utf8(line)
            .map_err(|bad| self.wrong("LG-CHARSET", bad.valid_up_to(), "these bytes are no text in utf-8"))
    }

    #[cold]
    fn wrong(&self, code: &'static str, at: usize, message: impl Into<Cow<'static, str>>) -> FormatError {
        self.placed(FormatError::new(code, self.feed.offset(at), message))
    }
    #[cold]
    fn fault(&self, fault: &Fault) -> FormatError {
        self.placed(FormatError::fault(fault, self.feed.offset(0)))
    }
    /// An error of the record at hand. The header is none.
    fn placed(&self, error: FormatError) -> FormatError {
        let is_header = self.table.is_none() && self.dialect.header == Header::Line;
        if is_header { error } else { error.of_record(self.records + 1) }
    }

    /// What a field says, without what escapes signs in it.
    fn content<'t>(&self, text: &'t str, cell: Cell) -> Cow<'t, str> {
        let raw = raw(text, cell);
        if !cell.escaped {
            return Cow::Borrowed(raw);
        }
        let escape = match self.dialect.escape {
            Escape::Doubled => char::from(self.dialect.quote.unwrap_or(b'"')),
            Escape::Backslash => '\\',
        };
        let mut content = String::with_capacity(raw.len());
        let mut characters = raw.chars();
        while let Some(character) = characters.next() {
            // The one behind it stands for itself.
            let character = if character == escape { characters.next() } else { Some(character) };
            content.extend(character);
        }
        Cow::Owned(content)
    }
}

/// A field's own characters.
#[inline]
fn raw(text: &str, cell: Cell) -> &str {
    text.get(cell.start as usize..cell.end as usize).unwrap_or_default()
}

/// No data.
impl std::fmt::Debug for CsvReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CsvReader({} records read)", self.0.source.records)
    }
}
