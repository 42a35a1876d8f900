//! How XML corresponds to values, as far as that can be chosen.

use std::collections::BTreeSet;

use lockgate_model::Limits;

use super::names;
use super::namespaces::Namespaces;
use super::problem::Problem;
use crate::charset::Charset;
use crate::format::FormatError;

/// How to read and write XML.
#[derive(Debug, Clone)]
pub struct XmlOptions {
    /// The prefixes that values use.
    pub namespaces: Namespaces,
    /// The elements that are always an array.
    pub arrays: Arrays,
    /// What is written is in this character set; what is read says itself in which it is.
    pub charset: Charset,
    /// Most bytes that one document or record may take when it is written (`LG-XML-LIMIT`).
    pub bytes_max: u64,
}

impl Default for XmlOptions {
    fn default() -> Self {
        Self {
            namespaces: Namespaces::default(),
            arrays: Arrays::default(),
            charset: Charset::UTF_8,
            bytes_max: Limits::default().arena_bytes_max,
        }
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

    /// Is the element of this name, at this path from the root, always an array?
    pub(super) fn holds(&self, name: &str, path: &str) -> bool {
        self.names.contains(name) || self.paths.contains(path)
    }
}

/// Names from the root on.
pub(super) fn is_path(path: &str) -> bool {
    path.split('/').all(|name| names::split(name).is_some())
}
