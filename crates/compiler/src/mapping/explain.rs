//! A mapping that tells what each of its rules did.
//!
//! The module is made of the same pieces as the mapping's own; beside the document stands a trail. A
//! trail has one record for each rule, in the order of the target:
//!
//! ```json
//! {"how": "value", "key": "DE", "default": "value", "entries": [[…], […]]}
//! ```
//!
//! * `how`: `when` (the condition is not true), `value`, `nothing` (`from` gave none); of a lookup
//!   `no-key` (`key` gave none), `no-row` (the table has no such key), `no-field` (the row has no such field);
//!   of an array `each`
//! * `key`: what was looked up
//! * `default`: there when it was asked for: `value`, or `nothing`
//! * `entries`: of an array whose entries have rules, the trail of each

use lockgate_mapping::MapFile;
use lockgate_model::{
    abi::{self, Op},
    diagnostic::Diagnostics,
};
use wasm_encoder::{BlockType, ValType};

use super::{ArrayPlan, Origin, Plan, Ready, Tables, Types, ValuePlan, Writer, checked, module};
use crate::{expression::Context, module::Compiled};

/// A module of one mapping whose output is `{"document": …, "trail": […]}`, and the rules that it is of:
/// input slot 0, output slot 1.
pub fn explain_module(
    file: &str,
    text: &str,
    tables: &Tables,
    types: &Types,
) -> Result<(Compiled, MapFile), Diagnostics> {
    let map = checked(file, text, tables, types)?;
    Ok((module(&map, tables, true)?, map))
}

/// Where what is done is told: locals.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trail {
    /// Each rule adds a record to this list.
    Rules(u32),
    /// The entries of an array are made: its record, and the list of their trails.
    Array { record: u32, entries: u32 },
}

impl Writer<'_> {
    /// Pushes the document and the trail.
    pub(super) fn explained(&mut self, plan: &Plan<'_>) {
        let trail = self.body.list();
        self.trail = Some(Trail::Rules(trail));
        self.target(plan, Context::Root);
        let document = self.body.stash();
        self.body.op(Op::ObjNew);
        let both = self.body.stash();
        self.put(both, "document", document);
        self.put(both, "trail", trail);
        self.body.ins().local_get(both);
    }

    pub(super) fn explained_value(&mut self, value: &ValuePlan<'_>, context: Context, trail: Trail) {
        let result = self.undefined();
        let record = self.record("when");
        self.when(value.when.as_ref(), context, |w| {
            w.origin(&value.from, context, record, result);
            if let Some(default) = &value.default {
                w.unless(result, |w| {
                    w.default_of(default, context, record);
                    w.body.ins().local_set(result);
                });
            }
        });
        self.tell(trail, record);
        self.body.ins().local_get(result);
    }

    pub(super) fn explained_array(&mut self, array: &ArrayPlan<'_>, context: Context, trail: Trail) {
        let result = self.undefined();
        let record = self.record("when");
        let entries = self.body.list();
        self.when(array.when.as_ref(), context, |w| {
            w.say(record, "how", "each");
            w.trail = Some(Trail::Array { record, entries });
            w.entries(array, context);
            w.body.ins().local_set(result);
            w.put(record, "entries", entries);
            w.trail = Some(trail);
        });
        self.tell(trail, record);
        self.body.ins().local_get(result);
    }

    /// Pushes an entry of an array.
    pub(super) fn entry(&mut self, entry: &Plan<'_>, context: Context) {
        let Some(around @ Trail::Array { entries, .. }) = self.trail else {
            return self.target(entry, context);
        };
        let trail = self.body.list();
        self.trail = Some(Trail::Rules(trail));
        self.target(entry, context);
        self.trail = Some(around);
        let made = self.body.stash();
        self.push(entries, trail);
        self.body.ins().local_get(made);
    }

    /// Pushes the default of an array without entries.
    pub(super) fn array_default(&mut self, default: &Ready<'_>, context: Context) {
        match self.trail {
            Some(Trail::Array { record, .. }) => self.default_of(default, context, record),
            _ => self.handle(default, context),
        }
    }

    /// Sets `result` to what a rule takes its value from.
    fn origin(&mut self, from: &Origin<'_>, context: Context, record: u32, result: u32) {
        match from {
            Origin::Formula(from) => {
                self.handle(from, context);
                self.body.ins().local_set(result);
                self.say(record, "how", "nothing");
            }
            Origin::Lookup { table, key, value } => {
                self.with(key, context, |e, program| e.key(&program.root));
                let key = self.body.stash();
                self.put(record, "key", key);
                self.say(record, "how", "no-key");
                self.when_there(key, |w| {
                    w.say(record, "how", "no-row");
                    let table = w.m.constant_json(table);
                    w.body.ins().i64_const(abi::constant(table)).local_get(key);
                    w.body.op(Op::GetDyn);
                    w.body.ins().local_set(result);
                    if let Some(field) = value {
                        w.when_there(result, |w| w.say(record, "how", "no-field"));
                        let k = w.m.constant_text(field);
                        w.body.ins().local_get(result).i32_const(k as i32);
                        w.body.op(Op::Get);
                        w.body.ins().local_set(result);
                    }
                });
            }
        }
        self.when_there(result, |w| w.say(record, "how", "value"));
    }

    /// Pushes a default, and tells whether it gave something.
    fn default_of(&mut self, default: &Ready<'_>, context: Context, record: u32) {
        self.say(record, "default", "nothing");
        self.handle(default, context);
        let value = self.body.stash();
        self.when_there(value, |w| w.say(record, "default", "value"));
        self.body.ins().local_get(value);
    }

    // --- pieces

    fn undefined(&mut self) -> u32 {
        let local = self.body.local(ValType::I64);
        self.body.ins().i64_const(abi::UNDEFINED).local_set(local);
        local
    }

    fn record(&mut self, how: &str) -> u32 {
        self.body.op(Op::ObjNew);
        let record = self.body.stash();
        self.say(record, "how", how);
        record
    }

    /// Sets a field of a record to a text.
    fn say(&mut self, record: u32, field: &str, text: &str) {
        let k = self.m.constant_text(field);
        let text = self.m.constant_text(text);
        self.body.ins().local_get(record).i32_const(k as i32).i64_const(abi::constant(text));
        self.body.op(Op::ObjSet);
    }

    /// Sets a field of a record to a handle, unless it is undefined.
    fn put(&mut self, record: u32, field: &str, value: u32) {
        let k = self.m.constant_text(field);
        self.body.ins().local_get(record).i32_const(k as i32).local_get(value);
        self.body.op(Op::ObjSet);
    }

    /// Adds what a rule did.
    fn tell(&mut self, trail: Trail, record: u32) {
        if let Trail::Rules(list) = trail {
            self.push(list, record);
        }
    }

    fn push(&mut self, list: u32, value: u32) {
        self.body.ins().local_get(list).local_get(value);
        self.body.op(Op::ArrPush);
    }

    /// Writes what is done when a handle is undefined.
    fn unless(&mut self, handle: u32, write: impl FnOnce(&mut Self)) {
        self.body.ins().local_get(handle).i64_eqz().if_(BlockType::Empty);
        write(self);
        self.body.ins().end();
    }

    /// Writes what is done when a handle is not undefined.
    fn when_there(&mut self, handle: u32, write: impl FnOnce(&mut Self)) {
        self.body.ins().local_get(handle).i64_const(abi::UNDEFINED).i64_ne().if_(BlockType::Empty);
        write(self);
        self.body.ins().end();
    }
}
