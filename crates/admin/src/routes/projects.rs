//! Projects and their versions.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use lockgate_model::{
    Digest, Kind, Timestamp,
    definition::{Project, ProjectVersion},
    id::{ProjectId, TargetName, UserId},
};
use lockgate_runtime::{Error, Pushed, Runtime, Sources};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changes, InTenant, Items, Refusals};
use crate::{
    extract::{Asker, Body, Place},
    respond::{Answer, Refused},
    shapes,
};

/// A project.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfProject {
    /// The project.
    #[param(value_type = String)]
    project: ProjectId,
}

#[derive(Serialize)]
pub(crate) struct ShownProject {
    id: String,
    #[serde(flatten)]
    project: Project,
}

#[derive(Serialize)]
pub(crate) struct ShownVersion {
    version: u64,
    source: Digest,
    pushed_by: UserId,
    pushed_at: Timestamp,
    orchestrations: Vec<TargetName>,
}

/// The sources of a version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    /// Path within the project (with `/`) to text.
    #[schema(example = json!({"project.yaml": "…", "order-to-erp.flow.yaml": "…"}))]
    files: BTreeMap<String, String>,
}

/// The projects of a tenant.
#[utoipa::path(get, operation_id = "list_projects", path = "/admin/v1/tenants/{tenant}/projects", tag = "projects", params(InTenant),
    responses((status = 200, body = Items<shapes::Project>), Refusals))]
pub(crate) async fn list(State(runtime): State<Runtime>, Asker(caller): Asker) -> Answer<Json<Items<ShownProject>>> {
    let rows = runtime.definitions(&caller, Kind::Project, "").await?;
    let shown = |row: lockgate_model::Definition| Ok(ShownProject { project: row.read()?, id: row.id });
    let items = rows.into_iter().map(shown).collect::<Result<_, lockgate_model::definition::Unreadable>>();
    Ok(Json(Items { items: items.map_err(Error::from)? }))
}

/// Pushes a version: the sources as they are now.
///
/// Broken sources are refused with all their problems. What differs from the newest version decides
/// which permissions are needed.
#[utoipa::path(post, operation_id = "push_version", path = "/admin/v1/tenants/{tenant}/projects/{project}/versions", tag = "projects",
    params(InTenant, OfProject), request_body = Files, responses((status = 200, body = shapes::Pushed), Refusals, Changes,
    (status = 422, body = shapes::ErrorBody, description = "The sources have problems; all of them, with their places.")))]
pub(crate) async fn push(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfProject>,
    Body(Files { files }): Body<Files>,
) -> Answer<Json<Pushed>> {
    let pushed = runtime.push(&caller, &at.project, Sources(files.clone())).await;
    Ok(Json(pushed.map_err(|error| Refused::with_sources(error, &files))?))
}

/// The versions of a project, the oldest first.
#[utoipa::path(get, operation_id = "list_versions", path = "/admin/v1/tenants/{tenant}/projects/{project}/versions", tag = "projects",
    params(InTenant, OfProject), responses((status = 200, body = Items<shapes::ProjectVersion>), Refusals))]
pub(crate) async fn versions(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfProject>,
) -> Answer<Json<Items<ShownVersion>>> {
    // An absent project is told as such, not as one without versions.
    runtime.definition(&caller, Kind::Project, at.project.as_str()).await?;
    let prefix = format!("{}/", at.project);
    let rows = runtime.definitions(&caller, Kind::ProjectVersion, &prefix).await?;
    let shown = |row: lockgate_model::Definition| {
        let version: ProjectVersion = row.read()?;
        Ok(ShownVersion {
            version: row.id.strip_prefix(&prefix).and_then(|number| number.parse().ok()).unwrap_or_default(),
            source: version.source,
            pushed_by: version.pushed_by,
            pushed_at: version.pushed_at,
            orchestrations: version.orchestrations,
        })
    };
    let items = rows.into_iter().map(shown).collect::<Result<_, lockgate_model::definition::Unreadable>>();
    Ok(Json(Items { items: items.map_err(Error::from)? }))
}
