//! Failures as the Open Workflow DSL sees them: an error type, a status, and what the record keeps.
//!
//! Two statuses: the one in the error object is the standard's for its type (or the endpoint's
//! own), so that a flow's `catch` can tell 429 from 503; the one in the record is what an uncaught
//! failure becomes over HTTP.

use std::{sync::Arc, time::Duration};

use lockgate_connector_api as connector;
use lockgate_document::{Builder, Document, Fault, Value, schema::Violation};
use lockgate_model::Limits;

use crate::{calls::MockError, stop::Stopped};

/// Prefix of the standard's error types.
pub const ERROR_TYPES: &str = "https://open-workflow-specification.org/dsl/errors/types/";
/// Prefixes that the standard has or had besides; read, never written.
pub(crate) const ERROR_TYPES_TOO: [&str; 3] = [
    "https://open-workflow-specification.org/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/dsl/errors/types/",
];

/// Code of calls that nest too deeply.
const RECURSION: &str = "U1001";
/// Violations of a schema that an error tells.
const VIOLATIONS_TOLD: usize = 3;

/// The standard's error types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorType {
    Configuration,
    Validation,
    Expression,
    Authentication,
    Authorization,
    Timeout,
    Communication,
    Runtime,
}

impl ErrorType {
    pub(crate) const ALL: [Self; 8] = [
        Self::Configuration,
        Self::Validation,
        Self::Expression,
        Self::Authentication,
        Self::Authorization,
        Self::Timeout,
        Self::Communication,
        Self::Runtime,
    ];

    /// Last path segment of the type.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Validation => "validation",
            Self::Expression => "expression",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Timeout => "timeout",
            Self::Communication => "communication",
            Self::Runtime => "runtime",
        }
    }

    pub(crate) fn parse(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.segment() == segment)
    }

    /// The standard's status of the type.
    fn status(self) -> u16 {
        match self {
            Self::Configuration | Self::Validation | Self::Expression => 400,
            Self::Authentication => 401,
            Self::Authorization => 403,
            Self::Timeout => 408,
            Self::Communication | Self::Runtime => 500,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Configuration => "configuration error",
            Self::Validation => "validation error",
            Self::Expression => "expression error",
            Self::Authentication => "authentication error",
            Self::Authorization => "authorization error",
            Self::Timeout => "timeout",
            Self::Communication => "communication error",
            Self::Runtime => "runtime error",
        }
    }
}

/// A failure, before it is known whether the flow handles it.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) kind: ErrorType,
    pub(crate) code: String,
    /// Of the error object.
    pub(crate) status: u16,
    /// What it becomes over HTTP when uncaught.
    pub(crate) http: u16,
    /// Private.
    pub(crate) detail: String,
    /// A handler of the flow may have it.
    pub(crate) catchable: bool,
    pub(crate) cancelled: bool,
    /// The endpoint wants to be left alone for so long.
    pub(crate) after: Option<Duration>,
    /// What the endpoint said in its protocol's own terms: a member of the error object, and its value.
    pub(crate) told: Option<(&'static str, Arc<Document>)>,
}

impl Problem {
    fn new(kind: ErrorType, code: impl Into<String>, http: u16, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            status: kind.status(),
            http,
            detail: detail.into(),
            catchable: true,
            cancelled: false,
            after: None,
            told: None,
        }
    }

    fn uncatchable(mut self) -> Self {
        self.catchable = false;
        self
    }

    /// A limit of the product stopped the run.
    pub(crate) fn limit(code: &str, detail: impl Into<String>) -> Self {
        Self::new(ErrorType::Runtime, code, 500, detail).uncatchable()
    }

    /// A running step was stopped for what it takes, or by a defect: what a flow says itself tells nothing of it.
    pub(crate) fn is_stop(&self) -> bool {
        !self.cancelled && (!self.catchable || self.code == RECURSION)
    }

    /// The module does what our compiler never emits, or the host is wrong.
    pub(crate) fn defect(code: &str, detail: impl Into<String>) -> Self {
        Self::limit(code, detail)
    }

    /// A panic, or the engine is closing.
    pub(crate) fn lost() -> Self {
        Self::defect("LG-STEP-LOST", "the run was lost by a defect of the engine")
    }

    /// A call of what the manifest does not have.
    pub(crate) fn undeclared() -> Self {
        Self::defect("LG-MODULE", "the module calls an operation it does not declare")
    }

    pub(crate) fn cost() -> Self {
        Self::limit("LG-LIMIT-COST", "the run costs more than its limit allows (cost_max)")
    }

    /// Nested calls have used up the stack before the module's own depth counter saw it.
    pub(crate) fn recursion() -> Self {
        let detail = "U1001: function calls nest too deeply: look for a recursion that does not end";
        Self::new(ErrorType::Expression, RECURSION, 500, detail)
    }

    /// The audit entry of the run could not be written: nothing may come of it.
    pub(crate) fn not_durable(detail: impl Into<String>) -> Self {
        Self { http: 503, ..Self::limit("LG-AUDIT-UNAVAILABLE", detail) }
    }

    pub(crate) fn wrong_module(detail: impl Into<String>) -> Self {
        Self::limit("LG-WRONG-MODULE", detail)
    }

    /// A call without connector and mock.
    pub(crate) fn no_mock(account: &str, connector: &str, operation: &str) -> Self {
        let detail = format!(
            "no mock for `{connector}.{operation}` with account `{account}`: add one under `{account}.{operation}`"
        );
        Self::new(ErrorType::Configuration, "LG-NO-MOCK", 500, detail)
    }

    /// A value is not of its schema.
    pub(crate) fn invalid(what: &str, violations: &[Violation], from_outside: bool) -> Self {
        let tell = |violation: &Violation| match violation.pointer.as_str() {
            "" => violation.message.clone(),
            pointer => format!("`{pointer}`: {}", violation.message),
        };
        let mut told: Vec<String> = violations.iter().take(VIOLATIONS_TOLD).map(tell).collect();
        if violations.len() > VIOLATIONS_TOLD {
            told.push(format!("and {} more", violations.len() - VIOLATIONS_TOLD));
        }
        let detail = format!("{what} is not of its schema: {}", told.join("; "));
        Self::new(ErrorType::Validation, "LG-SCHEMA", if from_outside { 400 } else { 500 }, detail)
    }

    /// A task or the flow takes longer than its `timeout`.
    pub(crate) fn timed_out() -> Self {
        Self::new(ErrorType::Timeout, "LG-TIMEOUT", 504, "it takes longer than its `timeout` allows")
    }

    pub(crate) fn no_duration() -> Self {
        let detail = "a length of time is an ISO 8601 duration such as `PT1M30S`, or an object such as {\"seconds\": 5}, not negative and no longer than 366 days";
        Self::new(ErrorType::Expression, "LG-DURATION", 500, detail)
    }

    pub(crate) fn raised_no_object() -> Self {
        Self::new(ErrorType::Runtime, "LG-RAISED-NO-ERROR", 500, "what was raised is no error object")
    }

    pub(crate) fn stopped(why: Stopped) -> Self {
        match why {
            Stopped::Wall => {
                let detail = "the run takes longer than its limit allows (wall_ms_max)";
                Self::new(ErrorType::Timeout, "LG-LIMIT-WALL", 504, detail).uncatchable()
            }
            Stopped::Cancelled | Stopped::Abandoned => {
                let problem = Self::new(ErrorType::Runtime, "LG-CANCELLED", 503, "the run was cancelled");
                Self { cancelled: true, ..problem.uncatchable() }
            }
        }
    }

    /// A function where only data may be: the way to it within the value.
    pub(crate) fn function(within: Option<String>) -> Self {
        let problem = Self::fault(&Fault::FunctionValue);
        let way = within.filter(|way| !way.is_empty()).map(|way| format!(" (at `{way}` of the value)"));
        Self { detail: problem.detail + &way.unwrap_or_default(), ..problem }
    }

    pub(crate) fn fault(fault: &Fault) -> Self {
        match fault {
            Fault::Expression(error) => Self::new(ErrorType::Expression, error.code(), 500, error.message()),
            // Data that is too deep, too long, or no data: a flow may expect and handle it.
            Fault::FunctionValue => Self::new(ErrorType::Expression, fault.code(), 500, fault.to_string()),
            Fault::DepthExceeded | Fault::ReplyTooLarge => {
                Self::new(ErrorType::Runtime, fault.code(), 500, fault.to_string())
            }
            Fault::ArenaFull => Self::limit("LG-LIMIT-ARENA", fault.to_string()),
            Fault::CostExceeded => Self::cost(),
            _ => Self::defect(&fault.code(), fault.to_string()),
        }
    }

    pub(crate) fn connector(error: &connector::Error) -> Self {
        let kind = ErrorType::parse(error.error_type()).unwrap_or(ErrorType::Communication);
        let private = error.private().reveal();
        let detail = if private.is_empty() { error.to_string() } else { format!("{error}: {private}") };
        let problem = Self::new(kind, error.code(), gateway(kind), detail);
        let told = error.told().map(|told| (told.name, Arc::clone(told.value.reveal())));
        Self { status: error.status().unwrap_or(problem.status), after: error.retry_after(), told, ..problem }
    }

    /// Another orchestration gave nothing: `status` of the error object, and over HTTP.
    pub(crate) fn subflow(kind: &str, code: String, status: u16, http: u16, detail: String) -> Self {
        let kind = ErrorType::parse(kind).unwrap_or(ErrorType::Runtime);
        Self { status, ..Self::new(kind, code, http, detail) }
    }

    pub(crate) fn connector_panicked() -> Self {
        Self::new(ErrorType::Communication, "LG-CONNECTOR-DEFECT", 502, "the connector failed by a defect of its own")
    }

    pub(crate) fn mock(error: &MockError) -> Self {
        let kind = ErrorType::parse(&error.kind).unwrap_or(ErrorType::Runtime);
        let problem = Self::new(kind, "LG-MOCK", gateway(kind), error.detail.clone());
        Self {
            status: error.status.unwrap_or(problem.status),
            after: error.retry_after,
            told: error.told.clone(),
            ..problem
        }
    }

    /// The standard's error object, with what the endpoint said.
    pub(crate) fn object(&self, instance: &str) -> Document {
        let object = self.fields(instance);
        let Some((name, told)) = &self.told else { return object };
        let with = || -> Result<Document, Fault> {
            let mut with = Builder::new(&Limits { arena_bytes_max: u64::MAX, ..Limits::default() });
            with.begin_object()?;
            for (key, value) in object.root().entries().chain([(*name, told.root())]) {
                with.key(key)?;
                with.value(value)?;
            }
            with.end()?;
            with.finish()
        };
        with().unwrap_or(object)
    }

    fn fields(&self, instance: &str) -> Document {
        Document::object([
            ("type", Value::from(format!("{ERROR_TYPES}{}", self.kind.segment()))),
            ("status", Value::from(i64::from(self.status))),
            ("title", Value::from(self.kind.title())),
            ("detail", Value::from(self.detail.as_str())),
            ("instance", Value::from(instance)),
            ("code", Value::from(self.code.as_str())),
        ])
    }
}

/// What a failed call becomes over HTTP: we are the gateway. An input that breaks the operation's rules was never sent:
/// that is the flow's own mistake.
fn gateway(kind: ErrorType) -> u16 {
    match kind {
        ErrorType::Timeout => 504,
        ErrorType::Validation => 500,
        _ => 502,
    }
}
