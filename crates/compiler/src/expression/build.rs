//! Array and object constructors.

use std::collections::BTreeSet;

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Constant, Expr, Kind},
};
use lockgate_model::abi::{self, Op, array};
use wasm_encoder::{BlockType, ValType};

use super::emitter::{Context, Emitter};
use crate::module::At;

impl<'a> Emitter<'a> {
    /// Pushes an array. `cons`: it is a step of a path, whose arrays stay whole.
    pub(super) fn array(&mut self, items: &'a [(Expr, bool)], cons: bool) {
        if !cons && let Some(json) = array_json(items) {
            let k = self.m.constant_json(&json);
            self.body.ins().i64_const(abi::constant(k));
            return;
        }
        let flags = if cons { array::CONS } else { 0 };
        let mut rest = items;
        if let Some(((first, false), others)) = items.split_first() {
            self.handle(first);
            self.body.ins().i32_const(flags);
            self.body.op(Op::ArrOf);
            rest = others;
        } else {
            self.body.ins().i32_const(flags);
            self.body.op(Op::ArrNew);
        }
        let list = self.body.stash();
        for (item, whole) in rest {
            self.handle(item);
            let single = *whole || matches!(item.kind, Kind::Constant(_)) || self.kind_of(item) != ValueKind::Any;
            self.add(list, if single { Op::ArrPush } else { Op::ArrAppend });
        }
        self.body.ins().local_get(list);
    }

    /// Pushes an object.
    pub(super) fn object(&mut self, expr: &'a Expr, pairs: &'a [(Expr, Expr)]) {
        if let Some(json) = object_json(pairs) {
            let k = self.m.constant_json(&json);
            self.body.ins().i64_const(abi::constant(k));
            return;
        }
        let at = self.at_token(expr, "");
        let mut seen = BTreeSet::new();
        for (key, _) in pairs {
            if let Kind::Constant(Constant::Text(text)) = &key.kind
                && !seen.insert(text)
            {
                self.fail(1009, Some(at));
                return;
            }
        }
        let literal = |key: &Expr| matches!(key.kind, Kind::Constant(Constant::Text(_) | Constant::Undefined));
        let computed = !pairs.iter().all(|(key, _)| literal(key));
        let context = self.object_context(pairs);
        self.with_context(context, |e| {
            if !computed {
                return e.made_object(pairs);
            }
            // Keys come before values: two that turn out the same are an error whatever they hold.
            let keys = e.computed_keys(pairs, at);
            e.body.op(Op::ObjNew);
            let object = e.body.stash();
            for ((key, value), local) in pairs.iter().zip(keys) {
                if matches!(key.kind, Kind::Constant(Constant::Undefined)) {
                    continue;
                }
                e.body.ins().local_get(local).i64_eqz().i32_eqz().if_(BlockType::Empty);
                e.handle(value);
                let value = e.body.stash();
                e.body.ins().local_get(object).local_get(local).local_get(value);
                e.op(Op::ObjSetDyn, Some(at));
                e.body.ins().end();
            }
            e.body.ins().local_get(object);
        });
    }

    /// Locals of an object's keys, each of them a text or nothing and no two the same.
    fn computed_keys(&mut self, pairs: &'a [(Expr, Expr)], at: At) -> Vec<u32> {
        // One key alone is held to a text when its value is set.
        let seen = (pairs.len() > 1).then(|| {
            self.body.op(Op::ObjNew);
            self.body.stash()
        });
        let mut keys = Vec::new();
        for (key, _) in pairs {
            self.handle(key);
            let key = self.body.stash();
            keys.push(key);
            if let Some(seen) = seen {
                self.body.ins().local_get(key).i64_eqz().i32_eqz().if_(BlockType::Empty);
                self.body.ins().local_get(seen).local_get(key).i64_const(abi::constant_node(abi::NODE_TRUE));
                self.op(Op::ObjSetDyn, Some(at));
                self.body.ins().end();
            }
        }
        keys
    }

    /// The context of an object's keys and values. An object takes the items of an array together:
    /// one stands for itself, arrays among many are flattened. Only `$` sees a difference, and what takes it unasked.
    fn object_context(&mut self, pairs: &'a [(Expr, Expr)]) -> Context {
        let is_context = |expr: &Expr| match &expr.kind {
            Kind::Context => true,
            // It may stand for an argument left out.
            Kind::Builtin(builtin, given) => {
                let params = builtin.signature().params;
                given.len() < params.len() && params.first().is_some_and(|param| param.context)
            }
            _ => false,
        };
        let sees = pairs.iter().any(|(key, value)| key.any(&is_context) || value.any(&is_context));
        let Context::Local(item) = self.context else {
            return self.item_context();
        };
        if !sees {
            return Context::Local(item);
        }
        let context = self.body.local(ValType::I64);
        self.body.ins().local_get(item);
        self.body.op(Op::Len);
        self.body.ins().i32_const(2).i32_lt_s().if_(BlockType::Empty).local_get(item).i32_const(0);
        self.body.op(Op::At);
        self.body.ins().local_set(context).else_().i32_const(0);
        self.body.op(Op::ArrNew);
        self.body.ins().local_set(context);
        self.each(item, |e, one, _, _| {
            e.body.ins().local_get(context).local_get(one);
            e.body.op(Op::ArrAppend);
        });
        self.body.ins().end();
        Context::Local(context)
    }
}

/// JSON of a value known at compile time.
pub(super) fn json(expr: &Expr) -> Option<String> {
    match &expr.kind {
        Kind::Constant(constant) => match constant {
            Constant::Undefined | Constant::Number(_, None) => None,
            Constant::Null => Some("null".to_owned()),
            Constant::Boolean(value) => Some(value.to_string()),
            Constant::Number(_, Some(json)) => Some(json.clone()),
            Constant::Text(text) => Some(serde_json::Value::from(text.as_str()).to_string()),
        },
        Kind::Array(items, false) => array_json(items),
        Kind::Object(pairs) => object_json(pairs),
        _ => None,
    }
}

fn array_json(items: &[(Expr, bool)]) -> Option<String> {
    let mut texts = Vec::new();
    for (item, whole) in items {
        // An array that is not written as an item of its own would be spliced in.
        if !whole && !matches!(item.kind, Kind::Constant(_) | Kind::Object(_)) {
            return None;
        }
        texts.push(json(item)?);
    }
    Some(format!("[{}]", texts.join(",")))
}

fn object_json(pairs: &[(Expr, Expr)]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut texts = Vec::new();
    for (key, value) in pairs {
        let Kind::Constant(Constant::Text(key)) = &key.kind else {
            return None;
        };
        if !seen.insert(key) {
            return None;
        }
        texts.push(format!("{}:{}", serde_json::Value::from(key.as_str()), json(value)?));
    }
    Some(format!("{{{}}}", texts.join(",")))
}
