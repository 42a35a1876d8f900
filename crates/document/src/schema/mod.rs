//! Document types: what values of a type look like, as one model, whatever language it was written in.
//!
//! A [`Schema`] is an arena of rules that refer to each other by [`RuleId`]; a rule may lead back to
//! itself, as types of trees do. It is read from JSON Schema ([`Schema::from_json`], 2020-12 and
//! draft 7), and from XML Schema ([`Schema::from_xsd`]). [`Schema::validate`] holds a value to it; [`Schema::alternatives`] answers what can be told
//! about a value before there is one, which is what a mapping is checked with.
//!
//! What holds: reading is bounded by [`RULES_MAX`] and the depth of the document, a rule that would
//! lead back to itself at the same value is refused, so that every walk over rules ends.
//!
//! Deliberately absent: fetching. A `$ref` leads to a place in the same document; who has several
//! makes one of them first. `format` and the other words that are annotations by the standard say nothing here.

mod alternatives;
mod decimal;
mod draft;
mod json;
pub use json::references::decoded;
pub mod location;
mod markup;
mod print;
mod problem;
mod rule;
#[cfg(test)]
mod tests;
mod validate;
mod xsd;

pub use alternatives::{Alternative, Field};
pub use markup::{Markup, MarkupField, Written, XmlName};
pub use problem::{SchemaPlace, SchemaProblem};
pub use rule::{Types, TypesIter};
pub use validate::{VIOLATIONS_MAX, Violation};
pub use xsd::{XsdFiles, XsdRef, XsdRoot};

use std::collections::BTreeMap;

use crate::{document::Document, node::Node};
use rule::Rule;

/// Rules that a schema has at most.
pub const RULES_MAX: usize = 50_000;
/// Regular expressions that a schema has at most, each told apart by its text.
pub const PATTERNS_MAX: usize = 128;

/// A rule of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(u32);

/// A document type.
#[derive(Debug)]
pub struct Schema {
    rules: Vec<Rule>,
    /// Values that rules name, such as those of an `enum`, as the items of one array.
    constants: Document,
    patterns: usize,
    /// How objects of these rules stand in XML.
    markup: BTreeMap<RuleId, Markup>,
    root: RuleId,
}

impl Schema {
    /// Reads a JSON Schema document (2020-12, or draft 7 where `$schema` says so); all problems of
    /// it come at once, each with its JSON pointer.
    pub fn from_json(document: Node<'_>) -> Result<Schema, Vec<SchemaProblem>> {
        json::read(document)
    }

    /// The rule of a whole document.
    pub fn root(&self) -> RuleId {
        self.root
    }

    /// How many regular expressions it has, which take most of its memory: up to 1 MiB each.
    pub fn patterns(&self) -> usize {
        self.patterns
    }

    fn rule(&self, id: RuleId) -> &Rule {
        // Ids are made with their rules; another schema's leads to a rule that allows anything.
        self.rules.get(id.0 as usize).unwrap_or(&rule::ANY)
    }

    fn constant(&self, index: u32) -> Node<'_> {
        self.constants.root().at(index as usize)
    }
}
