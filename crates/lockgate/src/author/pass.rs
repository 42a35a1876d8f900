//! A mapping over records as they come: read, mapped and written in pieces, so that memory holds one
//! piece of the input, however long it is.
//!
//! The result is byte for byte that of the whole document. Two things hang on all records at once, and
//! are settled at the end by the mapping for whole documents, over one that differs in nothing that
//! counts: a single record that passes and is an array itself, and what stands for an array without
//! entries. Such a record waits until another one passes, and what fails of it waits too: its items may
//! be what is meant. Conditions are asked of records alone, and must have no trouble with nothing, which a
//! whole document would ask them of where a name is missing.

use std::{io::Read, ops::ControlFlow, sync::Arc};

use lockgate_compiler::RecordModule;
use lockgate_document::{
    Document, Fault, FormatError, Kind, Node, RecordWriter,
    formats::{Format, Records, below, listed},
};
use lockgate_engine::{Failure, Module};
use lockgate_mapping::streams::Streams;
use lockgate_model::Timestamp;

use crate::{
    author::{
        format::unwritten,
        map::Mapping,
        records::{self, Came, Passed},
        workbench::{faulted, now},
    },
    exit::Exit,
    output::Meter,
};

/// Bytes of output that are held back at most.
const PIECE_BYTES: usize = 256 << 10;

/// A mapping on its way through the records.
pub struct Pass<'m> {
    mapping: &'m Mapping,
    records: &'m RecordModule,
    module: Arc<Module>,
    whole: Arc<Module>,
    format: &'m Format,
    writer: Box<dyn RecordWriter>,
    sink: Sink<'m>,
    /// All records see one time, as in one run.
    now: Timestamp,
    /// Records that were mapped, or wait for it.
    before: u64,
    /// Records that met the conditions.
    passed: u64,
    /// The first of them, while it may turn out to be the only one, and is an array.
    held: Option<Held>,
    /// A record that met no condition, in a list.
    failing: Option<Document>,
    out: Vec<u8>,
}

/// A record that waits for another one.
struct Held {
    /// A list of it.
    list: Document,
    number: u64,
    /// What it gave; none while nothing was asked of it.
    given: Option<Result<Document, Trouble>>,
}

/// Takes what was written; `Break` once nobody reads it any more.
pub type Sink<'s> = &'s mut dyn FnMut(&[u8]) -> Result<ControlFlow<()>, Exit>;

impl<'m> Pass<'m> {
    /// At the beginning; none where only the whole document tells what fails.
    pub fn new(
        mapping: &'m Mapping,
        records: &'m RecordModule,
        (format, writer): (&'m Format, Box<dyn RecordWriter>),
        sink: Sink<'m>,
    ) -> Result<Option<Self>, Exit> {
        let pass = Self {
            module: mapping.bench.load(&records.module)?,
            whole: mapping.whole()?,
            writer,
            mapping,
            records,
            format,
            sink,
            now: now(),
            before: 0,
            passed: 0,
            held: None,
            failing: None,
            out: Vec::new(),
        };
        let Streams { path, conditions } = &records.streams;
        // Where the last name is missing the conditions are asked of nothing.
        let fails = match path.split_last() {
            Some((_, before)) if *conditions > 0 => {
                pass.run_whole(below(before, &pass.mapping.bench.limits, |_| Ok(())).map_err(fault)?).is_err()
            }
            _ => false,
        };
        Ok((!fails).then_some(pass))
    }

    /// Maps all records. What was written before something fails stays.
    pub fn run(mut self, input: impl Read, mut from: Records, meter: &Meter) -> Result<(), Exit> {
        let flow = records::read(&mut from, input, &mut |from, came| match came {
            Came::Records(batch) => self.map(&batch, from.gathers()),
            Came::Trouble(error) => Err(self.after_all(unread(&error))),
            Came::Piece(bytes) => {
                meter.at(bytes, self.before);
                Ok(ControlFlow::Continue(()))
            }
        })?;
        if flow.is_break() { Ok(()) } else { self.finish(from.gathers()) }
    }

    /// This record may turn out to be the only one that passes, and its items then to be what is meant.
    fn may_be_alone(&self, record: Node<'_>) -> bool {
        let Streams { path, conditions } = &self.records.streams;
        self.passed == 0 && (*conditions > 0 || !path.is_empty()) && record.kind() == Kind::Array
    }

    /// Whether conditions are not asked of the only record where it is an array, but of its items: one name
    /// was looked up in a list, which gathers before anything is asked.
    fn gathers_first(&self, gathers: bool) -> bool {
        gathers && self.records.streams.path.len() == 1
    }

    /// Maps some records and writes what they give.
    fn map(&mut self, batch: &Document, gathers: bool) -> Passed {
        let records = batch.root();
        self.ask()?;
        if !records.items().any(|record| self.may_be_alone(record))
            && let Ok(given) = self.mapped(batch)
        {
            self.write(&given, records)?;
            self.before += records.len() as u64;
            return self.sent();
        }
        // One by one, so that those before a trouble are written and it has its number. A limit that
        // all of them met together none may meet alone.
        for record in records.items() {
            self.ask()?;
            let list = self.listed(record).map_err(fault)?;
            let number = self.before + 1;
            let alone = self.may_be_alone(record);
            let waits = self.records.streams.conditions == 0 || self.gathers_first(gathers);
            if alone && number == 1 && waits {
                self.held = Some(Held { list, number, given: None });
            } else {
                let given = self.mapped(&list);
                self.take(Held { list, number, given: Some(given) }, alone)?;
            }
            self.before = number;
        }
        self.sent()
    }

    /// What waits without having been asked for is no longer the only record.
    fn ask(&mut self) -> Result<(), Exit> {
        match self.held.take_if(|held| held.given.is_none()) {
            Some(Held { list, number, .. }) => {
                let given = Some(self.mapped(&list));
                self.take(Held { list, number, given }, true)
            }
            None => Ok(()),
        }
    }

    /// Writes what one record gave, or holds it where it may be the only one that passes.
    fn take(&mut self, one: Held, alone: bool) -> Result<(), Exit> {
        match &one.given {
            Some(Ok(given)) if !alone || passed(given) == 0 => self.write(given, one.list.root()),
            _ if alone => {
                self.passed = 1;
                self.held = Some(one);
                Ok(())
            }
            _ => {
                self.flush()?;
                self.append_of(one)
            }
        }
    }

    /// A list of one record.
    fn listed(&self, record: Node<'_>) -> Result<Document, Fault> {
        listed(record, &self.mapping.bench.limits)
    }

    fn mapped(&self, records: &Document) -> Result<Document, Trouble> {
        let bench = &self.mapping.bench;
        let input = records.copy(&bench.limits)?;
        Ok(bench.run_at(&self.module, input, self.now).result?)
    }

    /// Records failed; `of` says which.
    fn failed(&self, trouble: &Trouble, of: &str) -> Exit {
        match trouble {
            Trouble::Run(failure) => faulted(failure, &self.mapping.file, &self.mapping.text, of),
            Trouble::Fault(fault) => Exit::failed(&fault.code(), format!("{fault}{of}")),
        }
    }

    /// The end with this trouble, when all that came before it was written; else with that one.
    fn after_all(&mut self, trouble: Exit) -> Exit {
        let written = self.ask().and_then(|()| self.flush()).and_then(|()| self.sent());
        written.map_or_else(|earlier| earlier, |_| trouble)
    }

    /// Writes what some records gave.
    fn write(&mut self, given: &Document, records: Node<'_>) -> Result<(), Exit> {
        let passed = passed(given);
        if self.passed == 0 && passed == 0 && self.failing.is_none() && self.records.has_default {
            self.failing = Some(self.listed(records.at(0)).map_err(fault)?);
        }
        if passed > 0 {
            self.flush()?;
        }
        self.passed += passed;
        self.append(given)
    }

    /// Writes what was held.
    fn flush(&mut self) -> Result<(), Exit> {
        self.held.take().map_or(Ok(()), |held| self.append_of(held))
    }

    /// Appends what a record gave.
    fn append_of(&mut self, one: Held) -> Result<(), Exit> {
        let given = one.given.unwrap_or_else(|| self.mapped(&one.list));
        match given {
            Ok(given) => self.append(&given),
            Err(trouble) => {
                let trouble = self.failed(&trouble, &format!(" (of record {})", one.number));
                Err(self.sent().map_or_else(|earlier| earlier, |_| trouble))
            }
        }
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
        let (document, of) = match (&self.held, &self.failing) {
            (Some(held), _) if conditions || gathers => {
                let in_items = held.given.is_none() && self.gathers_first(gathers);
                let of = format!(" (of record {})", held.number);
                (Some(self.document(Some(&held.list), in_items, !conditions)), of)
            }
            (None, failing) if self.passed == 0 && self.records.has_default => {
                (Some(self.document(failing.as_ref(), false, false)), String::new())
            }
            _ => (None, String::new()),
        };
        if let Some(document) = document {
            let result = self.run_whole(document.map_err(fault)?).map_err(|trouble| self.failed(&trouble, &of))?;
            return (self.sink)(
                &self.format.print(&result, &self.mapping.bench.limits).map_err(|error| unwritten(&error))?,
            )
            .map(|_| ());
        }
        self.ask()?;
        self.flush()?;
        self.writer.finish(&mut self.out).map_err(|error| unwritten(&error))?;
        self.sent().map(|_| ())
    }

    fn run_whole(&self, document: Document) -> Result<Document, Trouble> {
        Ok(self.mapping.bench.run_at(&self.whole, document, self.now).result?)
    }

    /// A document with these records at the place; `in_items`: it is a list of what it would be; `itself`:
    /// the only record is there without a list around it.
    fn document(&self, records: Option<&Document>, in_items: bool, itself: bool) -> Result<Document, Fault> {
        let limits = &self.mapping.bench.limits;
        let list = match records {
            Some(list) => list.copy(limits)?,
            None => Document::array([]),
        };
        let value = if itself && !in_items { list.root().at(0) } else { list.root() };
        let Some((last, before)) = self.records.streams.path.split_last() else { return list.copy(limits) };
        let document = below(before, limits, |builder| {
            builder.key(last)?;
            builder.value(value)
        })?;
        if in_items { self.listed(document.root()) } else { Ok(document) }
    }
}

/// How many records met the conditions: the last item of what they gave.
fn passed(given: &Document) -> u64 {
    let passed = given.root().items().last().and_then(|count| count.as_i64()).unwrap_or_default();
    u64::try_from(passed).unwrap_or_default()
}

/// Why records could not be mapped.
pub enum Trouble {
    /// Their run failed.
    Run(Box<Failure>),
    /// They are too large to be taken.
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

/// A limit that was reached.
pub fn fault(fault: Fault) -> Exit {
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
