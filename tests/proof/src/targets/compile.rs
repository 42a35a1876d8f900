//! What is accepted compiles to a module that is valid, and the same text to the same bytes.

/// One text.
///
/// # Panics
/// When a module is not valid.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    for bindings in [false, true] {
        if let Ok(compiled) = lockgate_compiler::expression_module(text, bindings) {
            super::validate(&compiled.wasm, text);
            let again = lockgate_compiler::expression_module(text, bindings).map(|compiled| compiled.wasm);
            assert!(again.is_ok_and(|wasm| wasm == compiled.wasm), "compiled to other bytes: {text}");
        }
    }
}
