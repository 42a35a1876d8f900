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

    /// What is written among the files of a project would be taken for one of them: refused.
    pub fn is_no_file_of_a_project(&self, path: &Path) -> Result<(), Exit> {
        // What does not exist yet is where its nearest folder is.
        let whole = std::path::absolute(path)?;
        let there = whole.ancestors().skip(1).find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
        let Some((folder, real)) = there else { return Ok(()) };
        let whole = real.join(whole.strip_prefix(folder).unwrap_or(Path::new("")));
        for root in self.0.keys() {
            let Ok(inside) = whole.strip_prefix(root) else { continue };
            let first = inside.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
            if first.is_some_and(|first| first != "target" && !first.starts_with('.')) {
                let message = format!("`{}` would be a file of the project: write it below `target/`", path.display());
                return Err(Exit::Usage(message));
            }
        }
        Ok(())
    }
}

impl Parts {
    /// The project as a whole was named.
    pub fn is_whole(&self) -> bool {
        self.0.iter().any(String::is_empty)
    }

    /// Is this case, which is of the flow in that file, among them?
    pub fn has(&self, case: &str, flow: &str) -> bool {
        let holds = |part: &String| {
            let below = case.strip_prefix(part.as_str());
            part.is_empty() || part == flow || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.0.iter().any(holds)
    }
}
