//! Limits: the operator sets them, of a tenant or of one of its environments; runs keep them there and nowhere else; the
//! tenant sees them, with its own record, by one permission.

use lockgate_admin::shapes::{TenantLimits, TenantRecord};
use serde_json::{Value, json};

use crate::{
    house::{House, basic},
    refusals::body,
};

const OF_ACME: &str = "/operator/tenants/acme/limits";

async fn held(house: &House) -> TenantLimits {
    let told = house.operate("GET", OF_ACME, None).await;
    assert_eq!(told.status, 200, "{}", told.text);
    serde_json::from_value(told.json()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_sets_limits_of_a_tenant_and_of_an_environment() {
    let house = House::open().await;
    let first = held(&house).await;
    assert!(first.set.is_empty() && first.environments.len() == 4);
    let default = first.limits.clone();
    let set = async |body: Value| house.operate("PUT", OF_ACME, Some(body)).await.status;
    assert_eq!(set(json!({"set": {"depth_max": 20, "wall_ms_max": 5_000}})).await, 204);
    assert_eq!(set(json!({"environment": "live", "set": {"depth_max": 30}})).await, 204);
    let now = held(&house).await;
    assert_eq!((now.limits.depth_max, now.limits.wall_ms_max, now.limits.cost_max), (20, 5_000, default.cost_max));
    let (live, test) = (&now.environments["live"], &now.environments["test"]);
    assert_eq!((live.limits.depth_max, live.limits.wall_ms_max), (30, 5_000), "what is not set falls back");
    assert_eq!((test.limits.depth_max, test.set.len(), live.set.len()), (20, 0, 1));
    let other = house.operate("GET", "/operator/tenants/other/limits", None).await.json();
    assert_eq!(other["limits"]["depth_max"], default.depth_max, "another tenant has its own");
    assert_eq!(set(json!({"environment": "live", "set": {"depth_max": null}})).await, 204);
    assert_eq!(set(json!({"set": {"depth_max": null, "wall_ms_max": null}})).await, 204);
    assert_eq!(held(&house).await, first);
    let told = house.told_of("operator-limits").await;
    let entry = |at: &str| format!("done operator {at} -");
    let (tenant, live) = (entry("tenant/acme"), entry("environment/live"));
    assert_eq!(told, [tenant.clone(), live.clone(), live, tenant]);
    // What stands so already is no change.
    assert_eq!(set(json!({"set": {"depth_max": null}})).await, 204);
    assert_eq!(house.told_of("operator-limits").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_limit_is_refused_and_nothing_is_set() {
    let house = House::open().await;
    let good = json!({"set": {"depth_max": 20}});
    for (path, body, status, code) in [
        (OF_ACME, json!({"set": {"depth_max": 20, "arena_bytes_max": 1}}), 400, "LG-LIMIT"),
        (OF_ACME, json!({"set": {"depth_max": 257}}), 400, "LG-LIMIT"),
        (OF_ACME, json!({"set": {"wall_ms_max": u64::MAX}}), 400, "LG-LIMIT"),
        (OF_ACME, json!({"set": {"recursion_max": 10}}), 400, "LG-LIMIT"),
        (OF_ACME, json!({"set": {"depth": 20}}), 400, "LG-BODY"),
        (OF_ACME, json!({"set": {"depth_max": -1}}), 400, "LG-BODY"),
        (OF_ACME, json!({}), 400, "LG-BODY"),
        (OF_ACME, json!({"environment": "nowhere", "set": {"depth_max": 20}}), 404, "LG-NOT-FOUND"),
        ("/operator/tenants/absent/limits", good, 404, "LG-NOT-FOUND"),
    ] {
        let told = house.operate("PUT", path, Some(body.clone())).await;
        assert_eq!((told.status, told.code().as_str()), (status, code), "{body}: {}", told.text);
    }
    assert!(held(&house).await.set.is_empty());
    assert_eq!(house.operate("GET", "/operator/tenants/absent/limits", None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_an_environment_keep_its_limits_and_another_of_its_name_starts_anew() {
    let house = House::open().await;
    house.user("pat", &["administrator"]).await;
    let pat = async |method: &str, path: &str, body: Value| {
        house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&basic("pat")), Some(body)).await
    };
    let shop = body("post", "/projects/{project}/versions").unwrap();
    assert_eq!(pat("POST", "projects/shop/versions", shop).await.status, 200);
    for environment in ["development", "test"] {
        let told = pat("PUT", &format!("environments/{environment}/deployments/shop"), json!({})).await;
        assert_eq!(told.status, 200, "{}", told.text);
    }
    let run = async |environment: &str| {
        let body = json!({"name": "echo", "input": "x".repeat(2_000)});
        pat("POST", &format!("environments/{environment}/runs"), body).await.status
    };
    assert_eq!((run("development").await, run("test").await), (200, 200));
    let narrow = json!({"environment": "test", "set": {"request_bytes_max": 1_024}});
    assert_eq!(house.operate("PUT", OF_ACME, Some(narrow)).await.status, 204);
    assert_eq!((run("development").await, run("test").await), (200, 413));
    let wide = json!({"environment": "test", "set": {"request_bytes_max": 4_096, "reply_bytes_max": 1_024}});
    assert_eq!(house.operate("PUT", OF_ACME, Some(wide)).await.status, 204);
    assert_ne!(run("test").await, 200, "the reply has the input in it");
    assert_eq!(run("development").await, 200);
    assert_eq!(pat("PUT", "environments/spare", json!({"title": "", "order": 9})).await.status, 204);
    let spare = json!({"environment": "spare", "set": {"depth_max": 20}});
    assert_eq!(house.operate("PUT", OF_ACME, Some(spare)).await.status, 204);
    assert_eq!(house.ada("DELETE", "environments/spare", None).await.status, 204);
    assert_eq!(pat("PUT", "environments/spare", json!({"title": "", "order": 9})).await.status, 204);
    assert!(held(&house).await.environments["spare"].set.is_empty(), "it has the limits of the one before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_sees_its_record_and_limits_by_its_permission() {
    let house = House::open().await;
    let narrow = json!({"environment": "live", "set": {"depth_max": 30}});
    assert_eq!(house.operate("PUT", OF_ACME, Some(narrow)).await.status, 204);
    let keep = json!({"retention": {"days_max": 7, "audit_days_max": 90}});
    assert_eq!(house.operate("PUT", "/operator/tenants/acme", Some(keep)).await.status, 204);
    let record: TenantRecord = serde_json::from_value(house.ada("GET", "record", None).await.json()).unwrap();
    assert_eq!((record.id.as_str(), record.title.as_str()), ("acme", "acme"));
    assert_eq!((record.retention.days_max, record.retention.audit_days_max), (7, Some(90)));
    let seen: TenantLimits = serde_json::from_value(house.ada("GET", "limits", None).await.json()).unwrap();
    assert_eq!(seen, held(&house).await);
    assert_eq!(seen.environments["live"].limits.depth_max, 30);
    let clerk = json!({"title": "", "permissions": ["manage-company-capabilities"], "valid_in": "all"});
    let here =
        json!({"title": "", "permissions": ["manage-company-capabilities"], "valid_in": {"environments": ["live"]}});
    assert_eq!(house.ada("PUT", "profiles/clerk", Some(clerk)).await.status, 204);
    assert_eq!(house.ada("PUT", "profiles/here", Some(here)).await.status, 204);
    for (user, profile, status) in [("cleo", "clerk", 200), ("hal", "here", 403), ("dev", "developer", 403)] {
        house.user(user, &[profile]).await;
        for path in ["record", "limits"] {
            let path = format!("/admin/v1/tenants/acme/{path}");
            assert_eq!(house.send("GET", &path, Some(&basic(user)), None).await.status, status, "{user} {path}");
        }
    }
}
