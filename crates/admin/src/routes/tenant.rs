//! The tenant's own record, and its limits: the operator keeps both, the tenant sees them.

use axum::{Json, extract::State};
use lockgate_runtime::{OwnTenant, Runtime, TenantLimits};

use super::{InTenant, Refusals};
use crate::{extract::Asker, respond::Answer, shapes};

/// The tenant's own record.
#[utoipa::path(get, operation_id = "get_tenant", path = "/admin/v1/tenants/{tenant}/record", tag = "tenant", params(InTenant),
    responses((status = 200, body = shapes::TenantRecord), Refusals))]
pub(crate) async fn record(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<Json<OwnTenant>> {
    Ok(Json(runtime.own_tenant(&caller).await?))
}

/// The limits of its runs: those that hold where an environment has none of its own, and those of each environment.
#[utoipa::path(get, operation_id = "get_limits", path = "/admin/v1/tenants/{tenant}/limits", tag = "tenant", params(InTenant),
    responses((status = 200, body = shapes::TenantLimits), Refusals))]
pub(crate) async fn limits(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<Json<TenantLimits>> {
    Ok(Json(runtime.own_limits(&caller).await?))
}
