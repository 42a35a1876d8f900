//! Documents: values that own their arena and cross from crate to crate.

use std::fmt;

use lockgate_model::{Limits, abi::CONSTANT_REGION};

use crate::arena::Arena;
use crate::builder::Builder;
use crate::datum::Datum;
use crate::fault::Fault;
use crate::handle::Handle;
use crate::json::{ParseError, ParseOptions};
use crate::node::Node;
use crate::value::Value;
use crate::values::INPUT_SLOT;

/// What printing reserves first, at most.
const PRINT_BYTES_FIRST: u64 = 4 << 10;

/// A value that lives by itself: the input and output of a run, what a connector takes and gives.
///
/// All its values lie in its arena, mostly in the input region. It may be sent to another thread; its
/// `Debug` text shows no data.
pub struct Document {
    /// Boxed: a document passes through many hands, and an arena is some hundred bytes.
    arena: Box<Arena>,
    root: Handle,
}

impl Document {
    /// Reads JSON under these limits; a key twice in an object is refused.
    pub fn parse(json: &[u8], limits: &Limits) -> Result<Document, ParseError> {
        Document::parse_with(json, limits, ParseOptions::default())
    }
    /// Reads JSON with options.
    pub fn parse_with(json: &[u8], limits: &Limits, options: ParseOptions) -> Result<Document, ParseError> {
        let mut arena = Box::new(Arena::new(limits));
        let root = arena.parse_json_with(json, options)?;
        Ok(Document { arena, root })
    }

    /// No value at all.
    pub fn undefined() -> Document {
        Document::from_parts(Arena::new(&Limits::default()), Handle::UNDEFINED)
    }
    /// The value `null`.
    pub fn null() -> Document {
        Document::from_parts(Arena::new(&Limits::default()), Handle::NULL)
    }
    /// A string.
    pub fn text(text: &str) -> Document {
        Document::written(|builder| builder.text(text))
    }
    /// An object of literals, in order: `Document::object([("ok", Value::from(true))])`. A key twice
    /// keeps its last value.
    pub fn object<K: AsRef<str>>(fields: impl IntoIterator<Item = (K, Value)>) -> Document {
        Document::written(|builder| {
            builder.begin_object()?;
            for (key, value) in fields {
                builder.key(key.as_ref())?;
                builder.literal(&value)?;
            }
            builder.end()
        })
    }
    /// An array of literals.
    pub fn array(items: impl IntoIterator<Item = Value>) -> Document {
        Document::written(|builder| {
            builder.begin_array()?;
            for item in items {
                builder.literal(&item)?;
            }
            builder.end()
        })
    }

    /// The same value under these limits.
    pub fn copy(&self, limits: &Limits) -> Result<Document, Fault> {
        let mut arena = Arena::new(limits);
        let root = arena.import(self, arena.input_region())?;
        Ok(Document::from_parts(arena, root))
    }

    /// A document written down in code. No limit of a run applies to it; what cannot be addressed
    /// (4 GiB of text) or traversed (256 levels) is no value.
    fn written(write: impl FnOnce(&mut Builder) -> Result<(), Fault>) -> Document {
        let mut builder = Builder::new(&Limits { arena_bytes_max: u64::MAX, depth_max: u32::MAX, ..Limits::default() });
        match write(&mut builder).and_then(|()| builder.finish()) {
            Ok(document) => document,
            Err(_) => Document::undefined(),
        }
    }

    /// The value, to read.
    pub fn root(&self) -> Node<'_> {
        self.arena.view(self.root)
    }
    /// Is there no value?
    pub fn is_undefined(&self) -> bool {
        self.root.is_undefined()
    }
    /// Compact JSON; empty when there is no value. [`Fault::ReplyTooLarge`] past `bytes_max` bytes.
    pub fn print(&self, bytes_max: u64) -> Result<Vec<u8>, Fault> {
        // Mostly about what a document reserves; growing on the way costs more than a little too much.
        let about = self.arena.bytes_used().min(bytes_max).min(PRINT_BYTES_FIRST);
        let mut out = Vec::with_capacity(about as usize);
        self.arena.print_json(self.root, &mut out, bytes_max)?;
        Ok(out)
    }
    /// Hands each item of an array as compact JSON to `each`, in order; nothing where it is no array.
    pub fn each_item_json(&self, mut each: impl FnMut(&[u8])) -> Result<(), Fault> {
        let Datum::Array { at, len, .. } = self.arena.values.datum(self.root)? else { return Ok(()) };
        let mut out = Vec::new();
        for index in 0..len {
            out.clear();
            self.arena.print_json(self.arena.values.item(self.root.slot(), at, index), &mut out, u64::MAX)?;
            each(&out);
        }
        Ok(())
    }
    /// Bytes that the document reserves.
    pub fn bytes_used(&self) -> u64 {
        self.arena.bytes_used()
    }

    /// The arena and the value's handle in it: a run begins on its input's own arena, nothing is copied.
    /// The arena keeps the limits it was made with: see [`Arena::set_limits`].
    pub fn into_arena(self) -> Result<(Box<Arena>, Handle), Fault> {
        if self.root.slot() > INPUT_SLOT || self.root.slot() == CONSTANT_REGION {
            // What a run made stands beside its temporaries and means its module's constants.
            let mut arena = Box::new(self.arena.alike());
            let root = arena.copy_node(self.root())?;
            return Ok((arena, root));
        }
        Ok((self.arena, self.root))
    }

    pub(crate) fn parts(&self) -> (&Arena, Handle) {
        (&self.arena, self.root)
    }
    /// `root` and all below it must lie in the arena or be literals.
    pub(crate) fn from_parts(arena: Arena, root: Handle) -> Document {
        Document { arena: Box::new(arena), root }
    }
    /// The same of an arena that is boxed already.
    pub(crate) fn from_boxed(arena: Box<Arena>, root: Handle) -> Document {
        Document { arena, root }
    }
}

/// Deep and exact equality, as the language's `=` has it; undefined equals undefined.
impl PartialEq for Document {
    fn eq(&self, other: &Document) -> bool {
        self.root() == other.root()
    }
}

/// Kind and size, no data.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({:?}, {} bytes)", self.root().kind(), self.bytes_used())
    }
}

#[cfg(test)]
mod tests;
