//! What the tenant asks of passwords.

use axum::{extract::State, response::Response};
use http::StatusCode;
use lockgate_runtime::{PasswordPolicy, Runtime};

use super::{Changes, Conditional, IfOther, IfSo, InTenant, Refusals};
use crate::{
    condition::{Conditions, Known},
    extract::{Asker, Body},
    respond::Answer,
    shapes,
};

/// What the tenant asks of passwords.
#[utoipa::path(get, operation_id = "get_password_policy", path = "/admin/v1/tenants/{tenant}/password-policy", tag = "credentials", params(InTenant, IfOther),
    responses((status = 200, body = shapes::PasswordPolicy, headers(("etag" = String, description = "Its tag."))),
    (status = 304, description = "The asker has it."), Refusals))]
pub(crate) async fn get(State(runtime): State<Runtime>, Asker(caller): Asker, known: Known) -> Answer<Response> {
    let (revision, policy) = runtime.password_policy(&caller).await?;
    Ok(known.answer(revision, policy))
}

/// Changes what the tenant asks of passwords.
///
/// A password that falls short of it has to be changed by the next login; calls by Basic go on with it until then.
#[utoipa::path(put, operation_id = "put_password_policy", path = "/admin/v1/tenants/{tenant}/password-policy", tag = "credentials", params(InTenant, IfSo),
    request_body = shapes::PasswordPolicy, responses((status = 204, description = "It is so, on every node."), Refusals, Changes, Conditional))]
pub(crate) async fn put(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Conditions(condition): Conditions,
    Body(policy): Body<PasswordPolicy>,
) -> Answer<StatusCode> {
    runtime.set_password_policy(&caller, policy, &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}
