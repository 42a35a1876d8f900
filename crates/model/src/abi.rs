//! The module ABI: the one table of intrinsics, the handle layout and the custom sections.
//!
//! The compiler emits against this table, the engine links against it, and a test on each side
//! holds them to it. A module has no memory and no table; it imports intrinsics from the
//! namespace [`NAMESPACE`], exports `step(pc: i32) -> i32` and works on documents that the host
//! holds and names by handles.
//!
//! **Handle**: an i64. Bits 0–31 node, 32–47 region slot, 48–63 generation. 0 is *undefined*.
//! Slot [`CONSTANT_REGION`] (generation 0) holds the module's constants, so that a constant's
//! handle is known at compile time: see [`constant`].
//!
//! **Numbers** cross as f64. A NaN is *undefined*: the language has no NaN, and undefined then
//! passes through arithmetic by itself. An infinity is error D1001 where it becomes a value.
//!
//! **Failure**: an intrinsic that fails traps. The success path checks no status. The host finds
//! the place in `lockgate.map` and the static handler of the current task in `lockgate.tasks`.
//!
//! **Names**: the name section (WebAssembly core specification 1.0, appendix "Names") says what each
//! function was compiled from: see [`function_name`].

pub mod jq;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;

/// Version of this ABI. The engine runs every ABI of the last two minors.
pub const ABI: u32 = 1;
/// Bytes of a module that an engine takes.
pub const MODULE_BYTES_MAX: usize = 16 << 20;
/// Import namespace of every intrinsic.
pub const NAMESPACE: &str = "lg";
/// The exported function `(pc: i32) -> i32`.
pub const STEP: &str = "step";

/// `step` ended: the output is in the output slot.
pub const DONE: i32 = 0;
/// `step` suspended: a suspending intrinsic said where to go on.
pub const SUSPEND: i32 = 1;
/// `step` gave up; kept for modules that fault without a trap.
pub const FAULT: i32 = 2;
/// `step` ended a branch: what it gives is in the output slot of its frame.
pub const JOINED: i32 = 3;

/// *Undefined*.
pub const UNDEFINED: i64 = 0;
/// Region slot of the module's constants, generation 0.
pub const CONSTANT_REGION: u16 = 1;
/// Node of the constant `null`.
pub const NODE_NULL: u32 = 1;
/// Node of the constant `false`.
pub const NODE_FALSE: u32 = 2;
/// Node of the constant `true`.
pub const NODE_TRUE: u32 = 3;
/// Node of the module's first constant; the others follow in order.
pub const NODE_FIRST: u32 = 4;

/// Handle of a node of the constant region.
pub const fn constant_node(node: u32) -> i64 {
    ((CONSTANT_REGION as i64) << 32) | node as i64
}
/// Handle of the module's constant number `index`.
pub const fn constant(index: u32) -> i64 {
    constant_node(NODE_FIRST + index)
}

/// What `kind` returns.
pub mod kind {
    /// Undefined.
    pub const UNDEFINED: i32 = 0;
    /// null.
    pub const NULL: i32 = 1;
    /// A boolean.
    pub const BOOLEAN: i32 = 2;
    /// A number.
    pub const NUMBER: i32 = 3;
    /// A string.
    pub const STRING: i32 = 4;
    /// An array.
    pub const ARRAY: i32 = 5;
    /// An object.
    pub const OBJECT: i32 = 6;
    /// A function value.
    pub const FUNCTION: i32 = 7;
}

/// Flags of an array: how a sequence came to be decides how it flattens.
pub mod array {
    /// Made by path navigation: a single item stands for itself, none is undefined.
    pub const SEQUENCE: i32 = 1;
    /// Made by an array constructor: not flattened into an outer path result.
    pub const CONS: i32 = 2;
    /// `[]` was asked for: a single item stays in its array.
    pub const KEEP: i32 = 4;
}

/// Flags of `seq_end`.
pub mod seq {
    /// Keep a single item in its array.
    pub const KEEP: i32 = 1;
    /// The last step of a path: one plain array as only result stands for itself, unflattened.
    pub const LAST: i32 = 2;
    /// Between two steps: the sequence stays a sequence, whatever its length.
    pub const INNER: i32 = 4;
}

/// A constant that is a pattern: an object of these two texts.
pub mod pattern {
    /// What stands between the slashes.
    pub const SOURCE: &str = "pattern";
    /// The flags behind them.
    pub const FLAGS: &str = "flags";
}

/// A constant that says what a new value is made of: an object whose fields are the new object's, or an
/// array of the parts of a text. Each is one of
///
/// * an array of names, a path: what `get` gives for it;
/// * a number, an argument: the handle given in that place, the first is 0;
/// * `{"number": n}`, an argument that holds the bits of an f64 instead; it is not infinite;
/// * `{"value": …}`: this value.
pub mod plan {
    /// Arguments that a call takes beside the plan.
    pub const ARGUMENTS: usize = 6;
    /// Key of an argument that is an f64.
    pub const NUMBER: &str = "number";
    /// Key of a value.
    pub const VALUE: &str = "value";
}

/// How the branches of a `fork` come together.
pub mod fork {
    /// All end well: an array of what they gave, null for nothing. The first failure fails the fork and ends the others.
    pub const JOIN: u32 = 0;
    /// What the first gave that ended well; the others end. Only when all have failed does the fork, as the last one.
    pub const COMPETE: u32 = 1;
    /// All end, well or not: `{"output": [what they gave], "errors": [{"index", "error"}]}`.
    pub const COLLECT: u32 = 2;
}

/// Comparisons of `cmp`.
pub mod cmp {
    /// `<`
    pub const LT: i32 = 0;
    /// `<=`
    pub const LE: i32 = 1;
    /// `>`
    pub const GT: i32 = 2;
    /// `>=`
    pub const GE: i32 = 3;
}

/// A value type at the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// A document handle (i64 in wasm).
    Handle,
    /// A plain i64.
    I64,
    /// An i32: an index, a flag, a truth value.
    I32,
    /// A number; NaN is undefined.
    F64,
}

/// One intrinsic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intrinsic {
    /// Import name.
    pub name: &'static str,
    /// Parameters: `h` handle, `l` i64, `i` i32, `f` f64.
    params: &'static str,
    /// Result, or empty.
    result: &'static str,
    /// Units charged for each call, besides what it charges for bytes and items.
    pub cost: u32,
}

impl Intrinsic {
    /// Parameter types.
    pub fn params(&self) -> impl Iterator<Item = Type> {
        self.params.bytes().map(type_of)
    }
    /// Result type.
    pub fn result(&self) -> Option<Type> {
        self.result.bytes().next().map(type_of)
    }
}

fn type_of(letter: u8) -> Type {
    match letter {
        b'h' => Type::Handle,
        b'l' => Type::I64,
        b'i' => Type::I32,
        _ => Type::F64,
    }
}

macro_rules! intrinsics {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $params:literal $result:literal $cost:literal;)*) => {
        /// Names of the intrinsics; the discriminant is the row in [`INTRINSICS`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Op { $($(#[doc = $doc])* $variant,)* }
        /// The table.
        pub const INTRINSICS: &[Intrinsic] = &[$(Intrinsic { name: $name, params: $params, result: $result, cost: $cost },)*];
        impl Op {
            /// All intrinsics in the order of the table.
            pub const ALL: &'static [Op] = &[$(Op::$variant,)*];
            /// The row of this intrinsic.
            pub const fn row(self) -> Intrinsic {
                match self { $(Op::$variant => Intrinsic { name: $name, params: $params, result: $result, cost: $cost },)* }
            }
        }
    };
}

// A `code` parameter is the number of a standard error without its letter: 2001 is T2001, 1001 D1001.
// `k` below is the index of a string constant (handle `constant(k)`). Where it names the field that is read it
// may be the index of an array of strings as well: a path, whose fields before the last are read as by `get_step`.
intrinsics! {
    // --- frame
    /// `task(pc)`: task `pc` begins: it is current for errors and timings; the scratch region is emptied.
    Task "task" "i" "" 4;
    /// `slot_get(n)`: value slot `n` of the frame.
    SlotGet "slot_get" "i" "h" 1;
    /// `slot_set(n, h)`: the slot owns a copy of what scratch or its old region holds; a function is fault LG-FUNCTION-IN-SLOT.
    SlotSet "slot_set" "ih" "" 4;
    /// `int_get(n)`: i64 slot `n`.
    IntGet "int_get" "i" "l" 1;
    /// `int_set(n, v)`.
    IntSet "int_set" "il" "" 1;
    /// `place()`: which of its fork's branches this one is, from 0.
    Place "place" "" "l" 1;
    /// `clock()`: milliseconds since the epoch, fixed for the step.
    Clock "clock" "" "l" 1;
    /// `duration(h)`: milliseconds of a length of time: ISO 8601, or an object of units, up to 366 days; anything else is fault LG-DURATION.
    Duration "duration" "h" "l" 4;
    /// `between(least, most)`: a number from the one to the other by chance.
    Between "between" "ll" "l" 2;
    /// `pause(ms, n)`: the pause before another attempt: `ms`, or longer where the endpoint said so whose error is in value
    /// slot `n`; 366 days at most.
    Pause "pause" "li" "l" 1;
    /// `hold(h, k, what)`: fails with a validation error unless the value is of the JSON Schema that constant `k` is;
    /// string constant `what` is what the error calls it.
    Hold "hold" "hii" "" 16;
    /// `unique()`: a text that no other call gives: a UUID (RFC 9562, version 4).
    Unique "unique" "" "h" 16;
    /// `run_id()`: the run's id as text.
    RunId "run_id" "" "h" 4;
    /// `shut(slot)`: the stream of this slot is not wanted any more. Not suspending.
    Shut "shut" "i" "" 4;
    /// `raise(error)`: ends the step with this error object; `instance` is added when absent.
    Raise "raise" "h" "" 8;
    /// `fail(code)`: ends the step with a standard expression error at this place; see [`error_name`].
    Fail "fail" "i" "" 1;
    // --- suspending: note it and return SUSPEND
    /// `call(op, input, slot, pc)`: operation `op` of `lockgate.ops`; the answer goes to `slot`, step goes on at `pc`.
    Call "call" "ihii" "" 32;
    /// `run(n, input, slot, pc)`: orchestration `n` of the manifest's `runs`; its output goes to `slot`, which is left alone
    /// where its end is not waited for.
    Run "run" "ihii" "" 32;
    /// `wait(ms, pc)`.
    Wait "wait" "li" "" 32;
    /// `pull(slot, size, first, pc, done)`: the next records of a stream, so many (0: as they come), as an array in `slot`,
    /// which names the stream; step goes on at `pc`, and at `done` where there are none. `first` is 1 where the stream
    /// begins: it is the one that the call before opened.
    Pull "pull" "iiiii" "" 32;
    /// `feed(slot, pc)`: records of the stream that the next `call` takes go by `pc`: step is called there with some of them
    /// as an array in `slot`, and ends with `fed`. What is fed goes by each of these in turn.
    Feed "feed" "ii" "" 4;
    /// `fed(h)`: the records that `pc` makes of those, an array; none where it is undefined.
    Fed "fed" "h" "" 32;
    /// `branch(pc, count)`: the fork that follows has so many more branches that begin at `pc`.
    Branch "branch" "il" "" 4;
    /// `fork(at_once, how, slot, pc)`: runs these branches, at most so many at once (0: all); see [`fork`] for what goes to
    /// `slot` when they have ended. Each has a frame of its own that begins as a copy of this one; it ends with JOINED.
    Fork "fork" "iiii" "" 32;
    // --- navigate
    /// `get(h, k)`: field `k`; over an array it maps and flattens to a sequence (one item stands for itself, none is undefined).
    Get "get" "hi" "h" 2;
    /// `get_kept(h, k)`: like `get` where the path has `[]`: one item stays an array.
    GetKept "get_kept" "hi" "h" 3;
    /// `get_step(h, k)`: like `get` between two steps of a path: a sequence of one stays a sequence where its item is an array.
    GetStep "get_step" "hi" "h" 2;
    /// `get_each(h, k)`: like `get_step` where the loop that follows asks the filters of the step: every array that a
    /// context gives is its items.
    GetEach "get_each" "hi" "h" 2;
    /// `get_dyn(object, key)`: `$lookup`: like `get` with a computed key.
    GetDyn "get_dyn" "hh" "h" 3;
    /// `get_truthy(h, k)`: `truthy(get(h, k))`.
    GetTruthy "get_truthy" "hi" "i" 2;
    /// `get_eq(h, k, b)`: `eq(get(h, k), b)`.
    GetEq "get_eq" "hih" "i" 3;
    /// `get_ne(h, k, b)`: `ne(get(h, k), b)`.
    GetNe "get_ne" "hih" "i" 3;
    /// `get_cmp(h, k, b, how)`: `cmp(get(h, k), b, how)`.
    GetCompare "get_cmp" "hihi" "h" 3;
    /// `get_sum(h, k)`: `sum(get(h, k))`.
    GetSum "get_sum" "hi" "f" 3;
    /// `wildcard(h)`: all values of an object, or all items; a sequence.
    Wildcard "wildcard" "h" "h" 4;
    /// `descend(h)`: the value and all below it; a sequence.
    Descend "descend" "h" "h" 8;
    /// `len(h)`: items of an array, 0 for undefined, else 1.
    Len "len" "h" "i" 1;
    /// `items(h)`: items of an array, 0 for undefined, -1 for any other value.
    Items "items" "h" "i" 1;
    /// `at(h, i)`: item `i` of an array; a single value is its own item 0; else undefined.
    At "at" "hi" "h" 1;
    /// `batch(list, n, size)`: an array of the items of batch `n`, from 0, of an array cut into batches of so many; a
    /// single value is its own item; none is undefined.
    Batch "batch" "hli" "h" 4;
    /// `index(h, n)`: a constant predicate: floor(n), negative from the end.
    Index "index" "hf" "h" 2;
    /// `selects(result, i, n)`: does a predicate's result select item `i` of `n`: a number (or an array of numbers) by place, else by truth.
    Selects "selects" "hii" "i" 2;
    // --- sequences
    /// `seq_new()`: an open sequence.
    SeqNew "seq_new" "" "h" 4;
    /// `seq_push(acc, h)`: adds a step's result: undefined adds nothing, an array that is not `cons` adds its items.
    SeqPush "seq_push" "hh" "" 2;
    /// `seq_add(acc, h)`: adds one item as it is; undefined adds nothing.
    SeqAdd "seq_add" "hh" "" 2;
    /// `seq_end(acc, flags)`: closes it: see [`seq`].
    SeqEnd "seq_end" "hi" "h" 2;
    /// `seq_next(acc, h, list, i)`: `seq_push(acc, h)`, then `at(list, i)`.
    SeqNext "seq_next" "hhhi" "h" 3;
    /// `seq_one(h, flags)`: a sequence of this one result, closed: `seq_new`, `seq_push` and `seq_end`.
    SeqOne "seq_one" "hi" "h" 2;
    /// `keep(h)`: `[]` on a path's result: it stays an array with one item; undefined stays undefined.
    Keep "keep" "h" "h" 2;
    /// `settle(h, flags)`: what a call gave, once the call's expression ends: an empty sequence is undefined, one
    /// item stands for itself unless it is kept, now (see [`seq`]) or before.
    Settle "settle" "hi" "h" 2;
    // --- inspect
    /// `kind(h)`: see [`kind`].
    KindOf "kind" "h" "i" 1;
    /// `truthy(h)`: 1 when `$boolean` gives true; undefined is 0.
    Truthy "truthy" "h" "i" 1;
    /// `boolean(h)`: `$boolean`: undefined stays undefined.
    Boolean "boolean" "h" "h" 1;
    /// `eq(a, b)`: deep and exact equality; 0 when either is undefined.
    Eq "eq" "hh" "i" 2;
    /// `ne(a, b)`: 1 when both are defined and differ.
    Ne "ne" "hh" "i" 2;
    /// `eq_text(h, k)`: `h` is a string equal to constant `k`.
    EqText "eq_text" "hi" "i" 2;
    /// `cmp(a, b, how)`: see [`cmp`]; undefined when either is undefined; T2009, T2010.
    Compare "cmp" "hhi" "h" 2;
    /// `in(a, b)`: membership; 0 when either is undefined.
    In "in" "hh" "i" 2;
    // --- numbers
    /// `num(h, code)`: its f64; undefined is NaN; anything else is error `code`.
    Num "num" "hi" "f" 1;
    /// `get_num(h, k, code)`: `num(get(h, k), code)`.
    GetNum "get_num" "hii" "f" 2;
    /// `new_num(n)`: NaN is undefined; an infinity is D1001.
    NewNum "new_num" "f" "h" 2;
    /// `rem(a, b)`: the remainder with the dividend's sign (ECMAScript `%`).
    Rem "rem" "ff" "f" 2;
    /// `round(n, digits)`: half to even (`$round`); NaN digits is 0.
    Round "round" "ff" "f" 2;
    /// `range(a, b)`: `a..b`; T2003, T2004, D2014.
    Range "range" "hh" "h" 4;
    // --- build
    /// `arr_new(flags)`: an empty array; see [`array`].
    ArrNew "arr_new" "i" "h" 4;
    /// `arr_of(h, flags)`: `arr_new(flags)` with what `arr_append` adds.
    ArrOf "arr_of" "hi" "h" 4;
    /// `arr_push(a, h)`: adds one item as it is; undefined adds nothing.
    ArrPush "arr_push" "hh" "" 2;
    /// `arr_append(a, h)`: adds the items of an array, or one item; undefined adds nothing.
    ArrAppend "arr_append" "hh" "" 2;
    /// `arr_copy(h)`: a new array of the same items, or of the one item; for sorting in place.
    ArrCopy "arr_copy" "h" "h" 4;
    /// `arr_put(a, i, h)`: replaces item `i`.
    ArrPut "arr_put" "hih" "" 1;
    /// `obj_new()`.
    ObjNew "obj_new" "" "h" 4;
    /// `obj_set(o, k, h)`: adds or replaces field `k`; undefined adds nothing.
    ObjSet "obj_set" "hih" "" 2;
    /// `obj_set_num(o, k, n)`: `obj_set(o, k, new_num(n))`.
    ObjSetNum "obj_set_num" "hif" "" 3;
    /// `obj_copy(o, dk, h, sk)`: `obj_set(o, dk, get(h, sk))`.
    ObjCopy "obj_copy" "hihi" "" 3;
    /// `obj_fill(o, k, h, a, b, c, d, e, f)`: adds or replaces all fields of constant `k`, a [`plan`] on `h`; to a
    /// new object when `o` is undefined; gives the object. Undefined adds nothing.
    ObjFill "obj_fill" "hihllllll" "h" 4;
    /// `obj_set_dyn(o, key, h)`: key must be a string (T1003); a key twice is D1009.
    ObjSetDyn "obj_set_dyn" "hhh" "" 3;
    // --- strings
    /// `concat(a, b)`: the operator `&`: each as by `$string`, undefined is empty.
    Concat "concat" "hh" "h" 4;
    /// `concat_all(k, h, a, b, c)`: `concat` of all parts of constant `k`, a [`plan`] on `h`; undefined where that
    /// fails for one of them.
    ConcatAll "concat_all" "ihlll" "h" 4;
    /// `to_string(h, pretty)`: `$string`.
    ToString "to_string" "hi" "h" 4;
    /// `to_number(h)`: `$number`; D3030, T0410.
    ToNumber "to_number" "h" "f" 4;
    /// `length(s)`: `$length` in characters (code points).
    Length "length" "h" "f" 2;
    /// `substring(s, start, length)`: `$substring`; NaN length is to the end.
    Substring "substring" "hff" "h" 4;
    /// `upper(s)`.
    Upper "upper" "h" "h" 4;
    /// `lower(s)`.
    Lower "lower" "h" "h" 4;
    /// `trim(s)`: runs of white space become one blank, none at the ends.
    Trim "trim" "h" "h" 4;
    /// `contains(s, token)`: 0 or 1; both defined strings, or the token a pattern (see [`pattern`]).
    Contains "contains" "hh" "i" 4;
    /// `split(s, separator, limit)`: by a string or a pattern; NaN limit is none; D3020.
    Split "split" "hhf" "h" 4;
    /// `replace(s, token, by, limit)`: a string or a pattern by a string; NaN limit is none; D3010, D3011.
    Replace "replace" "hhhf" "h" 4;
    /// `join(list, separator)`: undefined separator is empty; T0412.
    Join "join" "hh" "h" 4;
    /// `now()`: `$now()`: the run's time as RFC 3339 with milliseconds in UTC.
    Now "now" "" "h" 4;
    // --- patterns
    /// `match(s, pattern, limit)`: `$match`; NaN limit is none; D3040.
    Match "match" "hhf" "h" 8;
    /// `find(s, pattern, next)`: the first match as a matcher function gives it, function number `next` as its `next`.
    Find "find" "hhi" "h" 8;
    /// `find_next(env, next)`: what such a function gives, in its environment; D1004.
    FindNext "find_next" "hi" "h" 8;
    /// `split_at(s, matches, limit)`: the parts of a string between matches, as many as the limit; NaN is none.
    SplitAt "split_at" "hhf" "h" 4;
    /// `expand(match, by)`: a replacement with what matched for `$0`, `$1` ….
    Expand "expand" "hh" "h" 4;
    /// `splice(s, matches, parts)`: a string with a part for each match.
    Splice "splice" "hhh" "h" 4;
    // --- aggregate and arrange
    /// `sum(list)`: NaN for undefined; T0412.
    Sum "sum" "h" "f" 2;
    /// `count(list)`: 0 for undefined.
    Count "count" "h" "f" 2;
    /// `max(list)`.
    Max "max" "h" "f" 2;
    /// `min(list)`.
    Min "min" "h" "f" 2;
    /// `average(list)`.
    Average "average" "h" "f" 2;
    /// `keys(h)`: of an object, or of all objects in a list.
    Keys "keys" "h" "h" 4;
    /// `merge(list)`: objects into one, the last wins.
    Merge "merge" "h" "h" 4;
    /// `append(a, b)`: `$append`.
    Append "append" "hh" "h" 4;
    /// `sort(list)`: numbers or strings, stable; D3070.
    Sort "sort" "h" "h" 4;
    /// `distinct(list)`.
    Distinct "distinct" "h" "h" 4;
    /// `reverse(list)`.
    Reverse "reverse" "h" "h" 4;
    /// `pure(function, a, b, c)`: a built-in of values alone, see [`Function`].
    Pure "pure" "ihhh" "h" 4;
    /// `jq(operation, a, b, c)`: an operation of jq on values, see [`jq::Operation`].
    Jq "jq" "ihhh" "h" 4;
    // --- transform
    /// `clone(h)`: a copy down to the last value, which may be changed.
    Clone "clone" "h" "h" 4;
    /// `update(h, fields)`: sets the fields of an object in another; T2011.
    Update "update" "hh" "" 4;
    /// `delete(h, names)`: removes fields by a name or a list of names; T2012.
    Delete "delete" "hh" "" 4;
    // --- tuples
    /// `sort_by(list, keys, descending)`: by keys, an environment for each item; bit `n` turns key `n` around. T2007, T2008.
    SortBy "sort_by" "hhi" "h" 4;
    /// `env_copy(env)`: another environment with the same variables.
    EnvCopy "env_copy" "h" "h" 4;
    /// `group_add(groups, key, pair, h)`: adds to the object `groups` an item under a key that `pair` gave; T1003, D1009.
    GroupAdd "group_add" "hhih" "" 4;
    /// `group_pair(groups, key)`: the pair that gave the key.
    GroupPair "group_pair" "hh" "i" 2;
    /// `group_data(groups, key)`: the items under a key: none, one as it is, or an array.
    GroupData "group_data" "hh" "h" 4;
    // --- functions
    /// `env_new(parent, n)`: an environment of `n` variables, all undefined.
    EnvNew "env_new" "hi" "h" 4;
    /// `env_get(env, up, i)`: variable `i`, `up` environments out.
    EnvGet "env_get" "hii" "h" 1;
    /// `env_set(env, i, h)`.
    EnvSet "env_set" "hih" "" 1;
    /// `fn_new(number, arity, env)`: a function value.
    FnNew "fn_new" "iih" "h" 4;
    /// `fn_number(h)`: its number; anything else is T1006.
    FnNumber "fn_number" "h" "i" 1;
    /// `fn_arity(h)`: how many parameters it takes.
    FnArity "fn_arity" "h" "i" 1;
    /// `fn_env(h)`: the environment it was made in.
    FnEnv "fn_env" "h" "h" 1;
    /// `check(h, type, argument)`: argument number `argument` of a built-in has this type, else T0410
    /// (T0412 for an array of something else): a letter of the signature language, or `0x80 | letter` for an array of it.
    Check "check" "hii" "h" 2;
}

macro_rules! functions {
    ($($variant:ident $name:literal $params:literal;)*) => {
        /// Built-ins of values alone; the discriminant is what [`Op::Pure`] is given.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Function { $(#[doc = concat!("`$", $name, "`")] $variant,)* }
        impl Function {
            /// All of them, by number.
            pub const ALL: &'static [Function] = &[$(Function::$variant,)*];
            /// Its name without the `$`.
            pub const fn name(self) -> &'static str {
                match self { $(Function::$variant => $name,)* }
            }
            /// A letter of the signature language for each parameter, which undefined always passes.
            pub const fn params(self) -> &'static str {
                match self { $(Function::$variant => $params,)* }
            }
            /// The one of this name.
            pub fn find(name: &str) -> Option<Function> {
                Function::ALL.iter().copied().find(|function| function.name() == name)
            }
        }
    };
}

functions! {
    Type "type" "x";
    Sqrt "sqrt" "n";
    Power "power" "nn";
    Error "error" "s";
    Assert "assert" "bs";
    Spread "spread" "x";
    Shuffle "shuffle" "a";
    Random "random" "";
    Millis "millis" "";
    Zip "zip" "an";
    SubstringBefore "substringBefore" "ss";
    SubstringAfter "substringAfter" "ss";
    FormatNumber "formatNumber" "nso";
    FormatInteger "formatInteger" "ns";
    ParseInteger "parseInteger" "ss";
    FromMillis "fromMillis" "nss";
    ToMillis "toMillis" "ss";
    Now "now" "ss";
    FormatBase "formatBase" "nn";
    Pad "pad" "sns";
    Base64Encode "base64encode" "s";
    Base64Decode "base64decode" "s";
    EncodeUrlComponent "encodeUrlComponent" "s";
    EncodeUrl "encodeUrl" "s";
    DecodeUrlComponent "decodeUrlComponent" "s";
    DecodeUrl "decodeUrl" "s";
}

/// Characters of a function's name at most.
pub const FUNCTION_NAME_CHARS_MAX: usize = 100;
/// What stands for the middle of a longer name.
const OMITTED: char = '…';
/// Characters at the start of a name that is cut: the end tells more.
const NAME_HEAD_CHARS: usize = 24;

/// A function's name as the name section has it, and as messages show one that they read there: at most
/// [`FUNCTION_NAME_CHARS_MAX`] characters, without the middle of what is longer, and `_` for every character that
/// is neither visible ASCII, a blank, a letter nor a digit. Names hold the publisher's own words (names of flows, tasks and
/// mappings) and end up in terminals and logs.
///
/// | name | compiled from |
/// |---|---|
/// | `flow orders` | the tasks of a flow: the entry point `step` |
/// | `/do/0/fetch line 12` | an expression of that task, on that line of the flow's file |
/// | `/do/0/fetch value` | an object or array of that task with expressions in it |
/// | `map erp-order` | the rules of a mapping |
/// | `map erp-order line 14 function 0` | a function in the rule on that line |
/// | `expression line 1` | an expression without a flow |
///
/// All others are parts of the language that expressions share.
pub fn function_name(text: &str) -> String {
    let shown = |c: char| if c.is_ascii_graphic() || c == ' ' || c == OMITTED || c.is_alphanumeric() { c } else { '_' };
    let count = text.chars().count();
    let Some(over) = count.checked_sub(FUNCTION_NAME_CHARS_MAX).filter(|over| *over > 0) else {
        return text.chars().map(shown).collect();
    };
    let head = text.chars().take(NAME_HEAD_CHARS);
    let tail = text.chars().skip(NAME_HEAD_CHARS + over + 1);
    head.chain([OMITTED]).chain(tail).map(shown).collect()
}

/// Code of error U1001 (too deep a recursion) for `fail`: codes of the letter U are negative.
pub const TOO_DEEP: i32 = -1001;

/// The standard's name of an error code as intrinsics carry it: a number without its letter.
pub fn error_name(code: i32) -> String {
    let letter = match code {
        ..=-1 => 'U',
        410..=412 | 1003 | 1005..=1008 | 1010 | 2001..=2004 | 2006..=2013 => 'T',
        _ => 'D',
    };
    format!("{letter}{:04}", code.unsigned_abs())
}

/// Custom section names. All hold canonical JSON.
pub mod section {
    /// [`super::Header`].
    pub const HEADER: &str = "lockgate.abi";
    /// A JSON array; item `i` is constant `i`.
    pub const CONSTS: &str = "lockgate.consts";
    /// [`crate::Manifest`].
    pub const OPS: &str = "lockgate.ops";
    /// [`super::Frame`].
    pub const FRAME: &str = "lockgate.frame";
    /// `[Task]`, indexed by pc.
    pub const TASKS: &str = "lockgate.tasks";
    /// [`super::SourceMap`].
    pub const MAP: &str = "lockgate.map";
}

/// What the module is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// ABI version.
    pub abi: u32,
    /// Compiler version.
    pub compiler: String,
    /// Name of the orchestration, mapping or `expression`.
    pub name: String,
    /// Namespace of the orchestration (`document.namespace`); else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Version of the orchestration as its author counts (`document.version`); else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
}

/// The slots of a frame, numbered statically.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Frame {
    /// Number of value slots.
    pub values: u32,
    /// Number of i64 slots.
    pub ints: u32,
    /// Slot that holds the run's input at the start.
    pub input: u32,
    /// Slot that holds the output when `step` returns DONE.
    pub output: u32,
}

/// One entry point of `step`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Pointer into the flow, such as `/do/0/validate`.
    pub pointer: String,
    /// Where to go on when it fails, and the slot that gets the error; absent: the run faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<Handler>,
    /// The innermost time limit that it runs under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Timeout>,
}

/// A time limit of a task, for all entry points in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeout {
    /// The i64 slot that holds its end, in milliseconds since the epoch.
    pub slot: u32,
    /// The entry point, before those that have the limit, at which it fails: there is its handler, and there the
    /// next limit around it.
    pub pc: u32,
}

/// The static handler of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handler {
    /// `step(pc)` of the handler.
    pub pc: u32,
    /// Value slot that receives the error object.
    pub slot: u32,
}

/// Where each intrinsic call stands in the sources.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceMap {
    /// Names of the source files.
    pub sources: Vec<String>,
    /// By source file the bytes of its lines, each with its end, as far as places stand in them. A place past them
    /// stands in the line behind; of a file that is not there no line is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Vec<u32>>,
    /// Tokens that errors name.
    pub tokens: Vec<String>,
    /// Sorted by function and offset.
    pub places: Vec<Place>,
}

/// A place: in function `func` (index among the module's own functions), from byte `offset` of its body on.
///
/// There is one for each rule and expression and for each call in them that may fail, so it is written short: an
/// array of its fields in this order, the span as an array of its two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Place {
    /// Function, counted without imports.
    pub func: u32,
    /// Byte offset in the function's body (from the start of its locals).
    pub offset: u32,
    /// Index into `sources`.
    pub source: u32,
    /// Where in that source.
    pub span: Span,
    /// Offset of this expression in characters from its own start, as the standard counts positions.
    pub position: u32,
    /// Index into `tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u32>,
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { func, offset, source, span, position, token } = self;
        (func, offset, source, (span.start, span.end), position, token).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_short_and_read_in_both_ways() {
        let place = Place { func: 1, offset: 27, source: 0, span: Span::new(27, 30), position: 20, token: None };
        assert_eq!(serde_json::to_string(&place).unwrap(), "[1,27,0,[27,30],20,null]");
        let long = r#"{"func":1,"offset":27,"position":20,"source":0,"span":{"end":30,"start":27},"token":null}"#;
        for text in ["[1,27,0,[27,30],20,null]", long] {
            assert_eq!(serde_json::from_str::<Place>(text).unwrap(), place);
        }
        for text in ["[]", "[1,27,0,[27],20,null]", "[1,27,0,[27,30],20,null,0]", "[-1,27,0,[27,30],20,null]"] {
            assert!(serde_json::from_str::<Place>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_of_functions_are_short_and_plain() {
        assert_eq!(function_name("/do/0/für das ERP line 3"), "/do/0/für das ERP line 3");
        assert_eq!(function_name("a\nb\u{1b}[2J\u{202e}\u{200b}\0"), "a_b_[2J___");
        let exact = "x".repeat(FUNCTION_NAME_CHARS_MAX);
        assert_eq!(function_name(&exact), exact);
        let long = function_name(&format!("/do/0/{} line 3", "ü".repeat(100_000)));
        assert_eq!(long.chars().count(), FUNCTION_NAME_CHARS_MAX);
        assert!(long.starts_with("/do/0/ü") && long.contains('…') && long.ends_with("ü line 3"), "{long}");
        // What was cut is not cut again.
        assert_eq!(function_name(&long), long);
    }

    #[test]
    fn the_table_is_well_formed() {
        let mut names = std::collections::BTreeSet::new();
        assert_eq!(Op::ALL.len(), INTRINSICS.len());
        for (op, row) in Op::ALL.iter().zip(INTRINSICS) {
            assert!(names.insert(row.name), "{} twice", row.name);
            assert_eq!(op.row(), *row);
            assert!(row.params.bytes().chain(row.result.bytes()).all(|b| b"hlif".contains(&b)), "{}", row.name);
            assert!(row.result.len() <= 1 && row.cost > 0);
        }
    }

    #[test]
    fn codes_have_the_standards_names() {
        for (code, name) in [
            (410, "T0410"),
            (1001, "D1001"),
            (1003, "T1003"),
            (2001, "T2001"),
            (2014, "D2014"),
            (3030, "D3030"),
            (TOO_DEEP, "U1001"),
        ] {
            assert_eq!(error_name(code), name);
        }
    }

    #[test]
    fn constants_have_static_handles() {
        assert_eq!(constant_node(NODE_NULL), 0x0000_0001_0000_0001);
        assert_eq!(constant(0), 0x0000_0001_0000_0004);
    }
}
