//! What a compilation starts from: the files of a project and the catalog of connectors.

use std::collections::BTreeMap;

use lockgate_model::{Digest, manifest::StreamContent};

/// The files of a project: path within the project (with `/`) to text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources(pub BTreeMap<String, String>);

impl Sources {
    /// Path and text of each.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// SHA-256 over the sorted paths, each with the SHA-256 of its text.
    pub fn digest(&self) -> Digest {
        digest_of(self.0.iter())
    }
}

/// One digest for several files, whatever order they come in.
pub(super) fn digest_of<'s>(files: impl Iterator<Item = (&'s String, &'s String)>) -> Digest {
    let sorted: BTreeMap<&String, Digest> = files.map(|(path, text)| (path, Digest::of(text.as_bytes()))).collect();
    Digest::of_parts(sorted.iter().flat_map(|(path, digest)| [path.as_bytes(), digest.0.as_slice()]))
}

/// The connectors of an installation and what they can do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    /// Connector to operation.
    pub connectors: BTreeMap<String, BTreeMap<String, OperationInfo>>,
}

/// What is known of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationInfo {
    /// Its version, such as `1` or `1.2`.
    pub version: String,
    /// May it be repeated without doing anything twice?
    pub idempotent: bool,
    /// The member of its input that may be a stream.
    pub takes: Option<String>,
    /// What it gives as a stream.
    pub gives: Option<StreamContent>,
    /// Members of its input that no expression may compute.
    pub constant: Vec<String>,
    /// JSON Schema of its input; what is no object says nothing.
    pub input: serde_json::Value,
}

/// Does a version as written in a call (`1`) name this version (`1.2.0`)?
pub(super) fn version_matches(written: &str, actual: &str) -> bool {
    actual.strip_prefix(written).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::{Sources, version_matches};

    #[test]
    fn a_version_names_itself_and_what_refines_it() {
        for (written, actual) in [("1", "1"), ("1", "1.2.3"), ("1.2", "1.2.3")] {
            assert!(version_matches(written, actual), "{written} {actual}");
        }
        for (written, actual) in [("1", "10"), ("1.2", "1"), ("2", "1.2"), ("1.2", "1.20")] {
            assert!(!version_matches(written, actual), "{written} {actual}");
        }
    }

    #[test]
    fn the_digest_tells_paths_and_texts_apart() {
        let sources = |files: &[(&str, &str)]| {
            Sources(files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect()).digest()
        };
        assert_eq!(sources(&[("a", "1"), ("b", "2")]), sources(&[("b", "2"), ("a", "1")]));
        let all = [
            sources(&[]),
            sources(&[("a", "1")]),
            sources(&[("a", "2")]),
            sources(&[("a1", "")]),
            sources(&[("a", "1"), ("b", "")]),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| other != one));
        }
    }
}
