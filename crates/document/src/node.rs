//! Reading values from outside: a borrowed view of one value and what it contains.

use std::borrow::Cow;
use std::fmt;

use lockgate_model::abi;

use crate::arena::Arena;
use crate::datum::Datum;
use crate::handle::Handle;
use crate::number::Number;
use crate::text::Text;
use crate::values::Values;

/// Values, and levels of them, that an error's place is looked for in.
const LOOKED_THROUGH_MAX: usize = 10_000;
const DEPTH_LOOKED_THROUGH: u32 = 32;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No value.
    Undefined,
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
    /// A function value; never in a [`Document`](crate::Document).
    Function,
}

/// A view of one value. Cheap to copy; its `Debug` text shows no data.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    pub(crate) values: &'a Values,
    /// Slot of the region whose spans `datum` means.
    pub(crate) slot: u16,
    pub(crate) datum: Datum,
}

impl Arena {
    /// A view of a value; a stale handle shows undefined.
    pub fn view(&self, h: Handle) -> Node<'_> {
        self.values.node(h)
    }
}

impl Values {
    pub(crate) fn node(&self, h: Handle) -> Node<'_> {
        Node { values: self, slot: h.slot(), datum: self.datum(h).unwrap_or(Datum::Undefined) }
    }
}

impl<'a> Node<'a> {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self.datum {
            Datum::Undefined | Datum::Env { .. } => Kind::Undefined,
            Datum::Null => Kind::Null,
            Datum::False | Datum::True => Kind::Boolean,
            Datum::Exact { .. } | Datum::Lexeme { .. } | Datum::Float(_) => Kind::Number,
            Datum::Text { .. } => Kind::String,
            Datum::Array { .. } | Datum::Range { .. } => Kind::Array,
            Datum::Object { .. } => Kind::Object,
            Datum::Function { .. } => Kind::Function,
        }
    }
    /// Is there no value?
    pub fn is_undefined(&self) -> bool {
        self.kind() == Kind::Undefined
    }

    /// A field of an object; undefined when it has none or is no object.
    pub fn get(&self, key: &str) -> Node<'a> {
        let Datum::Object { index, at, len, .. } = self.datum else { return self.undefined() };
        let Some(region) = self.values.region(self.slot) else { return self.undefined() };
        let fields = region.fields(at, len);
        let is_key = |field: &crate::datum::Field| self.values.str(field.key) == key;
        let index = usize::from(index).checked_sub(1).and_then(|index| region.indexes.get(index));
        let found = match index {
            Some(index) => index
                .find(index.hash(key), |place| fields.get(place as usize).is_some_and(is_key))
                .and_then(|place| fields.get(place as usize)),
            None => fields.iter().find(|field| is_key(field)),
        };
        found.map_or(self.undefined(), |field| self.values.node(field.value))
    }
    /// An item of an array; undefined past its end or when it is no array.
    pub fn at(&self, index: usize) -> Node<'a> {
        match (self.datum, u32::try_from(index)) {
            (Datum::Array { at, len, .. }, Ok(index)) if index < len => {
                self.values.node(self.values.item(self.slot, at, index))
            }
            (Datum::Range { first, len, .. }, Ok(index)) if index < len => {
                Node { datum: Datum::Float((first + i64::from(index)) as f64), ..*self }
            }
            _ => self.undefined(),
        }
    }
    /// Items of an array, fields of an object; 0 for all others.
    pub fn len(&self) -> usize {
        match self.datum {
            Datum::Array { len, .. } | Datum::Range { len, .. } | Datum::Object { len, .. } => len as usize,
            _ => 0,
        }
    }
    /// Has it no items and no fields?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Fields of an object in order; none for all others.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let values = self.values;
        let fields = match (self.datum, values.region(self.slot)) {
            (Datum::Object { at, len, .. }, Some(region)) => region.fields(at, len),
            _ => &[],
        };
        fields.iter().map(move |field| (values.str(field.key), values.node(field.value)))
    }
    /// Items of an array in order; none for all others.
    pub fn items(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let array = *self;
        let len = if array.kind() == Kind::Array { array.len() } else { 0 };
        (0..len).map(move |index| array.at(index))
    }

    /// The way to the first function that this value holds, such as `a.b[0]`; empty where it is one itself.
    /// None where there is none, or none within so much that somebody would look through.
    pub fn function_within(&self) -> Option<String> {
        let mut left = LOOKED_THROUGH_MAX;
        let mut way = self.way_to_function(&mut left, DEPTH_LOOKED_THROUGH)?;
        way.reverse();
        Some(way.concat().trim_start_matches('.').to_owned())
    }

    fn way_to_function(&self, left: &mut usize, depth: u32) -> Option<Vec<String>> {
        *left = left.checked_sub(1)?;
        let depth = depth.checked_sub(1)?;
        let longer = |mut way: Vec<String>, step: String| {
            way.push(step);
            way
        };
        match self.kind() {
            Kind::Function => Some(Vec::new()),
            Kind::Object => self
                .entries()
                .find_map(|(key, value)| value.way_to_function(left, depth).map(|way| longer(way, format!(".{key}")))),
            Kind::Array => self.items().enumerate().find_map(|(place, item)| {
                item.way_to_function(left, depth).map(|way| longer(way, format!("[{place}]")))
            }),
            _ => None,
        }
    }

    /// The characters of a string.
    pub fn as_str(&self) -> Option<&'a str> {
        self.as_text().map(|text| self.values.str(text))
    }
    /// The text of a number: its lexeme, or what a computed number prints as.
    pub fn lexeme(&self) -> Option<Cow<'a, str>> {
        Some(match self.as_number()? {
            Number::Lexeme(lexeme) => Cow::Borrowed(lexeme),
            number => Cow::Owned(number.as_reply(str::to_owned)),
        })
    }
    /// Shows the text of a number, which is not kept; nothing of other values.
    pub(crate) fn with_lexeme(&self, then: impl FnOnce(&str)) {
        if let Some(number) = self.as_number() {
            number.as_reply(then);
        }
    }
    /// The f64 nearest to a number; none when there is none nearer than infinity.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number().map(Number::to_f64).filter(|number| number.is_finite())
    }
    /// A whole number that an i64 holds, however it is written.
    pub fn as_i64(&self) -> Option<i64> {
        match self.as_number()? {
            Number::Exact { mantissa, scale } => {
                let power = 10i64.pow(u32::from(scale));
                (mantissa % power == 0).then_some(mantissa / power)
            }
            Number::Lexeme(lexeme) => match lexeme.parse() {
                Ok(number) => Some(number),
                Err(_) => whole(self.as_f64()?),
            },
            Number::Float(number) => whole(number),
        }
    }
    /// `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match self.datum {
            Datum::True => Some(true),
            Datum::False => Some(false),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<Text> {
        self.datum.as_text()
    }
    pub(crate) fn as_number(&self) -> Option<Number<'a>> {
        self.values.number(self.datum)
    }
    fn undefined(&self) -> Node<'a> {
        Node { datum: Datum::Undefined, ..*self }
    }
}

/// A whole f64 that stands for one i64 only.
fn whole(number: f64) -> Option<i64> {
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    (number.trunc() == number && number.abs() < WHOLE_MAX).then_some(number as i64)
}

impl Kind {
    /// The number that the ABI gives this kind.
    pub(crate) fn abi(self) -> i32 {
        match self {
            Kind::Undefined => abi::kind::UNDEFINED,
            Kind::Null => abi::kind::NULL,
            Kind::Boolean => abi::kind::BOOLEAN,
            Kind::Number => abi::kind::NUMBER,
            Kind::String => abi::kind::STRING,
            Kind::Array => abi::kind::ARRAY,
            Kind::Object => abi::kind::OBJECT,
            Kind::Function => abi::kind::FUNCTION,
        }
    }
}

/// Kind and size, no data.
impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:?}, {})", self.kind(), self.len())
    }
}
