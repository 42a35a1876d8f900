//! The elements on the way to records. Where text stands between their children, or a name comes again
//! after another one, values have the children as `#content`, where no path leads to records: this is
//! refused, as some may have been given by then.

use std::collections::BTreeSet;

use super::names::is_space;
use super::problem::Problem;
use crate::fault::Fault;

/// What a name that is remembered takes besides its characters.
const NAME_BYTES: u64 = 64;

/// The open elements from the root on whose paths begin that of the records.
#[derive(Default)]
pub(super) struct Way {
    elements: Vec<Element>,
    /// Open elements in all.
    depth: usize,
    /// Bytes of the names of children.
    bytes: u64,
}

#[derive(Default)]
struct Element {
    /// Names of children that others followed, and of the last one.
    names: BTreeSet<Box<str>>,
    last: Box<str>,
    /// Children stand in it as `#content`.
    is_mixed: bool,
    /// A child leads to records.
    leads: bool,
    preserves: bool,
}

/// Why an element cannot be on the way.
pub(super) enum Astray {
    Problem(Problem),
    Fault(Fault),
}

impl Way {
    /// An element begins; `leads`: its path begins that of the records, or is it.
    pub(super) fn start(&mut self, name: &str, leads: bool, bytes_max: u64) -> Result<(), Astray> {
        let preserves = self.elements.last().is_some_and(|element| element.preserves);
        if self.elements.len() == self.depth
            && let Some(parent) = self.elements.last_mut()
        {
            if *parent.last != *name {
                let before = std::mem::replace(&mut parent.last, name.into());
                self.bytes += name.len() as u64 + NAME_BYTES;
                if self.bytes > bytes_max {
                    return Err(Astray::Fault(Fault::ArenaFull));
                }
                parent.is_mixed |= parent.names.contains(name);
                if !before.is_empty() {
                    parent.names.insert(before);
                }
            }
            parent.leads |= leads;
            parent.agrees().map_err(Astray::Problem)?;
        }
        if leads && self.elements.len() == self.depth {
            self.elements.push(Element { preserves, ..Element::default() });
        }
        self.depth += 1;
        Ok(())
    }

    /// `xml:space` of the element that began last.
    pub(super) fn space(&mut self, value: &str) {
        if self.elements.len() == self.depth
            && let Some(element) = self.elements.last_mut()
        {
            match value {
                "preserve" => element.preserves = true,
                "default" => element.preserves = false,
                _ => {}
            }
        }
    }

    /// Characters; `is_data` when they did not stand there as they are. They come in pieces: what they mean
    /// is told at the tag behind them, whose place does not hang on how the input was cut.
    pub(super) fn text(&mut self, text: &str, is_data: bool) {
        if self.elements.len() == self.depth
            && let Some(element) = self.elements.last_mut()
        {
            element.is_mixed |= is_data || element.preserves || !text.bytes().all(is_space);
        }
    }

    /// An element ends.
    pub(super) fn end(&mut self) -> Result<(), Problem> {
        if self.elements.len() == self.depth
            && let Some(element) = self.elements.pop()
        {
            element.agrees()?;
            let Element { names, last, .. } = element;
            let names = names.iter().chain([&last]).filter(|name| !name.is_empty());
            let bytes: u64 = names.map(|name| name.len() as u64 + NAME_BYTES).sum();
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }
}

impl Element {
    fn agrees(&self) -> Result<(), Problem> {
        if self.is_mixed && self.leads { Err(Problem::Mixed) } else { Ok(()) }
    }
}
