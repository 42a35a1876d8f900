//! The state of writing one expression: the function under construction, where variables and the
//! context are, and the small pieces that all forms share.

use std::collections::BTreeMap;

use lockgate_mapping::expression::ir::{Constant, Expr, LambdaId, Program, ScopeId, VariableId};
use lockgate_model::{
    abi::{self, Op, kind},
    diagnostic::Span,
};
use wasm_encoder::{BlockType, ValType};

use super::Scope;
use crate::module::{At, Body, ModuleBuilder};

/// Where an expression stands: its file and its offset there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) source: u32,
    pub(crate) base: usize,
}

/// Who provides the names that are not the expression's own.
#[derive(Clone, Copy)]
pub(crate) enum Names<'a> {
    /// Frame slots.
    Slots(&'a dyn Scope),
    /// Fields of the object in this slot.
    Bindings(u32),
}

/// Where the context value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// It is the root of the document.
    Root,
    /// An i64 local.
    Local(u32),
    /// There is none.
    Null,
}

/// Where the root is.
#[derive(Debug, Clone, Copy)]
enum Root {
    /// Locals: the root, and the root as a path sees it (an array is one item).
    Locals(u32, u32),
    /// The same in globals, for lifted functions.
    Globals(u32, u32),
}

/// An environment in the chain of those around the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Env {
    /// Of a scope.
    Scope(ScopeId),
    /// Of the context that a function captured.
    Context(LambdaId),
}

/// Writes one expression.
pub(crate) struct Emitter<'a> {
    pub(crate) m: &'a mut ModuleBuilder,
    pub(super) program: &'a Program,
    pub(crate) body: Body,
    place: Place,
    names: Names<'a>,
    text: &'a str,
    pub(crate) context: Context,
    root: Root,
    /// Locals of this function's variables.
    pub(super) variables: BTreeMap<VariableId, u32>,
    /// Environments from the outermost in, over all functions around.
    pub(super) envs: Vec<Env>,
    /// The local that holds the innermost environment.
    pub(super) env: Option<u32>,
    /// A function lifted out of the expression is larger than an engine takes.
    pub(crate) too_large: bool,
    /// How deep in this function's expressions the code stands, where that counts for the limit of
    /// nested calls.
    pub(super) nesting: Option<u32>,
}

/// A local with the document in `root` as the input of a path: an array is one item.
pub(crate) fn root_item(body: &mut Body, root: u32) -> u32 {
    let item = body.local(ValType::I64);
    body.ins().local_get(root).local_set(item).local_get(root);
    body.op(Op::KindOf);
    body.ins().i32_const(kind::ARRAY).i32_eq().if_(BlockType::Empty);
    body.op(Op::SeqNew);
    body.ins().local_tee(item).local_get(root);
    body.op(Op::SeqAdd);
    body.ins().local_get(item).i32_const(abi::seq::INNER);
    body.op(Op::SeqEnd);
    body.ins().local_set(item).end();
    item
}

/// What changes when the code of another function is written.
pub(super) struct Suspended {
    body: Body,
    context: Context,
    root: Root,
    variables: BTreeMap<VariableId, u32>,
    env: Option<u32>,
    envs: usize,
    nesting: Option<u32>,
}

impl<'a> Emitter<'a> {
    pub(crate) fn new(
        m: &'a mut ModuleBuilder,
        program: &'a Program,
        place: Place,
        names: Names<'a>,
        text: &'a str,
    ) -> Self {
        Self {
            m,
            program,
            body: Body::new(1),
            place,
            names,
            text,
            context: Context::Root,
            root: Root::Locals(0, 0),
            variables: BTreeMap::new(),
            envs: Vec::new(),
            env: None,
            too_large: false,
            nesting: None,
        }
    }

    /// Starts the expression's own function: local `root` is the document.
    pub(crate) fn begin(&mut self, root: u32) {
        let item = if self.program.root_paths { root_item(&mut self.body, root) } else { root };
        self.begin_with(root, item);
    }

    /// The same where `item` is the root as a path sees it; see [`root_item`].
    pub(crate) fn begin_with(&mut self, root: u32, item: u32) {
        let at = self.at_token(&self.program.root, "");
        self.body.begin_at(at);
        self.root = Root::Locals(root, item);
        if self.program.lifted {
            let (global, global_item) = self.root_globals();
            self.body.ins().local_get(root).global_set(global);
            self.body.ins().local_get(item).global_set(global_item);
        }
        self.enter(self.program.scope);
    }

    fn root_globals(&mut self) -> (u32, u32) {
        (self.m.global("root", ValType::I64), self.m.global("root_item", ValType::I64))
    }

    // --- other functions

    /// Sets this function aside and starts another.
    pub(super) fn suspend(&mut self, body: Body) -> Suspended {
        let (global, global_item) = self.root_globals();
        let inside = self.nesting.map(|_| 0);
        Suspended {
            body: std::mem::replace(&mut self.body, body),
            context: self.context,
            root: std::mem::replace(&mut self.root, Root::Globals(global, global_item)),
            variables: std::mem::take(&mut self.variables),
            env: self.env.take(),
            envs: self.envs.len(),
            nesting: std::mem::replace(&mut self.nesting, inside),
        }
    }

    /// Goes on with the function set aside; gives the other's body.
    pub(super) fn resume(&mut self, suspended: Suspended) -> Body {
        self.context = suspended.context;
        self.root = suspended.root;
        self.variables = suspended.variables;
        self.env = suspended.env;
        self.envs.truncate(suspended.envs);
        self.nesting = suspended.nesting;
        let body = std::mem::replace(&mut self.body, suspended.body);
        self.too_large |= body.is_too_large();
        body
    }

    // --- places

    /// The place of an expression, for the errors it raises.
    pub(super) fn at(&mut self, expr: &Expr) -> At {
        let token = self.text.get(expr.token.start as usize..expr.token.end as usize).unwrap_or_default().to_owned();
        self.at_token(expr, &token)
    }

    /// The same with another token.
    pub(super) fn at_token(&mut self, expr: &Expr, token: &str) -> At {
        let by = |at: u32| self.place.base + at as usize;
        At {
            source: self.place.source,
            span: Span::new(by(expr.span.start), by(expr.span.end)),
            position: expr.position,
            token: (!token.is_empty()).then(|| self.m.token(token)),
        }
    }

    /// Calls an intrinsic that may fail; without a place, that of the caller stands.
    pub(super) fn op(&mut self, op: Op, at: Option<At>) {
        match at {
            Some(at) => self.body.op_at(op, at),
            None => self.body.op(op),
        }
    }

    /// Ends the step with a standard error. Code after it is unreachable.
    pub(super) fn fail(&mut self, code: i32, at: Option<At>) {
        self.body.ins().i32_const(code);
        self.op(Op::Fail, at);
        self.body.ins().unreachable();
    }

    // --- pieces

    /// Pushes a handle local, or undefined.
    pub(super) fn local_or_undefined(&mut self, local: Option<u32>) {
        match local {
            Some(local) => self.body.ins().local_get(local),
            None => self.body.ins().i64_const(abi::UNDEFINED),
        };
    }

    /// The index of a string constant.
    pub(super) fn index(&mut self, text: &str) -> i32 {
        self.m.constant_text(text) as i32
    }

    /// Pushes the handle of a string constant.
    pub(super) fn text_constant(&mut self, text: &str) {
        let k = self.m.constant_text(text);
        self.body.ins().i64_const(abi::constant(k));
    }

    /// Pushes the handle of a constant. A computed number is made anew, so that it prints as one.
    pub(super) fn constant(&mut self, constant: &Constant, at: Option<At>) {
        let handle = match constant {
            Constant::Undefined => abi::UNDEFINED,
            Constant::Null => abi::constant_node(abi::NODE_NULL),
            Constant::Boolean(false) => abi::constant_node(abi::NODE_FALSE),
            Constant::Boolean(true) => abi::constant_node(abi::NODE_TRUE),
            Constant::Text(text) => return self.text_constant(text),
            Constant::Number(_, Some(json)) => abi::constant(self.m.constant_json(json)),
            Constant::Number(value, None) => {
                self.body.ins().f64_const((*value).into());
                return self.op(Op::NewNum, at);
            }
        };
        self.body.ins().i64_const(handle);
    }

    /// The i32 on the stack, 0 or 1, becomes false or true.
    pub(super) fn truth_to_handle(&mut self) {
        // true follows false.
        self.body.ins().i64_extend_i32_u().i64_const(abi::constant_node(abi::NODE_FALSE)).i64_add();
    }

    /// Pushes the context value.
    pub(super) fn push_context(&mut self) {
        match self.context {
            Context::Root => self.push_root(),
            Context::Local(local) => {
                self.body.ins().local_get(local);
            }
            Context::Null => {
                self.body.ins().i64_const(abi::constant_node(abi::NODE_NULL));
            }
        }
    }

    /// Pushes the root.
    pub(super) fn push_root(&mut self) {
        match self.root {
            Root::Locals(root, _) => self.body.ins().local_get(root),
            Root::Globals(root, _) => self.body.ins().global_get(root),
        };
    }

    /// Pushes the context as the input of a path's first step by name.
    pub(super) fn push_path_input(&mut self) {
        match (self.context, self.root) {
            (Context::Root, Root::Locals(_, item)) => {
                self.body.ins().local_get(item);
            }
            (Context::Root, Root::Globals(_, item)) => {
                self.body.ins().global_get(item);
            }
            _ => self.push_context(),
        }
    }

    /// The context as an item: inside a step or an object the root is one like any other.
    pub(super) fn item_context(&mut self) -> Context {
        match self.context {
            Context::Root => {
                self.push_root();
                Context::Local(self.body.stash())
            }
            other => other,
        }
    }

    /// Writes something with another context.
    pub(super) fn with_context<T>(&mut self, context: Context, write: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.context, context);
        let value = write(self);
        self.context = outer;
        value
    }

    /// Writes an expression inside another.
    pub(super) fn nested<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let nesting = self.nesting;
        self.nesting = nesting.map(|n| n + 1);
        let value = write(self);
        self.nesting = nesting;
        value
    }

    /// Pushes a name that the surroundings provide.
    pub(super) fn external(&mut self, name: &str) {
        match self.names {
            Names::Slots(scope) => match scope.slot(name) {
                Some(slot) => {
                    self.body.ins().i32_const(slot as i32);
                    self.body.op(Op::SlotGet);
                }
                None => {
                    self.body.ins().i64_const(abi::UNDEFINED);
                }
            },
            Names::Bindings(slot) => {
                let k = self.index(name);
                self.body.ins().i32_const(slot as i32);
                self.body.op(Op::SlotGet);
                self.body.ins().i32_const(k);
                self.body.op(Op::Get);
            }
        }
    }

    /// A loop over the items of the handle in `list`: `write` gets the locals of the item, its
    /// place and the count.
    pub(super) fn each(&mut self, list: u32, write: impl FnOnce(&mut Self, u32, u32, u32)) {
        self.each_item(list, false, write);
    }

    /// The same; `or_once`: nothing is gone over once, with no item.
    pub(super) fn each_item(&mut self, list: u32, or_once: bool, write: impl FnOnce(&mut Self, u32, u32, u32)) {
        let from = self.body.local(ValType::I32);
        self.body.ins().i32_const(0).local_set(from);
        self.each_from(list, from, or_once, write);
    }

    /// The same from the place in `i` on.
    pub(super) fn each_from(&mut self, list: u32, i: u32, or_once: bool, write: impl FnOnce(&mut Self, u32, u32, u32)) {
        let count = self.body.local(ValType::I32);
        let item = self.body.local(ValType::I64);
        self.body.ins().local_get(list);
        self.body.op(Op::Len);
        if or_once {
            self.body.ins().local_get(list).i64_eqz().i32_or();
        }
        self.body.ins().local_set(count);
        self.body.ins().block(BlockType::Empty).loop_(BlockType::Empty);
        self.body.ins().local_get(i).local_get(count).i32_ge_s().br_if(1);
        self.body.ins().local_get(list).local_get(i);
        self.body.op(Op::At);
        self.body.ins().local_set(item);
        write(self, item, i, count);
        self.body.ins().local_get(i).i32_const(1).i32_add().local_set(i).br(0);
        self.body.ins().end().end();
    }

    /// A new open sequence in a local.
    pub(super) fn sequence(&mut self) -> u32 {
        self.body.op(Op::SeqNew);
        self.body.stash()
    }

    /// Adds the handle on the stack to the sequence in `acc` by `op`.
    pub(super) fn add(&mut self, acc: u32, op: Op) {
        let value = self.body.stash();
        self.body.ins().local_get(acc).local_get(value);
        self.op(op, None);
    }

    /// Closes the sequence in `acc` and pushes it.
    pub(super) fn close(&mut self, acc: u32, flags: i32) {
        self.body.ins().local_get(acc).i32_const(flags);
        self.body.op(Op::SeqEnd);
    }
}
