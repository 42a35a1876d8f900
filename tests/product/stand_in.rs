//! Endpoints that answer as the mocks of a case say, and hold the requests to what the mocks expect.
//!
//! One port for each account and each origin that flows name, so that a request says by where it arrives which mocks are
//! meant. The trace that goes along with it says of which run it is.

mod signin;
mod soap;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, Response, body::Bytes, service::service_fn};
use hyper_util::rt::TokioIo;
use lockgate_compiler::project::{Exchange, Exchanges, Reply};
use lockgate_testkit::{Pki, pki::Server};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::signin::Said;
pub use self::signin::SignsIn;

/// An account of the environment.
pub struct Account {
    /// Its name.
    pub name: &'static str,
    /// Its connector.
    pub connector: &'static str,
    /// What its mocks stand under: its name where flows name it, else the origin they call.
    pub mocked: &'static str,
    /// The path of its address.
    pub base: &'static str,
    /// How it signs in.
    pub signs_in: SignsIn,
}

pub static ACCOUNTS: [Account; 8] = [
    Account { name: "erp", connector: "https", mocked: "erp", base: "/", signs_in: SignsIn::Never },
    Account { name: "shop", connector: "soap", mocked: "shop", base: "/shop", signs_in: SignsIn::Never },
    Account { name: "short", connector: "https", mocked: "https://h", base: "/", signs_in: SignsIn::Never },
    Account { name: "pets", connector: "https", mocked: "https://pets.example", base: "/", signs_in: SignsIn::Never },
    Account {
        name: "old",
        connector: "https",
        mocked: "https://old.example:8443",
        base: "/",
        signs_in: SignsIn::Never,
    },
    Account {
        name: "signed",
        connector: "https",
        mocked: "https://signed.example",
        base: "/api/v1",
        signs_in: SignsIn::Bearer,
    },
    Account {
        name: "digested",
        connector: "https",
        mocked: "https://digested.example",
        base: "/",
        signs_in: SignsIn::Digest,
    },
    Account {
        name: "granted",
        connector: "https",
        mocked: "https://granted.example",
        base: "/",
        signs_in: SignsIn::OAuth2,
    },
];

/// What a run may call, and what it has called.
#[derive(Default)]
struct Run {
    mocks: Exchanges,
    taken: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

type Runs = Arc<Mutex<BTreeMap<String, Run>>>;

/// The endpoints.
pub struct StandIn {
    pki: Pki,
    ports: BTreeMap<&'static str, u16>,
    runs: Runs,
    _runtime: tokio::runtime::Runtime,
}

impl StandIn {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (pki, runs) = (Pki::new(), Runs::default());
        let ports = ACCOUNTS.iter().map(|account| {
            let acceptor = TlsAcceptor::from(pki.server_config(Server::Good, false, &["http/1.1"]));
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let port = listener.local_addr().unwrap().port();
            runtime.spawn(serve(listener, acceptor, account, Arc::clone(&runs)));
            (account.mocked, port)
        });
        let ports = ports.collect();
        Self { pki, ports, runs, _runtime: runtime }
    }

    pub fn ca_pem(&self) -> String {
        self.pki.ca_pem()
    }

    pub fn port(&self, mocked: &str) -> u16 {
        self.ports[mocked]
    }

    pub fn origin(&self, mocked: &str) -> String {
        format!("https://127.0.0.1:{}", self.port(mocked))
    }

    /// A text with the addresses of the stand-in in place of those that flows name. Names cannot be given to an address of
    /// this machine.
    pub fn here(&self, text: &str) -> String {
        self.ports.iter().filter_map(|(mocked, port)| Some((mocked.strip_prefix("https://")?, port))).fold(
            text.to_owned(),
            |text, (host, port)| {
                let here = format!("127.0.0.1:{port}");
                text.replace(&format!("https://{host}/"), &format!("https://{here}/"))
                    .replace(&format!("\"host\": \"{host}\""), &format!("\"host\": \"{here}\""))
            },
        )
    }

    /// The other way.
    pub fn there(&self, text: &str) -> String {
        let origins = self.ports.iter().filter(|(mocked, _)| mocked.starts_with("https://"));
        origins.fold(text.to_owned(), |text, (mocked, port)| text.replace(&format!("https://127.0.0.1:{port}"), mocked))
    }

    /// The trace of a run that is answered by these mocks.
    pub fn expect(&self, mocks: &Exchanges) -> String {
        let mut runs = self.runs.lock().unwrap();
        let trace = format!("{:032x}", runs.len() + 1);
        runs.insert(trace.clone(), Run { mocks: mocks.clone(), ..Run::default() });
        trace
    }

    /// What was wrong with the calls of a run.
    pub fn wrong(&self, trace: &str) -> Vec<String> {
        let mut runs = self.runs.lock().unwrap();
        let run = runs.get_mut(trace).unwrap();
        let mut wrong = std::mem::take(&mut run.wrong);
        let calls = run.mocks.iter().filter(|(key, _)| !key.starts_with("run."));
        for (key, list) in calls {
            let taken = run.taken.get(key).copied().unwrap_or_default();
            let unused = list.iter().enumerate().skip(taken).filter(|(_, exchange)| exchange.expect.is_some());
            wrong.extend(unused.map(|(at, _)| format!("nothing took the mock {at} of {key}")));
        }
        wrong
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, account: &'static Account, runs: Runs) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, runs) = (acceptor.clone(), Arc::clone(&runs));
        tokio::spawn(async move {
            let Ok(tls) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let runs = Arc::clone(&runs);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                    let came = came(&head.method, &head.uri, &head.headers, &body);
                    let trace = head.headers.get("traceparent").and_then(|value| value.to_str().ok());
                    let trace = trace.and_then(|value| value.split('-').nth(1)).unwrap_or_default();
                    let answer = match (account.signs_in.looks(&came), runs.lock().unwrap().get_mut(trace)) {
                        (Said::Token(token), _) => response(200, &json!({}), Some(&token)),
                        (Said::Challenge(challenge), _) => {
                            response(401, &json!({ "www-authenticate": challenge }), None)
                        }
                        (said, Some(run)) => {
                            if let Said::Wrong(wrong) = said {
                                run.wrong.push(format!("{}: {wrong}", account.mocked));
                            }
                            answer(run, account, &came)
                        }
                        (_, None) => response(501, &json!({}), Some(&json!("of no run"))),
                    };
                    Ok::<_, Infallible>(answer)
                }
            });
            // What an answer has beside what the mock says is told apart more easily without it.
            let mut builder = hyper::server::conn::http1::Builder::new();
            let _ = builder.auto_date_header(false).serve_connection(TokioIo::new(tls), service).await;
        });
    }
}

/// A request as the input of an `https` operation.
fn came(method: &hyper::Method, uri: &hyper::Uri, headers: &HeaderMap, body: &Bytes) -> Value {
    let mut query = Map::new();
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match query.entry(decoded(name)).or_insert_with(|| json!([])) {
            Value::Array(values) => values.push(decoded(value).into()),
            _ => unreachable!(),
        }
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let basic = text("authorization").strip_prefix("Basic ").and_then(|pair| STANDARD.decode(pair).ok());
    let basic = basic.and_then(|pair| String::from_utf8(pair).ok());
    let basic = basic.as_deref().and_then(|pair| pair.split_once(':'));
    let body = match text("content-type") {
        kind if kind.ends_with("json") => serde_json::from_slice(body).unwrap(),
        _ if body.is_empty() => Value::Null,
        _ => String::from_utf8_lossy(body).into_owned().into(),
    };
    let headers: Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    json!({
        "method": method.as_str(),
        "path": uri.path(),
        "query": query,
        "headers": headers,
        "basic": basic.map(|(username, password)| json!({ "username": username, "password": password })),
        "body": body,
    })
}

/// Takes the next mock, as the engine does.
fn answer(run: &mut Run, Account { connector, mocked, .. }: &Account, came: &Value) -> Response<Full<Bytes>> {
    let is_soap = *connector == "soap";
    // What may be repeated needs no key.
    let operation = match is_soap {
        true => if came["headers"]["idempotency-key"].is_null() { "read" } else { "call" }.to_owned(),
        false => match came["method"].as_str().unwrap() {
            "OPTIONS" => "request".to_owned(),
            method => method.to_lowercase(),
        },
    };
    let keys = [format!("{mocked}.{operation}"), (*mocked).to_owned(), format!("{connector}.{operation}")];
    let found = keys.iter().find_map(|key| run.mocks.get_key_value(key)).filter(|(_, list)| !list.is_empty());
    let Some((key, list)) = found else {
        run.wrong.push(format!("a call without a mock: {mocked} {came}"));
        return response(501, &json!({}), Some(&json!("no mock")));
    };
    let at = run.taken.entry(key.clone()).or_default();
    let exchange: &Exchange = list.get(*at).or(list.last()).unwrap();
    let of = format!("{key}, call {}", *at + 1);
    *at += 1;
    if let Some(expected) = &exchange.expect {
        let expected = serde_json::from_str(expected).unwrap();
        run.wrong.extend(match is_soap {
            true => named(&of, &expected, &soap::asked(came)),
            false => request_differs(&of, &expected, came),
        });
    }
    match &exchange.reply {
        Reply::Answer(answer) => {
            let answer: Value = serde_json::from_str(answer).unwrap();
            if is_soap {
                let content = Full::from(soap::answered(came, &answer));
                return head(200, &json!({ "content-type": "text/xml" })).body(content).unwrap();
            }
            let status = answer["status"].as_u64().unwrap_or(200);
            match answer["body_base64"].as_str() {
                Some(bytes) => bytes_response(status, &answer["headers"], bytes),
                None => response(status, &answer["headers"], answer.get("body").or(answer.get("stream"))),
            }
        }
        Reply::Error { kind, status, retry_after, .. } => {
            let own = match kind.as_str() {
                "authentication" => 401,
                "authorization" => 403,
                "timeout" => 408,
                "communication" => 500,
                other => panic!("no endpoint makes an error of the type `{other}`"),
            };
            let headers = retry_after.map_or(json!({}), |after| json!({ "retry-after": after.as_secs().to_string() }));
            response(status.map_or(own, u64::from), &headers, Some(&json!({ "told": "by the endpoint" })))
        }
    }
}

/// Content of no type but the one that the mock's headers say.
fn bytes_response(status: u64, headers: &Value, base64: &str) -> Response<Full<Bytes>> {
    head(status, headers).body(Full::from(STANDARD.decode(base64).unwrap())).unwrap()
}

fn head(status: u64, headers: &Value) -> hyper::http::response::Builder {
    let mut response = Response::builder().status(u16::try_from(status).unwrap());
    for (name, value) in headers.as_object().into_iter().flatten() {
        response = response.header(name, value.as_str().unwrap());
    }
    response
}

fn response(status: u64, headers: &Value, body: Option<&Value>) -> Response<Full<Bytes>> {
    let response = head(status, headers);
    let (kind, body) = match body {
        None => return response.body(Full::default()).unwrap(),
        Some(Value::String(text)) => ("text/plain; charset=utf-8", text.clone()),
        Some(other) => ("application/json", other.to_string()),
    };
    response.header("content-type", kind).body(Full::from(body)).unwrap()
}

/// Where a request is not what a mock expects of the input of its call.
fn request_differs(of: &str, expected: &Value, came: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (member, expected) in expected.as_object().unwrap() {
        let of = format!("{of}: {member}");
        match (member.as_str(), expected) {
            ("path", expected) => {
                let came = came["path"].as_str().unwrap();
                let segments = match expected {
                    Value::Array(segments) => segments.clone(),
                    // Of a text what is encoded already stays so.
                    path => {
                        let path = path.as_str().unwrap();
                        path.trim_start_matches('/').split('/').map(|segment| decoded(segment).into()).collect()
                    }
                };
                let parts: Vec<Value> = came.split('/').skip(1).map(|part| decoded(part).into()).collect();
                if !all_stand(&segments, &parts) {
                    wrong.push(format!("{of}: expected {expected}, is {came}"));
                }
            }
            ("query", expected) => {
                for (name, expected) in expected.as_object().unwrap() {
                    let (of, came) = (format!("{of} `{name}`"), &came["query"][name]);
                    let values = match expected {
                        Value::Null if came.is_null() => continue,
                        Value::Array(items) => items.as_slice(),
                        one => std::slice::from_ref(one),
                    };
                    let came = came.as_array().map_or(&[][..], Vec::as_slice);
                    if !all_stand(values, came) {
                        wrong.push(format!("{of}: expected {expected}, is {}", json!(came)));
                    }
                }
            }
            ("headers", expected) => {
                for (name, expected) in expected.as_object().unwrap() {
                    let came = &came["headers"][name.to_lowercase()];
                    if !stands(expected, came) {
                        wrong.push(format!("{of} `{name}`: expected {expected}, is {came}"));
                    }
                }
            }
            // No content and an empty one are the same on the wire.
            ("stream", Value::String(text)) if text.is_empty() && came["body"].is_null() => {}
            ("stream", expected) => wrong.extend(named(&of, expected, &came["body"])),
            ("method" | "basic" | "body", expected) => wrong.extend(named(&of, expected, &came[member])),
            _ => wrong.push(format!("{of} cannot be seen at the endpoint")),
        }
    }
    wrong
}

/// Whether a text of an address or a header is this value: a number however it is written.
fn stands(value: &Value, text: &Value) -> bool {
    let text = text.as_str();
    match value {
        Value::String(value) => text == Some(value),
        Value::Number(number) => text.and_then(|text| text.parse().ok()) == number.as_f64(),
        Value::Bool(value) => text == Some(if *value { "true" } else { "false" }),
        _ => false,
    }
}

fn all_stand(values: &[Value], texts: &[Value]) -> bool {
    values.len() == texts.len() && values.iter().zip(texts).all(|(value, text)| stands(value, text))
}

/// A part of an address without its percent encoding.
fn decoded(text: &str) -> String {
    let (mut bytes, mut out) = (text.bytes(), Vec::new());
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next().unwrap()).to_digit(16).unwrap();
        out.push(if byte == b'%' { u8::try_from(digit() * 16 + digit()).unwrap() } else { byte });
    }
    String::from_utf8(out).unwrap()
}

/// Where a value is another than the expected one. Numbers are equal by value; of an answer's headers those that HTTP
/// itself needs are passed over.
pub fn differences(of: &str, expected: &Value, actual: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    compare(of, expected, actual, true, &mut wrong);
    wrong
}

/// The same of what is named alone.
pub fn named(of: &str, expected: &Value, actual: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    compare(of, expected, actual, false, &mut wrong);
    wrong
}

fn compare(of: &str, expected: &Value, actual: &Value, whole: bool, wrong: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, expected) in expected {
                let of = format!("{of}/{name}");
                match actual.get(name) {
                    Some(actual) => compare(&of, expected, actual, whole, wrong),
                    None => wrong.push(format!("{of}: expected {expected}, is not there")),
                }
            }
            let of_http = |name: &str| of.ends_with("/headers") && matches!(name, "content-type" | "content-length");
            let more = actual.iter().filter(|(name, _)| whole && !of_http(name) && !expected.contains_key(*name));
            wrong.extend(more.map(|(name, value)| format!("{of}/{name}: nothing expected, is {value}")));
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (at, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(&format!("{of}/{at}"), expected, actual, whole, wrong);
            }
        }
        (Value::Number(a), Value::Number(b)) if (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64() => {}
        _ if expected == actual => {}
        _ => wrong.push(format!("{of}: expected {expected}, is {actual}")),
    }
}
