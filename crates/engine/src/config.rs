//! How wasmtime is configured: the smallest machine that runs what our compiler emits.
//!
//! No linear memory, no table, no SIMD, no references, no component model: a module that asks for
//! any of them is refused when it is loaded. Cranelift only. NaN is canonical and every cost is
//! counted, so that the same module with the same input takes the same steps everywhere.

use std::{num::NonZeroUsize, time::Duration};

use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy, WasmBacktraceDetails};

/// Time between two epochs: the shortest slice of a step, and how late a deadline may be seen.
pub const TICK: Duration = Duration::from_millis(5);
/// Stack for wasm frames. A lambda call of the compiler takes two or three frames (`apply`, the
/// lambda, what it calls); 1,000 nested calls fit with room (a test measures it).
const WASM_STACK_BYTES: usize = 1 << 20;
/// What a host function may use at the deepest point: running out of it would end the process.
const HOST_STACK_BYTES: usize = 256 << 10;
/// Stack bytes kept resident and cleared by writing; the rest is given back to the system.
const STACK_RESIDENT_BYTES: usize = 16 << 10;
/// Frames of a trap's backtrace; the place of an error is near its inner end.
const BACKTRACE_FRAMES: NonZeroUsize = NonZeroUsize::new(20).unwrap();
/// Bytes of one instance's own state (imports, globals); our modules need a few KiB.
const INSTANCE_BYTES_MAX: usize = 64 << 10;

/// What an installation may set.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Threads that serve long steps; a short step runs on the caller's thread. About the number of cores.
    pub workers: usize,
    /// Steps that may have begun and not ended, over all tenants; each holds one stack. Further steps queue.
    pub stacks_max: u32,
    /// The same for one tenant, so that no tenant can take all stacks.
    pub stacks_per_tenant_max: u32,
    /// Bytes of loaded modules that are remembered, machine code and constants. Those used longest ago make room.
    pub modules_bytes_max: usize,
    /// Longest module in bytes.
    pub module_bytes_max: usize,
    /// A stack is cleared before another step has it. No step can read what it has not written, so this
    /// is a second wall between tenants; where there is one user it costs a fifth of a short run.
    pub stacks_cleared: bool,
}

impl EngineConfig {
    /// For a program of one user: one worker, few stacks, nothing to hide from one run to the next.
    pub fn alone() -> Self {
        Self {
            workers: 1,
            stacks_max: 8,
            stacks_per_tenant_max: 8,
            modules_bytes_max: 64 << 20,
            stacks_cleared: false,
            ..Self::default()
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(2, NonZeroUsize::get),
            stacks_max: 1_000,
            stacks_per_tenant_max: 64,
            modules_bytes_max: 256 << 20,
            module_bytes_max: lockgate_model::abi::MODULE_BYTES_MAX,
            stacks_cleared: true,
        }
    }
}

/// The one wasmtime engine of a process.
pub(crate) fn wasmtime_engine(config: &EngineConfig) -> wasmtime::Result<wasmtime::Engine> {
    let mut pool = PoolingAllocationConfig::new();
    // One more for a run on its caller's thread.
    let stacks = config.stacks_max.saturating_add(1);
    pool.total_core_instances(stacks)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .total_memories(0)
        .max_memories_per_module(0)
        .total_tables(0)
        .max_tables_per_module(0)
        .total_stacks(stacks)
        .async_stack_keep_resident(STACK_RESIDENT_BYTES);

    let mut c = Config::new();
    c.strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .epoch_interruption(true)
        .consume_fuel(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(WASM_STACK_BYTES + HOST_STACK_BYTES)
        // Defence in depth: one tenant's frames are never under another's.
        .async_stack_zeroing(config.stacks_cleared)
        .wasm_backtrace_max_frames(Some(BACKTRACE_FRAMES))
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .generate_address_map(true)
        .native_unwind_info(false)
        .concurrency_support(false)
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .wasm_extended_const(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    wasmtime::Engine::new(&c)
}
