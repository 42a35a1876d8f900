//! The printer: no recursion, and never more bytes than allowed.

use lockgate_model::abi::CONSTANT_REGION;

use crate::arena::{Arena, DEPTH_CEILING};
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::node::Node;
use crate::number::Number;
use crate::standard::D1001;
use crate::text::{PLAIN, Text, plain_run};
use crate::values::Values;

/// Open containers that have room from the start.
const OPEN_FIRST: usize = 8;

/// What the text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A reply: untouched numbers print their lexeme, computed ones all their digits.
    Reply,
    /// `$string`: computed numbers print fifteen digits at most.
    String,
    /// `$string(…, true)`: indented by two.
    Pretty,
}

/// Prints one value.
pub(crate) struct Printer<'a> {
    values: &'a Values,
    out: &'a mut Vec<u8>,
    /// How many bytes may still be written.
    left: usize,
    form: Form,
    depth_max: usize,
    open: Vec<Open>,
}

/// A container whose children are being printed.
struct Open {
    slot: u16,
    is_object: bool,
    is_first: bool,
    next: usize,
    end: usize,
}

impl Arena {
    /// Appends the value as compact JSON: keys in their order, untouched numbers as they were read,
    /// computed numbers as ECMAScript prints them, functions as `""`. Undefined prints nothing.
    ///
    /// Fails with [`Fault::ReplyTooLarge`] when more than `bytes_max` bytes would be appended; what
    /// was appended until then is of no use.
    pub fn print_json(&self, h: Handle, out: &mut Vec<u8>, bytes_max: u64) -> Result<(), Fault> {
        if h.is_undefined() {
            return Ok(());
        }
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        Printer::new(&self.values, self.depth_max, Form::Reply, out, bytes_max).print(h)
    }

    /// The start of a value's text, to be shown to the caller with an error.
    pub(crate) fn excerpt(&self, h: Handle) -> Option<String> {
        const BYTES_MAX: usize = 120;
        if h.is_undefined() {
            return None;
        }
        let mut out = Vec::new();
        let result = Printer::new(&self.values, self.depth_max, Form::String, &mut out, BYTES_MAX).print(h);
        let mut text = String::from_utf8_lossy(&out).into_owned();
        if result.is_err() {
            text.push('…');
        }
        Some(text)
    }
}

impl Node<'_> {
    /// Appends the value as [`Arena::print_json`] does.
    pub(crate) fn print_json(&self, out: &mut Vec<u8>, bytes_max: usize) -> Result<(), Fault> {
        if self.is_undefined() {
            return Ok(());
        }
        Printer::new(self.values, DEPTH_CEILING, Form::Reply, out, bytes_max).print_datum(self.slot, self.datum)
    }
}

impl<'a> Printer<'a> {
    pub(crate) fn new(
        values: &'a Values,
        depth_max: u32,
        form: Form,
        out: &'a mut Vec<u8>,
        bytes_max: usize,
    ) -> Printer<'a> {
        Printer {
            values,
            out,
            left: bytes_max,
            form,
            depth_max: depth_max as usize,
            open: Vec::with_capacity(OPEN_FIRST),
        }
    }

    pub(crate) fn print(self, h: Handle) -> Result<(), Fault> {
        let datum = self.values.datum(h)?;
        self.print_datum(h.slot(), datum)
    }

    fn print_datum(mut self, slot: u16, datum: Datum) -> Result<(), Fault> {
        self.value(slot, datum)?;
        while let Some(h) = self.next_child()? {
            let datum = self.values.datum(h)?;
            self.value(h.slot(), datum)?;
        }
        Ok(())
    }

    /// Prints a scalar, or the beginning of a container. Always inlined: it stands in one loop, where a
    /// node's parts stay in registers.
    #[inline(always)]
    fn value(&mut self, slot: u16, datum: Datum) -> Result<(), Fault> {
        match datum {
            Datum::Text { traits, slot, at, len, print } => self.text(Text { at, len, print, slot, traits }, b"\""),
            Datum::Null | Datum::Undefined => self.put(b"null"),
            Datum::True => self.put(b"true"),
            Datum::False => self.put(b"false"),
            Datum::Array { len: 0, .. } | Datum::Range { len: 0, .. } => self.put(b"[]"),
            Datum::Object { len: 0, .. } => self.put(b"{}"),
            Datum::Array { at, len, .. } => self.begin(b"[", slot, false, at, len),
            Datum::Object { at, len, .. } => self.begin(b"{", slot, true, at, len),
            Datum::Range { first, len, .. } => self.range(first, len),
            Datum::Function { .. } | Datum::Env { .. } => self.put(b"\"\""),
            number @ (Datum::Exact { .. } | Datum::Lexeme { .. } | Datum::Float(_)) => {
                let number = self.values.number(number).unwrap_or(Number::Float(0.0));
                self.number(number)
            }
        }
    }

    fn begin(&mut self, bracket: &[u8], slot: u16, is_object: bool, at: u32, len: u32) -> Result<(), Fault> {
        self.put(bracket)?;
        if self.open.len() >= self.depth_max {
            return Err(Fault::DepthExceeded);
        }
        let (next, end) = (at as usize, at as usize + len as usize);
        self.open.push(Open { slot, is_object, is_first: true, next, end });
        Ok(())
    }

    /// Ends what has ended, and prints what stands before the next child.
    #[inline]
    fn next_child(&mut self) -> Result<Option<Handle>, Fault> {
        loop {
            let Some(open) = self.open.last_mut() else { return Ok(None) };
            if open.next == open.end {
                let bracket = if open.is_object { b"}" } else { b"]" };
                self.open.pop();
                self.new_line()?;
                self.put(bracket)?;
                continue;
            }
            let (place, slot, is_object) = (open.next, open.slot, open.is_object);
            open.next += 1;
            if !std::mem::replace(&mut open.is_first, false) {
                self.put(b",")?;
            }
            self.new_line()?;
            let Some(region) = self.values.region(slot) else { return Err(Fault::StaleHandle) };
            if !is_object {
                return Ok(Some(region.items.get(place).copied().unwrap_or(Handle::NULL)));
            }
            let Some(&field) = region.fields.get(place) else { return Err(Fault::StaleHandle) };
            self.text(field.key, if self.form == Form::Pretty { b"\": " } else { b"\":" })?;
            return Ok(Some(field.value));
        }
    }

    /// Between the parts of a container, when the text is indented.
    #[inline]
    fn new_line(&mut self) -> Result<(), Fault> {
        if self.form != Form::Pretty {
            return Ok(());
        }
        self.put(b"\n")?;
        for _ in 0..self.open.len() {
            self.put(b"  ")?;
        }
        Ok(())
    }

    #[cold]
    fn range(&mut self, first: i64, len: u32) -> Result<(), Fault> {
        self.begin(b"[", CONSTANT_REGION, false, 0, 0)?;
        for step in 0..i64::from(len) {
            if step > 0 {
                self.put(b",")?;
            }
            self.new_line()?;
            self.number(Number::Float((first + step) as f64))?;
        }
        Ok(())
    }

    #[inline(never)]
    fn number(&mut self, number: Number<'_>) -> Result<(), Fault> {
        match (self.form, number) {
            (Form::Reply, _) => number.as_reply(|text| self.put(text.as_bytes())),
            (_, Number::Lexeme(_)) if !number.is_whole() && number.to_f64().is_infinite() => Err(Fault::raise(D1001)),
            _ => number.as_string(|text| self.put(text.as_bytes())),
        }
    }

    /// Prints a string with its quotes; `end` begins with the second one.
    #[inline]
    fn text(&mut self, text: Text, end: &[u8]) -> Result<(), Fault> {
        let characters = self.values.bytes(text);
        if text.traits & PLAIN == 0 {
            self.text_with_escapes(characters)?;
            return self.put(end);
        }
        let bytes = 1 + characters.len() + end.len();
        self.take(bytes)?;
        self.out.reserve(bytes);
        self.out.push(b'"');
        self.out.extend_from_slice(characters);
        self.out.extend_from_slice(end);
        Ok(())
    }

    /// All but the second quote.
    #[cold]
    fn text_with_escapes(&mut self, mut rest: &[u8]) -> Result<(), Fault> {
        self.put(b"\"")?;
        loop {
            let (run, _) = plain_run(rest);
            let (plain, special) = rest.split_at_checked(run).unwrap_or_default();
            self.put(plain)?;
            let Some((&byte, after)) = special.split_first() else { break };
            self.escape(byte)?;
            rest = after;
        }
        Ok(())
    }

    fn escape(&mut self, byte: u8) -> Result<(), Fault> {
        let letter = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            _ => {
                let hex = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
                return self.put(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            }
        };
        self.put(&[b'\\', letter])
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.take(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }
    #[inline]
    fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        self.left = self.left.checked_sub(bytes).ok_or(Fault::ReplyTooLarge)?;
        Ok(())
    }
}
