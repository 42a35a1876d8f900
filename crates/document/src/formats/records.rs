//! Records of a document as they come, in batches: those of the format, or what names lead to in them.

use lockgate_model::Limits;

use crate::{
    builder::Builder,
    csv::CsvReader,
    document::Document,
    fault::Fault,
    fixed::FixedReader,
    format::{FormatError, RecordReader},
    json::{JsonLines, JsonRecords},
    node::{Kind, Node},
};

/// Records as they come.
pub enum Records {
    /// Of a JSON document, which may have them in several places.
    Json(Box<JsonRecords>),
    /// Of JSON Lines.
    Lines(JsonLines),
    /// Of a table.
    Csv(Box<CsvReader>),
    /// Of a file of fixed width.
    Fixed(Box<FixedReader>),
    /// Of a format that gives them one by one.
    Single(Box<dyn RecordReader>, Limits),
    /// What names lead to in records.
    Below(Box<Below>),
}

/// How the records of a document stand in it.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Their path is one name that is looked up in all items of a list.
    pub in_items: bool,
    /// How many values the path leads to.
    pub places: u64,
    /// The first of these is a list of records, and not a record.
    pub lists: bool,
}

impl Records {
    /// Takes the next bytes; none are the end.
    pub fn push(&mut self, bytes: &[u8]) {
        let reader: &mut dyn RecordReader = match self {
            Self::Json(records) => records.as_mut(),
            Self::Lines(lines) => lines,
            Self::Csv(rows) => rows.as_mut(),
            Self::Fixed(records) => records.as_mut(),
            Self::Single(records, _) => records.as_mut(),
            Self::Below(below) => return below.records.push(bytes),
        };
        if bytes.is_empty() { reader.end() } else { reader.push(bytes) }
    }

    /// Some of the next records that are complete, in an array. What is wrong is told when those before
    /// it were given.
    pub fn batch(&mut self, records_max: usize) -> Result<Option<Document>, FormatError> {
        match self {
            Self::Json(records) => records.batch(records_max),
            Self::Lines(lines) => lines.batch(records_max),
            Self::Csv(rows) => rows.batch(records_max),
            Self::Fixed(records) => records.batch(records_max),
            Self::Single(records, limits) => {
                let Some(record) = records.next()? else { return Ok(None) };
                listed(record.root(), limits).map(Some).map_err(|fault| FormatError::fault(&fault, 0))
            }
            Self::Below(below) => below.batch(records_max),
        }
    }

    /// To be asked when all were given: what was described has to be there, be it empty.
    pub fn complete(&self) -> Result<(), FormatError> {
        match self {
            Self::Json(records) if records.is_astray() => {
                Err(FormatError::new("LG-JSON-PATH", 0, "nothing stands where the records should be"))
            }
            _ => Ok(()),
        }
    }

    /// The array of all of them, when no other bytes come than these.
    pub fn all(self, bytes: &[u8], limits: &Limits) -> Result<Document, FormatError> {
        self.read_all(bytes, limits).map(|(list, _)| list)
    }

    /// The same, and the reader at its end.
    pub fn read_all(mut self, bytes: &[u8], limits: &Limits) -> Result<(Document, Self), FormatError> {
        self.push(bytes);
        self.push(&[]);
        let fault = |fault| FormatError::fault(&fault, 0);
        let mut list = Builder::new(limits);
        list.begin_array().map_err(fault)?;
        while let Some(batch) = self.batch(usize::MAX)? {
            batch.root().items().try_for_each(|record| list.value(record)).map_err(fault)?;
        }
        let list = list.end().and_then(|()| list.finish()).map_err(fault)?;
        Ok((list, self))
    }

    /// The columns of a table, once its header was read; none of what has no columns.
    pub fn columns(&self) -> Option<Vec<String>> {
        match self {
            Self::Csv(rows) => rows.columns(),
            _ => None,
        }
    }

    /// An expression's path would give them as a sequence that is gathered of several places.
    pub fn gathers(&self) -> bool {
        match self {
            Self::Json(records) => records.gathers(),
            Self::Below(below) => below.shape.in_items || below.shape.places > 1,
            Self::Lines(_) | Self::Csv(_) | Self::Fixed(_) | Self::Single(..) => false,
        }
    }

    /// How the records stand in a document.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Json(records) => {
                Shape { in_items: records.in_items(), places: records.places(), lists: records.lists() }
            }
            Self::Below(below) => below.shape,
            Self::Lines(_) | Self::Csv(_) | Self::Fixed(_) | Self::Single(..) => {
                Shape { in_items: false, places: 1, lists: true }
            }
        }
    }
}

/// An array of one record.
pub fn listed(record: Node<'_>, limits: &Limits) -> Result<Document, Fault> {
    let mut list = Builder::new(limits);
    list.begin_array()?;
    list.value(record)?;
    list.end()?;
    list.finish()
}

/// An object with these fields, below these names.
pub fn below(
    names: &[String],
    limits: &Limits,
    fields: impl FnOnce(&mut Builder) -> Result<(), Fault>,
) -> Result<Document, Fault> {
    let mut builder = Builder::new(limits);
    builder.begin_object()?;
    for name in names {
        builder.key(name)?;
        builder.begin_object()?;
    }
    fields(&mut builder)?;
    names.iter().try_for_each(|_| builder.end())?;
    builder.end()?;
    builder.finish()
}

/// The values that names lead to in the records of a list, as in a document that is this list.
pub struct Below {
    records: Records,
    path: Vec<String>,
    limits: Limits,
    shape: Shape,
    /// Records of the list so far.
    before: u64,
    /// What is wrong behind the records that were given.
    failed: Option<FormatError>,
}

impl Below {
    /// What `path` leads to; it has a name.
    pub fn new(records: Records, path: &[String], limits: &Limits) -> Self {
        let shape = Shape { in_items: path.len() == 1, places: 0, lists: false };
        Self { records, path: path.to_vec(), limits: *limits, shape, before: 0, failed: None }
    }

    fn batch(&mut self, records_max: usize) -> Result<Option<Document>, FormatError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        while let Some(batch) = self.records.batch(records_max)? {
            let mut found = Found { list: Builder::new(&self.limits), items: 0, shape: self.shape };
            let mut walked = found.list.begin_array().map_err(Stray::Fault);
            for record in batch.root().items() {
                walked = walked.and_then(|()| found.walk(record, &self.path, true));
                if let Err(stray) = &walked {
                    let error = stray.error().of_record(self.before + 1);
                    self.failed = Some(error.clone());
                    match stray {
                        Stray::Nested if found.items > 0 => break,
                        _ => return Err(error),
                    }
                }
                self.before += 1;
            }
            self.shape = found.shape;
            let Found { mut list, items, .. } = found;
            if items > 0 {
                let list = list.end().and_then(|()| list.finish());
                return list.map(Some).map_err(|fault| FormatError::fault(&fault, 0));
            }
        }
        Ok(None)
    }
}

/// Values that are found in records.
struct Found {
    list: Builder,
    items: usize,
    shape: Shape,
}

/// Why a value cannot be one of them.
enum Stray {
    Fault(Fault),
    /// The way leads through an array in an array.
    Nested,
}

impl Stray {
    fn error(&self) -> FormatError {
        match self {
            Self::Fault(fault) => FormatError::fault(fault, 0),
            Self::Nested => {
                let message = "the way to the records leads through an array in an array: read the document as a whole";
                FormatError::new("LG-JSON-RECORDS", 0, message)
            }
        }
    }
}

impl Found {
    /// Goes on from a value by names; `through`: it is an item of an array.
    fn walk(&mut self, value: Node<'_>, names: &[String], through: bool) -> Result<(), Stray> {
        let Some((name, after)) = names.split_first() else { return self.reach(value).map_err(Stray::Fault) };
        match value.kind() {
            Kind::Array if through => {
                if leads(value, name) {
                    Err(Stray::Nested)
                } else {
                    Ok(())
                }
            }
            Kind::Array => value.items().try_for_each(|item| self.walk(item, names, true)),
            Kind::Object if !value.get(name).is_undefined() => self.walk(value.get(name), after, false),
            _ => Ok(()),
        }
    }

    /// The names lead here.
    fn reach(&mut self, value: Node<'_>) -> Result<(), Fault> {
        let lists = value.kind() == Kind::Array;
        self.shape.lists |= lists && self.shape.places == 0;
        self.shape.places += 1;
        if !lists {
            self.items += 1;
            return self.list.value(value);
        }
        self.items += value.len();
        value.items().try_for_each(|item| self.list.value(item))
    }
}

/// An object with this field is reached through arrays. No deeper than a document may nest.
fn leads(value: Node<'_>, name: &str) -> bool {
    !value.get(name).is_undefined() || value.items().any(|item| leads(item, name))
}
