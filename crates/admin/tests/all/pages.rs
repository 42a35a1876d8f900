//! Lists, page by page: nothing is left out, nothing comes twice, and a cursor opens nothing.

use std::collections::BTreeSet;

use lockgate_admin::openapi;
use serde_json::{Value, json};

use crate::house::{House, Told, basic};

/// Lists below the tenant, each with a filter that leaves some of it out.
const LISTS: &[(&str, &str)] = &[
    ("users", "prefix=p"),
    ("groups", "prefix=g1"),
    ("profiles", "prefix=api"),
    ("acls", "profile=monitor"),
    ("environments", "prefix=te"),
    ("project-permissions", "project=shop"),
    ("export", ""),
    ("environments/development/acls", "prefix=echo1"),
    ("users/pat/sessions", ""),
    ("users/pat/keys", ""),
    ("projects", "prefix=sh"),
    ("projects/shop/versions", "pushed_by=nobody"),
    ("environments/development/accounts", "prefix=a1"),
    ("environments/development/deployments", "name=echo1"),
    ("environments/development/schedules", "prefix=echo1"),
    ("environments/development/runs", "name=echo1"),
    ("environments/development/logs?after=0", ""),
];

/// Lists that are told whole, each with its reason. This list may only shrink.
const WHOLE: &[(&str, &str)] = &[
    ("/admin/v1/connectors", "it is what the product is made of"),
    ("/admin/v1/tenants/{tenant}/passkeys", "a user has a few at most"),
    ("/admin/v1/tenants/{tenant}/support", "a few grants stand at a time"),
];

fn flow(name: &str, text: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}\n\
         evaluate: {{ language: jsonata }}\nschedule: {{ every: {{ days: 30 }} }}\ndo:\n  - back: {{ set: {{ got: {text} }} }}\n"
    )
}

async fn pat(house: &House, method: &str, path: &str, body: Option<Value>) -> Told {
    let told = house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&basic("pat")), body).await;
    assert!(told.status < 300, "{method} {path}: {}", told.text);
    told
}

/// Three and more of everything.
async fn furnished() -> House {
    let house = House::open().await;
    house.user("pat", &["administrator"]).await;
    for number in 0..3 {
        pat(&house, "PUT", &format!("users/p{number}"), Some(json!({"kind": "native"}))).await;
        pat(&house, "PUT", &format!("groups/g{number}"), Some(json!({}))).await;
        let acl = json!({"title": "", "profiles": if number == 0 { vec!["monitor"] } else { vec![] }});
        pat(&house, "PUT", &format!("acls/a{number}"), Some(acl)).await;
        pat(&house, "POST", "users/pat/keys", Some(json!({}))).await;
        let login = json!({"user": "pat", "password": crate::house::PASSWORD});
        assert_eq!(house.login(login).await.status, 200);
        let account = json!({"connector": "https", "address": "https://erp.example.com", "identity": "system"});
        pat(&house, "PUT", &format!("environments/development/accounts/a{number}"), Some(account)).await;
        let project = if number == 0 { "shop".to_owned() } else { format!("goods{number}") };
        let echo = format!("echo{number}");
        for version in 0..3 {
            let files = json!({"project.yaml": format!("project: {project}\n"),
                format!("{echo}.flow.yaml"): flow(&echo, &version.to_string())});
            pat(&house, "POST", &format!("projects/{project}/versions"), Some(json!({"files": files}))).await;
        }
        pat(&house, "PUT", &format!("project-permissions/{project}/more"), Some(json!({"permissions": []}))).await;
        pat(&house, "PUT", &format!("environments/development/deployments/{project}"), Some(json!({}))).await;
        pat(&house, "POST", "environments/development/runs", Some(json!({"name": echo}))).await;
    }
    house
}

/// The pages of a list, each of at most so many.
async fn pages(house: &House, list: &str, limit: usize) -> Vec<Vec<Value>> {
    let whole = format!("{list}{}limit={limit}", if list.contains('?') { '&' } else { '?' });
    let (mut pages, mut path) = (Vec::new(), whole.clone());
    loop {
        let page = pat(house, "GET", &path, None).await.json();
        pages.push(page["items"].as_array().unwrap().clone());
        let Some(next) = page.get("next") else { return pages };
        path = format!("{whole}&cursor={}", next.as_str().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_the_whole_list_each_item_once() {
    let house = furnished().await;
    for (list, filter) in LISTS {
        let whole = pages(&house, list, 1_000).await.concat();
        assert!(whole.len() >= 3, "{list}: {whole:?}");
        for limit in [1, 2] {
            let pages = pages(&house, list, limit).await;
            assert!(pages.iter().all(|page| page.len() <= limit), "{list}");
            assert_eq!(pages.concat(), whole, "{list} by {limit}");
        }
        if !filter.is_empty() {
            let some = pages(&house, &format!("{list}?{filter}"), 1).await.concat();
            assert!(some.len() < whole.len() && some.iter().all(|item| whole.contains(item)), "{list}: {some:?}");
            assert!(!some.is_empty() || filter.ends_with("=nobody"), "{list}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_and_goes_between_pages_moves_nothing_else() {
    let house = furnished().await;
    let first = pat(&house, "GET", "groups?limit=2", None).await.json();
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&first), ["g0", "g1"]);
    pat(&house, "PUT", "groups/a", Some(json!({}))).await;
    pat(&house, "DELETE", "groups/g1", None).await;
    let second = format!("groups?limit=2&cursor={}", first["next"].as_str().unwrap());
    assert_eq!(ids(&pat(&house, "GET", &second, None).await.json()), ["g2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_was_made_up_is_told_and_opens_nothing() {
    let house = furnished().await;
    let cursor = pat(&house, "GET", "groups?limit=1", None).await.json()["next"].as_str().unwrap().to_owned();
    let next = format!("groups?limit=7&cursor={cursor}");
    assert_eq!(pat(&house, "GET", &next, None).await.status, 200);
    assert_eq!(house.ada("GET", &next, None).await.status, 400, "it is of who asked");
    let changed = |at: usize| {
        let other = |(here, c): (usize, char)| if here == at { if c == 'A' { 'B' } else { 'A' } } else { c };
        format!("groups?cursor={}", cursor.chars().enumerate().map(other).collect::<String>())
    };
    let mut wrong: Vec<String> = (0..cursor.len()).map(changed).collect();
    wrong.extend([
        // Of another list, of the same one with other filters, and what never was one.
        format!("users?cursor={cursor}"),
        format!("groups?prefix=g&cursor={cursor}"),
        format!("environments/development/accounts?cursor={cursor}"),
        format!("groups?cursor={}", cursor.chars().skip(1).collect::<String>()),
        format!("groups?cursor={cursor}A"),
        "groups?cursor=".to_owned(),
        "groups?cursor=g1".to_owned(),
        "groups?cursor=%00%ff".to_owned(),
        format!("groups?cursor={}", "A".repeat(4_000)),
    ]);
    for path in wrong {
        let told = house.ada("GET", &path, None).await;
        assert_eq!((told.status, told.code().as_str()), (400, "LG-CURSOR"), "{path}: {}", told.text);
    }
    // Of another tenant, and by who may not look.
    let told =
        house.send("GET", &format!("/admin/v1/tenants/other/groups?cursor={cursor}"), Some(&basic("bob")), None).await;
    assert_eq!((told.status, told.code().as_str()), (400, "LG-CURSOR"), "{}", told.text);
    house.user("eve", &[]).await;
    for query in [format!("cursor={cursor}"), "cursor=made-up".to_owned(), "limit=0".to_owned()] {
        let path = format!("/admin/v1/tenants/acme/groups?{query}");
        assert_eq!(house.send("GET", &path, Some(&basic("eve")), None).await.status, 403, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_seen_makes_no_page() {
    let house = furnished().await;
    let key = house.ada("POST", "users/pat/keys", Some(json!({"environment": "test"}))).await.json();
    let key = format!("Bearer {}", key["key"].as_str().unwrap());
    // Others come before it and behind it.
    for (query, seen) in [("limit=1", vec!["test"]), ("limit=1&prefix=l", vec![]), ("limit=1&prefix=t", vec!["test"])] {
        let path = format!("/admin/v1/tenants/acme/environments?{query}");
        let page = house.send("GET", &path, Some(&key), None).await.json();
        let ids: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, seen, "{query}");
        assert!(page.get("next").is_none(), "{query}: {page}");
    }
}

#[test]
fn every_list_has_pages_and_its_row_here() {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut lists = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(get) = item.get("get") else { continue };
        let reference = &get["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
        let named = reference.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let members = &document["components"]["schemas"][named]["properties"];
        if members.get("items").is_none() || WHOLE.iter().any(|(whole, _)| whole == path) {
            continue;
        }
        let names: Vec<_> =
            get["parameters"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"limit") && names.contains(&"cursor") && members.get("next").is_some(), "{path}");
        lists.insert(path.clone());
    }
    let own = ["/sessions", "/users/{id}/certificates"].len();
    // `/{kind}` is five lists.
    assert_eq!(lists.len(), LISTS.len() - 4 + own, "a list has no row in LISTS: {lists:#?}");
}
