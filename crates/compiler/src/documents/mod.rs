//! Documents that sources name: by a path within the project, or by an https address and then as they are locked.
//!
//! [`Documents`] is where every such name is looked up. It reads a document when it is asked for first, once, and
//! keeps which addresses were asked for, so that `build` fetches exactly what a compilation reads.
//!
//! Deliberately absent: fetching. What is not locked is a problem that names `lockgate build`.

pub(crate) mod bundle;
pub(crate) mod lock;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;

use lockgate_document::schema::location::{is_address, resolve};
use lockgate_mapping::yaml::{self, Node};
use lockgate_model::{Diagnostics, Digest, Span};

use crate::flow::{Description, Index, origin};
use crate::reader::nearest;
use lock::{LOCK_FILE, Lock};

/// Values in all documents that are read.
const NODES_MAX: usize = 1_000_000;
/// Names that are compared with those of references: what follows them ends within a second.
const STEPS_MAX: usize = 50_000_000;
/// Bytes of schemas that are made of documents, in all flows and types.
const SCHEMA_BYTES_MAX: usize = 32 << 20;
/// Bytes of an address.
const ADDRESS_BYTES_MAX: usize = 2_000;
/// What a document that is not there, or cannot be read, is told by.
pub(crate) const CODES: [&str; 5] =
    ["LG-IMPORT-ADDRESS", "LG-IMPORT-LOCK", "LG-IMPORT-DIGEST", "LG-IMPORT-FILE", "LG-IMPORT-DOCUMENT"];
/// What to do about a document that is not there as it is locked.
pub(crate) const BUILD: &str = "run `lockgate build`, which fetches what is not locked";

/// Why there is no document: code, message and what to do.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub message: String,
    pub help: String,
}

impl Refusal {
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}

/// Where a document is named first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The file.
    pub file: String,
    /// The place in it.
    pub span: Span,
}

/// All documents of a project.
pub(crate) struct Documents<'s> {
    known: BTreeMap<String, Document<'s>>,
    /// Addresses that the lock has, whose bytes are not theirs: told where they are locked.
    spoiled: Vec<String>,
    asked: RefCell<BTreeMap<String, Named>>,
    nodes_left: Cell<usize>,
    steps_left: Cell<usize>,
    schema_bytes_left: Cell<usize>,
}

/// A document that is there.
pub(crate) struct Document<'s> {
    /// Its file in the project.
    pub file: String,
    /// Its text, without a byte order mark.
    pub text: &'s str,
    tree: OnceCell<Result<Node, Refusal>>,
    /// What an OpenAPI call has to find in it.
    pub operations: OnceCell<Result<Index, Refusal>>,
    /// What it is as the description of a SOAP service.
    pub description: OnceCell<Description>,
}

/// A value in a document.
#[derive(Clone, Copy)]
pub(crate) struct At<'d> {
    /// Where the document is: its address, or its path in the project.
    pub location: &'d str,
    /// The document.
    pub document: &'d Document<'d>,
    /// The value.
    pub node: &'d Node,
}

impl<'s> Documents<'s> {
    /// The documents among these files, and what is wrong with the lock. Paths may have a folder before them that is
    /// the same for all.
    pub fn new(files: impl IntoIterator<Item = (&'s str, &'s str)>) -> (Self, Diagnostics) {
        let files: BTreeMap<&str, &str> = files.into_iter().collect();
        let mut known = BTreeMap::new();
        let document = |file: &str, text: &'s str| Document {
            file: file.to_owned(),
            text: text.strip_prefix('\u{feff}').unwrap_or(text),
            tree: OnceCell::new(),
            operations: OnceCell::new(),
            description: OnceCell::new(),
        };
        let locks = files.iter().filter_map(|(path, text)| Some((path.strip_suffix(LOCK_FILE)?, *path, *text)));
        let (mut spoiled, mut problems) = (Vec::new(), Diagnostics::default());
        // A project has one.
        if let Some((root, path, text)) = locks.min_by_key(|(root, ..)| root.len()) {
            let (lock, found) = Lock::read(path, text, |file| {
                files.get(format!("{root}{file}").as_str()).map(|text| Digest::of(text.as_bytes()))
            });
            problems.0.extend(found.0);
            for (address, import) in lock.imports {
                let file = format!("{root}{}", import.file);
                match files.get(file.as_str()) {
                    Some(text) if Digest::of(text.as_bytes()) == import.sha256 => {
                        known.insert(address, document(&file, text));
                    }
                    _ => spoiled.push(address),
                }
            }
        }
        for (path, text) in files {
            if is_data(path) {
                known.insert(path.to_owned(), document(path, text));
            }
        }
        let documents = Documents {
            known,
            spoiled,
            asked: RefCell::default(),
            nodes_left: Cell::new(NODES_MAX),
            steps_left: Cell::new(STEPS_MAX),
            schema_bytes_left: Cell::new(SCHEMA_BYTES_MAX),
        };
        (documents, problems)
    }

    /// Without any document.
    pub fn none() -> Self {
        Self::new([]).0
    }

    /// Addresses that were asked for, each with where it is named first.
    pub fn into_asked(self) -> BTreeMap<String, Named> {
        self.asked.into_inner()
    }

    /// The documents whose files end so, by where they are.
    pub fn ending(&self, ending: &str) -> impl Iterator<Item = (&str, &Document<'s>)> {
        let ending = ending.to_owned();
        self.known.iter().filter(move |(_, document)| document.file.ends_with(&ending)).map(|(at, d)| (at.as_str(), d))
    }

    /// Is there a file of the project at this path?
    pub fn has_file(&self, path: &str) -> bool {
        !is_address(path) && self.known.contains_key(path)
    }

    /// The document that `written` names, in the document or source file at `base`; `named` is where it stands.
    pub fn find(&self, base: &str, written: &str, named: &Named) -> Result<(&str, &Document<'s>), Refusal> {
        let Some(location) = resolve(base, written) else { return Err(unreachable(written)) };
        if is_address(&location) {
            address(&location)?;
            self.asked.borrow_mut().entry(location.clone()).or_insert_with(|| named.clone());
        }
        match self.known.get_key_value(location.as_str()) {
            Some((at, document)) => Ok((at.as_str(), document)),
            None if self.spoiled.contains(&location) => {
                let message = format!("the locked document of `{location}` is not the one that was fetched");
                Err(Refusal::new("LG-IMPORT-DIGEST", message, BUILD))
            }
            None if is_address(&location) => {
                Err(Refusal::new("LG-IMPORT-LOCK", format!("`{location}` is not locked"), BUILD))
            }
            None => {
                let paths = self.known.keys().map(String::as_str).filter(|at| !is_address(at));
                let help = match nearest(&location, paths) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "documents lie in documents/ and types/, and are named from the project's folder, or else \
                             by an https address"
                        .to_owned(),
                };
                Err(Refusal::new("LG-IMPORT-FILE", format!("there is no document `{location}` in the project"), help))
            }
        }
    }

    /// The document at a location.
    pub fn get(&self, location: &str) -> Option<&Document<'s>> {
        self.known.get(location)
    }

    /// The values of a document that was found before.
    pub fn at(&self, location: &str) -> Option<At<'_>> {
        let (location, document) = self.known.get_key_value(location)?;
        self.tree(location, document).ok()
    }

    /// The value at a JSON pointer (RFC 6901). None too where references were followed too far, which
    /// [`Documents::nowhere`] tells.
    pub fn pointed<'n>(&self, root: &'n Node, pointer: &str) -> Option<&'n Node> {
        pointer.split('/').skip(1).try_fold(root, |node, part| {
            let name = part.replace("~1", "/").replace("~0", "~");
            let Some(entries) = node.entries() else { return node.items()?.get(name.parse::<usize>().ok()?) };
            let place = entries.iter().position(|(key, _)| key.text == name);
            let steps = place.unwrap_or(entries.len()) + 1;
            let left = self.steps_left.get().checked_sub(steps);
            self.steps_left.set(left.unwrap_or_default());
            left.and(place).and_then(|place| entries.get(place)).map(|(_, value)| value)
        })
    }

    /// Why a reference leads to no value.
    pub fn nowhere(&self, written: &str) -> String {
        match self.steps_left.get() {
            0 => "the references of these documents take too long to follow".to_owned(),
            _ => format!("`{written}` leads nowhere"),
        }
    }

    /// Takes from the bytes that schemas made of documents may have.
    pub fn charge(&self, bytes: usize) -> Result<(), Refusal> {
        let left = self.schema_bytes_left.get().checked_sub(bytes);
        self.schema_bytes_left.set(left.unwrap_or_default());
        left.filter(|left| *left > 0).map(drop).ok_or_else(|| {
            let message =
                format!("the schemas that are made of documents have more than {} MiB", SCHEMA_BYTES_MAX >> 20);
            Refusal::new("LG-TYPE-SIZE", message, "refer to less, or split the project")
        })
    }

    /// The values of a document, read when it is asked for first.
    pub fn tree<'d>(&'d self, location: &'d str, document: &'d Document<'s>) -> Result<At<'d>, Refusal> {
        let tree = document.tree.get_or_init(|| {
            let (tree, problems) = yaml::read_within(&document.file, document.text, self.nodes_left.get());
            if let Some(first) = problems.0.first() {
                let (line, column) = first.line_column(document.text);
                let message = format!("`{location}` cannot be read: {} (line {line}, column {column})", first.message);
                let help = first.help.clone();
                let help = help.unwrap_or_else(|| "a document is YAML 1.2 or JSON, without aliases".to_owned());
                return Err(Refusal::new("LG-IMPORT-DOCUMENT", message, help));
            }
            let tree = tree.ok_or_else(|| {
                Refusal::new(
                    "LG-IMPORT-DOCUMENT",
                    format!("`{location}` cannot be read"),
                    "see that it is YAML or JSON",
                )
            })?;
            self.nodes_left.set(self.nodes_left.get().saturating_sub(tree.count()));
            Ok(tree)
        });
        match tree {
            Ok(node) => Ok(At { location, document, node }),
            Err(refusal) => Err(refusal.clone()),
        }
    }
}

impl<'d> At<'d> {
    /// Another value of the same document.
    pub fn to(self, node: &'d Node) -> At<'d> {
        At { node, ..self }
    }

    /// The line it stands in, from 1.
    pub fn line(self) -> usize {
        let before = self.document.text.as_bytes().get(..self.node.span.start as usize).unwrap_or_default();
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }
}

/// A name as a part of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Files that sources may name by their paths.
fn is_data(path: &str) -> bool {
    let folder = |name: &str| path.starts_with(&format!("{name}/")) || path.contains(&format!("/{name}/"));
    (folder("types") || folder("documents")) && !path.ends_with(LOCK_FILE)
}

/// Is this an address that can be fetched?
pub(crate) fn address(text: &str) -> Result<(), Refusal> {
    let refused = |message: String| Refusal::new("LG-IMPORT-ADDRESS", message, "write `https://host/path` as it is");
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(refused(format!("the address of a document has more than {ADDRESS_BYTES_MAX} bytes")));
    }
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let host = rest.get(..rest.find(['/', '?']).unwrap_or(rest.len())).unwrap_or_default();
    let plain = text
        .chars()
        .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'));
    if !plain || origin(host).is_err() {
        return Err(refused(format!("`{text}` is no https address")));
    }
    Ok(())
}

fn unreachable(written: &str) -> Refusal {
    Refusal::new(
        "LG-IMPORT-ADDRESS",
        format!("`{written}` leads to nothing that can be read"),
        "a document has a literal https address, or a path within the project",
    )
}
