//! A message written by its grammar: the segments of a value.
//!
//! Each segment goes the way that a reader will take it. What would be read as another item than it
//! is written for (the party of one name has the qualifier of another) is refused.

use super::{
    cursor::Cursor,
    grammar::{Grammar, Item, ItemContent},
    path::Path,
    rule::{Writing, members},
    segment::Segment,
    syntax::Mode,
};
use crate::{
    format::FormatError,
    node::{Kind, Node},
};

/// Takes each segment, with the place of its value.
type Each<'a> = dyn FnMut(&Segment, &Path<'_>) -> Result<(), FormatError> + 'a;

/// Hands each segment of a message's content to `each`.
pub(super) fn write(
    grammar: &Grammar,
    mode: &Mode,
    value: Node<'_>,
    path: &Path<'_>,
    each: &mut Each<'_>,
) -> Result<(), FormatError> {
    Message { grammar, mode, cursor: Cursor::new(grammar), each }.items(Grammar::MESSAGE, value, path)
}

struct Message<'a, 'e> {
    grammar: &'a Grammar,
    mode: &'a Mode,
    cursor: Cursor,
    each: &'a mut Each<'e>,
}

/// The depth is that of the grammar, which has a limit.
impl<'a> Message<'a, '_> {
    fn items(&mut self, place: usize, value: Node<'_>, path: &Path<'_>) -> Result<(), FormatError> {
        let grammar: &'a Grammar = self.grammar;
        let items = grammar.items(place);
        members(value, items.iter().map(|item| item.name.as_str()), path)?;
        for (index, item) in items.iter().enumerate() {
            let (path, inner) = (path.key(&item.name), value.get(&item.name));
            let is_absent = matches!(inner.kind(), Kind::Undefined | Kind::Null);
            let count = match (is_absent, item.max) {
                (true, _) => 0,
                (false, 1) => {
                    self.item((place, index), item, inner, &path)?;
                    1
                }
                (false, max) => {
                    if inner.kind() != Kind::Array {
                        return Err(path.refused("LG-EDI-VALUE", "must be an array: it may stand more than once"));
                    }
                    if inner.len() > max as usize {
                        return Err(path.refused("LG-EDI-TOO-MANY", format_args!("has more than {max} items")));
                    }
                    for (number, inner) in inner.items().enumerate() {
                        self.item((place, index), item, inner, &path.index(number))?;
                    }
                    inner.len()
                }
            };
            if count < item.min as usize {
                return Err(path.refused("LG-EDI-MISSING", format_args!("must stand {} times", item.min)));
            }
        }
        Ok(())
    }

    fn item(
        &mut self,
        place: (usize, usize),
        item: &Item,
        value: Node<'_>,
        path: &Path<'_>,
    ) -> Result<(), FormatError> {
        let rule = match &item.content {
            ItemContent::Segment(rule) => rule,
            ItemContent::Loop(inner) => return self.items(*inner, value, path),
        };
        let writing = Writing { mode: self.mode, selector: &rule.selector };
        let segment = writing.segment(&rule.tag, &rule.elements, value, &[], path)?;
        if self.cursor.advance(self.grammar, &segment).ok().map(|step| step.place) != Some(place) {
            let what = "would be read as another item of the grammar, which takes its qualifier first";
            return Err(path.refused("LG-EDI-UNEXPECTED", what));
        }
        (self.each)(&segment, path)
    }
}
