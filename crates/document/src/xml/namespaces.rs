//! Namespaces (Namespaces in XML 1.0): which prefixes values use, which are declared where.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::URI_BYTES_MAX;
use super::names;
use super::problem::Problem;
use crate::format::FormatError;

/// Of the attributes `nil` and `type`. Values call it `xsi` unless they are told otherwise.
pub(super) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const INSTANCE_PREFIX: &str = "xsi";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Which prefix values use for the names of a namespace, whatever prefix a document uses. One
/// namespace may have the empty prefix: its elements have no prefix then, and it must have no attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespaces {
    /// Prefix by namespace, and namespace by prefix.
    prefixes: BTreeMap<String, String>,
    uris: BTreeMap<String, String>,
    /// The prefix of `nil` is one that was asked for.
    names_instance: bool,
}

impl Default for Namespaces {
    fn default() -> Self {
        let mut namespaces = Namespaces::none();
        namespaces.put(INSTANCE, INSTANCE_PREFIX);
        namespaces
    }
}

impl Namespaces {
    /// Names of namespaces, each with its prefix. `LG-XML-OPTIONS` where two share one, where a
    /// prefix is no name, or where it is `xml` or `xmlns`.
    pub fn new<U, P>(entries: impl IntoIterator<Item = (U, P)>) -> Result<Namespaces, FormatError>
    where
        U: AsRef<str>,
        P: AsRef<str>,
    {
        let mut namespaces = Namespaces::none();
        for (uri, prefix) in entries {
            let (uri, prefix) = (uri.as_ref(), prefix.as_ref());
            let is_free = !namespaces.prefixes.contains_key(uri) && !namespaces.uris.contains_key(prefix);
            let is_name = prefix.is_empty() || (names::is_plain_name(prefix) && prefix != "xml");
            let is_uri = !uri.is_empty() && uri.len() <= URI_BYTES_MAX && uri.chars().all(names::is_char);
            // Its names are of attributes alone, which need a prefix.
            let is_bare_instance = uri == INSTANCE && prefix.is_empty();
            if !(is_free && is_name && is_uri) || is_bare_instance || check(prefix, uri).is_err() {
                return Err(Problem::OptionNamespaces.at(0));
            }
            namespaces.put(uri, prefix);
        }
        namespaces.names_instance = namespaces.prefixes.contains_key(INSTANCE);
        if !namespaces.names_instance {
            if namespaces.uris.contains_key(INSTANCE_PREFIX) {
                return Err(Problem::OptionNamespaces.at(0));
            }
            namespaces.put(INSTANCE, INSTANCE_PREFIX);
        }
        Ok(namespaces)
    }
    fn none() -> Namespaces {
        Namespaces { prefixes: BTreeMap::new(), uris: BTreeMap::new(), names_instance: false }
    }
    fn put(&mut self, uri: &str, prefix: &str) {
        self.prefixes.insert(uri.to_owned(), prefix.to_owned());
        self.uris.insert(prefix.to_owned(), uri.to_owned());
    }

    /// The prefix that values use for a namespace.
    pub(super) fn prefix(&self, uri: &str) -> Option<&str> {
        self.prefixes.get(uri).map(String::as_str)
    }
    /// The namespace that has this prefix in values.
    pub(super) fn uri(&self, prefix: &str) -> Option<&str> {
        self.uris.get(prefix).map(String::as_str)
    }
    /// The prefixes that a root declares, with their namespaces. That of `nil` is declared where it is
    /// used, unless it was asked for.
    pub(super) fn of_root(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.uris.iter().map(|(prefix, uri)| (prefix.as_str(), uri.as_str()));
        entries.filter(|(_, uri)| self.names_instance || *uri != INSTANCE)
    }
    /// Is this an attribute of the namespace of `nil`, with this local name?
    pub(super) fn is_instance(&self, name: &str, local: &str) -> bool {
        name.strip_suffix(local)
            .and_then(|prefix| prefix.strip_suffix(':'))
            .is_some_and(|prefix| self.uri(prefix) == Some(INSTANCE))
    }
}

/// The prefix that an attribute declares: the empty one where it declares the default namespace.
pub(super) fn declared(attribute: &str) -> Option<&str> {
    match attribute.strip_prefix("xmlns")? {
        "" => Some(""),
        prefix => prefix.strip_prefix(':'),
    }
}

/// May this prefix be declared for this namespace? (§2.2, §3)
fn check(prefix: &str, uri: &str) -> Result<(), Problem> {
    match (prefix, uri) {
        ("xml", XML) => Ok(()),
        ("xml" | "xmlns", _) | (_, XML | XMLNS) => Err(Problem::Reserved),
        ("", "") => Ok(()),
        (_, "") => Err(Problem::NoUri),
        _ if uri.len() > URI_BYTES_MAX => Err(Problem::UriLength),
        _ => Ok(()),
    }
}

/// Declarations in force, of the open elements.
#[derive(Default)]
pub(super) struct Scope {
    bindings: Vec<Binding>,
    /// The innermost binding of each prefix.
    innermost: BTreeMap<String, usize>,
    /// How many bindings there were before each open element.
    open: Vec<usize>,
}

struct Binding {
    prefix: String,
    uri: String,
    outer: Option<usize>,
    /// Values hold the declaration too, as an attribute.
    is_kept: bool,
}

impl Scope {
    pub(super) fn open(&mut self) {
        self.open.push(self.bindings.len());
    }
    pub(super) fn close(&mut self) {
        let count = self.open.pop().unwrap_or_default();
        while self.bindings.len() > count {
            let Some(Binding { prefix, outer, .. }) = self.bindings.pop() else { break };
            match outer {
                Some(outer) => self.innermost.insert(prefix, outer),
                None => self.innermost.remove(&prefix),
            };
        }
    }

    /// Forgets what the elements declare that are open within the outermost `kept` ones.
    pub(super) fn close_within(&mut self, kept: usize) {
        while self.open.len() > kept {
            self.close();
        }
    }

    /// Declares a prefix on the element that was opened last; says whether values keep the declaration.
    /// Names of mapped namespaces need none; a declaration that would change what such a name means is
    /// refused.
    pub(super) fn declare(&mut self, prefix: &str, uri: &str, mapped: &Namespaces) -> Result<bool, Problem> {
        check(prefix, uri)?;
        let is_kept = match (prefix, uri) {
            ("xml", _) => false,
            // No namespace: values say so only where they say that there is a default one.
            (_, "") => self.bindings_of("").find(|outer| outer.is_kept).is_some_and(|outer| !outer.uri.is_empty()),
            _ if mapped.prefix(uri).is_some() => false,
            _ if mapped.uri(prefix).is_some() => return Err(Problem::Clash),
            _ => true,
        };
        self.bind(prefix, uri, is_kept);
        Ok(is_kept)
    }
    pub(super) fn bind(&mut self, prefix: &str, uri: &str, is_kept: bool) {
        let outer = self.innermost.insert(prefix.to_owned(), self.bindings.len());
        self.bindings.push(Binding { prefix: prefix.to_owned(), uri: uri.to_owned(), outer, is_kept });
    }
    /// Bindings of a prefix, the innermost first.
    fn bindings_of(&self, prefix: &str) -> impl Iterator<Item = &Binding> {
        let binding = |place: Option<&usize>| place.and_then(|place| self.bindings.get(*place));
        std::iter::successors(binding(self.innermost.get(prefix)), move |inner| binding(inner.outer.as_ref()))
    }

    /// The namespace of a prefix that is not empty.
    pub(super) fn uri(&self, prefix: &str) -> Result<&str, Problem> {
        match prefix {
            "xml" => Ok(XML),
            "xmlns" => Err(Problem::Reserved),
            _ => self.bindings_of(prefix).next().map(|binding| binding.uri.as_str()).ok_or(Problem::Prefix),
        }
    }

    /// What values call an element of this name.
    pub(super) fn element<'n>(&self, name: &'n str, mapped: &Namespaces) -> Result<Cow<'n, str>, Problem> {
        let (prefix, local) = names::split(name).ok_or(Problem::Name)?;
        if !prefix.is_empty() {
            return Ok(renamed(name, prefix, local, mapped.prefix(self.uri(prefix)?)));
        }
        match self.bindings_of("").next().map(|binding| binding.uri.as_str()) {
            None | Some("") if mapped.uri("").is_some() => Err(Problem::NoNamespace),
            None | Some("") => Ok(Cow::Borrowed(name)),
            Some(uri) => Ok(renamed(name, prefix, local, mapped.prefix(uri))),
        }
    }
    /// What values call an attribute of this name, without the `@`.
    pub(super) fn attribute<'n>(&self, name: &'n str, mapped: &Namespaces) -> Result<Cow<'n, str>, Problem> {
        let (prefix, local) = names::split(name).ok_or(Problem::Name)?;
        if prefix.is_empty() {
            return Ok(Cow::Borrowed(name));
        }
        match mapped.prefix(self.uri(prefix)?) {
            Some("") => Err(Problem::AttributeWithoutPrefix),
            target => Ok(renamed(name, prefix, local, target)),
        }
    }

    /// The place of an attribute that an earlier one equals by namespace and local name.
    pub(super) fn duplicate<'n>(&self, attributes: impl Iterator<Item = &'n str>) -> Option<usize> {
        let mut expanded: Vec<(&str, &str, usize)> = attributes
            .enumerate()
            .filter_map(|(place, name)| {
                let (prefix, local) = names::split(name).filter(|(prefix, _)| !matches!(*prefix, "" | "xmlns"))?;
                Some((local, self.uri(prefix).ok()?, place))
            })
            .collect();
        expanded.sort_unstable();
        expanded.windows(2).find_map(|pair| match pair {
            [(local, uri, _), (other, other_uri, place)] if local == other && uri == other_uri => Some(*place),
            _ => None,
        })
    }
}

fn renamed<'n>(name: &'n str, prefix: &str, local: &'n str, target: Option<&str>) -> Cow<'n, str> {
    match target {
        None => Cow::Borrowed(name),
        Some(target) if target == prefix => Cow::Borrowed(name),
        Some("") => Cow::Borrowed(local),
        Some(target) => Cow::Owned(format!("{target}:{local}")),
    }
}
