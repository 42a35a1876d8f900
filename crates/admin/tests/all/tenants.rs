//! What another tenant has is not there: over every route that takes an id, another tenant's id is
//! answered as one that nobody has, in status, headers, body, what the store is asked on the way, and how much the
//! processor works for it. So is an id in a body.

use http::HeaderMap;
use lockgate_model::id::TenantId;
use serde_json::{Value, json};

use crate::{
    authenticator::Authenticator,
    house::{House, PASSWORD, basic},
    refusals::{body, routes},
    timing::{APART_MAX, Ran, is_alone, median},
};

const FLOW: &str = "document: { dsl: '1.0.3', namespace: test, name: reorder, version: '1.0.0' }\n\
    evaluate: { language: jsonata }\nschedule: { every: { days: 30 } }\ndo:\n  - back: { set: { got: 1 } }\n";

/// Ids for the parameters of a path.
#[derive(Debug, Clone)]
struct Ids {
    environment: &'static str,
    project: &'static str,
    /// Of a user, group, profile and so on.
    object: &'static str,
    flow: &'static str,
    account: &'static str,
    run: String,
    key: String,
    /// Of support access.
    grant: String,
    session: String,
    certificate: String,
    passkey: String,
}

impl Ids {
    /// Of what the path names.
    fn of<'i>(&'i self, path: &str) -> &'i str {
        match path.split('/').nth(1) {
            Some("keys") => &self.key,
            Some("support") => &self.grant,
            Some("sessions") => &self.session,
            Some("certificates") => &self.certificate,
            Some("passkeys") => &self.passkey,
            _ if path.contains("/runs/") => &self.run,
            _ => self.object,
        }
    }

    fn all(&self) -> [&str; 11] {
        [
            self.environment,
            self.project,
            self.object,
            self.flow,
            self.account,
            &self.run,
            &self.key,
            &self.grant,
            &self.session,
            &self.certificate,
            &self.passkey,
        ]
    }
}

/// What nobody has. Each is as long as what `other` has, so that echoes are, and none is a part of another.
fn absent() -> Ids {
    Ids {
        environment: "qqqqq",
        project: "wwwwwwwww",
        object: "zzzzz",
        flow: "yyyyyyy",
        account: "kkkk",
        run: "019aa000-0000-7000-8000-000000000000".into(),
        key: "x".repeat(16),
        grant: "v".repeat(16),
        session: "1".repeat(16),
        certificate: "2".repeat(64),
        passkey: "AAAAAAAA".into(),
    }
}

/// What `other` has, and `acme` not.
async fn furnish(house: &House) -> Ids {
    let bob = async |method: &str, path: &str, body| {
        let told = house.send(method, &format!("/admin/v1/tenants/other/{path}"), Some(&basic("bob")), body).await;
        assert!(told.status < 300, "{method} {path}: {}", told.text);
        told
    };
    let everywhere = json!({"title": "", "permissions": ["logs-view"], "valid_in": "all"});
    for (kind, made) in [
        ("users", json!({"kind": "native", "profiles": ["monitor"]})),
        ("groups", json!({"profiles": []})),
        ("profiles", everywhere),
        ("acls", json!({"title": "", "profiles": []})),
    ] {
        bob("PUT", &format!("{kind}/olgas"), Some(made)).await;
    }
    bob("PUT", "environments/vault", Some(json!({"title": "", "order": 9}))).await;
    bob("PUT", "environments/olgas", Some(json!({"title": "", "order": 10}))).await;
    let files = json!({"files": {"project.yaml": "project: warehouse\n", "reorder.flow.yaml": FLOW}});
    bob("POST", "projects/warehouse/versions", Some(files)).await;
    bob("PUT", "project-permissions/warehouse/olgas", Some(json!({"permissions": []}))).await;
    for environment in ["development", "vault"] {
        let at = format!("environments/{environment}");
        bob("PUT", &format!("{at}/deployments/warehouse"), Some(json!({}))).await;
        let account = json!({"connector": "https", "address": "https://erp.example.com", "identity": "system"});
        bob("PUT", &format!("{at}/accounts/bank"), Some(account)).await;
    }
    let key = bob("POST", "users/olgas/keys", Some(json!({}))).await.json()["id"].as_str().unwrap().to_owned();
    let run = bob("POST", "environments/development/runs", Some(json!({"name": "reorder"}))).await;
    let run = run.headers["lockgate-run"].to_str().unwrap().to_owned();
    let grant = bob("POST", "support", Some(json!({"environments": ["vault"]}))).await.json();
    let grant = grant["id"].as_str().unwrap().to_owned();
    bob("POST", "users/olgas/certificates", Some(json!({"certificate": include_str!("olgas.pem")}))).await;
    let certificates = bob("GET", "users/olgas/certificates", None).await.json();
    let certificate = certificates["items"][0]["id"].as_str().unwrap().to_owned();
    let passkey = passkey(house, &bob("POST", "users/olgas/token", None).await.json()["token"]).await;
    let sessions = bob("GET", "users/olgas/sessions", None).await.json();
    let session = sessions["items"][0]["id"].as_str().unwrap().to_owned();
    Ids {
        environment: "vault",
        project: "warehouse",
        object: "olgas",
        flow: "reorder",
        account: "bank",
        run,
        key,
        grant,
        session,
        certificate,
        passkey,
    }
}

/// A passkey of `olgas`, who comes in by this token.
async fn passkey(house: &House, token: &Value) -> String {
    const ORIGIN: &str = "https://lockgate.example:8443";
    house.reached_by(ORIGIN);
    let bearer = format!("Bearer {}", house.first_login("other", "olgas", token).await);
    let own = async |path: &str, body| {
        let told = house.send("POST", &format!("/admin/v1/tenants/other/{path}"), Some(&bearer), Some(body)).await;
        assert_eq!(told.status, 200, "{path}: {}", told.text);
        told.json()
    };
    let asked = own("passkeys", json!({"password": PASSWORD})).await;
    let credential = Authenticator::new(ORIGIN, "lockgate.example", b"olgas1").create(&asked["options"]);
    let confirmed = json!({"ceremony": asked["ceremony"], "credential": credential, "title": "blue key"});
    own("passkeys/confirm", confirmed).await["passkey"]["id"].as_str().unwrap().to_owned()
}

/// The path with these ids; in an environment of theirs, or in one of `acme`.
fn filled(path: &str, kind: &str, ids: &Ids, theirs: bool) -> String {
    let own = |name: &str| if theirs { ids.environment } else { name }.to_owned();
    let name = if path.contains("/accounts/") {
        ids.account
    } else if path.starts_with("/project-permissions/") {
        ids.object
    } else {
        ids.flow
    };
    let kind = if path.contains("/acls/{kind}") { "integrations" } else { kind };
    path.replace("{environment}", &own("development"))
        .replace("{from}", &own("test"))
        .replace("{kind}", kind)
        .replace("{project}", ids.project)
        .replace("{id}", ids.of(path))
        .replace("{name}", name)
}

/// An answer without the ids that were asked for, and what the store was asked for it.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: HeaderMap,
    text: String,
    asked: Vec<(&'static str, TenantId)>,
}

fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// A request by a user of `acme`.
#[derive(Debug, Clone)]
struct Probe {
    who: &'static str,
    method: String,
    path: String,
    body: Option<Value>,
}

impl Probe {
    /// Of a route, with these ids in path and body.
    fn of(who: &'static str, (method, path): (&str, &str), kind: &str, ids: &Ids, theirs: bool) -> Self {
        let body = body(method, path).map(|body| {
            // The body names what the path does not. Nobody is dialled: the address is a private one.
            let text = body.to_string().replace("\"echo\"", &format!("\"{}\"", ids.flow));
            serde_json::from_str(&text.replace("erp.example.com", "10.0.0.1")).unwrap()
        });
        Self { who, method: method.to_uppercase(), path: filled(path, kind, ids, theirs), body }
    }

    async fn seen(&self, house: &House, ids: &Ids) -> Seen {
        house.asked();
        let full = format!("/admin/v1/tenants/acme{}", self.path);
        let told = house.send(&self.method, &full, Some(&basic(self.who)), self.body.clone()).await;
        let mut text = told.text;
        for id in ids.all() {
            text = text.replace(id, "ID");
        }
        let mut headers = told.headers;
        // What is made at once has the next revision and the next number.
        if told.status < 300 {
            headers.remove("content-length");
            text = without_numbers(&text);
        }
        let asked = house.asked();
        assert!(asked.iter().all(|(_, tenant)| tenant.as_str() == "acme"), "{self:?} asks about others: {asked:?}");
        if told.status == 403 || (told.status == 404 && self.who == "eve") {
            assert!(asked.iter().any(|(verb, _)| *verb == "append"), "{self:?} is in no audit log: {asked:?}");
        }
        Seen { status: told.status, headers, text, asked }
    }
}

/// How far apart the work for the two is, of what changes nothing; none where this kernel does not count it.
async fn apart(house: &House, present: &Probe, absent: &Probe) -> Option<f64> {
    const ROUNDS: usize = 15;
    let mut samples = [Vec::new(), Vec::new()];
    for round in 0..2 * ROUNDS {
        // Each comes first as often as the other.
        let which = (round + round / 2) % 2;
        let probe = [present, absent][which];
        let full = format!("/admin/v1/tenants/acme{}", probe.path);
        let before = Ran::now()?;
        house.send(&probe.method, &full, Some(&basic(probe.who)), probe.body.clone()).await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        samples[which].push(Ran::now()?.since(&before));
    }
    Some((median(&samples[0]) - median(&samples[1])).abs())
}

/// Routes that name in their bodies what they are about.
fn in_bodies(ids: &Ids) -> Vec<(&'static str, &'static str, Value)> {
    let items = json!({"items": [{"kind": "group", "id": "g", "body": {"profiles": [ids.object]}}]});
    let about = |user: &str, environment: &str| json!({"user": user, "environment": environment, "name": ids.flow});
    vec![
        ("POST", "/apply", items.clone()),
        ("POST", "/access/what-if", items),
        ("POST", "/access/why", about(ids.object, "development")),
        ("POST", "/access/why", about("ada", ids.environment)),
        ("POST", "/access/why", about("ada", "development")),
        ("POST", "/support", json!({"environments": [ids.environment]})),
        ("POST", "/users/ada/keys", json!({"environment": ids.environment})),
        ("PUT", "/users/fred", json!({"kind": "native", "groups": [ids.object]})),
        ("PUT", "/users/fred", json!({"kind": "native", "profiles": [ids.object]})),
        ("PUT", "/groups/g", json!({"profiles": [ids.object]})),
        ("PUT", "/acls/a", json!({"title": "", "profiles": [ids.object]})),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_tenant_has_is_answered_as_what_nobody_has() {
    if !is_alone("tenants::what_another_tenant_has_is_answered_as_what_nobody_has") {
        return;
    }
    let house = House::open().await;
    let theirs = furnish(&house).await;
    let mut nobodys = absent();
    nobodys.key = "x".repeat(theirs.key.len());
    house.user("monty", &["monitor"]).await;
    house.user("eve", &[]).await;
    let (mut probed, mut timed) = (0, 0);
    // What makes things comes last, so that all is still absent when it is looked for.
    let mut routes: Vec<_> = routes().into_iter().filter(|(_, path)| path.contains('{')).collect();
    routes.sort_by_key(|(method, path)| (method == "put", method == "post", path.clone()));
    for (method, path) in &routes {
        let kinds: &[&str] = match path.contains("{kind}/{id}") {
            true => &["users", "groups", "profiles", "acls", "environments"],
            false => &["users"],
        };
        for kind in kinds {
            for in_theirs in [false, true] {
                if in_theirs && !path.contains("{environment}") {
                    continue;
                }
                for who in ["eve", "monty", "ada"] {
                    let probe = |ids: &Ids| Probe::of(who, (method, path), kind, ids, in_theirs);
                    let (present, absent) = (probe(&theirs), probe(&nobodys));
                    let seen = present.seen(&house, &theirs).await;
                    assert_eq!(seen, absent.seen(&house, &nobodys).await, "{method} {path} of {kind} by {who}");
                    probed += 1;
                    // What is refused is refused in the same time. (A code or password that is wrong waits for its turn.)
                    let guessed = path.starts_with("/passkeys/") && method == "post";
                    if who == "ada" && seen.status >= 400 && !guessed {
                        timed += 1;
                        let Some(apart) = apart(&house, &present, &absent).await else { continue };
                        let most = APART_MAX.as_nanos() as f64;
                        assert!(apart < most, "{method} {path} of {kind}: {:.3} ms apart", apart / 1e6);
                    }
                }
            }
        }
    }
    for ((method, path, of_theirs), (_, _, of_nobody)) in in_bodies(&theirs).into_iter().zip(in_bodies(&nobodys)) {
        for who in ["eve", "monty", "ada"] {
            let probe = |body| Probe { who, method: method.to_owned(), path: path.to_owned(), body: Some(body) };
            let present = probe(of_theirs.clone()).seen(&house, &theirs).await;
            let absent = probe(of_nobody.clone()).seen(&house, &nobodys).await;
            assert_eq!(present, absent, "{method} {path} with {of_theirs} by {who}");
            probed += 1;
        }
    }
    println!("{probed} probes over {} routes, {timed} of them timed", routes.len());
    assert!(probed > 230 && timed > 40, "{probed} {timed}");
}
