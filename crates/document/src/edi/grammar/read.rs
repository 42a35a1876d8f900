//! A grammar out of a value. Unknown members are refused, so that a mistyped one is found.

use super::{Grammar, GrammarProblem, Item, ItemContent, Loop, SegmentRule};
use crate::{
    edi::{
        characters::Repertoire,
        limits::{COMPONENTS_MAX, DIGITS_MAX, ELEMENTS_MAX, LOOPS_DEEP_MAX, REPETITIONS_MAX},
        rule::{Component, Content, Element, Elements, Selector},
        scalar::{Scalar, ScalarKind},
        segment::{Segment, is_tag},
        service::{self, Role},
        syntax::{Delimiters, Mode, Syntax},
    },
    node::{Kind, Node},
};

type Read<T> = Result<T, GrammarProblem>;

impl Grammar {
    /// Reads a grammar: an object with `grammar`, `syntax`, `message`, perhaps `version`, and `content`.
    pub fn read(node: Node<'_>) -> Result<Grammar, GrammarProblem> {
        let top = At { node, pointer: String::new() };
        top.members(&["grammar", "syntax", "message", "version", "content"])?;
        let (name, named) = (top.text("grammar")?, top.text("syntax")?);
        let syntax = Syntax::named(&named).ok_or_else(|| top.key("syntax").problem("must be `x12` or `edifact`"))?;
        let message = top.text("message")?;
        let version = if top.has("version") { Some(top.text("version")?) } else { None };
        let mut grammar = Grammar { name, syntax, message, version, loops: vec![Loop::default()] };
        let items = grammar.loop_items(&top.key("content"), 0)?;
        if let Some(message) = grammar.loops.first_mut() {
            message.items = items;
        }
        Ok(grammar)
    }

    fn loop_items(&mut self, at: &At<'_>, deep: usize) -> Read<Vec<Item>> {
        if deep > LOOPS_DEEP_MAX {
            return Err(at.problem(format!("loops nest deeper than {LOOPS_DEEP_MAX}")));
        }
        let mut items: Vec<Item> = Vec::new();
        for at in at.array("segments and loops")? {
            let item = self.item(&at, deep)?;
            if items.iter().any(|other| other.name == item.name) {
                return Err(at.key("name").problem("is the name of another item of this loop already"));
            }
            items.push(item);
        }
        if items.is_empty() {
            return Err(at.problem("must have at least one segment"));
        }
        if deep > 0 {
            // A loop stands where its first segment stands, once each time.
            match items.first_mut() {
                Some(Item { max: 1, min, content: ItemContent::Segment(_), .. }) => *min = 1,
                _ => return Err(at.problem("must begin with a segment of `max` 1: the one that begins the loop")),
            }
        }
        Ok(items)
    }

    fn item(&mut self, at: &At<'_>, deep: usize) -> Read<Item> {
        let is_loop = at.has("content");
        let own: &[&str] =
            if is_loop { &["name", "min", "max", "content"] } else { &["name", "min", "max", "segment", "elements"] };
        at.members(own)?;
        let name = at.text("name")?;
        let min = at.number("min", 0, u32::MAX)?.unwrap_or(0);
        let max = at.number("max", 1, u32::MAX)?.unwrap_or(1);
        if min > max {
            return Err(at.key("min").problem("is more than `max`"));
        }
        let content = if is_loop {
            let items = self.loop_items(&at.key("content"), deep + 1)?;
            self.loops.push(Loop { items });
            ItemContent::Loop(self.loops.len() - 1)
        } else {
            ItemContent::Segment(self.segment(at)?)
        };
        Ok(Item { name, min, max, content })
    }

    fn segment(&self, at: &At<'_>) -> Read<SegmentRule> {
        let (pattern, place) = (at.text("segment")?, at.key("segment"));
        let delimiters = match self.syntax {
            Syntax::X12 => Delimiters::X12,
            Syntax::Edifact => Delimiters::EDIFACT,
        };
        let delimiters = Delimiters { repetition: None, ..delimiters };
        let mode =
            Mode { syntax: self.syntax, delimiters, characters: Repertoire::Utf8, version: 0, either_mark: false };
        let parsed =
            Segment::parse(&pattern, &mode, 0, 0).map_err(|_| place.problem("has more elements than there may be"))?;
        if parsed.pieces().any(|(at, _)| at.repetition > 1) {
            return Err(place.problem("has a terminator in it: it names the tag and elements alone"));
        }
        let tag = parsed.tag().to_owned();
        if !is_tag(&tag) {
            return Err(place.problem("must be a tag of two or three capital letters or digits, perhaps with the elements that select it: `NM1*85`"));
        }
        if service::role(self.syntax, &tag) != Role::Data || service::is_binary(self.syntax, tag.as_bytes()) {
            return Err(place.problem("is a segment of the envelope or holds binary data: a message cannot have it"));
        }
        let selector = Selector(parsed.pieces().map(|(place, text)| (place, text.to_owned())).collect());
        let elements = elements(&at.key("elements"))?;
        for (place_of, _) in &selector.0 {
            let element = elements.get(place_of.element as usize - 1);
            let component = place_of.component as usize;
            let stands = match element {
                Some(Some(Element { content: Content::Composite(all), .. })) => component <= all.len(),
                Some(Some(_)) => component == 1,
                Some(None) => true,
                None => false,
            };
            if !stands {
                return Err(place.problem("selects by an element that `elements` does not have"));
            }
        }
        Ok(SegmentRule { tag, selector, elements })
    }
}

fn elements(at: &At<'_>) -> Read<Elements> {
    named(at, ELEMENTS_MAX, |at| {
        if let Some(name) = at.node.as_str() {
            let name = at.named(name)?;
            return Ok((name.clone(), Element { name, required: false, repeat: 1, content: Content::Simple(TEXT) }));
        }
        if !at.has("components") {
            at.members(&["name", "required", "repeat", "kind", "decimals", "min", "max", "codes"])?;
        } else {
            at.members(&["name", "required", "repeat", "components"])?;
        }
        let name = at.text("name")?;
        let required = at.flag("required")?;
        let repeat = at.number("repeat", 1, REPETITIONS_MAX)?.unwrap_or(1);
        let content = if at.has("components") {
            let components = named(&at.key("components"), COMPONENTS_MAX, component)?;
            if components.is_empty() {
                return Err(at.key("components").problem("must name at least one component"));
            }
            Content::Composite(components)
        } else {
            Content::Simple(scalar(at)?)
        };
        Ok((name.clone(), Element { name, required, repeat, content }))
    })
}

fn component(at: &At<'_>) -> Read<(String, Component)> {
    if let Some(name) = at.node.as_str() {
        let name = at.named(name)?;
        return Ok((name.clone(), Component { name, required: false, scalar: TEXT }));
    }
    at.members(&["name", "required", "kind", "decimals", "min", "max", "codes"])?;
    let name = at.text("name")?;
    Ok((name.clone(), Component { name, required: at.flag("required")?, scalar: scalar(at)? }))
}

/// A list of named things; `null` where one is not used.
fn named<T>(at: &At<'_>, max: u32, read: impl Fn(&At<'_>) -> Read<(String, T)>) -> Read<Vec<Option<T>>> {
    let items = at.array("names and objects")?;
    if items.len() > max as usize {
        return Err(at.problem(format!("has more than {max} items")));
    }
    let (mut names, mut all) = (Vec::new(), Vec::new());
    for at in items {
        if at.node.kind() == Kind::Null {
            all.push(None);
            continue;
        }
        let (name, item) = read(&at)?;
        if names.contains(&name) {
            return Err(at.problem("has the name of another one before it"));
        }
        names.push(name);
        all.push(Some(item));
    }
    Ok(all)
}

const TEXT: Scalar = Scalar { kind: ScalarKind::Text, min: 1, max: u32::MAX, codes: Vec::new() };

fn scalar(at: &At<'_>) -> Read<Scalar> {
    let decimals = at.number("decimals", 0, 9)?;
    let kind = if at.has("kind") { at.text("kind")? } else { "text".to_owned() };
    let kind = match (kind.as_str(), decimals) {
        ("number", None) => ScalarKind::Number,
        ("number", Some(digits)) => ScalarKind::Implied(u8::try_from(digits).unwrap_or(9)),
        (_, Some(_)) => {
            return Err(at
                .key("decimals")
                .problem("stands with `kind: number` alone: the digits after a point that is not written"));
        }
        ("text", None) => ScalarKind::Text,
        ("date", None) => ScalarKind::Date,
        ("time", None) => ScalarKind::Time,
        _ => return Err(at.key("kind").problem("must be `text`, `number`, `date` or `time`")),
    };
    // Numbers are filled with zeros up to it.
    let min_max = if kind == ScalarKind::Text { u32::MAX } else { DIGITS_MAX as u32 };
    let min = at.number("min", 1, min_max)?.unwrap_or(1);
    let max = at.number("max", 1, u32::MAX)?.unwrap_or(u32::MAX);
    if min > max {
        return Err(at.key("min").problem("is more than `max`"));
    }
    let mut codes = Vec::new();
    if at.has("codes") {
        if kind != ScalarKind::Text {
            return Err(at.key("codes").problem("stands with texts alone"));
        }
        for code in at.key("codes").array("texts")? {
            let text = code.node.as_str().filter(|text| !text.is_empty());
            codes.push(text.ok_or_else(|| code.problem("must be a text: put digits in quotes"))?.to_owned());
        }
        if codes.is_empty() {
            return Err(at.key("codes").problem("must list at least one code"));
        }
    }
    Ok(Scalar { kind, min, max, codes })
}

/// A value of the grammar and where it stands.
struct At<'a> {
    node: Node<'a>,
    pointer: String,
}

impl<'a> At<'a> {
    fn problem(&self, message: impl Into<String>) -> GrammarProblem {
        GrammarProblem { pointer: self.pointer.clone(), message: message.into() }
    }
    fn key(&self, key: &str) -> At<'a> {
        At { node: self.node.get(key), pointer: format!("{}/{key}", self.pointer) }
    }
    fn has(&self, key: &str) -> bool {
        !self.node.get(key).is_undefined()
    }

    fn members(&self, known: &[&str]) -> Read<()> {
        if self.node.kind() != Kind::Object {
            return Err(self.problem("must be an object"));
        }
        match self.node.entries().find(|(key, _)| !known.contains(key)) {
            Some((key, _)) => {
                let pointer = format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"));
                Err(GrammarProblem { pointer, message: format!("is not known here: there are {}", known.join(", ")) })
            }
            None => Ok(()),
        }
    }
    fn array(&self, of: &str) -> Read<Vec<At<'a>>> {
        if self.node.kind() != Kind::Array {
            return Err(self.problem(format!("must be a list of {of}")));
        }
        let at = |(index, node)| At { node, pointer: format!("{}/{index}", self.pointer) };
        Ok(self.node.items().enumerate().map(at).collect())
    }
    fn text(&self, key: &str) -> Read<String> {
        let at = self.key(key);
        match at.node.as_str() {
            Some(text) => at.named(text),
            None => Err(at.problem("must be a text: put digits in quotes")),
        }
    }
    fn named(&self, text: &str) -> Read<String> {
        if text.is_empty() { Err(self.problem("must not be empty")) } else { Ok(text.to_owned()) }
    }
    fn number(&self, key: &str, min: u32, max: u32) -> Read<Option<u32>> {
        let at = self.key(key);
        if at.node.is_undefined() {
            return Ok(None);
        }
        let number = at.node.as_i64().and_then(|number| u32::try_from(number).ok());
        match number.filter(|number| (min..=max).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(at.problem(format!("must be a whole number from {min} to {max}"))),
        }
    }
    fn flag(&self, key: &str) -> Read<bool> {
        let at = self.key(key);
        match at.node.as_bool() {
            Some(flag) => Ok(flag),
            None if at.node.is_undefined() => Ok(false),
            None => Err(at.problem("must be `true` or `false`")),
        }
    }
}
