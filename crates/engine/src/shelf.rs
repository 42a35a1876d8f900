//! Loaded modules by digest, as many as fit: the one used longest ago makes room.

use std::{collections::HashMap, sync::Arc};

use lockgate_model::Digest;

use crate::Module;

/// A bounded set of loaded modules. A module that was dropped here lives on in its runs.
pub(crate) struct Shelf {
    modules: HashMap<Digest, (u64, Arc<Module>)>,
    modules_max: usize,
    /// Counts uses: the order in which modules were used.
    uses: u64,
}

impl Shelf {
    pub(crate) fn new(modules_max: usize) -> Self {
        Self { modules: HashMap::new(), modules_max: modules_max.max(1), uses: 0 }
    }

    pub(crate) fn get(&mut self, digest: &Digest) -> Option<Arc<Module>> {
        self.uses += 1;
        let (used, module) = self.modules.get_mut(digest)?;
        *used = self.uses;
        Some(Arc::clone(module))
    }

    /// Adds a module; returns the one with its digest that was first.
    pub(crate) fn put(&mut self, module: Arc<Module>) -> Arc<Module> {
        if let Some(there) = self.get(&module.digest()) {
            return there;
        }
        if self.modules.len() >= self.modules_max
            && let Some(oldest) = self.modules.iter().min_by_key(|(_, (used, _))| *used).map(|(digest, _)| *digest)
        {
            self.modules.remove(&oldest);
        }
        self.modules.insert(module.digest(), (self.uses, Arc::clone(&module)));
        module
    }
}
