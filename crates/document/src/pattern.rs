//! Regular expressions of the language, `/…/` with the flags `i` and `m`: searching, and what stands
//! for a match.
//!
//! The syntax is that of ECMAScript without the flag `u`, Annex B included (ECMA-262 §22.2.1, §B.1.2).
//! It is rewritten for crate `regex`, which takes time linear in the text for a search, whatever the
//! pattern. What cannot be had in linear time is refused with its place: looking around and
//! back-references. Refused too is what ECMAScript reads without the flag `u`, yet not as it was
//! meant: `\u{…}`, `\p{…}`, octal escapes and lone surrogates.
//!
//! A character is a code point here, as for `$length` and `$substring`: `.` takes an emoji whole, and
//! places are counted in characters. The reference implementation counts UTF-16 units. A group within a
//! repetition keeps what it took last, an empty text too; ECMAScript empties it at each round. With
//! `m` a line ends at `\n`, `\r` or `\r\n`, and `\r\n` is one end.
//!
//! Finding all matches can take time in the square of the text's length: each search is to be
//! charged for the text behind its start.
//!
//! Deliberately absent: the flags `g` (searching goes on by [`Pattern::next`]), `s`, `u` and `y`.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use regex::{Captures, Regex, RegexBuilder};

use crate::refusal::Refusal;

mod charset;
mod replace;
mod translate;

pub(crate) use replace::{expand, replace_text};

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: Arc<str>,
    regex: Regex,
    /// A search goes no further than its match.
    near: bool,
    /// Work for a byte.
    weight: u64,
}

/// What is wrong with a pattern, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// Byte in the source where the fault begins.
    pub offset: usize,
    /// What is wrong and, where there is a way, what to write instead.
    pub message: &'static str,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {} of the regular expression)", self.message, self.offset)
    }
}
impl std::error::Error for PatternError {}

/// A place in a text; the default is its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub byte: usize,
    /// Characters before it.
    pub character: usize,
}

/// A match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it starts: the `index` of a match.
    pub start: Place,
    /// Where it ends.
    pub end: Place,
    /// Bytes of each group, none for one that took no part.
    pub groups: Vec<Option<Range<usize>>>,
}

impl Found {
    /// Bytes of the match.
    pub fn range(&self) -> Range<usize> {
        self.start.byte..self.end.byte
    }
}

/// Longest source in bytes.
const SOURCE_MAX: usize = 1 << 16;
/// Memory of a compiled pattern in bytes.
const PROGRAM_MAX: usize = 1 << 16;
/// A program that is not larger is searched fast, whatever the text.
const PROGRAM_SMALL: usize = 1 << 13;
/// Memory of what a search caches, in bytes.
const CACHE_MAX: usize = 1 << 18;
/// Work for a byte with a program that is not small.
const HEAVY: u64 = 16;
/// The translation nests groups less deep than this.
const NEST_MAX: u32 = 1000;

impl Pattern {
    /// Compiles what stands between the slashes, with the flags behind them.
    pub fn parse(source: &str, flags: &str) -> Result<Pattern, PatternError> {
        let wrong = |offset, message| Err(PatternError { offset, message });
        if source.is_empty() {
            return wrong(0, "a regular expression must not be empty");
        }
        if source.len() > SOURCE_MAX {
            return wrong(SOURCE_MAX, "the regular expression is too long");
        }
        if !matches!(flags, "" | "i" | "m" | "im" | "mi") {
            return wrong(source.len(), "a regular expression has the flags `i` and `m`, each once");
        }
        let translated = translate::translate(source, flags.contains('i'), flags.contains('m'))?;
        let compile = |program_max| {
            let mut builder = RegexBuilder::new(&translated);
            builder.unicode(true).size_limit(program_max).dfa_size_limit(CACHE_MAX).nest_limit(NEST_MAX).build()
        };
        let near = stops_at_its_match(&translated);
        if let Ok(regex) = compile(PROGRAM_SMALL) {
            return Ok(Pattern { source: source.into(), regex, near, weight: 1 });
        }
        match compile(PROGRAM_MAX) {
            // A text may drive it through all its states at each byte.
            Ok(regex) => Ok(Pattern { source: source.into(), regex, near, weight: HEAVY }),
            Err(regex::Error::CompiledTooBig(_)) => wrong(0, "the regular expression repeats too much"),
            Err(_) => wrong(0, "the regular expression cannot be compiled"),
        }
    }

    /// What it was compiled from, without its flags.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }
    /// Units of work of one search in so many bytes.
    pub(crate) fn work(&self, bytes: usize) -> u64 {
        (bytes as u64).saturating_mul(self.weight)
    }

    /// Units of work of the search behind a match, which went over `covered` bytes with so many left.
    /// Where it may have looked to the end of the text for a longer match, that counts too.
    pub(crate) fn work_on(&self, covered: usize, left: usize) -> u64 {
        let looked = if self.near { 0 } else { left as u64 / 8 };
        (covered as u64).saturating_add(looked).saturating_add(8).saturating_mul(self.weight)
    }

    /// The first match at or after a place; none too when the place is not one of the text.
    pub fn find_from(&self, text: &str, at: Place) -> Option<Found> {
        if !text.is_char_boundary(at.byte) {
            return None;
        }
        let captures = self.regex.captures_at(text, at.byte)?;
        Some(found(text, at, &captures))
    }

    /// The match behind a match: none at the end of the text, D1004 when it is empty and so would
    /// come for ever.
    pub fn next(&self, text: &str, found: &Found) -> Result<Option<Found>, Refusal> {
        if found.end.byte >= text.len() {
            return Ok(None);
        }
        match self.find_from(text, found.end) {
            Some(next) if next.range().is_empty() => Err(Refusal::EmptyMatch),
            next => Ok(next),
        }
    }

    /// `$contains(text, pattern)`.
    pub fn contains(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// `$match(text, pattern, limit)`: hands each match to `put`, whose first error ends the work.
    /// D3040 for a negative limit, D1004 for a second match that is empty.
    pub fn each<E: From<Refusal>>(
        &self,
        text: &str,
        limit: Option<f64>,
        mut put: impl FnMut(&Found) -> Result<(), E>,
    ) -> Result<(), E> {
        let limit = limit_of(limit, Refusal::MatchLimit)?;
        let mut matched = self.find_from(text, Place::default()).filter(|_| limit > 0.0);
        let mut count = 0.0;
        while let Some(found) = matched.filter(|_| count < limit) {
            put(&found)?;
            count += 1.0;
            // Sought at the limit too, so that a pattern that matches nothing is told as it is without.
            matched = self.next(text, &found)?;
        }
        Ok(())
    }
}

/// Whether a search of a translated pattern never reads far past its match: it repeats nothing without
/// end, or only what stands last.
fn stops_at_its_match(translated: &str) -> bool {
    let (mut in_class, mut chars) = (0, translated.char_indices().peekable());
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                // An escape, with its code in braces.
                chars.next();
                if let Some((_, '{')) = chars.peek() {
                    chars.by_ref().find(|(_, c)| *c == '}');
                }
            }
            '[' => in_class += 1,
            ']' => in_class -= 1,
            _ if in_class > 0 => {}
            '*' | '+' => return is_last(translated, at + 1),
            '{' => {
                let rest = translated.get(at..).unwrap_or_default();
                let counts = rest.split_once('}').map_or(rest, |(counts, _)| counts);
                if counts.ends_with(',') {
                    return is_last(translated, at + counts.len() + 1);
                }
            }
            _ => {}
        }
    }
    true
}

/// Nothing but the end of groups follows a repetition, and there is no other way to match.
fn is_last(translated: &str, end: usize) -> bool {
    let rest = translated.get(end..).unwrap_or_default();
    !translated.contains('|') && rest.chars().all(|c| matches!(c, ')' | '?'))
}

/// How many at most; D30x0 when negative.
fn limit_of(limit: Option<f64>, negative: Refusal) -> Result<f64, Refusal> {
    match limit {
        Some(limit) if limit < 0.0 => Err(negative),
        Some(limit) => Ok(limit),
        None => Ok(f64::INFINITY),
    }
}

/// A match with its places counted on from one before it.
fn found(text: &str, at: Place, captures: &Captures<'_>) -> Found {
    let on = |from: Place, byte: usize| {
        let between = text.get(from.byte..byte).unwrap_or_default();
        Place { byte, character: from.character + between.chars().count() }
    };
    let mut groups = captures.iter().map(|group| group.map(|group| group.range()));
    let whole = groups.next().flatten().unwrap_or(at.byte..at.byte);
    let start = on(at, whole.start);
    Found { start, end: on(start, whole.end), groups: groups.collect() }
}

#[cfg(test)]
mod tests;
