//! Reading one string or number.

use super::Problem;
use super::read::{Read, Reader};
use crate::datum::Datum;
use crate::handle::Handle;
use crate::text::{ASCII, PLAIN, Text, fingerprint, plain_run};

impl Reader<'_> {
    /// Reads the string that begins with the quote at `pos`.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Read<Handle> {
        match self.plain_string() {
            Some(text) => self.put(Datum::text(text)),
            None => {
                let text = self.string_with_escapes()?;
                self.put(Datum::text(text))
            }
        }
    }

    /// A string without escapes, of which nothing has to be written; none where it is no such string.
    ///
    /// Always inlined, and what is found goes where it belongs at once: passed on through memory, its
    /// parts would be written one by one and read as one, which stalls for longer than the reading takes.
    #[inline(always)]
    pub(super) fn plain_string(&mut self) -> Option<Text> {
        let start = self.pos + 1;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let (run, is_ascii) = plain_run(rest);
        if rest.get(run) != Some(&b'"') {
            return None;
        }
        self.pos = start + run + 1;
        Some(Text {
            at: self.base + start as u32,
            len: run as u32,
            print: fingerprint(rest.get(..run).unwrap_or_default()),
            slot: self.slot,
            traits: PLAIN | if is_ascii { ASCII } else { 0 },
        })
    }

    /// Writes the characters of the string that begins with the quote at `pos` behind the text.
    #[cold]
    pub(super) fn string_with_escapes(&mut self) -> Read<Text> {
        let at = self.region.text.len();
        self.pos += 1;
        loop {
            let (run, _) = plain_run(self.bytes.get(self.pos..).unwrap_or_default());
            let plain = self.text.get(self.pos..self.pos + run).unwrap_or_default();
            let room = self.memory.room_text(&mut self.region.text, run + 4);
            self.granted(room)?;
            self.region.text.push_str(plain);
            self.pos += run;
            match self.bytes.get(self.pos) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let character = self.escape()?;
                    self.region.text.push(character);
                }
                Some(_) => return self.fail(Problem::Control),
                None => return self.fail(Problem::End),
            }
        }
        self.pos += 1;
        let written = self.region.text.as_bytes().get(at..).unwrap_or_default();
        Ok(Text::of(self.slot, at as u32, written))
    }

    fn escape(&mut self) -> Read<char> {
        let Some(&letter) = self.bytes.get(self.pos + 1) else {
            self.pos += 1;
            return self.fail(Problem::End);
        };
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return self.fail(Problem::Escape),
        };
        self.pos += 2;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Read<char> {
        let Some(first) = self.hex4(self.pos) else { return self.fail(Problem::Escape) };
        let (code, length) = match first {
            0xd800..=0xdbff => match self.hex4(self.pos + 6) {
                Some(second @ 0xdc00..=0xdfff) => (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12),
                _ => return self.fail(Problem::Surrogate),
            },
            _ => (first, 6),
        };
        let Some(character) = char::from_u32(code) else { return self.fail(Problem::Surrogate) };
        self.pos += length;
        Ok(character)
    }

    /// The four digits of the `\u` escape at `pos`.
    fn hex4(&self, pos: usize) -> Option<u32> {
        let digits = self.bytes.get(pos..pos + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |code, &digit| Some(code * 16 + char::from(digit).to_digit(16)?))
    }

    /// Reads the number at `pos`.
    #[inline(always)]
    pub(super) fn number(&mut self) -> Read<Handle> {
        let start = self.pos;
        let is_negative = self.peek() == b'-';
        self.pos += usize::from(is_negative);
        let leading_zero = self.peek() == b'0';
        let (mut mantissa, whole) = self.digits(0);
        if whole == 0 {
            return self.fail(Problem::Number);
        }
        if leading_zero && whole > 1 {
            self.pos -= whole - 1;
            return self.fail(Problem::Number);
        }
        let mut scale = 0;
        if self.peek() == b'.' {
            self.pos += 1;
            (mantissa, scale) = self.digits(mantissa);
            if scale == 0 {
                return self.fail(Problem::Number);
            }
        }
        let has_exponent = matches!(self.peek(), b'e' | b'E');
        if has_exponent {
            self.pos += 1;
            self.pos += usize::from(matches!(self.peek(), b'+' | b'-'));
            if self.digits(0).1 == 0 {
                return self.fail(Problem::Number);
            }
        }
        let digits = whole + scale - usize::from(leading_zero);
        // Up to eighteen digits fit an i64; minus zero would lose its sign.
        if digits <= 18 && !has_exponent && !(is_negative && mantissa == 0) {
            let mantissa = mantissa as i64;
            let mantissa = if is_negative { -mantissa } else { mantissa };
            return self.put(Datum::Exact { scale: scale as u8, mantissa });
        }
        self.put(Datum::Lexeme { slot: self.slot, at: self.base + start as u32, len: (self.pos - start) as u32 })
    }
    /// Reads digits onto `number`, which wraps when there are too many; also answers how many there were.
    #[inline]
    fn digits(&mut self, mut number: u64) -> (u64, usize) {
        let start = self.pos;
        while let Some(digit) = self.bytes.get(self.pos).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10)
        {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.pos += 1;
        }
        (number, self.pos - start)
    }
}
