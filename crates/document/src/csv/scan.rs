//! Finding the fields of one record: a machine that stops where the bytes end and goes on where it
//! stopped, so that no byte is looked at twice however the text is cut.

use super::dialect::{Dialect, Escape};
use crate::options::LineEnd;

/// Most bytes of one field, with the quotes doubled in it.
pub const FIELD_BYTES_MAX: usize = 4 << 20;
/// Most bytes of one record with its quotes and delimiters.
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// Most fields of one record.
pub const COLUMNS_MAX: usize = 16_384;

const _: () = assert!(RECORD_BYTES_MAX < u32::MAX as usize / 2, "places in a record are u32");

/// Where a field stands in its record, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) quoted: bool,
    /// It holds signs that are escaped.
    pub(super) escaped: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A record of so many bytes, its line end included; its fields are the cells.
    Record(usize),
    /// So many bytes that are no record: a comment or an empty line.
    Passed(usize),
    /// The bytes end first.
    More,
}

/// What is wrong at a byte of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) problem: Problem,
    pub(super) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    Quote,
    AfterQuote,
    Unclosed,
    Escape,
    LineEnd,
    Nul,
    FieldBytes,
    RecordBytes,
    Columns,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a line.
    Line,
    /// Before the first byte of a field, or of its quote.
    Field,
    /// In a field without quotes.
    Plain,
    PlainEscape,
    /// In a field with quotes.
    Quoted,
    QuotedEscape,
    /// Behind a quote in it, which closes it or is the first of two.
    Quote,
    /// Behind the closing quote.
    Closed,
    /// Behind a CR that a LF must follow.
    Cr,
    Comment,
}

pub(super) struct Scanner {
    delimiter: u8,
    /// No quote and no comment are 0, which never gets as far.
    quote: u8,
    comment: u8,
    doubled: bool,
    trim: bool,
    line_end: LineEnd,
    /// What each byte is: [`OUTSIDE`], [`INSIDE`].
    meanings: [u8; 256],
    state: State,
    /// The next byte of the record to look at.
    at: usize,
    /// The field at hand.
    cell: Cell,
    /// In a field without quotes: behind its last escaped sign, which is never cut off.
    solid: usize,
    /// The last record ended with a CR: a LF belongs to it.
    after_cr: bool,
    cells: Vec<Cell>,
}

/// A byte that ends a run of bytes outside of quotes.
const OUTSIDE: u8 = 1;
/// The same within quotes.
const INSIDE: u8 = 2;

impl Scanner {
    pub(super) fn new(dialect: &Dialect) -> Self {
        let mut meanings = [0; 256];
        let mut mean = |byte: u8, meaning: u8| {
            if let Some(place) = meanings.get_mut(usize::from(byte)) {
                *place |= meaning;
            }
        };
        mean(0, OUTSIDE | INSIDE);
        [dialect.delimiter, b'\r', b'\n'].into_iter().for_each(|byte| mean(byte, OUTSIDE));
        // Where quotes are lenient one within a field that has none is a byte like others.
        let quote = if dialect.lenient { INSIDE } else { OUTSIDE | INSIDE };
        dialect.quote.into_iter().for_each(|byte| mean(byte, quote));
        if dialect.escape == Escape::Backslash {
            mean(b'\\', OUTSIDE | INSIDE);
        }
        Self {
            delimiter: dialect.delimiter,
            quote: dialect.quote.unwrap_or(0),
            comment: dialect.comment.unwrap_or(0),
            doubled: dialect.escape == Escape::Doubled,
            trim: dialect.trim,
            line_end: dialect.line_end,
            meanings,
            state: State::Line,
            at: 0,
            cell: Cell { start: 0, end: 0, quoted: false, escaped: false },
            solid: 0,
            after_cr: false,
            cells: Vec::new(),
        }
    }

    /// The fields of the record that was found last.
    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Goes on in `text`, which begins where the last step ended; `ended` when nothing will follow it.
    pub(super) fn scan(&mut self, text: &[u8], ended: bool) -> Result<Step, Wrong> {
        loop {
            let next = text.get(self.at).copied();
            match self.state {
                State::Line => {
                    let Some(byte) = next else { return Ok(Step::More) };
                    self.cells.clear();
                    if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                        return Ok(self.passed(1));
                    }
                    self.state = match byte {
                        b'\r' | b'\n' => match self.end_line(byte)? {
                            true => return Ok(self.passed(1)),
                            false => State::Cr,
                        },
                        0 => return Err(self.wrong(Problem::Nul)),
                        _ if byte == self.comment => State::Comment,
                        _ => State::Field,
                    };
                }
                State::Field => {
                    self.cell = Cell { start: self.at as u32, end: self.at as u32, quoted: false, escaped: false };
                    self.solid = self.at;
                    match next {
                        Some(byte) if byte == self.quote && byte != 0 => {
                            self.at += 1;
                            self.cell.start += 1;
                            self.cell.quoted = true;
                            self.state = State::Quoted;
                        }
                        Some(b' ' | b'\t') if self.trim => {
                            self.at += 1;
                            self.within(RECORD_BYTES_MAX)?;
                        }
                        Some(_) => self.state = State::Plain,
                        None if ended => self.state = State::Plain,
                        None => return Ok(Step::More),
                    }
                }
                State::Plain => {
                    self.run(text, OUTSIDE)?;
                    match text.get(self.at).copied() {
                        Some(b'\\') if !self.doubled => {
                            self.at += 1;
                            self.state = State::PlainEscape;
                        }
                        Some(0) => return Err(self.wrong(Problem::Nul)),
                        Some(byte) if byte == self.quote => return Err(self.wrong(Problem::Quote)),
                        None if !ended => return Ok(Step::More),
                        _ => {
                            self.close_plain(text);
                            self.state = State::Closed;
                        }
                    }
                }
                State::Quoted => {
                    self.run(text, INSIDE)?;
                    match text.get(self.at).copied() {
                        Some(0) => return Err(self.wrong(Problem::Nul)),
                        Some(b'\\') if !self.doubled => {
                            self.at += 1;
                            self.state = State::QuotedEscape;
                        }
                        Some(_) => {
                            self.cell.end = self.at as u32;
                            self.at += 1;
                            self.state = if self.doubled { State::Quote } else { State::Closed };
                        }
                        None => return self.unclosed(ended),
                    }
                }
                State::Quote => match next {
                    Some(byte) if byte == self.quote => {
                        self.at += 1;
                        self.cell.escaped = true;
                        self.state = State::Quoted;
                    }
                    None if !ended => return Ok(Step::More),
                    _ => self.state = State::Closed,
                },
                State::Closed => match next {
                    Some(byte) if byte == self.delimiter => {
                        self.keep()?;
                        self.at += 1;
                        self.state = State::Field;
                    }
                    Some(byte @ (b'\r' | b'\n')) => {
                        self.keep()?;
                        match self.end_line(byte)? {
                            true => return Ok(self.record(1)),
                            false => self.state = State::Cr,
                        }
                    }
                    // Only behind a quote: a field without quotes takes its blanks with it.
                    Some(b' ' | b'\t') if self.trim => {
                        self.at += 1;
                        self.within(RECORD_BYTES_MAX)?;
                    }
                    Some(0) => return Err(self.wrong(Problem::Nul)),
                    Some(_) => return Err(self.wrong(Problem::AfterQuote)),
                    None if ended => {
                        self.keep()?;
                        return Ok(self.record(0));
                    }
                    None => return Ok(Step::More),
                },
                State::PlainEscape | State::QuotedEscape => match next {
                    Some(byte) if self.has_meaning(byte) => {
                        self.at += 1;
                        self.solid = self.at;
                        self.cell.escaped = true;
                        self.state = if self.state == State::QuotedEscape { State::Quoted } else { State::Plain };
                    }
                    None if !ended => return Ok(Step::More),
                    None if self.state == State::QuotedEscape => return self.unclosed(ended),
                    _ => return Err(Wrong { problem: Problem::Escape, at: self.at - 1 }),
                },
                State::Cr => match next {
                    Some(b'\n') if self.cells.is_empty() => return Ok(self.passed(1)),
                    Some(b'\n') => return Ok(self.record(1)),
                    None if !ended => return Ok(Step::More),
                    _ => return Err(Wrong { problem: Problem::LineEnd, at: self.at - 1 }),
                },
                State::Comment => {
                    let rest = text.get(self.at..).unwrap_or_default();
                    let run = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0)).unwrap_or(rest.len());
                    self.at += run;
                    match text.get(self.at).copied() {
                        Some(0) => return Err(self.wrong(Problem::Nul)),
                        Some(byte) => match self.end_line(byte)? {
                            true => return Ok(self.passed(1)),
                            false => self.state = State::Cr,
                        },
                        None if self.at == 0 => return Ok(Step::More),
                        None => return Ok(Step::Passed(std::mem::take(&mut self.at))),
                    }
                }
            }
        }
    }

    /// Moves over bytes that have no such meaning, within the limits.
    #[inline]
    fn run(&mut self, text: &[u8], meaning: u8) -> Result<(), Wrong> {
        let rest = text.get(self.at..).unwrap_or_default();
        let means = |byte: &u8| self.meanings.get(usize::from(*byte)).is_some_and(|found| found & meaning != 0);
        self.at += rest.iter().position(means).unwrap_or(rest.len());
        self.within(self.cell.start as usize + FIELD_BYTES_MAX)
    }

    /// Nothing up to here is past the field's end or the record's.
    #[inline]
    fn within(&self, field_end_max: usize) -> Result<(), Wrong> {
        let end_max = field_end_max.min(RECORD_BYTES_MAX);
        if self.at <= end_max {
            return Ok(());
        }
        let problem = if field_end_max < RECORD_BYTES_MAX { Problem::FieldBytes } else { Problem::RecordBytes };
        Err(Wrong { problem, at: end_max })
    }

    #[inline]
    fn close_plain(&mut self, text: &[u8]) {
        let mut end = self.at;
        if self.trim {
            let kept = self.solid.max(self.cell.start as usize);
            let field = text.get(kept..end).unwrap_or_default();
            end -= field.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        }
        self.cell.end = end as u32;
    }

    #[inline]
    fn keep(&mut self) -> Result<(), Wrong> {
        if self.cells.len() == COLUMNS_MAX {
            return Err(Wrong { problem: Problem::Columns, at: self.cell.start as usize });
        }
        self.cells.push(self.cell);
        Ok(())
    }

    /// A CR or LF ends the line; false when a LF must follow.
    fn end_line(&mut self, byte: u8) -> Result<bool, Wrong> {
        match (self.line_end, byte) {
            (LineEnd::Any, b'\r') => {
                self.after_cr = true;
                Ok(true)
            }
            (LineEnd::Any | LineEnd::Lf, b'\n') | (LineEnd::Cr, b'\r') => Ok(true),
            (LineEnd::Crlf, b'\r') => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.wrong(Problem::LineEnd)),
        }
    }

    /// The line ends `more` bytes on.
    fn record(&mut self, more: usize) -> Step {
        self.state = State::Line;
        Step::Record(std::mem::take(&mut self.at) + more)
    }
    fn passed(&mut self, more: usize) -> Step {
        self.state = State::Line;
        Step::Passed(std::mem::take(&mut self.at) + more)
    }

    fn unclosed(&self, ended: bool) -> Result<Step, Wrong> {
        // Its place is that of the opening quote: the end is the same for all.
        if ended { Err(Wrong { problem: Problem::Unclosed, at: self.cell.start as usize - 1 }) } else { Ok(Step::More) }
    }
    fn wrong(&self, problem: Problem) -> Wrong {
        Wrong { problem, at: self.at }
    }

    /// May this byte stand behind a backslash?
    fn has_meaning(&self, byte: u8) -> bool {
        let signs = [self.delimiter, self.quote, self.comment, b'\\', b'\r', b'\n', b' ', b'\t'];
        byte != 0 && signs.contains(&byte)
    }
}

impl Problem {
    pub(super) fn code(self) -> &'static str {
        match self {
            Problem::Quote => "LG-CSV-QUOTE",
            Problem::AfterQuote => "LG-CSV-AFTER-QUOTE",
            Problem::Unclosed => "LG-CSV-UNCLOSED",
            Problem::Escape => "LG-CSV-ESCAPE",
            Problem::LineEnd => "LG-CSV-LINE-END",
            Problem::Nul => "LG-CSV-NUL",
            Problem::FieldBytes | Problem::RecordBytes | Problem::Columns => "LG-CSV-LIMIT",
        }
    }
    pub(super) fn message(self) -> String {
        match self {
            Problem::Quote => "a quote stands in a field that does not begin with one".to_owned(),
            Problem::AfterQuote => "text follows the closing quote of a field".to_owned(),
            Problem::Unclosed => "the quote that opens this field is never closed".to_owned(),
            Problem::Escape => "a backslash stands before what has no meaning".to_owned(),
            Problem::LineEnd => "this is not the line end that the dialect names".to_owned(),
            Problem::Nul => "a NUL stands in the text: is it in this character set?".to_owned(),
            Problem::FieldBytes => {
                format!("a field has more than {FIELD_BYTES_MAX} bytes: is a quote never closed?")
            }
            Problem::RecordBytes => format!("a record has more than {RECORD_BYTES_MAX} bytes"),
            Problem::Columns => format!("a record has more than {COLUMNS_MAX} fields"),
        }
    }
}
