//! Group *build*: arrays and objects.

use crate::arena::Arena;
use crate::datum::{Datum, Field, Span};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::standard::{D1009, T1003};
use crate::text::Text;
use crate::values::{INPUT_SLOT, Object};
use lockgate_model::abi::CONSTANT_REGION;

use super::list::{List, PUBLIC};

impl Arena {
    /// `arr_new(flags)`: an empty array.
    #[inline]
    pub fn arr_new(&mut self, flags: i32) -> Result<Handle, Fault> {
        self.put(Datum::Array { flags: flags as u8 & PUBLIC, at: 0, len: 0, room: 0 })
    }

    /// `arr_of(h, flags)`: an array of the items of an array, or of one item; of none for undefined.
    pub fn arr_of(&mut self, h: Handle, flags: i32) -> Result<Handle, Fault> {
        let array = self.arr_new(flags)?;
        self.append_to(array, h)?;
        Ok(array)
    }

    /// `arr_push(a, h)`: adds one item as it is; undefined adds nothing.
    #[inline]
    pub fn arr_push(&mut self, a: Handle, h: Handle) -> Result<(), Fault> {
        if h.is_undefined() {
            return Ok(());
        }
        let (flags, span) = self.building(a)?;
        self.push_item(a, flags, span, h)
    }

    /// Adds a place that has no value.
    pub(super) fn arr_hole(&mut self, a: Handle) -> Result<(), Fault> {
        let (flags, span) = self.building(a)?;
        self.push_item(a, flags, span, Handle::UNDEFINED)
    }

    /// `arr_append(a, h)`: adds the items of an array, or one item; undefined adds nothing.
    pub fn arr_append(&mut self, a: Handle, h: Handle) -> Result<(), Fault> {
        self.append_to(a, h)
    }

    /// `arr_copy(h)`: a new array of the same items, or of the one item; undefined gives an empty one.
    pub fn arr_copy(&mut self, h: Handle) -> Result<Handle, Fault> {
        self.gathered.clear();
        match self.list(h)? {
            List::Nothing => {}
            List::Single(item) => self.gather(item)?,
            List::Items(items) => self.gather_items(items)?,
        }
        self.gathered_array(0)
    }

    /// `batch(list, n, size)`: an array of the items of batch `n` of a list that is cut into batches of `size`.
    pub fn batch(&mut self, list: Handle, n: i64, size: u32) -> Result<Handle, Fault> {
        let length = match self.len(list)? {
            length @ 1.. => i64::from(length),
            _ => return Ok(Handle::UNDEFINED),
        };
        let first = n.saturating_mul(i64::from(size));
        if n < 0 || first >= length {
            return Ok(Handle::UNDEFINED);
        }
        let batch = self.arr_new(0)?;
        for place in first..length.min(first + i64::from(size)) {
            self.meter.charge(1)?;
            let item = self.at(list, i32::try_from(place).unwrap_or(i32::MAX))?;
            self.arr_push(batch, item)?;
        }
        Ok(batch)
    }

    /// `arr_put(a, i, h)`: replaces item `i`.
    #[inline]
    pub fn arr_put(&mut self, a: Handle, i: i32, h: Handle) -> Result<(), Fault> {
        let (_, span) = self.building(a)?;
        let place = u32::try_from(i).ok().filter(|&i| i < span.len).ok_or(Fault::WrongKind)?;
        let region = self.values.region_mut(a)?;
        let item = region.items.get_mut((span.at + place) as usize).ok_or(Fault::StaleHandle)?;
        *item = h;
        Ok(())
    }

    /// `obj_new()`.
    #[inline]
    pub fn obj_new(&mut self) -> Result<Handle, Fault> {
        self.put(Datum::Object { index: 0, at: 0, len: 0, room: 0 })
    }

    /// `obj_set(o, k, h)`: adds or replaces field `k`; undefined adds nothing.
    #[inline]
    pub fn obj_set(&mut self, o: Handle, k: u32, h: Handle) -> Result<(), Fault> {
        let key = self.values.constant_text(k)?;
        self.set_field(o, key, h)
    }

    /// `obj_set_num(o, k, n)`: `obj_set(o, k, new_num(n))`.
    #[inline]
    pub fn obj_set_num(&mut self, o: Handle, k: u32, n: f64) -> Result<(), Fault> {
        let number = self.new_num(n)?;
        self.obj_set(o, k, number)
    }

    /// `obj_copy(o, dk, h, sk)`: `obj_set(o, dk, get(h, sk))`.
    #[inline]
    pub fn obj_copy(&mut self, o: Handle, dk: u32, h: Handle, sk: u32) -> Result<(), Fault> {
        let value = self.get(h, sk)?;
        self.obj_set(o, dk, value)
    }

    /// `obj_set_dyn(o, key, h)`: a key that is no string is T1003, a key twice is D1009; undefined adds nothing.
    pub fn obj_set_dyn(&mut self, o: Handle, key: Handle, h: Handle) -> Result<(), Fault> {
        let Some(text) = self.values.datum(key)?.as_text() else { return Err(self.complain(T1003, None, key)) };
        let object = self.object(o)?;
        if self.place_of(o, object, text)?.is_some() {
            return Err(self.complain(D1009, None, key));
        }
        if h.is_undefined() {
            return Ok(());
        }
        let text = self.text_for(o, text)?;
        self.add_field(o, object, Field { key: text, value: h })
    }

    /// Adds or replaces a field; undefined adds nothing. The key's characters must live as long as the object.
    #[inline]
    pub(crate) fn set_field(&mut self, o: Handle, key: Text, value: Handle) -> Result<(), Fault> {
        let object = self.object(o)?;
        if value.is_undefined() {
            return Ok(());
        }
        match self.place_of(o, object, key)? {
            None => self.add_field(o, object, Field { key, value }),
            Some(place) => {
                let region = self.values.region_mut(o)?;
                let field = region.fields.get_mut((object.1.at + place) as usize).ok_or(Fault::StaleHandle)?;
                field.value = value;
                Ok(())
            }
        }
    }

    /// The value of an object's field, if it has it.
    pub(super) fn field_of(&mut self, o: Handle, key: Text) -> Result<Option<Handle>, Fault> {
        let object = self.object(o)?;
        let place = self.place_of(o, object, key)?;
        Ok(place.map(|place| self.values.field(o.slot(), object.1.at, place).value))
    }

    /// Adds a field that the object does not have. The key's characters must live as long as it.
    pub(super) fn new_field(&mut self, o: Handle, field: Field) -> Result<(), Fault> {
        let object = self.object(o)?;
        self.add_field(o, object, field)
    }

    /// Removes a field; what is no object or has it not is left alone.
    pub(super) fn remove_field(&mut self, o: Handle, key: Text) -> Result<(), Fault> {
        let Datum::Object { .. } = self.values.datum(o)? else { return Ok(()) };
        let object = self.object(o)?;
        let Some(place) = self.place_of(o, object, key)? else { return Ok(()) };
        let (_, Span { at, len, room }) = self.object(o)?;
        self.meter.charge(len.into())?;
        let region = self.values.region_mut(o)?;
        if let Some(rest) = region.fields.get_mut((at + place) as usize..(at + len) as usize) {
            rest.rotate_left(1);
        }
        // Places behind it have moved: an index is made anew when it is needed.
        self.replace(o, Datum::Object { index: 0, at, len: len - 1, room })
    }

    /// Index and span of an object.
    #[inline]
    fn object(&self, o: Handle) -> Result<(u16, Span), Fault> {
        match self.values.datum(o)? {
            Datum::Object { index, at, len, room } => Ok((index, Span { at, len, room })),
            _ => Err(Fault::WrongKind),
        }
    }

    #[inline]
    fn place_of(&mut self, o: Handle, (index, span): (u16, Span), key: Text) -> Result<Option<u32>, Fault> {
        let Some(region) = self.values.region(o.slot()) else { return Err(Fault::StaleHandle) };
        match self.values.locate(region, Object { index, at: span.at, len: span.len }, key) {
            Ok(place) => Ok(place),
            Err(_) => self.locate_in_many(o, key),
        }
    }

    #[inline]
    fn add_field(&mut self, o: Handle, (_, mut span): (u16, Span), field: Field) -> Result<(), Fault> {
        let region = self.values.region_mut(o)?;
        // The index may have come while the place was looked for.
        let Some(&Datum::Object { index, .. }) = region.nodes.get(o.node() as usize) else {
            return Err(Fault::WrongKind);
        };
        region.push_field(&mut self.memory, &mut span, field)?;
        if index != 0 {
            self.add_to_index(o, index, field.key, span.len - 1)?;
        }
        let Span { at, len, room } = span;
        self.replace(o, Datum::Object { index, at, len, room })
    }

    fn add_to_index(&mut self, o: Handle, index: u16, key: Text, place: u32) -> Result<(), Fault> {
        let number = usize::from(index) - 1;
        let region = self.values.region(o.slot()).ok_or(Fault::StaleHandle)?;
        let hash = region.indexes.get(number).map(|index| index.hash(self.values.str(key)));
        let region = self.values.region_mut(o)?;
        match (region.indexes.get_mut(number), hash) {
            (Some(index), Some(hash)) => index.insert(&mut self.memory, hash, place),
            _ => Err(Fault::StaleHandle),
        }
    }

    /// The same characters where the region of `o` may point to.
    pub(super) fn text_for(&mut self, o: Handle, text: Text) -> Result<Text, Fault> {
        if text.slot == o.slot() || text.slot == CONSTANT_REGION || text.slot == INPUT_SLOT {
            return Ok(text);
        }
        self.copy_text(text, o.slot())
    }
}
