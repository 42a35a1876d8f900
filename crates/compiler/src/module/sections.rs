//! The custom sections, all canonical JSON: keys sorted, no blanks.

use std::borrow::Cow;

use lockgate_model::{
    Manifest,
    abi::{ABI, Frame, Header, SourceMap, Task, section},
};
use serde::Serialize;
use serde_json::Value;
use wasm_encoder::{CustomSection, Module};

/// Adds all of them, in the order of [`section`].
pub(super) fn write(
    module: &mut Module,
    (namespace, name, version): (&str, &str, &str),
    constants: &[String],
    manifest: &Manifest,
    frame: &Frame,
    tasks: &[Task],
    sources: &SourceMap,
) {
    let header = Header {
        abi: ABI,
        compiler: env!("CARGO_PKG_VERSION").to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        version: version.to_owned(),
    };
    // Constants are JSON texts already; reading them would lose the digits of their numbers.
    let constants = format!("[{}]", constants.join(","));
    for (name, json) in [
        (section::HEADER, canonical(&header)),
        (section::CONSTS, constants),
        (section::OPS, canonical(manifest)),
        (section::FRAME, canonical(frame)),
        (section::TASKS, canonical(&tasks)),
        (section::MAP, canonical(sources)),
    ] {
        module.section(&CustomSection { name: Cow::Borrowed(name), data: Cow::Owned(json.into_bytes()) });
    }
}

fn canonical(value: &impl Serialize) -> String {
    // These types always serialise: their maps have text keys and they hold no fallible types.
    let mut value = serde_json::to_value(value).unwrap_or_default();
    value.sort_all_objects();
    Value::to_string(&value)
}
