//! The routes, one file a resource. Each handler is a few lines: take, ask the runtime, answer.

pub(crate) mod access;
pub(crate) mod accounts;
pub(crate) mod assignments;
pub(crate) mod connectors;
pub(crate) mod credentials;
pub(crate) mod definitions;
pub(crate) mod deployments;
pub(crate) mod export;
pub(crate) mod logs;
pub(crate) mod passkeys;
pub(crate) mod password_policy;
pub(crate) mod projects;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod second_factor;
pub(crate) mod session;
pub(crate) mod support;
pub(crate) mod tenant;

use lockgate_model::id::EnvironmentId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use crate::shapes::{self, Refusal};

/// What any route of a tenant may answer instead of its result.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes replies that `respond` makes")]
pub(crate) enum Refusals {
    /// No credential, or one that is not true; it never says which.
    #[response(status = 401)]
    Unauthenticated(Refusal),
    /// Known, and not allowed; the rule that decided is named.
    #[response(status = 403)]
    Forbidden(Refusal),
    /// Absent, or the caller may not know that it exists; both look the same.
    #[response(status = 404)]
    NotFound(Refusal),
    /// A defect, or a damaged installation; the log has the details.
    #[response(status = 500)]
    Internal(Refusal),
    /// It could not be made durable, or the server is overloaded or stopping; `retry-after` says when.
    #[response(status = 503)]
    Unavailable(Refusal),
}

/// What a route that changes something may answer as well.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes replies that `respond` makes")]
pub(crate) enum Changes {
    /// The request itself is wrong.
    #[response(status = 400)]
    Invalid(Refusal),
    /// In use, or changed by somebody else in between.
    #[response(status = 409)]
    Conflict(Refusal),
    /// Larger than this address takes.
    #[response(status = 413)]
    TooLarge(Refusal),
    /// The body is not declared as JSON.
    #[response(status = 415)]
    ContentType(Refusal),
}

/// What a route that changes one thing may answer as well.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes replies that `respond` makes")]
pub(crate) enum Conditional {
    /// A condition of the request does not hold; nothing was changed.
    #[response(status = 412)]
    Precondition(Refusal),
}

/// The conditions of a change.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes headers that `condition` reads")]
pub(crate) struct IfSo {
    /// The tag that the thing had when it was read: another one is answered with 412. `*`: it is there.
    #[param(rename = "if-match", example = "\"42\"")]
    if_match: Option<String>,
    /// `*`: it is not there yet, and is created; else 412.
    #[param(rename = "if-none-match", example = "*")]
    if_none_match: Option<String>,
}

/// What the asker of one thing has of it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes a header that `condition` reads")]
pub(crate) struct IfOther {
    /// A tag: where the thing still has it, the answer is 304 without it.
    #[param(rename = "if-none-match", example = "\"42\"")]
    if_none_match: Option<String>,
}

/// A list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Items<T> {
    /// Its items.
    pub(crate) items: Vec<T>,
}

/// A place in a tenant. Handlers never read it: the tenant is the caller's, whose credential was
/// proved against this one.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes a part of the path")]
pub(crate) struct InTenant {
    /// The tenant.
    pub(crate) tenant: String,
}

/// A place in an environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct InEnvironment {
    /// The environment.
    #[param(value_type = shapes::Id, inline)]
    pub(crate) environment: EnvironmentId,
}
