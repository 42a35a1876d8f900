//! Any text is an expression or is refused; what is parsed is resolved or refused.

use lockgate_mapping::Expression;

/// One text.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    match Expression::parse(text) {
        Ok(expression) => {
            let _ = expression.resolve(&|_| false);
            let _ = expression.resolve_on_item(&|name| name == "x");
        }
        Err(problems) => {
            // Every problem stands in the text, at a character.
            for problem in &problems.0 {
                let (start, end) = (problem.span.start as usize, problem.span.end as usize);
                assert!(text.get(start..end.min(text.len())).is_some(), "{}: {start}..{end} of {text:?}", problem.code);
            }
        }
    }
}
