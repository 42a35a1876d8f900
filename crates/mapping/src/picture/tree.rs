//! The fields of a document, as far as rules name them.

use std::collections::BTreeMap;

/// A field of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Field(usize);

/// Fields in the order in which they are first named. Once document types are checked against, their
/// fields are put in first, in their own order.
#[derive(Debug)]
pub(super) struct Tree {
    fields: Vec<Named>,
    places: BTreeMap<(Field, String), Field>,
}

#[derive(Debug)]
struct Named {
    name: String,
    list: bool,
    below: Vec<Field>,
}

/// A line of a tree.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) field: Field,
    pub(super) depth: usize,
    pub(super) name: String,
    pub(super) list: bool,
    /// There are fields below it.
    pub(super) inner: bool,
}

impl Tree {
    /// The document itself.
    pub(super) const ROOT: Field = Field(0);

    pub(super) fn new() -> Self {
        let root = Named { name: String::new(), list: false, below: Vec::new() };
        Self { fields: vec![root], places: BTreeMap::new() }
    }

    /// A field of an object, or of the items of a list.
    pub(super) fn below(&mut self, field: Field, name: &str) -> Field {
        if let Some(known) = self.places.get(&(field, name.to_owned())) {
            return *known;
        }
        let new = Field(self.fields.len());
        self.fields.push(Named { name: name.to_owned(), list: false, below: Vec::new() });
        self.places.insert((field, name.to_owned()), new);
        if let Some(above) = self.fields.get_mut(field.0) {
            above.below.push(new);
        }
        new
    }

    /// It holds a list.
    pub(super) fn is_list(&mut self, field: Field) {
        if let Some(named) = self.fields.get_mut(field.0) {
            named.list = true;
        }
    }

    /// All fields from the document on, each followed by those below it.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut open = vec![(Self::ROOT, 0)];
        while let Some((field, depth)) = open.pop() {
            let Some(named) = self.fields.get(field.0) else { continue };
            let (name, list, inner) = (named.name.clone(), named.list, !named.below.is_empty());
            rows.push(Row { field, depth, name, list, inner });
            open.extend(named.below.iter().rev().map(|below| (*below, depth + 1)));
        }
        rows
    }
}
