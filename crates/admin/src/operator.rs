//! The operator's routes, for a local socket that only the operator can open. Nobody is
//! authenticated here: who can open the socket holds the server's files already. They give no view
//! into a tenant but the one that its administrator has opened.

mod support;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    response::Response,
    routing::{get, post, put},
};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, StatusCode, header};
use lockgate_model::{
    Digest,
    definition::{EgressAllowance, Retention},
    id::{TenantId, UserId},
};
use lockgate_runtime::{
    Backup, Error, Keep, Keeper, KeysInUse, LimitsChange, NewTenant, Rotated, Runtime, SecretText, TenantLimits,
};
use serde::{Deserialize, Serialize};
use tokio::{net::UnixListener, sync::mpsc};

use crate::{
    extract::{OpenBody, Place},
    respond::{Answer, Refused},
    routes::Items,
};

/// Header of a backup: the digest of the configuration in it.
const CONFIGURATION: HeaderName = HeaderName::from_static("lockgate-configuration");
/// Header of a backup: about how many bytes there are.
const BYTES: HeaderName = HeaderName::from_static("lockgate-bytes");
/// Parts of a backup that wait to be sent.
const PARTS_MAX: usize = 4;

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
    retention: Option<Keep>,
}

#[derive(Serialize)]
struct Created {
    /// For the administrator's first login; shown once.
    token: String,
}

/// What only the program knows of the installation.
#[derive(Clone)]
pub struct OperatorPlace {
    /// The data directory.
    pub data: PathBuf,
    /// Reads who is to keep the master key; or says why it cannot be.
    pub keeper: fn(serde_json::Value) -> Result<Keeper, String>,
}

/// A rotation to be done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RotationAsked {
    /// Who keeps the new master key.
    to: serde_json::Value,
}

/// A backup to be made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BackupAsked {
    /// What it is encrypted with instead of the master key.
    passphrase: Option<SecretText>,
}

#[derive(Serialize)]
struct Configuration {
    configuration: Digest,
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
pub async fn serve_operator(
    listener: UnixListener,
    runtime: Runtime,
    place: OperatorPlace,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let service = operator_router(runtime, place).into_make_service_with_connect_info::<support::Peer>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the operator's socket failed");
    }
}

/// `POST|GET /operator/tenants`, `PUT /operator/tenants/{tenant}`, `GET /operator/tenants/{tenant}/retention`,
/// `GET|PUT /operator/tenants/{tenant}/limits`, `POST /operator/egress`, `GET /operator/egress/{tenant}`, `GET /operator/metrics`, `GET /operator/configuration`, `POST /operator/backup`,
/// `GET /operator/keys`, `POST /operator/keys/rotate`, and what a tenant lets be looked at:
/// `GET /operator/support/{tenant}/{environment}/runs|runs/{id}|logs|deployments|schedules`.
pub fn operator_router(runtime: Runtime, place: OperatorPlace) -> Router {
    let OperatorPlace { data, keeper } = place;
    Router::new()
        .nest("/operator/support/{tenant}/{environment}", support::router())
        .route("/operator/tenants", post(create_tenant).get(tenants))
        .route("/operator/tenants/{tenant}", put(change_tenant))
        .route("/operator/tenants/{tenant}/retention", get(retention))
        .route("/operator/tenants/{tenant}/limits", get(limits).put(set_limits))
        .route("/operator/egress", post(change_egress))
        .route("/operator/egress/{tenant}", get(egress))
        .route("/operator/metrics", get(metrics))
        .route("/operator/configuration", get(configuration))
        .route("/operator/keys", get(keys))
        .route("/operator/keys/rotate", post(async move |runtime, asked| rotate(runtime, keeper, asked).await))
        .route("/operator/backup", post(async move |runtime, asked| backup(runtime, &data, asked).await))
        .fallback(async || Refused::not_found("such address"))
        .method_not_allowed_fallback(async || Refused::method())
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
        runtime.operator_keep(&tenant, retention).await?;
    }
    if let Some(suspended) = change.suspended {
        runtime.operator_suspend(&tenant, suspended).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn retention(State(runtime): State<Runtime>, Place(tenant): Place<TenantId>) -> Answer<Json<Retention>> {
    Ok(Json(runtime.operator_retention(&tenant)?))
}

async fn limits(State(runtime): State<Runtime>, Place(tenant): Place<TenantId>) -> Answer<Json<TenantLimits>> {
    Ok(Json(runtime.operator_limits(&tenant)?))
}

async fn set_limits(
    State(runtime): State<Runtime>,
    Place(tenant): Place<TenantId>,
    OpenBody(change): OpenBody<LimitsChange>,
) -> Answer<StatusCode> {
    runtime.operator_set_limits(&tenant, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn tenants(State(runtime): State<Runtime>) -> Json<Items<TenantId>> {
    Json(Items { items: runtime.operator_tenants() })
}

async fn metrics(State(runtime): State<Runtime>) -> String {
    runtime.metrics()
}

async fn configuration(State(runtime): State<Runtime>) -> Answer<Json<Configuration>> {
    Ok(Json(Configuration { configuration: runtime.operator_configuration().await? }))
}

async fn keys(State(runtime): State<Runtime>) -> Json<KeysInUse> {
    Json(runtime.operator_keys())
}

async fn rotate(
    State(runtime): State<Runtime>,
    keeper: fn(serde_json::Value) -> Result<Keeper, String>,
    OpenBody(asked): OpenBody<RotationAsked>,
) -> Answer<Json<Rotated>> {
    let to = keeper(asked.to).map_err(|reason| Error::invalid("LG-KEYS", reason))?;
    // It goes on when whoever asked for it goes away.
    let rotated = tokio::spawn(async move { runtime.operator_rotate(to).await }).await;
    Ok(Json(rotated.map_err(|_| Error::Internal { what: "rotating keys".into() })??))
}

/// The archive as it is made: one that ends before it is whole is none, and says so when it is read.
async fn backup(
    State(runtime): State<Runtime>,
    data: &Path,
    OpenBody(asked): OpenBody<BackupAsked>,
) -> Answer<Response> {
    let backup = runtime.operator_backup(data, asked.passphrase.as_ref()).await?;
    let told = |text: String| HeaderValue::from_str(&text).map_err(|_| Error::Internal { what: "a backup".into() });
    let (configuration, bytes) = (told(backup.configuration().to_string())?, told(backup.bytes().to_string())?);
    let mut response = Response::new(sent(backup));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONFIGURATION, configuration);
    headers.insert(BYTES, bytes);
    Ok(response)
}

/// Writes a backup on a blocking thread, as fast as it is read.
fn sent(backup: Backup) -> Body {
    let (to, from) = mpsc::channel(PARTS_MAX);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = backup.write(Parts(&to)) {
            tracing::error!(%error, "a backup ended before it was whole");
            let _ = to.blocking_send(Err(io::Error::other("the backup failed")));
        }
    });
    Body::from_stream(stream::unfold(from, async |mut from| from.recv().await.map(|part| (part, from))))
}

/// Sends what is written into it.
struct Parts<'a>(&'a mpsc::Sender<io::Result<Bytes>>);

impl Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::Error::other("nobody reads it any more"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
