//! Every route of the OpenAPI document has its refusals. A route that is not in the table fails the
//! test: add a line with what a user without any profile is told.

use std::collections::BTreeSet;

use axum::body::Body;
use http::Request;
use lockgate_admin::openapi;
use lockgate_model::Limits;
use serde_json::{Value, json};

use crate::house::{House, basic};

/// Routes that ask for no credential, each with its reason. This list may only shrink.
const OPEN: [(&str, &str, &str); 4] = [
    ("post", "/admin/v1/tenants/{tenant}/login", "it is where a credential is proved"),
    ("post", "/admin/v1/tenants/{tenant}/login/passkey", "it is where a proof begins"),
    ("get", "/admin/v1/connectors", "it describes the product"),
    ("get", "/admin/v1/connectors/{name}", "it describes the product"),
];

/// Method, path below the tenant, and what a user of the tenant without any profile is told.
const REFUSED: &[(&str, &str, u16)] = &[
    // Anybody may ask who they are, and leave.
    ("post", "/logout", 204),
    ("get", "/whoami", 200),
    ("get", "/sessions", 200),
    ("delete", "/sessions/{id}", 403),
    ("get", "/users/{id}/sessions", 403),
    ("delete", "/users/{id}/sessions", 403),
    ("get", "/{kind}", 403),
    ("get", "/{kind}/{id}", 403),
    ("put", "/{kind}/{id}", 403),
    ("delete", "/{kind}/{id}", 403),
    ("get", "/project-permissions", 403),
    ("get", "/project-permissions/{project}/{name}", 403),
    ("put", "/project-permissions/{project}/{name}", 403),
    ("delete", "/project-permissions/{project}/{name}", 403),
    ("post", "/apply", 403),
    ("get", "/export", 404),
    ("get", "/environments/{environment}/acls", 404),
    ("get", "/environments/{environment}/acls/{kind}/{name}", 404),
    ("put", "/environments/{environment}/acls/{kind}/{name}", 403),
    ("delete", "/environments/{environment}/acls/{kind}/{name}", 403),
    ("post", "/users/{id}/token", 403),
    ("post", "/users/{id}/keys", 403),
    ("get", "/users/{id}/keys", 403),
    ("delete", "/keys/{id}", 403),
    ("post", "/users/{id}/certificates", 403),
    ("get", "/users/{id}/certificates", 403),
    ("delete", "/certificates/{id}", 403),
    ("post", "/users/{id}/expire-password", 403),
    ("get", "/record", 403),
    ("get", "/limits", 403),
    ("get", "/support", 403),
    ("post", "/support", 403),
    ("delete", "/support/{id}", 403),
    ("get", "/password-policy", 403),
    ("put", "/password-policy", 403),
    ("get", "/second-factor", 403),
    ("post", "/second-factor", 403),
    ("post", "/second-factor/confirm", 403),
    ("post", "/second-factor/remove", 403),
    ("delete", "/users/{id}/second-factor", 403),
    ("get", "/passkeys", 403),
    ("post", "/passkeys", 403),
    ("post", "/passkeys/confirm", 403),
    ("put", "/passkeys/{id}", 403),
    ("post", "/passkeys/{id}/remove", 403),
    ("get", "/projects", 404),
    ("post", "/projects/{project}/versions", 404),
    ("get", "/projects/{project}/versions", 404),
    ("get", "/environments/{environment}/accounts", 404),
    ("get", "/environments/{environment}/accounts/{name}", 404),
    ("put", "/environments/{environment}/accounts/{name}", 404),
    ("delete", "/environments/{environment}/accounts/{name}", 404),
    ("post", "/environments/{environment}/accounts/{name}/identity", 404),
    ("post", "/environments/{environment}/accounts/{name}/test", 404),
    ("get", "/environments/{environment}/deployments", 404),
    ("get", "/environments/{environment}/deployments/{project}", 404),
    ("put", "/environments/{environment}/deployments/{project}", 404),
    ("delete", "/environments/{environment}/deployments/{project}", 404),
    ("post", "/environments/{environment}/deployments/{project}/adopt", 404),
    ("get", "/environments/{environment}/schedules", 404),
    ("post", "/environments/{environment}/schedules/{name}/pause", 404),
    ("post", "/environments/{environment}/schedules/{name}/resume", 404),
    ("post", "/environments/{environment}/schedules/{name}/skip", 404),
    ("post", "/environments/{environment}/schedules/{name}/run", 404),
    ("get", "/environments/{environment}/deployments/{project}/from/{from}", 404),
    ("post", "/environments/{environment}/deployments/{project}/from/{from}", 404),
    ("post", "/environments/{environment}/deployments/{project}/rollback", 404),
    ("get", "/environments/{environment}/runs", 404),
    ("post", "/environments/{environment}/runs", 404),
    ("get", "/environments/{environment}/runs/{id}", 404),
    ("post", "/environments/{environment}/runs/{id}/cancel", 404),
    ("get", "/environments/{environment}/runs/{id}/restart", 404),
    ("post", "/environments/{environment}/runs/{id}/restart", 404),
    ("get", "/environments/{environment}/logs", 404),
    ("get", "/audit", 403),
    ("get", "/audit/heads", 403),
    ("get", "/audit/find", 403),
    ("post", "/audit/export", 403),
    ("post", "/access/why", 403),
    ("get", "/access/matrix", 403),
    ("post", "/access/what-if", 403),
];

/// A body that each route that takes one would take.
pub fn body(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("put", "/{kind}/{id}") => json!({"kind": "native"}),
        ("put", "/project-permissions/{project}/{name}") => json!({"permissions": []}),
        ("post", "/audit/export") => json!({"format": "csv"}),
        ("post", "/apply" | "/access/what-if") => json!({"items": [{"kind": "group", "id": "g", "body": {}}]}),
        ("put", "/environments/{environment}/acls/{kind}/{name}") => json!({"acl": "default"}),
        ("post", "/users/{id}/keys") => json!({}),
        ("post", "/users/{id}/certificates") => json!({"certificate": "-----BEGIN CERTIFICATE-----"}),
        ("post", "/support") => json!({"environments": ["development"]}),
        ("put", "/password-policy") => json!({"preset": "classic"}),
        ("post", "/second-factor" | "/passkeys") => json!({"password": "wrong"}),
        ("post", "/passkeys/confirm") => json!({"ceremony": "none", "credential": {}, "title": "key"}),
        ("put", "/passkeys/{id}") => json!({"title": "key"}),
        ("post", "/passkeys/{id}/remove") => json!({"code": "000000"}),
        ("post", "/second-factor/confirm" | "/second-factor/remove") => json!({"code": "000000"}),
        ("post", "/projects/{project}/versions") => json!({"files": {
            "project.yaml": "project: shop\n",
            "echo.flow.yaml": "document: { dsl: '1.0.3', namespace: test, name: echo, version: '1.0.0' }\n\
                evaluate: { language: jsonata }\ndo:\n  - back: { set: { got: '${ $ }' } }\n",
        }}),
        ("put", "/environments/{environment}/accounts/{name}") => {
            json!({"connector": "https", "address": "https://erp.example.com", "identity": "system"})
        }
        ("post", "/environments/{environment}/accounts/{name}/identity") => {
            json!({"connector": "https", "address": "https://erp.example.com"})
        }
        ("put", "/environments/{environment}/deployments/{project}")
        | ("post", "/environments/{environment}/deployments/{project}/from/{from}") => json!({}),
        ("post", "/environments/{environment}/runs") => json!({"name": "echo"}),
        ("post", "/environments/{environment}/runs/{id}/restart") => json!({"input": {}}),
        ("post", "/access/why") => json!({"user": "ada", "environment": "development", "name": "echo"}),
        _ => return None,
    })
}

/// The path with ids in the place of its parameters: of things that are there where that is possible.
fn filled(path: &str, id: &str) -> String {
    let own = |kind: &str| if path.contains("/acls/{kind}") { "integrations" } else { kind }.to_owned();
    path.replace("{environment}", "development")
        .replace("{from}", "test")
        .replace("{kind}", &own("users"))
        .replace("{project}", "shop")
        .replace("{id}", id)
        .replace("{name}", id)
}

/// All routes below a tenant: method and rest of the path.
pub fn routes() -> Vec<(String, String)> {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if OPEN.iter().any(|(m, p, _)| m == method && p == path) {
                continue;
            }
            let rest = path.strip_prefix("/admin/v1/tenants/{tenant}");
            let rest = rest.unwrap_or_else(|| panic!("{method} {path} is not of a tenant: who may ask it?"));
            found.push((method.clone(), rest.to_owned()));
        }
    }
    found
}

#[test]
fn every_route_has_its_line() {
    let in_table: BTreeSet<_> = REFUSED.iter().map(|(m, p, _)| ((*m).to_owned(), (*p).to_owned())).collect();
    assert_eq!(in_table.len(), REFUSED.len(), "a route stands twice");
    let real: BTreeSet<_> = routes().into_iter().collect();
    let missing: Vec<_> = real.difference(&in_table).collect();
    assert!(missing.is_empty(), "without a refusal case: add a line to REFUSED for each of {missing:?}");
    let gone: Vec<_> = in_table.difference(&real).collect();
    assert!(gone.is_empty(), "no longer there: {gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_without_a_credential_of_the_tenant() {
    let house = House::open().await;
    let login = json!({"user": "bob", "password": crate::house::PASSWORD});
    let told = house.send("POST", "/admin/v1/tenants/other/login", None, Some(login)).await;
    let session_of_bob = format!("Bearer {}", told.json()["session"].as_str().unwrap());
    let mut answers = BTreeSet::new();
    for (number, (method, path)) in routes().into_iter().enumerate() {
        let full = format!("/admin/v1/tenants/acme{}", filled(&path, "ada"));
        let bob = basic("bob");
        // Wrong passwords of one source are slowed down.
        let source = format!("192.0.2.{number}");
        for (who, credential) in [
            ("nobody", None),
            ("a stranger by password", Some(bob.as_str())),
            ("a stranger by session", Some(session_of_bob.as_str())),
            ("a made-up key", Some("Bearer lgk_abc_def")),
            ("no known scheme", Some("Digest x")),
        ] {
            // The body is not looked at: it may be none.
            let (method, body) = (method.to_uppercase(), Some(json!("no body")));
            let told = house.send_from(&source, &method, &full, credential, body).await;
            assert_eq!(told.status, 401, "{method} {path} by {who}: {}", told.text);
            assert!(told.headers.contains_key("www-authenticate"));
            answers.insert(told.text);
        }
    }
    assert_eq!(answers.len(), 1, "a 401 says nothing: {answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_profiles_is_refused_everywhere() {
    let house = House::open().await;
    house.user("eve", &[]).await;
    for (method, path, expected) in REFUSED {
        let full = format!("/admin/v1/tenants/acme{}", filled(path, "00000000-0000-7000-8000-000000000000"));
        let told = house.send(&method.to_uppercase(), &full, Some(&basic("eve")), body(method, path)).await;
        assert_eq!(told.status, *expected, "{method} {path}: {}", told.text);
    }
}

/// What is told to whom a profile lets into every environment without a permission for it: 403, but
/// where 404 is told of what is not there.
const OTHERWISE: &[(&str, &str, u16)] = &[
    ("post", "/logout", 204),
    ("get", "/whoami", 200),
    ("get", "/sessions", 200),
    // Every profile has `manage-personal-setup`.
    ("get", "/second-factor", 200),
    ("post", "/second-factor", 401),
    ("post", "/second-factor/confirm", 409),
    ("post", "/second-factor/remove", 404),
    ("get", "/passkeys", 200),
    ("post", "/passkeys", 401),
    // This server has no name.
    ("post", "/passkeys/confirm", 409),
    ("put", "/passkeys/{id}", 404),
    ("post", "/passkeys/{id}/remove", 404),
    // Which permission it takes depends on what is to run, and that is not there.
    ("post", "/environments/{environment}/runs", 404),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_the_permission_is_refused_everywhere() {
    let house = House::open().await;
    house.user("eve", &["api-portal-provider"]).await;
    for (method, path, _) in REFUSED {
        let expected = OTHERWISE.iter().find(|(m, p, _)| (m, p) == (method, path)).map_or(403, |(_, _, told)| *told);
        let full = format!("/admin/v1/tenants/acme{}", filled(path, "00000000-0000-7000-8000-000000000000"));
        let told = house.send(&method.to_uppercase(), &full, Some(&basic("eve")), body(method, path)).await;
        assert_eq!(told.status, expected, "{method} {path}: {}", told.text);
    }
}

/// Routes that anybody of the tenant may ask about themself: there the request's own faults are told.
const ABOUT_ONESELF: [(&str, &str); 4] =
    [("post", "/logout"), ("get", "/whoami"), ("get", "/sessions"), ("post", "/access/why")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_comes_before_the_requests_own_faults() {
    let house = House::open().await;
    house.user("eve", &[]).await;
    let key = house.ada("POST", "users/eve/keys", Some(json!({}))).await.json()["key"].as_str().unwrap().to_owned();
    let refused = REFUSED.iter().filter(|(method, path, _)| !ABOUT_ONESELF.contains(&(method, path)));
    for (method, path, expected) in refused {
        let full = format!("/admin/v1/tenants/acme{}", filled(path, "00000000-0000-7000-8000-000000000000"));
        for query in ["", "?phase=bogus&limit=-1&run=x&after=1&unknown=1"] {
            for (content_type, body) in [
                ("application/json", "{{{"),
                ("application/json", ""),
                ("application/json", "[1]"),
                ("application/json", "{\"days\": -1, \"days\": \"x\", \"unknown\": 1}"),
                ("application/json", &"[".repeat(300 << 10)),
                ("text/plain", "{}"),
            ] {
                let request = Request::builder()
                    .method(method.to_uppercase().as_str())
                    .uri(format!("{full}{query}"))
                    .header("authorization", format!("Bearer {key}"))
                    .header("content-type", content_type)
                    .body(Body::from(body.to_owned()));
                let told = house.ask(request.unwrap()).await;
                assert_eq!(told.status, *expected, "{method} {path}{query} {body:.30}: {}", told.text);
            }
        }
    }
    // The same faults are told to who may.
    for (path, body) in [("users/eve/keys", json!({"days": 0})), ("apply", json!({"items": 1}))] {
        assert_eq!(house.ada("POST", path, Some(body)).await.status, 400, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_text_is_not_there_and_makes_nobody_a_stranger() {
    let house = House::open().await;
    for (method, path) in routes().into_iter().filter(|(_, path)| path.contains('{')) {
        for name in ["{environment}", "{from}", "{kind}", "{project}", "{id}", "{name}"] {
            if !path.contains(name) {
                continue;
            }
            let full = format!("/admin/v1/tenants/acme{}", filled(&path.replace(name, "%ff"), "x"));
            let body = body(&method, &path).or_else(|| Some(json!({})));
            let told = house.send(&method.to_uppercase(), &full, Some(&basic("ada")), body).await;
            assert_eq!((told.status, told.code().as_str()), (404, "LG-NOT-FOUND"), "{method} {full}: {}", told.text);
        }
    }
    let nowhere = "/admin/v1/tenants/%ff/whoami";
    assert_eq!(house.send("GET", nowhere, Some(&basic("ada")), None).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_an_id_is_not_there() {
    let house = House::open().await;
    for (method, path) in routes().into_iter().filter(|(_, path)| path.contains('{')) {
        // Where PUT would make the object, the answer says what an id is.
        let makes = method == "put" && (path.starts_with("/{kind}/") || path.starts_with("/project-permissions/"));
        let expected = if makes { (400, "LG-ID") } else { (404, "LG-NOT-FOUND") };
        for id in ["%20", "Ada", "..%2F..", "%00", "a%2Fb"] {
            let kind = if makes { "users" } else { id };
            let bad = path
                .replace("{environment}", id)
                .replace("{from}", id)
                .replace("{project}", id)
                .replace("{kind}", kind);
            let full = format!("/admin/v1/tenants/acme{}", bad.replace("{id}", id).replace("{name}", id));
            let body = body(&method, &path).or_else(|| Some(json!({})));
            let told = house.send(&method.to_uppercase(), &full, Some(&basic("ada")), body).await;
            assert_eq!((told.status, told.code().as_str()), expected, "{method} {full}: {}", told.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_wrong_as_http() {
    let house = House::open().await;
    let send = async |method: &str, path: &str, content_type: Option<&str>, body: Vec<u8>| {
        let mut request = Request::builder().method(method).uri(path).header("authorization", basic("ada"));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let told = house.ask(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(told.headers["cache-control"], "no-store");
        (told.status, told.code())
    };
    let user = "/admin/v1/tenants/acme/users/ben";
    let json = Some("application/json");
    assert_eq!(send("PUT", user, None, b"{}".into()).await, (415, "LG-CONTENT-TYPE".into()));
    assert_eq!(send("PUT", user, Some("text/plain"), b"{}".into()).await, (415, "LG-CONTENT-TYPE".into()));
    assert_eq!(send("PUT", user, json, b"{".into()).await, (400, "LG-BODY".into()));
    assert_eq!(send("PUT", user, json, b"{\"kind\": \"ghost\"}".into()).await, (400, "LG-BODY".into()));
    assert_eq!(send("PUT", user, json, vec![b' '; 300 << 10]).await, (413, "LG-BODY-TOO-LARGE".into()));
    assert_eq!(send("PATCH", user, json, b"{}".into()).await, (405, "LG-METHOD".into()));
    assert_eq!(send("GET", "/admin/v1/tenants/acme/users/ben/x", None, vec![]).await, (404, "LG-NOT-FOUND".into()));
    assert_eq!(send("GET", "/admin/v2", None, vec![]).await, (404, "LG-NOT-FOUND".into()));
    let runs = "/admin/v1/tenants/acme/environments/development/runs";
    for query in ["phase=happy", "limit=-1", "before=x", "name=A", "unknown=1"] {
        assert_eq!(send("GET", &format!("{runs}?{query}"), None, vec![]).await, (400, "LG-QUERY".into()), "{query}");
    }
    for (query, told) in [
        (
            "phase=bogus",
            "`phase` cannot be `bogus`: it is one of `pending`, `running`, `waiting`, `completed`, `faulted`, `cancelled`, `denied`, `lost`",
        ),
        ("limit=many", "`limit` cannot be `many`: it is a whole number from 1 to 1000"),
        ("limit=0", "`limit` cannot be `0`: it is a whole number from 1 to 1000"),
        ("limit=99999999999", "`limit` cannot be `99999999999`: it is a whole number from 1 to 1000"),
        ("since=noon", "`since` cannot be `noon`: it is a whole number"),
        ("limit=1&limit=2", "the query has `limit` more than once"),
        (
            "phas=lost",
            "the query has no parameter `phas`; it has `name`, `phase`, `before`, `since`, `limit`, `cursor`",
        ),
    ] {
        let got = house.ada("GET", &format!("environments/development/runs?{query}"), None).await.json();
        assert_eq!(got["detail"], told, "{query}");
    }
    let name = house.ada("GET", "environments/development/runs?name=A%20b", None).await.text;
    assert!(name.contains("`name` cannot be `A b`: "), "{name}");
    let logs = "/admin/v1/tenants/acme/environments/development/logs";
    for query in ["after=x", "after=1.5", "run=1", "limit=-1", "follow=1"] {
        assert_eq!(send("GET", &format!("{logs}?{query}"), None, vec![]).await, (400, "LG-QUERY".into()), "{query}");
    }
    for query in ["after=1", "newest=5&limit=5", "newest=x"] {
        let audit = format!("/admin/v1/tenants/acme/audit?{query}");
        assert_eq!(send("GET", &audit, None, vec![]).await, (400, "LG-QUERY".into()), "{query}");
    }
    for query in ["before_at=1", "from=yesterday", "outcome=perhaps", "channel=fax", "limit=-1", "who=ada"] {
        let found = format!("/admin/v1/tenants/acme/audit/find?{query}");
        assert_eq!(send("GET", &found, None, vec![]).await, (400, "LG-QUERY".into()), "{query}");
    }
    for body in [
        "{\"user\":\"ada\"}",
        "{\"user\":\"ada\",\"password\":\"a\",\"token\":\"b\"}",
        "{\"user\":\"ada\",\"token\":\"b\"}",
    ] {
        let path = "/admin/v1/tenants/acme/login";
        assert_eq!(send("POST", path, json, body.into()).await, (400, "LG-LOGIN".into()), "{body}");
    }
    // Two credentials: nobody could say which one was meant.
    let twice = Request::builder()
        .uri("/admin/v1/tenants/acme/whoami")
        .header("authorization", basic("ada"))
        .header("authorization", basic("bob"));
    assert_eq!(house.ask(twice.body(Body::empty()).unwrap()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_type_of_a_refusal_leads_to_the_page_that_explains_it() {
    let house = House::open().await;
    let refused = house.ada("GET", "users/nobody", None).await.json();
    let (page, row) = refused["type"].as_str().unwrap().split_once('#').unwrap();
    let page = house.send("GET", page, None, None).await;
    assert_eq!((page.status, &page.headers["content-type"]), (200, &"text/markdown; charset=utf-8".parse().unwrap()));
    assert!(page.text.contains(&format!("| {row} | 404 |")), "{row}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_is_read_under_the_tenants_own_limits() {
    let house = House::open().await;
    house.user("pat", &["administrator"]).await;
    let pat = async |method: &str, path: &str, body| {
        house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&basic("pat")), Some(body)).await
    };
    let pushed = pat("POST", "projects/shop/versions", body("post", "/projects/{project}/versions").unwrap()).await;
    assert_eq!(pushed.status, 200, "{}", pushed.text);
    let deployed = pat("PUT", "environments/development/deployments/shop", json!({})).await;
    assert_eq!(deployed.status, 200, "{}", deployed.text);
    let run = async |input: Value| {
        let told = pat("POST", "environments/development/runs", json!({"name": "echo", "input": input})).await;
        (told.status, told.code())
    };
    let (deep, long) = (json!([[[[1]]]]), json!("x".repeat(2_000)));
    assert_eq!((run(deep.clone()).await.0, run(long.clone()).await.0), (200, 200));
    house.limit(&Limits { depth_max: 3, request_bytes_max: 1_000, ..Limits::default() }).await;
    let began = std::time::Instant::now();
    while run(deep.clone()).await != (400, "LG-JSON".into()) {
        assert!(began.elapsed().as_secs() < 30, "the limits are not kept: {:?}", run(deep.clone()).await);
    }
    assert_eq!(run(long).await, (413, "LG-BODY-TOO-LARGE".into()));
    assert_eq!(run(json!([1])).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_narrowed_key_sees_its_environment_alone() {
    let house = House::open().await;
    house.user("pat", &["administrator"]).await;
    let shop = body("post", "/projects/{project}/versions");
    let pat = basic("pat");
    let pushed = house.send("POST", "/admin/v1/tenants/acme/projects/shop/versions", Some(&pat), shop).await;
    assert_eq!(pushed.status, 200, "{}", pushed.text);
    for (environment, projects) in [("development", 200), ("test", 403)] {
        let key = house.ada("POST", "users/pat/keys", Some(json!({"environment": environment}))).await.json();
        let key = format!("Bearer {}", key["key"].as_str().unwrap());
        let get =
            async |path: &str| house.send("GET", &format!("/admin/v1/tenants/acme/{path}"), Some(&key), None).await;
        let seen = get("environments").await.json();
        let seen: Vec<_> = seen["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(seen, [environment]);
        assert_eq!(get(&format!("environments/{environment}")).await.status, 200);
        for other in ["live", "nowhere"] {
            let told = get(&format!("environments/{other}")).await;
            assert_eq!((told.status, told.code().as_str()), (404, "LG-NOT-FOUND"), "{other}: {}", told.text);
        }
        for path in ["projects", "projects/shop/versions"] {
            let told = get(path).await;
            assert_eq!(told.status, projects, "{path} by a key for {environment}: {}", told.text);
        }
    }
}
