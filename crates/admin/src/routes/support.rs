//! Support access: grants that let the operator look at metadata for some hours.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_runtime::{Runtime, SupportInfo, SupportWanted};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Changes, InTenant, Items, Refusals};
use crate::{
    extract::{Asker, Body, Place},
    respond::Answer,
    shapes,
};

/// A grant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfGrant {
    /// The grant's id.
    id: String,
}

/// Grants of support access that stand.
#[utoipa::path(get, operation_id = "list_support", path = "/admin/v1/tenants/{tenant}/support", tag = "support", params(InTenant),
    responses((status = 200, body = Items<shapes::SupportGrant>), Refusals))]
pub(crate) async fn list(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<Json<Items<SupportInfo>>> {
    Ok(Json(Items { items: runtime.support(&caller).await? }))
}

/// Lets the operator look at metadata of some environments for some hours.
///
/// Runs, log lines, schedules, and which versions are deployed; no document, address or secret; ids of users and names of accounts stand in records as the tenant sees them. Each look is in the
/// audit log.
#[utoipa::path(post, operation_id = "open_support", path = "/admin/v1/tenants/{tenant}/support", tag = "support", params(InTenant),
    request_body = shapes::SupportWanted, responses((status = 200, body = shapes::SupportGrant), Refusals, Changes))]
pub(crate) async fn open(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(wanted): Body<SupportWanted>,
) -> Answer<Json<SupportInfo>> {
    Ok(Json(runtime.open_support(&caller, &wanted).await?))
}

/// Ends a grant before its time.
#[utoipa::path(delete, operation_id = "end_support", path = "/admin/v1/tenants/{tenant}/support/{id}", tag = "support", params(InTenant, OfGrant),
    responses((status = 204, description = "Nothing more is shown by it, on every node."), Refusals))]
pub(crate) async fn end(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfGrant>,
) -> Answer<StatusCode> {
    runtime.end_support(&caller, &at.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
