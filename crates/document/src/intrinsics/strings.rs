//! Group *strings*. Characters are code points. Parts of a string share its characters.

use crate::arena::Arena;
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::json::Form;
use crate::number::parse_f64;
use crate::standard::{D3020, D3030, T0410, T0412};
use crate::text::{ASCII, PLAIN, Text};

use super::list::List;
use super::to_text::both;

impl Arena {
    /// `concat(a, b)`: the operator `&`.
    #[inline]
    pub fn concat(&mut self, a: Handle, b: Handle) -> Result<Handle, Fault> {
        let left = self.string_of(a, Form::String)?;
        let right = self.string_of(b, Form::String)?;
        if right.len == 0 {
            return if self.is_text(a) { Ok(a) } else { self.put_text(left) };
        }
        if left.len == 0 {
            return if self.is_text(b) { Ok(b) } else { self.put_text(right) };
        }
        let left_ends = left.slot == self.current && left.at + left.len == self.text_end(self.current);
        let start = if left.slot == self.current
            && right.slot == self.current
            && left.at + left.len == right.at
            && right.at + right.len == self.text_end(self.current)
        {
            // Both were just written, one behind the other.
            left.at
        } else if left_ends {
            // Growing a string piece by piece writes each piece once.
            self.append_text(right, self.current)?;
            left.at
        } else {
            let start = self.text_end(self.current);
            self.append_text(left, self.current)?;
            self.append_text(right, self.current)?;
            start
        };
        let text = self.text_since(start, both(left, right));
        self.put(Datum::text(text))
    }

    fn is_text(&self, h: Handle) -> bool {
        matches!(self.values.datum(h), Ok(Datum::Text { .. }))
    }

    /// `to_number(h)`: `$number`; NaN for undefined.
    pub fn to_number(&mut self, h: Handle) -> Result<f64, Fault> {
        match self.values.datum(h)? {
            Datum::Undefined => Ok(f64::NAN),
            Datum::True => Ok(1.0),
            Datum::False => Ok(0.0),
            datum => {
                if let Some(number) = self.values.number(datum) {
                    return Ok(number.to_f64());
                }
                let Some(text) = datum.as_text() else { return Err(self.complain(T0410, Some(1), h)) };
                self.meter.charge_bytes(text.len as usize)?;
                let number = read_number(self.values.str(text)).filter(|number| number.is_finite());
                number.ok_or_else(|| self.complain(D3030, Some(1), h))
            }
        }
    }

    /// `length(s)`: `$length`; NaN for undefined.
    pub fn length(&mut self, s: Handle) -> Result<f64, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(f64::NAN) };
        if text.traits & ASCII != 0 {
            return Ok(text.len.into());
        }
        self.meter.charge_bytes(text.len as usize)?;
        Ok(self.values.str(text).chars().count() as f64)
    }

    /// `substring(s, start, length)`: `$substring`; a NaN length is to the end.
    pub fn substring(&mut self, s: Handle, start: f64, length: f64) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        let characters = self.length(s)?;
        let start = if characters + start < 0.0 { 0.0 } else { start };
        let end = match length {
            _ if length.is_nan() => characters,
            _ if length <= 0.0 => return self.put_text(Text::EMPTY),
            _ if start >= 0.0 => start + length,
            _ => characters + start + length,
        };
        // As ECMAScript slices: towards zero, from the end when negative, NaN is zero.
        let place = |at: f64| match at.trunc() {
            at if at.is_nan() => 0.0,
            at if at < 0.0 => (characters + at).max(0.0),
            at => at.min(characters),
        };
        let (from, to) = (place(start) as usize, place(end) as usize);
        if from >= to {
            return self.put_text(Text::EMPTY);
        }
        let part = if text.traits & ASCII != 0 {
            self.part(text, from, to)
        } else {
            let string = self.values.str(text);
            let mut places = string.char_indices().map(|(place, _)| place).chain([string.len()]);
            let from_byte = places.nth(from).unwrap_or(string.len());
            let to_byte = places.nth(to - from - 1).unwrap_or(string.len());
            self.part(text, from_byte, to_byte)
        };
        self.put_text(part)
    }

    /// The bytes `from..to` of a string, which begin and end characters.
    pub(super) fn part(&self, text: Text, from: usize, to: usize) -> Text {
        let bytes = self.values.str(text).as_bytes().get(from..to).unwrap_or_default();
        Text { traits: text.traits | crate::text::traits(bytes), ..Text::of(text.slot, text.at + from as u32, bytes) }
    }

    /// `upper(s)`: `$uppercase`.
    pub fn upper(&mut self, s: Handle) -> Result<Handle, Fault> {
        self.recase(s, str::to_ascii_uppercase, str::to_uppercase)
    }
    /// `lower(s)`: `$lowercase`.
    pub fn lower(&mut self, s: Handle) -> Result<Handle, Fault> {
        self.recase(s, str::to_ascii_lowercase, str::to_lowercase)
    }
    fn recase(&mut self, s: Handle, ascii: fn(&str) -> String, full: fn(&str) -> String) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        self.meter.charge_bytes(text.len as usize)?;
        // One character becomes three at most; what is written aside counts while it lasts.
        let aside = u64::from(text.len) * if text.traits & ASCII != 0 { 1 } else { 3 };
        self.memory.claim(aside)?;
        let string = self.values.str(text);
        let recased = if text.traits & ASCII != 0 { ascii(string) } else { full(string) };
        let written = self.new_text(&recased);
        self.memory.release(aside);
        written
    }

    /// `trim(s)`: `$trim`.
    pub fn trim(&mut self, s: Handle) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        self.meter.charge_bytes(text.len as usize)?;
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        let string = self.values.str(text);
        let trimmed = string.trim_matches(is_space);
        let from = string.len() - string.trim_start_matches(is_space).len();
        let mut before = 'x';
        let is_normal = trimmed.chars().all(|c| {
            let after = std::mem::replace(&mut before, c);
            !is_space(c) || (c == ' ' && after != ' ')
        });
        if is_normal {
            let part = self.part(text, from.min(string.len()), from.min(string.len()) + trimmed.len());
            return self.put_text(part);
        }
        self.memory.claim(text.len.into())?;
        let mut normal = String::with_capacity(trimmed.len());
        for word in trimmed.split(is_space).filter(|word| !word.is_empty()) {
            if !normal.is_empty() {
                normal.push(' ');
            }
            normal.push_str(word);
        }
        let written = self.new_text(&normal);
        self.memory.release(text.len.into());
        written
    }

    /// `contains(s, token)`: both defined strings and `token` in `s`?
    pub fn contains(&mut self, s: Handle, token: Handle) -> Result<bool, Fault> {
        if let Some(truth) = self.contains_match(s, token)? {
            return Ok(truth);
        }
        let (text, token) = (self.string_argument(s, 1)?, self.string_argument(token, 2)?);
        let (Some(text), Some(token)) = (text, token) else { return Ok(false) };
        self.meter.charge_bytes(text.len as usize)?;
        Ok(self.values.str(text).contains(self.values.str(token)))
    }

    /// `split(s, separator, limit)`: `$split`; an empty separator splits between all characters.
    pub fn split(&mut self, s: Handle, separator: Handle, limit: f64) -> Result<Handle, Fault> {
        let Some(text) = self.string_argument(s, 1)? else { return Ok(Handle::UNDEFINED) };
        if limit < 0.0 {
            return Err(Fault::raise(D3020));
        }
        if self.is_pattern(separator) {
            return self.split_by(text, separator, limit);
        }
        let Some(separator) = self.string_argument(separator, 2)? else {
            return Err(self.complain(T0410, Some(2), separator));
        };
        self.gathered.clear();
        self.meter.charge_bytes(text.len as usize)?;
        let limit = if limit.is_nan() { u32::MAX } else { limit as u32 };
        // The parts share the characters of the string, so those must be where the parts may point to.
        let text = self.text_here(text)?;
        let mut from = 0;
        while (self.gathered.len() as u64) < u64::from(limit) {
            let rest = self.values.str(text).get(from..).unwrap_or_default();
            let (part_len, next) = match separator.len {
                0 => match rest.chars().next() {
                    Some(character) => (character.len_utf8(), Some(from + character.len_utf8())),
                    None => break,
                },
                _ => match rest.find(self.values.str(separator)) {
                    Some(place) => (place, Some(from + place + separator.len as usize)),
                    None => (rest.len(), None),
                },
            };
            let part = self.part(text, from, from + part_len);
            let part = self.put_text(part)?;
            self.gather(part)?;
            match next {
                Some(next) => from = next,
                None => break,
            }
        }
        self.meter.charge(self.gathered.len() as u64)?;
        self.gathered_array(0)
    }

    /// The same characters where the current region may point to.
    pub(super) fn text_here(&mut self, text: Text) -> Result<Text, Fault> {
        let h = self.put_text(text)?;
        Ok(self.values.datum(h)?.as_text().unwrap_or(Text::EMPTY))
    }

    /// `join(list, separator)`: `$join`.
    pub fn join(&mut self, list: Handle, separator: Handle) -> Result<Handle, Fault> {
        let parts = match self.list(list)? {
            List::Nothing => return Ok(Handle::UNDEFINED),
            parts => parts,
        };
        let separator = self.string_argument(separator, 2)?.unwrap_or(Text::EMPTY);
        self.meter.charge(parts.len().into())?;
        for i in 0..parts.len() {
            if !self.is_text(self.element(parts, i)) {
                return Err(self.complain(T0412, Some(1), list));
            }
        }
        let start = self.text_end(self.current);
        let mut traits = separator.traits & (PLAIN | ASCII);
        for i in 0..parts.len() {
            if i > 0 {
                self.append_text(separator, self.current)?;
            }
            if let Some(part) = self.values.datum(self.element(parts, i))?.as_text() {
                traits &= part.traits;
                self.append_text(part, self.current)?;
            }
        }
        let text = self.text_since(start, traits);
        self.put(Datum::text(text))
    }

    /// `now()`: `$now()`.
    pub fn now(&mut self) -> Result<Handle, Fault> {
        let now = self.now.to_string();
        self.new_text(&now)
    }
}

/// What `$number` reads in a string: decimal notation as in JSON but with leading zeros, or a whole
/// number in base 16, 8 or 2 with its prefix.
fn read_number(text: &str) -> Option<f64> {
    if let Some((prefix, digits)) = text.split_at_checked(2) {
        let base = match prefix {
            "0x" | "0X" => 16,
            "0o" | "0O" => 8,
            "0b" | "0B" => 2,
            _ => 10,
        };
        if base != 10 {
            return read_digits(digits, base);
        }
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    (digits(whole) && digits(fraction) && digits(exponent)).then(|| parse_f64(text))
}

/// Digits of a base that is a power of two, rounded once.
fn read_digits(digits: &str, base: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    let bits = base.trailing_zeros();
    // A u128 holds the leading digits; what follows only scales, and leaves a trace for the rounding.
    let (mut leading, mut scale) = (0u128, 0i32);
    for digit in digits.chars() {
        let digit = digit.to_digit(base)?;
        if leading >> (u128::BITS - bits - 1) == 0 {
            leading = (leading << bits) | u128::from(digit);
        } else {
            leading |= u128::from(digit != 0);
            scale = scale.saturating_add(bits as i32);
        }
    }
    Some(leading as f64 * f64::from(scale).exp2())
}
