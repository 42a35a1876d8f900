//! Mapping files: rules from a source document to a target document.
//!
//! ```yaml
//! mapping: erp-order
//! version: 1
//! source: { type: order }
//! target: { type: erp-order }
//! rules:
//!   - to: buyer.name
//!     from: customer.firstName & " " & customer.lastName
//!   - to: items[]
//!     each: lines[status != "cancelled"]
//!     rules:
//!       - to: sku
//!         from: sku
//!   - to: items[].net
//!     from: quantity * unitPrice
//!   - to: buyer.country
//!     lookup: { table: countries, key: customer.country, value: name }
//!     default: '"unknown"'
//!   - to: note
//!     when: shipping.method = "express"
//!     from: '"deliver today"'
//! ```
//!
//! **`to`** is a path into the target: names divided by dots; a name with other signs than letters,
//! digits, `_`, `-` and `$` stands in backticks. `name[]` is an array: the rule that ends there has
//! `each`, and rules below it, `name[].field`, fill its entries. `[]` alone is a target that is
//! itself an array. Objects on the way are made when something is put into them. No two rules may
//! end at the same place.
//!
//! **`from`** is an expression on the source. In a rule below `name[]`, or in the nested `rules` of
//! an `each`, the item is the context (`$`) and the source document is `$$`. A `from` that gives
//! nothing sets nothing, unless there is a **`default`**, an expression in the same context.
//! **`each`** is an expression whose items become the entries of the array: one entry for a single
//! item, none for nothing; the array is always there. Without rules below it, `from` gives each
//! entry, or the item is copied. **`when`** is a condition: when it is not true the rule sets
//! nothing. **`lookup`** stands for `from`: `key` is an expression, `table` the name of reference
//! data, an object in which the key is looked up; `value` is the field of the row that is taken,
//! else the row itself.
//!
//! **`records`** of the source says where its records are: names divided by dots, or `$` for the
//! document itself. The rules then see one record as `$` and `$$`, and the mapping gives an array of
//! what they make of each.
//!
//! Deliberately absent: the check against document types, which is [`types`](crate::types).

mod read;
mod target;
mod to;

use lockgate_model::diagnostic::{Diagnostics, Span};

use crate::{Expression, yaml::Origin};

/// A parsed mapping file.
#[derive(Debug, Clone)]
pub struct MapFile {
    /// Name of the mapping.
    pub name: String,
    /// Version as written.
    pub version: String,
    /// Path of the file, for diagnostics.
    pub file: String,
    /// The file's lines.
    pub lines: Lines,
    /// Document type of the source and its place, when the file names one.
    pub source_type: Option<(String, Span)>,
    /// Document type of the target and its place, when the file names one.
    pub target_type: Option<(String, Span)>,
    /// Where `records` of the source stands, when it is there. The target is then the array of what the
    /// rules make of each record, and to them the record is the document.
    pub records: Option<Span>,
    /// What the rules build.
    pub target: Target,
    /// What else rules build that have no place in it. There are such only beside problems: where one
    /// stands, no field is missing for certain.
    pub aside: Vec<Target>,
    /// The reference data that the rules name.
    pub tables: Vec<TableUse>,
}

/// A table of reference data where a rule names it.
#[derive(Debug, Clone)]
pub struct TableUse {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub at: Span,
    /// The field of a row that is taken, and its place.
    pub value: Option<(String, Span)>,
}

/// What is built at one place of the target.
#[derive(Debug, Clone)]
pub enum Target {
    /// An object, fields in the order of the rules. Beside problems a name may stand twice.
    Object(Vec<Field>),
    /// An array.
    Array(Box<ArrayRule>),
    /// A value.
    Value(Box<ValueRule>),
}

/// A field of the target.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its name in the `to` that names it first.
    pub at: Span,
    /// What is built there.
    pub target: Target,
}

/// Which rule of the file it is.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where its `to` stands.
    pub span: Span,
    /// Its `to`, below that of the rule around it.
    pub to: String,
}

/// Where the lines of a file end, to tell a rule by its line. Without any all is on line 1.
#[derive(Debug, Clone, Default)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// The lines of a text.
    pub fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line that byte `at` is on, from 1.
    pub fn line(&self, at: u32) -> usize {
        self.0.partition_point(|newline| *newline < at as usize) + 1
    }

    /// The bytes of the lines before that of byte `at`, each with its end.
    pub fn lengths(&self, at: u32) -> Vec<u32> {
        let mut begun = 0;
        let ends = self.0.iter().take(self.line(at) - 1).map(|newline| newline + 1);
        ends.map(|end| u32::try_from(end - std::mem::replace(&mut begun, end)).unwrap_or(u32::MAX)).collect()
    }
}

/// The rule of an array.
#[derive(Debug, Clone)]
pub struct ArrayRule {
    /// Which it is.
    pub site: Site,
    /// Whose items become entries.
    pub each: Formula,
    /// Whether the array is set at all.
    pub when: Option<Formula>,
    /// The value of the field when there is no entry.
    pub default: Option<Formula>,
    /// What an entry is; none: the item itself.
    pub entry: Option<Target>,
    /// As [`MapFile::aside`], in the entries.
    pub aside: Vec<Target>,
}

/// The rule of a value.
#[derive(Debug, Clone)]
pub struct ValueRule {
    /// Which it is.
    pub site: Site,
    /// Where the value comes from.
    pub from: From,
    /// Whether it is set at all.
    pub when: Option<Formula>,
    /// The value when there is none.
    pub default: Option<Formula>,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub enum From {
    /// An expression.
    Formula(Formula),
    /// Reference data.
    Lookup {
        /// Name of the table, and its place.
        table: (String, Span),
        /// The key.
        key: Formula,
        /// The field of the row, or the row.
        value: Option<String>,
    },
}

/// An expression and where it stands in the file.
#[derive(Debug, Clone)]
pub struct Formula {
    /// The expression.
    pub expression: Expression,
    /// From its bytes to those of the file.
    pub origin: Origin,
    /// Nothing is wrong with it by itself.
    pub sound: bool,
}

impl Formula {
    /// Stands where an expression is meant and none can be read, which is told.
    fn unread(at: Span) -> Formula {
        Formula { expression: Expression::unread(), origin: Origin::at(at.start as usize), sound: false }
    }
}

impl MapFile {
    /// Parses a mapping file; `file` names it in problems, which come all at once.
    pub fn parse(file: &str, text: &str) -> Result<MapFile, Diagnostics> {
        let (map, problems) = MapFile::read(file, text);
        problems.into_result(map)
    }

    /// As [`MapFile::parse`], with what could be read beside the problems. Expressions that are not
    /// compiled are among these.
    pub fn read(file: &str, text: &str) -> (MapFile, Diagnostics) {
        read::read(file, text)
    }

    /// A file of which nothing can be read.
    fn unread(file: &str) -> MapFile {
        MapFile {
            name: String::new(),
            version: String::new(),
            file: file.to_owned(),
            lines: Lines::default(),
            source_type: None,
            target_type: None,
            records: None,
            target: Target::Object(Vec::new()),
            aside: Vec::new(),
            tables: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
