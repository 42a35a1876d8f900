//! What a use case may answer instead of its result: one type, one status each, no free text from
//! peers, no Rust names.

use std::borrow::Cow;

use lockgate_model::Diagnostics;

/// What front doors put before the code in a refusal's `type` (RFC 9457 §3.1.1): the page of errors, which the admin
/// API serves.
pub const REFUSAL_TYPES: &str = "/admin/v1/errors#";

/// A use case did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// 401: no credential, or one that is not true. It never says which.
    Unauthenticated,
    /// 404: absent, or the caller may not know that it exists; both look the same.
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// 403: known, and not allowed.
    Forbidden {
        /// The rule that decided; stable text.
        rule: String,
    },
    /// 409: nothing is deployed here, or the publish right has fallen.
    NotPublished {
        /// The rule that decided.
        rule: String,
    },
    /// 409: somebody changed it in between, or it is in use.
    Conflict {
        /// Stable code.
        code: &'static str,
        /// What stands against it, and what to do.
        message: String,
    },
    /// 412: what it was to hold of the thing does not.
    Precondition {
        /// Stable code.
        code: &'static str,
        /// What is otherwise, and what to do.
        message: String,
    },
    /// 400: the request itself is wrong.
    Invalid {
        /// Stable code.
        code: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// 422: the sources have problems; all of them, with their places.
    Problems(Diagnostics),
    /// 503: it could not be made durable, or the server is overloaded or stopping.
    Unavailable {
        /// What is not available.
        what: Cow<'static, str>,
    },
    /// 500: a defect or a damaged installation; the log has the details.
    Internal {
        /// Which part.
        what: Cow<'static, str>,
    },
}

impl Error {
    /// HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::NotFound { .. } => 404,
            Self::Forbidden { .. } => 403,
            Self::NotPublished { .. } | Self::Conflict { .. } => 409,
            Self::Precondition { .. } => 412,
            Self::Invalid { .. } => 400,
            Self::Problems(_) => 422,
            Self::Unavailable { .. } => 503,
            Self::Internal { .. } => 500,
        }
    }

    /// Stable code; docs/errors.md has a paragraph for each.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "LG-UNAUTHENTICATED",
            Self::NotFound { .. } => "LG-NOT-FOUND",
            Self::Forbidden { .. } => "LG-FORBIDDEN",
            Self::NotPublished { .. } => "LG-NOT-PUBLISHED",
            Self::Conflict { code, .. } | Self::Precondition { code, .. } | Self::Invalid { code, .. } => code,
            Self::Problems(_) => "LG-PROBLEMS",
            Self::Unavailable { .. } => "LG-UNAVAILABLE",
            Self::Internal { .. } => "LG-INTERNAL",
        }
    }

    /// A request that cannot be taken.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { code, message: message.into() }
    }

    /// Absent, or not to be known.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unauthenticated => f.write_str("no valid credential was presented"),
            Self::NotFound { what } => write!(f, "there is no {what}, or you hold no profile that lets you see it"),
            Self::Forbidden { rule } if rule.starts_with("support.") => {
                write!(f, "not allowed: {rule} (an administrator of the tenant opens it with `lockgate support open`)")
            }
            Self::Forbidden { rule } if rule.starts_with("console.") => {
                write!(
                    f,
                    "not allowed: {rule} (no session is opened; a password that was set stands, for calls by Basic)"
                )
            }
            Self::Forbidden { rule } => write!(f, "not allowed: {rule} (`lockgate access why` shows the missing link)"),
            Self::NotPublished { rule } => write!(f, "not published here: {rule}"),
            Self::Conflict { message, .. } | Self::Precondition { message, .. } | Self::Invalid { message, .. } => {
                f.write_str(message)
            }
            Self::Problems(all) => write!(f, "the sources have {} problem(s)", all.0.len()),
            Self::Unavailable { what } => write!(f, "{what} is not available now; try again"),
            Self::Internal { what } => write!(f, "{what} failed; the server's log has the details"),
        }
    }
}
impl std::error::Error for Error {}

impl From<lockgate_model::definition::Unreadable> for Error {
    fn from(damaged: lockgate_model::definition::Unreadable) -> Self {
        tracing::error!(kind = %damaged.kind, id = damaged.id, "a definition cannot be read");
        Self::Internal { what: "reading a definition".into() }
    }
}
