//! Definitions that people administer, all kinds by the same verbs.

use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use lockgate_model::Kind;
use lockgate_runtime::{Apply, Runtime};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Changes, Conditional, IfOther, IfSo, InTenant, Refusals};
use crate::{
    condition::{Conditions, Known},
    extract::{Asker, Body, Place},
    page::{Listed, Page, Paging},
    respond::Answer,
    shapes,
};

/// A kind with an id of one segment, as it stands in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Plural {
    Users,
    Groups,
    Profiles,
    Acls,
    Environments,
}

impl Plural {
    fn kind(self) -> Kind {
        match self {
            Self::Users => Kind::User,
            Self::Groups => Kind::Group,
            Self::Profiles => Kind::Profile,
            Self::Acls => Kind::Acl,
            Self::Environments => Kind::Environment,
        }
    }
}

/// All definitions of a kind.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfKind {
    /// The kind.
    #[param(inline)]
    kind: Plural,
}

/// Which definitions.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Whose ids begin so.
    prefix: Option<String>,
    /// Users, groups and ACLs that name this profile.
    profile: Option<String>,
    /// Users that are in this group.
    group: Option<String>,
    /// Users that are enabled, or that are not.
    enabled: Option<bool>,
}

impl Which {
    fn fits(&self, row: &lockgate_model::Definition) -> bool {
        let enabled = row.body.get("enabled").and_then(Value::as_bool);
        named(row, "profiles", self.profile.as_deref())
            && named(row, "groups", self.group.as_deref())
            && self.enabled.is_none_or(|asked| enabled == Some(asked))
    }
}

/// Which permissions on projects.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichOnProjects {
    /// On this project.
    project: Option<String>,
    /// Given to this user.
    user: Option<String>,
    /// Given to this group.
    group: Option<String>,
}

impl WhichOnProjects {
    fn fits(&self, row: &lockgate_model::Definition) -> bool {
        named(row, "users", self.user.as_deref()) && named(row, "groups", self.group.as_deref())
    }
}

/// A list of the body names this, if anything is asked for.
fn named(row: &lockgate_model::Definition, list: &str, asked: Option<&str>) -> bool {
    let mut names = row.body.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    asked.is_none_or(|asked| names.any(|name| name == asked))
}

/// One definition.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct One {
    /// The kind.
    #[param(inline)]
    kind: Plural,
    /// Its id.
    #[param(value_type = shapes::Id, inline)]
    id: String,
}

/// One permission on one project.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OnProject {
    /// The project.
    #[param(value_type = shapes::Id, inline)]
    project: String,
    /// Name of the permission.
    #[param(value_type = shapes::Id, inline)]
    name: String,
}

impl OnProject {
    fn id(&self) -> String {
        format!("{}/{}", self.project, self.name)
    }
}

/// A definition as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    id: String,
    revision: u64,
    body: Value,
}

impl From<lockgate_model::Definition> for Shown {
    fn from(row: lockgate_model::Definition) -> Self {
        Self { id: row.id, revision: row.revision.0, body: row.body }
    }
}

/// Definitions of a kind, in the order of their ids.
#[utoipa::path(get, operation_id = "list_definitions", path = "/admin/v1/tenants/{tenant}/{kind}", tag = "definitions", params(InTenant, OfKind, Which, Paging),
    responses((status = 200, body = Page<shapes::Definition>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfKind>,
    Listed(which, part): Listed<Which>,
) -> Answer<Json<Page<Shown>>> {
    let of = (at.kind.kind(), which.prefix.as_deref().unwrap_or_default());
    let rows = runtime.definitions_behind(&caller, of, part.behind(), |row| which.fits(row)).await?;
    part.of(rows.into_iter().map(Shown::from), |shown| shown.id.clone())
}

/// One definition.
#[utoipa::path(get, operation_id = "get_definition", path = "/admin/v1/tenants/{tenant}/{kind}/{id}", tag = "definitions", params(InTenant, One, IfOther),
    responses((status = 200, body = shapes::Definition, headers(("etag" = String, description = "Its tag."))),
    (status = 304, description = "The asker has it."), Refusals))]
pub(crate) async fn get(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<One>,
    known: Known,
) -> Answer<Response> {
    let row = runtime.definition(&caller, at.kind.kind(), &at.id).await?;
    Ok(known.answer(row.revision, Shown::from(row)))
}

/// Creates or changes a definition.
#[utoipa::path(put, operation_id = "put_definition", path = "/admin/v1/tenants/{tenant}/{kind}/{id}", tag = "definitions", params(InTenant, One, IfSo),
    request_body = shapes::DefinitionBody, responses((status = 204, description = "It is so, on every node."), Refusals, Changes, Conditional))]
pub(crate) async fn put(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<One>,
    Conditions(condition): Conditions,
    Body(body): Body<Value>,
) -> Answer<StatusCode> {
    runtime.put_definition_if(&caller, (at.kind.kind(), &at.id), body, &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a definition; a user takes its credentials and keys along.
#[utoipa::path(delete, operation_id = "delete_definition", path = "/admin/v1/tenants/{tenant}/{kind}/{id}", tag = "definitions", params(InTenant, One, IfSo),
    responses((status = 204, description = "It is gone, on every node."), Refusals, Conditional,
    (status = 409, body = shapes::Refusal, description = "In use.")))]
pub(crate) async fn delete(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<One>,
    Conditions(condition): Conditions,
) -> Answer<StatusCode> {
    runtime.delete_definition_if(&caller, (at.kind.kind(), &at.id), &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Permissions on projects.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/project-permissions", tag = "definitions",
    params(InTenant, WhichOnProjects, Paging), responses((status = 200, body = Page<shapes::Definition>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list_project_permissions(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Listed(which, part): Listed<WhichOnProjects>,
) -> Answer<Json<Page<Shown>>> {
    let prefix = which.project.as_ref().map(|project| format!("{project}/")).unwrap_or_default();
    let of = (Kind::ProjectPermission, prefix.as_str());
    let rows = runtime.definitions_behind(&caller, of, part.behind(), |row| which.fits(row)).await?;
    part.of(rows.into_iter().map(Shown::from), |shown| shown.id.clone())
}

/// One permission on a project.
#[utoipa::path(get, path = "/admin/v1/tenants/{tenant}/project-permissions/{project}/{name}", tag = "definitions",
    params(InTenant, OnProject, IfOther), responses((status = 200, body = shapes::Definition,
    headers(("etag" = String, description = "Its tag."))), (status = 304, description = "The asker has it."), Refusals))]
pub(crate) async fn get_project_permission(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OnProject>,
    known: Known,
) -> Answer<Response> {
    let row = runtime.definition(&caller, Kind::ProjectPermission, &at.id()).await?;
    Ok(known.answer(row.revision, Shown::from(row)))
}

/// Creates or changes a permission on a project.
#[utoipa::path(put, path = "/admin/v1/tenants/{tenant}/project-permissions/{project}/{name}", tag = "definitions",
    params(InTenant, OnProject, IfSo), request_body = shapes::ProjectPermission,
    responses((status = 204, description = "It is so, on every node."), Refusals, Changes, Conditional))]
pub(crate) async fn put_project_permission(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OnProject>,
    Conditions(condition): Conditions,
    Body(body): Body<Value>,
) -> Answer<StatusCode> {
    runtime.put_definition_if(&caller, (Kind::ProjectPermission, &at.id()), body, &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a permission on a project.
#[utoipa::path(delete, path = "/admin/v1/tenants/{tenant}/project-permissions/{project}/{name}", tag = "definitions",
    params(InTenant, OnProject, IfSo), responses((status = 204, description = "It is gone, on every node."), Refusals, Conditional,
    (status = 409, body = shapes::Refusal, description = "In use.")))]
pub(crate) async fn delete_project_permission(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OnProject>,
    Conditions(condition): Conditions,
) -> Answer<StatusCode> {
    runtime.delete_definition_if(&caller, (Kind::ProjectPermission, &at.id()), &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a batch did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Applied {
    /// How many definitions are so now.
    applied: usize,
}

/// Makes a batch of definitions so.
#[utoipa::path(post, path = "/admin/v1/tenants/{tenant}/apply", tag = "definitions", params(InTenant),
    request_body = shapes::Batch, responses((status = 200, body = Applied), Refusals, Changes))]
pub(crate) async fn apply(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Body(batch): Body<Apply>,
) -> Answer<Json<Applied>> {
    Ok(Json(Applied { applied: runtime.apply(&caller, batch).await? }))
}
