//! A JSON Schema that leads to other documents becomes one document: what it refers to stands under a key of its own,
//! and every `$ref` to it leads there.
//!
//! Only what is referred to is taken over. What the words of a schema mean decides where a `$ref` is one: in `enum`,
//! `const`, `default` and `examples` it is data, and below `properties` and the like `$ref` can be a name.

use std::collections::BTreeMap;

use lockgate_document::schema::{
    SchemaPlace, SchemaProblem,
    location::{is_address, resolve},
};
use lockgate_mapping::yaml::{Node, Value, write_json_text};
use lockgate_model::Span;

use super::{Documents, Named, Refusal, escaped};

/// Where the parts of other documents stand.
const PARTS: &str = "lockgate:parts";
/// Bytes of the whole.
const BYTES_MAX: usize = 4 << 20;
/// References that are followed.
const PARTS_MAX: usize = 10_000;

/// The whole as one JSON document.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub json: String,
    /// The document and the pointer of each part.
    parts: Vec<(String, String)>,
}

/// What cannot be followed: the document where that stands, and the place in it.
#[derive(Debug)]
pub(crate) struct Broken {
    pub location: String,
    pub span: Span,
    pub refusal: Refusal,
}

impl Bundle {
    /// Anything of other documents is in it.
    pub fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// The document and the pointer in it where a problem of the whole is; none where it is the schema's own.
    pub fn at(&self, problem: &SchemaProblem) -> Option<(&str, String)> {
        let SchemaPlace::Pointer(pointer) = &problem.place else { return None };
        let rest = pointer.strip_prefix('/')?.strip_prefix(PARTS)?.strip_prefix('/')?;
        let (number, within) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (location, at) = self.parts.get(number.parse::<usize>().ok()?)?;
        Some((location, format!("{at}{within}")))
    }
}

/// Bundles the schema `node`, which stands at `pointer` of the document `root` at `base`.
pub(crate) fn bundle(
    documents: &Documents<'_>,
    (base, root, pointer): (&str, &Node, &str),
    named: &Named,
) -> Result<Bundle, Vec<Broken>> {
    let mut bundler = Bundler {
        documents,
        named,
        whole: pointer.is_empty().then_some(base),
        known: BTreeMap::new(),
        parts: Vec::new(),
        anchors: BTreeMap::new(),
        broken: Vec::new(),
        full: false,
    };
    let mut json = String::new();
    let own = Source { location: base, root };
    if pointer.is_empty() {
        bundler.write(&own, root, Words::Schema, &mut json);
    } else {
        json.push_str("{\"$ref\":");
        let to = bundler.part(&own, pointer, (base, root.span));
        write_json_text(&to, &mut json);
        if let Some(dialect) = root.get("$schema") {
            json.push_str(&format!(",\"$schema\":{}", dialect.to_json()));
        }
        json.push('}');
    }
    let mut written = 0;
    let mut parts = String::new();
    if !bundler.parts.is_empty()
        && let Err(refusal) = documents.charge(json.len())
    {
        bundler.tell(base, root.span, refusal);
        return Err(bundler.broken);
    }
    while let Some((location, pointer)) = bundler.parts.get(written).cloned() {
        if json.len() + parts.len() > BYTES_MAX || written > PARTS_MAX {
            let message = format!("with what it refers to the schema has more than {} MiB", BYTES_MAX >> 20);
            bundler.tell(base, root.span, Refusal::new("LG-TYPE-SIZE", message, "refer to less"));
            break;
        }
        parts.push_str(if written == 0 { "{" } else { "," });
        parts.push_str(&format!("\"{written}\":"));
        let before = parts.len();
        bundler.write_part(&location, base, root, &pointer, &mut parts);
        written += 1;
        if let Err(refusal) = documents.charge(parts.len() - before) {
            bundler.tell(base, root.span, refusal);
            break;
        }
    }
    if !bundler.broken.is_empty() {
        return Err(bundler.broken);
    }
    if !parts.is_empty() {
        // Only an object can refer to anything.
        json.pop();
        json.push_str(&format!("{}\"{PARTS}\":{parts}}}}}", if json.len() > 1 { "," } else { "" }));
    }
    Ok(Bundle { json, parts: bundler.parts })
}

/// What a place in a schema holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// A schema, or an array of them.
    Schema,
    /// Schemas under names.
    Named,
    /// Values.
    Data,
}

/// A document that is taken from.
struct Source<'n> {
    location: &'n str,
    root: &'n Node,
}

struct Bundler<'d, 's> {
    documents: &'d Documents<'s>,
    named: &'d Named,
    /// The document that is there as a whole.
    whole: Option<&'d str>,
    known: BTreeMap<(String, String), usize>,
    parts: Vec<(String, String)>,
    /// Pointers of anchors, of each document that one was asked for.
    anchors: BTreeMap<String, BTreeMap<String, String>>,
    broken: Vec<Broken>,
    /// Too much is broken to tell more.
    full: bool,
}

impl Bundler<'_, '_> {
    fn tell(&mut self, location: &str, span: Span, refusal: Refusal) {
        self.full |= self.broken.len() >= 20;
        if !self.full {
            self.broken.push(Broken { location: location.to_owned(), span, refusal });
        }
    }

    fn write_part(&mut self, location: &str, base: &str, root: &Node, pointer: &str, out: &mut String) {
        let documents = self.documents;
        let found = match location == base {
            true => Some((base, root)),
            false => documents.at(location).map(|at| (at.location, at.node)),
        };
        // It was there when it was referred to.
        let Some((location, root)) = found else { return out.push_str("true") };
        let Some(node) = documents.pointed(root, pointer) else { return out.push_str("true") };
        self.write(&Source { location, root }, node, Words::Schema, out);
    }

    fn write(&mut self, source: &Source<'_>, node: &Node, words: Words, out: &mut String) {
        match &node.value {
            Value::Scalar(_) => out.push_str(&node.to_json()),
            _ if words == Words::Data => out.push_str(&node.to_json()),
            Value::Sequence(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    self.write(source, item, Words::Schema, out);
                }
                out.push(']');
            }
            Value::Mapping(entries) => {
                out.push('{');
                let foreign = self.whole != Some(source.location);
                let start = out.len();
                for (key, value) in entries {
                    // Of a part the address of its document would be taken for the part's own.
                    if foreign
                        && words == Words::Schema
                        && (matches!(key.text.as_str(), "$anchor" | "$dynamicAnchor")
                            || std::ptr::eq(node, source.root) && matches!(key.text.as_str(), "$id" | "$schema"))
                    {
                        continue;
                    }
                    out.push_str(if out.len() > start { "," } else { "" });
                    write_json_text(&key.text, out);
                    out.push(':');
                    let inner = match key.text.as_str() {
                        _ if words == Words::Named => Words::Schema,
                        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
                        | "dependencies" => Words::Named,
                        "enum" | "const" | "default" | "examples" | "example" => Words::Data,
                        _ => Words::Schema,
                    };
                    match value.as_text() {
                        Some(to) if key.text == "$ref" && words == Words::Schema => {
                            let to = self.reference(source, to, value.span);
                            write_json_text(&to, out);
                        }
                        _ => self.write(source, value, inner, out),
                    }
                }
                out.push('}');
            }
        }
    }

    /// What a `$ref` is in the whole.
    fn reference(&mut self, source: &Source<'_>, written: &str, span: Span) -> String {
        let (document, fragment) = written.split_once('#').unwrap_or((written, ""));
        let own = source.root.get("$id").and_then(Node::as_text).map(|id| id.trim_end_matches('#'));
        let base = own.and_then(|own| resolve(source.location, own)).filter(|own| is_address(own));
        let is_own = document.is_empty()
            || own == Some(document)
            || base.as_ref().is_some_and(|base| resolve(base, document).as_ref() == Some(base));
        if is_own && self.whole == Some(source.location) {
            return written.to_owned();
        }
        if is_own {
            return self.part(source, fragment, (source.location, span));
        }
        // A file of the project stands for what an address calls by the same name.
        let beside = resolve(source.location, document).is_some_and(|path| self.documents.has_file(&path));
        let base = base.filter(|_| !beside);
        let documents = self.documents;
        let named = Named {
            span: if source.location == self.named.file { span } else { self.named.span },
            ..self.named.clone()
        };
        let found = documents.find(base.as_deref().unwrap_or(source.location), document, &named);
        let found = found.and_then(|(location, document)| documents.tree(location, document));
        match found {
            Ok(at) => {
                let target = Source { location: at.location, root: at.node };
                if self.whole == Some(at.location) {
                    return format!("#{fragment}");
                }
                self.part(&target, fragment, (source.location, span))
            }
            Err(refusal) => {
                self.tell(source.location, span, refusal);
                String::new()
            }
        }
    }

    /// The reference to a part of a document, which is taken over; `from` refers to it.
    fn part(&mut self, source: &Source<'_>, fragment: &str, from: (&str, Span)) -> String {
        let pointer = lockgate_document::schema::decoded(fragment).and_then(|fragment| {
            match fragment.is_empty() || fragment.starts_with('/') {
                true => self.documents.pointed(source.root, &fragment).map(|_| fragment),
                false => self.anchor(source, &fragment),
            }
        });
        let Some(pointer) = pointer else {
            let message = self.documents.nowhere(&format!("{}#{fragment}", source.location));
            self.tell(from.0, from.1, Refusal::new("LG-TYPE-REF", message, "see what the document calls it"));
            return String::new();
        };
        let parts = &mut self.parts;
        let key = (source.location.to_owned(), pointer);
        let number = *self.known.entry(key).or_insert_with_key(|key| {
            parts.push(key.clone());
            parts.len() - 1
        });
        format!("#/{PARTS}/{number}")
    }

    fn anchor(&mut self, source: &Source<'_>, name: &str) -> Option<String> {
        let anchors = self.anchors.entry(source.location.to_owned()).or_insert_with(|| {
            let mut anchors = BTreeMap::new();
            collect(source.root, &mut String::new(), &mut anchors);
            anchors
        });
        anchors.get(name).cloned()
    }
}

/// Where the anchors of a document are.
fn collect(node: &Node, pointer: &mut String, anchors: &mut BTreeMap<String, String>) {
    let length = pointer.len();
    let names: Vec<String> = match &node.value {
        Value::Scalar(_) => return,
        Value::Sequence(items) => (0..items.len()).map(|i| i.to_string()).collect(),
        Value::Mapping(entries) => entries.iter().map(|(key, _)| escaped(&key.text)).collect(),
    };
    if let Some(name) = node.get("$anchor").and_then(Node::as_text) {
        anchors.insert(name.to_owned(), pointer.clone());
    }
    let children = node.items().unwrap_or_default().iter();
    let children = children.chain(node.entries().unwrap_or_default().iter().map(|(_, value)| value));
    for (name, child) in names.into_iter().zip(children) {
        pointer.push('/');
        pointer.push_str(&name);
        collect(child, pointer, anchors);
        pointer.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use lockgate_mapping::yaml;
    use lockgate_model::Span;

    use super::{Bundle, bundle};
    use crate::Types;
    use crate::documents::{Documents, Named};

    fn bundled(files: &[(&str, &str)], pointer: &str) -> Result<Bundle, Vec<&'static str>> {
        let (documents, problems) = Documents::new(files.iter().copied());
        assert!(problems.is_empty(), "{problems}");
        let (path, text) = files[0];
        let root = yaml::parse(path, text).unwrap();
        let named = Named { file: path.to_owned(), span: Span::default() };
        let made = bundle(&documents, (path, &root, pointer), &named);
        made.map_err(|broken| broken.iter().map(|broken| broken.refusal.code).collect())
    }

    fn json(files: &[(&str, &str)]) -> String {
        bundled(files, "").unwrap().json
    }

    #[test]
    fn references_that_lead_nowhere() {
        for (reference, code) in [
            ("b.json", "LG-IMPORT-FILE"),
            ("../../b.json", "LG-IMPORT-ADDRESS"),
            ("http://h/b", "LG-IMPORT-ADDRESS"),
            ("https://h/b", "LG-IMPORT-LOCK"),
            ("c.json#/nothing", "LG-TYPE-REF"),
            ("c.json#nothing", "LG-TYPE-REF"),
            ("c.json#/%zz", "LG-TYPE-REF"),
            ("d.json", "LG-IMPORT-DOCUMENT"),
        ] {
            let a = format!("{{\"items\": {{\"$ref\": \"{reference}\"}}}}");
            let files = [("types/a.json", a.as_str()), ("types/c.json", "{}"), ("types/d.json", "{")];
            assert_eq!(bundled(&files, "").unwrap_err(), [code], "{reference}");
        }
        assert_eq!(bundled(&[("types/a.json", "{}")], "/x").unwrap_err(), ["LG-TYPE-REF"]);
    }

    #[test]
    fn what_refers_to_nothing_else_stays_as_it_is() {
        let text = "{\"$ref\":\"#/$defs/b\",\"$id\":\"https://h/a.json\",\"$defs\":{\"b\":{\"items\":{\"$ref\":\"https://h/a.json#/x\"}}},\"n\":1.50}";
        assert_eq!(json(&[("types/a.json", text)]), text);
    }

    #[test]
    fn references_are_told_from_names_and_values() {
        let a = "{\"properties\":{\"$ref\":{\"$ref\":\"b.json\"},\"enum\":{\"$ref\":\"b.json\"}},\"enum\":[{\"$ref\":\"b.json\"}]}";
        let b = "{\"$id\":\"https://h/b\",\"$schema\":\"x\",\"$anchor\":\"b\",\"type\":\"null\"}";
        let to = "{\"$ref\":\"#/lockgate:parts/0\"}";
        let wanted = format!(
            "{{\"properties\":{{\"$ref\":{to},\"enum\":{to}}},\"enum\":[{{\"$ref\":\"b.json\"}}],\"lockgate:parts\":{{\"0\":{{\"type\":\"null\"}}}}}}"
        );
        assert_eq!(json(&[("types/a.json", a), ("types/b.json", b)]), wanted);
    }

    #[test]
    fn documents_that_refer_to_each_other_end() {
        let a = "{\"type\":\"object\",\"properties\":{\"b\":{\"$ref\":\"b.json#/$defs/b\"}}}";
        let b = "{\"$defs\":{\"b\":{\"properties\":{\"a\":{\"$ref\":\"a.json\"},\"b\":{\"$ref\":\"#/$defs/b\"},\"c\":{\"$ref\":\"#c\"}}},\"c\":{\"$anchor\":\"c\"}}}";
        let files = [("types/a.json", a), ("types/b.json", b)];
        let made = json(&files);
        assert!(made.contains("\"a\":{\"$ref\":\"#\"},\"b\":{\"$ref\":\"#/lockgate:parts/0\"}"), "{made}");
        assert!(made.ends_with("\"1\":{}}}"), "{made}");
        let (types, problems) = Types::read(files);
        assert!(problems.is_empty() && types.get("a").is_some() && types.get("b").is_some(), "{problems}");
        // A loop at the same value is told in the file where it is.
        let (_, problems) =
            Types::read([("types/a.json", "{\"$ref\": \"b.json\"}"), ("types/b.json", "{\"$ref\": \"a.json\"}")]);
        assert!(problems.0.iter().all(|problem| problem.code == "LG-TYPE-LOOP"), "{problems}");
        // What is wrong in a part is told at its place.
        let (_, problems) = Types::read([
            ("types/a.json", "{\"$ref\": \"../documents/b.yaml#/x\"}"),
            ("documents/b.yaml", "y: 1\nx: { type: objekt }\n"),
        ]);
        let [problem] = problems.0.as_slice() else { panic!("{problems}") };
        assert_eq!((problem.file.as_str(), problem.span), ("documents/b.yaml", Span::new(16, 22)), "{problem}");
    }
}
