//! Start tags: a name, and attributes with normalised values.

use std::ops::Range;

use super::names::{self, is_space, plain};
use super::problem::Problem;
use super::{ATTRIBUTES_MAX, NAME_BYTES_MAX, reference};

/// A start tag.
#[derive(Clone, Copy)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    /// The whole tag.
    pub(super) text: &'a str,
    pub(super) attributes: &'a Attributes,
}

/// An attribute; `at` is its place in the tag.
#[derive(Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) at: usize,
}

impl<'a> Tag<'a> {
    /// The attributes, in order.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let (text, values) = (self.text, &self.attributes.values);
        self.attributes.places.iter().map(move |(name, value)| Attribute {
            name: text.get(name.clone()).unwrap_or_default(),
            value: values.get(value.clone()).unwrap_or_default(),
            at: name.start,
        })
    }
}

/// The attributes of one tag after the other; kept for the buffers.
#[derive(Default)]
pub(super) struct Attributes {
    /// Where each name stands in the tag, and each value in `values`.
    places: Vec<(Range<usize>, Range<usize>)>,
    values: String,
    /// Numbers of attributes, to find those of one name.
    order: Vec<usize>,
}

impl Attributes {
    /// Reads a start tag up to its `>` or `/>`; answers where its name stands. A problem comes with its
    /// place in the tag.
    pub(super) fn read(&mut self, tag: &str) -> Result<Range<usize>, (Problem, usize)> {
        self.places.clear();
        self.values.clear();
        let mut reading = Reading { text: tag, at: 1 };
        let name = reading.tag(self).map_err(|problem| (problem, reading.at))?;
        match self.duplicate(tag) {
            Some(at) => Err((Problem::Duplicate, at)),
            None => Ok(name),
        }
    }

    /// Where an attribute stands that has the name of an earlier one.
    fn duplicate(&mut self, tag: &str) -> Option<usize> {
        let Attributes { places, order, .. } = self;
        let name = |number: usize| places.get(number).and_then(|(name, _)| tag.get(name.clone()));
        order.clear();
        order.extend(0..places.len());
        order.sort_unstable_by_key(|&number| (name(number), number));
        order.windows(2).find_map(|pair| match *pair {
            [one, other] if name(one) == name(other) => places.get(other).map(|(name, _)| name.start),
            _ => None,
        })
    }

    #[cfg(test)]
    pub(super) fn bytes_held(&self) -> usize {
        self.values.capacity()
    }
}

/// The inside of a start tag, and how far it was read.
struct Reading<'a> {
    text: &'a str,
    at: usize,
}

impl Reading<'_> {
    /// Where the name stands; the attributes are appended. After a problem `at` is its place.
    fn tag(&mut self, attributes: &mut Attributes) -> Result<Range<usize>, Problem> {
        let Attributes { places, values, .. } = attributes;
        let name = self.name()?;
        loop {
            let space = self.space();
            if self.rest().is_empty() {
                return Ok(name);
            }
            if space == 0 {
                return Err(Problem::Attribute);
            }
            if places.len() == ATTRIBUTES_MAX {
                return Err(Problem::Attributes);
            }
            let name = self.name()?;
            self.space();
            self.expect(|byte| byte == b'=')?;
            self.space();
            let quote = self.expect(|byte| matches!(byte, b'"' | b'\''))?;
            let begin = values.len();
            self.value(quote, values)?;
            places.push((name, begin..values.len()));
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }
    fn space(&mut self) -> usize {
        let space = self.rest().bytes().take_while(|byte| is_space(*byte)).count();
        self.at += space;
        space
    }
    fn expect(&mut self, is_it: impl Fn(u8) -> bool) -> Result<u8, Problem> {
        let byte = self.rest().bytes().next().filter(|byte| is_it(*byte)).ok_or(Problem::Attribute)?;
        self.at += 1;
        Ok(byte)
    }
    fn name(&mut self) -> Result<Range<usize>, Problem> {
        let is_end = |byte: u8| is_space(byte) || matches!(byte, b'=' | b'"' | b'\'' | b'/');
        let rest = self.rest();
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        if length > NAME_BYTES_MAX {
            return Err(Problem::NameLength);
        }
        names::split(rest.get(..length).unwrap_or_default()).ok_or(Problem::Name)?;
        let begin = self.at;
        self.at += length;
        Ok(begin..self.at)
    }
    /// A value up to its quote, normalised (§3.3.3): white space is a space, unless it was a reference.
    fn value(&mut self, quote: u8, values: &mut String) -> Result<(), Problem> {
        loop {
            let rest = self.rest();
            let plain = plain(rest, |byte| byte == quote || matches!(byte, b'&' | b'\t' | b'\n' | b'\r'));
            values.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            let rest = self.rest();
            match rest.as_bytes() {
                [byte, ..] if *byte == quote => {
                    self.at += 1;
                    return Ok(());
                }
                [b'&', ..] => {
                    let (c, length) = reference::read(rest)?.ok_or(Problem::Ampersand)?;
                    values.push(c);
                    self.at += length;
                }
                [b'\r', b'\n', ..] => {
                    values.push(' ');
                    self.at += 2;
                }
                [b'\t' | b'\n' | b'\r', ..] => {
                    values.push(' ');
                    self.at += 1;
                }
                [] => return Err(Problem::Tag),
                _ => return Err(Problem::Character),
            }
        }
    }
}
