//! Login, logout, and who one is.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_model::Principal;
use lockgate_runtime::{Error, LoggedIn, Runtime, SecretText};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asker, OpenBody, Place, Source},
    respond::{Answer, Refused},
    shapes,
};

/// User id with either the password, or a one-time token and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// User id.
    user: String,
    /// The password.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretText>,
    /// The one-time token of the first login or a reset.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    token: Option<SecretText>,
    /// The password to set, with `token`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    new_password: Option<SecretText>,
}

/// Opens a session.
///
/// With a password, or with a one-time token that sets the password.
#[utoipa::path(post, operation_id = "login", path = "/admin/v1/tenants/{tenant}/login", tag = "session", params(("tenant" = String, Path, description = "The tenant.")),
    request_body = Login, responses((status = 200, body = shapes::Session), Changes,
    (status = 401, body = shapes::ErrorBody, description = "Not true; it never says what."),
    (status = 503, body = shapes::ErrorBody, description = "Too many logins just now.")), security(()))]
pub(crate) async fn login(
    State(runtime): State<Runtime>,
    Source(source): Source,
    Place(tenant): Place<String>,
    OpenBody(login): OpenBody<Login>,
) -> Answer<Json<LoggedIn>> {
    let session = match (login.password, login.token, login.new_password) {
        (Some(password), None, None) => runtime.login_password(&tenant, &login.user, password, &source).await?,
        (None, Some(token), Some(new)) => runtime.login_token(&tenant, &login.user, token, new, &source).await?,
        _ => {
            let text = "send either `password`, or `token` and `new_password`";
            return Err(Refused::from(Error::invalid("LG-LOGIN", text)));
        }
    };
    Ok(Json(session))
}

/// Ends the session the request came with.
#[utoipa::path(post, operation_id = "logout", path = "/admin/v1/tenants/{tenant}/logout", tag = "session", params(InTenant),
    responses((status = 204, description = "It is ended."), Refusals))]
pub(crate) async fn logout(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<StatusCode> {
    runtime.logout(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who the presented credential belongs to.
#[utoipa::path(get, operation_id = "whoami", path = "/admin/v1/tenants/{tenant}/whoami", tag = "session", params(InTenant),
    responses((status = 200, body = shapes::Who), Refusals))]
pub(crate) async fn whoami(Asker(caller): Asker) -> Json<Principal> {
    Json(caller.principal)
}
