//! Login, logout, and who one is.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_model::Principal;
use lockgate_model::id::UserId;
use lockgate_runtime::{
    Error, LoggedIn, Login as Presented, PasskeyAnswer, Proof, Runtime, Second, SecretText, SessionInfo,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asker, OpenBody, Place, Source},
    page::{All, Listed, Page, Paging},
    respond::{Answer, Refused},
    shapes,
};

/// User id with either the password, or a one-time token and the new password, and a second factor where one is
/// on; or a passkey alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// User id; absent where a passkey alone tells it.
    #[serde(default)]
    user: Option<String>,
    /// The password.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretText>,
    /// The one-time token of the first login or a reset.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    token: Option<SecretText>,
    /// The password to set: with `token`, or in the place of `password`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    new_password: Option<SecretText>,
    /// A code of the authenticator, or a recovery code, where a second factor is on.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    code: Option<SecretText>,
    /// An answer of a passkey to what `login/passkey` asked: in the place of `code`, or of everything else.
    #[serde(default)]
    #[schema(value_type = Option<shapes::PasskeyAnswer>)]
    passkey: Option<PasskeyAnswer>,
}

/// Opens a session.
///
/// With a password, which `new_password` replaces, with a one-time token that sets the password, or with a passkey. What a
/// right password or token lacks (`LG-SECOND-FACTOR`, `LG-PASSWORD-CHANGE`) is told to who presents it.
#[utoipa::path(post, operation_id = "login", path = "/admin/v1/tenants/{tenant}/login", tag = "session", params(("tenant" = String, Path, description = "The tenant.")),
    request_body = Login, responses((status = 200, body = shapes::Session), Changes,
    (status = 401, body = shapes::Refusal, description = "Not true; it never says what."),
    (status = 503, body = shapes::Refusal, description = "Too many logins just now.")), security(()))]
pub(crate) async fn login(
    State(runtime): State<Runtime>,
    Source(source): Source,
    Place(tenant): Place<String>,
    OpenBody(login): OpenBody<Login>,
) -> Answer<Json<LoggedIn>> {
    let second = Second { code: login.code, passkey: login.passkey };
    let alone = login.user.is_none() && second.code.is_none() && second.passkey.is_some();
    let proof = match (login.password, login.token, login.new_password) {
        (None, None, None) if alone => Proof::Passkey,
        (Some(password), None, new) if login.user.is_some() => Proof::Password { password, new },
        (None, Some(token), Some(new)) if login.user.is_some() => Proof::Token { token, new },
        _ => {
            let text = "send `user` with either `password`, or `token` and `new_password`; or `passkey` alone";
            return Err(Refused::from(Error::invalid("LG-LOGIN", text)));
        }
    };
    let presented = Presented { user: login.user.unwrap_or_default(), proof, second };
    Ok(Json(runtime.login(&tenant, &presented, &source).await?))
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

/// A session.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfSession {
    /// The session's id; not its token.
    id: String,
}

/// A user.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfUser {
    /// The user.
    #[param(value_type = shapes::Id, inline)]
    id: UserId,
}

/// One's own live sessions.
#[utoipa::path(get, operation_id = "list_own_sessions", path = "/admin/v1/tenants/{tenant}/sessions", tag = "session", params(InTenant, Paging),
    responses((status = 200, body = Page<shapes::SessionInfo>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn own(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Listed(All {}, part): Listed<All>,
) -> Answer<Json<Page<SessionInfo>>> {
    part.of(runtime.own_sessions(&caller).await?, opened)
}

/// A user's live sessions.
#[utoipa::path(get, operation_id = "list_sessions", path = "/admin/v1/tenants/{tenant}/users/{id}/sessions", tag = "session", params(InTenant, OfUser, Paging),
    responses((status = 200, body = Page<shapes::SessionInfo>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn of_user(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
    Listed(All {}, part): Listed<All>,
) -> Answer<Json<Page<SessionInfo>>> {
    part.of(runtime.sessions(&caller, &at.id).await?, opened)
}

/// Sessions are listed in the order they were opened.
fn opened(session: &SessionInfo) -> String {
    format!("{:020} {}", session.opened.0, session.id)
}

/// Ends a session: one's own, or another's with the permission to manage users.
#[utoipa::path(delete, operation_id = "end_session", path = "/admin/v1/tenants/{tenant}/sessions/{id}", tag = "session", params(InTenant, OfSession),
    responses((status = 204, description = "It is ended."), Refusals))]
pub(crate) async fn end(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfSession>,
) -> Answer<StatusCode> {
    runtime.end_session(&caller, &at.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of a user.
#[utoipa::path(delete, operation_id = "end_sessions", path = "/admin/v1/tenants/{tenant}/users/{id}/sessions", tag = "session", params(InTenant, OfUser),
    responses((status = 204, description = "They are ended."), Refusals))]
pub(crate) async fn end_of_user(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
) -> Answer<StatusCode> {
    runtime.end_sessions(&caller, &at.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
