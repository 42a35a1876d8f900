//! `lockgate draw FILE [OUT.svg]`: a flow or a mapping as a picture.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::Args;
use lockgate_compiler::{Sources, flow_picture};
use lockgate_mapping::picture::picture;
use lockgate_model::{Diagnostic, Diagnostics};
use serde_json::json;

use crate::{author::sources, exit::Exit, output::Output};

/// Arguments of `draw`.
#[derive(Args)]
pub struct Draw {
    /// A flow (`*.flow.yaml`) or a mapping (`*.map.yaml`).
    file: PathBuf,
    /// The picture's file; standard output when absent.
    out: Option<PathBuf>,
}

impl Draw {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let name = self.file.display().to_string();
        if self.file.exists() && !is_drawn(&name) {
            return Err(Exit::Usage(undrawn(&self.file)));
        }
        let (text, unreadable) =
            sources::text(&self.file, &name).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
        // What cannot be read beside it is told by `check`; a picture does without.
        let beside = match name.ends_with(".flow.yaml") {
            true => sources::beside(&self.file).map(|(sources, _)| sources).unwrap_or_default(),
            false => Sources::default(),
        };
        run(&name, &text, &beside, unreadable, self.out.as_deref(), output)
    }
}

/// Has a file of this name a picture?
fn is_drawn(name: &str) -> bool {
    [".flow.yaml", ".map.yaml"].iter().any(|ending| name.ends_with(ending))
}

/// What to draw instead of a file or folder that has no picture: what is there has one.
fn undrawn(path: &Path) -> String {
    let folder = if path.is_dir() { Some(path) } else { path.parent().filter(|_| path.ends_with("project.yaml")) };
    let folder = folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let there: BTreeSet<String> = names.filter(|name| is_drawn(name)).map(|name| format!("`{name}`")).collect();
    let mut told = format!("`{}` is neither a flow (`*.flow.yaml`) nor a mapping (`*.map.yaml`)", path.display());
    if !there.is_empty() {
        told.push_str(": name one of ");
        told.push_str(&there.into_iter().collect::<Vec<_>>().join(", "));
    }
    told
}

/// Draws a flow, with what lies `beside` it, or a mapping to a file, or to standard output. `unreadable` is what is known to be wrong with
/// the text.
pub fn run(
    name: &str,
    text: &String,
    beside: &Sources,
    unreadable: Option<Diagnostic>,
    out: Option<&Path>,
    output: &Output,
) -> Result<(), Exit> {
    let drawn = if name.ends_with(".flow.yaml") { flow_picture(name, text, beside) } else { picture(name, text) };
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
