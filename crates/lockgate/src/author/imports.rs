//! Fetching the documents that a project names: the one place of the program, and `build` its one command, that
//! connects to where a source says.
//!
//! https alone, the server's name verified; redirects lead to https as well. Nothing is sent but the request.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use http::{StatusCode, header};
use lockgate_compiler::{
    IMPORT_BYTES_MAX, IMPORTS_MAX, Import, LOCK_FILE, Lock, Named, Sources,
    project::{imports, lock_of},
};
use lockgate_model::{Diagnostic, Diagnostics};
use serde_json::{Value, json};
use url::Url;

use crate::{client::Client, exit::Exit, output::Output};

/// How long one document may take.
const TIME: Duration = Duration::from_secs(20);
/// Redirects that are followed for one document.
const REDIRECTS_MAX: usize = 3;

/// What is fetched, and from whom.
pub struct Fetching<'o> {
    /// Authorities to believe besides the machine's, in PEM.
    pub ca: Option<String>,
    /// Fetch what is locked, too.
    pub update: bool,
    /// Where progress is shown.
    pub output: &'o Output,
}

/// What became of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not locked.
    Added,
    /// It is another than it was.
    Changed,
    /// Nothing names it any more.
    Removed,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Self::Added => "locked",
            Self::Changed => "changed",
            Self::Removed => "no longer named",
        }
    }
}

/// The sources with all documents that they name.
pub struct Fetched {
    /// The files.
    pub sources: Sources,
    /// What is different, by address.
    pub changes: BTreeMap<String, Change>,
    before: Lock,
    after: Lock,
}

impl Fetching<'_> {
    /// Fetches what the sources name and is not locked; documents may name others.
    pub fn fetch(&self, sources: &Sources) -> Result<Fetched, Exit> {
        let before = lock_of(sources);
        let mut sources = sources.clone();
        let mut after = Lock::default();
        let spoiled = |import: &Import, sources: &Sources| {
            sources.0.get(&import.file).is_none_or(|text| Import::of(text, "").sha256 != import.sha256)
        };
        if !self.update {
            after.imports = before.imports.clone();
            after.imports.retain(|_, import| !spoiled(import, &sources));
        }
        without_lock(&mut sources, &after);
        let mut changes = BTreeMap::new();
        loop {
            let named = imports(&sources);
            if named.len() > IMPORTS_MAX {
                let message = format!("the project names more than {IMPORTS_MAX} documents");
                return Err(Exit::failed("LG-IMPORT-FETCH", format!("{message}: put some of them into documents/")));
            }
            let missing: Vec<(&String, &Named)> =
                named.iter().filter(|(address, _)| !after.imports.contains_key(*address)).collect();
            if missing.is_empty() {
                break;
            }
            for (address, place) in missing {
                let (text, media_type) = self.one(address).map_err(|exit| told(exit, address, place, &sources))?;
                let import = Import::of(&text, &media_type);
                let known = before.imports.get(address);
                if let Some(known) = known.filter(|known| !self.update && known.sha256 != import.sha256) {
                    let message = format!(
                        "`{address}` is no longer the document that was locked (sha256 {}): `lockgate build --update` \
                         takes what it is now",
                        known.sha256.hex()
                    );
                    return Err(Exit::failed("LG-IMPORT-CHANGED", message));
                }
                match known {
                    None => drop(changes.insert(address.clone(), Change::Added)),
                    Some(known) if known.sha256 != import.sha256 => {
                        changes.insert(address.clone(), Change::Changed);
                    }
                    Some(_) => {}
                }
                sources.0.insert(import.file.clone(), text);
                after.imports.insert(address.clone(), import);
            }
            sources.0.insert(LOCK_FILE.to_owned(), after.to_json());
        }
        Ok(Fetched { sources, changes, before, after })
    }

    /// One document: its text, and what its server calls it.
    fn one(&self, address: &str) -> Result<(String, String), Exit> {
        let bar = self.output.progress(&format!("fetching {address}"));
        let fetched = self.follow(address);
        bar.finish_and_clear();
        fetched
    }

    fn follow(&self, address: &str) -> Result<(String, String), Exit> {
        let failed = |message: String| Exit::failed("LG-IMPORT-FETCH", format!("cannot fetch `{address}`: {message}"));
        let mut url = Url::parse(address).map_err(|e| failed(e.to_string()))?;
        for _ in 0..=REDIRECTS_MAX {
            if url.scheme() != "https" || url.host_str().is_none() || !url.username().is_empty() {
                return Err(failed(format!("it leads to `{url}`, which is no https address")));
            }
            let answer = Client::of_document(url.clone(), self.ca.clone(), IMPORT_BYTES_MAX)?.fetch(TIME)?;
            let text_of = |name: header::HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
            if answer.status.is_redirection()
                && let Some(to) = text_of(header::LOCATION)
            {
                url = url.join(to).map_err(|e| failed(e.to_string()))?;
                continue;
            }
            if answer.status != StatusCode::OK {
                return Err(failed(format!("its server answered {}", answer.status)));
            }
            if let Some(coding) = text_of(header::CONTENT_ENCODING).filter(|coding| *coding != "identity") {
                return Err(failed(format!("it came in the content coding `{coding}`, which was not asked for")));
            }
            let media_type = text_of(header::CONTENT_TYPE).unwrap_or_default();
            let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let text = String::from_utf8(answer.body.to_vec()).map_err(|_| failed("it is no text in UTF-8".into()))?;
            return Ok((text, media_type));
        }
        Err(failed(format!("it was redirected more than {REDIRECTS_MAX} times")))
    }
}

impl Fetched {
    /// Takes out what nothing names: for sources without problems, of which all is known that they name.
    pub fn without_unnamed(&mut self) {
        let named = imports(&self.sources);
        self.after.imports.retain(|address, _| named.contains_key(address));
        for address in self.before.imports.keys().filter(|address| !named.contains_key(*address)) {
            self.changes.insert(address.clone(), Change::Removed);
        }
        without_lock(&mut self.sources, &self.after);
    }

    /// Writes the lock, where it differs.
    pub fn write(&self, root: &Path) -> Result<(), Exit> {
        let folder = root.join("lock");
        if self.after.imports.is_empty() && !folder.is_dir() {
            return Ok(());
        }
        std::fs::create_dir_all(&folder).map_err(|e| cannot(&folder, &e))?;
        // The documents first: the file that names them is never ahead of them.
        for (path, text) in self.sources.0.iter().filter(|(path, _)| path.starts_with("lock/") && *path != LOCK_FILE) {
            replace(&root.join(path), text)?;
        }
        match self.sources.0.get(LOCK_FILE) {
            Some(text) => replace(&root.join(LOCK_FILE), text)?,
            None => remove(&root.join(LOCK_FILE))?,
        }
        for import in self.before.imports.values().filter(|import| !self.sources.0.contains_key(&import.file)) {
            remove(&root.join(&import.file))?;
        }
        // It stays where something else is in it.
        let _ = std::fs::remove_dir(&folder);
        Ok(())
    }

    /// What is different, for people.
    pub fn text(&self) -> String {
        self.changes.iter().map(|(address, change)| format!("{} {address}\n", change.word())).collect()
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let all = self.changes.iter().map(|(address, change)| json!({"address": address, "change": change.word()}));
        all.collect()
    }
}

/// Takes out the files of the lock that this one does not have.
fn without_lock(sources: &mut Sources, lock: &Lock) {
    sources.0.retain(|path, _| !path.starts_with("lock/") || lock.imports.values().any(|import| import.file == *path));
    if !lock.imports.is_empty() {
        sources.0.insert(LOCK_FILE.to_owned(), lock.to_json());
    }
}

/// A document that cannot be fetched is a problem where it is named.
fn told(exit: Exit, address: &str, place: &Named, sources: &Sources) -> Exit {
    let message = match exit {
        Exit::Failed { message, .. } | Exit::Denied { message, .. } | Exit::Unavailable(message) => message,
        other => return other,
    };
    let problem = Diagnostic::new("LG-IMPORT-FETCH", place.span, message)
        .help(format!("see that {address} answers, or put a copy into documents/ and name it by its path"))
        .file(&place.file);
    Exit::problems(Diagnostics(vec![problem]), |file| sources.0.get(file))
}

fn replace(path: &PathBuf, text: &str) -> Result<(), Exit> {
    if std::fs::read(path).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|e| cannot(path, &e))
}

fn remove(path: &Path) -> Result<(), Exit> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(cannot(path, &e)),
        _ => Ok(()),
    }
}

fn cannot(path: &Path, e: &std::io::Error) -> Exit {
    Exit::failed("LG-IO", format!("cannot write `{}`: {e}", path.display()))
}
