//! Rules that note in the frame that they gave something, for the coverage of test cases.
//!
//! The module does what it does without: the marks are i64 slots of the frame that nothing reads. What is
//! deployed has none.

use lockgate_mapping::{
    MapFile,
    rules::{Site, Target},
};
use lockgate_model::abi::{self, Op};
use wasm_encoder::BlockType;

use super::Writer;

/// Rules of a mapping.
pub(crate) fn rules(map: &MapFile) -> usize {
    fn of(target: &Target) -> usize {
        match target {
            Target::Object(fields) => fields.iter().map(|field| of(&field.target)).sum(),
            Target::Array(array) => 1 + array.entry.as_ref().map_or(0, of),
            Target::Value(_) => 1,
        }
    }
    of(&map.target)
}

impl Writer<'_> {
    /// Notes that the value in a local is there.
    pub(super) fn mark_value(&mut self, site: &Site, value: u32) {
        let Some(slot) = self.m.mark(self.source, site) else { return };
        self.body.ins().local_get(value).i64_const(abi::UNDEFINED).i64_ne();
        self.mark(slot);
    }

    /// Notes that the array in a local has an entry.
    pub(super) fn mark_array(&mut self, site: &Site, array: u32) {
        let Some(slot) = self.m.mark(self.source, site) else { return };
        self.body.ins().local_get(array);
        self.body.op(Op::Len);
        self.mark(slot);
    }

    /// Sets the slot when there is something on the stack.
    fn mark(&mut self, slot: u32) {
        self.body.ins().if_(BlockType::Empty).i32_const(slot.cast_signed()).i64_const(1);
        self.body.op(Op::IntSet);
        self.body.ins().end();
    }
}
