//! From elements to values. What an element becomes is known when it ends; until then its children wait.
//!
//! Characters go straight into the arena as they come. What each element waits with lies on one stack,
//! so that depth costs no recursion; what waits is counted like what is built.

use lockgate_model::Limits;

use super::names::is_space;
use crate::arena::Arena;
use crate::datum::{Datum, Field};
use crate::document::Document;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::index::Index;
use crate::keys::Keys;
use crate::memory::Memory;
use crate::region::{LINEAR_MAX, Region};
use crate::text::Text;

/// One value that is being built, of an element.
pub(super) struct Build {
    arena: Arena,
    keys: Keys,
    open: Vec<Open>,
    /// Attributes and children of the open elements.
    parts: Vec<Part>,
    /// White space between elements, which is text if other text follows.
    blanks: String,
    /// Where the characters begin that follow the last tag, when there are some.
    run: Option<usize>,
    /// Some of them were no literal white space.
    has_data: bool,
}

/// An open element.
struct Open {
    name: Text,
    is_array: bool,
    /// Where its parts begin, and those that are no attributes.
    parts: usize,
    children: usize,
    /// Where its white space begins.
    blanks: usize,
    has_text: bool,
    has_elements: bool,
    preserves: bool,
    /// Its only attribute says that it is null.
    is_nil: bool,
}

#[derive(Clone, Copy)]
enum Part {
    /// A field: an attribute or a child. `height` is how deep its value nests.
    Field {
        key: Text,
        value: Handle,
        height: u32,
        is_array: bool,
    },
    Text(Handle),
    Blank {
        at: usize,
        len: usize,
    },
}

/// A value that is complete, and how deep it nests.
#[derive(Clone, Copy)]
struct Built {
    value: Handle,
    height: u32,
}

impl Build {
    pub(super) fn new(limits: &Limits) -> Build {
        Build {
            arena: Arena::new(limits),
            keys: Keys::default(),
            open: Vec::new(),
            parts: Vec::new(),
            blanks: String::new(),
            run: None,
            has_data: false,
        }
    }

    /// An element begins; its attributes follow.
    pub(super) fn start(&mut self, name: &str, is_array: bool) -> Result<(), Fault> {
        self.end_run()?;
        let name = self.keys.written(&mut self.arena, name)?;
        let preserves = self.open.last().is_some_and(|parent| parent.preserves);
        let (parts, blanks) = (self.parts.len(), self.blanks.len());
        self.arena.memory.room(&mut self.open, 1)?;
        self.open.push(Open {
            name,
            is_array,
            parts,
            children: parts,
            blanks,
            has_text: false,
            has_elements: false,
            preserves,
            is_nil: false,
        });
        Ok(())
    }
    /// An attribute of the element that began last; `key` has its `@`.
    pub(super) fn attribute(&mut self, key: &str, value: &str, is_nil: bool) -> Result<(), Fault> {
        self.arena.meter.charge_bytes(value.len())?;
        let text = self.arena.new_text(value)?;
        let written = self.keys.written(&mut self.arena, key)?;
        self.wait(Part::Field { key: written, value: text, height: 0, is_array: false })?;
        if let Some(open) = self.open.last_mut() {
            open.is_nil =
                is_nil && self.parts.len() == open.parts + 1 && matches!(value.trim_matches(' '), "true" | "1");
            open.children = self.parts.len();
            match (key, value) {
                ("@xml:space", "preserve") => open.preserves = true,
                ("@xml:space", "default") => open.preserves = false,
                _ => {}
            }
        }
        Ok(())
    }

    /// Characters; `is_data` when they did not stand there as they are.
    pub(super) fn text(&mut self, text: &str, is_data: bool) -> Result<(), Fault> {
        self.arena.meter.charge_bytes(text.len())?;
        let (region, memory) = self.region()?;
        memory.room_text(&mut region.text, text.len())?;
        let at = region.text.len();
        region.text.push_str(text);
        self.run.get_or_insert(at);
        self.has_data |= is_data;
        Ok(())
    }

    /// The innermost element ends; says whether it was the outermost too.
    pub(super) fn end(&mut self) -> Result<bool, Fault> {
        let text = if self.open.last().is_some_and(|open| open.has_elements) {
            self.end_run()?;
            None
        } else {
            self.take_run()
        };
        let Some(open) = self.open.pop() else { return Err(Fault::WrongKind) };
        let Built { value, height } = self.value(&open, text)?;
        self.parts.truncate(open.parts);
        self.blanks.truncate(open.blanks);
        self.wait(Part::Field { key: open.name, value, height, is_array: open.is_array })?;
        if let Some(parent) = self.open.last_mut() {
            parent.has_elements = true;
        }
        Ok(self.open.is_empty())
    }

    /// The value of the outermost element; as the one field of an object where it is the root.
    pub(super) fn finish(mut self, is_root: bool) -> Result<Document, Fault> {
        let Some(&Part::Field { key, mut value, height, .. }) = self.parts.first() else {
            return Err(Fault::WrongKind);
        };
        if is_root {
            value = self.entry(key, value, height)?.value;
        }
        let waited = self.parts.capacity() * size_of::<Part>() + self.open.capacity() * size_of::<Open>();
        self.arena.memory.release((waited + self.blanks.capacity()) as u64);
        Ok(Document::from_parts(self.arena, value))
    }

    fn wait(&mut self, part: Part) -> Result<(), Fault> {
        self.arena.memory.room(&mut self.parts, 1)?;
        self.parts.push(part);
        Ok(())
    }

    /// The characters since the last tag.
    fn take_run(&mut self) -> Option<Text> {
        let at = self.run.take()?;
        self.has_data = false;
        let slot = self.arena.current;
        let text = self.arena.values.region(slot)?.text.as_bytes().get(at..)?;
        Some(Text::of(slot, at as u32, text))
    }
    /// The characters since the last tag stand beside an element.
    fn end_run(&mut self) -> Result<(), Fault> {
        let has_data = self.has_data;
        let Some(text) = self.take_run() else { return Ok(()) };
        let Some(open) = self.open.last_mut() else { return Err(Fault::WrongKind) };
        let characters = self.arena.values.str(text);
        if has_data || open.preserves || !characters.bytes().all(is_space) {
            open.has_text = true;
            let value = self.arena.put(Datum::text(text))?;
            return self.wait(Part::Text(value));
        }
        let (at, len) = (self.blanks.len(), characters.len());
        self.arena.memory.room_text(&mut self.blanks, len)?;
        self.blanks.push_str(characters);
        self.region()?.0.text.truncate(text.at as usize);
        self.wait(Part::Blank { at, len })
    }

    /// What an element becomes that has just ended; without children, `text` is what it holds.
    fn value(&mut self, open: &Open, text: Option<Text>) -> Result<Built, Fault> {
        if open.has_elements {
            return match self.fields(open)? {
                Some(built) => Ok(built),
                None => self.content(open),
            };
        }
        let has_attributes = open.children > open.parts;
        match text {
            None if open.is_nil => Ok(Built { value: Handle::NULL, height: 0 }),
            None if has_attributes => {
                let at = self.attributes(open)?;
                self.object(at, 0)?.ok_or(Fault::WrongKind)
            }
            None => Ok(Built { value: self.arena.new_text("")?, height: 0 }),
            Some(text) => {
                let value = self.arena.put(Datum::text(text))?;
                if has_attributes { self.object_with(open, "#text", value, 0) } else { Ok(Built { value, height: 0 }) }
            }
        }
    }

    /// Attributes, and children by name; none where that would lose text or order: text stands between
    /// the children, or a name comes again after another one.
    fn fields(&mut self, open: &Open) -> Result<Option<Built>, Fault> {
        if open.has_text {
            return Ok(None);
        }
        let at = self.attributes(open)?;
        let (mut next, mut height) = (open.children, 0);
        while let Some((key, built, end)) = self.group(next)? {
            self.field(key, built.value)?;
            height = height.max(built.height);
            next = end;
        }
        self.object(at, height)
    }
    /// The children of one name that stand together from part `next` on, and the part that follows.
    fn group(&mut self, mut next: usize) -> Result<Option<(Text, Built, usize)>, Fault> {
        let begin = self.region()?.0.items.len();
        let mut group: Option<(Text, Built, bool)> = None;
        while let Some(&part) = self.parts.get(next) {
            if let Part::Field { key, value, height, is_array } = part {
                match &mut group {
                    None => group = Some((key, Built { value, height }, is_array)),
                    Some((name, ..)) if !self.arena.values.same_text(*name, key) => break,
                    Some((_, built, _)) => built.height = built.height.max(height),
                }
                self.item(value)?;
            }
            next += 1;
        }
        let Some((key, built, is_array)) = group else { return Ok(None) };
        let items = &mut self.region()?.0.items;
        if is_array || items.len() - begin > 1 {
            return Ok(Some((key, self.array(begin, built.height)?, next)));
        }
        items.truncate(begin);
        Ok(Some((key, built, next)))
    }

    /// Attributes, and texts and children in their order.
    fn content(&mut self, open: &Open) -> Result<Built, Fault> {
        let begin = self.region()?.0.items.len();
        let (mut next, mut height) = (open.children, 0);
        while let Some(&part) = self.parts.get(next) {
            next += 1;
            let value = match part {
                Part::Text(text) => text,
                Part::Blank { .. } if !open.has_text => continue,
                Part::Blank { at, len } => {
                    let blank = self.blanks.get(at..at + len).unwrap_or_default();
                    self.arena.new_text(blank)?
                }
                Part::Field { key, value, height: inner, .. } => {
                    let built = self.entry(key, value, inner)?;
                    height = height.max(built.height);
                    built.value
                }
            };
            self.item(value)?;
        }
        let array = self.array(begin, height)?;
        self.object_with(open, "#content", array.value, array.height)
    }

    /// The attributes of an element begin its object; answers where.
    fn attributes(&mut self, open: &Open) -> Result<usize, Fault> {
        let at = self.region()?.0.fields.len();
        for place in open.parts..open.children {
            if let Some(&Part::Field { key, value, .. }) = self.parts.get(place) {
                self.field(key, value)?;
            }
        }
        Ok(at)
    }
    /// The attributes of an element and one more field.
    fn object_with(&mut self, open: &Open, key: &str, value: Handle, height: u32) -> Result<Built, Fault> {
        let key = self.keys.written(&mut self.arena, key)?;
        let at = self.attributes(open)?;
        self.field(key, value)?;
        self.object(at, height)?.ok_or(Fault::WrongKind)
    }
    /// An object of one field.
    fn entry(&mut self, key: Text, value: Handle, height: u32) -> Result<Built, Fault> {
        let at = self.region()?.0.fields.len();
        self.field(key, value)?;
        self.object(at, height)?.ok_or(Fault::WrongKind)
    }

    fn item(&mut self, value: Handle) -> Result<(), Fault> {
        let (region, memory) = self.region()?;
        memory.room(&mut region.items, 1)?;
        region.items.push(value);
        Ok(())
    }
    fn field(&mut self, key: Text, value: Handle) -> Result<(), Fault> {
        let (region, memory) = self.region()?;
        memory.room(&mut region.fields, 1)?;
        region.fields.push(Field { key, value });
        Ok(())
    }
    /// The array of the items from `at` on.
    fn array(&mut self, at: usize, height: u32) -> Result<Built, Fault> {
        let len = (self.region()?.0.items.len() - at) as u32;
        let value = self.arena.put(Datum::Array { flags: 0, at: at as u32, len, room: len })?;
        Ok(Built { value, height: height + 1 })
    }
    /// The object of the fields from `at` on; none, and no fields, where two have one key.
    fn object(&mut self, at: usize, height: u32) -> Result<Option<Built>, Fault> {
        if height >= self.arena.depth_max {
            return Err(Fault::DepthExceeded);
        }
        let Some(index) = self.index(at)? else {
            self.region()?.0.fields.truncate(at);
            return Ok(None);
        };
        let len = (self.region()?.0.fields.len() - at) as u32;
        let value = self.arena.put(Datum::Object { index, at: at as u32, len, room: len })?;
        Ok(Some(Built { value, height: height + 1 }))
    }
    /// The number of the index of the fields from `at` on, 0 for few; none where two have one key.
    fn index(&mut self, at: usize) -> Result<Option<u16>, Fault> {
        let Arena { values, memory, current, .. } = &mut self.arena;
        let fields = values.region(*current).and_then(|region| region.fields.get(at..)).unwrap_or_default();
        if fields.len() <= LINEAR_MAX as usize {
            let is_twice = |(place, field): (usize, &Field)| {
                values.position(fields.get(..place).unwrap_or_default(), field.key).is_some()
            };
            return Ok(if fields.iter().enumerate().any(is_twice) { None } else { Some(0) });
        }
        let mut index = Index::with_room(memory, fields.len())?;
        for (place, field) in fields.iter().enumerate() {
            let hash = index.hash(values.str(field.key));
            let is_it = |at: u32| fields.get(at as usize).is_some_and(|other| values.same_text(other.key, field.key));
            if index.find(hash, is_it).is_some() {
                memory.release(index.bytes());
                return Ok(None);
            }
            index.insert(memory, hash, place as u32)?;
        }
        let region = values.regions.get_mut(usize::from(*current)).ok_or(Fault::StaleHandle)?;
        region.keep_index(memory, index).map(Some)
    }
    /// Where values go, and the account of it.
    fn region(&mut self) -> Result<(&mut Region, &mut Memory), Fault> {
        let Arena { values, memory, current, .. } = &mut self.arena;
        Ok((values.regions.get_mut(usize::from(*current)).ok_or(Fault::StaleHandle)?, memory))
    }
}
