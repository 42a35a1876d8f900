//! Runs: looking at them, and running now.

use axum::{Json, extract::State};
use lockgate_model::{
    Channel, Limits, RunId, RunRecord, TargetKind,
    id::{EnvironmentId, TargetName},
    run::Phase,
};
use lockgate_runtime::{Ask, Document, Error, Finished, RunFilter, Runtime};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InEnvironment, Items, Refusals};
use crate::{
    extract::{Asked, Asker, Body, Place},
    respond::Answer,
    shapes,
};

/// Runs listed unless another number is asked for, and at most.
const LIMIT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;

/// A run of an environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfRun {
    /// The tenant.
    #[expect(dead_code, reason = "the caller's tenant is taken from the credential, which was proved against this one")]
    tenant: String,
    /// The environment.
    #[param(value_type = String)]
    environment: EnvironmentId,
    /// The run's id.
    #[param(value_type = String)]
    id: RunId,
}

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of this orchestration or API.
    #[param(value_type = Option<String>)]
    name: Option<TargetName>,
    /// In this phase.
    #[param(value_type = Option<shapes::Phase>, inline)]
    phase: Option<Phase>,
    /// Opened before this run.
    #[param(value_type = Option<String>)]
    before: Option<RunId>,
    /// At most so many; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
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
    #[serde(default)]
    #[schema(value_type = Option<serde_json::Value>)]
    input: Option<Box<RawValue>>,
}

/// A run that was made now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ran {
    /// Its id.
    run: String,
    /// How it ended.
    #[schema(value_type = shapes::Phase)]
    phase: Phase,
    /// Cost units used.
    cost: u64,
    /// Its output; absent when it is undefined or the run failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    output: Option<Box<RawValue>>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RunFailure>,
}

/// Why a run failed, for the caller alone.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunFailure {
    /// Kind, code, task and the status it has over REST.
    #[serde(flatten)]
    #[schema(value_type = shapes::RunError)]
    error: lockgate_model::run::RunError,
    /// What failed, in words.
    message: String,
    /// The standard's error object.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    object: Option<Box<RawValue>>,
    /// The expression at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<FailurePlace>,
}

/// Where an expression at fault stands in the sources.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailurePlace {
    /// The file.
    file: String,
    /// First byte of the expression.
    start: u32,
    /// One past its last byte.
    end: u32,
    /// Offset in characters within the expression.
    position: u32,
    /// The token at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Runs of an environment, newest first.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs", tag = "runs",
    params(InEnvironment, Which), responses((status = 200, body = Items<shapes::RunRecord>), Refusals,
    (status = 400, body = shapes::ErrorBody, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Asked(which): Asked<Which>,
) -> Answer<Json<Items<RunRecord>>> {
    let limit = which.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let filter = RunFilter { name: which.name, phase: which.phase, before: which.before, limit };
    Ok(Json(Items { items: runtime.runs(&caller, &at.environment, filter).await? }))
}

/// One run.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs/{id}", tag = "runs",
    params(OfRun), responses((status = 200, body = shapes::RunRecord), Refusals))]
pub(crate) async fn get(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfRun>,
) -> Answer<Json<RunRecord>> {
    Ok(Json(runtime.run(&caller, &at.environment, at.id).await?))
}

/// Runs an orchestration or API now, and waits for it.
///
/// A run that fails is answered with 200 as well: it was made, and how it ended is the answer.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/environments/{environment}/runs", tag = "runs",
    params(InEnvironment), request_body = RunNow, responses((status = 200, body = Ran), Refusals, Changes))]
pub(crate) async fn run(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Body(now): Body<RunNow>,
) -> Answer<Json<Ran>> {
    let ask = Ask {
        environment: at.environment.to_string(),
        name: now.name,
        kind: now.kind.unwrap_or(TargetKind::Integrations),
        channel: Channel::Manual,
        idempotency_key: None,
    };
    let finished = runtime.execute(&caller, ask, input(now.input)).await?;
    Ok(Json(ran(finished).await?))
}

/// The input as a document, read off the runtime's threads: it may be large.
async fn input(json: Option<Box<RawValue>>) -> Result<Document, Error> {
    let Some(json) = json else { return Ok(Document::undefined()) };
    let read = move || {
        Document::parse(json.get().as_bytes(), &Limits::default()).map_err(|error| {
            let (line, column) = error.line_column(json.get().as_bytes());
            let text = format!("`input`, line {line}, column {column}: {} ({})", error.message(), error.code());
            Error::invalid("LG-JSON", text)
        })
    };
    let internal = |_| Error::Internal { what: "reading the input".into() };
    tokio::task::spawn_blocking(read).await.map_err(internal)?
}

async fn ran(finished: Finished) -> Result<Ran, Error> {
    let bytes_max = finished.limits.reply_bytes_max;
    let (run, cost) = (finished.run.to_string(), finished.cost);
    let render = move || match finished.result {
        Ok(output) => {
            let output = if output.is_undefined() { None } else { Some(printed(&output, bytes_max)?) };
            Ok(Ran { run, phase: Phase::Completed, cost, output, error: None })
        }
        Err(failure) => {
            let phase = if failure.cancelled { Phase::Cancelled } else { Phase::Faulted };
            let place = failure.place.map(|p| FailurePlace {
                file: p.source,
                start: p.span.start,
                end: p.span.end,
                position: p.position,
                token: p.token,
            });
            let object = failure.document.as_ref().and_then(|d| printed(d, bytes_max).ok());
            let error = RunFailure { error: failure.error, message: failure.message, object, place };
            Ok(Ran { run, phase, cost, output: None, error: Some(error) })
        }
    };
    tokio::task::spawn_blocking(render).await.map_err(|_| Error::Internal { what: "printing the output".into() })?
}

/// A document as JSON text that is passed on as it is, so that numbers keep their digits.
fn printed(document: &Document, bytes_max: u64) -> Result<Box<RawValue>, Error> {
    let failed = || Error::Internal { what: "printing the output".into() };
    let bytes = document.print(bytes_max).map_err(|fault| {
        Error::Conflict { code: "LG-OUTPUT", message: format!("the run ended, and its output cannot be sent: {fault}") }
    })?;
    let text = String::from_utf8(bytes).map_err(|_| failed())?;
    RawValue::from_string(text).map_err(|_| failed())
}
