//! Modules by digest: the engine remembers what it loaded, the store has the bytes and checks them
//! against the digest.

use std::sync::Arc;

use lockgate_engine::Module;
use lockgate_model::{Digest, id::TenantId};

use crate::{Error, Runtime};

impl Runtime {
    /// The module of a digest, ready to run.
    pub(crate) async fn module(&self, tenant: &TenantId, digest: Digest) -> Result<Arc<Module>, Error> {
        if let Some(found) = self.0.engine.loaded(&digest) {
            return Ok(found);
        }
        let bytes = self.0.store.blob_get(tenant, &digest).await?.ok_or_else(|| {
            tracing::error!(%tenant, %digest, "a deployed module is not in the store");
            Error::Internal { what: "loading the module".into() }
        })?;
        self.load(bytes).await
    }

    /// Compiles module bytes to machine code: off the runtime's threads, one at a time, because it is
    /// heavy and those who wait for the same module find it loaded when it is their turn.
    pub(crate) async fn load(&self, bytes: Vec<u8>) -> Result<Arc<Module>, Error> {
        let _one = self.0.loading.lock().await;
        let engine = self.0.engine.clone();
        tokio::task::spawn_blocking(move || engine.load(&bytes))
            .await
            .map_err(|_| Error::Internal { what: "loading the module".into() })?
            .map_err(|error| {
                tracing::error!(%error, "a module cannot be loaded");
                Error::Internal { what: "loading the module".into() }
            })
    }
}
