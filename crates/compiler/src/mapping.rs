//! Mapping files become one function of a module: the target is built in one pass over the rules.
//!
//! Objects inside the target are set only when something was put into them; arrays always are.
//! Reference data is compiled in as a constant.

use std::collections::BTreeMap;

use lockgate_mapping::{
    MapFile,
    expression::ir::Program,
    rules::{ArrayRule, Formula, From, Target, ValueRule},
};
use lockgate_model::{
    abi::{self, DONE, Op},
    diagnostic::{Diagnostic, Diagnostics, Span},
};
use wasm_encoder::{BlockType, ValType};

use crate::{
    expression::{Context, Emitter, Names, NoNames, Place, one_step, root_item, start},
    module::{Body, Compiled, FunctionId, ModuleBuilder},
    reader::{list, nearest},
    types::{Types, check_types},
};

/// Reference data by name, for `lookup`.
pub type Tables = BTreeMap<String, serde_json::Value>;

/// A function `(source document) -> target document`. Problems name the mapping's file.
pub fn compile_map(
    m: &mut ModuleBuilder,
    map: &MapFile,
    source: u32,
    tables: &Tables,
) -> Result<FunctionId, Diagnostics> {
    let mut planner = Planner { tables, problems: check_tables(map, tables) };
    let plan = planner.target(&map.target, false);
    let problems = planner.problems.0.into_iter().map(|p| p.file(&map.file)).collect();
    Diagnostics(problems).into_result(())?;

    let id = m.declare(&format!("map {}", map.name), &[ValType::I64], &[ValType::I64]);
    let mut body = Body::new(1);
    let item = root_item(&mut body, ROOT);
    let mut writer = Writer { m, source, body, item, too_large: false };
    writer.target(&plan, Context::Root);
    let Writer { body, too_large, .. } = writer;
    if too_large || body.is_too_large() {
        let problem = Diagnostic::new("LG-MAP-SIZE", Span::default(), "the mapping is too large to compile")
            .help("split it into several mappings and call them one after the other");
        return Err(Diagnostics(vec![problem.file(&map.file)]));
    }
    m.define(id, body);
    Ok(id)
}

/// Reference data that a mapping names and that cannot be looked into.
pub(crate) fn check_tables(map: &MapFile, tables: &Tables) -> Diagnostics {
    let mut problems = Diagnostics::default();
    for (name, span) in &map.tables {
        let (message, help) = match tables.get(name) {
            Some(table) if table.is_object() => continue,
            Some(_) => (
                format!("the table `{name}` is no object"),
                "a table is an object from keys to values or rows".to_owned(),
            ),
            None => {
                let known = tables.keys().map(String::as_str);
                let help = match nearest(name, known.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if tables.is_empty() => format!("put it into tables/{name}.json"),
                    None => format!("the tables are {}", list(known)),
                };
                (format!("there is no table `{name}`"), help)
            }
        };
        problems.push(Diagnostic::new("LG-MAP-TABLE", *span, message).help(help).file(&map.file));
    }
    problems
}

/// A module of one mapping: input slot 0, output slot 1.
pub fn map_module(file: &str, text: &str, tables: &Tables, types: &Types) -> Result<Compiled, Diagnostics> {
    let (map, mut problems) = MapFile::read(file, text);
    problems.0.extend(check_types(&map, problems.is_empty(), types, tables).0);
    problems.0.extend(check_tables(&map, tables).0);
    problems.into_result(())?;
    let mut m = ModuleBuilder::new(&map.name);
    let source = m.source(file);
    let function = compile_map(&mut m, &map, source, tables)?;
    let mut step = Body::new(1);
    start(&mut step);
    step.ins().i32_const(1).i32_const(0);
    step.op(Op::SlotGet);
    step.call(function);
    step.op(Op::SlotSet);
    step.ins().i32_const(DONE);
    one_step(m, step, 2)
}

/// Parameter of the function: the source document.
const ROOT: u32 = 0;

// === rules with their expressions resolved ===

enum Plan<'f> {
    Object(Vec<(&'f str, Plan<'f>)>),
    Array(Box<ArrayPlan<'f>>),
    Value(Box<ValuePlan<'f>>),
}

struct ArrayPlan<'f> {
    each: Ready<'f>,
    when: Option<Ready<'f>>,
    default: Option<Ready<'f>>,
    entry: Option<Plan<'f>>,
}

struct ValuePlan<'f> {
    from: Origin<'f>,
    when: Option<Ready<'f>>,
    default: Option<Ready<'f>>,
}

enum Origin<'f> {
    Formula(Ready<'f>),
    Lookup { table: String, key: Ready<'f>, value: Option<&'f str> },
}

/// A resolved expression and where it stands.
struct Ready<'f> {
    formula: &'f Formula,
    program: Program,
}

struct Planner<'t> {
    tables: &'t Tables,
    problems: Diagnostics,
}

impl Planner<'_> {
    fn target<'f>(&mut self, target: &'f Target, on_item: bool) -> Plan<'f> {
        match target {
            Target::Object(fields) => Plan::Object(
                fields.iter().map(|field| (field.name.as_str(), self.target(&field.target, on_item))).collect(),
            ),
            Target::Array(array) => {
                let ArrayRule { each, when, default, entry, at: _ } = array.as_ref();
                let entry = entry.as_ref().map(|entry| self.target(entry, true));
                let when = self.optional(when, on_item);
                let default = self.optional(default, on_item);
                match self.ready(each, on_item) {
                    Some(each) => Plan::Array(Box::new(ArrayPlan { each, when, default, entry })),
                    None => Plan::Object(Vec::new()),
                }
            }
            Target::Value(value) => {
                let ValueRule { from, when, default } = value.as_ref();
                let when = self.optional(when, on_item);
                let default = self.optional(default, on_item);
                match self.from(from, on_item) {
                    Some(from) => Plan::Value(Box::new(ValuePlan { from, when, default })),
                    None => Plan::Object(Vec::new()),
                }
            }
        }
    }

    fn from<'f>(&mut self, from: &'f From, on_item: bool) -> Option<Origin<'f>> {
        match from {
            From::Formula(formula) => self.ready(formula, on_item).map(Origin::Formula),
            From::Lookup { table: (name, _), key, value } => {
                let key = self.ready(key, on_item)?;
                Some(Origin::Lookup { table: self.tables.get(name)?.to_string(), key, value: value.as_deref() })
            }
        }
    }

    fn optional<'f>(&mut self, formula: &'f Option<Formula>, on_item: bool) -> Option<Ready<'f>> {
        formula.as_ref().and_then(|f| self.ready(f, on_item))
    }

    fn ready<'f>(&mut self, formula: &'f Formula, on_item: bool) -> Option<Ready<'f>> {
        let no_names = |_: &str| false;
        let resolved =
            if on_item { formula.expression.resolve_on_item(&no_names) } else { formula.expression.resolve(&no_names) };
        match resolved {
            Ok(program) => Some(Ready { formula, program }),
            Err(found) => {
                for mut problem in found.0 {
                    problem.span = formula.origin.span(problem.span);
                    self.problems.push(problem);
                }
                None
            }
        }
    }
}

// === code ===

struct Writer<'m> {
    m: &'m mut ModuleBuilder,
    source: u32,
    body: Body,
    /// Local of the root as a path sees it.
    item: u32,
    too_large: bool,
}

impl Writer<'_> {
    /// Writes with an emitter of this expression and context.
    fn with(&mut self, ready: &Ready<'_>, context: Context, write: impl for<'e> FnOnce(&mut Emitter<'e>, &'e Program)) {
        let place = Place { source: self.source, base: ready.formula.origin.offset(0) };
        let text = ready.formula.expression.text();
        let mut emitter = Emitter::new(self.m, &ready.program, place, Names::Slots(&NoNames), text);
        emitter.body = std::mem::replace(&mut self.body, Body::new(1));
        emitter.context = context;
        emitter.begin_with(ROOT, self.item);
        write(&mut emitter, &ready.program);
        self.too_large |= emitter.too_large;
        self.body = emitter.body;
    }

    fn handle(&mut self, ready: &Ready<'_>, context: Context) {
        self.with(ready, context, |e, program| e.handle(&program.root));
    }

    fn stash(&mut self) -> u32 {
        let local = self.body.local(ValType::I64);
        self.body.ins().local_set(local);
        local
    }

    /// Writes something that is done only when a rule's condition is true.
    fn when(&mut self, when: Option<&Ready<'_>>, context: Context, write: impl FnOnce(&mut Self)) {
        let Some(when) = when else {
            return write(self);
        };
        self.with(when, context, |e, program| e.condition(&program.root));
        self.body.ins().if_(BlockType::Empty);
        write(self);
        self.body.ins().end();
    }

    /// Pushes what a plan builds.
    fn target(&mut self, plan: &Plan<'_>, context: Context) {
        match plan {
            Plan::Object(fields) => self.object(fields, context),
            Plan::Array(array) => self.array(array, context),
            Plan::Value(value) => self.value(value, context),
        }
    }

    fn object(&mut self, fields: &[(&str, Plan<'_>)], context: Context) {
        self.body.op(Op::ObjNew);
        let object = self.stash();
        for (name, plan) in fields {
            self.field(object, name, plan, context);
        }
        self.body.ins().local_get(object);
    }

    fn field(&mut self, object: u32, name: &str, plan: &Plan<'_>, context: Context) {
        match plan {
            Plan::Value(value) => match (&value.from, &value.default) {
                (Origin::Formula(from), None) => self.when(value.when.as_ref(), context, |w| {
                    w.with(from, context, |e, program| e.field(object, name, &program.root));
                }),
                _ => self.when(value.when.as_ref(), context, |w| {
                    w.value_of(value, context);
                    w.set(object, name);
                }),
            },
            Plan::Array(array) => self.when(array.when.as_ref(), context, |w| {
                w.entries(array, context);
                w.set(object, name);
            }),
            Plan::Object(fields) => {
                self.object(fields, context);
                let inner = self.stash();
                // An object into which nothing was put is not set.
                self.body.ins().local_get(inner);
                self.body.op(Op::Truthy);
                self.body.ins().if_(BlockType::Empty).local_get(inner);
                self.set(object, name);
                self.body.ins().end();
            }
        }
    }

    /// Sets a field to the handle on the stack.
    fn set(&mut self, object: u32, name: &str) {
        let k = self.m.constant_text(name);
        let value = self.stash();
        self.body.ins().local_get(object).i32_const(k as i32).local_get(value);
        self.body.op(Op::ObjSet);
    }

    /// Pushes a value, undefined when its condition is not true.
    fn value(&mut self, value: &ValuePlan<'_>, context: Context) {
        let result = self.body.local(ValType::I64);
        self.body.ins().i64_const(abi::UNDEFINED).local_set(result);
        self.when(value.when.as_ref(), context, |w| {
            w.value_of(value, context);
            w.body.ins().local_set(result);
        });
        self.body.ins().local_get(result);
    }

    fn value_of(&mut self, value: &ValuePlan<'_>, context: Context) {
        match &value.from {
            Origin::Formula(from) => self.handle(from, context),
            Origin::Lookup { table, key, value } => {
                let table = self.m.constant_json(table);
                self.body.ins().i64_const(abi::constant(table));
                self.with(key, context, |e, program| e.key(&program.root));
                self.body.op(Op::GetDyn);
                if let Some(field) = value {
                    let k = self.m.constant_text(field);
                    self.body.ins().i32_const(k as i32);
                    self.body.op(Op::Get);
                }
            }
        }
        if let Some(default) = &value.default {
            self.or_else(|w| w.handle(default, context));
        }
    }

    /// Replaces an undefined handle on the stack.
    fn or_else(&mut self, write: impl FnOnce(&mut Self)) {
        let value = self.stash();
        self.body.ins().local_get(value).i64_eqz().if_(BlockType::Empty);
        write(self);
        self.body.ins().local_set(value).end().local_get(value);
    }

    /// Pushes an array, undefined when its condition is not true.
    fn array(&mut self, array: &ArrayPlan<'_>, context: Context) {
        let result = self.body.local(ValType::I64);
        self.body.ins().i64_const(abi::UNDEFINED).local_set(result);
        self.when(array.when.as_ref(), context, |w| {
            w.entries(array, context);
            w.body.ins().local_set(result);
        });
        self.body.ins().local_get(result);
    }

    fn entries(&mut self, array: &ArrayPlan<'_>, context: Context) {
        self.handle(&array.each, context);
        let items = self.stash();
        self.body.ins().i32_const(0);
        self.body.op(Op::ArrNew);
        let list = self.stash();
        let (i, count) = (self.body.local(ValType::I32), self.body.local(ValType::I32));
        let item = self.body.local(ValType::I64);
        self.body.ins().i32_const(0).local_set(i).local_get(items);
        self.body.op(Op::Len);
        self.body.ins().local_set(count).block(BlockType::Empty).loop_(BlockType::Empty);
        self.body.ins().local_get(i).local_get(count).i32_ge_s().br_if(1).local_get(items).local_get(i);
        self.body.op(Op::At);
        self.body.ins().local_set(item);
        match &array.entry {
            Some(entry) => self.target(entry, Context::Local(item)),
            None => {
                self.body.ins().local_get(item);
            }
        }
        let entry = self.stash();
        self.body.ins().local_get(list).local_get(entry);
        self.body.op(Op::ArrPush);
        self.body.ins().local_get(i).i32_const(1).i32_add().local_set(i).br(0).end().end();
        match &array.default {
            Some(default) => {
                self.body.ins().local_get(count).i32_eqz().if_(BlockType::Result(ValType::I64));
                self.handle(default, context);
                self.body.ins().else_().local_get(list).end();
            }
            None => {
                self.body.ins().local_get(list);
            }
        }
    }
}

#[cfg(test)]
mod tests;
