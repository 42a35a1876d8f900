//! Names of schemas, and the references that go by them.

use super::{Reader, RuleId, last, shown};
use crate::node::{Kind, Node};

/// A `$ref` that is not followed yet.
pub(super) struct Reference {
    from: RuleId,
    pointer: String,
    to: String,
}

impl<'n> Reader<'n> {
    pub(super) fn anchor(&mut self, id: RuleId, value: Node<'_>, at: &str) {
        if let Some(name) = self.text(value, at)
            && self.anchors.insert(name.to_owned(), id).is_some()
        {
            let message = format!("the anchor `{}` stands twice", shown(name));
            self.problem("LG-TYPE-REF", at, message, "give one of them another name");
        }
    }

    /// `$id` names the document at its root. In draft 7 `#name` is an anchor; else a part with a name
    /// of its own would be a document within the document.
    pub(super) fn identifier(&mut self, id: RuleId, value: Node<'_>, pointer: &str, at: &str) {
        let Some(name) = self.text(value, at) else { return };
        match name.strip_prefix('#') {
            Some(anchor) if self.draft7 => drop(self.anchors.insert(anchor.to_owned(), id)),
            _ if pointer.is_empty() => {}
            _ => {
                let help = "leave `$id` to the root, and refer to parts by `#/$defs/name`";
                self.problem("LG-TYPE-LATER", at, "`$id` within a schema is not supported yet", help);
            }
        }
    }

    pub(super) fn reference(&mut self, from: RuleId, value: Node<'_>, at: &str) {
        let Some(to) = self.text(value, at) else { return };
        let own = self.own.map(|own| own.trim_end_matches('#')).filter(|own| !own.is_empty());
        let local = match to.split_once('#') {
            Some(("", fragment)) => Some(fragment),
            Some((document, fragment)) if Some(document) == own => Some(fragment),
            None if Some(to) == own => Some(""),
            _ => None,
        };
        match local {
            Some(fragment) => self.references.push(Reference { from, pointer: at.to_owned(), to: fragment.to_owned() }),
            None => {
                let help = "nothing is fetched: copy the part into `$defs` and refer to `#/$defs/name`";
                self.problem("LG-TYPE-REMOTE", at, "this `$ref` leads to another document", help);
            }
        }
    }

    /// Follows all references; what they lead to may bring more of them.
    pub(super) fn follow(&mut self) {
        while let Some(Reference { from, pointer, to }) = self.references.pop() {
            let target = decoded(&to).and_then(|to| match to.as_str() {
                "" => self.known.get("").copied(),
                path if path.starts_with('/') => self.pointed(path),
                name => self.anchors.get(name).copied(),
            });
            match target {
                Some(target) => self.draft.refer(from, target),
                None => {
                    let message = format!("this `$ref` leads nowhere: there is no `#{}`", shown(&to));
                    self.problem("LG-TYPE-REF", &pointer, message, self.suggestion(&to));
                }
            }
        }
    }

    /// The rule at a pointer; a place that is no schema by itself becomes one.
    fn pointed(&mut self, pointer: &str) -> Option<RuleId> {
        if let Some(id) = self.known.get(pointer) {
            return Some(*id);
        }
        let mut node = self.root;
        for part in pointer.split('/').skip(1) {
            let name = part.replace("~1", "/").replace("~0", "~");
            node = match node.kind() {
                Kind::Array => node.at(name.parse().ok()?),
                _ => node.get(&name),
            };
        }
        matches!(node.kind(), Kind::Object | Kind::Boolean).then(|| self.schema(node, pointer, 1))
    }

    fn suggestion(&self, to: &str) -> String {
        let known: Vec<&str> = self
            .known
            .keys()
            .map(String::as_str)
            .filter(|at| at.starts_with("/$defs/") || at.starts_with("/definitions/"))
            .collect();
        let wanted = to.rsplit('/').next().unwrap_or(to).to_lowercase();
        let near = known.iter().find(|at| at.matches('/').count() == 2 && last(at).to_lowercase() == wanted);
        match near {
            Some(near) => format!("did you mean `#{near}`?"),
            None if known.is_empty() => "put what it means into `$defs`: `#/$defs/name`".to_owned(),
            None => "parts that others refer to stand in `$defs`: `#/$defs/name`".to_owned(),
        }
    }
}

/// `%41` to `A`, as fragments of addresses are written (RFC 3986 §2.1).
pub fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || (rest.next()? as char).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}
