//! Login, logout, and who one is.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_model::Principal;
use lockgate_runtime::{Error, LoggedIn, Runtime, SecretText};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asker, Body, Place, Source},
    respond::{Answer, Refused},
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

/// A new session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what the runtime answers; the tests read it")]
pub(crate) struct Session {
    /// The token, shown once; it goes as `Authorization: Bearer`.
    pub(crate) session: String,
    /// Whose.
    pub(crate) user: String,
    /// Whose tenant.
    pub(crate) tenant: String,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    pub(crate) expires: i64,
}

/// Who a credential belongs to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what the runtime answers; the tests read it")]
pub(crate) struct Who {
    /// The tenant.
    pub(crate) tenant: String,
    /// The user.
    pub(crate) user: String,
    /// `basic`, `api-key` or `session`.
    pub(crate) credential: String,
    /// Set for an API key that is good for one environment alone.
    #[serde(default)]
    pub(crate) only_environment: Option<String>,
}

/// Opens a session.
///
/// With a password, or with a one-time token that sets the password.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/login", tag = "session", params(("tenant" = String, Path, description = "The tenant.")),
    request_body = Login, responses((status = 200, body = Session), Changes,
    (status = 401, body = crate::shapes::ErrorBody, description = "Not true; it never says what."),
    (status = 503, body = crate::shapes::ErrorBody, description = "Too many logins just now.")), security(()))]
pub(crate) async fn login(
    State(runtime): State<Runtime>,
    Source(source): Source,
    Place(tenant): Place<String>,
    Body(login): Body<Login>,
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
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/logout", tag = "session", params(InTenant),
    responses((status = 204, description = "It is ended."), Refusals))]
pub(crate) async fn logout(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<StatusCode> {
    runtime.logout(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who the presented credential belongs to.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/whoami", tag = "session", params(InTenant),
    responses((status = 200, body = Who), Refusals))]
pub(crate) async fn whoami(Asker(caller): Asker) -> Json<Principal> {
    Json(caller.principal)
}
