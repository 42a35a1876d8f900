//! Parser events become a tree; what the tree cannot hold is refused with its place.

use std::collections::HashSet;

use granit_parser::{Event, Parser, ScalarStyle, Span as Region, Tag};
use lockgate_model::{Diagnostic, Diagnostics, Span};

use super::{Key, Kind, Node, Scalar, Style, Value};

/// Objects and arrays may lie this deep in each other.
pub const DEPTH_MAX: usize = 128;
/// A file may be this long.
pub const BYTES_MAX: usize = 16 << 20;

/// Reads one YAML 1.2 or JSON text. `file` names it in problems.
///
/// An empty text is null. All refusals are reported together; a text that is no YAML ends at its
/// first error.
pub fn parse(file: &str, text: &str) -> Result<Node, Diagnostics> {
    let (root, problems) = read(file, text);
    // Without a problem there is a tree.
    problems.into_result(root.unwrap_or_else(|| null(Span::default())))
}

/// As [`parse`], with the tree beside the problems where all of what was meant is in it, so that what
/// else is wrong with it can be found too.
pub fn read(file: &str, text: &str) -> (Option<Node>, Diagnostics) {
    // No text has more values than bytes.
    read_within(file, text, text.len() + 1)
}

/// As [`read`], of a text with at most so many values and keys.
pub fn read_within(file: &str, text: &str, nodes_max: usize) -> (Option<Node>, Diagnostics) {
    let mut reader = Reader {
        text,
        problems: Diagnostics::default(),
        open: Vec::new(),
        root: None,
        documents: 0,
        nodes_left: nodes_max,
        broken: false,
    };
    if text.len() > BYTES_MAX {
        reader.refuse("LG-YAML-SIZE", Span::new(0, 0), format!("the file is longer than {} MiB", BYTES_MAX >> 20));
        reader.broken = true;
    } else {
        reader.read();
    }
    let Reader { root, mut problems, broken, .. } = reader;
    for problem in &mut problems.0 {
        problem.file = file.to_owned();
    }
    let root = root.unwrap_or_else(|| null(Span::default()));
    ((!broken).then_some(root), problems)
}

struct Reader<'t> {
    text: &'t str,
    problems: Diagnostics,
    open: Vec<Open>,
    root: Option<Node>,
    documents: u32,
    nodes_left: usize,
    /// Something that was meant is not in the tree.
    broken: bool,
}

/// An object or array whose end has not come yet.
struct Open {
    span: Span,
    value: Collection,
}

enum Collection {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Key, Node)>, keys: HashSet<String>, key: Option<Key> },
}

impl Reader<'_> {
    fn read(&mut self) {
        // Twice the depth: the tree refuses first, with a message of its own.
        let options = granit_parser::options! {
            emit_comments: false,
            disallow_directives: true,
            flow_nesting_limit: 2 * DEPTH_MAX,
            block_nesting_limit: 2 * DEPTH_MAX,
        };
        let text = self.text;
        for event in Parser::new_from_str_with_options(text, options) {
            match event {
                Ok((event, region)) => {
                    if !self.take(event, region) {
                        self.broken = true;
                        return;
                    }
                }
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(text.len());
                    let end = text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |c| at + c.len_utf8());
                    let problem = Diagnostic::new(
                        "LG-YAML-SYNTAX",
                        Span::new(at, end),
                        format!("not valid YAML: {}", error.info()),
                    );
                    let help = match self.bracketed(at) {
                        _ if self.line_around(at).contains("${") => Some(
                            "put the expression in quotes, '${ … }', or below `>-`: YAML reads `: ` and ` #` in it"
                                .to_owned(),
                        ),
                        Some(text) => Some(format!(
                            "put it in quotes, {text}: between braces YAML takes `[` for the beginning of a list"
                        )),
                        None => None,
                    };
                    self.problems.push(Diagnostic { help, ..problem });
                    self.broken = true;
                    return;
                }
            }
        }
    }

    /// Takes one event; false ends the reading.
    fn take(&mut self, event: Event<'_>, region: Region) -> bool {
        let span = self.span(region);
        if let Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) = event {
            let Some(left) = self.nodes_left.checked_sub(1) else {
                self.refuse("LG-YAML-SIZE", span, "there are more values than can be read");
                return false;
            };
            self.nodes_left = left;
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.refuse("LG-YAML-DOCUMENTS", span, "a second document in one file");
                    return false;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_anchor(anchor, span);
                let node = self.scalar(text.into_owned(), style, tag.as_deref(), span);
                self.add(node);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_anchor(anchor, span);
                self.refuse_tag(tag.as_deref(), region, span);
                return self.begin(span, Collection::Sequence(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_anchor(anchor, span);
                self.refuse_tag(tag.as_deref(), region, span);
                return self.begin(span, Collection::Mapping { entries: Vec::new(), keys: HashSet::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.problems.push(
                    Diagnostic::new("LG-YAML-ALIAS", span, "aliases are not read")
                        .help("write the value out where it is used"),
                );
                self.broken = true;
                self.add(null(span));
            }
            _ => {}
        }
        true
    }

    fn begin(&mut self, span: Span, value: Collection) -> bool {
        if self.open.len() >= DEPTH_MAX {
            self.refuse("LG-YAML-DEPTH", span, format!("objects and arrays lie more than {DEPTH_MAX} deep"));
            return false;
        }
        self.open.push(Open { span, value });
        true
    }

    fn end(&mut self, last: Span) {
        let Some(Open { span, value }) = self.open.pop() else { return };
        let value = match value {
            Collection::Sequence(items) => Value::Sequence(items),
            Collection::Mapping { entries, .. } => Value::Mapping(entries),
        };
        // A block collection ends where the next thing begins: the blanks before that are not its own.
        let (start, end) = (span.start as usize, last.end as usize);
        let written = self.text.get(start..end.max(start)).unwrap_or("");
        self.add(Node { span: Span::new(start, start + written.trim_end().len()), value });
    }

    fn add(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut open.value {
            Collection::Sequence(items) => items.push(node),
            Collection::Mapping { entries, keys, key } => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    let text = match &node.value {
                        Value::Scalar(scalar) => scalar.text.clone(),
                        _ => {
                            self.problems.push(Diagnostic::new(
                                "LG-YAML-KEY",
                                node.span,
                                format!("{} cannot be a key", node.noun()),
                            ));
                            self.broken = true;
                            String::new()
                        }
                    };
                    let plain = node.scalar().is_some_and(|scalar| scalar.style == Style::Plain);
                    if plain && text == "<<" {
                        self.problems.push(
                            Diagnostic::new("LG-YAML-ALIAS", node.span, "merge keys are not read")
                                .help("write the entries out"),
                        );
                        self.broken = true;
                    } else if !keys.insert(text.clone()) {
                        self.problems.push(
                            Diagnostic::new("LG-YAML-DUPLICATE-KEY", node.span, format!("`{text}` stands here twice"))
                                .help("keep one of them: readers differ in which one wins")
                                .token(text.clone()),
                        );
                    }
                    *key = Some(Key { span: node.span, text });
                }
            },
        }
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let as_text = tag.is_some_and(|tag| tag.core_suffix() == Some("str"));
        if let Some(tag) = tag
            && !as_text
        {
            self.refuse_tag_named(&tag.original(), span);
        }
        // A value left out arrives as an empty place with the text `~`.
        let absent = style == Style::Plain && span.start == span.end;
        let kind = match style {
            Style::Plain if absent && !as_text => Kind::Null,
            Style::Plain if !as_text => match core(&text) {
                Ok(kind) => kind,
                Err(NotJson) => {
                    self.problems.push(
                        Diagnostic::new("LG-YAML-NUMBER", span, format!("`{text}` is a number that JSON cannot spell"))
                            .help("quote it to make it a string, or write it as JSON does")
                            .token(text.clone()),
                    );
                    Kind::Text
                }
            },
            _ => Kind::Text,
        };
        let text = if absent && as_text { String::new() } else { text };
        let span = match style {
            Style::Block => {
                let start = span.start as usize;
                let written = self.text.get(start..span.end as usize).unwrap_or("");
                Span::new(start, start + written.trim_end().len())
            }
            _ => span,
        };
        Node { span, value: Value::Scalar(Scalar { text, kind, style }) }
    }

    fn span(&self, region: Region) -> Span {
        match region.byte_range() {
            Some(range) => Span::new(range.start, range.end),
            None => Span::new(self.text.len(), self.text.len()),
        }
    }

    /// Where a bracket stands behind a text between braces: the text with it, in quotes.
    fn bracketed(&self, at: usize) -> Option<String> {
        let (before, after) = self.text.split_at_checked(at)?;
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}');
        let is_behind = before.chars().next_back().is_some_and(|c| !ends(c) && !matches!(c, ':' | '['));
        if !after.starts_with('[') || !is_behind || !before.contains('{') {
            return None;
        }
        let start = before.rfind(ends).map_or(0, |end| end + 1);
        let word = self.text.get(start..at + after.find(ends).unwrap_or(after.len()))?;
        // An expression may go on behind a blank.
        let whole = word.matches('[').count() == word.matches(']').count() && !word.contains(['\'', '"', '`']);
        Some(if whole { format!("`'{word}'`") } else { "`'…'`".to_owned() })
    }

    fn line_around(&self, at: usize) -> &str {
        let (before, after) = self.text.split_at_checked(at).unwrap_or((self.text, ""));
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = at + after.find('\n').unwrap_or(after.len());
        self.text.get(start..end).unwrap_or("")
    }

    fn refuse_anchor(&mut self, anchor: usize, span: Span) {
        if anchor != 0 {
            self.problems.push(
                Diagnostic::new("LG-YAML-ALIAS", span, "anchors are not read")
                    .help("remove `&name`, and write the value out where it is used"),
            );
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, region: Region, span: Span) {
        if let Some(tag) = tag {
            let span = region.tag_span().and_then(|tag| tag.byte_range()).map_or(span, |r| Span::new(r.start, r.end));
            self.refuse_tag_named(&tag.original(), span);
        }
    }

    fn refuse_tag_named(&mut self, tag: &str, span: Span) {
        self.problems.push(
            Diagnostic::new("LG-YAML-TAG", span, format!("the tag `{tag}` is not read"))
                .help("remove it; `!!str` is the only one that is read")
                .token(tag),
        );
    }

    fn refuse(&mut self, code: &str, span: Span, message: impl Into<String>) {
        self.problems.push(Diagnostic::new(code, span, message));
    }
}

fn null(span: Span) -> Node {
    Node { span, value: Value::Scalar(Scalar { text: "null".to_owned(), kind: Kind::Null, style: Style::Plain }) }
}

/// A number by the core schema that JSON has no spelling for.
struct NotJson;

/// Whether a plain scalar of this text is a string.
pub(crate) fn is_text(text: &str) -> bool {
    matches!(core(text), Ok(Kind::Text))
}

/// What a plain scalar stands for (YAML 1.2.2 §10.3.2).
fn core(text: &str) -> Result<Kind, NotJson> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Boolean(true),
        "false" | "False" | "FALSE" => Kind::Boolean(false),
        _ if is_json_number(text) => Kind::Number,
        _ if is_core_number(text) => return Err(NotJson),
        _ => Kind::Text,
    })
}

/// RFC 8259 §6.
fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits(rest);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return false;
    }
    let rest = match rest.strip_prefix('.') {
        Some(rest) => match digits(rest) {
            ("", _) => return false,
            (_, rest) => rest,
        },
        None => rest,
    };
    is_exponent(rest)
}

/// What else YAML's core schema reads as a number: `+1`, `007`, `.5`, `1.`, `0x1F`, `0o17`, `.inf`, `.nan`.
fn is_core_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|b| (b'0'..=b'7').contains(&b));
    }
    let (whole, rest) = digits(unsigned);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    !(whole.is_empty() && fraction.is_empty()) && is_exponent(rest)
}

fn is_exponent(text: &str) -> bool {
    match text.strip_prefix(['e', 'E']) {
        Some(rest) => {
            let (digits, rest) = digits(rest.strip_prefix(['-', '+']).unwrap_or(rest));
            !digits.is_empty() && rest.is_empty()
        }
        None => text.is_empty(),
    }
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}
