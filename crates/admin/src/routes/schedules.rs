//! Schedules of an environment: what fires when and as whom, pausing, resuming, skipping, running now.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_model::id::{EnvironmentId, TargetName};
use lockgate_runtime::{RanNow, Runtime, ScheduleStatus, SkippedNext};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{InEnvironment, InTenant, Refusals};
use crate::{
    extract::{Asker, Place},
    page::{Listed, Page, Paging},
    respond::Answer,
    shapes,
};

/// A schedule of an environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfSchedule {
    /// The environment.
    #[param(value_type = shapes::Id, inline)]
    environment: EnvironmentId,
    /// The orchestration.
    #[param(value_type = shapes::Id, inline)]
    name: TargetName,
}

/// Which schedules.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of orchestrations whose names begin so.
    prefix: Option<String>,
    /// Of this project.
    project: Option<String>,
    /// That are paused, or that are not.
    paused: Option<bool>,
    /// Whose run goes on, or does not.
    running: Option<bool>,
}

impl Which {
    fn has(&self, schedule: &ScheduleStatus) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| schedule.name.as_str().starts_with(prefix))
            && self.project.as_ref().is_none_or(|project| schedule.project.as_str() == project)
            && self.paused.is_none_or(|paused| schedule.paused.is_some() == paused)
            && self.running.is_none_or(|running| schedule.running == running)
    }
}

/// The schedules of an environment, in the order of their names.
#[utoipa::path(get, operation_id = "list_schedules", path = "/admin/v1/tenants/{tenant}/environments/{environment}/schedules", tag = "schedules",
    params(InTenant, InEnvironment, Which, Paging), responses((status = 200, body = Page<shapes::Schedule>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Listed(which, part): Listed<Which>,
) -> Answer<Json<Page<ScheduleStatus>>> {
    let mut all = runtime.schedules(&caller, &at.environment).await?;
    all.retain(|one| which.has(one));
    all.sort_by(|a, b| a.name.cmp(&b.name));
    part.of(all, |one| one.name.to_string())
}

/// Pauses a schedule: nothing fires until it is resumed; a run under way goes on.
#[utoipa::path(post, operation_id = "pause_schedule", path = "/admin/v1/tenants/{tenant}/environments/{environment}/schedules/{name}/pause",
    tag = "schedules", params(InTenant, OfSchedule), responses((status = 204), Refusals))]
pub(crate) async fn pause(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfSchedule>,
) -> Answer<StatusCode> {
    runtime.pause_schedule(&caller, &at.environment, &at.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Resumes a schedule; what passed while it was paused is not made up for.
#[utoipa::path(post, operation_id = "resume_schedule", path = "/admin/v1/tenants/{tenant}/environments/{environment}/schedules/{name}/resume",
    tag = "schedules", params(InTenant, OfSchedule), responses((status = 204), Refusals))]
pub(crate) async fn resume(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfSchedule>,
) -> Answer<StatusCode> {
    runtime.resume_schedule(&caller, &at.environment, &at.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Skips the next occurrence of a schedule; the one after that runs.
#[utoipa::path(post, operation_id = "skip_schedule", path = "/admin/v1/tenants/{tenant}/environments/{environment}/schedules/{name}/skip",
    tag = "schedules", params(InTenant, OfSchedule), responses((status = 200, body = shapes::SkippedNext), Refusals,
    (status = 409, body = shapes::Refusal, description = "Nothing is due: it is paused, or waits for its run to end.")))]
pub(crate) async fn skip(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfSchedule>,
) -> Answer<Json<SkippedNext>> {
    Ok(Json(runtime.skip_schedule(&caller, &at.environment, &at.name).await?))
}

/// Runs a schedule's orchestration now as its principal, and waits; its output is not answered.
#[utoipa::path(post, operation_id = "run_schedule", path = "/admin/v1/tenants/{tenant}/environments/{environment}/schedules/{name}/run",
    tag = "schedules", params(InTenant, OfSchedule), responses((status = 200, body = shapes::RanNow), Refusals,
    (status = 409, body = shapes::Refusal, description = "A run of it is under way, or its principal may not run it.")))]
pub(crate) async fn run(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfSchedule>,
) -> Answer<Json<RanNow>> {
    Ok(Json(runtime.run_schedule(&caller, &at.environment, &at.name).await?))
}
