//! The second factor: one's own, and a lost one of somebody else.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_model::id::UserId;
use lockgate_runtime::{Enrolment, Recovery, Runtime, SecondFactorStatus, SecretText};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asker, Body, Place},
    respond::Answer,
    shapes,
};

/// One's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnPassword {
    /// It is asked again: a session alone must not lock its user out.
    #[schema(value_type = String, format = Password)]
    pub(crate) password: SecretText,
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    /// Six digits of the authenticator; where one is taken away, also a recovery code.
    #[schema(value_type = String, format = Password)]
    code: SecretText,
}

/// A user.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfUser {
    /// The user.
    #[param(value_type = shapes::Id, inline)]
    id: UserId,
}

/// Whether one's own logins ask for a code.
#[utoipa::path(get, operation_id = "get_second_factor", path = "/admin/v1/tenants/{tenant}/second-factor", tag = "credentials", params(InTenant),
    responses((status = 200, body = shapes::SecondFactorStatus), Refusals))]
pub(crate) async fn status(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<Json<SecondFactorStatus>> {
    Ok(Json(runtime.second_factor(&caller).await?))
}

/// Gives oneself a secret for an authenticator.
///
/// Logins ask for codes once the first one has confirmed it.
#[utoipa::path(post, operation_id = "enrol_second_factor", path = "/admin/v1/tenants/{tenant}/second-factor", tag = "credentials", params(InTenant),
    request_body = OwnPassword, responses((status = 200, body = shapes::Enrolment), Refusals, Changes))]
pub(crate) async fn enrol(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(own): Body<OwnPassword>,
) -> Answer<Json<Enrolment>> {
    Ok(Json(runtime.enrol_second_factor(&caller, own.password).await?))
}

/// Turns one's second factor on by its first code; the recovery codes are shown this once.
#[utoipa::path(post, operation_id = "confirm_second_factor", path = "/admin/v1/tenants/{tenant}/second-factor/confirm", tag = "credentials", params(InTenant),
    request_body = Code, responses((status = 200, body = shapes::Recovery), Refusals, Changes))]
pub(crate) async fn confirm(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(first): Body<Code>,
) -> Answer<Json<Recovery>> {
    Ok(Json(runtime.confirm_second_factor(&caller, &first.code).await?))
}

/// Takes one's own second factor away, for a code of it.
#[utoipa::path(post, operation_id = "remove_second_factor", path = "/admin/v1/tenants/{tenant}/second-factor/remove", tag = "credentials", params(InTenant),
    request_body = Code, responses((status = 204, description = "Logins ask for none."), Refusals, Changes))]
pub(crate) async fn remove(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(last): Body<Code>,
) -> Answer<StatusCode> {
    runtime.remove_second_factor(&caller, &last.code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user's second factor away, for who has lost it.
#[utoipa::path(delete, operation_id = "take_second_factor", path = "/admin/v1/tenants/{tenant}/users/{id}/second-factor", tag = "credentials", params(InTenant, OfUser),
    responses((status = 204, description = "Logins ask for none, and the user's sessions are ended."), Refusals))]
pub(crate) async fn take(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
) -> Answer<StatusCode> {
    runtime.take_second_factor(&caller, &at.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
