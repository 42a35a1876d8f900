//! Entity tags and conditions: nobody overwrites what they have not seen.

use std::{collections::BTreeSet, sync::Arc};

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::{
    house::{House, Told, basic},
    refusals::body,
};

/// What can be changed under a condition: where it is, two forms of it, and whether it can be deleted.
fn things() -> Vec<(&'static str, Value, Value, bool)> {
    let everywhere = |title| json!({"title": title, "permissions": ["logs-view"], "valid_in": "all"});
    let account =
        |host| json!({"connector": "https", "address": format!("https://{host}.example.com"), "identity": "system"});
    vec![
        ("users/ben", json!({"kind": "native"}), json!({"kind": "native", "title": "Ben"}), true),
        ("groups/crew", json!({}), json!({"title": "Crew"}), true),
        ("profiles/reader", everywhere("a"), everywhere("b"), true),
        ("acls/staff", json!({"title": "", "profiles": []}), json!({"title": "Staff", "profiles": []}), true),
        ("environments/demo", json!({"title": "", "order": 8}), json!({"title": "", "order": 9}), true),
        (
            "project-permissions/shop/crew",
            json!({"permissions": []}),
            json!({"permissions": ["integrations.update"]}),
            true,
        ),
        ("environments/test/acls/integrations/echo", json!({"acl": "default"}), json!({"acl": "other"}), true),
        ("environments/test/accounts/erp", account("erp"), account("new"), true),
        ("environments/development/deployments/shop", json!({"version": 1}), json!({"version": 2}), true),
        ("password-policy", json!({"preset": "classic"}), json!({"preset": "nist-800-63b-4"}), false),
    ]
}

async fn furnished() -> House {
    let house = House::open().await;
    house.user("pat", &["administrator"]).await;
    let mut shop = body("post", "/projects/{project}/versions").unwrap();
    for wanted in ["1.0.0", "1.0.1"] {
        let flow = shop["files"]["echo.flow.yaml"].as_str().unwrap().replace("1.0.0", wanted);
        shop["files"]["echo.flow.yaml"] = json!(flow);
        let pushed = ask(&house, "POST", "projects/shop/versions", &[], Some(&shop)).await;
        assert_eq!(pushed.status, 200, "{}", pushed.text);
    }
    let made = ask(&house, "PUT", "acls/other", &[], Some(&json!({"title": "", "profiles": []}))).await;
    assert_eq!(made.status, 204, "{}", made.text);
    house
}

async fn ask(house: &House, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Told {
    let mut request = Request::builder().method(method).uri(format!("/admin/v1/tenants/acme/{path}"));
    request = request.header("authorization", basic("pat"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    house.ask(request.unwrap()).await
}

fn tag(told: &Told) -> String {
    assert_eq!(told.status, 200, "{}", told.text);
    told.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_since_it_was_read_is_not_changed() {
    let house = furnished().await;
    for (path, first, second, can_go) in things() {
        let put = async |headers: &[(&str, &str)], form| {
            let told = ask(&house, "PUT", path, headers, Some(form)).await;
            (told.status, told.code())
        };
        let stale = (412, "LG-STALE".to_owned());
        if can_go {
            // What is not there has no tag, and is created once.
            assert_eq!(put(&[("if-match", "\"1\"")], &first).await, stale, "{path}");
            assert_eq!(put(&[("if-match", "*")], &first).await, stale, "{path}");
            assert!(put(&[("if-none-match", "*")], &first).await.0 < 300, "{path}");
        }
        for headers in [[("if-none-match", "*")], [("if-none-match", "no tag")]] {
            assert_eq!(put(&headers, &second).await, (412, "LG-EXISTS".to_owned()), "{path}");
        }
        let read = ask(&house, "GET", path, &[], None).await;
        let old = tag(&read);
        let known = ask(&house, "GET", path, &[("if-none-match", &old)], None).await;
        assert_eq!((known.status, known.text.as_str(), known.headers["etag"].to_str().unwrap()), (304, "", &*old));
        assert!(put(&[("if-match", &old)], &second).await.0 < 300, "{path}");
        let changed = ask(&house, "GET", path, &[("if-none-match", &old)], None).await;
        let new = tag(&changed);
        assert_ne!((&new, &changed.text), (&old, &read.text), "{path}");
        let weak = format!("W/{new}");
        for headers in [[("if-match", &*old)], [("if-match", "5")], [("if-match", "")], [("if-match", &*weak)]] {
            assert_eq!(put(&headers, &first).await, stale, "{path} {headers:?}");
            if can_go {
                let told = ask(&house, "DELETE", path, &headers, None).await;
                assert_eq!((told.status, told.code()), stale, "{path} {headers:?}");
            }
        }
        let after = ask(&house, "GET", path, &[], None).await;
        assert_eq!((tag(&after), after.text), (new.clone(), changed.text), "{path}: a refusal changed it");
        if can_go {
            let gone = ask(&house, "DELETE", path, &[("if-match", &format!("\"1\", {new}"))], None).await;
            assert_eq!(gone.status, 204, "{path}: {}", gone.text);
            let absent = if path.contains("/deployments/") { (409, "LG-NOT-PUBLISHED") } else { (404, "LG-NOT-FOUND") };
            let told = ask(&house, "DELETE", path, &[("if-match", &new)], None).await;
            assert_eq!((told.status, told.code().as_str()), absent, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_tells_nothing_to_who_may_not_write() {
    let house = furnished().await;
    house.user("monty", &["monitor"]).await;
    for (path, _, form, can_go) in things() {
        for method in ["PUT", "DELETE"].iter().take(if can_go { 2 } else { 1 }) {
            let mut answers = BTreeSet::new();
            for condition in ["\"1\"", "*", "no tag"] {
                let request = Request::builder()
                    .method(*method)
                    .uri(format!("/admin/v1/tenants/acme/{path}"))
                    .header("authorization", basic("monty"))
                    .header("content-type", "application/json")
                    .header("if-match", condition)
                    .body(Body::from(form.to_string()));
                let told = house.ask(request.unwrap()).await;
                assert_eq!(told.status, 403, "{method} {path}: {}", told.text);
                answers.insert(told.text);
            }
            assert_eq!(answers.len(), 1, "{method} {path}: {answers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_writers_who_race_none_loses_what_another_wrote() {
    const WRITERS: usize = 8;
    let house = Arc::new(furnished().await);
    ask(&house, "PUT", "acls/staff", &[], Some(&json!({"title": "", "profiles": []}))).await;
    let profile = json!({"title": "", "permissions": [], "valid_in": "all"});
    for number in 0..WRITERS {
        let told = ask(&house, "PUT", &format!("profiles/p{number}"), &[], Some(&profile)).await;
        assert_eq!(told.status, 204, "{}", told.text);
    }
    let write = async |house: Arc<House>, number: usize| {
        let profile = format!("p{number}");
        let mut refused = 0;
        loop {
            let read = ask(&house, "GET", "acls/staff", &[], None).await;
            let (tag, mut acl) = (tag(&read), read.json()["body"].clone());
            acl["profiles"].as_array_mut().unwrap().push(json!(profile));
            let told = ask(&house, "PUT", "acls/staff", &[("if-match", &tag)], Some(&acl)).await;
            match (told.status, told.code().as_str()) {
                (204, _) => return refused,
                (412, "LG-STALE") | (409, "LG-BUSY") => refused += 1,
                other => panic!("{other:?}"),
            }
        }
    };
    let writers: Vec<_> = (0..WRITERS).map(|number| tokio::spawn(write(house.clone(), number))).collect();
    let mut refused = 0;
    for writer in writers {
        refused += writer.await.unwrap();
    }
    let profiles = ask(&house, "GET", "acls/staff", &[], None).await.json()["body"]["profiles"].clone();
    let kept: BTreeSet<_> = profiles.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
    assert_eq!(kept, (0..WRITERS).map(|number| format!("p{number}")).collect(), "{refused} were refused");
    // Of those who create the same thing one does.
    let create = async |house: Arc<House>, number: usize| {
        let form = json!({"title": number.to_string()});
        loop {
            let told = ask(&house, "PUT", "groups/first", &[("if-none-match", "*")], Some(&form)).await;
            if told.code() != "LG-BUSY" {
                return told.status;
            }
        }
    };
    let writers: Vec<_> = (0..WRITERS).map(|number| tokio::spawn(create(house.clone(), number))).collect();
    let mut created = 0;
    for writer in writers {
        created += usize::from(writer.await.unwrap() == 204);
    }
    assert_eq!(created, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_so_already_stays_at_its_revision_and_is_no_change_in_the_log() {
    let house = furnished().await;
    let changes = async |house: &House| {
        let mut all = house.told_of("add").await;
        all.extend(house.told_of("update").await);
        all
    };
    // A deployment is an act of its own each time.
    for (path, form, ..) in things().into_iter().filter(|(path, ..)| !path.contains("/deployments/")) {
        let first = ask(&house, "PUT", path, &[], Some(&form)).await;
        assert!(first.status < 300, "{path}: {}", first.text);
        let (read, logged) = (ask(&house, "GET", path, &[], None).await, changes(&house).await);
        for headers in [vec![], vec![("if-match", tag(&read))]] {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let again = ask(&house, "PUT", path, &headers, Some(&form)).await;
            assert_eq!((again.status, &again.text), (first.status, &first.text), "{path}");
        }
        let now = ask(&house, "GET", path, &[], None).await;
        assert_eq!((tag(&now), now.text), (tag(&read), read.text), "{path}");
        assert_eq!(changes(&house).await, logged, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_with_the_secrets_that_it_has_is_not_changed() {
    let house = House::open().await;
    let account = |token: &str, address: &str| {
        json!({"connector": "https", "address": address, "identity": "system", "settings": {"auth": "bearer"},
            "secrets": {"token": token}})
    };
    let put = async |token: &str, address: &str| {
        let told = house.ada("PUT", "environments/live/accounts/erp", Some(account(token, address))).await;
        assert_eq!(told.status, 200, "{}", told.text);
        told.json()["revision"].as_u64().unwrap()
    };
    let (here, there) = ("https://erp.example.com", "https://erp.example.org");
    let first = put("red-hot", here).await;
    let updates = async || house.told_of("update").await.len();
    let before = updates().await;
    assert_eq!(put("red-hot", here).await, first);
    assert_eq!(updates().await, before);
    let second = put("red-hoT", here).await;
    assert!(second > first);
    // Elsewhere it is given again, and is the same one.
    let third = put("red-hoT", there).await;
    assert!(third > second);
    assert_eq!((put("red-hoT", there).await, updates().await), (third, before + 2));
}
