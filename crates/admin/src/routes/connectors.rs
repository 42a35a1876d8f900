//! The connectors that ship with this server, from their own declarations. They are the same for
//! everybody and tell nothing of any tenant, so nobody is authenticated here.

use axum::{Json, extract::State};
use lockgate_runtime::Runtime;
use serde_json::Value;
use utoipa::ToSchema;

use super::Items;
use crate::{
    extract::Place,
    respond::{Answer, Refused},
    shapes,
};

/// A connector's declaration.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what connectors declare")]
pub(crate) struct Connector {
    /// Its name.
    name: String,
    /// One sentence for people.
    help: String,
    /// The form of addresses.
    address: Value,
    /// How a server may prove itself.
    identities: Vec<String>,
    /// Settings and secrets.
    fields: Vec<Value>,
    /// What it can do.
    operations: Vec<Value>,
}

/// All connectors.
#[utoipa::path(get, path = "/admin/v1/connectors", tag = "connectors",
    responses((status = 200, body = Items<Connector>)), security(()))]
pub(crate) async fn list(State(runtime): State<Runtime>) -> Json<Items<Value>> {
    Json(Items { items: runtime.registry().specs().map(|spec| spec.to_json()).collect() })
}

/// One connector.
#[utoipa::path(get, path = "/admin/v1/connectors/{name}", tag = "connectors",
    params(("name" = String, Path, description = "Its name.")),
    responses((status = 200, body = Connector), (status = 404, body = shapes::ErrorBody, description = "There is none.")),
    security(()))]
pub(crate) async fn get(State(runtime): State<Runtime>, Place(name): Place<String>) -> Answer<Json<Value>> {
    let connector = runtime.registry().get(&name).ok_or_else(|| Refused::not_found("such connector"))?;
    Ok(Json(connector.spec().to_json()))
}
