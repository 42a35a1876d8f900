//! Runs: looking at them, running now, ending them, starting them again.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use lockgate_model::{
    Channel, Limits, RunId, RunRecord, TargetKind, Timestamp,
    id::{EnvironmentId, TargetName},
    run::Phase,
};
use lockgate_runtime::{Ask, CancelledRun, Document, ERROR_TYPES, Error, Finished, RestartPlan, RunFilter, Runtime};
use serde::{Deserialize, Deserializer};
use serde_json::{json, value::RawValue};
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InEnvironment, InTenant, Refusals};
use crate::{
    extract::{Asker, Body, Place, Traced},
    page::{Listed, Page, Paging},
    respond::{Answer, PROBLEM, Refused, TOO_LARGE},
    shapes,
};

/// A run of an environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfRun {
    /// The environment.
    #[param(value_type = shapes::Id, inline)]
    environment: EnvironmentId,
    /// The run's id.
    #[param(value_type = shapes::RunId, inline)]
    id: RunId,
}

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of this orchestration or API.
    #[param(value_type = Option<shapes::Id>, inline)]
    name: Option<TargetName>,
    /// In this phase.
    #[param(value_type = Option<shapes::Phase>, inline)]
    phase: Option<Phase>,
    /// Opened before this run.
    #[param(value_type = Option<shapes::RunId>, inline)]
    before: Option<RunId>,
    /// Opened at this time or later, in microseconds since 1970-01-01T00:00:00Z.
    #[param(value_type = Option<i64>)]
    since: Option<Timestamp>,
}

/// What to run now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunNow {
    /// Orchestration or API.
    #[schema(example = "order-to-erp")]
    name: String,
    /// Its kind; `integrations` unless given.
    #[serde(default)]
    #[schema(value_type = Option<shapes::TargetKind>)]
    kind: Option<TargetKind>,
    /// The input: any JSON; absent for none.
    #[serde(default, deserialize_with = "there")]
    #[schema(value_type = Option<serde_json::Value>)]
    input: Option<Box<RawValue>>,
}

/// What a run that is started again is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestartNow {
    /// The input: any JSON. Absent, it is what a schedule gave; of other runs nothing is kept, and it is
    /// needed.
    #[serde(default, deserialize_with = "there")]
    #[schema(value_type = Option<serde_json::Value>)]
    input: Option<Box<RawValue>>,
    /// It is given nothing, as a request without a body.
    #[serde(default)]
    nothing: bool,
}

/// `null` is an input as any other.
fn there<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}

/// Runs of an environment, newest first.
#[utoipa::path(get, operation_id = "list_runs", path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs", tag = "runs",
    params(InTenant, InEnvironment, Which, Paging), responses((status = 200, body = Page<shapes::RunRecord>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Listed(Which { name, phase, before, since }, part): Listed<Which>,
) -> Answer<Json<Page<RunRecord>>> {
    let before = part.place()?.or(before);
    let filter = RunFilter { name, phase, before, since, limit: part.limit_u32() };
    part.found(runtime.runs(&caller, &at.environment, filter).await?, |run| run.id.to_string())
}

/// One run.
#[utoipa::path(get, operation_id = "get_run", path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs/{id}", tag = "runs",
    params(InTenant, OfRun), responses((status = 200, body = shapes::RunRecord), Refusals))]
pub(crate) async fn get(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfRun>,
) -> Answer<Json<RunRecord>> {
    Ok(Json(runtime.run(&caller, &at.environment, at.id).await?))
}

/// Ends an open run at once, and answers when its record says so.
#[utoipa::path(post, operation_id = "cancel_run", path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs/{id}/cancel", tag = "runs",
    params(InTenant, OfRun), responses((status = 200, body = shapes::CancelledRun), Refusals,
    (status = 409, body = shapes::Refusal, description = "It has ended.")))]
pub(crate) async fn cancel(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfRun>,
) -> Answer<Json<CancelledRun>> {
    Ok(Json(runtime.cancel_run(&caller, &at.environment, at.id).await?))
}

/// Runs an orchestration or API now, and waits for it.
///
/// Answers as its REST address does: the output, or a problem (RFC 9457) with the run's own status.
/// The header `lockgate-run` names the run; `lockgate-version` and `lockgate-module` say what it took.
#[utoipa::path(post, operation_id = "run_now", path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs", tag = "runs",
    params(InTenant, InEnvironment), request_body = RunNow, responses(
    (status = 200, body = serde_json::Value, description = "The output.", headers(("lockgate-run" = String, description = "The run's id."))),
    (status = 204, description = "The output is undefined.", headers(("lockgate-run" = String, description = "The run's id."))),
    (status = "4XX", body = shapes::RunProblem, content_type = "application/problem+json",
        description = "The run failed; any status.", headers(("lockgate-run" = String, description = "The run's id."))),
    (status = "5XX", body = shapes::RunProblem, content_type = "application/problem+json",
        description = "The run failed; any status.", headers(("lockgate-run" = String, description = "The run's id."))),
    Refusals, Changes))]
pub(crate) async fn run(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Traced(trace): Traced,
    Body(now): Body<RunNow>,
) -> Answer<Response> {
    let kind = now.kind.unwrap_or(TargetKind::Integrations);
    let ask = Ask { kind, trace, ..Ask::new(at.environment.as_str(), now.name, Channel::Manual) };
    let limits = runtime.limits(&caller, at.environment.as_str());
    reply(runtime.execute(&caller, ask, input(now.input, limits)).await?).await
}

/// What starting a run again would run, and with which input; nothing happens.
#[utoipa::path(get, operation_id = "plan_restart", path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs/{id}/restart", tag = "runs",
    params(InTenant, OfRun), responses((status = 200, body = shapes::RestartPlan), Refusals,
    (status = 409, body = shapes::Refusal, description = "It is open, or what it ran is not published here.")))]
pub(crate) async fn restart_plan(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfRun>,
) -> Answer<Json<RestartPlan>> {
    Ok(Json(runtime.restart_plan(&caller, &at.environment, at.id).await?))
}

/// Starts a run again with what is deployed now, in the caller's name, and waits for it.
///
/// Answers as running now does; the headers also name the version and the module that it took.
#[utoipa::path(post, operation_id = "restart_run", path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs/{id}/restart", tag = "runs",
    params(InTenant, OfRun), request_body = RestartNow, responses(
    (status = 200, body = serde_json::Value, description = "The output.", headers(
        ("lockgate-run" = String, description = "The new run's id."),
        ("lockgate-version" = u64, description = "The project's version that it took."),
        ("lockgate-module" = String, description = "Digest of the module that ran."))),
    (status = 204, description = "The output is undefined.", headers(("lockgate-run" = String, description = "The new run's id."))),
    (status = "4XX", body = shapes::RunProblem, content_type = "application/problem+json",
        description = "The run failed; any status.", headers(("lockgate-run" = String, description = "The new run's id."))),
    (status = "5XX", body = shapes::RunProblem, content_type = "application/problem+json",
        description = "The run failed; any status.", headers(("lockgate-run" = String, description = "The new run's id."))),
    Refusals, Changes))]
pub(crate) async fn restart(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfRun>,
    Traced(trace): Traced,
    Body(now): Body<RestartNow>,
) -> Answer<Response> {
    if now.nothing && now.input.is_some() {
        let text = "the body gives an `input`, and says that there is `nothing`";
        return Err(Refused::request(StatusCode::BAD_REQUEST, "LG-BODY", text));
    }
    let given = (now.nothing || now.input.is_some())
        .then(|| input(now.input, runtime.limits(&caller, at.environment.as_str())));
    reply(runtime.restart_run(&caller, &at.environment, at.id, trace, given).await?).await
}

/// The reply of a run that ended, with the run and what it took.
async fn reply(finished: Finished) -> Answer<Response> {
    let named = [
        ("lockgate-run", finished.run.to_string()),
        ("lockgate-version", finished.version.to_string()),
        ("lockgate-module", finished.module.to_string()),
    ];
    // Printing may be long: it is done off the runtime's threads.
    let mut reply = tokio::task::spawn_blocking(move || outcome(finished))
        .await
        .map_err(|_| Error::Internal { what: "printing the output".into() })?;
    for (name, text) in named {
        if let Ok(text) = HeaderValue::try_from(text) {
            reply.headers_mut().insert(name, text);
        }
    }
    Ok(reply)
}

/// The input as a document under the tenant's limits, read off the runtime's threads: it may be large.
async fn input(json: Option<Box<RawValue>>, limits: Limits) -> Result<Document, Error> {
    let Some(json) = json else { return Ok(Document::undefined()) };
    if json.get().len() as u64 > limits.request_bytes_max {
        let text = format!("`input` is larger than {} bytes", limits.request_bytes_max);
        return Err(Error::invalid(TOO_LARGE, text));
    }
    let read = move || {
        Document::parse(json.get().as_bytes(), &limits).map_err(|error| {
            let (line, column) = error.line_column(json.get().as_bytes());
            let text = format!("`input`, line {line}, column {column}: {} ({})", error.message(), error.code());
            Error::invalid("LG-JSON", text)
        })
    };
    let internal = |_| Error::Internal { what: "reading the input".into() };
    tokio::task::spawn_blocking(read).await.map_err(internal)?
}

/// The reply of a run that ended. Its texts go to the caller alone, never to a log.
fn outcome(finished: Finished) -> Response {
    let json =
        |status, content_type, body: Vec<u8>| (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
    let failure = match finished.result {
        Ok(output) if output.is_undefined() => return StatusCode::NO_CONTENT.into_response(),
        Ok(output) => match output.print(finished.limits.reply_bytes_max) {
            Ok(body) => return json(StatusCode::OK, "application/json", body),
            // The run is over; what it gave cannot be sent.
            Err(fault) => {
                let problem = json!({
                    "type": format!("{ERROR_TYPES}runtime"),
                    "title": "the output cannot be sent",
                    "detail": fault.to_string(),
                    "instance": "/output",
                    "status": 500,
                    "code": fault.code(),
                });
                return json(StatusCode::INTERNAL_SERVER_ERROR, PROBLEM, problem.to_string().into_bytes());
            }
        },
        Err(failure) => failure,
    };
    let status = StatusCode::from_u16(failure.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let told = |name: &str| failure.document.as_ref().and_then(|d| d.root().get(name).as_str());
    let place = failure.place.as_ref().map(|p| {
        json!({"file": p.source, "line": p.line, "start": p.span.start, "end": p.span.end, "position": p.position, "token": p.token})
    });
    let mut problem = json!({
        "type": told("type").unwrap_or("about:blank"),
        "title": told("title").unwrap_or(&failure.error.kind),
        "instance": told("instance").unwrap_or(&failure.error.task),
        "status": status.as_u16(),
        "code": failure.error.code,
        "place": place,
    });
    // What a flow raises without one has none.
    let detail = told("detail").or(failure.document.is_none().then_some(&failure.message));
    if let (Some(members), Some(detail)) = (problem.as_object_mut(), detail) {
        members.insert("detail".to_owned(), detail.into());
    }
    json(status, PROBLEM, problem.to_string().into_bytes())
}
