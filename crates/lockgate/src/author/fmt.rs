//! `lockgate fmt [PATH…]`: the files of projects in their canonical form, which means what they meant
//! before. A file with problems is not touched.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use lockgate_compiler::{format, is_named};
use lockgate_mapping::expression::format as format_expression;
use lockgate_model::{Diagnostic, Diagnostics};
use serde_json::{Value, json};

use crate::{
    author::{sources, workbench::standard_input},
    exit::Exit,
    output::Output,
};

/// Arguments of `fmt`.
#[derive(Args)]
pub struct Fmt {
    /// Mapping files, flows, project.yaml, or project folders; `-` formats standard input to standard output.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Change nothing; show what would change, and fail when something would.
    #[arg(long)]
    check: bool,
    /// Format one expression from standard input to standard output.
    #[arg(long, conflicts_with_all = ["paths", "check"])]
    expression: bool,
}

/// Characters of a line of an expression that stands alone.
const WIDTH: usize = 100;

/// What standard input is called.
const STANDARD_INPUT: &str = "standard input";

impl Fmt {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        if self.expression {
            let text = text_of_input()?;
            let formatted = format_expression(&text, Some(WIDTH)).map_err(|all| {
                let named = all.0.into_iter().map(|problem| problem.file(STANDARD_INPUT)).collect();
                Exit::problems(Diagnostics(named), |_| Some(&text))
            })?;
            return output.bytes(format!("{formatted}\n").as_bytes());
        }
        let piped = self.paths.iter().any(|path| path.as_os_str() == "-");
        if piped && self.paths.len() > 1 {
            return Err(Exit::Usage("`-` stands alone: standard input is one file".to_owned()));
        }
        if piped {
            return self.piped(output);
        }
        let mut work = Work::default();
        for path in &self.paths {
            work.gather(path)?;
        }
        let changed = work.formatted();
        if !self.check {
            for (name, text) in &changed {
                work.files.get(name).map_or(Ok(()), |file| replace(&file.path, text))?;
            }
        }
        self.tell(&work, &changed, output);
        work.problems()?;
        if self.check && !changed.is_empty() { Err(Exit::Told) } else { Ok(()) }
    }

    fn piped(&self, output: &Output) -> Result<(), Exit> {
        let text = text_of_input()?;
        let formatted = format(STANDARD_INPUT, &text).map_err(|all| Exit::problems(all, |_| Some(&text)))?;
        if !self.check {
            return output.bytes(formatted.as_bytes());
        }
        if formatted == text {
            return Ok(());
        }
        let file = json!({"file": STANDARD_INPUT, "changed": true});
        output.result(&json!({"files": [file]}), || hint(STANDARD_INPUT, &text, &formatted));
        Err(Exit::Told)
    }

    fn tell(&self, work: &Work, changed: &BTreeMap<String, String>, output: &Output) {
        let files: Vec<Value> =
            work.files.keys().map(|name| json!({"file": name, "changed": changed.contains_key(name)})).collect();
        output.result(&json!({"files": files}), || {
            let mut text = String::new();
            for (name, formatted) in changed {
                match (self.check, work.files.get(name)) {
                    (true, Some(file)) => text.push_str(&hint(name, &file.text, formatted)),
                    _ => text.push_str(&format!("formatted {name}\n")),
                }
            }
            let rest = work.files.len() - changed.len() - work.broken();
            if changed.is_empty() && rest > 0 {
                text.push_str(&format!("nothing to do: {}\n", files_of(rest)));
            }
            text
        });
    }
}

fn files_of(count: usize) -> String {
    if count == 1 { "the file has its form".to_owned() } else { format!("{count} files have their form") }
}

fn text_of_input() -> Result<String, Exit> {
    String::from_utf8(standard_input()?).map_err(|_| Exit::failed("LG-IO", "the input is no text in UTF-8"))
}

/// A file to format.
struct File {
    path: PathBuf,
    text: String,
    /// It is no text.
    unreadable: Option<Diagnostic>,
}

/// All files to format, by the name that they are shown with.
#[derive(Default)]
struct Work {
    files: BTreeMap<String, File>,
    problems: BTreeMap<String, Diagnostics>,
}

impl Work {
    fn gather(&mut self, path: &Path) -> Result<(), Exit> {
        let shown = path.display().to_string();
        if !path.is_dir() {
            if !is_named(&shown.replace('\\', "/")) {
                let message = format!("`{shown}` is no mapping file, flow or project.yaml (`-` takes any from a pipe)");
                return Err(Exit::Usage(message));
            }
            return self.add(path.to_owned());
        }
        if !path.join("project.yaml").is_file() {
            let message = format!("`{shown}` is no project folder: there is no project.yaml; name files, or `-`");
            return Err(Exit::Usage(message));
        }
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_named(&name) && !name.starts_with('.') && entry.path().is_file() {
                let plain = path == Path::new(".");
                self.add(if plain { PathBuf::from(name) } else { entry.path() })?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: PathBuf) -> Result<(), Exit> {
        let name = path.display().to_string();
        let (text, unreadable) =
            sources::text(&path, &name).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
        self.files.insert(name, File { path, text, unreadable });
        Ok(())
    }

    /// The files that change, with their new text. Problems are kept.
    fn formatted(&mut self) -> BTreeMap<String, String> {
        let mut changed = BTreeMap::new();
        for (name, file) in &self.files {
            let formatted = match &file.unreadable {
                Some(problem) => Err(Diagnostics(vec![problem.clone()])),
                None => format(name, &file.text),
            };
            match formatted {
                Ok(formatted) if formatted == file.text => {}
                Ok(formatted) => {
                    changed.insert(name.clone(), formatted);
                }
                Err(all) => {
                    self.problems.insert(name.clone(), all);
                }
            }
        }
        changed
    }

    fn broken(&self) -> usize {
        self.problems.len()
    }

    fn problems(&self) -> Result<(), Exit> {
        let all: Vec<Diagnostic> = self.problems.values().flat_map(|all| all.0.iter().cloned()).collect();
        if all.is_empty() {
            return Ok(());
        }
        Err(Exit::problems(Diagnostics(all), |name| self.files.get(name).map(|file| &file.text)))
    }
}

/// Writes a file as a whole or not at all, with the permissions that it has.
fn replace(path: &Path, text: &str) -> Result<(), Exit> {
    let cannot = |e: &dyn std::fmt::Display| Exit::failed("LG-IO", format!("cannot write `{}`: {e}", path.display()));
    // What a link points to is written, not the link.
    let path = &path.canonicalize().map_err(|e| cannot(&e))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|e| cannot(&e))?;
    file.write_all(text.as_bytes()).map_err(|e| cannot(&e))?;
    let permissions = std::fs::metadata(path).map_err(|e| cannot(&e))?.permissions();
    file.as_file().set_permissions(permissions).map_err(|e| cannot(&e))?;
    file.persist(path).map(drop).map_err(|e| cannot(&e))
}

/// Lines that are shown of a place that differs.
const SHOWN_MAX: usize = 12;
/// Places that are shown of a file.
const PLACES_MAX: usize = 5;
/// How far lines are looked for that are the same again.
const AHEAD_MAX: usize = 100;

/// Where two texts differ, in lines: what goes with `-`, what comes with `+`.
fn hint(name: &str, old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut text = format!("{name}\n");
    let (mut a, mut b, mut places) = (0, 0, 0);
    while a < old.len() || b < new.len() {
        if old.get(a) == new.get(b) {
            (a, b) = (a + 1, b + 1);
            continue;
        }
        if places == PLACES_MAX {
            text.push_str("  …\n");
            return text;
        }
        places += 1;
        let (gone, come) = next_same(old.get(a..).unwrap_or_default(), new.get(b..).unwrap_or_default());
        text.push_str(&format!("  line {}\n", a + 1));
        let (left, right) = (old.get(a..a + gone).unwrap_or_default(), new.get(b..b + come).unwrap_or_default());
        let alike = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
        part(&mut text, '-', left.get(..gone - alike).unwrap_or_default());
        part(&mut text, '+', right.get(..come - alike).unwrap_or_default());
        (a, b) = (a + gone, b + come);
    }
    if places == 0 {
        text.push_str("  line ends\n");
    }
    text
}

fn part(text: &mut String, sign: char, lines: &[&str]) {
    for line in lines.iter().take(SHOWN_MAX) {
        text.push_str(&format!("  {sign} {line}\n"));
    }
    if lines.len() > SHOWN_MAX {
        text.push_str(&format!("  {sign} … {} more\n", lines.len() - SHOWN_MAX));
    }
}

/// How many lines of each go before they are the same again.
fn next_same(old: &[&str], new: &[&str]) -> (usize, usize) {
    for ahead in 1..AHEAD_MAX {
        for gone in 0..=ahead {
            let come = ahead - gone;
            // A blank line alone says nothing.
            let same = |a: Option<&&str>, b: Option<&&str>| a.is_some_and(|line| !line.trim().is_empty()) && a == b;
            if same(old.get(gone), new.get(come)) {
                return (gone, come);
            }
        }
    }
    (old.len(), new.len())
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn a_hint_shows_the_lines_that_differ() {
        let shown = hint("f", "a\nb\nc\nd\n", "a\nB\nc\nx\ny\nd\n");
        assert_eq!(shown, "f\n  line 2\n  - b\n  + B\n  line 4\n  + x\n  + y\n");
        assert_eq!(hint("f", "a\r\nb", "a\nb\n"), "f\n  line ends\n");
        let (old, new) = ("a\n".repeat(300), "b\n".repeat(400));
        assert!(hint("f", &old, &new).ends_with("  + … 388 more\n"));
    }
}
