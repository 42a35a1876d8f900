//! Access before the request's own faults: 401, 404, 403, and only then what is wrong with its query or
//! body, which is not read before.
//!
//! The table says of each route that takes a body or a query what its address alone asks of access.
//! The extractors of both ask it, and a route that is not in it takes neither. What a route without
//! them asks, its use case asks first of all.

use std::collections::HashMap;

use axum::extract::{FromRequestParts as _, MatchedPath, Path};
use http::{Method, request::Parts};
use lockgate_model::{Kind, id::EnvironmentId};
use lockgate_runtime::{Caller, Error, Intent, Runtime};

use crate::respond::Refused;

/// Lets through whom access lets through as far as the address tells.
pub(crate) async fn pass(parts: &mut Parts, runtime: &Runtime) -> Result<(), Refused> {
    let caller = parts.extensions.get::<Caller>().cloned().ok_or(Error::Unauthenticated)?;
    let route = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let names = Path::from_request_parts(parts, runtime).await.map(|Path(names)| names);
    let at = At(names.map_err(|_| Refused::not_found("such object"))?);
    let rest = route.strip_prefix("/admin/v1/tenants/{tenant}").unwrap_or_default();
    runtime.admit(&caller, &intent(&parts.method, rest, &at)?).await?;
    Ok(())
}

/// The names in a path.
struct At(HashMap<String, String>);

impl At {
    /// What cannot be an id names nothing that exists.
    fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Refused> {
        let found = self.0.get(name).and_then(|text| text.parse().ok());
        found.ok_or_else(|| Refused::not_found("such object"))
    }

    /// The kind of a definition, as it stands in the path.
    fn kind(&self) -> Result<Kind, Refused> {
        match self.0.get("kind").map(String::as_str) {
            Some("users") => Ok(Kind::User),
            Some("groups") => Ok(Kind::Group),
            Some("profiles") => Ok(Kind::Profile),
            Some("acls") => Ok(Kind::Acl),
            Some("environments") => Ok(Kind::Environment),
            _ => Err(Refused::not_found("such object")),
        }
    }
}

/// The table.
fn intent(method: &Method, route: &str, at: &At) -> Result<Intent, Refused> {
    let below = |name: &str| at.id::<EnvironmentId>(name).map(|environment| format!("{environment}/"));
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    Ok(match (method.as_str(), route) {
        ("GET", "/sessions") => Intent::LookAtOneself,
        ("GET", "/users/{id}/sessions" | "/users/{id}/keys" | "/users/{id}/certificates") => Intent::LookAtCredentials,
        ("GET", "/{kind}") => Intent::Look(at.kind()?, String::new()),
        ("GET", "/project-permissions") => Intent::Look(Kind::ProjectPermission, String::new()),
        ("GET", "/projects" | "/projects/{project}/versions") => Intent::Look(Kind::Project, String::new()),
        ("GET", "/environments/{environment}/acls") => Intent::Look(Kind::Assignment, below("environment")?),
        ("GET", "/environments/{environment}/accounts") => Intent::Look(Kind::Account, below("environment")?),
        ("GET", "/environments/{environment}/deployments") => Intent::Look(Kind::Deployment, below("environment")?),
        ("GET", "/environments/{environment}/schedules") => Intent::LookAtSchedules(at.id("environment")?),
        ("PUT", "/{kind}/{id}") => Intent::Define(vec![at.kind()?]),
        ("PUT", "/project-permissions/{project}/{name}") => Intent::Define(vec![Kind::ProjectPermission]),
        ("PUT", "/environments/{environment}/acls/{kind}/{name}") => Intent::Define(vec![Kind::Assignment]),
        ("POST", "/apply" | "/access/what-if") => Intent::Batch,
        ("POST", "/users/{id}/keys" | "/users/{id}/certificates") => Intent::HandOutCredentials,
        ("POST", "/support") => Intent::OpenSupport,
        ("PUT", "/password-policy") => Intent::AdministerSecurity,
        ("POST", "/second-factor" | "/second-factor/confirm" | "/second-factor/remove")
        | ("POST", "/passkeys" | "/passkeys/confirm" | "/passkeys/{id}/remove")
        | ("PUT", "/passkeys/{id}") => Intent::SetUpOneself,
        ("POST", "/projects/{project}/versions") => Intent::Push(at.id("project")?),
        ("PUT", "/environments/{environment}/accounts/{name}")
        | ("POST", "/environments/{environment}/accounts/{name}/identity") => {
            Intent::BindAccount(at.id("environment")?)
        }
        ("PUT", "/environments/{environment}/deployments/{project}") => {
            Intent::Deploy(at.id("environment")?, at.id("project")?)
        }
        ("POST", "/environments/{environment}/deployments/{project}/rollback") => {
            Intent::Deploy(at.id("environment")?, at.id("project")?)
        }
        ("GET", "/environments/{environment}/deployments/{project}/from/{from}") => {
            Intent::PlanPromotion { from: at.id("from")?, to: at.id("environment")? }
        }
        ("POST", "/environments/{environment}/deployments/{project}/from/{from}") => {
            Intent::Promote { project: at.id("project")?, from: at.id("from")?, to: at.id("environment")? }
        }
        ("GET", "/environments/{environment}/runs" | "/environments/{environment}/logs") => {
            Intent::LookAtRuns(at.id("environment")?)
        }
        ("POST", "/environments/{environment}/runs") => Intent::Execute(at.id("environment")?),
        ("POST", "/environments/{environment}/runs/{id}/restart") => Intent::ControlRuns(at.id("environment")?),
        ("GET", "/audit" | "/audit/heads" | "/audit/find") | ("POST", "/audit/export") => Intent::ReadAudit,
        ("POST", "/access/why") => Intent::AskAboutOneself,
        ("GET", "/access/matrix") => Intent::ReadMatrix,
        ("GET", "/export") => Intent::Export,
        _ => return Err(Error::Internal { what: "access to this address".into() }.into()),
    })
}
