//! Loaded modules by digest, as many as fit: those used longest ago make room.

use std::{collections::HashMap, sync::Arc};

use lockgate_model::Digest;

use crate::Module;

/// A bounded set of loaded modules. A module that was dropped here lives on in its runs.
pub(crate) struct Shelf {
    modules: HashMap<Digest, (u64, Arc<Module>)>,
    /// Bytes of all of them.
    bytes: usize,
    bytes_max: usize,
    /// Counts uses: the order in which modules were used.
    uses: u64,
}

impl Shelf {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { modules: HashMap::new(), bytes: 0, bytes_max, uses: 0 }
    }

    pub(crate) fn get(&mut self, digest: &Digest) -> Option<Arc<Module>> {
        self.uses += 1;
        let (used, module) = self.modules.get_mut(digest)?;
        *used = self.uses;
        Some(Arc::clone(module))
    }

    /// Adds a module; returns the one with its digest that was first. One that is larger than all that may stand
    /// here stands here alone.
    pub(crate) fn put(&mut self, module: Arc<Module>) -> Arc<Module> {
        if let Some(there) = self.get(&module.digest()) {
            return there;
        }
        while self.bytes.saturating_add(module.bytes()) > self.bytes_max {
            let Some(oldest) = self.modules.iter().min_by_key(|(_, (used, _))| *used).map(|(digest, _)| *digest) else {
                break;
            };
            if let Some((_, dropped)) = self.modules.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(dropped.bytes());
            }
        }
        self.bytes = self.bytes.saturating_add(module.bytes());
        self.modules.insert(module.digest(), (self.uses, Arc::clone(&module)));
        module
    }
}
