//! Errors that a flow raises itself: objects as the Open Workflow DSL defines them.

use lockgate_document::{Arena, Document, Fault, Handle, Kind};
use lockgate_model::run::RunError;

use crate::{
    Failure, Place,
    problem::{ERROR_TYPES, ERROR_TYPES_TOO, ErrorType},
};

/// Code of an error that the flow raised and nothing caught.
pub(crate) const RAISED: &str = "LG-RAISED";

/// What is read of a raised error object.
pub(crate) struct Raised {
    /// One of the standard's types; another type may come from data and is not told.
    kind: Option<ErrorType>,
    status: Option<i64>,
    message: String,
}

impl Raised {
    /// Reads an error object; none where it is no object.
    pub(crate) fn read(arena: &Arena, error: Handle) -> Option<Self> {
        let error = arena.view(error);
        if error.kind() != Kind::Object {
            return None;
        }
        let text = |key: &str| error.get(key).as_str();
        let kind = text("type").and_then(|ty| {
            let segment = std::iter::once(ERROR_TYPES).chain(ERROR_TYPES_TOO).find_map(|home| ty.strip_prefix(home))?;
            ErrorType::parse(segment)
        });
        let message = text("detail").or(text("title")).unwrap_or("the flow raised an error").to_owned();
        Some(Self { kind, status: error.get("status").as_i64(), message })
    }

    /// The same error with `instance`, where it has none.
    pub(crate) fn complete(arena: &mut Arena, error: Handle, instance: &str) -> Result<Handle, Fault> {
        with(arena, error, "instance", instance)
    }

    /// The same error as a run ends with it: it has `instance`, and `title` too.
    pub(crate) fn whole(&self, arena: &mut Arena, error: Handle, instance: &str) -> Result<Handle, Fault> {
        let error = Self::complete(arena, error, instance)?;
        with(arena, error, "title", self.kind.map_or("raised error", ErrorType::title))
    }

    /// The end of a run that nothing caught it in: its own status where that is an error's.
    pub(crate) fn into_failure(self, task: String, object: Document, place: Option<Place>) -> Failure {
        let status = self.status.and_then(|s| u16::try_from(s).ok()).filter(|s| (400..600).contains(s));
        let error = RunError {
            kind: self.kind.map_or("raised", ErrorType::segment).to_owned(),
            code: RAISED.to_owned(),
            task,
            status: status.unwrap_or(500),
        };
        Failure { error, document: Some(object), place, message: self.message, cancelled: false }
    }
}

/// An error object with a member, where it has none of that name.
fn with(arena: &mut Arena, error: Handle, key: &str, value: &str) -> Result<Handle, Fault> {
    let view = arena.view(error);
    if view.kind() != Kind::Object || !view.get(key).is_undefined() {
        return Ok(error);
    }
    let (key, value) = (arena.new_text(key)?, arena.new_text(value)?);
    let addition = arena.obj_new()?;
    arena.obj_set_dyn(addition, key, value)?;
    let parts = arena.arr_new(0)?;
    arena.arr_push(parts, error)?;
    arena.arr_push(parts, addition)?;
    arena.merge(parts)
}
