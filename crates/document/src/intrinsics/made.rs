//! Objects and texts that are made of many parts in one call, by a [`Plan`](crate::plan::Plan).

use std::sync::Arc;

use lockgate_model::abi::plan::ARGUMENTS;

use crate::arena::Arena;
use crate::constants::Constants;
use crate::datum::{Datum, Field};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::json::Form;
use crate::plan::{Part, Plan, Source};
use crate::text::{ASCII, PLAIN};

/// What a plan is followed on.
#[derive(Clone, Copy)]
struct Given {
    value: Handle,
    arguments: [i64; ARGUMENTS],
}

impl Arena {
    /// `obj_fill(o, k, h, a, b, c, d, e, f)`: the fields of a plan, in an object or in a new one.
    #[expect(clippy::too_many_arguments, reason = "they are those of the call")]
    pub fn obj_fill(
        &mut self,
        o: Handle,
        k: u32,
        h: Handle,
        a: i64,
        b: i64,
        c: i64,
        d: i64,
        e: i64,
        f: i64,
    ) -> Result<Handle, Fault> {
        let given = Given { value: h, arguments: [a, b, c, d, e, f] };
        // Kept aside, so that the plan can be followed while the arena changes.
        let constants = Arc::clone(&self.values.constants);
        let parts = self.parts(&constants, k)?;
        if o.is_undefined() {
            return self.filled(given, parts);
        }
        for part in parts {
            let value = self.made(part.source, given)?;
            self.set_field(o, part.key, value)?;
        }
        Ok(o)
    }

    /// A new object. The keys of a plan are distinct and making its values adds no fields to the region:
    /// these stand one behind the other, and none is looked for.
    fn filled(&mut self, given: Given, parts: &[Part]) -> Result<Handle, Fault> {
        let slot = usize::from(self.current);
        let region = self.values.regions.get_mut(slot).ok_or(Fault::StaleHandle)?;
        self.memory.room(&mut region.fields, parts.len())?;
        let at = region.fields.len();
        for &Part { key, source } in parts {
            let value = self.made(source, given)?;
            if !value.is_undefined() {
                let region = self.values.regions.get_mut(slot).ok_or(Fault::StaleHandle)?;
                region.fields.push(Field { key, value });
            }
        }
        let region = self.values.regions.get(slot).ok_or(Fault::StaleHandle)?;
        let len = (region.fields.len() - at) as u32;
        self.put(Datum::Object { index: 0, at: at as u32, len, room: len })
    }

    /// `concat_all(k, h, a, b, c)`: the parts of a plan as one text; undefined where one of them is a number
    /// that cannot be written.
    pub fn concat_all(&mut self, k: u32, h: Handle, a: i64, b: i64, c: i64) -> Result<Handle, Fault> {
        let given = Given { value: h, arguments: [a, b, c, 0, 0, 0] };
        let constants = Arc::clone(&self.values.constants);
        let (mut start, mut traits) = (self.text_end(self.current), PLAIN | ASCII);
        for (i, part) in self.parts(&constants, k)?.iter().enumerate() {
            let value = self.made(part.source, given)?;
            let end = self.text_end(self.current);
            let text = match self.string_of(value, Form::String) {
                Err(Fault::Expression(_)) => return Ok(Handle::UNDEFINED),
                text => text?,
            };
            if i == 0 && text.len > 0 && text.slot == self.current && text.at + text.len == end {
                // Growing a string piece by piece writes each piece once.
                start = text.at;
            } else if self.text_end(self.current) == end {
                // What is no text has just been written here; all else is written now.
                self.append_text(text, self.current)?;
            }
            traits &= text.traits;
        }
        let text = self.text_since(start, traits);
        self.put(Datum::text(text))
    }

    /// The parts of a plan, which are charged for.
    #[inline]
    fn parts<'c>(&mut self, constants: &'c Constants, k: u32) -> Result<&'c [Part], Fault> {
        let slot = constants.plans.get(k as usize).ok_or(Fault::WrongKind)?;
        let plan = slot.get_or_init(|| Plan::read(&self.values, Handle::constant(k)).map(Box::new));
        let parts = plan.as_deref().ok_or(Fault::WrongKind)?.parts();
        self.meter.charge(2 * parts.len() as u64)?;
        Ok(parts)
    }

    /// The value of a part.
    #[inline]
    fn made(&mut self, source: Source, given: Given) -> Result<Handle, Fault> {
        let argument = |i: usize| given.arguments.get(i).copied().unwrap_or_default();
        match source {
            Source::Field(key) => self.last_step(given.value, key),
            Source::Path(path) => self.get_along(given.value, path),
            Source::Argument(i) => Ok(Handle::from_raw(argument(i))),
            Source::Number(i) => self.new_num(f64::from_bits(argument(i).cast_unsigned())),
            Source::Value(value) => Ok(value),
        }
    }
}
