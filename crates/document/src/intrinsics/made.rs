//! Objects and texts that are made of many parts in one call, by a [`Plan`](crate::plan::Plan).

use lockgate_model::abi::plan::ARGUMENTS;

use crate::arena::Arena;
use crate::datum::{Datum, Field};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::json::Form;
use crate::plan::{Part, Source};
use crate::text::{ASCII, PLAIN};

/// What a plan is followed on.
#[derive(Clone, Copy)]
struct Given {
    plan: u32,
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
        let given = Given { plan: k, value: h, arguments: [a, b, c, d, e, f] };
        let count = self.parts(k)?;
        if o.is_undefined() {
            return self.filled(given, count);
        }
        for i in 0..count {
            let part = self.part_of(k, i)?;
            let value = self.made(part.source, given)?;
            self.set_field(o, part.key, value)?;
        }
        Ok(o)
    }

    /// A new object. The keys of a plan are distinct and making its values adds no fields to the region:
    /// these stand one behind the other, and none is looked for.
    fn filled(&mut self, given: Given, count: usize) -> Result<Handle, Fault> {
        let slot = usize::from(self.current);
        let region = self.values.regions.get_mut(slot).ok_or(Fault::StaleHandle)?;
        self.memory.room(&mut region.fields, count)?;
        let at = region.fields.len();
        for i in 0..count {
            let Part { key, source } = self.part_of(given.plan, i)?;
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
        let given = Given { plan: k, value: h, arguments: [a, b, c, 0, 0, 0] };
        let (start, mut traits) = (self.text_end(self.current), PLAIN | ASCII);
        for i in 0..self.parts(k)? {
            let source = self.part_of(k, i)?.source;
            let value = self.made(source, given)?;
            let end = self.text_end(self.current);
            let text = match self.string_of(value, Form::String) {
                Err(Fault::Expression(_)) => return Ok(Handle::UNDEFINED),
                text => text?,
            };
            // What is no text has just been written here.
            if self.text_end(self.current) == end {
                self.append_text(text, self.current)?;
            }
            traits &= text.traits;
        }
        let text = self.text_since(start, traits);
        self.put(Datum::text(text))
    }

    /// How many parts a plan has, which are charged for.
    #[inline]
    fn parts(&mut self, k: u32) -> Result<usize, Fault> {
        let count = self.values.plan(k)?.len();
        self.meter.charge(2 * count as u64)?;
        Ok(count)
    }

    #[inline]
    fn part_of(&self, k: u32, i: usize) -> Result<Part, Fault> {
        self.values.plan(k)?.part(i).ok_or(Fault::WrongKind)
    }

    /// The value of a part.
    #[inline]
    fn made(&mut self, source: Source, given: Given) -> Result<Handle, Fault> {
        let argument = |i: usize| given.arguments.get(i).copied().unwrap_or_default();
        match source {
            Source::Path(path) => self.get_along(given.value, path),
            Source::Argument(i) => Ok(Handle::from_raw(argument(i))),
            Source::Number(i) => self.new_num(f64::from_bits(argument(i).cast_unsigned())),
            Source::Value(value) => Ok(value),
        }
    }
}
