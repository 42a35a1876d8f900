//! Which cases of which projects: folders and files as they were named.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::exit::Exit;

/// Project folders, each with what was named of it.
pub struct Chosen(pub BTreeMap<PathBuf, Parts>);

/// Parts of a project, by their paths in it; an empty path is all of it.
#[derive(Default)]
pub struct Parts(Vec<String>);

impl Chosen {
    /// What these paths name.
    pub fn of(paths: &[PathBuf]) -> Result<Self, Exit> {
        let mut chosen: BTreeMap<PathBuf, Parts> = BTreeMap::new();
        for path in paths {
            let shown = path.display();
            let whole = path.canonicalize().map_err(|e| Exit::Usage(format!("cannot read `{shown}`: {e}")))?;
            let Some(root) = whole.ancestors().find(|folder| folder.join("project.yaml").is_file()) else {
                return Err(Exit::Usage(format!(
                    "`{shown}` is in no project folder: there is no project.yaml (`lockgate new NAME` makes one)"
                )));
            };
            let part = whole.strip_prefix(root).unwrap_or(Path::new("")).to_string_lossy().into_owned();
            let is_case = part.strip_prefix("cases").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if !part.is_empty() && !is_case && !part.ends_with(".flow.yaml") {
                let message = format!("`{shown}` has no cases: name the project's folder, a flow, or cases of it");
                return Err(Exit::Usage(message));
            }
            chosen.entry(root.to_owned()).or_default().0.push(part);
        }
        Ok(Self(chosen))
    }
}

impl Parts {
    /// Is this case, which is of the flow in that file, among them?
    pub fn has(&self, case: &str, flow: &str) -> bool {
        let holds = |part: &String| {
            let below = case.strip_prefix(part.as_str());
            part.is_empty() || part == flow || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().any(holds)
    }
}
