//! The connectors that ship with this server, from their own declarations. They are the same for
//! everybody and tell nothing of any tenant, so nobody is authenticated here.

use axum::{Json, extract::State};
use lockgate_runtime::Runtime;
use serde_json::Value;

use super::Items;
use crate::{
    extract::Place,
    respond::{Answer, Refused},
    shapes,
};

/// All connectors.
#[utoipa::path(get, operation_id = "list_connectors", path = "/admin/v1/connectors", tag = "connectors",
    responses((status = 200, body = Items<shapes::Connector>)), security(()))]
pub(crate) async fn list(State(runtime): State<Runtime>) -> Json<Items<Value>> {
    Json(Items { items: runtime.registry().specs().map(|spec| spec.to_json()).collect() })
}

/// One connector.
#[utoipa::path(get, operation_id = "get_connector", path = "/admin/v1/connectors/{name}", tag = "connectors",
    params(("name" = String, Path, description = "Its name.")),
    responses((status = 200, body = shapes::Connector), (status = 404, body = shapes::Refusal, description = "There is none.")),
    security(()))]
pub(crate) async fn get(State(runtime): State<Runtime>, Place(name): Place<String>) -> Answer<Json<Value>> {
    let connector = runtime.registry().get(&name).ok_or_else(|| Refused::not_found("such connector"))?;
    Ok(Json(connector.spec().to_json()))
}
