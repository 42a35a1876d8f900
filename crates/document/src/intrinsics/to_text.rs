//! From values to characters: `$string` and what writing strings needs.

use lockgate_model::abi::CONSTANT_REGION;

use crate::arena::Arena;
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::json::{Form, Printer};
use crate::number::Number;
use crate::standard::{D3001, T0410};
use crate::text::{ASCII, PLAIN, Text};
use crate::values::INPUT_SLOT;

impl Arena {
    /// `to_string(h, pretty)`: `$string`.
    pub fn to_string(&mut self, h: Handle, pretty: i32) -> Result<Handle, Fault> {
        match self.values.datum(h)? {
            Datum::Undefined | Datum::Text { .. } => Ok(h),
            _ => {
                let text = self.string_of(h, if pretty == 0 { Form::String } else { Form::Pretty })?;
                self.put(Datum::text(text))
            }
        }
    }

    /// A value as `$string` writes it; undefined is empty.
    #[inline]
    pub(super) fn string_of(&mut self, h: Handle, form: Form) -> Result<Text, Fault> {
        let datum = self.values.datum(h)?;
        if let Some(text) = datum.as_text() {
            return Ok(text);
        }
        // Lexemes are copied out: the buffer they are written to may be the one they stand in.
        if let Some(number) = self.values.number(datum) {
            if number.to_f64().is_infinite() && !number.is_whole() {
                return Err(self.complain(D3001, None, h));
            }
            return match number {
                Number::Lexeme(_) => {
                    let text = number.as_string(str::to_owned);
                    self.write(&text)
                }
                Number::Exact { mantissa, scale } => {
                    Number::Exact { mantissa, scale }.as_string(|text| self.write(text))
                }
                Number::Float(value) => Number::Float(value).as_string(|text| self.write(text)),
            };
        }
        match datum {
            Datum::True => self.write("true"),
            Datum::False => self.write("false"),
            Datum::Null => self.write("null"),
            Datum::Array { .. } | Datum::Range { .. } | Datum::Object { .. } => self.stringify(h, form),
            _ => Ok(Text::EMPTY),
        }
    }

    pub(super) fn stringify(&mut self, h: Handle, form: Form) -> Result<Text, Fault> {
        let room = self.memory.max().saturating_sub(self.memory.used());
        let mut out = Vec::new();
        let bytes_max = usize::try_from(room).unwrap_or(usize::MAX);
        // A text that does not fit the arena is one limit, not two.
        let printed = Printer::new(&self.values, self.depth_max, form, &mut out, bytes_max).print(h);
        printed.map_err(|fault| if fault == Fault::ReplyTooLarge { Fault::ArenaFull } else { fault })?;
        self.meter.charge_bytes(out.len())?;
        match String::from_utf8(out) {
            Ok(text) => self.write(&text),
            // The printer writes characters only.
            Err(_) => Err(Fault::WrongKind),
        }
    }

    /// A string argument: undefined is none, anything else is T0410.
    #[inline]
    pub(super) fn string_argument(&self, h: Handle, argument: u32) -> Result<Option<Text>, Fault> {
        match self.values.datum(h)? {
            Datum::Undefined => Ok(None),
            datum => match datum.as_text() {
                Some(text) => Ok(Some(text)),
                None => Err(self.complain(T0410, Some(argument), h)),
            },
        }
    }

    /// A string node whose characters the current region may point to.
    pub(super) fn put_text(&mut self, text: Text) -> Result<Handle, Fault> {
        let text = match text.slot {
            _ if text.len == 0 => Text::EMPTY,
            slot if slot == self.current || slot == CONSTANT_REGION || slot == INPUT_SLOT => text,
            _ => self.copy_text(text, self.current)?,
        };
        self.put(Datum::text(text))
    }

    /// Copies characters to the end of the region in `slot`.
    pub(super) fn copy_text(&mut self, text: Text, slot: u16) -> Result<Text, Fault> {
        let at = self.text_end(slot);
        self.append_text(text, slot)?;
        Ok(Text { at, slot, ..text })
    }
    /// Where the characters of the region in `slot` end.
    pub(super) fn text_end(&self, slot: u16) -> u32 {
        self.values.region(slot).map_or(0, |region| region.text.len() as u32)
    }
    /// Adds characters at the end of the region in `slot`.
    pub(super) fn append_text(&mut self, text: Text, slot: u16) -> Result<(), Fault> {
        self.meter.charge_bytes(text.len as usize)?;
        let range = text.at as usize..text.at as usize + text.len as usize;
        let regions = &mut self.values.regions;
        if text.slot == slot {
            let region = regions.get_mut(usize::from(slot)).ok_or(Fault::StaleHandle)?;
            self.memory.room_text(&mut region.text, range.len())?;
            region.text.extend_from_within(range);
        } else if let Ok([target, source]) = regions.get_disjoint_mut([usize::from(slot), usize::from(text.slot)]) {
            // Slot 1 is empty here: the constants stand elsewhere.
            let source = if text.slot == CONSTANT_REGION { &self.values.constants.region().text } else { &source.text };
            self.memory.room_text(&mut target.text, range.len())?;
            target.text.push_str(source.get(range).unwrap_or_default());
        }
        Ok(())
    }
    /// What was written to the current region since `start`, as one string with these traits.
    pub(super) fn text_since(&self, start: u32, traits: u8) -> Text {
        let Some(region) = self.values.region(self.current) else { return Text::EMPTY };
        let written = region.text.as_bytes().get(start as usize..).unwrap_or_default();
        let print = crate::text::fingerprint(written);
        Text { at: start, len: written.len() as u32, print, slot: self.current, traits }
    }
}

/// What is true of two strings together.
pub(super) fn both(a: Text, b: Text) -> u8 {
    a.traits & b.traits & (PLAIN | ASCII)
}
