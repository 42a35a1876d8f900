//! The operator's routes.

use std::collections::BTreeSet;

use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_and_private_ranges() {
    let house = House::open().await;
    let told = house.operate("GET", "/operator/tenants", None).await;
    assert_eq!(told.json(), json!({"items": ["acme", "other"]}));
    for (id, status) in [("acme", 409), ("console", 400), ("ACME", 400)] {
        let new = json!({"id": id, "title": "x", "administrator": "eve"});
        assert_eq!(house.operate("POST", "/operator/tenants", Some(new)).await.status, status, "{id}");
    }

    let kept = "/operator/tenants/acme/retention";
    let change = async |retention| {
        house.operate("PUT", "/operator/tenants/acme", Some(json!({"retention": retention}))).await.status
    };
    for wrong in [
        json!({"days_max": 0}),
        json!({"runs_max": 0}),
        json!({"runs_max": -1}),
        json!({"days_max": 1.5}),
        json!({"days_max": 5_000_000_000u64}),
        json!({"years_max": 1}),
    ] {
        assert_eq!(change(wrong.clone()).await, 400, "{wrong}");
    }
    assert_eq!(house.operate("GET", "/operator/tenants/absent/retention", None).await.status, 404);
    assert_eq!(house.operate("GET", kept, None).await.json(), json!({"days_max": 30, "runs_max": 1_000_000}));
    assert_eq!(change(json!({"days_max": 4_000_000_000u64})).await, 204);
    assert_eq!(change(json!({"runs_max": 7})).await, 204);
    let told = house.operate("GET", kept, None).await;
    assert_eq!(told.json(), json!({"days_max": 4_000_000_000u64, "runs_max": 7}), "what is not named stays");
    assert_eq!(change(json!({"audit_days_max": 0})).await, 400);
    assert_eq!(change(json!({"audit_days_max": 400})).await, 204);
    let told = house.operate("GET", kept, None).await;
    assert_eq!(told.json()["audit_days_max"], 400);

    let range = |cidr| json!({"environment": "development", "cidr": cidr, "port_first": 8443, "port_last": 8444});
    let allow = json!({"tenant": "acme", "allow": [range("10.1.0.0/16")]});
    assert_eq!(house.operate("POST", "/operator/egress", Some(allow)).await.status, 204);
    let told = house.operate("GET", "/operator/egress/acme", None).await;
    assert_eq!(told.json(), json!({"items": [range("10.1.0.0/16")]}));
    let metadata = json!({"tenant": "acme", "allow": [range("no range")]});
    assert_eq!(house.operate("POST", "/operator/egress", Some(metadata)).await.status, 400);
    let nowhere = json!({"tenant": "absent", "allow": []});
    assert_eq!(house.operate("POST", "/operator/egress", Some(nowhere)).await.status, 404);
    let withdraw = json!({"tenant": "acme", "withdraw": [range("10.1.0.0/16")]});
    assert_eq!(house.operate("POST", "/operator/egress", Some(withdraw)).await.status, 204);
    assert_eq!(house.operate("GET", "/operator/egress/acme", None).await.json(), json!({"items": []}));
    assert_eq!(house.operate("GET", "/operator/egress/..", None).await.status, 404);
    let counts = house.operate("GET", "/operator/metrics", None).await;
    assert!(counts.status == 200 && counts.text.contains("lockgate_build_info"), "{}", counts.text);
    assert_eq!(house.ada("GET", "../../../../operator/metrics", None).await.status, 404);
    assert_eq!(house.operate("GET", "/admin/v1/connectors", None).await.status, 404, "nothing else is here");
}

/// Method, address, body, and what is told where the operator asks for what is not there or cannot be. Each route of the
/// socket has its line: the sources are read for them.
const REFUSED: &[(&str, &str, &str, u16)] = &[
    ("POST", "/operator/tenants", r#"{"id": "acme", "title": "", "administrator": "eve"}"#, 409),
    ("GET", "/operator/tenants", "DELETE", 405),
    ("PUT", "/operator/tenants/{tenant}", r#"{"suspended": true}"#, 404),
    ("GET", "/operator/tenants/{tenant}/retention", "", 404),
    ("GET", "/operator/tenants/{tenant}/limits", "", 404),
    ("PUT", "/operator/tenants/{tenant}/limits", r#"{"set": {"depth_max": 9}}"#, 404),
    ("POST", "/operator/egress", r#"{"tenant": "absent"}"#, 404),
    ("GET", "/operator/egress/{tenant}", "", 404),
    ("GET", "/operator/metrics", "DELETE", 405),
    ("GET", "/operator/configuration", "DELETE", 405),
    ("GET", "/operator/keys", "DELETE", 405),
    ("POST", "/operator/keys/rotate", "{}", 400),
    ("POST", "/operator/backup", r#"{"passphrase": 1}"#, 400),
    ("GET", "/operator/support/{tenant}/{environment}/runs", "", 404),
    ("GET", "/operator/support/{tenant}/{environment}/runs/{id}", "", 404),
    ("GET", "/operator/support/{tenant}/{environment}/logs", "", 404),
    ("GET", "/operator/support/{tenant}/{environment}/deployments", "", 404),
    ("GET", "/operator/support/{tenant}/{environment}/schedules", "", 404),
];

/// The routes that the sources add to the socket's router.
fn routes() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (source, before) in [
        (include_str!("../../src/operator.rs"), ""),
        (include_str!("../../src/operator/support.rs"), "/operator/support/{tenant}/{environment}"),
    ] {
        for line in source.split(".route(\"").skip(1) {
            let (path, rest) = line.split_once('"').unwrap();
            let made = rest.split(";").next().unwrap().split(".route(").next().unwrap();
            for method in ["get", "put", "post", "delete", "patch"] {
                let adds = [format!(" {method}("), format!(".{method}(")].iter().any(|way| made.contains(way.as_str()));
                if adds {
                    found.insert((method.to_uppercase(), format!("{before}{path}")));
                }
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_of_the_socket_has_its_refusal() {
    let in_table: BTreeSet<_> = REFUSED.iter().map(|(m, p, ..)| ((*m).to_owned(), (*p).to_owned())).collect();
    assert_eq!(in_table.len(), REFUSED.len(), "a route stands twice");
    assert_eq!(routes(), in_table, "a route without a refusal case, or one that is gone");
    let house = House::open().await;
    for (method, path, body, status) in REFUSED {
        let path = path.replace("{tenant}", "absent").replace("{environment}", "live");
        let path = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
        // Where nothing can be wrong with the request, another method is refused.
        let (method, body) = if *body == "DELETE" { (body, "") } else { (method, *body) };
        let body = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
        let told = house.operate(method, &path, body).await;
        assert_eq!(told.status, *status, "{method} {path}: {}", told.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_socket_refuses_in_the_same_form() {
    let house = House::open().await;
    let ask = async |method: &str, path: &str, content_type: Option<&str>, body: &str| {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let told = house.ask_operator(request.body(Body::from(body.to_owned())).unwrap()).await;
        (told.status, told.code())
    };
    let json = Some("application/json");
    for (method, path, content_type, body, status, code) in [
        ("GET", "/operator", None, "", 404, "LG-NOT-FOUND"),
        ("GET", "/operator/egress/%ff", None, "", 404, "LG-NOT-FOUND"),
        ("GET", "/operator/egress/absent", None, "", 404, "LG-NOT-FOUND"),
        ("PATCH", "/operator/tenants", None, "", 405, "LG-METHOD"),
        ("GET", "/operator/keys/rotate", None, "", 405, "LG-METHOD"),
        ("DELETE", "/operator/support/acme/live/runs", None, "", 405, "LG-METHOD"),
        ("POST", "/operator/tenants", None, "{}", 415, "LG-CONTENT-TYPE"),
        ("POST", "/operator/tenants", json, "{", 400, "LG-BODY"),
        ("POST", "/operator/tenants", json, "[]", 400, "LG-BODY"),
        ("GET", "/operator/support/acme/live/runs?phase=happy", None, "", 400, "LG-QUERY"),
        ("GET", "/operator/support/acme/live/runs?%ff", None, "", 400, "LG-QUERY"),
        ("GET", "/operator/support/acme/live/runs", None, "", 403, "LG-FORBIDDEN"),
        ("POST", "/operator/tenants", json, &" ".repeat(3 << 20), 413, "LG-BODY-TOO-LARGE"),
    ] {
        assert_eq!(
            ask(method, path, content_type, body).await,
            (status, code.to_owned()),
            "{method} {path} {body:.20}"
        );
    }
}
