//! What is active in an environment.

use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use lockgate_model::{
    Timestamp,
    definition::Deployment,
    id::{AclId, EnvironmentId, ProjectId, UserId},
};
use lockgate_runtime::{Deployed, Promotion, Runtime};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Changes, Conditional, IfOther, IfSo, InEnvironment, InTenant, Refusals};
use crate::{
    condition::{Conditions, Known},
    extract::{Asked, Asker, Body, Place},
    page::{Listed, Page, Paging},
    respond::Answer,
    shapes,
};

/// A project in an environment.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfDeployment {
    /// The environment.
    #[param(value_type = shapes::Id, inline)]
    environment: EnvironmentId,
    /// The project.
    #[param(value_type = shapes::Id, inline)]
    project: ProjectId,
}

/// Which deployments.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of projects whose ids begin so.
    prefix: Option<String>,
    /// Of the project that has this orchestration or API.
    name: Option<String>,
    /// Deployed at this time or later, in microseconds since 1970-01-01T00:00:00Z.
    #[param(value_type = Option<i64>)]
    since: Option<Timestamp>,
}

impl Which {
    fn has(&self, deployment: &Deployment) -> bool {
        let mut names = deployment.orchestrations.keys().chain(deployment.apis.keys());
        self.prefix.as_ref().is_none_or(|prefix| deployment.project.as_str().starts_with(prefix))
            && self.name.as_ref().is_none_or(|asked| names.any(|name| name.as_str() == asked))
            && self.since.is_none_or(|since| deployment.deployed_at >= since)
    }
}

/// What to deploy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deploy {
    /// The version; absent for the newest.
    #[serde(default)]
    version: Option<u64>,
    /// The ACL for what has none here yet; absent for the default one.
    #[serde(default)]
    #[schema(value_type = Option<shapes::Id>)]
    acl: Option<AclId>,
    /// As whom its schedules run; absent for the caller. Naming another needs `access-control`.
    #[serde(default)]
    #[schema(value_type = Option<shapes::Id>)]
    run_as: Option<UserId>,
}

/// What is active in an environment.
#[utoipa::path(get, operation_id = "list_deployments", path = "/admin/v1/tenants/{tenant}/environments/{environment}/deployments", tag = "deployments",
    params(InTenant, InEnvironment, Which, Paging), responses((status = 200, body = Page<shapes::Deployment>), Refusals,
    (status = 400, body = shapes::Refusal, description = "The query cannot be read.")))]
pub(crate) async fn list(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<InEnvironment>,
    Listed(which, part): Listed<Which>,
) -> Answer<Json<Page<Deployment>>> {
    let all = runtime.deployments(&caller, &at.environment).await?;
    part.of(all.into_iter().filter(|one| which.has(one)), |one| one.project.to_string())
}

/// What is active of a project in an environment.
#[utoipa::path(get, operation_id = "get_deployment", path = "/admin/v1/tenants/{tenant}/environments/{environment}/deployments/{project}",
    tag = "deployments", params(InTenant, OfDeployment, IfOther), responses((status = 200, body = shapes::Deployment,
    headers(("etag" = String, description = "Its tag."))), (status = 304, description = "The asker has it."), Refusals))]
pub(crate) async fn get(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfDeployment>,
    known: Known,
) -> Answer<Response> {
    let (revision, deployment) = runtime.deployment(&caller, &at.environment, &at.project).await?;
    Ok(known.answer(revision, deployment))
}

/// Deploys a version of a project. Runs in flight keep the version they began with.
#[utoipa::path(put, operation_id = "deploy", path = "/admin/v1/tenants/{tenant}/environments/{environment}/deployments/{project}",
    tag = "deployments", params(InTenant, OfDeployment, IfSo), request_body = Deploy,
    responses((status = 200, body = shapes::Deployed), Refusals, Changes, Conditional,
    (status = 422, body = shapes::Refusal, description = "The sources do not compile; all problems.")))]
pub(crate) async fn deploy(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfDeployment>,
    Conditions(condition): Conditions,
    Body(Deploy { version, acl, run_as }): Body<Deploy>,
) -> Answer<Json<Deployed>> {
    let deploy = lockgate_runtime::Deploy { version, acl, run_as, condition };
    Ok(Json(runtime.deploy(&caller, &at.environment, &at.project, deploy).await?))
}

/// A project in an environment, and the environment it comes from.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OfPromotion {
    /// The environment it goes to.
    #[param(value_type = shapes::Id, inline)]
    environment: EnvironmentId,
    /// The project.
    #[param(value_type = shapes::Id, inline)]
    project: ProjectId,
    /// The environment it is active in.
    #[param(value_type = shapes::Id, inline)]
    from: EnvironmentId,
}

/// How to promote.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promote {
    /// The ACL for what has none here yet; absent for the default one.
    #[serde(default)]
    #[schema(value_type = Option<shapes::Id>)]
    acl: Option<AclId>,
    /// As whom its schedules run here; absent for the caller. Naming another needs `access-control`.
    #[serde(default)]
    #[schema(value_type = Option<shapes::Id>)]
    run_as: Option<UserId>,
}

/// The same, of a promotion that is only asked about.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Planned {
    /// The ACL for what has none here yet; absent for the default one.
    #[param(value_type = Option<shapes::Id>, inline)]
    acl: Option<AclId>,
    /// As whom its schedules would run here; absent for the caller.
    #[param(value_type = Option<shapes::Id>, inline)]
    run_as: Option<UserId>,
}

/// How to roll back.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// The version, one that was active here; absent for the one before.
    #[serde(default)]
    to: Option<u64>,
    /// As whom its schedules run; absent for whom the active deployment names, where the caller holds
    /// `access-control`, else for the caller. Naming another needs `access-control`.
    #[serde(default)]
    #[schema(value_type = Option<shapes::Id>)]
    run_as: Option<UserId>,
}

/// What a promotion to here would change; nothing happens.
#[utoipa::path(get, operation_id = "plan_promotion", path = "/admin/v1/tenants/{tenant}/environments/{environment}/deployments/{project}/from/{from}",
    tag = "deployments", params(InTenant, OfPromotion, Planned), responses((status = 200, body = shapes::Promotion), Refusals, Changes))]
pub(crate) async fn promotion(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfPromotion>,
    Asked(Planned { acl, run_as }): Asked<Planned>,
) -> Answer<Json<Promotion>> {
    Ok(Json(runtime.promotion(&caller, &at.project, &at.from, &at.environment, acl, run_as).await?))
}

/// Activates here what is active in another environment: the same bytes, under the accounts of here.
#[utoipa::path(post, operation_id = "promote", path = "/admin/v1/tenants/{tenant}/environments/{environment}/deployments/{project}/from/{from}",
    tag = "deployments", params(InTenant, OfPromotion), request_body = Promote,
    responses((status = 200, body = shapes::Deployed), Refusals, Changes))]
pub(crate) async fn promote(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfPromotion>,
    Body(promote): Body<Promote>,
) -> Answer<Json<Deployed>> {
    Ok(Json(runtime.promote(&caller, &at.project, &at.from, &at.environment, promote.acl, promote.run_as).await?))
}

/// Activates what was active here before, or the version that is named: the same bytes.
///
/// Each rollback goes further back than the one before it.
#[utoipa::path(post, operation_id = "rollback", path = "/admin/v1/tenants/{tenant}/environments/{environment}/deployments/{project}/rollback",
    tag = "deployments", params(InTenant, OfDeployment), request_body = Option<Rollback>,
    responses((status = 200, body = shapes::Deployed), Refusals, Changes))]
pub(crate) async fn rollback(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfDeployment>,
    body: Option<Body<Option<Rollback>>>,
) -> Answer<Json<Deployed>> {
    let Rollback { to, run_as } = body.and_then(|Body(rollback)| rollback).unwrap_or_default();
    let rollback = lockgate_runtime::Rollback { to, run_as };
    Ok(Json(runtime.rollback(&caller, &at.environment, &at.project, rollback).await?))
}

/// Adopts what is active: its publish right stands on the caller from then on.
#[utoipa::path(post, operation_id = "adopt", path = "/admin/v1/tenants/{tenant}/environments/{environment}/deployments/{project}/adopt",
    tag = "deployments", params(InTenant, OfDeployment), responses((status = 204), Refusals, Changes))]
pub(crate) async fn adopt(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfDeployment>,
) -> Answer<StatusCode> {
    runtime.adopt(&caller, &at.environment, &at.project).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends what is active of a project here.
#[utoipa::path(delete, operation_id = "undeploy", path = "/admin/v1/tenants/{tenant}/environments/{environment}/deployments/{project}",
    tag = "deployments", params(InTenant, OfDeployment, IfSo), responses((status = 204), Refusals, Changes, Conditional))]
pub(crate) async fn undeploy(
    State(runtime): State<Runtime>,
    Asker(caller): Asker,
    Place(at): Place<OfDeployment>,
    Conditions(condition): Conditions,
) -> Answer<StatusCode> {
    runtime.undeploy(&caller, &at.environment, &at.project, &condition).await?;
    Ok(StatusCode::NO_CONTENT)
}
