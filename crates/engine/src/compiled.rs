//! The machine code of a module, to be loaded again without compiling.
//!
//! Loading machine code trusts it entirely. So [`Compiled`] is made by an engine alone and goes with the digest of
//! the module that it was made from, and code that was kept outside the process comes back only under the seal of
//! whoever kept it: a keyed digest over the module's and the code.
//!
//! Deliberately absent: files, keys and their names. Code of another version or configuration of wasmtime is
//! refused by its own header, and is then compiled again.

use std::sync::Arc;

use lockgate_model::Digest;

use crate::{
    Engine, LoadError, Module,
    load::{invalid, load},
};

/// What sealed code begins with; the number is that of this form.
const FORM: &[u8] = b"lockgate code 1\n";
/// Bytes of a seal.
const SEAL: usize = 32;

/// Machine code of one module, for the engine and the machine that made it.
pub struct Compiled {
    digest: Digest,
    code: Vec<u8>,
}

/// Makes seals: a keyed digest (HMAC) of the parts, with a key that only this installation has.
pub type Sealer<'a> = &'a (dyn Fn(&[&[u8]]) -> Digest + Send + Sync);

impl Compiled {
    /// The module of this code, where `wasm` is what it was compiled from.
    pub(crate) fn module(&self, engine: &wasmtime::Engine, digest: Digest) -> Result<wasmtime::Module, LoadError> {
        if digest != self.digest {
            return Err(LoadError::Forbidden("machine code of another module"));
        }
        #[expect(unsafe_code, reason = "machine code is trusted as it is")]
        // SAFETY: `deserialize` wants bytes that `Module::serialize` made, unchanged. The field is private
        // and set in two places: from `Module::serialize` itself, and from bytes under a seal that was made
        // for such bytes, with a key that nobody outside this installation has. Nothing changes it. Code of
        // an engine with another configuration is refused by wasmtime's own header.
        let module = unsafe { wasmtime::Module::deserialize(engine, &self.code) };
        module.map_err(invalid)
    }

    /// The code as it may be kept outside: form, seal, code.
    fn sealed(&self, sealer: Sealer<'_>) -> Vec<u8> {
        [FORM, sealer(&[FORM, &self.digest.0, &self.code]).0.as_slice(), &self.code].concat()
    }

    /// Code that was kept outside, if its seal is true for this module.
    fn unsealed(digest: Digest, kept: &[u8], sealer: Sealer<'_>) -> Option<Self> {
        let (seal, code) = kept.strip_prefix(FORM)?.split_at_checked(SEAL)?;
        let is_true = sealer(&[FORM, &digest.0, code]);
        // Digests of both are compared: how long that takes tells nothing of the seal.
        (Digest::of(seal) == Digest::of(&is_true.0)).then(|| Self { digest, code: code.to_vec() })
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compiled({}, {} bytes)", self.digest, self.code.len())
    }
}

/// A module that was loaded with what was kept of it.
#[derive(Debug)]
pub struct Kept {
    /// The module.
    pub module: Arc<Module>,
    /// What to keep from now on; none where what was kept was good.
    pub keep: Option<Vec<u8>>,
}

impl Engine {
    /// Checks a module and compiles it to machine code that [`Engine::load_compiled`] takes.
    pub fn compile(&self, wasm: &[u8]) -> Result<Compiled, LoadError> {
        compiled(&load(&self.linker, wasm, None)?)
    }

    /// Loads a module by its machine code. Everything about the module but its code is checked as in
    /// [`Engine::load`].
    pub fn load_compiled(&self, wasm: &[u8], compiled: &Compiled) -> Result<Arc<Module>, LoadError> {
        load(&self.linker, wasm, Some(compiled)).map(Arc::new)
    }

    /// Loads a module as [`Engine::load`] does, by the machine code that was kept of it where that is good. What
    /// is not, for whatever reason, is compiled, and the answer says what to keep in its place.
    pub fn load_kept(&self, wasm: &[u8], kept: Option<&[u8]>, sealer: Sealer<'_>) -> Result<Kept, LoadError> {
        self.check_length(wasm)?;
        let digest = Digest::of(wasm);
        if let Some(module) = self.loaded(&digest) {
            return Ok(Kept { module, keep: None });
        }
        let known = kept.and_then(|kept| Compiled::unsealed(digest, kept, sealer));
        if let Some(Ok(module)) = known.map(|known| load(&self.linker, wasm, Some(&known))) {
            return Ok(Kept { module: self.shelve(module), keep: None });
        }
        let module = load(&self.linker, wasm, None)?;
        let keep = compiled(&module)?.sealed(sealer);
        Ok(Kept { module: self.shelve(module), keep: Some(keep) })
    }
}

fn compiled(module: &Module) -> Result<Compiled, LoadError> {
    let code = module.pre.module().serialize().map_err(invalid)?;
    Ok(Compiled { digest: module.digest, code })
}
