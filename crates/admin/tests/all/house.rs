//! Two tenants, `acme` of `ada` and `other` of `bob`, in a store of the test's own; requests go
//! straight into the router.

use std::{
    net::{Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::MatchedPath,
    middleware::{self, Next},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use lockgate_admin::{OperatorPlace, operator_router, router, serve_operator, shapes::Refusal};
use lockgate_connector_api::Registry;
use lockgate_connector_https::Https;
use lockgate_engine::{Engine, EngineConfig};
use lockgate_keys::Master;
use lockgate_model::{
    Kind, Limits,
    audit::{Entry, Outcome},
    id::TenantId,
};
use lockgate_runtime::{Clock, Parts, Runtime, SecretText};
use lockgate_store::{Change, Put, SqliteStore, Store as _};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{described::Answered, watched::Watched};

/// The password of everybody.
pub const PASSWORD: &str = "Correct-Horse-7";

pub struct House {
    admin: Router,
    operator: Router,
    runtime: Runtime,
    store: Arc<Watched>,
    dir: tempfile::TempDir,
}

/// An answer, read.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Told {
    pub fn json(&self) -> Value {
        if self.text.is_empty() { Value::Null } else { serde_json::from_str(&self.text).unwrap() }
    }
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl House {
    pub async fn open() -> Self {
        Self::by(Clock::system()).await
    }

    /// With another clock.
    pub async fn by(clock: Clock) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut registry = Registry::new();
        registry.add::<Https>();
        let store = Arc::new(Watched::new(SqliteStore::open(&dir.path().join("store"), clock.now()).unwrap()));
        let parts = Parts {
            store: store.clone(),
            engine: Arc::new(Engine::new(EngineConfig { stacks_max: 64, ..EngineConfig::default() }).unwrap()),
            master: Arc::new(Master::open_or_create(&dir.path().join("keys")).unwrap()),
            registry: Arc::new(registry),
            clock,
        };
        let runtime = Runtime::open(parts).await.unwrap();
        let keeper = |_| Ok(lockgate_keys::Keeper::File);
        let place = OperatorPlace { data: dir.path().to_owned(), keeper };
        let house = Self {
            admin: router(runtime.clone()),
            operator: operator_router(runtime.clone(), place),
            runtime,
            store,
            dir,
        };
        for (tenant, administrator) in [("acme", "ada"), ("other", "bob")] {
            let new = json!({"id": tenant, "title": tenant, "administrator": administrator});
            let told = house.operate("POST", "/operator/tenants", Some(new)).await;
            assert_eq!(told.status, 200, "{}", told.text);
            house.first_login(tenant, administrator, &told.json()["token"]).await;
        }
        house
    }

    /// Serves the operator's routes on a real socket; gives its path.
    pub fn on_socket(&self) -> PathBuf {
        let path = self.dir.path().join("operator.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let place = OperatorPlace { data: self.dir.path().to_owned(), keeper: |_| Ok(lockgate_keys::Keeper::File) };
        tokio::spawn(serve_operator(listener, self.runtime.clone(), place, std::future::pending()));
        path
    }

    /// By what name browsers reach it.
    pub fn reached_by(&self, origin: &str) {
        self.runtime.reached_by(origin).unwrap();
    }

    /// Asks for an access token, as the listeners' token endpoint does.
    pub async fn token(&self, tenant: &str, client: &str, secret: &str, source: &str) -> Result<String, u16> {
        let secret = SecretText::new(secret.to_owned());
        let given = self.runtime.give_token((tenant, "development"), client, &secret, source).await;
        given.map(|given| given.token.to_string()).map_err(|error| error.status())
    }

    /// Tells all that is left to tell of failed attempts.
    pub async fn tell_attempts(&self) {
        self.runtime.tell_attempts(true).await;
    }

    /// Sets the password by a one-time token; gives the session's token, which is empty for who may have none.
    pub async fn first_login(&self, tenant: &str, user: &str, token: &Value) -> String {
        let body = json!({"user": user, "token": token, "new_password": PASSWORD});
        let told = self.send("POST", &format!("/admin/v1/tenants/{tenant}/login"), None, Some(body)).await;
        if told.status == 403 && told.text.contains("console.no-user-interface-access") {
            return String::new();
        }
        assert_eq!(told.status, 200, "{}", told.text);
        told.json()["session"].as_str().unwrap().to_owned()
    }

    /// A user of `acme` with profiles and a password.
    pub async fn user(&self, id: &str, profiles: &[&str]) {
        let body = json!({"kind": "native", "profiles": profiles});
        let told = self.ada("PUT", &format!("users/{id}"), Some(body)).await;
        assert_eq!(told.status, 204, "{}", told.text);
        let told = self.ada("POST", &format!("users/{id}/token"), None).await;
        assert_eq!(told.status, 200, "{}", told.text);
        self.first_login("acme", id, &told.json()["token"]).await;
    }

    /// A login at `acme`.
    pub async fn login(&self, body: Value) -> Told {
        self.send("POST", "/admin/v1/tenants/acme/login", None, Some(body)).await
    }

    /// The last audit entries of `acme` with this event: outcome, principal, object and step.
    pub async fn told_of(&self, event: &str) -> Vec<String> {
        let log = self.ada("GET", "audit?newest=500", None).await.json();
        let of = |entry: &Value| -> String {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let all = [&entry["outcome"], &entry["principal"], &entry["object"], &entry["detail"]["step"]];
            all.map(text).join(" ")
        };
        let entries = log["links"].as_array().unwrap().iter().map(|link| &link["entry"]);
        entries.filter(|entry| entry["event"] == event).map(of).collect()
    }

    /// Gives `acme` limits of its own. Nodes follow a moment later.
    pub async fn limit(&self, limits: &Limits) {
        let body = serde_json::to_value(limits).unwrap();
        let change = Change {
            tenant: TenantId::parse("acme").unwrap(),
            entry: Entry::new(Clock::system().now(), "operator-limits", Outcome::Done, "operator"),
            expected: None,
            puts: vec![Put { kind: Kind::Limits, id: "limits".into(), body }],
            deletes: Vec::new(),
        };
        self.store.commit(change).await.unwrap();
    }

    /// What the store was asked since the last time.
    pub fn asked(&self) -> Vec<(&'static str, TenantId)> {
        self.store.asked()
    }

    /// Asks below `/admin/v1/tenants/acme/` as `ada`.
    pub async fn ada(&self, method: &str, path: &str, body: Option<Value>) -> Told {
        self.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&basic("ada")), body).await
    }

    /// Asks anything, with a credential or without.
    pub async fn send(&self, method: &str, path: &str, credential: Option<&str>, body: Option<Value>) -> Told {
        self.send_from("127.0.0.1", method, path, credential, body).await
    }

    /// The same from another address.
    pub async fn send_from(
        &self,
        source: &str,
        method: &str,
        path: &str,
        credential: Option<&str>,
        body: Option<Value>,
    ) -> Told {
        let peer = SocketAddr::new(source.parse().unwrap(), 1);
        let mut request = Request::builder().method(method).uri(path).extension(peer);
        if let Some(credential) = credential {
            request = request.header("authorization", credential);
        }
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.ask(request.unwrap()).await
    }

    /// Asks the operator's routes.
    pub async fn operate(&self, method: &str, path: &str, body: Option<Value>) -> Told {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let body = body.map_or(Body::empty(), |b| Body::from(b.to_string()));
        read(self.operator.clone(), request.body(body).unwrap()).await
    }

    /// Asks as `ada`, without waiting for the answer.
    pub fn later(&self, method: &str, path: &str, body: Value) -> tokio::task::JoinHandle<Told> {
        let request = Request::builder().method(method).uri(format!("/admin/v1/tenants/acme/{path}"));
        let request = request.header("authorization", basic("ada")).header("content-type", "application/json");
        tokio::spawn(read(self.admin.clone(), request.body(Body::from(body.to_string())).unwrap()))
    }

    /// Answers by HTTP on a port of this machine from now on, and notes what it answered. Each request comes from
    /// another address, so that guesses slow down nobody else.
    pub async fn serve(&self) -> (SocketAddr, Answered) {
        let answered = Answered::default();
        let (notes, number) = (answered.clone(), AtomicU16::new(0));
        let number = Arc::new(number);
        let noted = middleware::from_fn(move |mut request: Request<Body>, next: Next| {
            let (notes, number) = (notes.clone(), number.fetch_add(1, Ordering::Relaxed));
            async move {
                let peer = Ipv6Addr::new(0x2001, 0xdb8, 0, number, 0, 0, 0, 1);
                request.extensions_mut().insert(SocketAddr::from((peer, 1)));
                let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
                let method = request.method().to_string();
                let response = next.run(request).await;
                let status = response.status().as_u16();
                notes.lock().unwrap().entry((method, route.unwrap_or_default())).or_default().insert(status);
                response
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.admin.clone().layer(noted);
        tokio::spawn(async move { axum::serve(listener, router).await });
        (address, answered)
    }

    pub async fn ask_operator(&self, request: Request<Body>) -> Told {
        read(self.operator.clone(), request).await
    }

    pub async fn ask(&self, request: Request<Body>) -> Told {
        read(self.admin.clone(), request).await
    }
}

async fn read(router: Router, request: Request<Body>) -> Told {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let told =
        Told { status: head.status.as_u16(), headers: head.headers, text: String::from_utf8(bytes.to_vec()).unwrap() };
    if told.status >= 400 {
        is_problem(&told);
    }
    told
}

/// Whatever is refused, and whatever run failed, is told as a problem (RFC 9457).
fn is_problem(told: &Told) {
    assert_eq!(told.headers["content-type"], "application/problem+json", "{told:?}");
    let problem = told.json();
    assert_eq!(problem["status"], told.status, "{told:?}");
    // A flow may raise an error without `detail`.
    let of_a_run = told.headers.contains_key("lockgate-run");
    for member in ["type", "title", "detail", "code"] {
        if of_a_run && member == "detail" && problem.get(member).is_none() {
            continue;
        }
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "`{member}`: {told:?}");
    }
    if !of_a_run {
        let refusal: Refusal = serde_json::from_str(&told.text).unwrap_or_else(|e| panic!("{e}: {told:?}"));
        assert_eq!(refusal.kind, format!("/admin/v1/errors#{}", refusal.code));
    }
}

pub fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{PASSWORD}")))
}
