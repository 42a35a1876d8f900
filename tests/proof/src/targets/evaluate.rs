//! What is accepted runs on a small document and ends, within tight limits and without a panic.

use crate::bench::{Answer, Bench};

const DOCUMENT: &str = r#"{"a":[{"b":1,"c":["x",null,true]},{"b":-2.5,"c":[]}],"d":{"e":"h\u00e9llo 😀","f":[[1,2],[3]],"12":{}},"g":1e21}"#;

/// One text.
///
/// # Panics
/// When a run ends as none may.
pub fn target(data: &[u8]) {
    thread_local! {
        static BENCH: Bench = Bench::tight();
    }
    let Some(text) = super::text_of(data) else { return };
    BENCH.with(|bench| match bench.compile(text) {
        Ok(module) => {
            for document in [DOCUMENT, "[[1,[2,\"a\"]],{}]"] {
                if let Answer::Error(code) = bench.run(&module, document) {
                    let internal = ["LG-MODULE", "LG-REGIONS", "LG-STALE", "LG-WRONG-KIND"];
                    let internal = internal.iter().any(|own| code.starts_with(own));
                    assert!(!internal, "{code}: {text}");
                }
            }
        }
        Err(code) => assert!(!code.contains("not loaded"), "{code}: {text}"),
    });
}
