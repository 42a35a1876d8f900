//! A message held against its grammar, segment by segment.
//!
//! A segment belongs to the innermost loop that has a place for it at or after where the loop stands,
//! and where the loop has none, to the one around it: what both standards say. Neighbours of one tag
//! may come in any order among themselves, since only their qualifiers tell them apart. There is no
//! way back, so that a message of any length takes time in proportion.

use super::{
    grammar::{Grammar, Item, ItemContent},
    path::Path,
    rule::{Reading, Writing, members},
    segment::Segment,
    syntax::Mode,
};
use crate::{
    builder::Builder,
    fault::Fault,
    format::FormatError,
    node::{Kind, Node},
};

/// The segments of a message so far, in their loops.
pub(super) struct Matching {
    /// Loops that are open, the message itself first.
    frames: Vec<Frame>,
    /// About how many bytes are held, and how many may be.
    held: u64,
    held_max: u64,
}

struct Frame {
    /// The loop's number in the grammar.
    rule: usize,
    /// The item that took the last segment.
    at: usize,
    counts: Vec<u32>,
    children: Vec<(usize, Child)>,
}

enum Child {
    Segment(Segment),
    Loop(Vec<(usize, Child)>),
}

impl Matching {
    pub fn new(grammar: &Grammar, held_max: u64) -> Matching {
        let frames = vec![Frame::new(Grammar::MESSAGE, grammar)];
        Matching { frames, held: 0, held_max }
    }

    /// Finds the place of the next segment.
    pub fn take(&mut self, grammar: &Grammar, segment: Segment) -> Result<(), FormatError> {
        self.held += segment.bytes() + (size_of::<Child>() + size_of::<Frame>()) as u64;
        if self.held > self.held_max {
            return Err(FormatError::fault(&Fault::ArenaFull, segment.offset));
        }
        let mut full = None;
        let mut found = None;
        for (depth, frame) in self.frames.iter().enumerate().rev() {
            let items = grammar.items(frame.rule);
            let start = neighbours(grammar, items, frame.at);
            let takes = |item: &Item| {
                let rule = grammar.trigger(item).filter(|rule| rule.tag == segment.tag());
                rule.is_some_and(|rule| rule.selector.takes(&segment))
            };
            for (index, item) in items.iter().enumerate().skip(start).filter(|(_, item)| takes(item)) {
                if frame.counts.get(index).is_some_and(|count| *count < item.max) {
                    found = Some((depth, index));
                    break;
                }
                full.get_or_insert(item);
            }
            if found.is_some() {
                break;
            }
        }
        let Some((depth, index)) = found else {
            return Err(match full {
                Some(item) => {
                    let what = format!("stands more than {} times as `{}`", item.max, item.name);
                    segment.refused("LG-EDI-TOO-MANY", None, what)
                }
                None => segment.refused("LG-EDI-UNEXPECTED", None, "the grammar has no place for it here"),
            });
        };
        while self.frames.len() > depth + 1 {
            self.close(grammar, &segment)?;
        }
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let items = grammar.items(frame.rule);
        let passed = neighbours(grammar, items, index);
        frame.complete(grammar, items.get(..passed).unwrap_or_default(), &segment)?;
        frame.at = index;
        if let Some(count) = frame.counts.get_mut(index) {
            *count += 1;
        }
        match items.get(index).map(|item| &item.content) {
            Some(ItemContent::Loop(inner)) => {
                let mut begun = Frame::new(*inner, grammar);
                // Its first item is the segment that begins it.
                if let Some(count) = begun.counts.first_mut() {
                    *count = 1;
                }
                begun.children.push((0, Child::Segment(segment)));
                self.frames.push(begun);
            }
            _ => frame.children.push((index, Child::Segment(segment))),
        }
        Ok(())
    }

    /// Ends the innermost loop, of which nothing may be missing before this segment.
    fn close(&mut self, grammar: &Grammar, before: &Segment) -> Result<(), FormatError> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        frame.complete(grammar, grammar.items(frame.rule), before)?;
        if let Some(outer) = self.frames.last_mut() {
            outer.children.push((outer.at, Child::Loop(frame.children)));
        }
        Ok(())
    }

    /// The message has ended with this trailer: adds the value of its content.
    pub fn finish(
        mut self,
        grammar: &Grammar,
        trailer: &Segment,
        mode: &Mode,
        builder: &mut Builder,
    ) -> Result<(), FormatError> {
        while self.frames.len() > 1 {
            self.close(grammar, trailer)?;
        }
        let Some(message) = self.frames.pop() else { return Ok(()) };
        message.complete(grammar, grammar.items(message.rule), trailer)?;
        let showing = Showing { grammar, mode, trailer };
        showing.content(grammar.items(Grammar::MESSAGE), message.children, builder)
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
        Frame { rule, at: 0, counts: vec![0; grammar.items(rule).len()], children: Vec::new() }
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

/// What was matched becomes values. The depth is that of the grammar, which has a limit.
struct Showing<'a> {
    grammar: &'a Grammar,
    mode: &'a Mode,
    trailer: &'a Segment,
}

impl Showing<'_> {
    fn ok<T>(&self, result: Result<T, Fault>) -> Result<T, FormatError> {
        result.map_err(|fault| FormatError::fault(&fault, self.trailer.offset))
    }

    fn content(&self, items: &[Item], mut all: Vec<(usize, Child)>, builder: &mut Builder) -> Result<(), FormatError> {
        self.ok(builder.begin_object())?;
        all.sort_by_key(|(index, _)| *index);
        let mut all = all.into_iter().peekable();
        for (index, item) in items.iter().enumerate() {
            if all.peek().is_none_or(|(next, _)| *next != index) {
                continue;
            }
            self.ok(builder.key(&item.name))?;
            let is_list = item.max > 1;
            if is_list {
                self.ok(builder.begin_array())?;
            }
            while let Some((_, child)) = all.next_if(|(next, _)| *next == index) {
                self.child(item, child, builder)?;
            }
            if is_list {
                self.ok(builder.end())?;
            }
        }
        self.ok(builder.end())
    }

    fn child(&self, item: &Item, child: Child, builder: &mut Builder) -> Result<(), FormatError> {
        match (&item.content, child) {
            (ItemContent::Segment(rule), Child::Segment(segment)) => {
                self.ok(builder.begin_object())?;
                let reading = Reading { segment: &segment, mode: self.mode, selector: &rule.selector };
                reading.elements(&rule.elements, builder)?;
                self.ok(builder.end())
            }
            (ItemContent::Loop(inner), Child::Loop(children)) => {
                self.content(self.grammar.items(*inner), children, builder)
            }
            _ => Ok(()),
        }
    }
}

/// The segments of a value by a grammar, each handed to `each`.
pub(super) fn write(
    grammar: &Grammar,
    mode: &Mode,
    value: Node<'_>,
    path: &Path<'_>,
    each: &mut dyn FnMut(&Segment, &Path<'_>) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    write_items(grammar, Grammar::MESSAGE, mode, value, path, each)
}

fn write_items(
    grammar: &Grammar,
    place: usize,
    mode: &Mode,
    value: Node<'_>,
    path: &Path<'_>,
    each: &mut dyn FnMut(&Segment, &Path<'_>) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    let items = grammar.items(place);
    members(value, items.iter().map(|item| item.name.as_str()), path)?;
    for item in items {
        let (path, inner) = (path.key(&item.name), value.get(&item.name));
        let is_absent = matches!(inner.kind(), Kind::Undefined | Kind::Null);
        let count = match (is_absent, item.max) {
            (true, _) => 0,
            (false, 1) => {
                write_item(grammar, item, mode, inner, &path, each)?;
                1
            }
            (false, max) => {
                if inner.kind() != Kind::Array {
                    return Err(path.refused("LG-EDI-VALUE", "must be an array: it may stand more than once"));
                }
                if inner.len() > max as usize {
                    return Err(path.refused("LG-EDI-TOO-MANY", format_args!("has more than {max} items")));
                }
                for (index, inner) in inner.items().enumerate() {
                    write_item(grammar, item, mode, inner, &path.index(index), each)?;
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

fn write_item(
    grammar: &Grammar,
    item: &Item,
    mode: &Mode,
    value: Node<'_>,
    path: &Path<'_>,
    each: &mut dyn FnMut(&Segment, &Path<'_>) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    match &item.content {
        ItemContent::Segment(rule) => {
            let writing = Writing { mode, selector: &rule.selector };
            each(&writing.segment(&rule.tag, &rule.elements, value, &[], path)?, path)
        }
        ItemContent::Loop(inner) => write_items(grammar, *inner, mode, value, path, each),
    }
}
