//! The one place where outcomes become replies: errors of the product, refused bodies, outputs and
//! faults. Every case is listed. docs/errors.md is its page.

use http::{HeaderName, HeaderValue, StatusCode, header};
use lockgate_document::{Document, Fault};
use lockgate_runtime::{ERROR_TYPES, Error, REFUSAL_TYPES};
use serde_json::{Map, Value, json};

use crate::{
    body::Refusal,
    reply::{Reply, empty, full, json as json_reply, set, set_text},
};

/// Names the run that a reply tells of.
pub(crate) const RUN_HEADER: HeaderName = HeaderName::from_static("lockgate-run");

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
/// RFC 7617. The realm is the product's: a tenant's name would tell that it exists.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"lockgate\", charset=\"UTF-8\"");
/// Seconds after which it is worth trying again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// An error of a use case.
pub(crate) fn error(error: &Error) -> Reply {
    let told = |status, help: Option<&str>| {
        refused(status, error.code(), &error.to_string(), help.map(|h| ("help", h.into())))
    };
    match error {
        Error::Unauthenticated => {
            let mut reply = told(
                StatusCode::UNAUTHORIZED,
                Some("send user id and password by Basic authentication, or an API key as `Authorization: Bearer`"),
            );
            set(&mut reply, header::WWW_AUTHENTICATE, CHALLENGE);
            reply
        }
        Error::NotFound { .. } => told(StatusCode::NOT_FOUND, None),
        Error::Forbidden { .. } => told(StatusCode::FORBIDDEN, None),
        Error::NotPublished { .. } => {
            told(StatusCode::CONFLICT, Some("deploy it here with `lockgate deploy`, by a user who keeps the right to"))
        }
        Error::Conflict { .. } => told(StatusCode::CONFLICT, None),
        Error::Precondition { .. } => told(StatusCode::PRECONDITION_FAILED, None),
        Error::Invalid { .. } => told(StatusCode::BAD_REQUEST, None),
        Error::Problems(all) => {
            let problems = all.0.iter().map(|p| json!({"code": p.code, "file": p.file, "message": p.message}));
            let problems = Some(("problems", Value::Array(problems.collect())));
            refused(StatusCode::UNPROCESSABLE_ENTITY, error.code(), &error.to_string(), problems)
        }
        Error::Unavailable { .. } => {
            let mut reply = told(StatusCode::SERVICE_UNAVAILABLE, None);
            set(&mut reply, header::RETRY_AFTER, RETRY_AFTER);
            reply
        }
        Error::Internal { .. } => told(StatusCode::INTERNAL_SERVER_ERROR, None),
    }
}

/// A body that was not taken.
pub(crate) fn refusal(refusal: &Refusal) -> Reply {
    let told = |status, help: Option<&str>| {
        refused(status, refusal_code(refusal), &refusal_text(refusal), help.map(|h| ("help", h.into())))
    };
    match refusal {
        Refusal::ContentType | Refusal::ContentEncoding => told(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Some("send JSON in UTF-8 with `content-type: application/json`, not compressed"),
        ),
        Refusal::TooLarge { .. } => told(StatusCode::PAYLOAD_TOO_LARGE, None),
        Refusal::Slow => told(StatusCode::REQUEST_TIMEOUT, None),
        Refusal::Broken | Refusal::IdempotencyKey => told(StatusCode::BAD_REQUEST, None),
        Refusal::Syntax { code, message, line, column } => {
            let place = [("line", (*line).into()), ("column", (*column).into())];
            refused(StatusCode::BAD_REQUEST, code, message, place)
        }
        Refusal::Busy => {
            let mut reply = told(StatusCode::SERVICE_UNAVAILABLE, None);
            set(&mut reply, header::RETRY_AFTER, RETRY_AFTER);
            reply
        }
    }
}

/// A refused body as the use case's error: what the run record keeps of it.
pub(crate) fn refusal_error(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::Busy => Error::Unavailable { what: "memory for request bodies".into() },
        other => Error::invalid(refusal_code(other), refusal_text(other)),
    }
}

fn refusal_code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::ContentType => "LG-CONTENT-TYPE",
        Refusal::ContentEncoding => "LG-CONTENT-ENCODING",
        Refusal::TooLarge { .. } => "LG-BODY-TOO-LARGE",
        Refusal::Slow => "LG-BODY-SLOW",
        Refusal::Broken => "LG-BODY-BROKEN",
        Refusal::Syntax { .. } => "LG-JSON",
        Refusal::IdempotencyKey => "LG-IDEMPOTENCY-KEY",
        Refusal::Busy => "LG-UNAVAILABLE",
    }
}

fn refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::ContentType => "the body is not declared as JSON".into(),
        Refusal::ContentEncoding => "the body is encoded".into(),
        Refusal::TooLarge { bytes_max } => format!("the body is larger than {bytes_max} bytes"),
        Refusal::Slow => "the body came too slowly".into(),
        Refusal::Broken => "the body was broken off".into(),
        Refusal::Syntax { message, line, column, .. } => format!("line {line}, column {column}: {message}"),
        Refusal::IdempotencyKey => {
            "`idempotency-key` must be one header of 1 to 255 printable ASCII characters without spaces".into()
        }
        Refusal::Busy => "the server holds as many request bodies as it may; try again".into(),
    }
}

/// Somebody asked by a method that the address does not have.
pub(crate) fn method_not_allowed(allow: &'static str) -> Reply {
    let help = format!("use {allow}");
    let text = "this address does not take that method";
    let mut reply = refused(StatusCode::METHOD_NOT_ALLOWED, "LG-METHOD", text, [("help", Value::String(help))]);
    set(&mut reply, header::ALLOW, HeaderValue::from_static(allow));
    reply
}

/// A request whose head breaks the protocol.
pub(crate) fn bad_head(message: &str) -> Reply {
    refused(StatusCode::BAD_REQUEST, "LG-HTTP", message, None)
}

/// A page of another site made a browser send it.
pub(crate) fn of_another_site() -> Reply {
    let text = "a page of another site asks for this with what a browser has remembered: show a token instead";
    refused(StatusCode::FORBIDDEN, "LG-CROSS-SITE", text, None)
}

/// The output of a run, printed; no body when it is undefined.
pub(crate) fn output(printed: Result<Option<Vec<u8>>, Fault>) -> Reply {
    match printed {
        Ok(Some(body)) => full(StatusCode::OK, JSON, body),
        Ok(None) => empty(StatusCode::NO_CONTENT),
        // The run is over; what it gave cannot be sent.
        Err(fault) => {
            let kind = format!("{ERROR_TYPES}runtime");
            problem(
                500,
                [
                    ("type", Some(kind.as_str())),
                    ("title", Some("the output cannot be sent")),
                    ("detail", Some(&fault.to_string())),
                    ("instance", Some("/output")),
                    ("code", Some(&fault.code())),
                ],
            )
        }
    }
}

/// What a failed run answers: the members of RFC 9457 §3.1, from the failure's own error object
/// where it has one. `status` is always the reply's.
pub(crate) struct Failed<'a> {
    pub(crate) status: u16,
    pub(crate) code: &'a str,
    pub(crate) task: &'a str,
    pub(crate) message: &'a str,
    pub(crate) document: Option<&'a Document>,
}

/// The reply of a failed run. Its texts go to the caller alone, never to a log.
pub(crate) fn failed(failed: &Failed<'_>) -> Reply {
    let text = |name: &str| failed.document.and_then(|d| d.root().get(name).as_str());
    let mut reply = problem(
        failed.status,
        [
            ("type", text("type")),
            ("title", text("title")),
            // What a flow raises without one has none.
            ("detail", text("detail").or(failed.document.is_none().then_some(failed.message))),
            ("instance", text("instance").or(Some(failed.task))),
            ("code", Some(failed.code)),
        ],
    );
    if reply.status() == StatusCode::SERVICE_UNAVAILABLE {
        set(&mut reply, header::RETRY_AFTER, RETRY_AFTER);
    }
    reply
}

/// Names the run.
pub(crate) fn with_run(mut reply: Reply, run: impl std::fmt::Display) -> Reply {
    set_text(&mut reply, RUN_HEADER, run);
    reply
}

fn problem<const N: usize>(status: u16, members: [(&str, Option<&str>); N]) -> Reply {
    // A run's status is 400 to 599; anything else would be a defect and is told as one.
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|s| s.is_client_error() || s.is_server_error())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut object = Map::new();
    for (name, text) in members {
        if let Some(text) = text.filter(|t| !t.is_empty()) {
            object.insert(name.to_owned(), text.into());
        }
    }
    object.insert("status".to_owned(), status.as_u16().into());
    json_reply(status, PROBLEM, &Value::Object(object))
}

/// The reply to what was not taken, in the form of the admin API's refusals.
fn refused<'a>(
    status: StatusCode,
    code: &str,
    detail: &str,
    more: impl IntoIterator<Item = (&'a str, Value)>,
) -> Reply {
    let mut problem = Map::new();
    problem.insert("type".into(), format!("{REFUSAL_TYPES}{code}").into());
    problem.insert("title".into(), status.canonical_reason().unwrap_or_default().into());
    problem.insert("status".into(), status.as_u16().into());
    problem.insert("detail".into(), detail.into());
    problem.insert("code".into(), code.into());
    problem.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    json_reply(status, PROBLEM, &Value::Object(problem))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use lockgate_model::{Diagnostic, Diagnostics, Span};

    use super::*;

    async fn read(reply: Reply) -> (u16, String, Value) {
        let (parts, body) = reply.into_parts();
        let content_type = parts.headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), content_type, serde_json::from_slice(&bytes).unwrap())
    }

    fn errors() -> Vec<Error> {
        vec![
            Error::Unauthenticated,
            Error::not_found("orchestration"),
            Error::Forbidden { rule: "execute.not-on-acl acl=default".into() },
            Error::NotPublished { rule: "execute.not-deployed".into() },
            Error::Conflict { code: "LG-BUSY", message: "try again".into() },
            Error::invalid("LG-ID", "no id"),
            Error::Problems(Diagnostics(vec![Diagnostic::new("LG1", Span::new(0, 1), "no such thing").file("a.yaml")])),
            Error::Unavailable { what: "the store".into() },
            Error::Internal { what: "access".into() },
        ]
    }

    #[tokio::test]
    async fn every_error_keeps_its_status_and_code() {
        for one in errors() {
            let (status, content_type, body) = read(error(&one)).await;
            assert_eq!((status, content_type.as_str()), (one.status(), PROBLEM), "{one:?}");
            assert_eq!((&body["code"], &body["status"]), (&one.code().into(), &status.into()), "{one:?}");
            assert_eq!(body["type"], format!("/admin/v1/errors#{}", one.code()), "{one:?}");
            assert!(body["title"].is_string() && body["detail"].is_string(), "{one:?}");
        }
    }

    #[tokio::test]
    async fn a_401_challenges_and_does_not_say_why() {
        let reply = error(&Error::Unauthenticated);
        assert_eq!(reply.headers()[header::WWW_AUTHENTICATE], "Basic realm=\"lockgate\", charset=\"UTF-8\"");
        let (_, _, body) = read(reply).await;
        assert_eq!(body["detail"], "no valid credential was presented");
    }

    #[test]
    fn what_may_pass_says_when_to_come_back() {
        for reply in [error(&Error::Unavailable { what: "the store".into() }), refusal(&Refusal::Busy)] {
            assert_eq!(reply.status(), 503);
            assert!(reply.headers().contains_key(header::RETRY_AFTER));
        }
    }

    #[tokio::test]
    async fn a_refused_body_says_where_and_how_much() {
        let syntax = Refusal::Syntax {
            code: "LG-JSON-SEPARATOR".into(),
            message: "`,` or `]` must stand here".into(),
            line: 3,
            column: 7,
        };
        let (status, _, body) = read(refusal(&syntax)).await;
        assert_eq!(status, 400);
        assert_eq!(
            body,
            json!({
                "type": "/admin/v1/errors#LG-JSON-SEPARATOR", "title": "Bad Request", "status": 400,
                "detail": "`,` or `]` must stand here", "code": "LG-JSON-SEPARATOR", "line": 3, "column": 7
            })
        );
        for (one, status) in [
            (Refusal::ContentType, 415),
            (Refusal::ContentEncoding, 415),
            (Refusal::TooLarge { bytes_max: 5 }, 413),
            (Refusal::Slow, 408),
            (Refusal::Broken, 400),
            (Refusal::IdempotencyKey, 400),
        ] {
            let (got, _, body) = read(refusal(&one)).await;
            assert_eq!(got, status, "{one:?}");
            assert_eq!(body["code"], refusal_error(&one).code(), "the record and the caller see one code");
        }
    }

    #[tokio::test]
    async fn a_failure_is_a_problem_with_the_status_of_its_reply() {
        for (status, told) in [(400, 400), (418, 418), (502, 502), (599, 599), (200, 500), (42, 500), (600, 500)] {
            let one = Failed { status, code: "LG-RAISED", task: "/do/0/x", message: "out of tea", document: None };
            let (got, content_type, body) = read(failed(&one)).await;
            assert_eq!((got, content_type.as_str()), (told, PROBLEM), "{status}");
            assert_eq!(
                body,
                json!({"detail": "out of tea", "instance": "/do/0/x", "code": "LG-RAISED", "status": told})
            );
        }
    }

    #[test]
    fn no_reply_is_kept_by_a_cache() {
        let replies = [output(Ok(None)), output(Ok(Some(b"1".to_vec()))), error(&Error::Unauthenticated)];
        assert_eq!(replies.each_ref().map(|r| r.status().as_u16()), [204, 200, 401]);
        for reply in replies {
            assert_eq!(reply.headers()[header::CACHE_CONTROL], "no-store");
        }
    }
}
