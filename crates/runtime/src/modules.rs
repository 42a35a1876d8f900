//! Modules by digest: the engine remembers what it loaded, the store has the bytes and checks them
//! against the digest, a folder has machine code of what was compiled before.

use std::{path::PathBuf, sync::Arc};

use lockgate_engine::Module;
use lockgate_model::{Digest, id::TenantId};

use crate::{Error, Runtime, code::CodeFolder};

/// Bytes of machine code that are kept in files.
const CODE_BYTES_MAX: u64 = 1 << 30;

impl Runtime {
    /// Keeps machine code in a folder from now on. Without one a module is compiled at its first use after
    /// each start.
    pub fn keep_code_in(&self, folder: PathBuf) {
        // Once, where the installation is opened: a second folder would be a defect, and harmless.
        let _ = self.0.code.set(CodeFolder::new(folder, CODE_BYTES_MAX));
    }

    /// The module of a digest, ready to run.
    pub(crate) async fn module(&self, tenant: &TenantId, digest: Digest) -> Result<Arc<Module>, Error> {
        if let Some(found) = self.0.engine.loaded(&digest) {
            return Ok(found);
        }
        let bytes = self.0.store.blob_get(tenant, &digest).await?.ok_or_else(|| {
            tracing::error!(%tenant, %digest, "a deployed module is not in the store");
            Error::Internal { what: "loading the module".into() }
        })?;
        self.load(tenant, bytes).await
    }

    /// Loads module bytes by the machine code that was kept of them, or compiles them: off the runtime's
    /// threads, one at a time, because it is heavy and those who wait for the same module find it
    /// loaded when it is their turn.
    pub(crate) async fn load(&self, tenant: &TenantId, bytes: Vec<u8>) -> Result<Arc<Module>, Error> {
        let _one = self.0.loading.lock().await;
        let internal = || Error::Internal { what: "loading the module".into() };
        let key = self.0.master.hmac_key(tenant, "machine-code").map_err(|error| {
            tracing::error!(%error, "no key for machine code");
            internal()
        })?;
        let (runtime, tenant) = (self.clone(), tenant.clone());
        tokio::task::spawn_blocking(move || {
            let (engine, digest) = (&runtime.0.engine, Digest::of(&bytes));
            let Some(code) = runtime.0.code.get() else { return engine.load(&bytes) };
            let sealer = |parts: &[&[u8]]| key.digest(parts.iter().copied());
            let kept = code.read(&tenant, &digest, runtime.now());
            let loaded = engine.load_kept(&bytes, kept.as_deref(), &sealer)?;
            if let Some(keep) = loaded.keep {
                if kept.is_some() {
                    tracing::warn!(%tenant, %digest, "kept machine code was not good and is replaced");
                }
                code.write(&tenant, &digest, &keep);
            }
            Ok(loaded.module)
        })
        .await
        .map_err(|_| internal())?
        .map_err(|error| {
            tracing::error!(%error, "a module cannot be loaded");
            internal()
        })
    }
}
