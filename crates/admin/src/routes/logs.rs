//! Log lines of runs: what this node holds in memory.

use axum::{Json, extract::State};
use lockgate_model::{RunId, Timestamp};
use lockgate_runtime::{Line, LogQuery, Runtime};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{InEnvironment, InTenant, Items, Refusals};
use crate::{
    extract::{Asked, Asker, Place},
    respond::Answer,
    shapes,
};

/// Lines listed unless another number is asked for, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// Which lines.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Written after the line with this `at`; absent for the newest.
    #[param(value_type = Option<i64>)]
    after: Option<Timestamp>,
    /// Of this run.
    #[param(value_type = Option<String>)]
    run: Option<RunId>,
    /// At most so many: 100 unless given, 1,000 at most.
    limit: Option<usize>,
}

/// Log lines of the runs of an environment, in the order they were written.
///
/// They are metadata, and of this node's memory: the newest of a tenant, gone when the process ends.
#[utoipa::path(get, operation_id = "list_logs", path = "/admin/v1/tenants/{tenant}/environments/{environment}/logs", tag = "runs",
    params(InTenant, InEnvironment, Which), responses((status = 200, body = Items<shapes::LogLine>), Refusals,
    (status = 400, body = shapes::ErrorBody, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Asked(which): Asked<Which>,
) -> Answer<Json<Items<Line>>> {
    let limit = which.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let query = LogQuery { after: which.after, run: which.run, limit };
    Ok(Json(Items { items: runtime.logs(&caller, &at.environment, &query).await? }))
}
