//! A message read by its grammar: its segments in their loops, and the value that they are.

use super::{
    cursor::Cursor,
    grammar::{Grammar, Item, ItemContent},
    rule::Reading,
    segment::Segment,
    syntax::Mode,
};
use crate::{builder::Builder, fault::Fault, format::FormatError};

/// The segments of a message so far.
pub(super) struct Matching {
    cursor: Cursor,
    /// Loops that are open, each with the item that it is of the one before; the message comes first.
    open: Vec<(usize, Children)>,
    /// About how many bytes are held, and how many may be.
    held: u64,
    held_max: u64,
}

/// Each with the item that it is.
type Children = Vec<(usize, Child)>;

enum Child {
    Segment(Segment),
    Loop(Children),
}

impl Matching {
    pub fn new(grammar: &Grammar, held_max: u64) -> Matching {
        Matching { cursor: Cursor::new(grammar), open: vec![(0, Vec::new())], held: 0, held_max }
    }

    /// Finds the place of the next segment.
    pub fn take(&mut self, grammar: &Grammar, segment: Segment) -> Result<(), FormatError> {
        self.held += segment.bytes() + (2 * size_of::<(usize, Child)>()) as u64;
        if self.held > self.held_max {
            return Err(FormatError::fault(&Fault::ArenaFull, segment.offset));
        }
        let step = self.cursor.advance(grammar, &segment)?;
        self.close(step.closed);
        self.open.extend(step.begun.map(|item| (item, Vec::new())));
        if let Some((_, children)) = self.open.last_mut() {
            children.push((step.place.1, Child::Segment(segment)));
        }
        Ok(())
    }

    /// Ends the innermost loops.
    fn close(&mut self, loops: usize) {
        for _ in 0..loops {
            if let (Some((item, inner)), Some((_, outer))) = (self.open.pop(), self.open.last_mut()) {
                outer.push((item, Child::Loop(inner)));
            }
        }
    }

    /// The message has ended with this trailer: adds the value of its content.
    pub fn finish(
        mut self,
        grammar: &Grammar,
        trailer: &Segment,
        mode: &Mode,
        builder: &mut Builder,
    ) -> Result<(), FormatError> {
        let loops = self.cursor.finish(grammar, trailer)?;
        self.close(loops);
        let Some((_, message)) = self.open.pop() else { return Ok(()) };
        Showing { grammar, mode, trailer }.content(grammar.items(Grammar::MESSAGE), message, builder)
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

    fn content(&self, items: &[Item], mut all: Children, builder: &mut Builder) -> Result<(), FormatError> {
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
