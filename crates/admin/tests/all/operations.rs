//! Every operation of the API asks a permission, and every permission is asked by an operation, unless it stands on
//! the list of those whose parts are not built yet, which may only shrink.
//!
//! Nobody writes down what an operation asks: it is found by asking. Somebody who holds nothing sends each request
//! and is given what the refusal names, until there is none. docs/access.md has the table (`UPDATE=1` rewrites it).

use std::{collections::BTreeMap, path::PathBuf};

use lockgate_model::Permission;
use serde_json::{Value, json};

use crate::{
    house::{House, PASSWORD, Told, basic},
    refusals::{body, routes},
};

const BEGIN: &str = "<!-- operations: written by `UPDATE=1 cargo test -p lockgate-admin --test all operations::` -->\n";
const END: &str = "<!-- end of operations -->\n";

/// Permissions that nothing asks yet, one a line.
const RESERVED: &str = include_str!("reserved_permissions.txt");
/// The list as it was first: whatever has left it must not come back.
const FIRST: &str = "apis-manage apis-publish-to-portal apis-activate apis-deactivate applications-manage aliases-manage \
    global-policies-manage global-policies-activate global-policies-deactivate policy-templates-manage \
    threat-protection-manage packages-plans-manage packages-plans-activate packages-plans-deactivate assets-import \
    assets-export configurations-view general-configurations-manage security-configurations-manage \
    destination-configurations-manage system-settings-manage runtime-events-purge runtime-events-restore \
    result-cache-manage promotions-manage portal-administer portal-provide solution-create solution-update \
    solution-delete upgrade export user-interface-access manage-personal-setup advanced-security-administer \
    manage-company-capabilities operations.create operations.update operations.delete rest-apis.create \
    rest-apis.update rest-apis.delete rest-apis.execute soap-apis.create soap-apis.update soap-apis.delete \
    soap-apis.execute listeners.create listeners.update listeners.delete";

/// Operations that everybody may do who is established. This list may only shrink.
const ASK_NOTHING: [(&str, &str); 3] = [("post", "/logout"), ("get", "/whoami"), ("get", "/sessions")];

/// Somebody who holds what it was given, in all environments.
struct Eve<'a> {
    house: &'a House,
    key: String,
}

impl<'a> Eve<'a> {
    async fn new(house: &'a House) -> Self {
        let eve = Self { house, key: String::new() };
        eve.hold(&[]).await;
        for (path, body) in [
            ("users/eve", json!({"kind": "native", "profiles": ["held"]})),
            // What may be run is not the question: its list lets in whom a permission does.
            ("acls/default", json!({"title": "", "profiles": ["admin", "administrator", "held"]})),
        ] {
            let told = house.ada("PUT", path, Some(body)).await;
            assert_eq!(told.status, 204, "{}", told.text);
        }
        let key = house.ada("POST", "users/eve/keys", Some(json!({}))).await.json();
        Self { house, key: format!("Bearer {}", key["key"].as_str().unwrap()) }
    }

    async fn hold(&self, permissions: &[Permission]) {
        let held: Vec<&str> = permissions.iter().map(|p| p.as_str()).collect();
        let told =
            self.house.ada("PUT", "profiles/held", Some(json!({"title": "", "permissions": held, "valid_in": "all"})));
        assert_eq!(told.await.status, 204);
    }

    /// What the request asks, one after the other, each given when it is missed.
    async fn asked(&self, method: &str, path: &str, body: Option<Value>) -> Vec<Permission> {
        let mut held = Vec::new();
        loop {
            self.hold(&held).await;
            let path = format!("/admin/v1/tenants/acme{path}");
            let told = self.house.send(&method.to_uppercase(), &path, Some(&self.key), body.clone()).await;
            if told.status != 403 {
                return held;
            }
            let missed = missed(&told);
            assert!(!held.contains(&missed), "{method} {path} asks for what is held: {}", told.text);
            held.push(missed);
        }
    }
}

/// The permission that a refusal names.
fn missed(told: &Told) -> Permission {
    let text = told.json()["detail"].as_str().unwrap().to_owned();
    let named = text.split_whitespace().find_map(|word| word.strip_prefix("permission="));
    match named {
        Some(permission) => permission.parse().unwrap(),
        None if text.contains("deploy.no-permission") => Permission::Deploy,
        None if text.contains("console.no-user-interface-access") => Permission::UserInterfaceAccess,
        None if text.contains("execute.no-runs-control") => Permission::RunsControl,
        None => panic!("it names no permission: {text}"),
    }
}

/// The routes, each kind of definition for itself.
fn operations() -> Vec<(String, String)> {
    const KINDS: [&str; 5] = ["users", "groups", "profiles", "acls", "environments"];
    let each = |(method, path): (String, String)| -> Vec<(String, String)> {
        match path.strip_prefix("/{kind}") {
            Some(rest) => KINDS.map(|kind| (method.clone(), format!("/{kind}{rest}"))).into(),
            None => vec![(method, path)],
        }
    };
    routes().into_iter().flat_map(each).collect()
}

/// The body of an operation; of definitions, the one of their kind.
fn sent(method: &str, path: &str) -> Option<Value> {
    match (method, path) {
        ("put", "/groups/{id}") => Some(json!({"profiles": []})),
        ("put", "/profiles/{id}") => Some(json!({"title": "", "permissions": [], "valid_in": "all"})),
        ("put", "/acls/{id}") => Some(json!({"title": "", "profiles": []})),
        ("put", "/environments/{id}") => Some(json!({"title": "", "order": 9})),
        ("put", "/users/{id}") => body(method, "/{kind}/{id}"),
        _ => body(method, path),
    }
}

/// The path with ids of what is there, where somebody runs it, and of what is not where it is taken away.
fn filled(path: &str) -> String {
    let run = "00000000-0000-7000-8000-000000000000";
    let name = if path.contains("/acls/{kind}") { "echo" } else { "nothing" };
    path.replace("{environment}", "development")
        .replace("{from}", "test")
        .replace("{kind}", "integrations")
        .replace("{project}", "shop")
        .replace("{id}", if path.contains("/runs/") { run } else { "nothing" })
        .replace("{name}", name)
}

type Asks = BTreeMap<Permission, Vec<String>>;

async fn asks() -> Asks {
    let house = House::open().await;
    house.user("pat", &["administrator"]).await;
    let pat = async |method: &str, path: &str, body| {
        let path = format!("/admin/v1/tenants/acme{path}");
        let told = house.send(method, &path, Some(&basic("pat")), body).await;
        assert_eq!(told.status, 200, "{path}: {}", told.text);
    };
    pat("POST", "/projects/shop/versions", body("post", "/projects/{project}/versions")).await;
    pat("PUT", "/environments/development/deployments/shop", Some(json!({}))).await;
    let eve = Eve::new(&house).await;
    let mut asks = Asks::new();
    let mut put = |permission: Permission, operation: &str| {
        let all = asks.entry(permission).or_default();
        if !all.iter().any(|other| other == operation) {
            all.push(operation.to_owned());
        }
    };
    // What takes away what the others need comes last.
    let mut operations = operations();
    operations.sort_by_key(|(method, path)| (method == "delete", path.clone(), method.clone()));
    for (method, path) in operations {
        let nothing = ASK_NOTHING.contains(&(method.as_str(), path.as_str()));
        let asked = eve.asked(&method, &filled(&path), sent(&method, &path)).await;
        assert_eq!(asked.is_empty(), nothing, "{method} {path} asks {asked:?}");
        asked.iter().for_each(|permission| put(*permission, &format!("{} …{path}", method.to_uppercase())));
    }
    // A login asks it of who has proved all else.
    let token = house.ada("POST", "users/eve/token", None).await.json()["token"].clone();
    house.first_login("acme", "eve", &token).await;
    let login = json!({"user": "eve", "password": PASSWORD});
    eve.asked("post", "/login", Some(login)).await.iter().for_each(|permission| put(*permission, "POST …/login"));
    // A push asks for each object by its kind, and by what becomes of it.
    let of = |connector: &str, cell: &str, sort: &str, flow: &str| {
        json!({
            "project.yaml": format!("project: goods\naccounts:\n  erp:\n    connector: {connector}\n    operations: [get]\n"),
            "tables/units.json": json!({"PCE": {"name": cell}}).to_string(),
            "types/unit.json": format!("{{\"type\": \"{sort}\"}}"),
            "echo2.flow.yaml": format!("document: {{ dsl: '1.0.3', namespace: test, name: echo2, version: '1.0.0' }}\n\
                evaluate: {{ language: jsonata }}\ndo:\n  - back: {{ set: {{ got: {flow} }} }}\n"),
        })
    };
    let bare = json!({"project.yaml": "project: goods\n"});
    for files in [of("https", "one", "string", "1"), of("https", "two", "number", "2"), bare] {
        let asked = eve.asked("post", "/projects/goods/versions", Some(json!({"files": files}))).await;
        asked.iter().for_each(|permission| put(*permission, "POST …/projects/{project}/versions"));
    }
    asks
}

fn table(asks: &Asks) -> String {
    let row = |permission: &Permission| {
        let operations = asks.get(permission)?;
        let operations: Vec<String> = operations.iter().map(|operation| format!("`{operation}`")).collect();
        Some(format!("| `{permission}` | {} |\n", operations.join(", ")))
    };
    let rows: String = Permission::ALL.iter().filter_map(row).collect();
    let reserved: Vec<String> = RESERVED.lines().map(|permission| format!("`{permission}`")).collect();
    format!(
        "\n| permission | asked by |\n|---|---|\n{rows}\n*Reserved* (they can be granted already; the parts that ask them \
         are not built yet; this list may only\nshrink): {}.\n\n",
        reserved.join(", ")
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a switch of the test, not configuration of the product")]
async fn every_operation_asks_and_every_permission_is_asked() {
    let asks = asks().await;
    let page_of = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
    let page = std::fs::read_to_string(&page_of).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has its marks");
    let (_, after) = rest.split_once(END).expect("the page has its marks");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", table(&asks));
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&page_of, &fresh).unwrap();
    }
    let reserved: Vec<Permission> = RESERVED.lines().map(|line| line.parse().unwrap()).collect();
    let unasked: Vec<_> = Permission::ALL.iter().filter(|p| !asks.contains_key(p) && !reserved.contains(p)).collect();
    assert!(unasked.is_empty(), "no operation asks {unasked:?}: build it, or it is no permission");
    let built: Vec<_> = reserved.iter().filter(|p| asks.contains_key(p)).collect();
    assert!(built.is_empty(), "an operation asks {built:?} by now: take it off reserved_permissions.txt");
    assert!(std::fs::read_to_string(&page_of).unwrap() == fresh, "docs/access.md is stale: UPDATE=1, see this file");
}

#[test]
fn the_list_of_reserved_permissions_only_shrinks() {
    let first: Vec<&str> = FIRST.split_whitespace().collect();
    for permission in RESERVED.lines() {
        assert!(first.contains(&permission), "`{permission}` was no reserved permission: an operation has to ask it");
    }
}
