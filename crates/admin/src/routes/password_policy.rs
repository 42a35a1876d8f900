//! What the tenant asks of passwords.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_runtime::{PasswordPolicy, Runtime};

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asker, Body},
    respond::Answer,
    shapes,
};

/// What the tenant asks of passwords.
#[utoipa::path(get, operation_id = "get_password_policy", path = "/admin/v1/tenants/{tenant}/password-policy", tag = "credentials", params(InTenant),
    responses((status = 200, body = shapes::PasswordPolicy), Refusals))]
pub(crate) async fn get(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<Json<PasswordPolicy>> {
    Ok(Json(runtime.password_policy(&caller).await?))
}

/// Changes what the tenant asks of passwords.
///
/// A password that falls short of it has to be changed by the next login; calls by Basic go on with it until then.
#[utoipa::path(put, operation_id = "put_password_policy", path = "/admin/v1/tenants/{tenant}/password-policy", tag = "credentials", params(InTenant),
    request_body = shapes::PasswordPolicy, responses((status = 204, description = "It is so, on every node."), Refusals, Changes))]
pub(crate) async fn put(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(policy): Body<PasswordPolicy>,
) -> Answer<StatusCode> {
    runtime.set_password_policy(&caller, policy).await?;
    Ok(StatusCode::NO_CONTENT)
}
