//! A grammar out of a value. Unknown members are refused, so that a mistyped one is found; of each
//! segment, loop, element and component all that is wrong is told, whatever is wrong with others.

use std::cell::Cell;

use super::{Grammar, Item, ItemContent, Loop, SegmentRule};
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
    options::{LayoutProblem, LayoutProblems, Read, Stop, Told},
};

impl Grammar {
    /// Reads a grammar: an object with `grammar`, `syntax`, `message`, perhaps `version`, and `content`.
    pub fn read(node: Node<'_>) -> Result<Grammar, LayoutProblems> {
        let told = Told::default();
        let grammar = Self::of(&At { node, pointer: String::new(), told: &told, has_stray: Cell::new(false) });
        told.result(grammar)
    }

    fn of(top: &At<'_>) -> Read<Grammar> {
        top.members(&["grammar", "syntax", "message", "version", "content"])?;
        let (name, named, message) = (top.text("grammar"), top.text("syntax"), top.text("message"));
        let version = if top.has("version") { top.text("version").map(Some) } else { Ok(None) };
        // Without the syntax it cannot be told what a segment is.
        let syntax = Syntax::named(&named?).ok_or_else(|| top.key("syntax").problem("must be `x12` or `edifact`"))?;
        let mut grammar = Grammar {
            name: String::new(),
            syntax,
            message: String::new(),
            version: None,
            loops: vec![Loop::default()],
        };
        let items = grammar.loop_items(&top.key("content"), 0)?;
        if let Some(message) = grammar.loops.first_mut() {
            message.items = items;
        }
        Ok(Grammar { name: name?, message: message?, version: version?, ..grammar })
    }

    fn loop_items(&mut self, at: &At<'_>, deep: usize) -> Read<Vec<Item>> {
        if deep > LOOPS_DEEP_MAX {
            return Err(at.problem(format!("loops nest deeper than {LOOPS_DEEP_MAX}")));
        }
        let mut items: Vec<Item> = Vec::new();
        let mut broken = false;
        for at in at.array("segments and loops")? {
            match self.item(&at, deep) {
                Ok(item) if items.iter().any(|other| other.name == item.name) => {
                    at.key("name").problem("is the name of another item of this loop already");
                }
                Ok(item) => items.push(item),
                Err(Stop) => broken = true,
            }
        }
        // What could not be read may be what is missing.
        if broken {
            return Err(Stop);
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
        let name = at.text("name");
        let min = at.number("min", 0, u32::MAX).map(|min| min.unwrap_or(0));
        let max = at.number("max", 1, u32::MAX).map(|max| max.unwrap_or(1));
        if let (Ok(min), Ok(max)) = (min, max)
            && min > max
        {
            at.key("min").problem("is more than `max`");
        }
        let content = if is_loop {
            let items = self.loop_items(&at.key("content"), deep + 1)?;
            self.loops.push(Loop { items });
            ItemContent::Loop(self.loops.len() - 1)
        } else {
            ItemContent::Segment(self.segment(at)?)
        };
        Ok(Item { name: name?, min: min?, max: max?, content })
    }

    fn segment(&self, at: &At<'_>) -> Read<SegmentRule> {
        let elements = elements(&at.key("elements"));
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
        let elements = elements?;
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
        let (name, required, repeat) = (at.text("name"), at.flag("required"), at.number("repeat", 1, REPETITIONS_MAX));
        let content = if at.has("components") {
            let components = named(&at.key("components"), COMPONENTS_MAX, component)?;
            if components.is_empty() {
                return Err(at.key("components").problem("must name at least one component"));
            }
            Content::Composite(components)
        } else {
            Content::Simple(scalar(at)?)
        };
        let name = name?;
        Ok((name.clone(), Element { name, required: required?, repeat: repeat?.unwrap_or(1), content }))
    })
}

fn component(at: &At<'_>) -> Read<(String, Component)> {
    if let Some(name) = at.node.as_str() {
        let name = at.named(name)?;
        return Ok((name.clone(), Component { name, required: false, scalar: TEXT }));
    }
    at.members(&["name", "required", "kind", "decimals", "min", "max", "codes"])?;
    let (name, required, scalar) = (at.text("name"), at.flag("required"), scalar(at));
    let name = name?;
    Ok((name.clone(), Component { name, required: required?, scalar: scalar? }))
}

/// A list of named things; `null` where one is not used.
fn named<T>(at: &At<'_>, max: u32, read: impl Fn(&At<'_>) -> Read<(String, T)>) -> Read<Vec<Option<T>>> {
    let items = at.array("names and objects")?;
    if items.len() > max as usize {
        return Err(at.problem(format!("has more than {max} items")));
    }
    let (mut names, mut all, mut broken) = (Vec::new(), Vec::new(), false);
    for at in items {
        if at.node.kind() == Kind::Null {
            all.push(None);
            continue;
        }
        match read(&at) {
            Ok((name, _)) if names.contains(&name) => drop(at.problem("has the name of another one before it")),
            Ok((name, item)) => {
                names.push(name);
                all.push(Some(item));
            }
            Err(Stop) => broken = true,
        }
    }
    if broken { Err(Stop) } else { Ok(all) }
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
    told: &'a Told,
    /// It stands in an object with members that are not known, and may be meant by one of them.
    has_stray: Cell<bool>,
}

impl<'a> At<'a> {
    fn problem(&self, message: impl Into<String>) -> Stop {
        if self.node.is_undefined() && self.has_stray.get() {
            return Stop;
        }
        self.told.tell(LayoutProblem { pointer: self.pointer.clone(), message: message.into(), known: Vec::new() })
    }
    fn key(&self, key: &str) -> At<'a> {
        let pointer = format!("{}/{key}", self.pointer);
        At { node: self.node.get(key), pointer, told: self.told, has_stray: self.has_stray.clone() }
    }
    fn has(&self, key: &str) -> bool {
        !self.node.get(key).is_undefined()
    }

    fn members(&self, known: &[&str]) -> Read<()> {
        if self.node.kind() != Kind::Object {
            return Err(self.problem("must be an object"));
        }
        for (key, _) in self.node.entries().filter(|(key, _)| !known.contains(key)) {
            let pointer = format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"));
            self.told.stray(pointer, format!("is not known here: there are {}", known.join(", ")), known);
            self.has_stray.set(true);
        }
        Ok(())
    }
    fn array(&self, of: &str) -> Read<Vec<At<'a>>> {
        if self.node.kind() != Kind::Array {
            return Err(self.problem(format!("must be a list of {of}")));
        }
        let at = |(index, node)| At {
            node,
            pointer: format!("{}/{index}", self.pointer),
            told: self.told,
            has_stray: Cell::new(false),
        };
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
