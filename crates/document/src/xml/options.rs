//! How XML corresponds to values, as far as that can be chosen.

use std::collections::BTreeSet;

use lockgate_model::Limits;

use super::names;
use super::namespaces::Namespaces;
use super::problem::Problem;
use crate::charset::Charset;
use crate::format::FormatError;
use crate::node::{Kind, Node};
use crate::options::{LayoutProblems, Members, Read, Told};

/// How to read and write XML.
#[derive(Debug, Clone)]
pub struct XmlOptions {
    /// The prefixes that values use.
    pub namespaces: Namespaces,
    /// The elements that are always an array.
    pub arrays: Arrays,
    /// What is written is in this character set; what is read says itself in which it is.
    pub charset: Charset,
    /// What is written is records: elements of the second name in a root of the first.
    pub records: Option<(String, String)>,
    /// Most bytes that one document or record may take when it is written (`LG-XML-LIMIT`).
    pub bytes_max: u64,
}

impl Default for XmlOptions {
    fn default() -> Self {
        Self {
            namespaces: Namespaces::default(),
            arrays: Arrays::default(),
            charset: Charset::UTF_8,
            records: None,
            bytes_max: Limits::default().arena_bytes_max,
        }
    }
}

impl XmlOptions {
    /// Reads options from an object; docs/formats/xml.md has its members. Undefined is the default.
    pub fn read(node: Node<'_>) -> Result<Self, LayoutProblems> {
        let told = Told::default();
        let known = ["namespaces", "arrays", "records", "charset"];
        let options = Members::of(node, String::new(), &known, &told).map(|members| {
            let mut options = Self::default();
            options.namespaces = namespaces(&members).unwrap_or_default();
            options.arrays = arrays(&members).unwrap_or_default();
            options.records = records(&members).unwrap_or_default();
            options.charset = members.charset().ok().flatten().unwrap_or(options.charset);
            options
        });
        told.result(options)
    }
}

fn namespaces(members: &Members<'_>) -> Read<Namespaces> {
    let Some(namespaces) = members.get("namespaces") else { return Ok(Namespaces::default()) };
    let wrong = |message: &str| members.wrong("namespaces", message.to_owned());
    let uris = namespaces.entries().map(|(prefix, uri)| Some((uri.as_str()?, prefix)));
    let uris = uris.collect::<Option<Vec<_>>>().filter(|_| namespaces.kind() == Kind::Object);
    let uris = uris.ok_or_else(|| wrong("must be an object from prefixes to names of namespaces"))?;
    Namespaces::new(uris).map_err(|error| wrong(error.message()))
}

fn arrays(members: &Members<'_>) -> Read<Arrays> {
    let elements = members.texts("arrays")?.unwrap_or_default();
    Arrays::new(elements).map_err(|error| members.wrong("arrays", error.message().to_owned()))
}

/// Names of the root and of a record.
fn records(members: &Members<'_>) -> Read<Option<(String, String)>> {
    let Some(path) = members.text("records")? else { return Ok(None) };
    let names = path.split_once('/').filter(|names| names::split(names.0).and(names::split(names.1)).is_some());
    match names {
        Some((root, record)) => Ok(Some((root.to_owned(), record.to_owned()))),
        None => Err(members.wrong("records", "must be the names of a root and of a record, as `orders/order`")),
    }
}

/// Elements that are an array in values however many there are, so that the shape of a value does not
/// depend on its data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrays {
    names: BTreeSet<String>,
    paths: BTreeSet<String>,
}

impl Arrays {
    /// Each is a name (`line`: wherever the element stands) or a path from the root
    /// (`orders/order/line`), as values have the names. `LG-XML-OPTIONS` where one is neither.
    pub fn new<A: AsRef<str>>(elements: impl IntoIterator<Item = A>) -> Result<Arrays, FormatError> {
        let mut arrays = Arrays::default();
        for element in elements {
            let element = element.as_ref();
            if !is_path(element) {
                return Err(Problem::OptionArrays.at(0));
            }
            let set = if element.contains('/') { &mut arrays.paths } else { &mut arrays.names };
            set.insert(element.to_owned());
        }
        Ok(arrays)
    }

    /// Adds the elements that a document type says are arrays. What XML has no name for is no element.
    pub fn add(&mut self, elements: impl IntoIterator<Item = String>) {
        for element in elements.into_iter().filter(|element| is_path(element)) {
            let set = if element.contains('/') { &mut self.paths } else { &mut self.names };
            set.insert(element);
        }
    }

    /// Is the element of this name, at this path from the root, always an array?
    pub(super) fn holds(&self, name: &str, path: &str) -> bool {
        self.names.contains(name) || self.paths.contains(path)
    }
}

/// Names from the root on.
pub(super) fn is_path(path: &str) -> bool {
    path.split('/').all(|name| names::split(name).is_some())
}
