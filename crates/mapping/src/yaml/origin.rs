//! From an offset in a scalar's text back to the file.
//!
//! Folding, indentation, doubled quotes and escapes make the text differ from what was written, but
//! never drop or reorder a visible character: character number n of the one is number n of the other.

use lockgate_model::Span;

use super::{Scalar, Style};

/// Where the bytes of a text stand in the file it comes from: pieces of `(offset in the text, offset
/// in the file)`, each valid up to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pieces: Vec<(usize, usize)>,
}

impl Origin {
    /// A text that stands in the file as it is, from byte `base` on.
    pub fn at(base: usize) -> Self {
        Self { pieces: vec![(0, base)] }
    }

    /// The file offset of byte `offset` of the text.
    pub fn offset(&self, offset: usize) -> usize {
        let after = self.pieces.partition_point(|(text, _)| *text <= offset);
        match self.pieces.get(after.saturating_sub(1)) {
            Some((text, file)) => file + offset.saturating_sub(*text),
            None => offset,
        }
    }

    /// The file span of a span of the text.
    pub fn span(&self, span: Span) -> Span {
        let (start, end) = (span.start as usize, span.end as usize);
        // The end is found from the last byte inside: the next byte may stand on another line.
        let last = if end > start { self.offset(end - 1) + 1 } else { self.offset(start) };
        Span::new(self.offset(start), last)
    }

    /// The origin of the text without its first `bytes` bytes.
    pub fn skip(&self, bytes: usize) -> Self {
        let mut pieces = vec![(0, self.offset(bytes))];
        pieces.extend(self.pieces.iter().filter(|(text, _)| *text > bytes).map(|(text, file)| (text - bytes, *file)));
        Self { pieces }
    }

    pub(super) fn of(scalar: &Scalar, span: Span, source: &str) -> Self {
        let start = span.start as usize;
        let written = source.get(start..span.end as usize).unwrap_or("");
        let quote = usize::from(matches!(scalar.style, Style::Single | Style::Double));
        if written.get(quote..quote + scalar.text.len()) == Some(scalar.text.as_str()) {
            return Self::at(start + quote);
        }
        let mut places = visible(written, scalar.style).into_iter();
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        for (text, c) in scalar.text.char_indices() {
            if c.is_whitespace() {
                continue;
            }
            let Some(place) = places.next() else { break };
            let file = start + place;
            let goes_on = pieces.last().is_some_and(|(t, f)| file.checked_sub(*f) == Some(text - t));
            if !goes_on {
                pieces.push((text, file));
            }
        }
        match pieces.first_mut() {
            Some(first) if first.0 > 0 => {
                let (text, file) = *first;
                pieces.insert(0, (0, file.saturating_sub(text).max(start)));
            }
            Some(_) => {}
            None => pieces.push((0, start)),
        }
        Self { pieces }
    }
}

/// Offsets of the visible characters of a scalar as written, one for each visible character of its text.
fn visible(written: &str, style: Style) -> Vec<usize> {
    let mut out = Vec::new();
    let mut chars = written.char_indices().peekable();
    if matches!(style, Style::Single | Style::Double) {
        chars.next();
    }
    while let Some((at, c)) = chars.next() {
        match (style, c) {
            (Style::Single, '\'') => {
                if chars.next().is_none() {
                    break;
                }
                out.push(at);
            }
            (Style::Double, '"') => break,
            (Style::Double, '\\') => {
                let Some((_, letter)) = chars.next() else { break };
                let digits = match letter {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let mut code = 0;
                for _ in 0..digits {
                    code = code * 16 + chars.next().and_then(|(_, d)| d.to_digit(16)).unwrap_or(0);
                }
                let blank = match letter {
                    'n' | 't' | 'r' | 'v' | 'f' | ' ' | '\t' | 'N' | '_' | 'L' | 'P' | '\n' | '\r' => true,
                    _ if digits > 0 => char::from_u32(code).is_some_and(char::is_whitespace),
                    _ => false,
                };
                // The second half of a pair of surrogates belongs to the first.
                let second_half = (0xDC00..0xE000).contains(&code);
                if !blank && !second_half {
                    out.push(at);
                }
            }
            _ if c.is_whitespace() => {}
            _ => out.push(at),
        }
    }
    out
}
