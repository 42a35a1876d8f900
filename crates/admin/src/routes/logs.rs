//! Log lines of runs: what this node holds in memory.

use axum::{Json, extract::State};
use lockgate_model::{RunId, Timestamp};
use lockgate_runtime::{Line, LogQuery, Runtime};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{InEnvironment, InTenant, Refusals};
use crate::{
    extract::{Asker, Place},
    page::{Listed, Page, Paging},
    respond::Answer,
    shapes,
};

/// Which lines.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Written after the line with this `at`; absent for the newest.
    #[param(value_type = Option<i64>)]
    after: Option<Timestamp>,
    /// Of this run.
    #[param(value_type = Option<shapes::RunId>, inline)]
    run: Option<RunId>,
}

/// Log lines of the runs of an environment, in the order they were written.
///
/// They are metadata, and of this node's memory: the newest of a tenant, gone when the process ends.
#[utoipa::path(get, operation_id = "list_logs", path = "/admin/v1/tenants/{tenant}/environments/{environment}/logs", tag = "runs",
    params(InTenant, InEnvironment, Which, Paging), responses((status = 200, body = Page<shapes::LogLine>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Listed(Which { after, run }, part): Listed<Which>,
) -> Answer<Json<Page<Line>>> {
    let after = part.place()?.map(Timestamp).or(after);
    let lines = runtime.logs(&caller, &at.environment, &LogQuery { after, run, limit: part.limit }).await?;
    match after {
        Some(_) => part.found(lines, |line| line.at.0.to_string()),
        // The newest have no next.
        None => Ok(Json(Page { items: lines, next: None })),
    }
}
