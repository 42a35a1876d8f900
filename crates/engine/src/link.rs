//! Links every intrinsic of the table to the host.
//!
//! One line a row: the arena's method of the same name and the types of its parameters. The line
//! charges the table's cost, the method charges the rest. A failure becomes a trap that carries it;
//! a test holds these lines to the table.

use lockgate_document::Handle;
use lockgate_model::abi::{NAMESPACE, Op};
use wasmtime::{AsContextMut, Caller, Engine, Linker, Result};

use crate::host::Host;

type Run<'a> = Caller<'a, Box<Host>>;

/// A parameter or result as wasm passes it.
trait Wire: Sized {
    type Raw;
    fn from_raw(raw: Self::Raw) -> Self;
    fn into_raw(self) -> Self::Raw;
}

macro_rules! plain {
    ($($type:ty)*) => {$(
        impl Wire for $type {
            type Raw = $type;
            fn from_raw(raw: $type) -> $type { raw }
            fn into_raw(self) -> $type { self }
        }
    )*};
}
plain! { () i32 i64 f64 }

impl Wire for Handle {
    type Raw = i64;
    fn from_raw(raw: i64) -> Self {
        Handle::from_raw(raw)
    }
    fn into_raw(self) -> i64 {
        self.raw()
    }
}
/// An index: wasm has no unsigned integers, so the same bits.
impl Wire for u32 {
    type Raw = i32;
    fn from_raw(raw: i32) -> Self {
        raw.cast_unsigned()
    }
    fn into_raw(self) -> i32 {
        self.cast_signed()
    }
}
impl Wire for bool {
    type Raw = i32;
    fn from_raw(raw: i32) -> Self {
        raw != 0
    }
    fn into_raw(self) -> i32 {
        i32::from(self)
    }
}

/// Takes what was charged off the fuel once enough has gathered.
#[inline]
fn settle(caller: &mut Run<'_>) -> Result<()> {
    if caller.data().is_due() { settle_now(caller) } else { Ok(()) }
}

#[cold]
fn settle_now(caller: &mut Run<'_>) -> Result<()> {
    let mut store = caller.as_context_mut();
    let left = store.get_fuel()?;
    let fuel = store.data_mut().settle(left)?;
    store.set_fuel(fuel)
}

macro_rules! rows {
    ($linker:ident; $($op:ident => $receiver:ident . $method:ident ( $($arg:ident : $type:ty),* );)*) => {$(
        $linker.func_wrap(
            NAMESPACE,
            Op::$op.row().name,
            |mut caller: Run<'_>, $($arg: <$type as Wire>::Raw),*| {
                #[cfg(test)]
                tests::called();
                let host = caller.data_mut();
                host.arena.charge(const { Op::$op.row().cost as u64 })?;
                let result = rows!(@on $receiver host).$method($(<$type as Wire>::from_raw($arg)),*)?;
                settle(&mut caller)?;
                Ok(result.into_raw())
            },
        )?;
    )*};
    (@on arena $host:ident) => { $host.arena };
    (@on host $host:ident) => { $host };
}

/// A linker with exactly the table's intrinsics.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Box<Host>>> {
    let mut linker = Linker::new(engine);
    rows! { linker;
        // frame
        Task => host.task(pc: u32);
        SlotGet => host.slot_get(n: u32);
        SlotSet => host.slot_set(n: u32, h: Handle);
        IntGet => host.int_get(n: u32);
        IntSet => host.int_set(n: u32, v: i64);
        Clock => host.clock();
        Place => host.place();
        Duration => host.duration(h: Handle);
        Between => arena.between(least: i64, most: i64);
        Pause => host.pause(ms: i64, slot: u32);
        Hold => host.hold(h: Handle, k: u32, what: u32);
        Unique => host.unique();
        RunId => host.run_id();
        Shut => host.shut(slot: u32);
        Raise => host.raise(error: Handle);
        Fail => host.fail(code: i32);
        // suspending
        Call => host.call(op: u32, input: Handle, slot: u32, pc: u32);
        Run => host.run(n: u32, input: Handle, slot: u32, pc: u32);
        Wait => host.wait(ms: i64, pc: u32);
        Pull => host.pull(slot: u32, size: u32, first: u32, pc: u32, done: u32);
        Feed => host.feed(slot: u32, pc: u32);
        Fed => host.fed(h: Handle);
        Branch => host.branch(pc: u32, count: i64);
        Fork => host.fork(at_once: u32, how: u32, slot: u32, pc: u32);
        // navigate
        Get => arena.get(h: Handle, k: u32);
        GetKept => arena.get_kept(h: Handle, k: u32);
        GetStep => arena.get_step(h: Handle, k: u32);
        GetEach => arena.get_each(h: Handle, k: u32);
        GetDyn => arena.get_dyn(object: Handle, key: Handle);
        GetTruthy => arena.get_truthy(h: Handle, k: u32);
        GetEq => arena.get_eq(h: Handle, k: u32, b: Handle);
        GetNe => arena.get_ne(h: Handle, k: u32, b: Handle);
        GetCompare => arena.get_cmp(h: Handle, k: u32, b: Handle, how: i32);
        GetSum => arena.get_sum(h: Handle, k: u32);
        Wildcard => arena.wildcard(h: Handle);
        Descend => arena.descend(h: Handle);
        Len => arena.len(h: Handle);
        Items => arena.items(h: Handle);
        At => arena.at(h: Handle, i: i32);
        Batch => arena.batch(list: Handle, n: i64, size: u32);
        Index => arena.index(h: Handle, n: f64);
        Selects => arena.selects(result: Handle, i: i32, n: i32);
        // sequences
        SeqNew => arena.seq_new();
        SeqPush => arena.seq_push(acc: Handle, h: Handle);
        SeqAdd => arena.seq_add(acc: Handle, h: Handle);
        SeqEnd => arena.seq_end(acc: Handle, flags: i32);
        SeqNext => arena.seq_next(acc: Handle, h: Handle, list: Handle, i: i32);
        SeqOne => arena.seq_one(h: Handle, flags: i32);
        Keep => arena.keep(h: Handle);
        Settle => arena.settle(h: Handle, flags: i32);
        // inspect
        KindOf => arena.kind(h: Handle);
        Truthy => arena.truthy(h: Handle);
        Boolean => arena.boolean(h: Handle);
        Eq => arena.eq(a: Handle, b: Handle);
        Ne => arena.ne(a: Handle, b: Handle);
        EqText => arena.eq_text(h: Handle, k: u32);
        Compare => arena.cmp(a: Handle, b: Handle, how: i32);
        In => arena.in_(a: Handle, b: Handle);
        // numbers
        Num => arena.num(h: Handle, code: i32);
        GetNum => arena.get_num(h: Handle, k: u32, code: i32);
        NewNum => arena.new_num(n: f64);
        Rem => arena.rem(a: f64, b: f64);
        Round => arena.round(n: f64, digits: f64);
        Range => arena.range(a: Handle, b: Handle);
        // build
        ArrNew => arena.arr_new(flags: i32);
        ArrOf => arena.arr_of(h: Handle, flags: i32);
        ArrPush => arena.arr_push(a: Handle, h: Handle);
        ArrAppend => arena.arr_append(a: Handle, h: Handle);
        ArrCopy => arena.arr_copy(h: Handle);
        ArrPut => arena.arr_put(a: Handle, i: i32, h: Handle);
        ObjNew => arena.obj_new();
        ObjSet => arena.obj_set(o: Handle, k: u32, h: Handle);
        ObjSetNum => arena.obj_set_num(o: Handle, k: u32, n: f64);
        ObjCopy => arena.obj_copy(o: Handle, dk: u32, h: Handle, sk: u32);
        ObjFill => arena.obj_fill(o: Handle, k: u32, h: Handle, a: i64, b: i64, c: i64, d: i64, e: i64, f: i64);
        ObjSetDyn => arena.obj_set_dyn(o: Handle, key: Handle, h: Handle);
        // strings
        Concat => arena.concat(a: Handle, b: Handle);
        ConcatAll => arena.concat_all(k: u32, h: Handle, a: i64, b: i64, c: i64);
        ToString => arena.to_string(h: Handle, pretty: i32);
        ToNumber => arena.to_number(h: Handle);
        Length => arena.length(s: Handle);
        Substring => arena.substring(s: Handle, start: f64, length: f64);
        Upper => arena.upper(s: Handle);
        Lower => arena.lower(s: Handle);
        Trim => arena.trim(s: Handle);
        Contains => arena.contains(s: Handle, token: Handle);
        Split => arena.split(s: Handle, separator: Handle, limit: f64);
        Replace => arena.replace_in(s: Handle, token: Handle, by: Handle, limit: f64);
        Join => arena.join(list: Handle, separator: Handle);
        Now => arena.now();
        // patterns
        Match => arena.match_all(s: Handle, pattern: Handle, limit: f64);
        Find => arena.find(s: Handle, pattern: Handle, next: i32);
        FindNext => arena.find_next(env: Handle, next: i32);
        SplitAt => arena.split_at(s: Handle, matches: Handle, limit: f64);
        Expand => arena.expand(found: Handle, by: Handle);
        Splice => arena.splice(s: Handle, matches: Handle, parts: Handle);
        // aggregate and arrange
        Sum => arena.sum(list: Handle);
        Count => arena.count(list: Handle);
        Max => arena.max(list: Handle);
        Min => arena.min(list: Handle);
        Average => arena.average(list: Handle);
        Keys => arena.keys(h: Handle);
        Merge => arena.merge(list: Handle);
        Append => arena.append(a: Handle, b: Handle);
        Sort => arena.sort(list: Handle);
        Distinct => arena.distinct(list: Handle);
        Reverse => arena.reverse(list: Handle);
        Pure => arena.pure(function: i32, a: Handle, b: Handle, c: Handle);
        Jq => arena.jq(operation: i32, a: Handle, b: Handle, c: Handle);
        // transform
        Clone => arena.clone_value(h: Handle);
        Update => arena.update(h: Handle, fields: Handle);
        Delete => arena.delete(h: Handle, names: Handle);
        // tuples
        SortBy => arena.sort_by(list: Handle, keys: Handle, descending: i32);
        EnvCopy => arena.env_copy(env: Handle);
        GroupAdd => arena.group_add(groups: Handle, key: Handle, pair: i32, h: Handle);
        GroupPair => arena.group_pair(groups: Handle, key: Handle);
        GroupData => arena.group_data(groups: Handle, key: Handle);
        // functions
        EnvNew => arena.env_new(parent: Handle, n: i32);
        EnvGet => arena.env_get(env: Handle, up: i32, i: i32);
        EnvSet => arena.env_set(env: Handle, i: i32, h: Handle);
        FnNew => arena.fn_new(number: i32, arity: i32, env: Handle);
        FnNumber => arena.fn_number(h: Handle);
        FnArity => arena.fn_arity(h: Handle);
        FnEnv => arena.fn_env(h: Handle);
        Check => arena.check(h: Handle, kind: i32, argument: i32);
    }
    Ok(linker)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::BTreeSet, sync::Arc};

    use lockgate_document::Document;
    use lockgate_model::{
        Limits,
        abi::{DONE, INTRINSICS, Op},
    };

    use super::linker;
    use crate::{
        Control, EngineConfig, Waits,
        config::wasmtime_engine,
        host::Host,
        load::load,
        run::Start,
        tests::wasm::{NOW, Wasm},
    };

    const INVOICE: &str = include_str!("../../../benches/mapping/invoice.jsonata");
    const ORDER: &str = include_str!("../../../orchestrations/order-to-erp/sample.json");

    thread_local! {
        static CALLS: Cell<u32> = const { Cell::new(0) };
    }

    /// An intrinsic is called.
    pub(super) fn called() {
        CALLS.set(CALLS.get() + 1);
    }

    /// How often a run of an expression calls the host, and what it gives.
    fn calls(expression: &str, input: &str) -> (u32, String) {
        let engine = wasmtime_engine(&EngineConfig { stacks_max: 1, ..EngineConfig::default() }).unwrap();
        let wasm = lockgate_compiler::expression_module(expression, false).unwrap().wasm;
        let module = Arc::new(load(&linker(&engine).unwrap(), &wasm, None).unwrap());
        let limits = Limits::default();
        let input = Document::parse(input.as_bytes(), &limits).unwrap();
        let host = Host::new(Start::new(&module, input, limits, NOW, Control::new()), Waits::Virtual).unwrap();
        let mut store = wasmtime::Store::new(&engine, host);
        store.set_epoch_deadline(1_000_000);
        let fuel = store.data_mut().enter(0).unwrap();
        store.set_fuel(fuel).unwrap();
        let instance = module.pre.instantiate(&mut store).unwrap();
        let step = instance.get_typed_func::<i32, i32>(&mut store, "step").unwrap();
        let before = CALLS.get();
        assert_eq!(step.call(&mut store, 0).unwrap(), DONE);
        let calls = CALLS.get() - before;
        let host = store.into_data();
        let mut output = Vec::new();
        host.arena.print_json(host.strand.frame.value(1).unwrap(), &mut output, 1 << 20).unwrap();
        (calls, String::from_utf8(output).unwrap())
    }

    /// Each call costs as much as many instructions: what the compiler saves must not be lost again.
    #[test]
    fn an_invoice_takes_few_calls() {
        let (calls, output) = calls(INVOICE, ORDER);
        assert!(output.starts_with(r#"{"documentType":"INVOICE","externalReference":"SO-1000009""#), "{output}");
        assert!(output.ends_with(r#""net":8513.94,"tax":1400.23,"shipping":4.9,"gross":9919.07}}"#), "{output}");
        assert!(calls <= 60, "{calls}");
    }

    #[test]
    fn the_table_is_linked_with_its_types_and_nothing_else_is() {
        let engine = wasmtime_engine(&EngineConfig { stacks_max: 1, ..EngineConfig::default() }).unwrap();
        let linker = linker(&engine).unwrap();
        // Loading a module that imports every row checks its types on both sides.
        let all = Wasm::new(Op::ALL).task("/do/0").step(&[&|e| e.task(0).end(DONE)]);
        let module = Arc::new(load(&linker, &all.bytes(), None).unwrap());

        let start = Start::new(&module, Document::undefined(), Limits::default(), NOW, Control::new());
        let host = Host::new(start, Waits::Virtual).unwrap();
        let mut store = wasmtime::Store::new(&engine, host);
        let linked: BTreeSet<String> = linker.iter(&mut store).map(|(_, name, _)| name.to_owned()).collect();
        assert_eq!(linked, INTRINSICS.iter().map(|row| row.name.to_owned()).collect());
    }
}
