//! `lockgate map FILE --draw [OUT.svg]`: the mapping as a picture.

use std::path::Path;

use lockgate_mapping::picture::picture;
use lockgate_model::{Diagnostic, Diagnostics};
use serde_json::json;

use crate::{exit::Exit, output::Output};

/// Draws a mapping file to a file, or to standard output. `unreadable` is what is known to be wrong with
/// the text.
pub fn run(
    name: &str,
    text: &String,
    unreadable: Option<Diagnostic>,
    out: Option<&Path>,
    output: &Output,
) -> Result<(), Exit> {
    let drawn = picture(name, text);
    let found = drawn.as_ref().err().cloned().unwrap_or_default();
    let all = Diagnostics(unreadable.into_iter().chain(found.0).collect());
    let drawn = all.into_result(()).and(drawn).map_err(|all| Exit::problems(all, |_| Some(text)))?;
    let Some(out) = out else {
        return output.bytes(drawn.as_bytes());
    };
    let shown = out.display();
    std::fs::write(out, &drawn).map_err(|e| Exit::failed("LG-IO", format!("cannot write `{shown}`: {e}")))?;
    output.result(&json!({"picture": shown.to_string()}), || format!("drew {shown}"));
    Ok(())
}
