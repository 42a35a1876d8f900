//! Which ACL a target uses in an environment.

use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use lockgate_model::{
    Kind, TargetKind,
    id::{EnvironmentId, TargetName},
};
use lockgate_runtime::Runtime;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Changes, Conditional, IfOther, IfSo, InEnvironment, InTenant, Refusals};
use crate::{
    condition::{Conditions, Known},
    extract::{Asker, Body, Place},
    page::{Listed, Page, Paging},
    respond::{Answer, Refused},
    shapes,
};

/// A target in an environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfTarget {
    /// The environment.
    #[param(value_type = shapes::Id, inline)]
    environment: EnvironmentId,
    /// The target's kind.
    #[param(value_type = shapes::TargetKind, inline)]
    kind: TargetKind,
    /// The target's name.
    #[param(value_type = shapes::Id, inline)]
    name: TargetName,
}

impl OfTarget {
    fn id(&self) -> String {
        format!("{}/{}/{}", self.environment, self.kind.as_str(), self.name)
    }
}

/// Which assignments.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of targets of this kind.
    #[param(value_type = Option<shapes::TargetKind>, inline)]
    kind: Option<TargetKind>,
    /// Of targets whose names begin so.
    prefix: Option<String>,
    /// Of this ACL.
    acl: Option<String>,
}

impl Which {
    fn has(&self, assigned: &Assigned) -> bool {
        self.kind.is_none_or(|kind| kind.as_str() == assigned.kind)
            && self.prefix.as_ref().is_none_or(|prefix| assigned.name.starts_with(prefix))
            && self.acl.as_ref().is_none_or(|acl| *acl == assigned.acl)
    }
}

/// A target and its ACL.
#[derive(Serialize, ToSchema)]
pub(crate) struct Assigned {
    /// The target's kind.
    kind: String,
    /// The target's name.
    name: String,
    /// Its ACL.
    acl: String,
    /// Revision of the tenant that wrote it.
    revision: u64,
}

/// The ACLs that targets use in an environment.
#[utoipa::path(get, operation_id = "list_assignments", path = "/admin/v1/tenants/{tenant}/environments/{environment}/acls", tag = "assignments",
    params(InTenant, InEnvironment, Which, Paging), responses((status = 200, body = Page<Assigned>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Listed(which, part): Listed<Which>,
) -> Answer<Json<Page<Assigned>>> {
    let rows = runtime.definitions(&caller, Kind::Assignment, &format!("{}/", at.environment)).await?;
    let assigned = |row: &lockgate_model::Definition| {
        let (kind, name) = row.id.split('/').skip(1).fold((None, None), |(a, b), part| match a {
            None => (Some(part), b),
            Some(_) => (a, Some(part)),
        });
        let body: lockgate_model::definition::Assignment =
            row.read().map_err(|damaged| Refused::from(lockgate_runtime::Error::from(damaged)))?;
        Ok(Assigned {
            kind: kind.unwrap_or_default().to_owned(),
            name: name.unwrap_or_default().to_owned(),
            acl: body.acl.to_string(),
            revision: row.revision.0,
        })
    };
    let all: Vec<Assigned> = rows.iter().map(assigned).collect::<Answer<_>>()?;
    part.of(all.into_iter().filter(|one| which.has(one)), |one| format!("{}/{}", one.kind, one.name))
}

/// The ACL a target uses.
#[utoipa::path(get, operation_id = "get_assignment", path = "/admin/v1/tenants/{tenant}/environments/{environment}/acls/{kind}/{name}",
    tag = "assignments", params(InTenant, OfTarget, IfOther), responses((status = 200, body = shapes::Assignment,
    headers(("etag" = String, description = "Its tag."))), (status = 304, description = "The asker has it."), Refusals))]
pub(crate) async fn get(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfTarget>,
    known: Known,
) -> Answer<Response> {
    let row = runtime.definition(&caller, Kind::Assignment, &at.id()).await?;
    Ok(known.answer(row.revision, row.body))
}

/// Gives a target an ACL.
#[utoipa::path(put, operation_id = "put_assignment", path = "/admin/v1/tenants/{tenant}/environments/{environment}/acls/{kind}/{name}",
    tag = "assignments", params(InTenant, OfTarget, IfSo), request_body = shapes::Assignment,
    responses((status = 204, description = "It is so, on every node."), Refusals, Changes, Conditional))]
pub(crate) async fn put(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfTarget>,
    Conditions(condition): Conditions,
    Body(body): Body<Value>,
) -> Answer<StatusCode> {
    runtime.put_definition_if(&caller, (Kind::Assignment, &at.id()), body, &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a target's ACL away: nobody may execute it then.
#[utoipa::path(delete, operation_id = "delete_assignment", path = "/admin/v1/tenants/{tenant}/environments/{environment}/acls/{kind}/{name}",
    tag = "assignments", params(InTenant, OfTarget, IfSo),
    responses((status = 204, description = "It is gone, on every node."), Refusals, Conditional))]
pub(crate) async fn delete(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfTarget>,
    Conditions(condition): Conditions,
) -> Answer<StatusCode> {
    runtime.delete_definition_if(&caller, (Kind::Assignment, &at.id()), &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}
