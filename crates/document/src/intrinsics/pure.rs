//! Group *pure*: built-ins of values alone, reached through one intrinsic by their number.

use std::hash::{BuildHasher as _, RandomState};

use lockgate_model::abi::Function;

use crate::affix;
use crate::arena::Arena;
use crate::base64;
use crate::datum::{Datum, Field};
use crate::fault::{ExpressionError, Fault};
use crate::handle::Handle;
use crate::node::Kind;
use crate::number::Number;
use crate::picture::{
    integer::{format_integer, parse_integer},
    moment::{from_millis, to_millis},
    number::{DecimalFormat, format_number},
};
use crate::radix::format_base;
use crate::refusal::Refusal;
use crate::standard::{Code, D3060, D3061, D3137, D3141, T0410};

use crate::url;

use super::list::List;

/// What an error may be about.
#[derive(Clone, Copy)]
struct Told {
    value: Handle,
    picture: Handle,
    zone: Handle,
}

impl Told {
    fn of(value: Handle, picture: Handle) -> Self {
        Self { value, picture, zone: picture }
    }

    /// What this error is about.
    fn by(self, refusal: Refusal) -> Handle {
        match (refusal, refusal.code()) {
            (Refusal::Zone, _) => self.zone,
            (_, 3080..=3093 | 3130..=3136) => self.picture,
            _ => self.value,
        }
    }
}

impl Arena {
    /// `pure(function, a, b, c)`: arguments are checked against the function's parameters first.
    pub fn pure(&mut self, function: i32, a: Handle, b: Handle, c: Handle) -> Result<Handle, Fault> {
        let function = usize::try_from(function).ok().and_then(|number| Function::ALL.get(number).copied());
        let function = function.ok_or(Fault::WrongKind)?;
        let mut given = [a, b, c];
        for (i, (letter, argument)) in function.params().bytes().zip(&mut given).enumerate() {
            *argument = self.check(*argument, letter.into(), i as i32 + 1)?;
        }
        let [a, b, c] = given;
        match function {
            Function::Type => self.type_of(a),
            Function::Sqrt => self.sqrt(a),
            Function::Power => self.power(a, b),
            Function::Error => Err(self.told(D3137, a, "$error() function evaluated")),
            Function::Assert => match self.truthy(a)? {
                true => Ok(Handle::UNDEFINED),
                false => Err(self.told(D3141, b, "$assert() statement failed")),
            },
            Function::Spread => self.spread(a),
            Function::Shuffle => self.shuffle(a),
            Function::Random => self.new_num(random()),
            Function::Millis => self.new_num((self.now.0 / 1_000) as f64),
            Function::Zip => self.zip(a, b),
            Function::FormatNumber => self.format_number(a, b, c),
            Function::FormatInteger => match (self.number_of(a), self.values.node(b).as_str()) {
                (Some(value), Some(picture)) => self.formed(Told::of(a, b), format_integer(value, picture)),
                (None, _) => Ok(Handle::UNDEFINED),
                (_, None) => Err(self.complain(T0410, Some(2), b)),
            },
            Function::ParseInteger => match (self.values.node(a).as_str(), self.values.node(b).as_str()) {
                (Some(text), Some(picture)) => self.read(Told::of(a, b), parse_integer(text, picture)),
                (None, _) => Ok(Handle::UNDEFINED),
                (_, None) => Err(self.complain(T0410, Some(2), b)),
            },
            Function::FromMillis => match self.number_of(a) {
                Some(millis) => self.moment(millis, a, b, c),
                None => Ok(Handle::UNDEFINED),
            },
            Function::Now => self.moment((self.now.0 / 1_000) as f64, Handle::UNDEFINED, a, b),
            Function::ToMillis => match self.values.node(a).as_str() {
                Some(text) => {
                    let now = (self.now.0 / 1_000) as f64;
                    self.read(Told::of(a, b), to_millis(text, self.values.node(b).as_str(), now))
                }
                None => Ok(Handle::UNDEFINED),
            },
            Function::FormatBase => match self.number_of(a) {
                Some(value) => self.formed(Told::of(a, b), format_base(value, self.number_of(b))),
                None => Ok(Handle::UNDEFINED),
            },
            Function::Pad => self.padded(a, b, c),
            Function::Base64Encode => self.on_text(a, base64::encode),
            Function::Base64Decode => self.on_text(a, |text| Ok(base64::decode(text))),
            Function::EncodeUrlComponent => self.on_text(a, |text| Ok(url::encode_component(text))),
            Function::EncodeUrl => self.on_text(a, |text| Ok(url::encode(text))),
            Function::DecodeUrlComponent => self.on_text(a, url::decode_component),
            Function::DecodeUrl => self.on_text(a, url::decode),
            Function::SubstringBefore => self.around(a, b, affix::before),
            Function::SubstringAfter => self.around(a, b, affix::after),
        }
    }

    fn number_of(&self, h: Handle) -> Option<f64> {
        self.values.node(h).as_number().map(Number::to_f64)
    }

    fn on_text(&mut self, value: Handle, form: impl FnOnce(&str) -> Result<String, Refusal>) -> Result<Handle, Fault> {
        match self.values.node(value).as_str() {
            Some(text) => {
                let text = form(text);
                self.formed(Told::of(value, value), text)
            }
            None => Ok(Handle::UNDEFINED),
        }
    }

    /// A text that a function formed, or why it did not.
    fn formed(&mut self, told: Told, text: Result<String, Refusal>) -> Result<Handle, Fault> {
        match text {
            Ok(text) => {
                self.meter.charge_bytes(text.len())?;
                self.new_text(&text)
            }
            Err(refusal) => Err(self.refused(refusal, told.by(refusal))),
        }
    }

    /// The error of a refusal, which says more than its code does.
    fn refused(&self, refusal: Refusal, value: Handle) -> Fault {
        let code = Code::from_number(refusal.code());
        let value = self.excerpt(value).map(|value| format!(": {value}")).unwrap_or_default();
        Fault::Expression(Box::new(ExpressionError::told(code, format!("{code}: {refusal}{value}"))))
    }

    /// A number that a function read, nothing, or why it did not.
    fn read(&mut self, told: Told, number: Result<Option<f64>, Refusal>) -> Result<Handle, Fault> {
        match number {
            Ok(number) => number.map_or(Ok(Handle::UNDEFINED), |number| self.new_num(number)),
            Err(refusal) => Err(self.refused(refusal, told.by(refusal))),
        }
    }

    fn moment(&mut self, millis: f64, value: Handle, picture: Handle, zone: Handle) -> Result<Handle, Fault> {
        let text = from_millis(millis, self.values.node(picture).as_str(), self.values.node(zone).as_str());
        self.formed(Told { value, picture, zone }, text)
    }

    fn format_number(&mut self, value: Handle, picture: Handle, options: Handle) -> Result<Handle, Fault> {
        let Some(number) = self.number_of(value) else { return Ok(Handle::UNDEFINED) };
        let mut format = DecimalFormat::default();
        for (name, value) in self.values.node(options).entries() {
            if let Some(value) = value.as_str() {
                format.set(name, value);
            }
        }
        let Some(text) = self.values.node(picture).as_str() else {
            return Err(self.complain(T0410, Some(2), picture));
        };
        let text = format_number(number, text, &format);
        self.formed(Told::of(value, picture), text)
    }

    /// An error whose message the flow gives.
    fn told(&self, code: Code, message: Handle, otherwise: &str) -> Fault {
        let message = self.values.node(message).as_str().unwrap_or(otherwise).to_owned();
        Fault::Expression(Box::new(ExpressionError::told(code, message)))
    }

    fn type_of(&mut self, value: Handle) -> Result<Handle, Fault> {
        let name = match self.values.node(value).kind() {
            Kind::Undefined => return Ok(Handle::UNDEFINED),
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
            Kind::Function => "function",
        };
        self.new_text(name)
    }

    fn sqrt(&mut self, number: Handle) -> Result<Handle, Fault> {
        let value = self.num(number, 410)?;
        if value < 0.0 {
            return Err(self.complain(D3060, Some(1), number));
        }
        self.new_num(value.sqrt())
    }

    fn power(&mut self, base: Handle, exponent: Handle) -> Result<Handle, Fault> {
        if base.is_undefined() {
            return Ok(base);
        }
        let (base_value, exponent) = (self.num(base, 410)?, self.num(exponent, 410)?);
        // To no power at all even 1 is no number.
        let value = base_value.powf(exponent);
        if !value.is_finite() || exponent.is_nan() {
            return Err(self.complain(D3061, Some(1), base));
        }
        self.new_num(value)
    }

    /// Each field of each object as an object of its own: a sequence of an object's, an array of those
    /// of an array, as it is put together from them.
    fn spread(&mut self, value: Handle) -> Result<Handle, Fault> {
        let appended = match self.values.datum(value)? {
            Datum::Array { len, .. } | Datum::Range { len, .. } => len > 0,
            Datum::Object { .. } => false,
            _ => return Ok(value),
        };
        let acc = if appended { self.arr_new(0)? } else { self.seq_new()? };
        self.spread_into(acc, value, self.depth_max)?;
        if appended { Ok(acc) } else { self.seq_end(acc, 0) }
    }

    fn spread_into(&mut self, acc: Handle, value: Handle, depth: u32) -> Result<(), Fault> {
        let depth = depth.checked_sub(1).ok_or(Fault::DepthExceeded)?;
        if let Datum::Object { at, len, .. } = self.values.datum(value)? {
            self.meter.charge(len.into())?;
            for place in 0..len {
                let field = self.values.field(value.slot(), at, place);
                let object = self.obj_new()?;
                let key = self.text_for(object, field.key)?;
                self.new_field(object, Field { key, value: field.value })?;
                self.seq_add(acc, object)?;
            }
            return Ok(());
        }
        match self.list(value)? {
            List::Items(items) => {
                self.meter.charge(items.len.into())?;
                (0..items.len).try_for_each(|i| self.spread_into(acc, self.item(items, i), depth))
            }
            _ => self.seq_add(acc, value),
        }
    }

    /// By Fisher and Yates, from the process's own randomness.
    fn shuffle(&mut self, list: Handle) -> Result<Handle, Fault> {
        let List::Items(items) = self.list(list)? else { return Ok(list) };
        if items.len < 2 {
            return Ok(list);
        }
        self.gathered.clear();
        self.gather_items(items)?;
        for i in (1..self.gathered.len()).rev() {
            let other = (random() * (i + 1) as f64) as usize;
            self.gathered.swap(i, other.min(i));
        }
        self.gathered_array(0)
    }

    /// Arrays of what stands at the same place, as far as the shortest of `count` arrays goes.
    fn zip(&mut self, lists: Handle, count: Handle) -> Result<Handle, Fault> {
        let List::Items(lists) = self.list(lists)? else { return self.arr_new(0) };
        let zipped = self.arr_new(0)?;
        // One that is undefined is not among them.
        if f64::from(lists.len) != self.num(count, 410)? {
            return Ok(zipped);
        }
        let mut shortest = u32::MAX;
        for i in 0..lists.len {
            shortest = shortest.min(self.list(self.item(lists, i))?.len());
        }
        for place in 0..if lists.len == 0 { 0 } else { shortest } {
            self.meter.charge(lists.len.into())?;
            let row = self.arr_new(0)?;
            for i in 0..lists.len {
                let item = self.at(self.item(lists, i), place as i32)?;
                self.arr_push(row, item)?;
            }
            self.arr_push(zipped, row)?;
        }
        Ok(zipped)
    }

    /// A part of a text before or behind another, or the text itself.
    fn around(
        &mut self,
        text: Handle,
        mark: Handle,
        part: impl for<'t> FnOnce(&'t str, &str) -> &'t str,
    ) -> Result<Handle, Fault> {
        let (Some(whole), Some(mark)) = (self.values.node(text).as_str(), self.values.node(mark).as_str()) else {
            return Ok(text);
        };
        let part = part(whole, mark).to_owned();
        self.meter.charge_bytes(whole.len())?;
        self.new_text(&part)
    }

    fn padded(&mut self, text: Handle, width: Handle, filler: Handle) -> Result<Handle, Fault> {
        let Some(whole) = self.values.node(text).as_str().map(str::to_owned) else { return Ok(Handle::UNDEFINED) };
        let Some(width) = self.number_of(width) else { return Ok(text) };
        let filler = self.values.node(filler).as_str().unwrap_or(" ").to_owned();
        // The width is anybody's: what is too wide ends here, before it is held twice.
        let (mut padded, room) = (String::new(), self.memory.max().saturating_sub(self.memory.used()));
        let meter = &mut self.meter;
        affix::pad(&whole, width, &filler, |piece| {
            meter.charge_bytes(piece.len())?;
            if (padded.len() + piece.len()) as u64 > room {
                return Err(Fault::ArenaFull);
            }
            padded.push_str(piece);
            Ok(())
        })?;
        self.new_text(&padded)
    }

    /// `between(least, most)`: a whole number from the one to the other by chance; the least where there is none.
    pub fn between(&mut self, least: i64, most: i64) -> Result<i64, Fault> {
        let more = most.saturating_sub(least).max(0) as f64;
        Ok(least.saturating_add((random() * more).round() as i64))
    }
}

/// A number from 0 to 1, without 1.
fn random() -> f64 {
    // Keys of a new state are drawn from the system's randomness and differ each time.
    let bits = RandomState::new().hash_one(0_u8);
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
