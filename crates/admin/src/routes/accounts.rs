//! Account bindings of an environment. Secrets go in and never come out.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use http::StatusCode;
use lockgate_model::id::{AccountName, EnvironmentId};
use lockgate_runtime::{AccountStatus, Binding, Runtime};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InEnvironment, Items, Refusals};
use crate::{
    extract::{Asker, Body, Place},
    respond::Answer,
    shapes,
};

/// An account in an environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfAccount {
    /// The tenant.
    #[expect(dead_code, reason = "the caller's tenant is taken from the credential, which was proved against this one")]
    tenant: String,
    /// The environment.
    #[param(value_type = String)]
    environment: EnvironmentId,
    /// The account.
    #[param(value_type = String)]
    name: AccountName,
}

/// What an account is bound to.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what the runtime takes")]
pub(crate) struct AccountBinding {
    /// Connector.
    connector: String,
    /// Address in the connector's form.
    #[schema(example = "https://erp.example.com/api")]
    address: String,
    /// How the server proves itself.
    identity: shapes::ServerIdentity,
    /// Settings that are no secrets.
    #[schema(required = false)]
    settings: BTreeMap<String, String>,
    /// Secrets to set; write-only. Those that are not named stay as they are.
    #[schema(required = false, write_only)]
    secrets: BTreeMap<String, String>,
    /// Secrets to remove.
    #[schema(required = false)]
    forget: Vec<String>,
}

/// What a connection test found.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tested {
    /// The server was reached, proved itself and let us in.
    works: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<TestError>,
}

/// Why an account does not work.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestError {
    /// Stable code.
    code: String,
    /// What failed, on what.
    message: String,
    /// What the endpoint said, for the caller alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Account bindings of an environment.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts", tag = "accounts",
    params(InEnvironment), responses((status = 200, body = Items<shapes::Account>), Refusals))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
) -> Answer<Json<Items<AccountStatus>>> {
    Ok(Json(Items { items: runtime.accounts(&caller, &at.environment).await? }))
}

/// Binds an account, or changes its binding.
#[utoipa::path(put, path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts/{name}", tag = "accounts",
    params(OfAccount), request_body = AccountBinding, responses((status = 200, body = shapes::Account), Refusals, Changes))]
pub(crate) async fn bind(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfAccount>,
    Body(binding): Body<Binding>,
) -> Answer<Json<AccountStatus>> {
    Ok(Json(runtime.bind_account(&caller, &at.environment, &at.name, binding).await?))
}

/// Removes a binding and its secrets.
#[utoipa::path(delete, path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts/{name}", tag = "accounts",
    params(OfAccount), responses((status = 204, description = "It is gone, on every node."), Refusals,
    (status = 409, body = shapes::ErrorBody, description = "In use.")))]
pub(crate) async fn unbind(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfAccount>,
) -> Answer<StatusCode> {
    runtime.unbind_account(&caller, &at.environment, &at.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Proves that an account works: resolve, connect, verify the server, sign in.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts/{name}/test",
    tag = "accounts", params(OfAccount), responses((status = 200, body = Tested), Refusals))]
pub(crate) async fn test(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfAccount>,
) -> Answer<Json<Tested>> {
    let error = runtime.test_account(&caller, &at.environment, &at.name).await?.err().map(|error| TestError {
        code: error.code().to_owned(),
        message: error.to_string(),
        detail: Some(error.private().reveal().clone()).filter(|text| !text.is_empty()),
    });
    Ok(Json(Tested { works: error.is_none(), error }))
}
