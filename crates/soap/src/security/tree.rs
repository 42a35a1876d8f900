//! The elements of a message as bytes that are signed: where they stand in the text, and their canonical form.
//!
//! Deliberately absent: values; those are read by `document`, of the same text.

use std::ops::Range;

use bergshamra::{
    c14n::{C14nMode, canonicalize_doc},
    xml::{Document, NodeId, NodeKind, NodeSet, uppsala},
};

use crate::SoapError;

/// Namespace and local name.
pub(super) type Name<'t> = (&'t str, &'t str);

/// A message. Whoever makes one has held its text to what is taken: no document type, bounded depth.
pub(super) struct Tree<'t> {
    text: &'t str,
    document: Document<'t>,
}

impl<'t> Tree<'t> {
    pub fn of(text: &'t str) -> Result<Tree<'t>, SoapError> {
        let document = uppsala::parse(text).map_err(|_| super::signature::wrong("the message is no XML"))?;
        Ok(Tree { text, document })
    }

    pub fn root(&self) -> Option<NodeId> {
        self.document.document_element()
    }

    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.document.parent(node)
    }

    pub fn name(&self, node: NodeId) -> Name<'_> {
        let name = self.document.element(node).map(|element| &element.name);
        name.map_or(("", ""), |name| (name.namespace_uri.as_deref().unwrap_or_default(), &*name.local_name))
    }

    /// The elements in an element, in order.
    pub fn elements(&self, node: NodeId) -> Vec<NodeId> {
        self.document.children(node).into_iter().filter(|child| self.document.element(*child).is_some()).collect()
    }

    /// The one element of this name in an element.
    pub fn one(&self, node: NodeId, name: Name<'_>) -> Option<NodeId> {
        let mut named = self.elements(node).into_iter().filter(|child| self.name(*child) == name);
        named.next().filter(|_| named.next().is_none())
    }

    /// The place of an element in the text.
    pub fn range(&self, node: NodeId) -> Option<Range<usize>> {
        self.document.node_range(node)
    }

    /// The place of what stands in an element, between its tags; `None` where it has one tag alone.
    pub fn inside(&self, node: NodeId) -> Option<Range<usize>> {
        let Range { start, end } = self.range(node)?;
        let text = self.text.get(start..end)?;
        let mut quote = None;
        // An attribute may hold what ends a tag elsewhere.
        let (tag, _) = text.char_indices().find(|&(_, c)| match (quote, c) {
            (None, '>') => true,
            (None, '"' | '\'') => {
                quote = Some(c);
                false
            }
            (Some(open), c) if c == open => {
                quote = None;
                false
            }
            _ => false,
        })?;
        (!text.get(..tag)?.ends_with('/')).then_some(())?;
        Some(start + tag + 1..start + text.rfind("</")?)
    }

    /// Every element of this name, wherever it stands.
    pub fn named(&self, name: Name<'_>) -> Vec<NodeId> {
        self.everywhere().filter(|node| self.name(*node) == name).collect()
    }

    /// Every element with an attribute of this value that somebody may take for an id, once for each such attribute.
    pub fn identified(&self, id: &str) -> Vec<NodeId> {
        let mut all = Vec::new();
        for node in self.everywhere() {
            for attribute in self.document.element(node).iter().flat_map(|element| &element.attributes) {
                let local = &*attribute.name.local_name;
                let may_be_id = local.eq_ignore_ascii_case("id") || local == "AssertionID";
                if may_be_id && *attribute.value == *id {
                    all.push(node);
                }
            }
        }
        all
    }

    fn everywhere(&self) -> impl Iterator<Item = NodeId> {
        let all = self.root().into_iter().flat_map(|root| [vec![root], self.document.descendants(root)].concat());
        all.filter(|node| self.document.element(*node).is_some())
    }

    /// An attribute in no namespace.
    pub fn attribute(&self, node: NodeId, local: &str) -> Option<&str> {
        let element = self.document.element(node)?;
        let named = |name: &uppsala::QName<'_>| &*name.local_name == local && name.namespace_uri.is_none();
        element.attributes.iter().find(|attribute| named(&attribute.name)).map(|attribute| &*attribute.value)
    }

    /// The text in an element, without white space, as base64 is taken.
    pub fn base64(&self, node: NodeId) -> String {
        let mut text = String::new();
        for child in self.document.children(node) {
            if let Some(NodeKind::Text(found) | NodeKind::CData(found)) = self.document.node_kind(child) {
                text.extend(found.chars().filter(|c| !c.is_ascii_whitespace()));
            }
        }
        text
    }

    /// The bytes that are signed where an element is: exclusive canonical XML without comments, with the declarations
    /// of these prefixes besides those that its names use.
    pub fn canonical(&self, node: NodeId, prefixes: &[&str]) -> Result<Vec<u8>, SoapError> {
        let set = NodeSet::tree_without_comments(node, &self.document);
        canonicalize_doc(&self.document, C14nMode::Exclusive, Some(&set), prefixes)
            .map_err(|_| super::signature::wrong("the message has no canonical form"))
    }

    /// The place of an element in the text, and what stands there if this is put into it, which was empty.
    pub fn filled(&self, node: NodeId, with: &str) -> Option<(Range<usize>, String)> {
        let range = self.document.node_range(node)?;
        let start = self.text.get(range.clone())?.strip_prefix('<')?;
        let name = start.split(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).next()?;
        Some((range, format!("<{name}>{with}</{name}>")))
    }
}
