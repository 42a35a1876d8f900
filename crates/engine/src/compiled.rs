//! The machine code of a module, to be loaded again without compiling.
//!
//! Loading machine code trusts it entirely. So [`Compiled`] can be made by an engine alone, and it goes
//! with the digest of the module that it was made from; there is no way from bytes to it.
//!
//! Deliberately absent: files. Code that leaves the process must be proven on its way back.

use std::sync::Arc;

use lockgate_model::Digest;

use crate::{
    Engine, LoadError, Module,
    load::{invalid, load},
};

/// Machine code of one module, for the engine and the machine that made it.
pub struct Compiled {
    digest: Digest,
    code: Vec<u8>,
}

impl Compiled {
    /// The module of this code, where `wasm` is what it was compiled from.
    pub(crate) fn module(&self, engine: &wasmtime::Engine, digest: Digest) -> Result<wasmtime::Module, LoadError> {
        if digest != self.digest {
            return Err(LoadError::Forbidden("machine code of another module"));
        }
        #[expect(unsafe_code, reason = "machine code is trusted as it is")]
        // SAFETY: `deserialize` wants bytes that `Module::serialize` made, unchanged. The field is private
        // and set in `Engine::compile` alone, from there; nothing changes it. Code of an engine with
        // another configuration is refused by wasmtime's own header.
        let module = unsafe { wasmtime::Module::deserialize(engine, &self.code) };
        module.map_err(invalid)
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compiled({}, {} bytes)", self.digest, self.code.len())
    }
}

impl Engine {
    /// Checks a module and compiles it to machine code that [`Engine::load_compiled`] takes.
    pub fn compile(&self, wasm: &[u8]) -> Result<Compiled, LoadError> {
        let module = load(&self.linker, wasm, None)?;
        let code = module.pre.module().serialize().map_err(invalid)?;
        Ok(Compiled { digest: module.digest, code })
    }

    /// Loads a module by its machine code. Everything about the module but its code is checked as in
    /// [`Engine::load`].
    pub fn load_compiled(&self, wasm: &[u8], compiled: &Compiled) -> Result<Arc<Module>, LoadError> {
        load(&self.linker, wasm, Some(compiled)).map(Arc::new)
    }
}
