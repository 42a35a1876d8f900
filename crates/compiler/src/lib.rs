//! Flows and mappings become one WASM module and its authority manifest; deterministic.
