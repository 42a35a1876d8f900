//! Reading a project folder from disk. What the files mean is the compiler's business.

use std::{collections::BTreeMap, path::Path};

use lockgate_compiler::{Sources, Tables};

use crate::exit::Exit;

/// Bytes of one source file.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// All files of a project folder by their path in it. Dot files and `target/` are left out.
pub fn folder(root: &Path) -> Result<Sources, Exit> {
    if !root.join("project.yaml").is_file() {
        return Err(Exit::Usage(format!(
            "`{}` is no project folder: there is no project.yaml (`lockgate new NAME` makes one)",
            root.display()
        )));
    }
    let mut files = BTreeMap::new();
    walk(root, root, &mut files)?;
    Ok(Sources(files))
}

fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> Result<(), Exit> {
    let cannot = |path: &Path, e: &dyn std::fmt::Display| {
        Exit::failed("LG-IO", format!("cannot read `{}`: {e}", path.display()))
    };
    for entry in std::fs::read_dir(folder).map_err(|e| cannot(folder, &e))? {
        let entry = entry.map_err(|e| cannot(folder, &e))?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with('.') || name == "target" {
            continue;
        }
        let about = entry.file_type().map_err(|e| cannot(&path, &e))?;
        if about.is_dir() {
            walk(root, &path, files)?;
        } else if about.is_file() {
            let size = entry.metadata().map_err(|e| cannot(&path, &e))?.len();
            if size > FILE_BYTES_MAX {
                return Err(cannot(&path, &format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20)));
            }
            let text = std::fs::read_to_string(&path).map_err(|e| cannot(&path, &e))?;
            let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(inside, text);
        }
    }
    Ok(())
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
        let text = std::fs::read_to_string(&path)?;
        let value = serde_json::from_str(&text)
            .map_err(|e| Exit::failed("LG-TABLE", format!("cannot read table `{}`: {e}", path.display())))?;
        if let Some(name) = path.file_stem() {
            tables.insert(name.to_string_lossy().into_owned(), value);
        }
    }
    Ok(tables)
}
