//! What another tenant has is not there: over every route that takes an id, another tenant's id is
//! answered as one that nobody has, in status, headers, body and what the store is asked on the way.
//!
//! Deliberately absent: a clock. That both take the same time follows from both doing the same.

use http::HeaderMap;
use lockgate_model::id::TenantId;
use serde_json::json;

use crate::{
    house::{House, basic},
    refusals::{body, routes},
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
        ("users", json!({"kind": "native"})),
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
    Ids {
        environment: "vault",
        project: "warehouse",
        object: "olgas",
        flow: "reorder",
        account: "bank",
        run,
        key,
        grant,
    }
}

/// The path with these ids; in an environment of theirs, or in one of `acme`.
fn filled(path: &str, kind: &str, ids: &Ids, theirs: bool) -> String {
    let own = |name: &str| if theirs { ids.environment } else { name }.to_owned();
    let id = if path.starts_with("/keys/") {
        ids.key.as_str()
    } else if path.starts_with("/support/") {
        ids.grant.as_str()
    } else if path.contains("/runs/") {
        ids.run.as_str()
    } else {
        ids.object
    };
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
        .replace("{id}", id)
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

async fn seen(house: &House, who: &str, method: &str, path: &str, request: &str, ids: &Ids) -> Seen {
    let told_body = body(method, request).map(|body| {
        // The body names what the path does not. Nobody is dialled: the address is a private one.
        let text =
            body.to_string().replace("\"echo\"", &format!("\"{}\"", ids.flow)).replace("erp.example.com", "10.0.0.1");
        serde_json::from_str(&text).unwrap()
    });
    house.asked();
    let full = format!("/admin/v1/tenants/acme{path}");
    let told = house.send(&method.to_uppercase(), &full, Some(&basic(who)), told_body).await;
    let mut text = told.text;
    for id in [ids.environment, ids.project, ids.object, ids.flow, ids.account, &ids.run, &ids.key, &ids.grant] {
        text = text.replace(id, "ID");
    }
    let mut headers = told.headers;
    // What is made at once has the next revision and the next number.
    if told.status < 300 {
        headers.remove("content-length");
        text = without_numbers(&text);
    }
    let asked = house.asked();
    assert!(asked.iter().all(|(_, tenant)| tenant.as_str() == "acme"), "{method} {path} asks about others: {asked:?}");
    Seen { status: told.status, headers, text, asked }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_tenant_has_is_answered_as_what_nobody_has() {
    let house = House::open().await;
    let theirs = furnish(&house).await;
    let mut nobodys = absent();
    nobodys.key = "x".repeat(theirs.key.len());
    house.user("monty", &["monitor"]).await;
    house.user("eve", &[]).await;
    let mut probed = 0;
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
                    let probe = async |ids: &Ids| {
                        let at = filled(path, kind, ids, in_theirs);
                        seen(&house, who, method, &at, path, ids).await
                    };
                    let (present, absent) = (probe(&theirs).await, probe(&nobodys).await);
                    assert_eq!(present, absent, "{method} {path} of {kind} by {who}");
                    probed += 1;
                }
            }
        }
    }
    println!("{probed} probes over {} routes", routes.len());
    assert!(probed > 200, "{probed}");
}
