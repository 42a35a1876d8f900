//! Group *arrange*: keys, merging, order, duplicates.

use std::hash::RandomState;

use crate::arena::Arena;
use crate::datum::Datum;
use crate::equality::{hash, order_texts, same};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::index::Index;
use crate::number::Number;
use crate::standard::{D3070, T0412};
use crate::text::Text;

use super::list::{Items, List, SEQUENCE};

/// Lists of up to so many items are compared pair by pair.
const PAIRWISE_MAX: u32 = 16;

impl Arena {
    /// `keys(h)`: of an object, or of all objects in a list; a sequence.
    pub fn keys(&mut self, h: Handle) -> Result<Handle, Fault> {
        self.gathered.clear();
        let mut seen = Index::default();
        let gathered = self.gather_keys(h, &mut seen, self.depth_max);
        self.memory.release(seen.bytes());
        gathered?;
        self.gathered_sequence()
    }

    fn gather_keys(&mut self, h: Handle, seen: &mut Index, depth: u32) -> Result<(), Fault> {
        if let Datum::Object { at, len, .. } = self.values.datum(h)? {
            self.meter.charge(len.into())?;
            for i in 0..len {
                let key = self.values.field(h.slot(), at, i).key;
                self.gather_key(key, seen)?;
            }
            return Ok(());
        }
        let List::Items(items) = self.list(h)? else { return Ok(()) };
        let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
        self.meter.charge(items.len.into())?;
        for i in 0..items.len {
            self.gather_keys(self.item(items, i), seen, depth)?;
        }
        Ok(())
    }

    fn gather_key(&mut self, key: Text, seen: &mut Index) -> Result<(), Fault> {
        let hash = seen.hash(self.values.str(key));
        let is_it = |place: u32| {
            let earlier = self.gathered.get(place as usize).and_then(|&h| self.values.node(h).as_text());
            earlier.is_some_and(|earlier| self.values.same_text(earlier, key))
        };
        if seen.find(hash, is_it).is_some() {
            return Ok(());
        }
        seen.insert(&mut self.memory, hash, self.gathered.len() as u32)?;
        let key = self.put_text(key)?;
        self.gather(key)
    }

    /// `merge(list)`: objects into a new one, the last wins; anything else is T0412.
    pub fn merge(&mut self, list: Handle) -> Result<Handle, Fault> {
        let objects = match self.list(list)? {
            List::Nothing => return Ok(Handle::UNDEFINED),
            objects => objects,
        };
        let merged = self.obj_new()?;
        for i in 0..objects.len() {
            let object = self.element(objects, i);
            let Datum::Object { at, len, .. } = self.values.datum(object)? else {
                return Err(self.complain(T0412, Some(1), list));
            };
            self.meter.charge(len.into())?;
            for place in 0..len {
                let field = self.values.field(object.slot(), at, place);
                let key = self.text_for(merged, field.key)?;
                self.set_field(merged, key, field.value)?;
            }
        }
        Ok(merged)
    }

    /// `append(a, b)`: `$append`.
    pub fn append(&mut self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        if self.values.datum(a)?.is_undefined() {
            return Ok(b);
        }
        if self.values.datum(b)?.is_undefined() {
            return Ok(a);
        }
        let both = self.arr_new(0)?;
        self.append_to(both, a)?;
        self.append_to(both, b)?;
        Ok(both)
    }

    /// `reverse(list)`.
    pub fn reverse(&mut self, list: Handle) -> Result<Handle, Fault> {
        let items = match self.as_array(list)? {
            Ok(items) => items,
            Err(short) => return Ok(short),
        };
        self.gathered.clear();
        self.gather_items(items)?;
        self.gathered.reverse();
        self.gathered_array(0)
    }

    /// `sort(list)`: `$sort` without a function: numbers or strings, stable; else D3070.
    pub fn sort(&mut self, list: Handle) -> Result<Handle, Fault> {
        let items = match self.as_array(list)? {
            Ok(items) => items,
            Err(short) => return Ok(short),
        };
        self.meter.charge(u64::from(items.len) * u64::from(items.len.ilog2() + 1))?;
        // The keys stand beside the handles, and sorting needs as much again.
        let aside = u64::from(items.len) * (size_of::<(Number<'_>, Handle)>() * 2) as u64;
        self.memory.claim(aside)?;
        self.gathered.clear();
        let gathered = self.gather_items(items).and_then(|()| self.sort_gathered());
        self.memory.release(aside);
        match gathered? {
            true => self.gathered_array(0),
            false => Err(self.complain(D3070, Some(1), list)),
        }
    }

    /// Sorts what was gathered; false when it is neither numbers nor strings.
    fn sort_gathered(&mut self) -> Result<bool, Fault> {
        let numbers: Option<Vec<(Number<'_>, Handle)>> =
            self.gathered.iter().map(|&h| Some((self.values.node(h).as_number()?, h))).collect();
        if let Some(mut numbers) = numbers {
            // One computed number makes it an order of f64: with both orders mixed there would be none.
            if numbers.iter().any(|(number, _)| matches!(number, Number::Float(_))) {
                numbers.iter_mut().for_each(|(number, _)| *number = Number::Float(number.to_f64()));
            }
            numbers.sort_by(|(a, _), (b, _)| a.order(*b));
            self.gathered.iter_mut().zip(numbers).for_each(|(place, (_, h))| *place = h);
            return Ok(true);
        }
        let texts: Option<Vec<(&str, Handle)>> =
            self.gathered.iter().map(|&h| Some((self.values.node(h).as_str()?, h))).collect();
        let Some(mut texts) = texts else { return Ok(false) };
        // Long strings that begin alike cost what comparing them costs.
        let bytes: usize = texts.iter().map(|(text, _)| text.len()).sum();
        self.meter.charge((bytes as u64 / 8).saturating_mul(u64::from(texts.len().ilog2() + 1)))?;
        texts.sort_by(|(a, _), (b, _)| order_texts(a, b));
        self.gathered.iter_mut().zip(texts).for_each(|(place, (_, h))| *place = h);
        Ok(true)
    }

    /// `distinct(list)`: the items without those that equal an earlier one.
    pub fn distinct(&mut self, list: Handle) -> Result<Handle, Fault> {
        let List::Items(items) = self.list(list)? else { return Ok(list) };
        if items.len < 2 {
            return Ok(list);
        }
        self.gathered.clear();
        if items.len <= PAIRWISE_MAX {
            self.distinct_few(items)?;
        } else {
            let mut seen = Index::default();
            let gathered = self.distinct_many(items, &mut seen);
            self.memory.release(seen.bytes());
            gathered?;
        }
        if items.flags & SEQUENCE != 0 { self.gathered_sequence() } else { self.gathered_array(0) }
    }

    fn distinct_few(&mut self, items: Items) -> Result<(), Fault> {
        for i in 0..items.len {
            let item = self.item(items, i);
            let mut is_new = true;
            for &earlier in &self.gathered {
                let (earlier, item) = (self.values.node(earlier), self.values.node(item));
                is_new &= !same(earlier, item, self.depth_max, &mut self.meter)?;
            }
            if is_new {
                self.gather(item)?;
            }
        }
        Ok(())
    }

    fn distinct_many(&mut self, items: Items, seen: &mut Index) -> Result<(), Fault> {
        let state = RandomState::new();
        for i in 0..items.len {
            let item = self.item(items, i);
            let node = self.values.node(item);
            let hash = hash(node, &state, &mut self.meter)? as u32;
            let mut failed = Ok(());
            let found = seen.find(hash, |place| {
                let Some(&earlier) = self.gathered.get(place as usize) else { return false };
                match same(self.values.node(earlier), node, self.depth_max, &mut self.meter) {
                    Ok(is_same) => is_same,
                    Err(fault) => {
                        failed = Err(fault);
                        true
                    }
                }
            });
            failed?;
            if found.is_none() {
                seen.insert(&mut self.memory, hash, self.gathered.len() as u32)?;
                self.gather(item)?;
            }
        }
        Ok(())
    }

    /// The items of an array of two and more. `Err` is the answer for all else: undefined, a short
    /// array itself, a single value as an array of one.
    fn as_array(&mut self, list: Handle) -> Result<Result<Items, Handle>, Fault> {
        Ok(match self.list(list)? {
            List::Nothing => Err(list),
            List::Items(items) if items.len < 2 => Err(list),
            List::Items(items) => Ok(items),
            List::Single(_) => Err(self.arr_copy(list)?),
        })
    }
}
