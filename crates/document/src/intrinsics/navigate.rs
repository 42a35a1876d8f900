//! Group *navigate*: fields, items, steps of a path.

use crate::arena::Arena;
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::index::Index;
use crate::standard::T0410;
use crate::text::Text;
use crate::values::{Key, Object, Path};

use super::list::{CONS, KEEP, List, SEQUENCE};

/// Where a step stands in its path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Inner,
    /// As [`Step::Inner`], but what it gives is always taken apart.
    Each,
    Last,
    /// As [`Step::Last`], of a path with `[]`.
    Kept,
}

impl Arena {
    /// `get(h, k)`: field `k` as the last step of a path.
    #[inline]
    pub fn get(&mut self, h: Handle, k: u32) -> Result<Handle, Fault> {
        match self.values.constant_key(k)? {
            Key::Field(key) => self.last_step(h, key),
            Key::Path(path) => self.get_along(h, path),
        }
    }

    /// `get_kept(h, k)`: the same where the path has `[]`.
    pub fn get_kept(&mut self, h: Handle, k: u32) -> Result<Handle, Fault> {
        let (h, key) = match self.values.constant_key(k)? {
            Key::Field(key) => (h, key),
            Key::Path(path) => self.before_last(h, path)?,
        };
        match self.field(h, key)? {
            Found::Value(value) => self.keep(value),
            Found::Nothing => Ok(Handle::UNDEFINED),
            Found::List => self.step_over(h, key, Step::Kept),
        }
    }

    /// `get_step(h, k)`: field `k` between two steps of a path.
    #[inline]
    pub fn get_step(&mut self, h: Handle, k: u32) -> Result<Handle, Fault> {
        match self.values.constant_key(k)? {
            Key::Field(key) => self.inner_step(h, key),
            Key::Path(path) => self.inner_steps(h, path, path.len),
        }
    }

    /// `get_each(h, k)`: field `k` between two steps of a path, of which the first has filters: every array
    /// that a context gives is its items.
    pub fn get_each(&mut self, h: Handle, k: u32) -> Result<Handle, Fault> {
        let (h, key) = match self.values.constant_key(k)? {
            Key::Field(key) => (h, key),
            Key::Path(path) => self.before_last(h, path)?,
        };
        match self.field(h, key)? {
            Found::Value(value) => self.settled(value),
            Found::Nothing => Ok(Handle::UNDEFINED),
            Found::List => self.step_over(h, key, Step::Each),
        }
    }

    /// The value at the end of a path.
    pub(super) fn get_along(&mut self, h: Handle, path: Path) -> Result<Handle, Fault> {
        let (inner, last) = self.before_last(h, path)?;
        self.last_step(inner, last)
    }

    /// Takes all steps of a path but the last: what it is taken on, and its field.
    fn before_last(&mut self, h: Handle, path: Path) -> Result<(Handle, Text), Fault> {
        let inner = self.inner_steps(h, path, path.len - 1)?;
        Ok((inner, self.values.field_of_path(path, path.len - 1)?))
    }

    /// Takes the first `count` steps of a path.
    fn inner_steps(&mut self, mut h: Handle, path: Path, count: u32) -> Result<Handle, Fault> {
        self.meter.charge(2 * u64::from(count))?;
        for i in 0..count {
            let key = self.values.field_of_path(path, i)?;
            h = self.inner_step(h, key)?;
        }
        Ok(h)
    }

    #[inline]
    pub(super) fn last_step(&mut self, h: Handle, key: Text) -> Result<Handle, Fault> {
        match self.field(h, key)? {
            Found::Value(value) => self.settled(value),
            Found::Nothing => Ok(Handle::UNDEFINED),
            Found::List => self.step_over(h, key, Step::Last),
        }
    }

    #[inline]
    fn inner_step(&mut self, h: Handle, key: Text) -> Result<Handle, Fault> {
        match self.field(h, key)? {
            Found::Value(value) => match self.values.datum(value)? {
                // Arrays of two and more are walked through as they are; one or none is a special case.
                Datum::Array { flags, len, .. } if len < 2 || flags & CONS != 0 => self.step_over(h, key, Step::Inner),
                _ => Ok(value),
            },
            Found::Nothing => Ok(Handle::UNDEFINED),
            Found::List => self.step_over(h, key, Step::Inner),
        }
    }

    /// `get_dyn(object, key)`: `$lookup`.
    pub fn get_dyn(&mut self, object: Handle, key: Handle) -> Result<Handle, Fault> {
        let key = match self.values.datum(key)? {
            Datum::Undefined => return Ok(Handle::UNDEFINED),
            datum => datum.as_text().ok_or_else(|| self.complain(T0410, Some(2), key))?,
        };
        match self.field(object, key)? {
            Found::Value(value) => self.settled(value),
            Found::Nothing => Ok(Handle::UNDEFINED),
            Found::List => {
                self.gathered.clear();
                self.look_up(object, key, self.depth_max)?;
                self.gathered_sequence()
            }
        }
    }

    /// A field of an object; arrays are left to the caller.
    #[inline]
    fn field(&mut self, h: Handle, key: Text) -> Result<Found, Fault> {
        let (region, datum) = self.values.found(h)?;
        match datum {
            Datum::Object { index, at, len, .. } => match self.values.locate(region, Object { index, at, len }, key) {
                Ok(Some(place)) => match region.fields(at, len).get(place as usize) {
                    Some(field) => Ok(Found::Value(field.value)),
                    None => Ok(Found::Nothing),
                },
                Ok(None) => Ok(Found::Nothing),
                Err(_) => self.field_of_many(h, key),
            },
            Datum::Array { .. } | Datum::Range { .. } => Ok(Found::List),
            _ => Ok(Found::Nothing),
        }
    }

    #[cold]
    fn field_of_many(&mut self, h: Handle, key: Text) -> Result<Found, Fault> {
        let place = self.locate_in_many(h, key)?;
        let Datum::Object { at, .. } = self.values.datum(h)? else { return Err(Fault::WrongKind) };
        Ok(place.map_or(Found::Nothing, |place| Found::Value(self.values.field(h.slot(), at, place).value)))
    }

    /// The place of a key in an object of many fields, which gets its index now.
    #[cold]
    pub(super) fn locate_in_many(&mut self, h: Handle, key: Text) -> Result<Option<u32>, Fault> {
        let Datum::Object { index: 0, at, len, room } = self.values.datum(h)? else { return Err(Fault::WrongKind) };
        self.meter.charge(len.into())?;
        let mut index = Index::with_room(&mut self.memory, len as usize)?;
        for place in 0..len {
            let field = self.values.field(h.slot(), at, place);
            let hash = index.hash(self.values.str(field.key));
            index.insert(&mut self.memory, hash, place)?;
        }
        let is_it = |place| self.values.same_text(self.values.field(h.slot(), at, place).key, key);
        let found = index.find(index.hash(self.values.str(key)), is_it);
        let number = self.values.region_mut(h)?.keep_index(&mut self.memory, index)?;
        self.replace(h, Datum::Object { index: number, at, len, room })?;
        Ok(found)
    }

    /// One step of a path with a field name, over a list of contexts.
    fn step_over(&mut self, h: Handle, key: Text, step: Step) -> Result<Handle, Fault> {
        self.gathered.clear();
        // How many contexts gave a result, and the result if it is a plain array.
        let (mut results, mut plain) = (0, Handle::UNDEFINED);
        let contexts = self.list(h)?;
        self.meter.charge(contexts.len().into())?;
        for i in 0..contexts.len() {
            let context = self.element(contexts, i);
            let result = match self.field(context, key)? {
                Found::Nothing => continue,
                Found::Value(value) => self.settled(value)?,
                Found::List => {
                    let before = self.gathered.len();
                    self.look_up(context, key, self.depth_max)?;
                    match self.gathered.len() - before {
                        0 => continue,
                        1 if step != Step::Kept => self.gathered.pop().unwrap_or(Handle::UNDEFINED),
                        _ => {
                            results += 1;
                            plain = Handle::UNDEFINED;
                            continue;
                        }
                    }
                }
            };
            if result.is_undefined() {
                continue;
            }
            results += 1;
            match self.list(result)? {
                List::Items(items) => {
                    plain = if items.flags & SEQUENCE == 0 { result } else { Handle::UNDEFINED };
                    if items.flags & CONS == 0 || step == Step::Each {
                        self.gather_items(items)?;
                    } else {
                        self.gather(result)?;
                    }
                }
                _ => self.gather(result)?,
            }
        }
        if results == 1 && !plain.is_undefined() && matches!(step, Step::Last | Step::Kept) {
            self.gathered.clear();
            return if step == Step::Kept { self.keep(plain) } else { Ok(plain) };
        }
        if step == Step::Kept {
            return match self.gathered.is_empty() {
                true => Ok(Handle::UNDEFINED),
                false => self.gathered_array(SEQUENCE | KEEP),
            };
        }
        let single = if let &[single] = self.gathered.as_slice() { single } else { Handle::UNDEFINED };
        match self.values.datum(single)? {
            // Between two steps a single array must not be taken for the list of contexts.
            Datum::Array { .. } | Datum::Range { .. } if step != Step::Last => self.gathered_array(SEQUENCE),
            _ => self.gathered_sequence(),
        }
    }

    /// `$lookup` over an array: gathers the values of the key in all items, flattened once.
    fn look_up(&mut self, h: Handle, key: Text, depth: u32) -> Result<(), Fault> {
        let List::Items(items) = self.list(h)? else { return Ok(()) };
        let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
        self.meter.charge(items.len.into())?;
        for i in 0..items.len {
            let item = self.item(items, i);
            match self.field(item, key)? {
                Found::Nothing => {}
                Found::Value(value) => match self.list(value)? {
                    List::Items(inner) => self.gather_items(inner)?,
                    _ => self.gather(value)?,
                },
                Found::List => self.look_up(item, key, depth)?,
            }
        }
        Ok(())
    }

    /// `wildcard(h)`: all values of an object, or all items; arrays among them flattened to the ground.
    pub fn wildcard(&mut self, h: Handle) -> Result<Handle, Fault> {
        self.gathered.clear();
        // One array among the values makes the result a plain array, which does not settle.
        let mut is_sequence = true;
        let (at, len, is_object) = match self.values.datum(h)? {
            Datum::Object { at, len, .. } => (at, len, true),
            _ => match self.list(h)? {
                List::Items(items) => (items.at, items.len, false),
                _ => return Ok(Handle::UNDEFINED),
            },
        };
        self.meter.charge(len.into())?;
        for i in 0..len {
            let value =
                if is_object { self.values.field(h.slot(), at, i).value } else { self.values.item(h.slot(), at, i) };
            match self.list(value)? {
                List::Items(_) => {
                    is_sequence = false;
                    self.flatten(value, self.depth_max)?;
                }
                _ => self.gather(value)?,
            }
        }
        if is_sequence { self.gathered_sequence() } else { self.gathered_array(0) }
    }

    fn flatten(&mut self, h: Handle, depth: u32) -> Result<(), Fault> {
        let List::Items(items) = self.list(h)? else { return self.gather(h) };
        let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
        self.meter.charge(items.len.into())?;
        for i in 0..items.len {
            self.flatten(self.item(items, i), depth)?;
        }
        Ok(())
    }

    /// `descend(h)`: the value and all below it, but no arrays.
    pub fn descend(&mut self, h: Handle) -> Result<Handle, Fault> {
        self.gathered.clear();
        self.walk(h, self.depth_max)?;
        self.gathered_sequence()
    }

    fn walk(&mut self, h: Handle, depth: u32) -> Result<(), Fault> {
        if let Datum::Object { at, len, .. } = self.values.datum(h)? {
            self.gather(h)?;
            let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
            self.meter.charge(len.into())?;
            for i in 0..len {
                self.walk(self.values.field(h.slot(), at, i).value, depth)?;
            }
            return Ok(());
        }
        match self.list(h)? {
            List::Nothing => Ok(()),
            List::Single(value) => self.gather(value),
            List::Items(items) => {
                let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
                self.meter.charge(items.len.into())?;
                for i in 0..items.len {
                    self.walk(self.item(items, i), depth)?;
                }
                Ok(())
            }
        }
    }

    /// `len(h)`: items of an array, 0 for undefined, else 1.
    #[inline]
    pub fn len(&mut self, h: Handle) -> Result<i32, Fault> {
        Ok(match self.values.datum(h)? {
            Datum::Undefined => 0,
            Datum::Array { len, .. } | Datum::Range { len, .. } => i32::try_from(len).unwrap_or(i32::MAX),
            _ => 1,
        })
    }

    /// `items(h)`: items of an array, 0 for undefined, -1 for any other value.
    #[inline]
    pub fn items(&mut self, h: Handle) -> Result<i32, Fault> {
        Ok(match self.values.datum(h)? {
            Datum::Undefined => 0,
            Datum::Array { len, .. } | Datum::Range { len, .. } => i32::try_from(len).unwrap_or(i32::MAX),
            _ => -1,
        })
    }

    /// `at(h, i)`: item `i` of an array; a single value is its own item 0.
    #[inline]
    pub fn at(&mut self, h: Handle, i: i32) -> Result<Handle, Fault> {
        let Ok(i) = u32::try_from(i) else { return Ok(Handle::UNDEFINED) };
        let (region, datum) = self.values.found(h)?;
        match datum {
            Datum::Array { at, len, .. } => {
                Ok(region.items(at, len).get(i as usize).copied().unwrap_or(Handle::UNDEFINED))
            }
            Datum::Range { first, len, .. } if i < len => self.put(Datum::Float((first + i64::from(i)) as f64)),
            Datum::Range { .. } => Ok(Handle::UNDEFINED),
            _ => Ok(if i == 0 { h } else { Handle::UNDEFINED }),
        }
    }

    /// `index(h, n)`: the item a constant predicate picks.
    pub fn index(&mut self, h: Handle, n: f64) -> Result<Handle, Fault> {
        let len = f64::from(self.len(h)?);
        let place = if n.floor() < 0.0 { len + n.floor() } else { n.floor() };
        if !(0.0..len).contains(&place) {
            return Ok(Handle::UNDEFINED);
        }
        let item = self.at(h, place as i32)?;
        self.settled(item)
    }

    /// `selects(result, i, n)`: how often a predicate's result selects item `i` of `n`. A number
    /// selects by place, and so does each of an array of numbers; all else by truth.
    pub fn selects(&mut self, result: Handle, i: i32, n: i32) -> Result<i32, Fault> {
        let picks = |number: f64| {
            let place = if number.floor() < 0.0 { f64::from(n) + number.floor() } else { number.floor() };
            i32::from(place == f64::from(i))
        };
        let datum = self.values.datum(result)?;
        if let Some(number) = self.values.number(datum) {
            return Ok(picks(number.to_f64()));
        }
        let node = self.values.node(result);
        if let Datum::Array { len, .. } | Datum::Range { len, .. } = datum {
            self.meter.charge(len.into())?;
            if let Some(count) = node.items().map(|item| item.as_number().map(|n| picks(n.to_f64()))).sum() {
                return Ok(count);
            }
        }
        self.truthy(result).map(i32::from)
    }
}

/// What a key leads to.
enum Found {
    Value(Handle),
    Nothing,
    /// The value is an array: its items are to be asked.
    List,
}
