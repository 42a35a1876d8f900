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

use regex::{Captures, Regex, RegexBuilder};

use crate::refusal::Refusal;

mod charset;
mod replace;
mod translate;

pub(crate) use replace::{expand, replace_text};

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
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
/// Memory of a compiled pattern in bytes, and again of what a search caches.
const PROGRAM_MAX: usize = 1 << 18;
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
        let compiled = RegexBuilder::new(&translated)
            .unicode(true)
            .size_limit(PROGRAM_MAX)
            .dfa_size_limit(PROGRAM_MAX)
            .nest_limit(NEST_MAX)
            .build();
        match compiled {
            Ok(regex) => Ok(Pattern { regex }),
            Err(regex::Error::CompiledTooBig(_)) => wrong(0, "the regular expression repeats too much"),
            Err(_) => wrong(0, "the regular expression cannot be compiled"),
        }
    }

    /// Units of work of a search in so many bytes: linear in them, and more for a long pattern.
    pub(crate) fn work(&self, bytes: usize) -> u64 {
        (bytes as u64).saturating_mul(1 + self.regex.as_str().len() as u64 / 64)
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
