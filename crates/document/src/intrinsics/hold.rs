//! Group *hold*: values held to document types.

use std::sync::Arc;

use lockgate_model::{Limits, abi};

use crate::arena::Arena;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::schema::{Schema, Violation};

impl Arena {
    /// What of the document type in constant `k` does not hold of a value. The work is charged.
    ///
    /// # Errors
    /// [`Fault::WrongKind`]: the constant is no document type.
    pub fn violations(&mut self, h: Handle, k: u32) -> Result<Vec<Violation>, Fault> {
        let constants = Arc::clone(&self.values.constants);
        let read = || Schema::from_json(self.view(Handle::from_raw(abi::constant(k)))).ok();
        let schema = constants.schema(k, read).ok_or(Fault::WrongKind)?;
        let limits = Limits { depth_max: self.depth_max, cost_max: self.meter.left(), ..Limits::default() };
        let (violations, units) = schema.validate_counted(self.view(h), &limits);
        self.meter.charge(units)?;
        Ok(violations)
    }
}
