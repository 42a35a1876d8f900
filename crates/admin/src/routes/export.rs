//! What a tenant is, as a whole.

use axum::{Json, extract::State};
use lockgate_runtime::{Export, ExportPlace, Runtime};
use serde::Serialize;

use super::{InTenant, Refusals};
use crate::{
    extract::Asker,
    page::{All, Listed, Paging},
    respond::Answer,
    shapes,
};

/// A page, with the cursor of the next one.
#[derive(Serialize)]
pub(crate) struct Exported {
    #[serde(flatten)]
    export: Export,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What a tenant is, as `apply` takes it: definitions, accounts without secrets, and which schedules are paused.
///
/// Things come in the order that they are made in. `export` is asked in each environment; those in which it is held are
/// exported. Of each kind that is in it which the caller may read anyway; `left_out` names the others. The first page is
/// told in the audit log. All pages are of one revision of the tenant: a cursor of an older one is answered with 409.
#[utoipa::path(get, operation_id = "export_tenant", path = "/admin/v1/tenants/{tenant}/export", tag = "definitions",
    params(InTenant, Paging), responses((status = 200, body = shapes::TenantExport), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read."),
    (status = 409, body = shapes::Refusal, description = "The tenant was changed since the first page.")))]
pub(crate) async fn export(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Listed(All {}, part): Listed<All>,
) -> Answer<Json<Exported>> {
    let mut export = runtime.export(&caller, part.place::<ExportPlace>()?, part.limit).await?;
    let next = export.next.take().map(|place| part.next(&place.to_string())).transpose()?;
    Ok(Json(Exported { export, next }))
}
