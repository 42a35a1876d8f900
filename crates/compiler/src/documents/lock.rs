//! `lock/imports.json`: which documents were fetched, and what they were.
//!
//! ```json
//! {
//!   "https://api.example.com/openapi.json": {
//!     "file": "lock/8f43….json",
//!     "media_type": "application/json",
//!     "sha256": "8f43…"
//!   }
//! }
//! ```
//!
//! The file of a document is named by its digest. What is written is canonical: the same documents give the same
//! bytes.

use std::collections::BTreeMap;

use lockgate_mapping::yaml::{self, Node};
use lockgate_model::{Diagnostic, Diagnostics, Digest, Span};
use serde_json::json;

use super::{BUILD, address};
use crate::reader::{Reader, find};

/// Its path in a project.
pub const LOCK_FILE: &str = "lock/imports.json";
/// Documents that a project locks at most.
pub const IMPORTS_MAX: usize = 100;
/// Bytes of one of them.
pub const IMPORT_BYTES_MAX: usize = 8 << 20;
/// What the files of documents end with.
const ENDINGS: [&str; 4] = ["json", "yaml", "xsd", "wsdl"];

/// What `build` fetched, by address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// Address to document.
    pub imports: BTreeMap<String, Import>,
}

/// A document that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// What its server called it, without parameters; empty where it said nothing.
    pub media_type: String,
    /// Its file in the project.
    pub file: String,
}

impl Import {
    /// A document by its text.
    pub fn of(text: &str, media_type: &str) -> Self {
        let sha256 = Digest::of(text.as_bytes());
        let file = file_of(&sha256, ending(text));
        Self { sha256, media_type: media_type.to_owned(), file }
    }
}

impl Lock {
    /// The whole file.
    pub fn to_json(&self) -> String {
        let entry = |import: &Import| json!({"file": import.file, "media_type": import.media_type, "sha256": import.sha256.hex()});
        let all: BTreeMap<&String, _> = self.imports.iter().map(|(at, import)| (at, entry(import))).collect();
        // Maps of texts and objects are always written.
        let mut text = serde_json::to_string_pretty(&all).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads it; `digest` is that of a file which is there.
    pub(crate) fn read(path: &str, text: &str, digest: impl Fn(&str) -> Option<Digest>) -> (Self, Diagnostics) {
        let mut lock = Lock::default();
        if let Some(problem) = crate::project::not_json(path, text) {
            return (lock, Diagnostics(vec![problem.help("remove the file, and run `lockgate build`")]));
        }
        let (tree, problems) = yaml::read(path, text);
        let mut reader = Reader::new(path, text);
        reader.problems = problems;
        let entries = tree.as_ref().and_then(|tree| reader.object(tree, LOCK_FILE)).unwrap_or_default();
        if entries.len() > IMPORTS_MAX {
            let message = format!("the lock has more than {IMPORTS_MAX} documents");
            reader.problem_help("LG-IMPORT-FILE", Span::new(0, 1), message, "split the project");
            return (lock, reader.problems);
        }
        for (key, node) in entries {
            if let Err(refusal) = address(&key.text) {
                reader.problem_help(refusal.code, key.span, refusal.message, refusal.help);
                continue;
            }
            let Some(import) = import(&mut reader, node) else { continue };
            let problem = match digest(&import.file) {
                Some(digest) if digest == import.sha256 => None,
                Some(_) => Some(format!("`{}` is not the document that was fetched", import.file)),
                None => Some(format!("there is no `{}`", import.file)),
            };
            if let Some(message) = problem {
                reader.refuse(Diagnostic::new("LG-IMPORT-DIGEST", key.span, message).help(BUILD));
            }
            lock.imports.insert(key.text.clone(), import);
        }
        (lock, reader.problems)
    }
}

fn import(reader: &mut Reader<'_>, node: &Node) -> Option<Import> {
    let entries = reader.object_of(node, "a locked document", &["file", "media_type", "sha256"])?;
    let text = |reader: &mut Reader<'_>, key: &str| {
        let value = reader.required(entries, key, "a locked document", node.span)?;
        reader.string(value, &format!("`{key}`")).map(str::to_owned)
    };
    let (file, media_type, sha256) = (text(reader, "file"), text(reader, "media_type"), text(reader, "sha256"));
    let (file, media_type, written) = (file?, media_type?, sha256?);
    let sha256 = written.parse::<Digest>().ok().filter(|digest| digest.hex() == written);
    let named = sha256.filter(|digest| ENDINGS.iter().any(|ending| file == file_of(digest, ending)));
    if named.is_none() {
        let at = find(entries, "file").map_or(node.span, |file| file.span);
        reader.problem_help("LG-IMPORT-FILE", at, "a locked document lies in `lock/<its sha256>.<ending>`", BUILD);
    }
    Some(Import { sha256: named?, media_type, file })
}

/// Is this the path of a file that the lock may have?
pub(crate) fn is_lock_file(rest: &str) -> bool {
    let document = |rest: &str| {
        let (digest, ending) = rest.split_once('.')?;
        let hex = digest.len() == 64 && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (hex && ENDINGS.contains(&ending)).then_some(())
    };
    LOCK_FILE.strip_prefix("lock/") == Some(rest) || document(rest).is_some()
}

fn file_of(digest: &Digest, ending: &str) -> String {
    format!("lock/{}.{ending}", digest.hex())
}

/// What a text is, by how it begins.
fn ending(text: &str) -> &'static str {
    match text.trim_start_matches('\u{feff}').trim_start().chars().next() {
        Some('<') if is_description(text) => "wsdl",
        Some('<') => "xsd",
        Some('{' | '[') => "json",
        _ => "yaml",
    }
}

/// Is `definitions` the first element of this XML?
fn is_description(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (_, here) = rest.split_at(at);
        let end = match here {
            _ if here.starts_with("<!--") => "-->",
            _ if here.starts_with("<?") => "?>",
            _ => {
                let name = here.trim_start_matches('<').split(|c: char| c.is_whitespace() || matches!(c, '>' | '/'));
                let name = name.into_iter().next().unwrap_or_default();
                return name.rsplit(':').next() == Some("definitions");
            }
        };
        let Some((_, behind)) = here.split_once(end) else { return false };
        rest = behind;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::ending;

    #[test]
    fn a_document_is_what_its_first_element_says() {
        for (text, expected) in [
            ("{}", "json"),
            ("a: b", "yaml"),
            ("<xs:schema xmlns:d='definitions'><definitions/></xs:schema>", "xsd"),
            ("\u{feff} <?xml version='1.0'?>\n<!-- <schema> --><wsdl:definitions\n name='x'/>", "wsdl"),
            ("<definitions/>", "wsdl"),
            ("<!-- <definitions/>", "xsd"),
            ("<!DOCTYPE a><definitions/>", "xsd"),
        ] {
            assert_eq!(ending(text), expected, "{text}");
        }
    }
}
