//! The operators `+ - * / %`, and `add`, which is `+` over many.

use crate::arena::Arena;
use crate::datum::Datum;
use crate::equality::same;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::node::Kind;
use crate::standard::JQ_VALUE;

use super::super::list::List;

impl Arena {
    pub(super) fn add(&mut self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        if let (Some(x), Some(y)) = (self.float(a), self.float(b)) {
            return self.new_num(x + y);
        }
        match (self.values.node(a).kind(), self.values.node(b).kind()) {
            (Kind::Null, _) => Ok(b),
            (_, Kind::Null) => Ok(a),
            (Kind::String, Kind::String) => self.concat(a, b),
            (Kind::Array, Kind::Array) => self.append(a, b),
            (Kind::Object, Kind::Object) => {
                let both = self.obj_new()?;
                self.take_fields(both, a)?;
                self.take_fields(both, b)?;
                Ok(both)
            }
            _ => Err(self.cannot("be added", &[a, b])),
        }
    }

    /// `add`: what is joined is made once and grows, so that many cost as much as their sum.
    pub(super) fn sum_of(&mut self, of: Handle) -> Result<Handle, Fault> {
        let all = self.items_of(of)?;
        let List::Items(items) = self.list(all)? else { return Ok(Handle::NULL) };
        self.meter.charge(items.len.into())?;
        let (mut sum, mut is_ours) = (Handle::NULL, false);
        for place in 0..items.len {
            let item = self.item(items, place);
            match (self.values.node(sum).kind(), self.values.node(item).kind()) {
                (_, Kind::Null | Kind::Undefined) => continue,
                (Kind::Array, Kind::Array) if is_ours => self.arr_append(sum, item)?,
                (Kind::Object, Kind::Object) if is_ours => self.take_fields(sum, item)?,
                (Kind::Null, _) => sum = item,
                (before, _) => {
                    sum = self.add(sum, item)?;
                    is_ours = matches!(before, Kind::Array | Kind::Object);
                }
            }
        }
        Ok(sum)
    }

    /// Adds or replaces all fields of one object in another.
    fn take_fields(&mut self, object: Handle, from: Handle) -> Result<(), Fault> {
        let Datum::Object { at, len, .. } = self.values.datum(from)? else { return Ok(()) };
        self.meter.charge(len.into())?;
        for place in 0..len {
            let field = self.values.field(from.slot(), at, place);
            let key = self.text_for(object, field.key)?;
            self.set_field(object, key, field.value)?;
        }
        Ok(())
    }

    pub(super) fn subtract(&mut self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        if let (Some(x), Some(y)) = (self.float(a), self.float(b)) {
            return self.new_num(x - y);
        }
        let arrays = [a, b].into_iter().all(|h| self.values.node(h).kind() == Kind::Array);
        let (List::Items(all), List::Items(without), true) = (self.list(a)?, self.list(b)?, arrays) else {
            return Err(self.cannot("be subtracted", &[a, b]));
        };
        self.gathered.clear();
        for place in 0..all.len {
            let item = self.item(all, place);
            self.meter.charge(u64::from(without.len) + 1)?;
            let mut stays = true;
            for other in 0..without.len {
                let (item, other) = (self.values.node(item), self.values.node(self.item(without, other)));
                if same(item, other, self.depth_max, &mut self.meter)? {
                    stays = false;
                    break;
                }
            }
            if stays {
                self.gather(item)?;
            }
        }
        self.gathered_array(0)
    }

    pub(super) fn multiply(&mut self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        match (self.float(a), self.float(b)) {
            (Some(x), Some(y)) => return self.new_num(x * y),
            (None, Some(count)) if self.values.node(a).kind() == Kind::String => return self.repeat(a, count),
            (Some(count), None) if self.values.node(b).kind() == Kind::String => return self.repeat(b, count),
            _ => {}
        }
        let is_object = |h: Handle| self.values.node(h).kind() == Kind::Object;
        if is_object(a) && is_object(b) {
            return self.merge_deep(a, b, self.depth_max);
        }
        Err(self.cannot("be multiplied", &[a, b]))
    }

    /// A string so many times; null where that is not once.
    fn repeat(&mut self, text: Handle, count: f64) -> Result<Handle, Fault> {
        if count <= 0.0 || count.is_nan() {
            return Ok(Handle::NULL);
        }
        let Some(part) = self.values.datum(text)?.as_text() else { return Err(Fault::WrongKind) };
        let count = count.trunc().max(1.0);
        // What cannot fit is refused before the first copy.
        if f64::from(part.len) * count > self.memory.max() as f64 {
            return Err(Fault::ArenaFull);
        }
        let start = self.text_end(self.current);
        if part.len > 0 {
            for _ in 0..count as u64 {
                self.meter.charge(1)?;
                self.append_text(part, self.current)?;
            }
        }
        let text = self.text_since(start, part.traits);
        self.put(Datum::text(text))
    }

    /// Fields of both, objects in both merged in turn.
    fn merge_deep(&mut self, a: Handle, b: Handle, depth: u32) -> Result<Handle, Fault> {
        let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
        let merged = self.obj_new()?;
        self.take_fields(merged, a)?;
        let Datum::Object { at, len, .. } = self.values.datum(b)? else { return Ok(merged) };
        self.meter.charge(len.into())?;
        for place in 0..len {
            let field = self.values.field(b.slot(), at, place);
            let key = self.text_for(merged, field.key)?;
            let value = match self.field_of(merged, key)? {
                Some(before)
                    if self.values.node(before).kind() == Kind::Object
                        && self.values.node(field.value).kind() == Kind::Object =>
                {
                    self.merge_deep(before, field.value, depth)?
                }
                _ => field.value,
            };
            self.set_field(merged, key, value)?;
        }
        Ok(merged)
    }

    pub(super) fn divide(&mut self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        match (self.float(a), self.float(b)) {
            (Some(_), Some(0.0)) => Err(self.says(JQ_VALUE, "nothing can be divided by zero", &[a, b])),
            (Some(x), Some(y)) => self.new_num(x / y),
            _ if self.both_texts(a, b) => self.split_at_all(a, b),
            _ => Err(self.cannot("be divided", &[a, b])),
        }
    }

    /// Of whole numbers, after what stands behind the point is dropped; with the sign of the first.
    pub(super) fn remainder(&mut self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        match (self.float(a), self.float(b)) {
            // Out of the range of an i64 they are the nearest in it.
            (Some(x), Some(y)) => match (x as i64).checked_rem(y as i64) {
                Some(rest) => self.new_num(rest as f64),
                None if y as i64 == 0 => Err(self.says(JQ_VALUE, "nothing can be divided by zero", &[a, b])),
                None => self.new_num(0.0),
            },
            _ => Err(self.cannot("be divided", &[a, b])),
        }
    }
}
