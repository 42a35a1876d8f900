//! Where the next segment of a message stands in its grammar.
//!
//! A segment belongs to the innermost loop that has a place for it at or after where the loop stands,
//! and where the loop has none, to the one around it: what both standards say. Neighbours of one tag
//! may come in any order among themselves, since only their qualifiers tell them apart. There is no
//! way back, so that a message of any length takes time in proportion.

use super::{
    grammar::{Grammar, Item, ItemContent},
    segment::Segment,
};
use crate::format::FormatError;

/// A place in a grammar that goes on segment by segment.
pub(super) struct Cursor {
    /// Loops that are open, the message itself first.
    frames: Vec<Frame>,
}

struct Frame {
    /// The loop's number in the grammar.
    rule: usize,
    /// The item that took the last segment.
    at: usize,
    counts: Vec<u32>,
}

/// How a segment was taken.
pub(super) struct Step {
    /// Loops that have ended before it.
    pub closed: usize,
    /// The item of the loop around whose turn begins with it.
    pub begun: Option<usize>,
    /// The loop that it stands in, and the item of that loop that it is.
    pub place: (usize, usize),
}

impl Cursor {
    /// Before the first segment of a message.
    pub fn new(grammar: &Grammar) -> Cursor {
        Cursor { frames: vec![Frame::new(Grammar::MESSAGE, grammar)] }
    }

    /// Goes on to the place of the next segment, before which nothing may be missing.
    pub fn advance(&mut self, grammar: &Grammar, segment: &Segment) -> Result<Step, FormatError> {
        let (depth, index) = self.find(grammar, segment)?;
        let closed = self.frames.len().saturating_sub(depth + 1);
        for frame in self.frames.drain(depth + 1..).rev() {
            frame.complete(grammar, grammar.items(frame.rule), segment)?;
        }
        let mut place = (Grammar::MESSAGE, index);
        let mut inner = None;
        if let Some(frame) = self.frames.last_mut() {
            let items = grammar.items(frame.rule);
            let passed = neighbours(grammar, items, index);
            frame.complete(grammar, items.get(..passed).unwrap_or_default(), segment)?;
            frame.at = index;
            if let Some(count) = frame.counts.get_mut(index) {
                *count += 1;
            }
            place.0 = frame.rule;
            inner = match items.get(index).map(|item| &item.content) {
                Some(ItemContent::Loop(inner)) => Some(*inner),
                _ => None,
            };
        }
        let Some(inner) = inner else { return Ok(Step { closed, begun: None, place }) };
        let mut begun = Frame::new(inner, grammar);
        // Its first item is the segment that begins it.
        if let Some(count) = begun.counts.first_mut() {
            *count = 1;
        }
        self.frames.push(begun);
        Ok(Step { closed, begun: Some(index), place: (inner, 0) })
    }

    /// The open loop and its item that take a segment.
    fn find(&self, grammar: &Grammar, segment: &Segment) -> Result<(usize, usize), FormatError> {
        let mut full = None;
        for (depth, frame) in self.frames.iter().enumerate().rev() {
            let items = grammar.items(frame.rule);
            let start = neighbours(grammar, items, frame.at);
            let takes = |item: &Item| {
                let rule = grammar.trigger(item).filter(|rule| rule.tag == segment.tag());
                rule.is_some_and(|rule| rule.selector.takes(segment))
            };
            for (index, item) in items.iter().enumerate().skip(start).filter(|(_, item)| takes(item)) {
                if frame.counts.get(index).is_some_and(|count| *count < item.max) {
                    return Ok((depth, index));
                }
                full.get_or_insert(item);
            }
        }
        Err(match full {
            Some(item) => {
                let what = format!("stands more than {} times as `{}`", item.max, item.name);
                segment.refused("LG-EDI-TOO-MANY", None, what)
            }
            None => segment.refused("LG-EDI-UNEXPECTED", None, "the grammar has no place for it here"),
        })
    }

    /// The message ends before this trailer: nothing may be missing. How many loops have ended with it.
    pub fn finish(&self, grammar: &Grammar, trailer: &Segment) -> Result<usize, FormatError> {
        for frame in self.frames.iter().rev() {
            frame.complete(grammar, grammar.items(frame.rule), trailer)?;
        }
        Ok(self.frames.len().saturating_sub(1))
    }
}

/// The first of the neighbours that begin with the same tag as the item here.
fn neighbours(grammar: &Grammar, items: &[Item], at: usize) -> usize {
    let tag = |index: usize| items.get(index).and_then(|item| grammar.trigger(item)).map(|rule| rule.tag.as_str());
    let mut first = at;
    while let Some(before) = first.checked_sub(1) {
        if tag(before) != tag(at) {
            break;
        }
        first = before;
    }
    first
}

impl Frame {
    fn new(rule: usize, grammar: &Grammar) -> Frame {
        Frame { rule, at: 0, counts: vec![0; grammar.items(rule).len()] }
    }

    fn complete(&self, grammar: &Grammar, items: &[Item], before: &Segment) -> Result<(), FormatError> {
        match items.iter().zip(&self.counts).find(|(item, count)| **count < item.min) {
            Some((item, _)) => {
                let tag = grammar.trigger(item).map_or("", |rule| rule.tag.as_str());
                let what = format!("`{}` ({tag}) must stand {} times before it", item.name, item.min);
                Err(before.refused("LG-EDI-MISSING", None, what))
            }
            None => Ok(()),
        }
    }
}
