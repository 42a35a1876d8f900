//! `POST /{tenant}/{environment}/{name}` with a whole runtime behind it; refusals first.

use std::{convert::Infallible, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use lockgate_compiler::Sources;
use lockgate_connector_api::Registry;
use lockgate_engine::{Engine, EngineConfig};
use lockgate_keys::{ClientCertificates, Master};
use lockgate_listener::{Front, RequestBody, Settings};
use lockgate_model::{
    Kind,
    id::{EnvironmentId, ProjectId, TenantId, UserId},
};
use lockgate_runtime::{Caller, Clock, Deploy, Error, Login, NewTenant, Parts, Runtime, SecretText};
use lockgate_store::SqliteStore;
use serde_json::{Value, json};

use crate::support::{Running, request};

pub const PASSWORD: &str = "Correct-Horse-7";

/// A tenant `acme` with what `development` has deployed, and users of each sort.
pub struct House {
    pub server: Running,
    pub runtime: Runtime,
    pub ada: Caller,
    _dir: tempfile::TempDir,
}

fn flow(name: &str, rest: &str) -> (String, String) {
    let head = format!("document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}\n");
    (format!("{name}.flow.yaml"), format!("{head}evaluate: {{ language: jsonata }}\n{rest}\n"))
}

fn sources() -> Sources {
    Sources(
        [
            ("project.yaml".to_owned(), "project: house\n".to_owned()),
            flow("echo", "do:\n  - back: { set: { got: '${ $ }' } }"),
            flow("nothing", "do:\n  - back: { set: { a: 1 }, output: { as: '${ missing }' } }"),
            flow(
                "tea",
                "do:\n  - pour:\n      raise:\n        error:\n          type: https://example.com/teapot\n          status: 418\n          title: no coffee\n          detail: '${ \"not for \" & who }'",
            ),
            flow(
                "short",
                "do: [pour: { raise: { error: { type: 'https://example.com/teapot', status: 418, title: tea } } }]",
            ),
            flow("shortest", "do: [pour: { raise: { error: { type: 'https://example.com/teapot', status: 418 } } }]"),
            flow(
                "shaped",
                "input: { schema: { document: { type: object } } }\ndo: [back: { set: { got: '${ $ }' } }]",
            ),
            flow("wrong", "do:\n  - sum: { set: { n: '${ who * 2 }' } }"),
        ]
        .into(),
    )
}

impl House {
    pub async fn open() -> Self {
        Self::by(Clock::system()).await
    }

    /// With another clock.
    pub async fn by(clock: Clock) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let parts = Parts {
            store: Arc::new(SqliteStore::open(&dir.path().join("store"), clock.now()).unwrap()),
            engine: Arc::new(Engine::new(EngineConfig { stacks_max: 64, ..EngineConfig::default() }).unwrap()),
            master: Arc::new(Master::open_or_create(&dir.path().join("keys")).unwrap()),
            registry: Arc::new(Registry::new()),
            clock,
        };
        let runtime = Runtime::open(parts).await.unwrap();
        let settings = Settings::default();
        let front = Front::new(runtime.clone(), Admin, &settings);
        let server = Running::start_with(settings, front, |_| ClientCertificates::Shown).await;
        let new = NewTenant {
            id: TenantId::parse("acme").unwrap(),
            title: "Acme".into(),
            administrator: UserId::parse("ada").unwrap(),
        };
        let token = runtime.operator_create_tenant(new).await.unwrap();
        log_in(&runtime, "ada", token).await;
        let ada = runtime.authenticate("acme", Some(&basic("ada", PASSWORD)), "").await.unwrap();
        let house = Self { server, runtime, ada, _dir: dir };
        house.user("stranger", json!([])).await;
        house.user("monitor", json!(["monitor"])).await;
        house.user("pat", json!(["administrator"])).await;
        let pat = house.runtime.authenticate("acme", Some(&basic("pat", PASSWORD)), "").await.unwrap();
        let (project, environment) = (ProjectId::parse("house").unwrap(), EnvironmentId::parse("development").unwrap());
        house.runtime.push(&pat, &project, sources()).await.unwrap();
        house.runtime.deploy(&pat, &environment, &project, Deploy::default()).await.unwrap();
        house
    }

    async fn user(&self, id: &str, profiles: Value) {
        let body = json!({"kind": "native", "profiles": profiles});
        self.runtime.put_definition(&self.ada, Kind::User, id, body).await.unwrap();
        let token = self.runtime.invite(&self.ada, &UserId::parse(id).unwrap()).await.unwrap();
        log_in(&self.runtime, id, token).await;
    }

    pub async fn ask(&self, request: Request<Full<Bytes>>) -> (u16, http::HeaderMap, Value) {
        let (head, body) = self.server.send(false, request).await.into_parts();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
        (head.status.as_u16(), head.headers, body)
    }

    /// Status of a POST of JSON to a path by a user.
    async fn post(&self, user: &str, path: &str, body: &'static str) -> (u16, http::HeaderMap, Value) {
        let credential = basic(user, PASSWORD);
        let headers = [("authorization", credential.as_str()), ("content-type", "application/json")];
        self.ask(request("POST", path, &headers, body)).await
    }
}

/// Stands in for the admin API.
#[derive(Clone)]
struct Admin;

impl tower_service::Service<Request<RequestBody>> for Admin {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let reply = Response::new(Full::new(Bytes::from(format!("admin {}", request.uri().path()))));
        std::future::ready(Ok(reply))
    }
}

/// Sets the password by a one-time token; who may not have the console gets no session with it.
async fn log_in(runtime: &Runtime, user: &str, token: String) {
    let (token, password) = (SecretText::new(token), SecretText::new(PASSWORD.to_owned()));
    let entered = runtime.login("acme", &Login::by_token(user, token, password), "").await;
    let no_console = Error::Forbidden { rule: "console.no-user-interface-access".to_owned() };
    assert!(entered.is_ok() || entered.as_ref().err() == Some(&no_console), "{entered:?}");
}

pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

pub const ECHO: &str = "/acme/development/echo";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_answers() {
    let house = House::open().await;

    // 401, and it is the same for every reason.
    let wrong = basic("ada", "wrong-Horse-7");
    let nobody = basic("nobody", PASSWORD);
    let mut told = Vec::new();
    for (path, credential) in [
        (ECHO, None),
        (ECHO, Some(wrong.as_str())),
        (ECHO, Some(nobody.as_str())),
        (ECHO, Some("Basic")),
        (ECHO, Some("Bearer lgk_none_none")),
        (ECHO, Some("Bearer x")),
        ("/elsewhere/development/echo", Some(basic("ada", PASSWORD).as_str())),
        ("/ACME/development/echo", Some(basic("ada", PASSWORD).as_str())),
        ("/acme/nowhere/nothing", None),
    ] {
        let headers: Vec<_> = credential.map(|c| ("authorization", c)).into_iter().collect();
        let (status, headers, body) = house.ask(request("POST", path, &headers, "{")).await;
        assert_eq!(status, 401, "{path} {credential:?}");
        assert_eq!(headers["www-authenticate"], "Basic realm=\"lockgate\", charset=\"UTF-8\"");
        told.push(body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    let twice = [("authorization", basic("ada", PASSWORD)), ("authorization", basic("ada", PASSWORD))];
    let twice: Vec<_> = twice.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(house.ask(request("POST", ECHO, &twice, "1")).await.0, 401, "two credentials");

    // 404 looks the same for what is not there and for who may not know.
    let mut told = Vec::new();
    for (user, path) in [
        ("ada", "/acme/nowhere/echo"),
        ("ada", "/acme/development/absent"),
        ("ada", "/acme/DEVELOPMENT/echo"),
        ("ada", "/acme/development/..%2Fecho"),
        ("stranger", ECHO),
        ("stranger", "/acme/development/absent"),
    ] {
        let (status, _, body) = house.post(user, path, "{").await;
        assert_eq!(status, 404, "{user} {path}");
        told.push(body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");

    // 403: known there, and not on the list. The body is not looked at yet.
    let (status, _, body) = house.post("monitor", ECHO, "{").await;
    assert_eq!((status, &body["code"]), (403, &json!("LG-FORBIDDEN")));

    // 405 comes where POST would not be answered 401 or 404.
    let get = |user: &str| basic(user, PASSWORD);
    for (user, path, expected) in [
        ("ada", ECHO, 405),
        ("monitor", ECHO, 405),
        ("stranger", ECHO, 404),
        ("ada", "/acme/development/absent", 404),
        ("ada", "/acme/development/%20", 404),
    ] {
        let credential = get(user);
        let (status, headers, _) = house.ask(request("GET", path, &[("authorization", credential.as_str())], "")).await;
        assert_eq!(status, expected, "GET {path} as {user}");
        assert_eq!(headers.get("allow").map(|v| v.as_bytes()), (expected == 405).then_some(&b"POST"[..]));
    }
    assert_eq!(house.ask(request("DELETE", ECHO, &[], "")).await.0, 401);

    // 409: the publish right has fallen with its holder.
    let body = json!({"kind": "native", "enabled": false, "profiles": ["administrator"]});
    house.runtime.put_definition(&house.ada, Kind::User, "pat", body).await.unwrap();
    let (status, _, body) = house.post("ada", ECHO, "{").await;
    assert_eq!((status, &body["code"]), (409, &json!("LG-NOT-PUBLISHED")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_and_outcomes() {
    let house = House::open().await;
    let ada = basic("ada", PASSWORD);
    let by_ada = ("authorization", ada.as_str());
    let json_type = ("content-type", "application/json");

    for (headers, body, status, code) in [
        (vec![by_ada], "{}", 415, "LG-CONTENT-TYPE"),
        (vec![by_ada, ("content-type", "text/plain")], "{}", 415, "LG-CONTENT-TYPE"),
        (vec![by_ada, ("content-type", "text/plain")], "", 415, "LG-CONTENT-TYPE"),
        (vec![by_ada, json_type, json_type], "{}", 415, "LG-CONTENT-TYPE"),
        (vec![by_ada, json_type, ("content-encoding", "gzip")], "{}", 415, "LG-CONTENT-ENCODING"),
        (vec![by_ada, json_type, ("idempotency-key", "a b")], "{}", 400, "LG-IDEMPOTENCY-KEY"),
        (vec![by_ada, json_type], " ", 400, "LG-JSON-END"),
        (vec![by_ada, json_type], "{\"a\":1,\n \"a\":2}", 400, "LG-JSON-DUPLICATE"),
    ] {
        let (got, _, told) = house.ask(request("POST", ECHO, &headers, body)).await;
        assert_eq!((got, told["code"].as_str()), (status, Some(code)), "{headers:?} {body}");
        if code == "LG-JSON-DUPLICATE" {
            assert_eq!((&told["line"], &told["column"]), (&json!(2), &json!(2)));
        }
    }
    let large = vec![b' '; (16 << 20) + 1];
    let (status, _, told) = house.ask(request("POST", ECHO, &[by_ada, json_type], large)).await;
    assert_eq!((status, &told["code"]), (413, &json!("LG-BODY-TOO-LARGE")));

    let (status, headers, told) = house.post("ada", ECHO, "{\"n\": 1.10, \"big\": 12345678901234567890}").await;
    assert_eq!((status, &headers["content-type"]), (200, &http::HeaderValue::from_static("application/json")));
    assert_eq!(told["got"]["n"].to_string(), "1.1");
    let run = headers["lockgate-run"].to_str().unwrap().parse().unwrap();
    let development = EnvironmentId::parse("development").unwrap();
    assert_eq!(house.runtime.run(&house.ada, &development, run).await.unwrap().id, run);

    // Digits stay as they came, over HTTP/2 as well, and in a body too large to parse on the spot.
    let filler = "x".repeat(200_000);
    let text = format!("{{\"big\":12345678901234567890.10,\"filler\":\"{filler}\"}}");
    let reply = house.server.send(true, request("POST", ECHO, &[by_ada, json_type], text.clone())).await;
    assert_eq!(String::from_utf8_lossy(reply.body()), format!("{{\"got\":{text}}}"));

    let (status, headers, _) = house.ask(request("POST", "/acme/development/nothing", &[by_ada], "")).await;
    assert_eq!(status, 204, "no body in, no body out");
    assert!(headers.contains_key("lockgate-run"));
    // A client that always says JSON may still send nothing.
    for (body, told) in [("", json!({})), ("null", json!({"got": null}))] {
        let (status, _, got) = house.post("ada", ECHO, body).await;
        assert_eq!((status, got), (200, told), "{body:?}");
    }
    let (status, _, told) = house.post("ada", "/acme/development/shaped", "").await;
    assert_eq!((status, &told["code"]), (400, &json!("LG-SCHEMA")), "an input that must be there is asked for: {told}");

    let (status, headers, told) = house.post("ada", "/acme/development/tea", "{\"who\": \"ben\"}").await;
    assert_eq!((status, &headers["content-type"]), (418, &http::HeaderValue::from_static("application/problem+json")));
    assert_eq!(told["type"], "https://example.com/teapot");
    assert_eq!(
        (&told["status"], &told["title"], &told["detail"]),
        (&json!(418), &json!("no coffee"), &json!("not for ben"))
    );
    assert!(told["instance"].is_string() && headers.contains_key("lockgate-run"));
    // Members that the flow leaves out are left out, but for where it was and a title, which the standard has always.
    let (status, _, told) = house.post("ada", "/acme/development/short", "{}").await;
    let instance = "/do/0/pour";
    let short = json!({"type": "https://example.com/teapot", "title": "tea", "status": 418, "instance": instance, "code": "LG-RAISED"});
    assert_eq!((status, told), (418, short));
    let (status, _, told) = house.post("ada", "/acme/development/shortest", "{}").await;
    let shortest = json!({"type": "https://example.com/teapot", "title": "raised error", "status": 418, "instance": instance, "code": "LG-RAISED"});
    assert_eq!((status, told), (418, shortest));

    let (status, headers, told) = house.post("ada", "/acme/development/wrong", "{\"who\": \"ben\"}").await;
    assert_eq!((status, &told["status"]), (500, &json!(500)), "{told}");
    assert!(told["code"].as_str().is_some_and(|code| code.starts_with("T200")), "{told}");
    assert!(headers.contains_key("lockgate-run"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_site_runs_nothing_and_changes_nothing() {
    let house = House::open().await;
    let (ada, site) = (basic("ada", PASSWORD), |site| ("sec-fetch-site", site));
    let by_ada = ("authorization", ada.as_str());
    for path in ["/acme/development/nothing", "/admin/v1/tenants/acme/x"] {
        let (status, _, told) = house.ask(request("POST", path, &[by_ada, site("cross-site")], "")).await;
        assert_eq!((status, &told["code"]), (403, &json!("LG-CROSS-SITE")), "{path}");
    }
    let own = request("POST", "/acme/development/nothing", &[by_ada, site("same-origin")], "");
    assert_eq!(house.ask(own).await.0, 204);
}

/// Each address of the listener, as the sources name it, with a request that is refused there and how. What is behind
/// `/admin` has a table of its own (crates/admin/tests/all/refusals.rs).
const REFUSED: [(&str, &str, &str, u16); 8] = [
    ("/healthz", "POST", "/healthz", 405),
    ("/readyz", "POST", "/readyz", 405),
    // Nobody has said who may see them; with a token that is not theirs: `tests/product/metrics.rs`.
    ("/metrics", "GET", "/metrics", 404),
    ("/admin", "GET", "/administer", 404),
    ("/oauth2/{tenant}/{environment}/token", "POST", "/oauth2/acme/development/token", 401),
    (
        "/oauth2/{tenant}/{environment}/.well-known/jwks.json",
        "POST",
        "/oauth2/acme/development/.well-known/jwks.json",
        405,
    ),
    ("/{tenant}/{environment}/{name}", "POST", ECHO, 401),
    ("-", "GET", "/acme", 404),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_of_the_listener_has_its_refusal() {
    let source = include_str!("../../src/route.rs");
    let patterns = source.split("fn pattern").nth(1).unwrap().split("\n}").next().unwrap();
    let patterns: Vec<&str> = patterns.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(
        patterns,
        REFUSED.map(|(pattern, ..)| pattern),
        "an address without a refusal case, or one that is gone"
    );
    let house = House::open().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (pattern, method, path, status) in REFUSED {
        let told = house.server.send(false, request(method, path, &form, "grant_type=client_credentials")).await;
        assert_eq!(told.status(), status, "{pattern}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn product_urls_and_heads() {
    let house = House::open().await;
    let text = |reply: Response<Bytes>| (reply.status().as_u16(), String::from_utf8_lossy(reply.body()).into_owned());
    for http2 in [false, true] {
        let get = |path| house.server.send(http2, request("GET", path, &[], ""));
        assert_eq!(text(get("/healthz").await), (200, "ok\n".into()));
        assert_eq!(text(get("/readyz").await), (200, "ok\n".into()));
        assert_eq!(text(get("/admin/v1/x?y=1").await), (200, "admin /admin/v1/x".into()));
        for path in
            ["/", "/acme", "/acme/development", "/acme/development/echo/1", "/console", "/metrics", "/portal/a/b"]
        {
            assert_eq!(get(path).await.status(), 404, "{path}");
        }
    }
    assert_eq!(house.server.send(false, request("POST", "/healthz", &[], "")).await.status(), 405);
    for head in ["GET /healthz HTTP/1.1\r\n", "GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n"] {
        let raw = house.server.raw(format!("{head}connection: close\r\n\r\n").as_bytes()).await;
        assert!(raw.starts_with("HTTP/1.1 400"), "{raw}");
    }
}
