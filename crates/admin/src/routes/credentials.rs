//! One-time tokens and API keys. Each is shown once.

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_model::id::{KeyId, UserId};
use lockgate_runtime::{CertificateInfo, CertificateWanted, KeyInfo, KeyWanted, NewKey, Runtime};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asker, Body, Place},
    page::{All, Listed, Page, Paging},
    respond::Answer,
    shapes,
};

/// A user.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfUser {
    /// The user.
    #[param(value_type = shapes::Id, inline)]
    id: UserId,
}

/// An API key.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfKey {
    /// The key's id; not the key.
    #[param(value_type = String)]
    id: KeyId,
}

/// A client certificate.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfCertificate {
    /// SHA-256, in hex, of what it is known by.
    id: String,
}

/// A one-time token.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    /// Shown once; good for a login that sets the password.
    token: String,
}

/// Gives a user a one-time token: for the first login, or to set a forgotten password anew.
#[utoipa::path(post, operation_id = "create_token", path = "/admin/v1/tenants/{tenant}/users/{id}/token", tag = "credentials", params(InTenant, OfUser),
    responses((status = 200, body = Token), Refusals, (status = 409, body = shapes::Refusal, description = "The user has no password here.")))]
pub(crate) async fn invite(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
) -> Answer<Json<Token>> {
    Ok(Json(Token { token: runtime.invite(&caller, &at.id).await? }))
}

/// Makes an API key for a user.
#[utoipa::path(post, operation_id = "create_key", path = "/admin/v1/tenants/{tenant}/users/{id}/keys", tag = "credentials", params(InTenant, OfUser),
    request_body = shapes::KeyWanted, responses((status = 200, body = shapes::NewKey), Refusals, Changes))]
pub(crate) async fn add_key(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
    Body(wanted): Body<KeyWanted>,
) -> Answer<Json<NewKey>> {
    Ok(Json(runtime.add_key(&caller, &at.id, &wanted).await?))
}

/// A user's API keys.
#[utoipa::path(get, operation_id = "list_keys", path = "/admin/v1/tenants/{tenant}/users/{id}/keys", tag = "credentials", params(InTenant, OfUser, Paging),
    responses((status = 200, body = Page<shapes::KeyInfo>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn keys(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
    Listed(All {}, part): Listed<All>,
) -> Answer<Json<Page<KeyInfo>>> {
    part.of(runtime.keys(&caller, &at.id).await?, |key| key.id.clone())
}

/// Ends an API key.
#[utoipa::path(delete, operation_id = "delete_key", path = "/admin/v1/tenants/{tenant}/keys/{id}", tag = "credentials", params(InTenant, OfKey),
    responses((status = 204, description = "It is ended, on every node."), Refusals))]
pub(crate) async fn remove_key(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfKey>,
) -> Answer<StatusCode> {
    runtime.remove_key(&caller, &at.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a user's password good for nothing but a login that sets another.
#[utoipa::path(post, operation_id = "expire_password", path = "/admin/v1/tenants/{tenant}/users/{id}/expire-password", tag = "credentials", params(InTenant, OfUser),
    responses((status = 204, description = "It is so, and the user's sessions are ended."), Refusals,
    (status = 409, body = shapes::Refusal, description = "The user has no password here.")))]
pub(crate) async fn expire_password(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
) -> Answer<StatusCode> {
    runtime.expire_password(&caller, &at.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Binds a client certificate to a user.
#[utoipa::path(post, operation_id = "create_certificate", path = "/admin/v1/tenants/{tenant}/users/{id}/certificates", tag = "credentials", params(InTenant, OfUser),
    request_body = shapes::CertificateWanted, responses((status = 200, body = shapes::CertificateInfo), Refusals, Changes))]
pub(crate) async fn add_certificate(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
    Body(wanted): Body<CertificateWanted>,
) -> Answer<Json<CertificateInfo>> {
    Ok(Json(runtime.add_certificate(&caller, &at.id, &wanted).await?))
}

/// A user's client certificates.
#[utoipa::path(get, operation_id = "list_certificates", path = "/admin/v1/tenants/{tenant}/users/{id}/certificates", tag = "credentials", params(InTenant, OfUser, Paging),
    responses((status = 200, body = Page<shapes::CertificateInfo>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn certificates(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfUser>,
    Listed(All {}, part): Listed<All>,
) -> Answer<Json<Page<CertificateInfo>>> {
    part.of(runtime.certificates(&caller, &at.id).await?, |certificate| certificate.id.clone())
}

/// Takes a client certificate away from its user.
#[utoipa::path(delete, operation_id = "delete_certificate", path = "/admin/v1/tenants/{tenant}/certificates/{id}", tag = "credentials", params(InTenant, OfCertificate),
    responses((status = 204, description = "Nobody comes with it any more, on every node."), Refusals))]
pub(crate) async fn remove_certificate(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfCertificate>,
) -> Answer<StatusCode> {
    runtime.remove_certificate(&caller, &at.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
