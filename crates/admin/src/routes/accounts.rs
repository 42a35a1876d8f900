//! Account bindings of an environment. Secrets go in and never come out.

use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use lockgate_model::{
    definition::{Revision, ServerIdentity},
    id::{AccountName, EnvironmentId},
};
use lockgate_runtime::{AccountStatus, Binding, Runtime};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changes, Conditional, IfOther, IfSo, InEnvironment, InTenant, Refusals};
use crate::{
    condition::{Conditions, Known},
    extract::{Asker, Body, Place},
    page::{Listed, Page, Paging},
    respond::Answer,
    shapes,
};

/// An account in an environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfAccount {
    /// The environment.
    #[param(value_type = shapes::Id, inline)]
    environment: EnvironmentId,
    /// The account.
    #[param(value_type = shapes::Id, inline)]
    name: AccountName,
}

/// Which accounts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Whose names begin so.
    prefix: Option<String>,
    /// Of this connector.
    connector: Option<String>,
}

/// What a connection test found.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tested {
    /// The server was reached, proved itself and let us in.
    ok: bool,
    /// Stable code of what failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What failed, on what.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// What the endpoint said, for the caller alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// A server that an account may be bound to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// Connector.
    connector: String,
    /// Address in the connector's form.
    address: String,
    /// The proxy that the account will go through, `host:port`.
    #[serde(default)]
    proxy: Option<String>,
}

/// What a server showed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Shown {
    /// The identity, as a binding takes it; null where servers of that connector show none, or when
    /// this one did not.
    #[schema(value_type = Option<shapes::ServerIdentity>)]
    identity: Option<ServerIdentity>,
    /// Stable code of what failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What failed, on what.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// What the endpoint said, for the caller alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Account bindings of an environment.
#[utoipa::path(get, operation_id = "list_accounts", path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts", tag = "accounts",
    params(InTenant, InEnvironment, Which, Paging), responses((status = 200, body = Page<shapes::Account>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Listed(which, part): Listed<Which>,
) -> Answer<Json<Page<AccountStatus>>> {
    let fits = |account: &AccountStatus| {
        which.prefix.as_ref().is_none_or(|prefix| account.name.as_str().starts_with(prefix))
            && which.connector.as_ref().is_none_or(|connector| account.binding.connector == *connector)
    };
    let all = runtime.accounts(&caller, &at.environment).await?;
    part.of(all.into_iter().filter(fits), |account| account.name.to_string())
}

/// One account binding of an environment.
#[utoipa::path(get, operation_id = "get_account", path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts/{name}", tag = "accounts",
    params(InTenant, OfAccount, IfOther), responses((status = 200, body = shapes::Account,
    headers(("etag" = String, description = "Its tag."))), (status = 304, description = "The asker has it."), Refusals))]
pub(crate) async fn get(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfAccount>,
    known: Known,
) -> Answer<Response> {
    let account = runtime.account(&caller, &at.environment, &at.name).await?;
    Ok(known.answer(Revision(account.revision), account))
}

/// Binds an account, or changes its binding.
#[utoipa::path(put, operation_id = "bind_account", path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts/{name}", tag = "accounts",
    params(InTenant, OfAccount, IfSo), request_body = shapes::AccountBinding,
    responses((status = 200, body = shapes::Account), Refusals, Changes, Conditional))]
pub(crate) async fn bind(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfAccount>,
    Conditions(condition): Conditions,
    Body(binding): Body<Binding>,
) -> Answer<Json<AccountStatus>> {
    Ok(Json(runtime.bind_account(&caller, &at.environment, &at.name, binding, condition).await?))
}

/// Removes a binding and its secrets.
#[utoipa::path(delete, operation_id = "unbind_account", path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts/{name}", tag = "accounts",
    params(InTenant, OfAccount, IfSo), responses((status = 204, description = "It is gone, on every node."), Refusals, Conditional,
    (status = 409, body = shapes::Refusal, description = "In use.")))]
pub(crate) async fn unbind(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfAccount>,
    Conditions(condition): Conditions,
) -> Answer<StatusCode> {
    runtime.unbind_account(&caller, &at.environment, &at.name, &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows a server's identity, to be compared before the account is bound to it; nobody signs in.
#[utoipa::path(post, operation_id = "show_identity", path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts/{name}/identity",
    tag = "accounts", params(InTenant, OfAccount), request_body = Endpoint, responses((status = 200, body = Shown), Refusals, Changes))]
pub(crate) async fn identity(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfAccount>,
    Body(of): Body<Endpoint>,
) -> Answer<Json<Shown>> {
    let Endpoint { connector, address, proxy } = &of;
    let shown =
        runtime.shown_identity(&caller, &at.environment, &at.name, connector, address, proxy.as_deref()).await?;
    Ok(Json(match shown {
        Ok(identity) => Shown { identity, code: None, message: None, detail: None },
        Err(error) => Shown {
            identity: None,
            code: Some(error.code().to_owned()),
            message: Some(error.to_string()),
            detail: Some(error.private().reveal().clone()).filter(|text| !text.is_empty()),
        },
    }))
}

/// Proves that an account works: resolve, connect, verify the server, sign in.
#[utoipa::path(post, operation_id = "test_account", path = "/admin/v1/tenants/{tenant}/environments/{environment}/accounts/{name}/test",
    tag = "accounts", params(InTenant, OfAccount), responses((status = 200, body = Tested), Refusals))]
pub(crate) async fn test(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfAccount>,
) -> Answer<Json<Tested>> {
    let tested = match runtime.test_account(&caller, &at.environment, &at.name).await? {
        Ok(()) => Tested { ok: true, code: None, message: None, detail: None },
        Err(error) => Tested {
            ok: false,
            code: Some(error.code().to_owned()),
            message: Some(error.to_string()),
            detail: Some(error.private().reveal().clone()).filter(|text| !text.is_empty()),
        },
    };
    Ok(Json(tested))
}
