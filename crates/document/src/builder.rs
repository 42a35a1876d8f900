//! Building a document piece by piece, for connectors whose answers are not JSON.

use lockgate_model::Limits;

use crate::arena::Arena;
use crate::datum::Datum;
use crate::document::Document;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::keys::Keys;
use crate::node::Node;
use crate::text::Text;
use crate::value::Value;

/// Writes one document from its outside to its inside.
///
/// A piece that does not fit where it comes (a value without its key, an end without a beginning, a
/// second root) is [`Fault::WrongKind`].
#[derive(Debug)]
pub struct Builder {
    arena: Arena,
    root: Handle,
    /// Containers that have not ended, the innermost last.
    open: Vec<Open>,
    keys: Keys,
}

#[derive(Debug)]
enum Open {
    Array(Handle),
    /// An object, and the key that waits for its value.
    Object(Handle, Option<Text>),
}

impl Builder {
    /// Nothing yet, under these limits.
    pub fn new(limits: &Limits) -> Builder {
        Builder { arena: Arena::new(limits), root: Handle::UNDEFINED, open: Vec::new(), keys: Keys::default() }
    }

    /// An object begins; its fields follow, then [`end`](Builder::end).
    pub fn begin_object(&mut self) -> Result<(), Fault> {
        let object = self.arena.obj_new()?;
        self.begin(object, Open::Object(object, None))
    }
    /// An array begins; its items follow, then [`end`](Builder::end).
    pub fn begin_array(&mut self) -> Result<(), Fault> {
        let array = self.arena.arr_new(0)?;
        self.begin(array, Open::Array(array))
    }
    fn begin(&mut self, container: Handle, open: Open) -> Result<(), Fault> {
        if self.open.len() >= self.arena.depth_max as usize {
            return Err(Fault::DepthExceeded);
        }
        self.place(container)?;
        self.open.push(open);
        Ok(())
    }
    /// The innermost array or object ends.
    pub fn end(&mut self) -> Result<(), Fault> {
        match self.open.pop() {
            Some(Open::Array(_) | Open::Object(_, None)) => Ok(()),
            _ => Err(Fault::WrongKind),
        }
    }
    /// The key of the next value. A key twice in an object keeps its last value.
    pub fn key(&mut self, key: &str) -> Result<(), Fault> {
        if !matches!(self.open.last(), Some(Open::Object(_, None))) {
            return Err(Fault::WrongKind);
        }
        let written = self.keys.written(&mut self.arena, key)?;
        if let Some(Open::Object(_, waiting)) = self.open.last_mut() {
            *waiting = Some(written);
        }
        Ok(())
    }

    /// A string.
    pub fn text(&mut self, text: &str) -> Result<(), Fault> {
        let value = self.arena.new_text(text)?;
        self.place(value)
    }
    /// A number by its JSON text, which is kept; another text is [`Fault::WrongKind`].
    pub fn number_lexeme(&mut self, lexeme: &str) -> Result<(), Fault> {
        let is_trimmed = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        if !is_trimmed(lexeme.as_bytes().first()) || !is_trimmed(lexeme.as_bytes().last()) {
            return Err(Fault::WrongKind);
        }
        let value = match self.arena.parse_json(lexeme.as_bytes()) {
            Ok(value) => value,
            Err(error) => return Err(error.fault().cloned().unwrap_or(Fault::WrongKind)),
        };
        self.place(value)
    }
    /// A computed number; a NaN or an infinity is error D1001.
    pub fn number(&mut self, number: f64) -> Result<(), Fault> {
        if number.is_nan() {
            return Err(Fault::standard(1001));
        }
        let value = self.arena.new_num(number)?;
        self.place(value)
    }
    /// A whole number, kept exactly.
    pub fn integer(&mut self, number: i64) -> Result<(), Fault> {
        // What an i64 holds may have nineteen digits: one more than exact numbers may.
        if number.unsigned_abs() >= 10u64.pow(18) {
            return self.number_lexeme(itoa::Buffer::new().format(number));
        }
        let value = self.arena.put(Datum::Exact { mantissa: number, scale: 0 })?;
        self.place(value)
    }
    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) -> Result<(), Fault> {
        self.place(Handle::boolean(value))
    }
    /// `null`.
    pub fn null(&mut self) -> Result<(), Fault> {
        self.place(Handle::NULL)
    }
    /// A whole value from another document. Undefined adds no item, and takes its key with it.
    pub fn value(&mut self, value: Node<'_>) -> Result<(), Fault> {
        let copy = self.arena.copy_node(value)?;
        self.place(copy)
    }

    pub(crate) fn literal(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Null => self.null(),
            Value::Boolean(value) => self.boolean(*value),
            Value::Integer(number) => self.integer(*number),
            Value::Number(number) if number.is_finite() => self.number(*number),
            Value::Number(_) => self.null(),
            Value::Text(text) => self.text(text),
            Value::Array(items) => {
                self.begin_array()?;
                for item in items {
                    self.literal(item)?;
                }
                self.end()
            }
            Value::Object(fields) => {
                self.begin_object()?;
                for (key, value) in fields {
                    self.key(key)?;
                    self.literal(value)?;
                }
                self.end()
            }
        }
    }

    fn place(&mut self, value: Handle) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(Open::Array(array)) => self.arena.arr_push(*array, value),
            Some(Open::Object(object, key)) => {
                let key = key.take().ok_or(Fault::WrongKind)?;
                self.arena.set_field(*object, key, value)
            }
            None if self.root.is_undefined() => {
                self.root = value;
                Ok(())
            }
            None => Err(Fault::WrongKind),
        }
    }

    /// The document; [`Fault::WrongKind`] while something has not ended. Without any piece: no value.
    pub fn finish(self) -> Result<Document, Fault> {
        if !self.open.is_empty() {
            return Err(Fault::WrongKind);
        }
        Ok(Document::from_parts(self.arena, self.root))
    }
}

#[cfg(test)]
mod tests;
