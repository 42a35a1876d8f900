//! Runs the steps of a compiled module under limits; the only place that knows wasmtime.
