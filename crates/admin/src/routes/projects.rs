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

use super::{Changes, InTenant, Refusals};
use crate::{
    extract::{Asker, Body, Place},
    page::{Listed, Page, Paging},
    respond::{Answer, Refused},
    shapes,
};

/// A project.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfProject {
    /// The project.
    #[param(value_type = shapes::Id, inline)]
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

/// Which projects.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Whose ids begin so.
    prefix: Option<String>,
}

/// Which versions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichVersions {
    /// Pushed at this time or later, in microseconds since 1970-01-01T00:00:00Z.
    #[param(value_type = Option<i64>)]
    since: Option<Timestamp>,
    /// Pushed by this user.
    pushed_by: Option<String>,
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
#[utoipa::path(get, operation_id = "list_projects", path = "/admin/v1/tenants/{tenant}/projects", tag = "projects", params(InTenant, Which, Paging),
    responses((status = 200, body = Page<shapes::Project>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Listed(which, part): Listed<Which>,
) -> Answer<Json<Page<ShownProject>>> {
    let of = (Kind::Project, which.prefix.as_deref().unwrap_or_default());
    let rows = runtime.definitions_behind(&caller, of, part.behind(), |_| true).await?;
    let shown = |row: lockgate_model::Definition| Ok(ShownProject { project: row.read()?, id: row.id });
    let items = rows.into_iter().map(shown).collect::<Result<Vec<_>, lockgate_model::definition::Unreadable>>();
    part.of(items.map_err(Error::from)?, |project| project.id.clone())
}

/// Pushes a version: the sources as they are now.
///
/// Broken sources are refused with all their problems. What differs from the newest version decides
/// which permissions are needed.
#[utoipa::path(post, operation_id = "push_version", path = "/admin/v1/tenants/{tenant}/projects/{project}/versions", tag = "projects",
    params(InTenant, OfProject), request_body = Files, responses((status = 200, body = shapes::Pushed), Refusals, Changes,
    (status = 422, body = shapes::Refusal, description = "The sources have problems; all of them, with their places.")))]
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
    params(InTenant, OfProject, WhichVersions, Paging), responses((status = 200, body = Page<shapes::ProjectVersion>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn versions(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfProject>,
    Listed(which, part): Listed<WhichVersions>,
) -> Answer<Json<Page<ShownVersion>>> {
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
    let items = rows.into_iter().map(shown).collect::<Result<Vec<_>, lockgate_model::definition::Unreadable>>();
    let fits = |version: &ShownVersion| {
        which.since.is_none_or(|since| version.pushed_at >= since)
            && which.pushed_by.as_ref().is_none_or(|by| version.pushed_by.as_str() == by)
    };
    let items = items.map_err(Error::from)?.into_iter().filter(fits);
    part.of(items, |version| format!("{:020}", version.version))
}
