//! Scopes and variables: environments for what lifted functions share, locals for all else.

use lockgate_mapping::expression::ir::{ScopeId, VariableId};
use lockgate_model::abi::{self, Op};
use wasm_encoder::ValType;

use super::emitter::{Emitter, Env};

impl<'a> Emitter<'a> {
    /// Opens a scope: an environment for what is shared, fresh variables for the rest.
    pub(super) fn enter(&mut self, scope: ScopeId) -> Option<u32> {
        let outer = self.env;
        let Some(facts) = self.program.scopes.get(scope.0) else {
            return outer;
        };
        if facts.captured > 0 {
            self.push_env();
            self.body.ins().i32_const(facts.captured as i32);
            self.body.op(Op::EnvNew);
            self.env = Some(self.body.stash());
            self.envs.push(Env::Scope(scope));
        }
        for id in &facts.variables {
            let Some(variable) = self.program.variables.get(id.0) else {
                continue;
            };
            if variable.captured.is_some() {
                continue;
            }
            // Set anew each time the scope is entered: it may stand in a loop.
            let local = if variable.number {
                let local = self.body.local(ValType::F64);
                self.body.ins().f64_const(f64::NAN.into()).local_set(local);
                local
            } else {
                let local = self.body.local(ValType::I64);
                self.body.ins().i64_const(abi::UNDEFINED).local_set(local);
                local
            };
            self.variables.insert(*id, local);
        }
        outer
    }

    /// Leaves a scope; `outer` is what [`Emitter::enter`] gave.
    pub(super) fn leave(&mut self, scope: ScopeId, outer: Option<u32>) {
        if self.envs.last() == Some(&Env::Scope(scope)) {
            self.envs.pop();
        }
        self.env = outer;
    }

    /// Pushes the innermost environment.
    pub(super) fn push_env(&mut self) {
        self.local_or_undefined(self.env);
    }

    /// How many environments out a scope's is.
    fn up(&self, scope: ScopeId) -> i32 {
        let place = self.envs.iter().rev().position(|env| *env == Env::Scope(scope));
        i32::try_from(place.unwrap_or_default()).unwrap_or_default()
    }

    /// Pushes a variable that is no plain number.
    pub(super) fn variable(&mut self, id: VariableId) {
        let shared = self.program.variables.get(id.0).and_then(|v| v.captured.map(|index| (v.scope, index)));
        match (shared, self.variables.get(&id)) {
            (Some((scope, index)), _) => {
                let up = self.up(scope);
                self.push_env();
                self.body.ins().i32_const(up).i32_const(index as i32);
                self.body.op(Op::EnvGet);
            }
            (None, Some(local)) => {
                let local = *local;
                self.body.ins().local_get(local);
            }
            (None, None) => {
                self.body.ins().i64_const(abi::UNDEFINED);
            }
        }
    }

    /// Binds a variable of the innermost scopes to the handle on the stack.
    pub(super) fn bind(&mut self, id: VariableId) {
        let shared = self.program.variables.get(id.0).and_then(|v| v.captured.map(|index| (v.scope, index)));
        match (shared, self.variables.get(&id)) {
            (Some((_, index)), _) => {
                // `:=` binds in the innermost scope, which shares this variable, so the innermost
                // environment is that scope's.
                let value = self.body.stash();
                self.push_env();
                self.body.ins().i32_const(index as i32).local_get(value);
                self.body.op(Op::EnvSet);
            }
            (None, Some(local)) => {
                let local = *local;
                self.body.ins().local_set(local);
            }
            (None, None) => {
                self.body.ins().drop();
            }
        }
    }

    /// Whether a variable is a plain number in an f64 local.
    pub(super) fn number_local(&self, id: VariableId) -> Option<u32> {
        let variable = self.program.variables.get(id.0)?;
        if variable.number { self.variables.get(&id).copied() } else { None }
    }
}
