//! Group *tuples*: ordering by computed keys, grouping by computed names, and the tuples of a path
//! that binds names. A tuple and a list of keys are environments: those can hold undefined.

use std::cmp::Ordering;

use crate::arena::Arena;
use crate::datum::{Datum, Field};
use crate::equality::order_texts;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::node::Node;
use crate::number::Number;
use crate::standard::{D1009, T1003, T2007, T2008};

use super::list::List;

impl Arena {
    /// `env_copy(env)`: another environment with the same variables.
    pub fn env_copy(&mut self, env: Handle) -> Result<Handle, Fault> {
        let Datum::Env { at, len } = self.values.datum(env)? else { return Err(Fault::WrongKind) };
        self.meter.charge(len.into())?;
        self.gathered.clear();
        self.memory.room(&mut self.gathered, len as usize)?;
        if let Some(region) = self.values.region(env.slot()) {
            self.gathered.extend_from_slice(region.items(at, len));
        }
        let Some(region) = self.values.regions.get_mut(usize::from(self.current)) else {
            return Err(Fault::StaleHandle);
        };
        self.memory.room(&mut region.items, len as usize)?;
        let at = region.items.len() as u32;
        region.items.extend_from_slice(&self.gathered);
        self.put(Datum::Env { at, len })
    }

    /// `sort_by(list, keys, descending)`: the items in the order of their keys, of which each item has
    /// an environment; bit `n` of `descending` turns key `n` around. Stable; undefined comes last
    /// either way. T2007 when two keys differ in type, T2008 when one is neither number nor string.
    pub fn sort_by(&mut self, list: Handle, keys: Handle, descending: i32) -> Result<Handle, Fault> {
        let (List::Items(items), List::Items(keys)) = (self.list(list)?, self.list(keys)?) else { return Ok(list) };
        let count = items.len.min(keys.len);
        let steps = u64::from(count) * u64::from(count.max(1).ilog2() + 1);
        self.meter.charge(steps)?;
        let aside = u64::from(count) * size_of::<u32>() as u64 * 2;
        self.memory.claim(aside)?;
        let sorted = self.sorted_places(keys, count, descending);
        self.memory.release(aside);
        let sorted = sorted?;
        self.gathered.clear();
        for place in sorted {
            let item = self.item(items, place);
            self.gather(item)?;
        }
        self.gathered_array(0)
    }

    /// A merge sort: unlike the library's it may stop at a comparison that cannot be made.
    fn sorted_places(&mut self, keys: super::list::Items, count: u32, descending: i32) -> Result<Vec<u32>, Fault> {
        let mut from: Vec<u32> = (0..count).collect();
        let mut to = Vec::with_capacity(from.len());
        let mut bytes = 0_usize;
        let mut width = 1_usize;
        while width < from.len() {
            to.clear();
            for run in from.chunks(width * 2) {
                let (mut left, mut right) = run.split_at(width.min(run.len()));
                while let (Some((&a, rest)), Some((&b, others))) = (left.split_first(), right.split_first()) {
                    let (first, second) = (self.item(keys, a), self.item(keys, b));
                    if self.order_keys(first, second, descending, &mut bytes)? == Ordering::Greater {
                        to.push(b);
                        right = others;
                    } else {
                        to.push(a);
                        left = rest;
                    }
                }
                to.extend_from_slice(left);
                to.extend_from_slice(right);
            }
            std::mem::swap(&mut from, &mut to);
            width *= 2;
        }
        // Long strings that begin alike cost what comparing them costs.
        self.meter.charge(bytes as u64 / 8)?;
        Ok(from)
    }

    fn order_keys(&self, a: Handle, b: Handle, descending: i32, bytes: &mut usize) -> Result<Ordering, Fault> {
        let (Datum::Env { at: at_a, len }, Datum::Env { at: at_b, .. }) =
            (self.values.datum(a)?, self.values.datum(b)?)
        else {
            return Err(Fault::WrongKind);
        };
        for key in 1..len {
            let (first, second) = (self.values.item(a.slot(), at_a, key), self.values.item(b.slot(), at_b, key));
            let (first_node, second_node) = (self.values.node(first), self.values.node(second));
            let order = match (first.is_undefined(), second.is_undefined()) {
                (true, true) => continue,
                (true, false) => return Ok(Ordering::Greater),
                (false, true) => return Ok(Ordering::Less),
                (false, false) => match (sort_key(first_node), sort_key(second_node)) {
                    (Some(Key::Number(a)), Some(Key::Number(b))) => a.order(b),
                    (Some(Key::Text(a)), Some(Key::Text(b))) => {
                        *bytes += a.len().min(b.len());
                        order_texts(a, b)
                    }
                    (None, _) => return Err(self.complain(T2008, None, first)),
                    (_, None) => return Err(self.complain(T2008, None, second)),
                    _ => return Err(self.complain(T2007, None, second)),
                },
            };
            if order != Ordering::Equal {
                let turned = key <= 31 && descending & (1 << (key - 1)) != 0;
                return Ok(if turned { order.reverse() } else { order });
            }
        }
        Ok(Ordering::Equal)
    }

    /// `group_add(groups, key, pair, h)`: adds an item to the group of a key; undefined as key adds
    /// nothing, undefined as item makes the group alone. T1003 when the key is no string, D1009 when
    /// another pair gave the same.
    pub fn group_add(&mut self, groups: Handle, key: Handle, pair: i32, h: Handle) -> Result<(), Fault> {
        if key.is_undefined() {
            return Ok(());
        }
        let Some(text) = self.values.datum(key)?.as_text() else { return Err(self.complain(T1003, None, key)) };
        let known = self.field_of(groups, text)?;
        let group = match known {
            Some(group) => {
                let first = self.at(group, 0)?;
                if self.values.node(first).as_f64() != Some(f64::from(pair)) {
                    return Err(self.complain(D1009, None, key));
                }
                group
            }
            None => {
                let group = self.arr_new(0)?;
                let pair = self.new_num(f64::from(pair))?;
                self.arr_push(group, pair)?;
                let text = self.text_for(groups, text)?;
                self.new_field(groups, Field { key: text, value: group })?;
                group
            }
        };
        if h.is_undefined() {
            return Ok(());
        }
        // The first item is the group as it is, even an array; a second one makes a list of both.
        match self.len(group)? {
            0 | 1 => self.arr_push(group, h),
            2 => {
                let (first, list) = (self.at(group, 1)?, self.arr_new(0)?);
                self.arr_append(list, first)?;
                self.arr_append(list, h)?;
                self.arr_push(group, list)
            }
            _ => {
                let list = self.at(group, 2)?;
                self.arr_append(list, h)
            }
        }
    }

    /// `group_pair(groups, key)`: which pair gave the key.
    pub fn group_pair(&mut self, groups: Handle, key: Handle) -> Result<i32, Fault> {
        let group = self.group(groups, key)?;
        let first = self.at(group, 0)?;
        Ok(self.values.node(first).as_f64().unwrap_or_default() as i32)
    }

    /// `group_data(groups, key)`: the items of a key: undefined for none, one as it is, else an array.
    pub fn group_data(&mut self, groups: Handle, key: Handle) -> Result<Handle, Fault> {
        let group = self.group(groups, key)?;
        let last = self.len(group)? - 1;
        if last > 0 { self.at(group, last) } else { Ok(Handle::UNDEFINED) }
    }

    fn group(&mut self, groups: Handle, key: Handle) -> Result<Handle, Fault> {
        let text = self.values.datum(key)?.as_text().ok_or(Fault::WrongKind)?;
        self.field_of(groups, text)?.ok_or(Fault::WrongKind)
    }
}

enum Key<'a> {
    Number(Number<'a>),
    Text(&'a str),
}

fn sort_key(node: Node<'_>) -> Option<Key<'_>> {
    node.as_number().map(Key::Number).or_else(|| node.as_str().map(Key::Text))
}
