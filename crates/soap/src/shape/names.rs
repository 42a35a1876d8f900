//! Prefixes: those that are written, and those that a document declares as it is read.

use std::collections::{BTreeMap, HashMap};

use lockgate_document::{Kind, Node};

use super::INSTANCE;

/// Of the prefix `xml`.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Prefixes of namespaces, for what is written.
#[derive(Debug, Default)]
pub(crate) struct Prefixes {
    known: BTreeMap<String, String>,
}

impl Prefixes {
    /// Namespaces with prefixes of their own, and the others by number.
    pub(crate) fn new<'n>(named: &[(&str, &str)], others: impl IntoIterator<Item = &'n str>) -> Prefixes {
        let mut prefixes = Prefixes::default();
        for (namespace, prefix) in named {
            prefixes.known.insert((*namespace).to_owned(), (*prefix).to_owned());
        }
        let mut number = 0;
        // These have prefixes that need no declaration.
        let is_free = |namespace: &&str| !["", INSTANCE, XML].contains(namespace);
        for namespace in others.into_iter().filter(is_free) {
            prefixes.known.entry(namespace.to_owned()).or_insert_with(|| {
                number += 1;
                format!("n{number}")
            });
        }
        prefixes
    }
    /// A name as it is written.
    pub(crate) fn name(&self, namespace: &str, local: &str) -> String {
        match self.known.get(namespace) {
            Some(prefix) => format!("{prefix}:{local}"),
            None if namespace == XML => format!("xml:{local}"),
            None => local.to_owned(),
        }
    }
    /// Namespaces with their prefixes.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.known.iter().map(|(namespace, prefix)| (namespace.as_str(), prefix.as_str()))
    }
}

/// Declarations in force of the elements that are open.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    bound: HashMap<&'a str, Vec<&'a str>>,
    order: Vec<&'a str>,
}

/// Where declarations of an element begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize);

impl<'a> Names<'a> {
    /// An element begins: its declarations hold until [`Names::leave`].
    pub(crate) fn enter(&mut self, element: Node<'a>) -> Mark {
        let mark = Mark(self.order.len());
        for (key, value) in element.entries() {
            // Attributes come first.
            let Some(attribute) = key.strip_prefix('@') else { break };
            let prefix = match attribute.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) => match rest.strip_prefix(':') {
                    Some(prefix) => prefix,
                    None => continue,
                },
                None => continue,
            };
            self.bound.entry(prefix).or_default().push(value.as_str().unwrap_or_default());
            self.order.push(prefix);
        }
        mark
    }
    pub(crate) fn leave(&mut self, mark: Mark) {
        while self.order.len() > mark.0 {
            if let Some(bound) = self.order.pop().and_then(|prefix| self.bound.get_mut(prefix)) {
                bound.pop();
            }
        }
    }
    /// Namespace and local name of an element.
    pub(crate) fn element(&self, key: &'a str) -> (&'a str, &'a str) {
        let (prefix, local) = key.split_once(':').unwrap_or(("", key));
        (self.namespace(prefix), local)
    }
    /// Namespace and local name of an attribute, without its `@`: without prefix it is in none.
    pub(crate) fn attribute(&self, key: &'a str) -> (&'a str, &'a str) {
        key.split_once(':').map_or(("", key), |(prefix, local)| (self.namespace(prefix), local))
    }
    /// The namespace of a prefix; `xsi` is what `document` calls it, whatever the text does.
    pub(crate) fn namespace(&self, prefix: &str) -> &'a str {
        match self.bound.get(prefix).and_then(|bound| bound.last()) {
            Some(namespace) => namespace,
            None if prefix == "xsi" => INSTANCE,
            None if prefix == "xml" => XML,
            None => "",
        }
    }
}

/// A child of an element.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Child<'a> {
    Text(&'a str),
    Element(&'a str, Node<'a>),
}

/// What stands in an element, in order. The only field of text alone is [`Child::Text`].
pub(crate) fn children<'a>(element: Node<'a>) -> Vec<Child<'a>> {
    let mut all = Vec::new();
    match element.kind() {
        Kind::String => all.extend(element.as_str().filter(|text| !text.is_empty()).map(Child::Text)),
        Kind::Object => {
            for (key, value) in element.entries() {
                match key {
                    "#text" => all.extend(value.as_str().map(Child::Text)),
                    "#content" => {
                        for item in value.items() {
                            all.extend(item.as_str().map(Child::Text));
                            all.extend(item.entries().map(|(key, value)| Child::Element(key, value)));
                        }
                    }
                    _ if key.starts_with('@') => {}
                    _ if value.kind() == Kind::Array => {
                        all.extend(value.items().map(|item| Child::Element(key, item)));
                    }
                    _ => all.push(Child::Element(key, value)),
                }
            }
        }
        _ => {}
    }
    all
}
