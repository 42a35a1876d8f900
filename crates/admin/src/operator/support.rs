//! What a tenant lets the operator look at: metadata, by a grant of its administrator, each look in the
//! tenant's log with the user of this machine who had the socket open.

use axum::{
    Json, Router,
    extract::{ConnectInfo, Extension, State, connect_info::Connected},
    routing::get,
    serve::IncomingStream,
};
use lockgate_model::{
    RunId, Timestamp,
    id::{EnvironmentId, TargetName, TenantId},
    run::Phase,
};
use lockgate_runtime::{LogQuery, RunFilter, Runtime, SupportLook, SupportSeen};
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

use crate::{
    extract::{OpenQuery, Place},
    respond::Answer,
};

/// Lines or runs shown unless another number is asked for, and at most.
const LIMIT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;

/// Who is at the other end of the socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

impl Peer {
    /// As the log tells it.
    fn told(found: Option<Extension<ConnectInfo<Self>>>) -> String {
        let Some(Extension(ConnectInfo(Self(Some(uid))))) = found else { return "unknown".to_owned() };
        format!("uid {uid}")
    }
}

type From = Option<Extension<ConnectInfo<Peer>>>;

/// Where it is looked.
#[derive(Deserialize)]
struct Within {
    tenant: TenantId,
    environment: EnvironmentId,
}

#[derive(Deserialize)]
struct OneRun {
    tenant: TenantId,
    environment: EnvironmentId,
    id: RunId,
}

/// Which runs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhichRuns {
    name: Option<TargetName>,
    phase: Option<Phase>,
    before: Option<RunId>,
    limit: Option<u32>,
}

/// Which lines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhichLines {
    after: Option<Timestamp>,
    run: Option<RunId>,
    limit: Option<u32>,
}

/// What is seen: a list, or one.
#[derive(Serialize)]
#[serde(untagged)]
enum Seen {
    List { items: SupportSeen },
    One(SupportSeen),
}

fn limited(limit: Option<u32>) -> u32 {
    limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX)
}

/// The routes below `/operator/support/{tenant}/{environment}`.
pub(super) fn router() -> Router<Runtime> {
    Router::new()
        .route("/runs", get(runs))
        .route("/runs/{id}", get(run))
        .route("/logs", get(logs))
        .route("/deployments", get(async |r, at, from| listed(r, at, from, SupportLook::Deployments).await))
        .route("/schedules", get(async |r, at, from| listed(r, at, from, SupportLook::Schedules).await))
}

async fn listed(
    State(runtime): State<Runtime>,
    Place(at): Place<Within>,
    from: From,
    look: SupportLook,
) -> Answer<Json<Seen>> {
    let items = runtime.operator_look(&at.tenant, &at.environment, look, &Peer::told(from)).await?;
    Ok(Json(Seen::List { items }))
}

async fn runs(
    runtime: State<Runtime>,
    at: Place<Within>,
    from: From,
    OpenQuery(which): OpenQuery<WhichRuns>,
) -> Answer<Json<Seen>> {
    let WhichRuns { name, phase, before, limit } = which;
    listed(
        runtime,
        at,
        from,
        SupportLook::Runs(RunFilter { name, phase, before, limit: limited(limit), ..RunFilter::default() }),
    )
    .await
}

async fn logs(
    runtime: State<Runtime>,
    at: Place<Within>,
    from: From,
    OpenQuery(which): OpenQuery<WhichLines>,
) -> Answer<Json<Seen>> {
    let limit = usize::try_from(limited(which.limit)).unwrap_or_default();
    listed(runtime, at, from, SupportLook::Logs(LogQuery { after: which.after, run: which.run, limit })).await
}

async fn run(State(runtime): State<Runtime>, Place(at): Place<OneRun>, from: From) -> Answer<Json<Seen>> {
    let look = SupportLook::Run(at.id);
    Ok(Json(Seen::One(runtime.operator_look(&at.tenant, &at.environment, look, &Peer::told(from)).await?)))
}
