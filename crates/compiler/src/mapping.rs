//! Mapping files become one function of a module: the target is built in one pass over the rules.
//!
//! Objects inside the target are set only when something was put into them; arrays always are.
//! Reference data is compiled in as a constant.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_mapping::{
    MapFile,
    expression::ir::Program,
    rules::{ArrayRule, Formula, From, Site, TableUse, Target, ValueRule},
    streams::{Streams, Whole, conditions},
};
use lockgate_model::{
    abi::{self, DONE, Op},
    diagnostic::{Diagnostic, Diagnostics, Span},
};
use wasm_encoder::{BlockType, ValType};

use crate::{
    expression::{Context, Emitter, Making, Names, NoNames, Place, one_step, root_item, start},
    module::{Body, Compiled, FunctionId, ModuleBuilder},
    reader::{list, nearest},
    types::{Types, check_types},
};

/// Reference data by name, for `lookup`.
pub type Tables = BTreeMap<String, serde_json::Value>;

/// A function `(array of records) -> array of what they give`, for records that come as a stream: where the mapping goes over
/// the records of a list, what it gives for these; else what `one`, its function of one document, gives for each. `at` is
/// where the mapping is called.
pub(crate) fn compile_each(
    m: &mut ModuleBuilder,
    map: &MapFile,
    source: u32,
    tables: &Tables,
    at: Span,
    one: impl FnOnce(&mut ModuleBuilder) -> Result<FunctionId, Diagnostics>,
) -> Result<FunctionId, Diagnostics> {
    let refused =
        |message: String, help: &str| Err(Diagnostics(vec![Diagnostic::new("LG-FLOW-STREAM", at, message).help(help)]));
    match (&map.target, map.streams()) {
        (Target::Array(rule), Ok(streams)) if streams.path.is_empty() => {
            if rule.default.is_some() {
                let message = format!("mapping `{}` has a `default` for its list: it needs all records", map.name);
                return refused(message, "leave it out for streams");
            }
            let Plan::Array(array) = plan(map, tables)? else { return one(m) };
            function(m, map, source, "records of", |w| w.records(&array, false))
        }
        _ if map.records.is_some() => refused(
            format!("mapping `{}` looks for records within a document, and a stream is the records", map.name),
            "say where they are in the call that streams, as `parse: { json: { records: data.orders } }`, and \
             `records: $` in the mapping",
        ),
        _ => {
            let one = one(m)?;
            function(m, map, source, "each of", |w| w.each_of(one))
        }
    }
}

/// A function `(source document) -> target document`. Problems name the mapping's file.
pub fn compile_map(
    m: &mut ModuleBuilder,
    map: &MapFile,
    source: u32,
    tables: &Tables,
) -> Result<FunctionId, Diagnostics> {
    compile(m, map, source, tables, false)
}

/// The same, or one that tells beside the document what each rule did; see [`explain`].
fn compile(
    m: &mut ModuleBuilder,
    map: &MapFile,
    source: u32,
    tables: &Tables,
    explained: bool,
) -> Result<FunctionId, Diagnostics> {
    let plan = plan(map, tables)?;
    function(m, map, source, "map", |w| match explained {
        true => w.explained(&plan),
        false => w.target(&plan, Context::Root),
    })
}

/// A mapping file's rules with their expressions resolved.
fn plan<'f>(map: &'f MapFile, tables: &Tables) -> Result<Plan<'f>, Diagnostics> {
    let mut planner = Planner { tables, problems: check_tables(map, tables) };
    let plan = match &map.target {
        // To the rules of a record the record is the document.
        Target::Array(array) if map.records.is_some() => planner.array(array, false, true),
        target => planner.target(target, false),
    };
    let problems = planner.problems.0.into_iter().map(|p| p.file(&map.file)).collect();
    Diagnostics(problems).into_result(plan)
}

/// A function of one document.
fn function(
    m: &mut ModuleBuilder,
    map: &MapFile,
    source: u32,
    what: &str,
    write: impl FnOnce(&mut Writer<'_>),
) -> Result<FunctionId, Diagnostics> {
    let subject = format!("{what} {}", map.name);
    let id = m.declare(&subject, &[ValType::I64], &[ValType::I64]);
    let around = m.of(subject);
    let mut body = Body::new(1);
    let item = root_item(&mut body, ROOT);
    let mut writer = Writer { m, source, body, root: ROOT, item, too_large: false, trail: None };
    write(&mut writer);
    let Writer { m, body, too_large, .. } = writer;
    m.of(around);
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
    for TableUse { name, at, value } in &map.tables {
        let (at, message, help) = match tables.get(name).map(|table| (table, table.as_object())) {
            Some((_, Some(rows))) => {
                let Some((field, at)) = value.as_ref().filter(|(field, _)| !rows_have(rows, field)) else { continue };
                let fields = rows.values().filter_map(|row| row.as_object()).flat_map(|row| row.keys());
                let help = match nearest(field, fields.clone().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if fields.clone().next().is_none() => "its rows are values: leave out `value`".to_owned(),
                    None => {
                        let fields: BTreeSet<&str> = fields.take(FIELDS_LISTED_MAX).map(String::as_str).collect();
                        format!("its rows have {}", list(fields.into_iter()))
                    }
                };
                (*at, format!("no row of the table `{name}` has `{field}`"), help)
            }
            Some((_, None)) => (
                *at,
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
                (*at, format!("there is no table `{name}`"), help)
            }
        };
        problems.push(Diagnostic::new("LG-MAP-TABLE", at, message).help(help).file(&map.file));
    }
    problems
}

/// Fields of rows that are looked at to tell what they are called.
const FIELDS_LISTED_MAX: usize = 20;

/// Whether a row may have a field. The field of an array is that of its items; a table without rows is
/// yet to be filled.
fn rows_have(rows: &serde_json::Map<String, serde_json::Value>, field: &str) -> bool {
    rows.is_empty() || rows.values().any(|row| row.is_array() || row.get(field).is_some())
}

/// A module of one mapping: input slot 0, output slot 1.
pub fn map_module(file: &str, text: &str, tables: &Tables, types: &Types) -> Result<Compiled, Diagnostics> {
    module(&checked(file, text, tables, types)?, tables, false)
}

/// A mapping file without problems.
fn checked(file: &str, text: &str, tables: &Tables, types: &Types) -> Result<MapFile, Diagnostics> {
    let (map, mut problems) = MapFile::read(file, text);
    problems.0.extend(check_types(&map, types, tables).0);
    problems.0.extend(check_tables(&map, tables).0);
    problems.into_result(map)
}

fn module(map: &MapFile, tables: &Tables, explained: bool) -> Result<Compiled, Diagnostics> {
    let mut m = ModuleBuilder::new(&map.name);
    let source = m.source(&map.file, &map.lines);
    let function = compile(&mut m, map, source, tables, explained)?;
    one_function(m, function)
}

/// A module of one function of the input.
fn one_function(m: ModuleBuilder, function: FunctionId) -> Result<Compiled, Diagnostics> {
    let mut step = Body::new(1);
    start(&mut step);
    step.ins().i32_const(1).i32_const(0);
    step.op(Op::SlotGet);
    step.call(function);
    step.op(Op::SlotSet);
    step.ins().i32_const(DONE);
    one_step(m, step, 2)
}

/// How a mapping file goes over its source.
#[derive(Debug)]
pub enum Passes {
    /// Record by record.
    Records(Box<RecordModule>),
    /// It needs the whole document.
    Whole(Whole),
}

/// A module of one mapping for some of its records: input slot 0 an array of records, output slot 1 the
/// array of what they give, one after the other, and behind it how many of them met the conditions of
/// `each`. See [`Streams`] for what hangs on all of them.
#[derive(Debug)]
pub struct RecordModule {
    /// Where the records are.
    pub streams: Streams,
    /// Something stands for the array when no record passes.
    pub has_default: bool,
    /// The module.
    pub module: Compiled,
}

/// The module for the records of a mapping, when it goes record by record.
pub fn map_record_module(file: &str, text: &str, tables: &Tables, types: &Types) -> Result<Passes, Diagnostics> {
    let map = checked(file, text, tables, types)?;
    let streams = match map.streams() {
        Ok(streams) => streams,
        Err(whole) => return Ok(Passes::Whole(whole)),
    };
    let (Target::Array(rule), Plan::Array(array)) = (&map.target, plan(&map, tables)?) else {
        return Ok(Passes::Whole(Whole { reason: "the target is no array".to_owned(), span: Span::default() }));
    };
    let mut m = ModuleBuilder::new(&map.name);
    let source = m.source(file, &map.lines);
    let function = function(&mut m, &map, source, "records of", |w| w.records(&array, true))?;
    let module = one_function(m, function)?;
    Ok(Passes::Records(Box::new(RecordModule { streams, has_default: rule.default.is_some(), module })))
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
    site: &'f Site,
    each: Ready<'f>,
    when: Option<Ready<'f>>,
    default: Option<Ready<'f>>,
    entry: Option<Plan<'f>>,
    /// The rules of an entry see the item as their document.
    records: bool,
}

struct ValuePlan<'f> {
    site: &'f Site,
    from: Origin<'f>,
    when: Option<Ready<'f>>,
    default: Option<Ready<'f>>,
}

impl ValuePlan<'_> {
    /// It is what its formula gives, whatever that is.
    fn is_plain(&self) -> bool {
        matches!(self.from, Origin::Formula(_)) && self.when.is_none() && self.default.is_none()
    }
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
            Target::Array(array) => self.array(array, on_item, false),
            Target::Value(value) => {
                let ValueRule { site, from, when, default } = value.as_ref();
                let when = self.optional(when, on_item);
                let default = self.optional(default, on_item);
                match self.from(from, on_item) {
                    Some(from) => Plan::Value(Box::new(ValuePlan { site, from, when, default })),
                    None => Plan::Object(Vec::new()),
                }
            }
        }
    }

    /// `records`: an entry's rules see the item as their document.
    fn array<'f>(&mut self, array: &'f ArrayRule, on_item: bool, records: bool) -> Plan<'f> {
        let ArrayRule { site, each, when, default, entry, aside: _ } = array;
        let entry = entry.as_ref().map(|entry| self.target(entry, !records));
        let when = self.optional(when, on_item);
        let default = self.optional(default, on_item);
        match self.ready(each, on_item) {
            Some(each) => Plan::Array(Box::new(ArrayPlan { site, each, when, default, entry, records })),
            None => Plan::Object(Vec::new()),
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
    /// Local of the document that rules see.
    root: u32,
    /// The same as a path sees it.
    item: u32,
    too_large: bool,
    /// Where each rule tells what it did, when that is asked for.
    trail: Option<explain::Trail>,
}

impl Writer<'_> {
    /// Writes with an emitter of this expression and context.
    fn with(&mut self, ready: &Ready<'_>, context: Context, write: impl for<'e> FnOnce(&mut Emitter<'e>, &'e Program)) {
        let place = Place { source: self.source, base: ready.formula.origin.offset(0) };
        let text = ready.formula.expression.text();
        let mut emitter = Emitter::new(self.m, &ready.program, place, Names::Slots(&NoNames), text);
        emitter.body = std::mem::replace(&mut self.body, Body::new(1));
        emitter.context = context;
        emitter.begin_with(self.root, self.item);
        write(&mut emitter, &ready.program);
        self.too_large |= emitter.too_large;
        self.body = emitter.body;
    }

    fn handle(&mut self, ready: &Ready<'_>, context: Context) {
        self.with(ready, context, |e, program| e.handle(&program.root));
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
            Plan::Array(array) => match self.trail {
                Some(trail) => self.explained_array(array, context, trail),
                None => self.array(array, context),
            },
            Plan::Value(value) => match self.trail {
                Some(trail) => self.explained_value(value, context, trail),
                None => self.value(value, context),
            },
        }
    }

    fn object(&mut self, fields: &[(&str, Plan<'_>)], context: Context) {
        let input = match context {
            Context::Local(item) => item,
            _ => self.item,
        };
        let mut making = Making::new(&mut self.body);
        for (name, plan) in fields {
            if making.is_full() {
                making.fill(self.m, &mut self.body, input);
            }
            match plan {
                Plan::Value(value) if value.is_plain() && self.trail.is_none() && !self.m.marks() => {
                    if let Origin::Formula(from) = &value.from {
                        self.with(from, context, |e, program| e.made_field(&mut making, name, &program.root));
                    }
                }
                Plan::Object(fields) => {
                    self.object(fields, context);
                    let inner = self.body.stash();
                    // An object into which nothing was put is not set.
                    self.body.ins().local_get(inner);
                    self.body.op(Op::Truthy);
                    self.body.ins().if_(BlockType::Result(ValType::I64)).local_get(inner);
                    self.body.ins().else_().i64_const(abi::UNDEFINED).end();
                    making.handle(name, self.body.stash());
                }
                Plan::Value(_) | Plan::Array(_) => {
                    self.target(plan, context);
                    making.handle(name, self.body.stash());
                }
            }
        }
        making.finish(self.m, &mut self.body, input);
    }

    /// Pushes a value, undefined when its condition is not true.
    fn value(&mut self, value: &ValuePlan<'_>, context: Context) {
        let result = self.body.local(ValType::I64);
        self.body.ins().i64_const(abi::UNDEFINED).local_set(result);
        self.when(value.when.as_ref(), context, |w| {
            w.value_of(value, context);
            w.body.ins().local_set(result);
        });
        self.mark_value(value.site, result);
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
        let value = self.body.stash();
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
        self.mark_array(array.site, result);
        self.body.ins().local_get(result);
    }

    /// Pushes the array of what the records in the array [`ROOT`] give and, where that is `counted`, how many met the
    /// conditions.
    fn records(&mut self, array: &ArrayPlan<'_>, counted: bool) {
        let list = self.body.list();
        let passed = self.body.local(ValType::I32);
        self.body.ins().i32_const(0).local_set(passed).local_get(ROOT);
        self.each_item(|w, item| {
            w.body.ins().block(BlockType::Empty);
            w.with(&array.each, Context::Local(item), |e, program| {
                for condition in conditions(program) {
                    e.condition(condition);
                    e.body.ins().i32_eqz().br_if(0);
                }
            });
            w.body.ins().local_get(passed).i32_const(1).i32_add().local_set(passed);
            w.add_entry(array, item, list);
            w.body.ins().end();
        });
        self.mark_array(array.site, list);
        if counted {
            self.body.ins().local_get(list).local_get(passed).f64_convert_i32_s();
            self.body.op(Op::NewNum);
            self.body.op(Op::ArrPush);
        }
        self.body.ins().local_get(list);
    }

    /// Pushes the array of what a function gives for the items of the array [`ROOT`]: an array adds its items, and
    /// undefined nothing.
    fn each_of(&mut self, one: FunctionId) {
        let list = self.body.list();
        self.body.ins().local_get(ROOT);
        self.each_item(|w, item| {
            w.body.ins().local_get(item);
            w.body.call(one);
            let given = w.body.stash();
            w.body.ins().local_get(given);
            w.body.op(Op::Items);
            w.body.ins().i32_const(0).i32_lt_s().if_(BlockType::Empty).local_get(list).local_get(given);
            w.body.op(Op::ArrPush);
            w.body.ins().else_().local_get(given);
            w.each_item(|w, item| {
                w.body.ins().local_get(list).local_get(item);
                w.body.op(Op::ArrPush);
            });
            w.body.ins().end();
        });
        self.body.ins().local_get(list);
    }

    /// Writes what is done with each item of the handle on the stack, which a local holds; gives the
    /// local with their number.
    fn each_item(&mut self, write: impl FnOnce(&mut Self, u32)) -> u32 {
        let items = self.body.stash();
        let (i, count) = (self.body.local(ValType::I32), self.body.local(ValType::I32));
        let item = self.body.local(ValType::I64);
        self.body.ins().i32_const(0).local_set(i).local_get(items);
        self.body.op(Op::Len);
        self.body.ins().local_set(count).block(BlockType::Empty).loop_(BlockType::Empty);
        self.body.ins().local_get(i).local_get(count).i32_ge_s().br_if(1).local_get(items).local_get(i);
        self.body.op(Op::At);
        self.body.ins().local_set(item);
        write(self, item);
        self.body.ins().local_get(i).i32_const(1).i32_add().local_set(i).br(0).end().end();
        count
    }

    /// Adds the entry of an item to a list.
    fn add_entry(&mut self, array: &ArrayPlan<'_>, item: u32, list: u32) {
        match &array.entry {
            Some(entry) if array.records => self.of_record(item, |w| w.entry(entry, Context::Root)),
            Some(entry) => self.entry(entry, Context::Local(item)),
            None => {
                self.body.ins().local_get(item);
            }
        }
        let entry = self.body.stash();
        self.body.ins().local_get(list).local_get(entry);
        self.body.op(Op::ArrPush);
    }

    /// Writes something whose document is the record in a local.
    fn of_record(&mut self, record: u32, write: impl FnOnce(&mut Self)) {
        let item = root_item(&mut self.body, record);
        let around = (std::mem::replace(&mut self.root, record), std::mem::replace(&mut self.item, item));
        write(self);
        (self.root, self.item) = around;
    }

    /// Pushes the array of entries, or the default where there is none.
    fn entries(&mut self, array: &ArrayPlan<'_>, context: Context) {
        self.handle(&array.each, context);
        let list = self.body.list();
        let count = self.each_item(|w, item| w.add_entry(array, item, list));
        match &array.default {
            Some(default) => {
                self.body.ins().local_get(count).i32_eqz().if_(BlockType::Result(ValType::I64));
                self.array_default(default, context);
                self.body.ins().else_().local_get(list).end();
            }
            None => {
                self.body.ins().local_get(list);
            }
        }
    }
}

mod explain;
mod mark;

pub use explain::explain_module;
pub(crate) use mark::rules;

#[cfg(test)]
mod tests;
