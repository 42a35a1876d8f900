//! A mapping over records as they come: read, mapped and written in pieces, so that memory holds one
//! piece of the input, however long it is.
//!
//! The result is byte for byte that of the whole document. Two things hang on all records at once, and
//! are settled at the end by the mapping for whole documents, over one that differs in nothing that
//! counts: a single record that passes and is an array itself, and what stands for an array without
//! entries.

use std::{io::Read, ops::ControlFlow, sync::Arc};

use lockgate_compiler::RecordModule;
use lockgate_document::{Builder, Document, Fault, FormatError, Kind, Node, RecordWriter};
use lockgate_engine::{Failure, Module};
use lockgate_model::Timestamp;

use crate::{
    author::{
        format::{Format, Records, unwritten},
        map::Mapping,
        workbench::{faulted, now},
    },
    exit::Exit,
    output::Meter,
};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 << 10;
/// Records that are mapped in one run.
const RECORDS_MAX: usize = 1_024;

/// A mapping on its way through the records.
pub struct Pass<'m> {
    mapping: &'m Mapping,
    records: &'m RecordModule,
    module: Arc<Module>,
    format: &'m Format,
    writer: Box<dyn RecordWriter>,
    sink: Sink<'m>,
    /// All records see one time, as in one run.
    now: Timestamp,
    /// Records that were mapped.
    before: u64,
    /// Records that met the conditions.
    passed: u64,
    /// What the first of them gave, while it may turn out to be the only one, and is an array.
    held: Option<Document>,
    /// The record that gave what is held, else one that met no condition.
    sample: Option<Document>,
    out: Vec<u8>,
}

/// Takes what was written; `Break` once nobody reads it any more.
pub type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> Result<ControlFlow<()>, Exit>;

type Passed = Result<ControlFlow<()>, Exit>;

impl<'m> Pass<'m> {
    /// At the beginning.
    pub fn new(
        mapping: &'m Mapping,
        records: &'m RecordModule,
        (format, writer): (&'m Format, Box<dyn RecordWriter>),
        sink: Sink<'m>,
    ) -> Result<Self, Exit> {
        Ok(Self {
            module: mapping.bench.load(&records.module)?,
            writer,
            mapping,
            records,
            format,
            sink,
            now: now(),
            before: 0,
            passed: 0,
            held: None,
            sample: None,
            out: Vec::new(),
        })
    }

    /// Maps all records. What was written before something fails stays.
    pub fn run(mut self, mut input: impl Read, mut from: Records, meter: &Meter) -> Result<(), Exit> {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let length = match input.read(&mut piece) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                length => length?,
            };
            from.push(piece.get(..length).unwrap_or_default());
            loop {
                let batch = match from.batch(RECORDS_MAX) {
                    Ok(Some(batch)) => batch,
                    Ok(None) => break,
                    Err(error) => return Err(self.after_all(unread(&error))),
                };
                if self.map(batch)?.is_break() {
                    return Ok(());
                }
            }
            meter.at(length as u64, self.before);
            if length == 0 {
                break;
            }
        }
        self.finish(from.gathers())
    }

    /// What a record gives must be known apart from what others give.
    fn counts_alone(&self, record: Node<'_>) -> bool {
        let streams = &self.records.streams;
        let gathered = streams.conditions > 0 || !streams.path.is_empty();
        self.passed < 2 && gathered && record.kind() == Kind::Array
    }

    /// Maps some records and writes what they give.
    fn map(&mut self, batch: Document) -> Passed {
        let records = batch.root();
        let together = records.len() == 1 || !records.items().any(|record| self.counts_alone(record));
        let given = if together { self.mapped(&batch).ok() } else { None };
        match given {
            Some(given) => {
                self.write(&given, records)?;
                self.before += records.len() as u64;
            }
            // One by one, so that those before a trouble are written and it has its number. A limit that
            // all of them met together none may meet alone.
            None => {
                for record in records.items() {
                    let record = self.listed(record).map_err(fault)?;
                    let given = self.mapped(&record).map_err(|trouble| self.failed(&trouble))?;
                    self.write(&given, record.root())?;
                    self.before += 1;
                }
            }
        }
        self.sent()
    }

    /// A list of one record.
    fn listed(&self, record: Node<'_>) -> Result<Document, Fault> {
        let mut list = Builder::new(&self.mapping.bench.limits);
        list.begin_array()?;
        list.value(record)?;
        list.end()?;
        list.finish()
    }

    fn mapped(&self, records: &Document) -> Result<Document, Trouble> {
        let bench = &self.mapping.bench;
        let input = records.copy(&bench.limits)?;
        Ok(bench.run_at(&self.module, input, self.now).result?)
    }

    /// The next record failed.
    fn failed(&mut self, trouble: &Trouble) -> Exit {
        let of = format!(" (of record {})", self.before + 1);
        self.after_all(match trouble {
            Trouble::Run(failure) => faulted(failure, &self.mapping.file, &self.mapping.text, &of),
            Trouble::Fault(fault) => Exit::failed(&fault.code(), format!("{fault}{of}")),
        })
    }

    /// The end with this trouble, when all that came before it was written; else with that one.
    fn after_all(&mut self, trouble: Exit) -> Exit {
        let held = self.held.take();
        let written = held.map_or(Ok(()), |held| self.append(&held)).and_then(|()| self.sent());
        written.map_or_else(|earlier| earlier, |_| trouble)
    }

    /// Writes what some records gave.
    fn write(&mut self, given: &Document, records: Node<'_>) -> Result<(), Exit> {
        let passed = given.root().items().last().and_then(|count| count.as_i64()).unwrap_or_default();
        let passed = u64::try_from(passed).unwrap_or_default();
        let alone = records.len() == 1 && self.counts_alone(records.at(0));
        let is_first = self.passed == 0;
        self.passed += passed;
        if is_first && (alone && passed > 0 || self.sample.is_none() && passed == 0) {
            self.sample = Some(self.listed(records.at(0)).map_err(fault)?);
        }
        if is_first && alone && passed > 0 {
            self.held = Some(given.copy(&self.mapping.bench.limits).map_err(fault)?);
            return Ok(());
        }
        if passed > 0
            && let Some(held) = self.held.take()
        {
            self.append(&held)?;
        }
        self.append(given)
    }

    /// Appends all but the last item, which is their number.
    fn append(&mut self, given: &Document) -> Result<(), Exit> {
        let root = given.root();
        let (writer, out) = (&mut self.writer, &mut self.out);
        let entries = root.items().take(root.len().saturating_sub(1));
        let written = entries.into_iter().try_for_each(|entry| writer.write(entry, out));
        if written.is_err() || self.out.len() > PIECE_BYTES {
            // What could be written is shown before the trouble is.
            let _ = self.sent()?;
        }
        written.map_err(|error| unwritten(&error))
    }

    /// Sends what was written.
    fn sent(&mut self) -> Passed {
        let out = std::mem::take(&mut self.out);
        let flow = if out.is_empty() { ControlFlow::Continue(()) } else { (self.sink)(&out)? };
        self.out = out;
        self.out.clear();
        Ok(flow)
    }

    /// All records have come; `gathers` tells whether they came from several places.
    fn finish(mut self, gathers: bool) -> Result<(), Exit> {
        let conditions = self.records.streams.conditions > 0;
        // A name that is looked up in the items of the document gathers before the conditions are asked.
        let in_items = gathers && conditions && self.records.streams.path.len() == 1;
        let only = |sample: &Document| self.before == 1 && sample.root().at(0).kind() == Kind::Array;
        let settles = match in_items {
            true => self.held.is_some() || self.sample.as_ref().is_some_and(only),
            false => self.held.is_some() && (conditions || gathers),
        };
        // A condition is asked once of nothing where there is no record, for the error it may raise.
        let asks = self.passed == 0 && (self.records.has_default || (conditions && self.before == 0));
        if settles || asks {
            let document = self.document(settles && !conditions, in_items).map_err(fault)?;
            let module = self.mapping.whole()?;
            let bench = &self.mapping.bench;
            let result = bench.run_at(&module, document, self.now).result;
            let result = result.map_err(|failure| faulted(&failure, &self.mapping.file, &self.mapping.text, ""))?;
            return (self.sink)(&self.format.print(&result, &bench.limits)?).map(|_| ());
        }
        if let Some(held) = self.held.take() {
            self.append(&held)?;
        }
        self.writer.finish(&mut self.out).map_err(|error| unwritten(&error))?;
        self.sent().map(|_| ())
    }

    /// A document with the sample as its only record; `itself`: in the place of the list of records;
    /// `in_items`: the document is a list of what it would be.
    fn document(&self, itself: bool, in_items: bool) -> Result<Document, Fault> {
        let mut builder = Builder::new(&self.mapping.bench.limits);
        let Some(sample) = &self.sample else {
            if self.records.streams.path.is_empty() {
                builder.begin_array()?
            } else {
                builder.begin_object()?
            }
            builder.end()?;
            return builder.finish();
        };
        if in_items {
            builder.begin_array()?;
        }
        for name in &self.records.streams.path {
            builder.begin_object()?;
            builder.key(name)?;
        }
        // The sample stands in a list of one.
        let list = sample.root();
        builder.value(if itself { list.at(0) } else { list })?;
        self.records.streams.path.iter().try_for_each(|_| builder.end())?;
        if in_items {
            builder.end()?;
        }
        builder.finish()
    }
}

/// Why records could not be mapped.
enum Trouble {
    Run(Box<Failure>),
    Fault(Fault),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Run(Box::new(failure))
    }
}
impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn fault(fault: Fault) -> Exit {
    Exit::failed(&fault.code(), fault.to_string())
}

/// Input that cannot be read, with its record and byte.
pub fn unread(error: &FormatError) -> Exit {
    Exit::Failed {
        code: error.code().to_owned(),
        message: format!("standard input cannot be read: {error}"),
        detail: serde_json::json!({"record": error.record(), "byte": error.offset()}),
    }
}

#[cfg(test)]
mod tests;
