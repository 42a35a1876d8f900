//! A limit on everything, unit in the name, all in one place. Stored per tenant, passed explicitly.

use serde::{Deserialize, Serialize};

/// Limits of one run. Defaults are those of the product; a tenant's quota may lower them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Arena bytes a run may hold: documents, intermediate values, slots.
    pub arena_bytes_max: u64,
    /// Cost units: wasm fuel plus what intrinsics charge.
    pub cost_max: u64,
    /// Wall time of a run in milliseconds.
    pub wall_ms_max: u64,
    /// Bytes of a printed reply.
    pub reply_bytes_max: u64,
    /// Bytes of a request body.
    pub request_bytes_max: u64,
    /// Connector calls one run may have in flight; further ones of its branches wait.
    pub calls_in_flight_max: u32,
    /// Nesting depth of a document.
    pub depth_max: u32,
    /// Nesting depth of function calls in an expression (error U1001 past it). The default is
    /// compiled into the module, so that the same module behaves the same everywhere.
    pub recursion_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            arena_bytes_max: 64 << 20,
            cost_max: 1_000_000_000,
            wall_ms_max: 60_000,
            reply_bytes_max: 16 << 20,
            request_bytes_max: 16 << 20,
            calls_in_flight_max: 64,
            depth_max: 128,
            recursion_max: 1_000,
        }
    }
}
