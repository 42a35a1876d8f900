//! Any text is an expression of jq or is refused at a place in it; what is accepted compiles to a valid module,
//! or is refused as too large.

use lockgate_compiler::jq::filter_module;
use lockgate_mapping::jq::Filter;

/// One text.
///
/// # Panics
/// When a module is not valid, or a problem stands nowhere.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    match Filter::parse(text) {
        Ok(filter) => {
            filter.variables();
            filter.literal_prefix();
        }
        Err(problems) => {
            for problem in problems.0 {
                let span = problem.span.start as usize..problem.span.end as usize;
                assert!(text.get(span).is_some(), "{problem:?} stands nowhere in {text}");
            }
        }
    }
    if let Ok(compiled) = filter_module(text) {
        super::validate(&compiled.wasm, text);
        assert!(filter_module(text).is_ok_and(|again| again.wasm == compiled.wasm), "compiled to other bytes: {text}");
    }
}
