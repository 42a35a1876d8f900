//! Any regular expression is translated or refused, and a search ends at places of the text.

use lockgate_document::{Refusal, pattern::Pattern};

/// Flags, the pattern and the text, one line each.
///
/// # Panics
/// When a match is not in the text, or searching goes backwards.
pub fn target(data: &[u8]) {
    let Some(input) = super::text_of(data) else { return };
    let ([flags, source], text) = super::lines(input);
    let pattern = match Pattern::parse(source, flags) {
        Ok(pattern) => pattern,
        Err(error) => return assert!(error.offset <= source.len() || source.is_empty(), "{error}"),
    };
    let mut end = 0;
    let _ = pattern.each(text, Some(50.0), |found| -> Result<(), Refusal> {
        assert!(text.get(found.range()).is_some() && found.start.byte >= end, "{found:?} of {text:?}");
        assert_eq!(found.start.character, text[..found.start.byte].chars().count());
        for group in found.groups.iter().flatten() {
            assert!(text.get(group.clone()).is_some());
        }
        end = found.end.byte;
        Ok(())
    });
    let _ = pattern.contains(text);
}
