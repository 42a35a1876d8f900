//! An expression over records as they come: what it gives of them is written in pieces, so that memory
//! holds one piece of the input, however long it is.
//!
//! The result is byte for byte that of the whole document. An expression's sequence of two items and more
//! is an array; what one or none is hangs on all records at once. Until there are two nothing is written,
//! and when there are no two the expression itself decides, over a document of the records that count: the
//! first two, two that passed, two that gave results, and the one that gave the item. A first record that is itself an array
//! waits, with what fails of it, while it may be the only one: its items may be what is meant.

use std::{io::Read, ops::ControlFlow, sync::Arc};

use lockgate_compiler::{Compiled, Streams};
use lockgate_document::{
    Builder, Document, Fault, JsonWriter, Kind, Node, RecordWriter as _,
    formats::{Records, Shape, below, listed},
};
use lockgate_engine::Module;
use lockgate_model::Timestamp;

use crate::{
    author::{
        format::unwritten,
        pass::{Sink, Trouble, fault, unread},
        records::{self, Came, Passed},
        workbench::{Workbench, faulted, now},
    },
    exit::Exit,
    output::Meter,
};

/// Records of a kind that may decide what the value is: of more than one nothing hangs on their number.
const RECORDS_MAX: u64 = 2;

/// An expression on its way through the records.
pub struct Select<'e> {
    source: Source<'e>,
    streams: &'e Streams,
    module: Arc<Module>,
    whole: &'e Arc<Module>,
    writer: JsonWriter,
    sink: Sink<'e>,
    /// All records see one time, as in one run.
    now: Timestamp,
    /// Records that were taken.
    before: u64,
    /// Items that they gave.
    items: u64,
    /// Records that gave results, and that met the conditions, while that counts.
    results: u64,
    passing: u64,
    /// The first record, in a list, while it may be the only one, and is an array of what is meant.
    first: Option<Document>,
    /// Records that met the conditions.
    passed: u64,
    /// The first of these, while it may be the only one, and is an array of what is meant.
    only: Option<Only>,
    /// Lists of one record each, while there are fewer than two items.
    samples: Vec<Document>,
    out: Vec<u8>,
}

/// A record that waits for another one to pass.
struct Only {
    /// A list of it.
    list: Document,
    number: u64,
    given: Result<Document, Trouble>,
}

/// An expression and what it runs on.
#[derive(Clone, Copy)]
pub struct Source<'e> {
    /// Where it runs.
    pub bench: &'e Workbench,
    /// How problems call it.
    pub name: &'e str,
    /// What it says.
    pub text: &'e str,
}

impl<'e> Select<'e> {
    /// At the beginning; none where only the whole document tells what fails.
    pub fn new(
        source: Source<'e>,
        (streams, records): (&'e Streams, &Compiled),
        whole: &'e Arc<Module>,
        sink: Sink<'e>,
    ) -> Result<Option<Self>, Exit> {
        let select = Self {
            streams,
            module: source.bench.load(records)?,
            whole,
            writer: JsonWriter::new(source.bench.limits.reply_bytes_max),
            sink,
            now: now(),
            before: 0,
            items: 0,
            results: 0,
            passing: 0,
            first: None,
            passed: 0,
            only: None,
            samples: Vec::new(),
            out: Vec::new(),
            source,
        };
        // Where the last name is missing the conditions are asked of nothing.
        let nothing = streams.path.split_last().filter(|_| streams.conditions > 0);
        let fails = match nothing {
            Some((_, before)) => {
                select.run_whole(below(before, &select.source.bench.limits, |_| Ok(())).map_err(fault)?).is_err()
            }
            None => false,
        };
        Ok((!fails).then_some(select))
    }

    /// Takes all records. The value where it was not written.
    pub fn run(mut self, input: impl Read, mut from: Records, meter: &Meter) -> Result<Option<Document>, Exit> {
        let flow = records::read(&mut from, input, &mut |from, came| match came {
            Came::Records(batch) => self.come(&batch, from.shape()),
            Came::Trouble(error) => {
                self.not_alone()?;
                Err(self.after_all(unread(&error)))
            }
            Came::Piece(bytes) => {
                meter.at(bytes, self.before);
                Ok(ControlFlow::Continue(()))
            }
        })?;
        if flow.is_break() {
            return Ok(None);
        }
        if self.items < 2 {
            let document = self.document(from.shape()).map_err(fault)?;
            return self.run_whole(document).map(Some).map_err(|trouble| self.failed(&trouble, ""));
        }
        self.writer.finish(&mut self.out).map_err(|error| unwritten(&error))?;
        self.sent().map(|_| None)
    }

    fn come(&mut self, batch: &Document, shape: Shape) -> Passed {
        if let Some(first) = self.first.take() {
            self.take(&first)?;
        } else if self.before == 0 && shape.in_items && is_list_alone(batch.root()) {
            // One name was looked up in a list: of a single value that is an array its items are meant.
            self.first = Some(batch.copy(&self.source.bench.limits).map_err(fault)?);
            return Ok(ControlFlow::Continue(()));
        }
        self.take(batch)?;
        self.sent()
    }

    /// Whether steps would go on from the items of this record, if no other one passes.
    fn may_be_alone(&self, record: Node<'_>) -> bool {
        let settles = self.streams.path.is_empty() && self.streams.conditions > 0;
        settles && self.passed == 0 && record.kind() == Kind::Array
    }

    /// Adds what some records give.
    fn take(&mut self, batch: &Document) -> Result<(), Exit> {
        let records = batch.root();
        if !records.items().any(|record| self.may_be_alone(record))
            && let Ok(given) = self.given(batch)
        {
            return self.add(&given, records);
        }
        // One by one, so that those before a trouble are written and it has its number. A limit that
        // all of them met together none may meet alone.
        for record in records.items() {
            let list = self.listed(record).map_err(fault)?;
            let given = self.given(&list);
            let passes = given.as_ref().map_or(true, |given| Counts::of(given).passed > 0);
            if passes && self.may_be_alone(record) {
                self.before += 1;
                self.passed = 1;
                self.only = Some(Only { list, number: self.before, given });
                continue;
            }
            let number = self.before + 1;
            match given {
                Ok(given) => self.add(&given, list.root())?,
                Err(trouble) => {
                    self.not_alone()?;
                    return Err(self.failed_of(&trouble, number));
                }
            }
        }
        Ok(())
    }

    /// Another record has passed.
    fn not_alone(&mut self) -> Result<(), Exit> {
        match self.only.take() {
            Some(Only { list, number, given: Ok(given) }) => self.write(&given, list.root(), number),
            Some(Only { number, given: Err(trouble), .. }) => Err(self.failed_of(&trouble, number)),
            None => Ok(()),
        }
    }

    fn given(&self, records: &Document) -> Result<Document, Trouble> {
        let bench = self.source.bench;
        let input = records.copy(&bench.limits)?;
        Ok(bench.run_at(&self.module, input, self.now).result?)
    }

    fn add(&mut self, given: &Document, records: Node<'_>) -> Result<(), Exit> {
        let passed = Counts::of(given).passed;
        if passed > 0 {
            self.not_alone()?;
        }
        let number = self.before + 1;
        self.before += records.len() as u64;
        self.passed += passed;
        self.write(given, records, number)
    }

    /// Writes what records gave, of which the first has this number.
    fn write(&mut self, given: &Document, records: Node<'_>, number: u64) -> Result<(), Exit> {
        let items = Counts::of(given).items;
        if self.items + items as u64 >= 2 {
            self.samples.clear();
        } else {
            self.sample(given, records, number)?;
        }
        self.items += items as u64;
        for item in given.root().items().take(items) {
            if let Err(error) = self.writer.write(item, &mut self.out) {
                return Err(self.after_all(unwritten(&error)));
            }
        }
        Ok(())
    }

    /// Keeps those of some records that may count at the end.
    fn sample(&mut self, given: &Document, records: Node<'_>, first: u64) -> Result<(), Exit> {
        let all = Counts::of(given);
        let settled = (all.results == 0 || (all.items == 0 && self.results >= RECORDS_MAX))
            && (all.passed == 0 || self.passing >= RECORDS_MAX);
        for (number, record) in (first..).zip(records.items()) {
            let is_early = number <= RECORDS_MAX;
            if settled && !is_early {
                break;
            }
            let list = self.listed(record).map_err(fault)?;
            let own = match (settled, records.len()) {
                (true, _) => Counts::default(),
                (false, 1) => all,
                (false, _) => self.given(&list).map_or_else(|_| Counts::default(), |given| Counts::of(&given)),
            };
            let gives = own.results > 0 && self.results < RECORDS_MAX;
            let passes = own.passed > 0 && self.passing < RECORDS_MAX;
            if is_early || own.items > 0 || gives || passes {
                self.samples.push(list);
            }
            self.results += u64::from(own.results > 0);
            self.passing += u64::from(own.passed > 0);
        }
        Ok(())
    }

    fn listed(&self, record: Node<'_>) -> Result<Document, Fault> {
        listed(record, &self.source.bench.limits)
    }

    fn failed(&self, trouble: &Trouble, of: &str) -> Exit {
        match trouble {
            Trouble::Run(failure) => faulted(failure, self.source.name, self.source.text, of),
            Trouble::Fault(fault) => Exit::failed(&fault.code(), format!("{fault}{of}")),
        }
    }

    /// The end with the trouble of a record, when what came before it was written.
    fn failed_of(&mut self, trouble: &Trouble, number: u64) -> Exit {
        let trouble = self.failed(trouble, &format!(" (of record {number})"));
        self.after_all(trouble)
    }

    /// The end with this trouble, when what came before it was written.
    fn after_all(&mut self, trouble: Exit) -> Exit {
        self.sent().map_or_else(|earlier| earlier, |_| trouble)
    }

    /// Sends what was written, once it is surely an array.
    fn sent(&mut self) -> Passed {
        if self.items < 2 || self.out.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let flow = (self.sink)(&self.out)?;
        self.out.clear();
        Ok(flow)
    }

    fn run_whole(&self, document: Document) -> Result<Document, Trouble> {
        Ok(self.source.bench.run_at(self.whole, document, self.now).result?)
    }

    /// A document that differs in nothing that counts from the one that has come.
    fn document(&self, shape: Shape) -> Result<Document, Fault> {
        let limits = &self.source.bench.limits;
        let mut list = Builder::new(limits);
        list.begin_array()?;
        let samples = self.first.iter().chain(&self.samples).chain(self.only.as_ref().map(|only| &only.list));
        samples.map(|sample| sample.root().at(0)).try_for_each(|record| list.value(record))?;
        list.end()?;
        let list = list.finish()?;
        let value = match list.root() {
            records if shape.places == 1 && !shape.lists && !shape.in_items => records.at(0),
            records => records,
        };
        let Some((last, before)) = self.streams.path.split_last() else {
            let mut document = Builder::new(limits);
            document.value(value)?;
            return document.finish();
        };
        let field = |builder: &mut Builder, value: Node<'_>| {
            builder.key(last)?;
            builder.value(value)
        };
        match before.split_last() {
            _ if shape.places == 0 && !shape.in_items => below(&[], limits, |_| Ok(())),
            None if shape.in_items => listed(below(&[], limits, |builder| field(builder, value))?.root(), limits),
            // Several values are gathered: all records stand in the first.
            Some((name, before)) if shape.places > 1 => below(before, limits, |builder| {
                builder.key(name)?;
                builder.begin_array()?;
                for value in [value, Document::array([]).root()] {
                    builder.begin_object()?;
                    field(builder, value)?;
                    builder.end()?;
                }
                builder.end()
            }),
            _ => below(before, limits, |builder| field(builder, value)),
        }
    }
}

/// What some records gave, in numbers: the last two items are the results and the records that passed.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    items: usize,
    results: u64,
    passed: u64,
}

impl Counts {
    fn of(given: &Document) -> Self {
        let root = given.root();
        let items = root.len().saturating_sub(2);
        let number = |at| root.at(at).as_i64().and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
        Self { items, results: number(items), passed: number(items + 1) }
    }
}

fn is_list_alone(batch: Node<'_>) -> bool {
    batch.len() == 1 && batch.at(0).kind() == Kind::Array
}

#[cfg(test)]
mod tests;
