//! Values to elements and back, as types say: the order of children, the namespaces, what is an array.
//!
//! Both sides are values: on the one the JSON shape that flows see, with local names and `@` before
//! attributes; on the other what `document` writes and reads as XML, with prefixes and their declarations.
//!
//! Deliberately absent: bytes; they are those of `document::xml`.

mod content;
mod decode;
mod encode;
mod names;
mod raw;

pub(crate) use content::hold_content;
pub(crate) use decode::{Decode, Find};
pub(crate) use encode::{Encode, holds_scalars, texts};
pub(crate) use names::{Child, Mark, Names, Prefixes, XML, children};

/// Of `nil` and `type`. Values call it `xsi`.
pub(crate) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Of references to attachments (XML-binary Optimized Packaging).
pub(crate) const XOP: &str = "http://www.w3.org/2004/08/xop/include";
