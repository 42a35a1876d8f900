//! The one place where errors become replies. Every case is listed; docs/errors.md is its page.

use std::{borrow::Cow, collections::BTreeMap};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use lockgate_model::Diagnostics;
use lockgate_runtime::{Error, REFUSAL_TYPES};
use serde_json::{Map, Value};

/// The media type of refusals (RFC 9457 §3).
pub(crate) const PROBLEM: &str = "application/problem+json";

/// RFC 7617. The realm is the product's: a tenant's name would tell that it exists.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"lockgate\", charset=\"UTF-8\"");
/// Seconds after which it is worth trying again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// More bytes than are taken.
pub(crate) const TOO_LARGE: &str = "LG-BODY-TOO-LARGE";

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refused {
    status: StatusCode,
    code: Cow<'static, str>,
    message: String,
    help: Option<&'static str>,
    problems: Option<Vec<Value>>,
}

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Refused>;

impl Refused {
    /// A refusal that no use case knows of: something is wrong with the request as HTTP.
    pub(crate) fn request(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), help: None, problems: None }
    }

    /// Absent, or not to be known.
    pub(crate) fn not_found(what: &str) -> Self {
        Error::not_found(what).into()
    }

    /// The address does not take that method; the router adds `allow`.
    pub(crate) fn method() -> Self {
        let text = "this address does not take that method; `allow` says which it takes";
        Self::request(StatusCode::METHOD_NOT_ALLOWED, "LG-METHOD", text)
    }

    /// Adds line and column of each problem, counted in the sources that came with the request.
    pub(crate) fn with_sources(error: Error, files: &BTreeMap<String, String>) -> Self {
        let places = |all: &Diagnostics| problems(all, |file| files.get(file).map(String::as_str));
        let located = if let Error::Problems(all) = &error { Some(places(all)) } else { None };
        let refused = Self::from(error);
        Self { problems: located.or(refused.problems), ..refused }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let told =
            |status, help| Self { status, code: error.code().into(), message: error.to_string(), help, problems: None };
        match &error {
            Error::Unauthenticated => told(
                StatusCode::UNAUTHORIZED,
                Some(
                    "log in with `lockgate login`, or send a password by Basic authentication or an API key as `Authorization: Bearer`",
                ),
            ),
            Error::NotFound { .. } => told(StatusCode::NOT_FOUND, None),
            Error::Forbidden { .. } => told(StatusCode::FORBIDDEN, None),
            Error::NotPublished { .. } => told(
                StatusCode::CONFLICT,
                Some("deploy it here with `lockgate deploy`, by a user who keeps the right to"),
            ),
            Error::Conflict { .. } => told(StatusCode::CONFLICT, None),
            Error::Precondition { .. } => told(StatusCode::PRECONDITION_FAILED, None),
            Error::Invalid { code: TOO_LARGE, .. } => told(StatusCode::PAYLOAD_TOO_LARGE, None),
            Error::Invalid { .. } => told(StatusCode::BAD_REQUEST, None),
            Error::Problems(all) => {
                Self { problems: Some(problems(all, |_| None)), ..told(StatusCode::UNPROCESSABLE_ENTITY, None) }
            }
            Error::Unavailable { .. } => told(StatusCode::SERVICE_UNAVAILABLE, None),
            Error::Internal { .. } => told(StatusCode::INTERNAL_SERVER_ERROR, None),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut problem = Map::new();
        problem.insert("type".into(), format!("{REFUSAL_TYPES}{}", self.code).into());
        problem.insert("title".into(), self.status.canonical_reason().unwrap_or_default().into());
        problem.insert("status".into(), self.status.as_u16().into());
        problem.insert("detail".into(), self.message.into());
        problem.insert("code".into(), self.code.as_ref().into());
        if let Some(help) = self.help {
            problem.insert("help".into(), help.into());
        }
        if let Some(problems) = self.problems {
            problem.insert("problems".into(), problems.into());
        }
        let mut response = (self.status, Value::Object(problem).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

/// Who has more has one mistake many times; and finding the line of each takes time.
const PROBLEMS_MAX: usize = 100;

fn problems<'s>(all: &Diagnostics, source: impl Fn(&str) -> Option<&'s str>) -> Vec<Value> {
    let problem = |p: &lockgate_model::Diagnostic| {
        let mut object = Map::new();
        object.insert("code".into(), p.code.as_str().into());
        object.insert("file".into(), p.file.as_str().into());
        if let Some(text) = source(&p.file) {
            let (line, column) = p.line_column(text);
            object.insert("line".into(), line.into());
            object.insert("column".into(), column.into());
        }
        object.insert("start".into(), p.span.start.into());
        object.insert("end".into(), p.span.end.into());
        object.insert("message".into(), p.message.as_str().into());
        let optional = [("help", &p.help), ("token", &p.token)];
        for (name, text) in optional.into_iter().filter_map(|(n, t)| t.as_ref().map(|t| (n, t))) {
            object.insert(name.into(), text.as_str().into());
        }
        Value::Object(object)
    };
    all.0.iter().take(PROBLEMS_MAX).map(problem).collect()
}

#[cfg(test)]
mod tests {
    use lockgate_model::{Diagnostic, Span};

    use super::*;
    use crate::shapes::Refusal;

    async fn read(refused: Refused) -> (u16, Refusal) {
        let response = refused.into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM);
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn every_error_keeps_its_status_and_code() {
        for error in [
            Error::Unauthenticated,
            Error::not_found("user `eve`"),
            Error::Forbidden { rule: "administer.no-permission".into() },
            Error::NotPublished { rule: "execute.not-deployed".into() },
            Error::Conflict { code: "LG-BUSY", message: "try again".into() },
            Error::Precondition { code: "LG-STALE", message: "read it again".into() },
            Error::invalid("LG-ID", "no id"),
            Error::Problems(Diagnostics::default()),
            Error::Unavailable { what: "the store".into() },
            Error::Internal { what: "access".into() },
        ] {
            let (status, body) = read(error.clone().into()).await;
            assert_eq!((status, body.status, body.code.as_str()), (error.status(), status, error.code()), "{error:?}");
            assert_eq!(body.kind, format!("/admin/v1/errors#{}", error.code()));
            assert!(!body.title.is_empty(), "{error:?}");
            assert_eq!(body.detail, error.to_string());
        }
    }

    #[tokio::test]
    async fn problems_have_line_and_column_where_the_sources_are_at_hand() {
        let problem = Diagnostic::new("S0201", Span::new(7, 8), "syntax error: `)`")
            .file("a.flow.yaml")
            .help("remove it")
            .token(")");
        let error = Error::Problems(Diagnostics(vec![problem]));
        let files = BTreeMap::from([("a.flow.yaml".to_owned(), "do:\n  ü)\n".to_owned())]);
        let (status, body) = read(Refused::with_sources(error.clone(), &files)).await;
        let shown = body.problems.unwrap().remove(0);
        assert_eq!((status, shown.line, shown.column), (422, Some(2), Some(3)));
        assert_eq!((shown.token.as_deref(), shown.help.as_deref()), (Some(")"), Some("remove it")));
        let (_, body) = read(error.into()).await;
        let shown = body.problems.unwrap().remove(0);
        assert_eq!((shown.line, shown.start, shown.end), (None, 7, 8));
    }
}
