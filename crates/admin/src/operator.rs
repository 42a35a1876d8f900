//! The operator's routes, for a local socket that only the operator can open. Nobody is
//! authenticated here: who can open the socket holds the server's files already. They give no view
//! into a tenant.

use std::num::{NonZeroU32, NonZeroU64};

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post, put},
};
use http::StatusCode;
use lockgate_model::{
    definition::{EgressAllowance, Retention},
    id::{TenantId, UserId},
};
use lockgate_runtime::{NewTenant, Runtime};
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

use crate::{
    extract::{OpenBody, Place},
    respond::{Answer, Refused},
    routes::Items,
};

/// A tenant to be created.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    id: TenantId,
    title: String,
    administrator: UserId,
}

/// What the operator changes of a tenant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantChange {
    suspended: Option<bool>,
    retention: Option<RetentionChange>,
}

/// How long run records are kept; what is absent stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionChange {
    days_max: Option<NonZeroU32>,
    runs_max: Option<NonZeroU64>,
}

#[derive(Serialize)]
struct Created {
    /// For the administrator's first login; shown once.
    token: String,
}

/// Private ranges to allow and to withdraw, in one change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Egress {
    tenant: TenantId,
    #[serde(default)]
    allow: Vec<EgressAllowance>,
    #[serde(default)]
    withdraw: Vec<EgressAllowance>,
}

/// Serves the operator's routes on a local socket until `stop`; requests in flight end first.
pub async fn serve_operator(listener: UnixListener, runtime: Runtime, stop: impl Future<Output = ()> + Send + 'static) {
    if let Err(error) = axum::serve(listener, operator_router(runtime)).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the operator's socket failed");
    }
}

/// `POST|GET /operator/tenants`, `PUT /operator/tenants/{tenant}`, `GET /operator/tenants/{tenant}/retention`, `POST /operator/egress`, `GET
/// /operator/egress/{tenant}`, `GET /operator/metrics`.
pub fn operator_router(runtime: Runtime) -> Router {
    Router::new()
        .route("/operator/tenants", post(create_tenant).get(tenants))
        .route("/operator/tenants/{tenant}", put(change_tenant))
        .route("/operator/tenants/{tenant}/retention", get(retention))
        .route("/operator/egress", post(change_egress))
        .route("/operator/egress/{tenant}", get(egress))
        .route("/operator/metrics", get(metrics))
        .fallback(async || Refused::not_found("such address"))
        .layer(axum::middleware::from_fn(crate::log::line))
        .with_state(runtime)
}

async fn create_tenant(State(runtime): State<Runtime>, OpenBody(new): OpenBody<Create>) -> Answer<Json<Created>> {
    let new = NewTenant { id: new.id, title: new.title, administrator: new.administrator };
    Ok(Json(Created { token: runtime.operator_create_tenant(new).await? }))
}

async fn change_tenant(
    State(runtime): State<Runtime>,
    Place(tenant): Place<TenantId>,
    OpenBody(change): OpenBody<TenantChange>,
) -> Answer<StatusCode> {
    if let Some(retention) = change.retention {
        runtime.operator_keep(&tenant, retention.days_max, retention.runs_max).await?;
    }
    if let Some(suspended) = change.suspended {
        runtime.operator_suspend(&tenant, suspended).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn retention(State(runtime): State<Runtime>, Place(tenant): Place<TenantId>) -> Answer<Json<Retention>> {
    Ok(Json(runtime.operator_retention(&tenant)?))
}

async fn tenants(State(runtime): State<Runtime>) -> Json<Items<TenantId>> {
    Json(Items { items: runtime.operator_tenants() })
}

async fn metrics(State(runtime): State<Runtime>) -> String {
    runtime.metrics()
}

async fn change_egress(State(runtime): State<Runtime>, OpenBody(change): OpenBody<Egress>) -> Answer<StatusCode> {
    runtime.operator_egress(&change.tenant, change.allow, change.withdraw).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn egress(
    State(runtime): State<Runtime>,
    Place(tenant): Place<TenantId>,
) -> Answer<Json<Items<EgressAllowance>>> {
    Ok(Json(Items { items: runtime.operator_egress_list(&tenant)? }))
}
