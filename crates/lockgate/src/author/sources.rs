//! Reading a project folder from disk. What the files mean is the compiler's business.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use lockgate_compiler::{Sources, Tables, project::flows_run};
use lockgate_model::{Diagnostic, Diagnostics, Span};

use crate::exit::Exit;

/// Bytes of one source file.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What ends the name of a drawing, which says nothing that the project does not.
const DRAWING: &str = ".svg";

/// All files of a project folder by their path in it, and which of them are no text. Dot files, `target/`
/// and drawings of mappings (`.svg`) are left out.
pub fn folder(root: &Path) -> Result<(Sources, Diagnostics), Exit> {
    if !root.join("project.yaml").is_file() {
        return Err(Exit::Usage(format!(
            "`{}` is no project folder: there is no project.yaml (`lockgate new NAME` makes one)",
            root.display()
        )));
    }
    let (mut files, mut problems) = (BTreeMap::new(), Diagnostics::default());
    walk(root, root, &mut files, &mut problems)?;
    Ok((Sources(files), problems))
}

/// The text of a file that is called `name`. Where bytes are no UTF-8 there is a problem beside it, and
/// U+FFFD stands for them, so that what else is wrong with the file can be found.
pub fn text(path: &Path, name: &str) -> std::io::Result<(String, Option<Diagnostic>)> {
    let bytes = std::fs::read(path)?;
    let Err(error) = std::str::from_utf8(&bytes) else {
        return Ok((String::from_utf8_lossy(&bytes).into_owned(), None));
    };
    let at = error.valid_up_to();
    let span = Span::new(at, at + char::REPLACEMENT_CHARACTER.len_utf8());
    let problem = Diagnostic::new("LG-SOURCE-UTF8", span, "this is no text in UTF-8")
        .help("save the file in UTF-8; editors call it the encoding of the file")
        .file(name);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), Some(problem)))
}

fn walk(
    root: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, String>,
    problems: &mut Diagnostics,
) -> Result<(), Exit> {
    for entry in std::fs::read_dir(folder).map_err(|e| cannot(folder, &e))? {
        let entry = entry.map_err(|e| cannot(folder, &e))?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with('.') || name == "target" {
            continue;
        }
        let about = entry.file_type().map_err(|e| cannot(&path, &e))?;
        if about.is_dir() {
            walk(root, &path, files, problems)?;
        } else if about.is_file() && !name.ends_with(DRAWING) {
            read(root, &path, files, problems)?;
        }
    }
    Ok(())
}

/// Adds a file below `root`.
fn read(
    root: &Path,
    path: &Path,
    files: &mut BTreeMap<String, String>,
    problems: &mut Diagnostics,
) -> Result<(), Exit> {
    let size = path.metadata().map_err(|e| cannot(path, &e))?.len();
    if size > FILE_BYTES_MAX {
        return Err(cannot(path, &format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20)));
    }
    let inside = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let (text, problem) = text(path, &inside).map_err(|e| cannot(path, &e))?;
    problems.0.extend(problem);
    files.insert(inside, text);
    Ok(())
}

fn cannot(path: &Path, e: &dyn std::fmt::Display) -> Exit {
    Exit::failed("LG-IO", format!("cannot read `{}`: {e}", path.display()))
}

/// The flow in a file and what it is compiled with, from the folder where it lies: `project.yaml` where there
/// is one, mappings, `tables/`, `types/`, `documents/` and `lock/`, and the flows that it runs; and which of them are no
/// text.
pub fn beside(flow: &Path) -> Result<(Sources, Diagnostics), Exit> {
    let root = flow.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (mut files, mut problems) = (BTreeMap::new(), Diagnostics::default());
    read(root, &root.join(flow.file_name().unwrap_or_default()), &mut files, &mut problems)?;
    let wanted: [(&str, &[&str]); 5] = [
        ("", &["project.yaml", ".map.yaml"]),
        ("tables", &[".json"]),
        ("types", &[".json", ".xsd"]),
        ("documents", &[".json", ".yaml", ".yml", ".xsd", ".wsdl"]),
        ("lock", &[".json", ".yaml", ".xsd", ".wsdl"]),
    ];
    for (folder, endings) in wanted {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        let files_in = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|about| about.is_file()));
        for path in files_in.map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let wanted =
                |ending: &&str| if ending.starts_with('.') { name.ends_with(*ending) } else { name == **ending };
            if !name.starts_with('.') && endings.iter().any(wanted) {
                read(root, &path, &mut files, &mut problems)?;
            }
        }
    }
    let mut sources = Sources(files);
    // A flow stands in the file of its name. Those that are found may run others.
    let mut known = BTreeSet::new();
    loop {
        let new: Vec<String> = flows_run(&sources).into_iter().filter(|name| known.insert(name.clone())).collect();
        if new.is_empty() {
            return Ok((sources, problems));
        }
        for path in new.into_iter().map(|name| root.join(format!("{name}.flow.yaml"))).filter(|path| path.is_file()) {
            if sources.0.contains_key(path.file_name().unwrap_or_default().to_string_lossy().as_ref()) {
                continue;
            }
            read(root, &path, &mut sources.0, &mut problems)?;
        }
    }
}

/// The files in `types/` of a folder by their paths, as the document types of a mapping beside it, with those in
/// `documents/` and `lock/` that they lead to, and which of them are no text.
pub fn types(folder: Option<&Path>) -> Result<(BTreeMap<String, String>, Diagnostics), Exit> {
    let (mut files, mut problems) = (BTreeMap::new(), Diagnostics::default());
    let folders = ["types", "documents", "lock"].map(|name| folder.unwrap_or(Path::new("")).join(name));
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        let name = path.display().to_string();
        let read = text(&path, &name);
        let (text, problem) = read.map_err(|e| Exit::failed("LG-IO", format!("cannot read `{name}`: {e}")))?;
        problems.0.extend(problem);
        files.insert(name, text);
    }
    Ok((files, problems))
}

/// Reference data in `tables/` of a folder, by name.
pub fn tables(folder: Option<&Path>) -> Result<Tables, Exit> {
    let mut tables = Tables::new();
    let folder = folder.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new(".")).join("tables");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(tables) };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let name = path.display().to_string();
        let cannot = |e: &dyn std::fmt::Display| Exit::failed("LG-TABLE", format!("cannot read table `{name}`: {e}"));
        let (text, unreadable) = text(&path, &name).map_err(|e| cannot(&e))?;
        if let Some(problem) = unreadable {
            return Err(Exit::problems(Diagnostics(vec![problem]), |_| Some(&text)));
        }
        let value = serde_json::from_str(&text).map_err(|e| cannot(&e))?;
        if let Some(name) = path.file_stem() {
            tables.insert(name.to_string_lossy().into_owned(), value);
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::folder;

    #[test]
    fn drawings_are_no_files_of_a_project() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| std::fs::write(root.path().join(path), text).unwrap();
        std::fs::create_dir(root.path().join("docs")).unwrap();
        write("project.yaml", "project: p\n");
        write("order.svg", "<svg/>");
        write("docs/order.map.svg", "\u{ff}");
        write("svg", "no drawing");
        write("order.svg.txt", "no drawing");
        let (sources, problems) = folder(root.path()).unwrap_or_else(|_| panic!("a folder"));
        assert!(problems.is_empty(), "{problems}");
        assert_eq!(sources.0.keys().collect::<Vec<_>>(), ["order.svg.txt", "project.yaml", "svg"]);
    }
}
