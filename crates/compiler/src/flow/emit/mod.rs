//! One flow becomes one module.
//!
//! Data flow of a task (the standard, "data flow"): the output of the task before → `input.from` →
//! `if` → the task → `output.as` → `export.as`. The current data lies in one slot; a task's own
//! input lies in a second one only where something still needs it after the data moved on.

mod attempt;
mod branches;
mod calls;
mod lower;
mod plan;
mod slots;
mod streams;
mod tasks;
mod values;

use std::collections::BTreeMap;

use lockgate_mapping::MapFile;
use lockgate_model::abi::Frame;
use lockgate_model::{Diagnostics, Manifest};
use wasm_encoder::ValType;

use super::tree::Flow;
use crate::mapping::{Tables, rules};
use crate::module::{Compiled, Mark, ModuleBuilder};
use tasks::Emitter;
use values::Values;

/// What a flow is compiled with.
pub(crate) struct Surroundings<'p> {
    /// The flow's file.
    pub file: &'p str,
    /// The project's mappings by name.
    pub maps: &'p BTreeMap<String, MapFile>,
    /// The project's reference data by name.
    pub tables: &'p Tables,
}

/// Compiles a flow in which no problem was found.
pub(crate) fn emit(flow: &Flow, around: &Surroundings<'_>) -> Result<Compiled, Diagnostics> {
    Ok(emit_with(ModuleBuilder::new(&flow.name).with_version(&flow.namespace, &flow.version), flow, around)?.0)
}

/// The same, with rules of mappings that note what they gave.
pub(crate) fn emit_marked(flow: &Flow, around: &Surroundings<'_>) -> Result<(Compiled, Vec<Mark>), Diagnostics> {
    emit_with(ModuleBuilder::new(&flow.name).with_version(&flow.namespace, &flow.version).with_marks(), flow, around)
}

fn emit_with(
    mut module: ModuleBuilder,
    flow: &Flow,
    around: &Surroundings<'_>,
) -> Result<(Compiled, Vec<Mark>), Diagnostics> {
    let step = module.declare(&format!("flow {}", flow.name), &[ValType::I32], &[ValType::I32]);
    let Emitter { plan, slots, values, operations, runs, .. } = emitted(&mut module, flow, around);
    values.problems.into_result(())?;
    module.define(step, lower::step(&plan));
    let frame = Frame { values: slots.values(), ints: slots.ints(), input: slots::INPUT, output: slots::DATA };
    let manifest = Manifest { operations, runs, schedule: flow.schedule.clone() };
    let marks = module.take_marks();
    Ok((module.finish(step, frame, lower::tasks(&plan), manifest)?, marks))
}

/// What the expression compiler refuses in a flow that cannot be compiled for other reasons.
pub(crate) fn probe(flow: &Flow, around: &Surroundings<'_>) -> Diagnostics {
    emitted(&mut ModuleBuilder::new(&flow.name), flow, around).values.problems
}

/// The flow as a plan. What is wrong with its expressions is collected on the way: whatever cannot be
/// compiled is undefined in a plan that is never lowered.
fn emitted<'e, 'm>(module: &'m mut ModuleBuilder, flow: &Flow, around: &'e Surroundings<'e>) -> Emitter<'e, 'm>
where
    'e: 'm,
{
    let marks = if module.marks() { around.maps.values().map(rules).sum() } else { 0 };
    let values = Values::new(module, around.file, &flow.lines);
    let mut emitter = Emitter::new(values, flow, around);
    // Theirs are the first.
    for _ in 0..marks {
        emitter.slots.int();
    }
    emitter.flow(flow);
    emitter
}
