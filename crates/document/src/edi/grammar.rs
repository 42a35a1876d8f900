//! Message grammars: which segments a message has, in which loops, and what their elements are named.
//!
//! A grammar is a value, in files mostly YAML; docs/formats/edi.md says how one is written.
//!
//! Deliberately absent: the directories of the standards. A grammar is what two partners agreed on.

mod read;

use super::{
    rule::{Elements, Selector},
    segment::Segment,
    syntax::Syntax,
};

/// The grammar of one message (EDIFACT) or transaction set (X12).
#[derive(Debug, Clone, PartialEq)]
pub struct Grammar {
    name: String,
    pub(super) syntax: Syntax,
    /// ST01 or the message type of UNH (0065).
    pub(super) message: String,
    /// ST03 or else GS08; version and release of UNH as `D.96A`. Any, where none is said.
    pub(super) version: Option<String>,
    /// The message itself comes first; items name the others by their place.
    loops: Vec<Loop>,
}

/// Segments and loops in the order of the message; the first segment of a loop begins it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Loop {
    pub items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub name: String,
    pub min: u32,
    pub max: u32,
    pub content: ItemContent,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ItemContent {
    Segment(SegmentRule),
    /// The place of a loop in its grammar.
    Loop(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct SegmentRule {
    pub tag: String,
    pub selector: Selector,
    pub elements: Elements,
}

impl Grammar {
    /// The name that it was given.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The syntax whose messages it describes.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// The number of the message's own items among the loops.
    pub(super) const MESSAGE: usize = 0;

    pub(super) fn items(&self, place: usize) -> &[Item] {
        self.loops.get(place).map_or(&[], |found| &found.items)
    }
    /// The segment that an item is or begins with.
    pub(super) fn trigger<'g>(&'g self, item: &'g Item) -> Option<&'g SegmentRule> {
        match &item.content {
            ItemContent::Segment(rule) => Some(rule),
            ItemContent::Loop(place) => match self.items(*place).first().map(|first| &first.content) {
                Some(ItemContent::Segment(rule)) => Some(rule),
                _ => None,
            },
        }
    }
    /// Is this the grammar of that message?
    pub(super) fn describes(&self, syntax: Syntax, group: Option<&Segment>, message: &Segment) -> bool {
        let (kind, versions) = match syntax {
            Syntax::X12 => {
                let implementation = message.get(3, 1);
                let version =
                    if implementation.is_empty() { group.map_or("", |group| group.get(8, 1)) } else { implementation };
                (message.get(1, 1), version.to_owned())
            }
            Syntax::Edifact => (message.get(2, 1), format!("{}.{}", message.get(2, 2), message.get(2, 3))),
        };
        self.syntax == syntax
            && self.message == kind
            && self.version.as_ref().is_none_or(|version| *version == versions)
    }
}
