//! One-time tokens and API keys. Each is shown once.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_model::id::{EnvironmentId, KeyId, UserId};
use lockgate_runtime::{KeyInfo, NewKey, Runtime};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changes, Items, Refusals};
use crate::{
    extract::{Asker, Body, Place},
    respond::Answer,
};

/// A user.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfUser {
    /// The tenant.
    #[expect(dead_code, reason = "the caller's tenant is taken from the credential, which was proved against this one")]
    tenant: String,
    /// The user.
    #[param(value_type = String)]
    id: UserId,
}

/// An API key.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfKey {
    /// The tenant.
    #[expect(dead_code, reason = "the caller's tenant is taken from the credential, which was proved against this one")]
    tenant: String,
    /// The key's id; not the key.
    #[param(value_type = String)]
    id: KeyId,
}

/// A one-time token.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    /// Shown once; good for a login that sets the password.
    token: String,
}

/// What an API key is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    /// The only environment it is good for; absent for all of the user's.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    environment: Option<EnvironmentId>,
    /// How many days it lasts; absent for 90.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 397)]
    days: Option<i64>,
}

/// A new API key, shown once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what the runtime answers; the tests read it")]
pub(crate) struct Made {
    /// Its id, which may be shown again.
    pub(crate) id: String,
    /// The key, as it goes behind `Authorization: Bearer`.
    pub(crate) key: String,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub(crate) expires: Option<i64>,
}

/// An API key as it may be shown again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what the runtime answers; the tests read it")]
pub(crate) struct Kept {
    /// Its id.
    pub(crate) id: String,
    /// On whose behalf it acts.
    pub(crate) user: String,
    /// The only environment it is good for.
    #[serde(default)]
    pub(crate) environment: Option<String>,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub(crate) expires: Option<i64>,
}

/// Gives a user a one-time token: for the first login, or to set a forgotten password anew.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/users/{id}/token", tag = "credentials", params(OfUser),
    responses((status = 200, body = Token), Refusals, (status = 400, body = crate::shapes::ErrorBody, description = "The user has no password here.")))]
pub(crate) async fn invite(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
) -> Answer<Json<Token>> {
    Ok(Json(Token { token: runtime.invite(&caller, &at.id).await? }))
}

/// Makes an API key for a user.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/users/{id}/keys", tag = "credentials", params(OfUser),
    request_body = Key, responses((status = 200, body = Made), Refusals, Changes))]
pub(crate) async fn add_key(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
    Body(key): Body<Key>,
) -> Answer<Json<NewKey>> {
    Ok(Json(runtime.add_key(&caller, &at.id, key.environment, key.days).await?))
}

/// A user's API keys.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/users/{id}/keys", tag = "credentials", params(OfUser),
    responses((status = 200, body = Items<Kept>), Refusals))]
pub(crate) async fn keys(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
) -> Answer<Json<Items<KeyInfo>>> {
    Ok(Json(Items { items: runtime.keys(&caller, &at.id).await? }))
}

/// Ends an API key.
#[utoipa::path(delete, path = "/admin/v1/tenants/{tenant}/keys/{id}", tag = "credentials", params(OfKey),
    responses((status = 204, description = "It is ended, on every node."), Refusals))]
pub(crate) async fn remove_key(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfKey>,
) -> Answer<StatusCode> {
    runtime.remove_key(&caller, &at.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
