//! The router of the admin API and its OpenAPI document, made from the same list.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::{HeaderValue, header};
use lockgate_runtime::{Error, Runtime};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, OpenApi as Document, RefOr, Schema,
        schema::AnyOf,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

use crate::{
    respond::{PROBLEM, Refused},
    routes::{
        access, accounts, assignments, connectors, credentials, definitions, deployments, export, logs, passkeys,
        password_policy, projects, runs, schedules, second_factor, session, support, tenant,
    },
};

/// Bytes of a body where nothing else is said.
const BODY_BYTES_MAX: usize = 256 << 10;
/// Bytes of a login: with an answer of a passkey comes what was asked of it, which has the public keys of all its user's passkeys.
const LOGIN_BYTES_MAX: usize = 32 << 10;
/// Bytes of a batch of definitions.
const APPLY_BYTES_MAX: usize = 4 << 20;
/// Bytes of a pushed version: 16 MiB of sources and what JSON puts around them.
const PUSH_BYTES_MAX: usize = 24 << 20;
/// Bytes of an input with what is around it.
const RUN_BYTES_MAX: usize = (16 << 20) + (64 << 10);

/// The page of errors, to which the types of refusals lead (RFC 9457 §3.1.1).
const ERRORS: &str = include_str!("../../../docs/errors.md");
/// RFC 7763.
const MARKDOWN: &str = "text/markdown; charset=utf-8";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lockgate admin API",
        description = "Everything the command line and the console do. Times are microseconds since \
            1970-01-01T00:00:00Z. A change is answered when every node decides on it.",
    ),
    modifiers(&Credentials),
    security(("basic" = []), ("bearer" = [])),
    tags(
        (name = "session", description = "Login, logout, who one is, and live sessions."),
        (name = "definitions", description = "Users, groups, profiles, ACLs, environments, project permissions; all of it as one export."),
        (name = "assignments", description = "Which ACL a target uses in an environment."),
        (name = "credentials", description = "One-time tokens, API keys, client certificates, passwords and second factors."),
        (name = "tenant", description = "The tenant's own record, and its limits, which the operator sets."),
        (name = "support", description = "What the operator may look at, by grant and for some hours."),
        (name = "projects", description = "Projects and their versions."),
        (name = "accounts", description = "Accounts of an environment: address, identity, secrets."),
        (name = "deployments", description = "What is active in an environment."),
        (name = "schedules", description = "What runs by itself: when it fires next, pausing, resuming, running now."),
        (name = "runs", description = "Runs, their log lines, running now, cancelling, and restarting."),
        (name = "access", description = "Why somebody may do something, and what was done."),
        (name = "connectors", description = "The connectors that ship."),
    ),
)]
struct Description;

/// The ways to prove oneself.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let basic = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some("User id and password of a native user."))
            .build();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A login session, or an API key (`lgk_…`)."))
            .build();
        components.add_security_scheme("basic", SecurityScheme::Http(basic));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The admin API, everything under `/admin/v1`. It is mounted on a listener that puts the peer's
/// `std::net::SocketAddr` into each request's extensions.
pub fn router(runtime: Runtime) -> Router {
    let (router, mut document) = all().split_for_parts();
    finish(&mut document);
    router
        .route("/admin/v1/openapi.json", get(async move || Json(document)))
        .route("/admin/v1/errors", get(async || ([(header::CONTENT_TYPE, MARKDOWN)], ERRORS)))
        .fallback(async || Refused::not_found("such address"))
        .method_not_allowed_fallback(async || Refused::method())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(to_the_end))
        .layer(middleware::from_fn(not_kept))
        .layer(middleware::from_fn(crate::log::line))
        .with_state(runtime)
}

/// The OpenAPI document of the admin API.
pub fn openapi() -> Document {
    let mut document = all().into_openapi();
    finish(&mut document);
    document
}

/// What is the same for all operations: every answer says what it is, and the bodies of refusals have their media type,
/// which is that of no other body. The body of a definition may be that of two kinds.
fn finish(document: &mut Document) {
    let schemas = document.components.as_mut().map(|components| &mut components.schemas);
    if let Some(RefOr::T(schema)) = schemas.and_then(|schemas| schemas.get_mut("DefinitionBody"))
        && let Schema::OneOf(all) = schema
    {
        let any = AnyOf { items: std::mem::take(&mut all.items), description: all.description.take(), ..AnyOf::new() };
        *schema = Schema::AnyOf(any);
    }

    let operations = document.paths.paths.values_mut().flat_map(|item| {
        [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().filter_map(Option::as_mut)
    });
    for (status, response) in operations.flat_map(|operation| operation.responses.responses.iter_mut()) {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            response.description = if status == "204" { "It is done." } else { "What was asked for." }.to_owned();
        }
        let told = std::mem::take(&mut response.content).into_iter();
        let named = told.map(|(media_type, content)| match &content {
            RefOr::T(Content { schema: Some(RefOr::Ref(to)), .. }) if to.ref_location.ends_with("/Refusal") => {
                (PROBLEM.to_owned(), content)
            }
            _ => (media_type, content),
        });
        response.content = named.collect();
    }
}

fn all() -> OpenApiRouter<Runtime> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(session::login).layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .routes(routes!(session::logout))
        .routes(routes!(session::whoami))
        .routes(routes!(session::own))
        .routes(routes!(session::end))
        .routes(routes!(session::of_user, session::end_of_user))
        .routes(routes!(definitions::list))
        .routes(routes!(definitions::get, definitions::put, definitions::delete))
        .routes(routes!(definitions::list_project_permissions))
        .routes(routes!(
            definitions::get_project_permission,
            definitions::put_project_permission,
            definitions::delete_project_permission
        ))
        .routes(routes!(definitions::apply).layer(DefaultBodyLimit::max(APPLY_BYTES_MAX)))
        .routes(routes!(export::export))
        .routes(routes!(assignments::list))
        .routes(routes!(assignments::get, assignments::put, assignments::delete))
        .routes(routes!(credentials::invite))
        .routes(routes!(credentials::add_key, credentials::keys))
        .routes(routes!(credentials::remove_key))
        .routes(routes!(credentials::expire_password))
        .routes(routes!(credentials::add_certificate, credentials::certificates))
        .routes(routes!(credentials::remove_certificate))
        .routes(routes!(password_policy::get, password_policy::put))
        .routes(routes!(second_factor::status, second_factor::enrol).layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .routes(routes!(second_factor::confirm).layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .routes(routes!(second_factor::remove).layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .routes(routes!(second_factor::take))
        .routes(routes!(tenant::record))
        .routes(routes!(tenant::limits))
        .routes(routes!(support::list, support::open))
        .routes(routes!(support::end))
        .routes(routes!(passkeys::begin_login).layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .routes(routes!(passkeys::list, passkeys::begin).layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .routes(routes!(passkeys::add))
        .routes(routes!(passkeys::rename))
        .routes(routes!(passkeys::remove).layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .routes(routes!(projects::list))
        .routes(routes!(projects::push, projects::versions).layer(DefaultBodyLimit::max(PUSH_BYTES_MAX)))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::get, accounts::bind, accounts::unbind))
        .routes(routes!(accounts::identity))
        .routes(routes!(accounts::test))
        .routes(routes!(deployments::list))
        .routes(routes!(deployments::get, deployments::deploy, deployments::undeploy))
        .routes(routes!(deployments::adopt))
        .routes(routes!(schedules::list))
        .routes(routes!(schedules::pause))
        .routes(routes!(schedules::resume))
        .routes(routes!(schedules::skip))
        .routes(routes!(schedules::run))
        .routes(routes!(deployments::promotion, deployments::promote))
        .routes(routes!(deployments::rollback))
        .routes(routes!(runs::list, runs::run).layer(DefaultBodyLimit::max(RUN_BYTES_MAX)))
        .routes(routes!(runs::get))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::restart_plan, runs::restart).layer(DefaultBodyLimit::max(RUN_BYTES_MAX)))
        .routes(routes!(logs::list))
        .routes(routes!(access::audit))
        .routes(routes!(access::find))
        .routes(routes!(access::export))
        .routes(routes!(access::heads))
        .routes(routes!(access::why))
        .routes(routes!(access::matrix))
        .routes(routes!(access::what_if).layer(DefaultBodyLimit::max(APPLY_BYTES_MAX)))
        .routes(routes!(connectors::list))
        .routes(routes!(connectors::get))
}

/// Where a change may end sessions, as the path's first part behind the tenant.
const ENDS_SESSIONS: [&str; 8] =
    ["login", "logout", "{kind}", "users", "apply", "sessions", "second-factor", "passkeys"];

/// A change that was begun comes to its end where whoever asked for it goes away: sessions that end with it end after it
/// is written. Others are given up with who waits for them, so that nobody leaves work behind that nobody wants.
async fn to_the_end(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let behind = matched.strip_prefix("/admin/v1/tenants/{tenant}/").and_then(|path| path.split('/').next());
    if request.method().is_safe() || !behind.is_some_and(|part| ENDS_SESSIONS.contains(&part)) {
        return next.run(request).await;
    }
    let ended = tokio::spawn(next.run(request)).await;
    ended.unwrap_or_else(|_| Refused::from(Error::Internal { what: "answering".into() }).into_response())
}

/// Nothing of this API may be kept by a cache or guessed at by a browser.
async fn not_kept(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
