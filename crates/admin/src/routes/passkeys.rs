//! Passkeys: one's own, and the beginning of a login by one. The console's pages call these; what goes to
//! the browser and comes from it is as the browser's own functions have it (`toJSON`).

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_runtime::{Asked, PasskeyAdded, PasskeyAnswer, PasskeyInfo, Runtime, Second, SecretText};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InTenant, Items, Refusals, second_factor::OwnPassword};
use crate::{
    extract::{Asker, Body, OpenBody, Place, Source},
    respond::Answer,
    shapes,
};

/// A passkey that the browser has made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Made {
    /// The `ceremony` that was given when it began.
    ceremony: String,
    /// The credential, as `PublicKeyCredential.toJSON()` gives it.
    credential: serde_json::Value,
    /// What its user calls it.
    #[schema(pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,100}$")]
    title: String,
}

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Title {
    /// What its user calls it.
    #[schema(pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,100}$")]
    title: String,
}

/// A second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proved {
    /// A code of the authenticator, or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    code: Option<SecretText>,
    /// An answer of a passkey.
    #[serde(default)]
    #[schema(value_type = Option<shapes::PasskeyAnswer>)]
    passkey: Option<PasskeyAnswer>,
}

/// Nothing, or a user with its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    /// User id.
    #[serde(default)]
    user: Option<String>,
    /// Its password.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretText>,
}

/// A passkey.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfPasskey {
    /// Its id.
    id: String,
}

/// Begins a login by a passkey; the answer goes to `login`.
///
/// Without a user it is a passkey that knows its own. With user and password the user's passkeys are named, also those that
/// cannot be found without.
#[utoipa::path(post, operation_id = "begin_login", path = "/admin/v1/tenants/{tenant}/login/passkey", tag = "session", params(("tenant" = String, Path, description = "The tenant.")),
    request_body = Whose, responses((status = 200, body = shapes::Asked), Changes,
    (status = 401, body = shapes::Refusal, description = "Not true; it never says what."),
    (status = 503, body = shapes::Refusal, description = "Too many logins just now.")), security(()))]
pub(crate) async fn begin_login(
    State(runtime): State<Runtime>,
    Source(source): Source,
    Place(tenant): Place<String>,
    OpenBody(whose): OpenBody<Whose>,
) -> Answer<Json<Asked>> {
    let proved = match (&whose.user, &whose.password) {
        (Some(user), Some(password)) => Some((user.as_str(), password)),
        (None, None) => None,
        _ => return Err(lockgate_runtime::Error::invalid("LG-LOGIN", "send `user` with `password`, or neither").into()),
    };
    Ok(Json(runtime.begin_login(&tenant, proved, &source).await?))
}

/// One's own passkeys.
#[utoipa::path(get, operation_id = "list_passkeys", path = "/admin/v1/tenants/{tenant}/passkeys", tag = "credentials", params(InTenant),
    responses((status = 200, body = Items<shapes::PasskeyInfo>), Refusals))]
pub(crate) async fn list(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<Json<Items<PasskeyInfo>>> {
    Ok(Json(Items { items: runtime.passkeys(&caller).await? }))
}

/// Begins to add a passkey to one's own.
#[utoipa::path(post, operation_id = "begin_passkey", path = "/admin/v1/tenants/{tenant}/passkeys", tag = "credentials", params(InTenant),
    request_body = OwnPassword, responses((status = 200, body = shapes::Asked), Refusals, Changes))]
pub(crate) async fn begin(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(own): Body<OwnPassword>,
) -> Answer<Json<Asked>> {
    Ok(Json(runtime.begin_passkey(&caller, own.password).await?))
}

/// Adds the passkey that the browser has made; with the first one recovery codes are shown, once.
#[utoipa::path(post, operation_id = "add_passkey", path = "/admin/v1/tenants/{tenant}/passkeys/confirm", tag = "credentials", params(InTenant),
    request_body = Made, responses((status = 200, body = shapes::PasskeyAdded), Refusals, Changes))]
pub(crate) async fn add(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(made): Body<Made>,
) -> Answer<Json<PasskeyAdded>> {
    let answered = PasskeyAnswer { ceremony: made.ceremony, credential: made.credential };
    Ok(Json(runtime.add_passkey(&caller, &answered, &made.title).await?))
}

/// Names one of one's own passkeys otherwise.
#[utoipa::path(put, operation_id = "rename_passkey", path = "/admin/v1/tenants/{tenant}/passkeys/{id}", tag = "credentials", params(InTenant, OfPasskey),
    request_body = Title, responses((status = 204, description = "It is named so."), Refusals, Changes))]
pub(crate) async fn rename(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfPasskey>,
    Body(named): Body<Title>,
) -> Answer<StatusCode> {
    runtime.rename_passkey(&caller, &at.id, &named.title).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes one of one's own passkeys away, for a code or an answer of a passkey.
#[utoipa::path(post, operation_id = "remove_passkey", path = "/admin/v1/tenants/{tenant}/passkeys/{id}/remove", tag = "credentials", params(InTenant, OfPasskey),
    request_body = Proved, responses((status = 204, description = "It lets nobody in."), Refusals, Changes))]
pub(crate) async fn remove(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfPasskey>,
    Body(proved): Body<Proved>,
) -> Answer<StatusCode> {
    let second = Second { code: proved.code, passkey: proved.passkey };
    runtime.remove_passkey(&caller, &at.id, &second).await?;
    Ok(StatusCode::NO_CONTENT)
}
