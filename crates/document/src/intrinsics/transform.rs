//! Group *transform*: a copy that may be changed, and the changes.

use lockgate_model::abi::CONSTANT_REGION;

use crate::arena::Arena;
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::standard::{T2011, T2012};

use super::list::List;

impl Arena {
    /// `clone(h)`: a copy down to the last value.
    pub fn clone_value(&mut self, h: Handle) -> Result<Handle, Fault> {
        self.cloned(h, self.depth_max)
    }

    fn cloned(&mut self, h: Handle, depth: u32) -> Result<Handle, Fault> {
        self.meter.charge(1)?;
        match self.values.datum(h)? {
            Datum::Array { .. } | Datum::Range { .. } => {
                let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
                let List::Items(items) = self.list(h)? else { return Ok(h) };
                let copy = self.arr_new(0)?;
                for i in 0..items.len {
                    let item = self.cloned(self.item(items, i), depth)?;
                    self.arr_push(copy, item)?;
                }
                Ok(copy)
            }
            Datum::Object { at, len, .. } => {
                let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
                let copy = self.obj_new()?;
                for place in 0..len {
                    let field = self.values.field(h.slot(), at, place);
                    let value = self.cloned(field.value, depth)?;
                    let key = self.text_for(copy, field.key)?;
                    self.set_field(copy, key, value)?;
                }
                Ok(copy)
            }
            _ => Ok(h),
        }
    }

    /// `update(h, fields)`: sets the fields of an object in another. Undefined changes nothing, what is
    /// no object is T2011; a match that is none is left alone.
    pub fn update(&mut self, h: Handle, fields: Handle) -> Result<(), Fault> {
        let (at, len) = match self.values.datum(fields)? {
            Datum::Undefined => return Ok(()),
            Datum::Object { at, len, .. } => (at, len),
            _ => return Err(self.complain(T2011, None, fields)),
        };
        if !self.is_changed_by_transforms(h)? {
            return Ok(());
        }
        self.meter.charge(len.into())?;
        for place in 0..len {
            let field = self.values.field(fields.slot(), at, place);
            let key = self.text_for(h, field.key)?;
            self.set_field(h, key, field.value)?;
        }
        Ok(())
    }

    /// `delete(h, names)`: removes fields. Undefined removes nothing; what is neither a string nor an
    /// array of strings is T2012.
    pub fn delete(&mut self, h: Handle, names: Handle) -> Result<(), Fault> {
        let list = match self.list(names)? {
            List::Nothing => return Ok(()),
            list => list,
        };
        for i in 0..list.len() {
            let name = self.element(list, i);
            let Some(name) = self.values.datum(name)?.as_text() else {
                return Err(self.complain(T2012, None, names));
            };
            if self.is_changed_by_transforms(h)? {
                self.remove_field(h, name)?;
            }
        }
        Ok(())
    }

    /// An object, and none that the expression itself has written down: that is not part of a copy.
    fn is_changed_by_transforms(&self, h: Handle) -> Result<bool, Fault> {
        Ok(matches!(self.values.datum(h)?, Datum::Object { .. }) && h.slot() != CONSTANT_REGION)
    }
}
