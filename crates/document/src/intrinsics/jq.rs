//! Group *jq*: the operations of jq on values, reached through one intrinsic by their number.
//!
//! They follow jq 1.6 and later; docs/jq.md says where they do not. Numbers that are passed on keep
//! their lexeme, computed ones are f64. Nothing here changes a value that was there before, but for
//! `Set`, which is given an object that is still being built.

mod arithmetic;
mod entries;
mod order;

use lockgate_model::abi::jq::{Operation, SOFT};

use crate::arena::Arena;
use crate::datum::Datum;
use crate::fault::{ExpressionError, Fault};
use crate::handle::Handle;
use crate::json::Form;
use crate::node::Kind;
use crate::number::Number;
use crate::standard::{Code, JQ_TYPE, JQ_VALUE};

use super::list::List;

impl Arena {
    /// `jq(operation, a, b, c)`: see [`lockgate_model::abi::jq`].
    pub fn jq(&mut self, operation: i32, a: Handle, b: Handle, c: Handle) -> Result<Handle, Fault> {
        let number = usize::try_from(operation & !SOFT).ok();
        let known = number.and_then(|number| Operation::ALL.get(number)).ok_or(Fault::WrongKind)?;
        let [a, b, c] = [a, b, c].map(|h| if h.is_undefined() { Handle::NULL } else { h });
        match self.operate(*known, a, b, c) {
            Err(Fault::Expression(_)) if operation & SOFT != 0 => Ok(Handle::UNDEFINED),
            // A place without a value, as an array made by another language may have, is null.
            Ok(h) if h.is_undefined() => Ok(Handle::NULL),
            result => result,
        }
    }

    fn operate(&mut self, operation: Operation, a: Handle, b: Handle, c: Handle) -> Result<Handle, Fault> {
        match operation {
            Operation::Index => self.index_by(a, b),
            Operation::Slice => self.slice(a, b, c),
            Operation::Items => self.items_of(a),
            Operation::Recurse => {
                self.gathered.clear();
                self.gather_below(a, self.depth_max)?;
                self.gathered_array(0)
            }
            Operation::Add => self.add(a, b),
            Operation::Subtract => self.subtract(a, b),
            Operation::Multiply => self.multiply(a, b),
            Operation::Divide => self.divide(a, b),
            Operation::Remainder => self.remainder(a, b),
            Operation::Negate => match self.float(a) {
                Some(value) => self.new_num(-value),
                None => Err(self.cannot("be negated", &[a])),
            },
            Operation::Less => Ok(Handle::boolean(self.order_of(a, b)?.is_lt())),
            Operation::LessOrEqual => Ok(Handle::boolean(self.order_of(a, b)?.is_le())),
            Operation::Length => self.length_of(a),
            Operation::Keys => self.keys_of(a),
            Operation::Has => self.has(a, b),
            Operation::Sum => self.sum_of(a),
            Operation::Type => self.new_text(self.kind_of(a)),
            Operation::ToString => self.text_of(a),
            Operation::ToNumber => self.number_in(a),
            Operation::Join => self.join_by(a, b),
            Operation::Split => match self.both_texts(a, b) {
                true => self.split_at_all(a, b),
                false => Err(self.cannot("be split by one another", &[a, b])),
            },
            Operation::ToEntries => self.entries_of(a),
            Operation::FromEntries => self.object_of(a),
            Operation::Set => self.set(a, b, c),
        }
    }

    // --- navigate

    fn index_by(&mut self, of: Handle, key: Handle) -> Result<Handle, Fault> {
        match (self.values.datum(of)?, self.values.datum(key)?) {
            (Datum::Object { .. }, name @ Datum::Text { .. }) => {
                let field = match name.as_text() {
                    Some(name) => self.value_of(of, name)?,
                    None => None,
                };
                Ok(field.unwrap_or(Handle::NULL))
            }
            (Datum::Array { len, .. } | Datum::Range { len, .. }, _) if self.float(key).is_some() => {
                let place = self.float(key).unwrap_or_default().floor();
                let place = if place < 0.0 { place + f64::from(len) } else { place };
                if place < 0.0 || place >= f64::from(len) {
                    return Ok(Handle::NULL);
                }
                self.at(of, place as i32)
            }
            (Datum::Null, Datum::Text { .. } | Datum::Exact { .. } | Datum::Lexeme { .. } | Datum::Float(_)) => Ok(of),
            _ => Err(self.wrong(&format!("{} has no {}", self.noun(of), self.key_noun(key)), &[of, key])),
        }
    }

    /// What an object or array would be asked for.
    fn key_noun(&self, key: Handle) -> &'static str {
        match self.values.node(key).kind() {
            Kind::String => "field of a name",
            Kind::Number => "item of a place",
            _ => "part of such a name",
        }
    }

    fn slice(&mut self, of: Handle, from: Handle, to: Handle) -> Result<Handle, Fault> {
        let length = match self.values.node(of).kind() {
            Kind::Null => return Ok(of),
            Kind::String => self.length(of)?,
            Kind::Array => f64::from(self.list(of)?.len()),
            _ => return Err(self.wrong(&format!("{} has no parts by place", self.noun(of)), &[of])),
        };
        let bound = |arena: &Self, h: Handle, otherwise: f64| match (arena.float(h), h == Handle::NULL) {
            (Some(at), _) => Some(if at < 0.0 { (at + length).max(0.0) } else { at.min(length) }),
            (None, _) if arena.values.node(h).kind() == Kind::Null => Some(otherwise),
            _ => None,
        };
        let (Some(from), Some(to)) = (bound(self, from, 0.0), bound(self, to, length)) else {
            return Err(self.wrong("where a part begins and ends must be numbers", &[from, to]));
        };
        let (from, to) = (from.floor(), to.ceil());
        if self.values.node(of).kind() == Kind::String {
            return self.substring(of, from, (to - from).max(0.0));
        }
        self.gathered.clear();
        if let List::Items(items) = self.list(of)?
            && from < to
        {
            let part = super::list::Items { at: items.at + from as u32, len: (to - from) as u32, ..items };
            self.gather_items(part)?;
        }
        self.gathered_array(0)
    }

    /// The items of an array, or the values of an object, as an array.
    fn items_of(&mut self, of: Handle) -> Result<Handle, Fault> {
        match self.values.datum(of)? {
            Datum::Array { .. } | Datum::Range { .. } => Ok(of),
            Datum::Object { at, len, .. } => {
                self.gathered.clear();
                self.meter.charge(len.into())?;
                for place in 0..len {
                    self.gather(self.values.field(of.slot(), at, place).value)?;
                }
                self.gathered_array(0)
            }
            _ => Err(self.wrong(&format!("{} has no items to go over", self.noun(of)), &[of])),
        }
    }

    /// Gathers a value and all below it, each before what is in it.
    fn gather_below(&mut self, h: Handle, depth: u32) -> Result<(), Fault> {
        self.gather(h)?;
        let inner = || depth.checked_sub(1).ok_or(Fault::DepthExceeded);
        match self.values.datum(h)? {
            Datum::Object { at, len, .. } => {
                self.meter.charge(len.into())?;
                for place in 0..len {
                    self.gather_below(self.values.field(h.slot(), at, place).value, inner()?)?;
                }
            }
            Datum::Array { .. } | Datum::Range { .. } => {
                let List::Items(items) = self.list(h)? else { return Ok(()) };
                self.meter.charge(items.len.into())?;
                for place in 0..items.len {
                    self.gather_below(self.item(items, place), inner()?)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    // --- inspect

    fn length_of(&mut self, of: Handle) -> Result<Handle, Fault> {
        let length = match self.values.datum(of)? {
            Datum::Null => 0.0,
            Datum::Array { len, .. } | Datum::Range { len, .. } | Datum::Object { len, .. } => f64::from(len),
            Datum::Text { .. } => self.length(of)?,
            _ => match self.float(of) {
                // What is not negative is its own length, digit by digit.
                Some(value) if value >= 0.0 => return Ok(of),
                Some(value) => -value,
                None => return Err(self.wrong(&format!("{} has no length", self.noun(of)), &[of])),
            },
        };
        self.new_num(length)
    }

    fn has(&mut self, of: Handle, key: Handle) -> Result<Handle, Fault> {
        match (self.values.datum(of)?, self.values.datum(key)?.as_text(), self.float(key)) {
            (Datum::Null, ..) => Ok(Handle::boolean(false)),
            (Datum::Object { .. }, Some(name), _) => Ok(Handle::boolean(self.value_of(of, name)?.is_some())),
            (Datum::Array { len, .. } | Datum::Range { len, .. }, _, Some(place)) => {
                Ok(Handle::boolean(place >= 0.0 && place < f64::from(len)))
            }
            _ => {
                let what = format!("{} cannot be asked whether it has {}", self.noun(of), self.noun(key));
                Err(self.wrong(&what, &[of, key]))
            }
        }
    }

    // --- convert

    /// `tostring`: a string is itself, all else its JSON with untouched numbers as they were read.
    fn text_of(&mut self, of: Handle) -> Result<Handle, Fault> {
        if self.values.datum(of)?.as_text().is_some() {
            return Ok(of);
        }
        let text = self.stringify(of, Form::Reply)?;
        self.put(Datum::text(text))
    }

    /// `tonumber`: a number is itself; a string that is one becomes it with all its digits.
    fn number_in(&mut self, of: Handle) -> Result<Handle, Fault> {
        if self.float(of).is_some() {
            return Ok(of);
        }
        let Some(text) = self.values.node(of).as_str() else { return Err(self.cannot("be read as a number", &[of])) };
        self.meter.charge_bytes(text.len())?;
        let Some(lexeme) = lexeme(text) else { return Err(self.not_a_number(of)) };
        match self.parse_json(lexeme.as_bytes()) {
            Ok(number) if self.float(number).is_some_and(f64::is_finite) => Ok(number),
            Ok(_) => Err(self.not_a_number(of)),
            Err(error) => Err(error.fault().cloned().unwrap_or_else(|| self.not_a_number(of))),
        }
    }

    fn not_a_number(&self, text: Handle) -> Fault {
        self.says(JQ_VALUE, "the string is no number", &[text])
    }

    // --- what all share

    fn float(&self, h: Handle) -> Option<f64> {
        self.values.node(h).as_number().map(Number::to_f64)
    }

    fn both_texts(&self, a: Handle, b: Handle) -> bool {
        [a, b].into_iter().all(|h| self.values.node(h).kind() == Kind::String)
    }

    /// What jq calls the type of a value.
    fn kind_of(&self, h: Handle) -> &'static str {
        match self.values.node(h).kind() {
            Kind::Null | Kind::Undefined | Kind::Function => "null",
            Kind::Boolean => "boolean",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }

    /// The same with its article.
    fn noun(&self, h: Handle) -> &'static str {
        match self.kind_of(h) {
            "boolean" => "a boolean",
            "number" => "a number",
            "string" => "a string",
            "array" => "an array",
            "object" => "an object",
            _ => "null",
        }
    }

    /// Values that an operation does not take: `a string and a number cannot be added`.
    #[cold]
    fn cannot(&self, what: &str, values: &[Handle]) -> Fault {
        let nouns: Vec<_> = values.iter().map(|h| self.noun(*h)).collect();
        self.wrong(&format!("{} cannot {what}", nouns.join(" and ")), values)
    }

    #[cold]
    fn wrong(&self, what: &str, values: &[Handle]) -> Fault {
        self.says(JQ_TYPE, what, values)
    }

    /// An error with the values at fault, which the caller may see.
    #[cold]
    fn says(&self, code: Code, what: &str, values: &[Handle]) -> Fault {
        let values: Vec<_> = values.iter().filter_map(|h| self.excerpt(*h)).collect();
        Fault::Expression(Box::new(ExpressionError::told(code, format!("{code}: {what}: {}", values.join(", ")))))
    }
}

/// A number as JSON writes it, of one as jq reads it: `.5`, `5.` and `007` are numbers too.
fn lexeme(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => rest.split_at_checked(at)?,
        None => (rest, ""),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let power = exponent.get(1..).map_or("0", |power| power.strip_prefix(['+', '-']).unwrap_or(power));
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) || power.is_empty() || !digits(power) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}{exponent}"))
}

#[cfg(test)]
mod tests;
