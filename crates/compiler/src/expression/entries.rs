//! `$each`, `$sift` and `$single` as loops, and the body of a transform.

use lockgate_mapping::expression::ir::{Expr, Transform};
use lockgate_model::abi::{self, Op};
use wasm_encoder::{BlockType, ValType};

use super::{
    arguments::{Argument, Given},
    emitter::{Context, Emitter},
    loops::Callback,
    values::End,
};

impl<'a> Emitter<'a> {
    /// Pushes what the function gives for a value, its key and the object: as a handle, or as a truth
    /// value.
    fn on_entry(&mut self, callback: &Callback<'a>, [value, key, object]: [u32; 3], truth: bool, given: &Given<'a>) {
        match callback {
            Callback::Inline(lambda) => {
                let outer = self.enter(lambda.scope);
                for (id, local) in lambda.params.iter().zip([value, key, object]) {
                    self.body.ins().local_get(local);
                    self.bind(*id);
                }
                if truth {
                    self.condition(&lambda.body);
                } else {
                    self.end(&lambda.body, End::Inline);
                }
                self.leave(lambda.scope, outer);
            }
            Callback::Value(call, arity) => {
                // One argument at least, three at most, as many as it takes between.
                let count = self.body.local(ValType::I32);
                self.body.ins().i32_const(1).local_set(count);
                for enough in [2, 3] {
                    self.body.ins().local_get(*arity).i32_const(enough).i32_ge_s().if_(BlockType::Empty);
                    self.body.ins().i32_const(enough).local_set(count).end();
                }
                self.with_context(Context::Null, |e| {
                    e.apply_counted(call, &[value, key, object], Some(count), given.at);
                });
                if truth {
                    self.body.op(Op::Truthy);
                }
            }
        }
    }

    /// A loop over the fields of the object in the first argument: `write` gets locals of value, key and
    /// object.
    fn each_entry(&mut self, given: &Given<'a>, write: impl FnOnce(&mut Self, [u32; 3])) {
        self.checked(given, 0, "o");
        let object = self.body.stash();
        self.body.ins().local_get(object);
        self.body.op(Op::Keys);
        let keys = self.body.stash();
        self.each(keys, |e, key, _, _| {
            e.body.ins().local_get(object).local_get(key);
            e.body.op(Op::GetDyn);
            let value = e.body.stash();
            write(e, [value, key, object]);
        });
    }

    /// `$each(object, function)`
    pub(super) fn each_field(&mut self, given: &Given<'a>, flags: i32) {
        let callback = self.callback(given, 1);
        let acc = self.sequence();
        self.each_entry(given, |e, entry| {
            e.on_entry(&callback, entry, false, given);
            e.add(acc, Op::SeqAdd);
        });
        self.close(acc, flags);
    }

    /// `$sift(object, function)`: the fields it says true of, or undefined.
    pub(super) fn sift(&mut self, given: &Given<'a>) {
        let callback = self.callback(given, 1);
        let sifted = self.body.local(ValType::I64);
        self.body.ins().i64_const(abi::UNDEFINED).local_set(sifted);
        self.each_entry(given, |e, entry| {
            e.on_entry(&callback, entry, true, given);
            let [value, key, _] = entry;
            e.body.ins().if_(BlockType::Empty).local_get(sifted).i64_eqz().if_(BlockType::Empty);
            e.body.op(Op::ObjNew);
            e.body.ins().local_set(sifted).end().local_get(sifted).local_get(key).local_get(value);
            e.op(Op::ObjSetDyn, None);
            e.body.ins().end();
        });
        self.body.ins().local_get(sifted);
    }

    /// `$single(list, function)`: the one item it says true of; D3138 for more, D3139 for none.
    pub(super) fn single(&mut self, given: &Given<'a>) {
        let list = self.argument_local(given.get(0));
        let callback = (!matches!(given.get(1), Argument::Missing)).then(|| self.callback(given, 1));
        let (found, any) = (self.body.local(ValType::I64), self.body.local(ValType::I32));
        self.body.ins().i64_const(abi::UNDEFINED).local_set(found).i32_const(0).local_set(any);
        self.each(list, |e, item, place, _| {
            match &callback {
                Some(callback) => e.on_item(callback, item, place, list, true, given),
                None => {
                    e.body.ins().i32_const(1);
                }
            }
            e.body.ins().if_(BlockType::Empty).local_get(any).if_(BlockType::Empty);
            e.fail(3138, given.at);
            e.body.ins().end().local_get(item).local_set(found).i32_const(1).local_set(any).end();
        });
        self.body.ins().local_get(any).i32_eqz().local_get(list).i64_eqz().i32_eqz().i32_and().if_(BlockType::Empty);
        self.fail(3139, given.at);
        self.body.ins().end().local_get(found);
    }

    /// The body of a transform: changes parts of a copy.
    pub(super) fn transform(&mut self, expr: &'a Expr, transform: &'a Transform) {
        let at = Some(self.at_token(expr, ""));
        self.variable(transform.subject);
        self.unless_undefined(|e, subject| {
            e.body.ins().local_get(subject);
            e.op(Op::Clone, at);
            let copy = e.body.stash();
            e.with_context(Context::Local(copy), |e| e.handle(&transform.pattern));
            let matches = e.body.stash();
            e.each(matches, |e, part, _, _| {
                e.with_context(Context::Local(part), |e| {
                    e.handle(&transform.update);
                    let update = e.body.stash();
                    e.body.ins().local_get(part).local_get(update);
                    e.op(Op::Update, at);
                    if let Some(delete) = &transform.delete {
                        e.handle(delete);
                        let delete = e.body.stash();
                        e.body.ins().local_get(part).local_get(delete);
                        e.op(Op::Delete, at);
                    }
                });
            });
            e.body.ins().local_get(copy);
        });
    }
}
