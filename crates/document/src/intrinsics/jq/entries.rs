//! Objects by their fields, and strings by their parts.

use crate::arena::Arena;
use crate::datum::{Datum, Field};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::json::Form;
use crate::node::Kind;
use crate::text::Text;

use super::super::list::List;
use super::order::sorted;

impl Arena {
    /// The value of an object's field, if it has it.
    pub(super) fn value_of(&mut self, object: Handle, name: Text) -> Result<Option<Handle>, Fault> {
        self.field_of(object, name)
    }

    /// `keys`: names in the order of their code points, or places.
    pub(super) fn keys_of(&mut self, of: Handle) -> Result<Handle, Fault> {
        let node = self.values.node(of);
        self.gathered.clear();
        match node.kind() {
            Kind::Object => {
                let names: Vec<String> =
                    sorted(node, &mut self.meter)?.into_iter().map(|(name, _)| name.to_owned()).collect();
                for name in names {
                    let name = self.new_text(&name)?;
                    self.gather(name)?;
                }
            }
            Kind::Array => {
                let count = node.len();
                self.meter.charge(count as u64)?;
                for place in 0..count {
                    let place = self.new_num(place as f64)?;
                    self.gather(place)?;
                }
            }
            _ => return Err(self.wrong(&format!("{} has no keys", self.noun(of)), &[of])),
        }
        self.gathered_array(0)
    }

    /// `to_entries`: `{"key": …, "value": …}` for each field, or each place.
    pub(super) fn entries_of(&mut self, of: Handle) -> Result<Handle, Fault> {
        let entries = self.arr_new(0)?;
        match self.values.datum(of)? {
            Datum::Object { at, len, .. } => {
                self.meter.charge(len.into())?;
                for place in 0..len {
                    let field = self.values.field(of.slot(), at, place);
                    let key = self.put_text(field.key)?;
                    self.entry(entries, key, field.value)?;
                }
            }
            Datum::Array { .. } | Datum::Range { .. } => {
                let List::Items(items) = self.list(of)? else { return Ok(entries) };
                self.meter.charge(items.len.into())?;
                for place in 0..items.len {
                    let key = self.new_num(place.into())?;
                    self.entry(entries, key, self.item(items, place))?;
                }
            }
            _ => return Err(self.wrong(&format!("{} has no entries", self.noun(of)), &[of])),
        }
        Ok(entries)
    }

    fn entry(&mut self, entries: Handle, key: Handle, value: Handle) -> Result<(), Fault> {
        let entry = self.obj_new()?;
        for (name, value) in [("key", key), ("value", value)] {
            let name = self.write(name)?;
            self.new_field(entry, Field { key: name, value })?;
        }
        self.arr_push(entries, entry)
    }

    /// `from_entries`: the other way; the key may be called `key`, `k` or `name`, the value `value` or `v`.
    pub(super) fn object_of(&mut self, of: Handle) -> Result<Handle, Fault> {
        let all = self.items_of(of)?;
        let object = self.obj_new()?;
        let List::Items(items) = self.list(all)? else { return Ok(object) };
        self.meter.charge(items.len.into())?;
        for place in 0..items.len {
            let entry = self.item(items, place);
            if self.values.node(entry).kind() != Kind::Object {
                return Err(self.wrong(&format!("{} is no entry of an object", self.noun(entry)), &[entry]));
            }
            self.meter.charge(10 * self.values.node(entry).len() as u64)?;
            let truth = |h: Handle| !matches!(self.values.datum(h), Ok(Datum::Null | Datum::False | Datum::Undefined));
            let key = self.first_of(entry, &["key", "k", "name", "Name", "K", "Key"]);
            let key = key.into_iter().find(|h| truth(*h)).unwrap_or(Handle::NULL);
            let value = self.first_of(entry, &["value", "v", "Value", "V"]).first().copied();
            let key = match self.values.node(key).kind() {
                Kind::String => key,
                Kind::Number | Kind::Boolean => self.text_of(key)?,
                _ => return Err(self.wrong("an entry has no key that can name a field", &[entry])),
            };
            self.set(object, key, value.unwrap_or(Handle::NULL))?;
        }
        Ok(object)
    }

    /// The fields of these names that an object has.
    fn first_of(&self, object: Handle, names: &[&str]) -> Vec<Handle> {
        let Ok(Datum::Object { at, len, .. }) = self.values.datum(object) else { return Vec::new() };
        let fields = |name: &str| {
            let mut fields = (0..len).map(|place| self.values.field(object.slot(), at, place));
            fields.find(|field| self.values.str(field.key) == name).map(|field| field.value)
        };
        names.iter().filter_map(|name| fields(name)).collect()
    }

    /// Adds or replaces a field of an object that is being built; gives the object.
    pub(super) fn set(&mut self, object: Handle, key: Handle, value: Handle) -> Result<Handle, Fault> {
        let Some(name) = self.values.datum(key)?.as_text() else {
            return Err(self.wrong(&format!("{} cannot name a field of an object", self.noun(key)), &[key]));
        };
        let name = self.text_for(object, name)?;
        self.set_field(object, name, value)?;
        Ok(object)
    }

    /// `join`: null is an empty string, numbers and booleans are their text.
    pub(super) fn join_by(&mut self, of: Handle, separator: Handle) -> Result<Handle, Fault> {
        let all = self.items_of(of)?;
        let List::Items(items) = self.list(all)? else { return self.new_text("") };
        let between = match self.values.datum(separator)? {
            datum if datum.as_text().is_some() => datum.as_text().unwrap_or(Text::EMPTY),
            // It is never asked for between fewer than two.
            Datum::Null => Text::EMPTY,
            _ if items.len < 2 => Text::EMPTY,
            _ => return Err(self.cannot("join strings", &[separator])),
        };
        self.meter.charge(items.len.into())?;
        let parts = self.arr_new(0)?;
        for place in 0..items.len {
            let item = self.item(items, place);
            let part = match self.values.node(item).kind() {
                Kind::String => item,
                Kind::Number | Kind::Boolean => {
                    let text = self.stringify(item, Form::Reply)?;
                    self.put(Datum::text(text))?
                }
                Kind::Null | Kind::Undefined => self.put(Datum::text(Text::EMPTY))?,
                _ => return Err(self.cannot("be joined to a string", &[item])),
            };
            self.arr_push(parts, part)?;
        }
        let between = self.put_text(between)?;
        self.join(parts, between)
    }

    /// The parts of a string between those that equal another; of an empty one none.
    pub(super) fn split_at_all(&mut self, text: Handle, separator: Handle) -> Result<Handle, Fault> {
        match self.values.datum(text)?.as_text() {
            Some(text) if text.len > 0 => {}
            _ => return self.arr_new(0),
        }
        self.split(text, separator, f64::NAN)
    }
}
