//! An export: what is in it for whom, and that it is told.

use lockgate_admin::shapes;
use serde_json::json;

use crate::house::{House, Told, basic};

fn is(told: &Told) -> shapes::TenantExport {
    assert_eq!(told.status, 200, "{}", told.text);
    serde_json::from_str(&told.text).unwrap()
}

async fn furnished() -> House {
    let house = House::open().await;
    for environment in ["development", "live"] {
        let account = json!({"connector": "https", "address": "https://erp.example.com", "identity": "system",
            "settings": {"auth": "bearer"}, "secrets": {"token": "red-hot-secret"}});
        let told = house.ada("PUT", &format!("environments/{environment}/accounts/erp"), Some(account)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        let at = format!("environments/{environment}/acls/integrations/hello");
        let told = house.ada("PUT", &at, Some(json!({"acl": "default"}))).await;
        assert_eq!(told.status, 204);
    }
    house
}

async fn exported(house: &House, user: &str) -> shapes::TenantExport {
    is(&house.send("GET", "/admin/v1/tenants/acme/export?limit=1000", Some(&basic(user)), None).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_whole_for_who_may_see_all_and_is_told_once() {
    let house = furnished().await;
    let all = is(&house.ada("GET", "export?limit=1000", None).await);
    assert_eq!(all.environments, ["development", "live", "prelive", "test"]);
    assert_eq!((all.kinds.len(), all.left_out.len(), &all.next), (9, 0, &None));
    let has = |kind: &str, id: &str| all.items.iter().find(|item| item.kind == kind && item.id == id);
    for (kind, id) in [("environment", "live"), ("user", "ada"), ("acl", "default"), ("profile", "monitor")] {
        assert!(has(kind, id).is_some(), "{kind} {id}");
    }
    let erp = &has("account", "live/erp").unwrap().body;
    assert_eq!((erp.get("secrets"), &erp["settings"]["auth"]), (None, &json!("bearer")));
    assert_eq!(has("assignment", "live/integrations/hello").unwrap().body, json!({"acl": "default"}));
    assert_eq!(house.told_of("export").await, ["done ada - -"]);

    // The other pages are of the same one; of a tenant that has changed there are none.
    let first = is(&house.ada("GET", "export?limit=3", None).await);
    let next = format!("export?limit=3&cursor={}", first.next.unwrap());
    assert_eq!(is(&house.ada("GET", &next, None).await).items, all.items[3..6]);
    assert_eq!(house.told_of("export").await.len(), 2);
    house.ada("PUT", "groups/new", Some(json!({}))).await;
    let told = house.ada("GET", &next, None).await;
    assert_eq!((told.status, told.code().as_str()), (409, "LG-BUSY"), "{}", told.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_export_sees_no_more_than_otherwise() {
    let house = furnished().await;
    house.user("dev", &["developer"]).await;
    house.user("pub", &["publisher"]).await;
    // All environments, but no users and no lists.
    let all = exported(&house, "pub").await;
    assert_eq!(all.kinds, ["environment", "assignment", "account", "schedule"]);
    let left: Vec<String> = all.left_out.iter().map(|left| format!("{} {}", left.kind, left.permission)).collect();
    let users = ["profile access-control", "group user-management", "user user-management"];
    assert_eq!(left, [&users[..], &["acl access-control", "project-permission access-control"]].concat());
    assert!(all.items.iter().all(|item| all.kinds.contains(&item.kind)));
    // One environment: the others are not told of, and no list of environments that would have them deleted.
    let told = house.send("GET", "/admin/v1/tenants/acme/export", Some(&basic("dev")), None).await;
    let one = is(&told);
    assert_eq!((one.environments, one.kinds), (vec!["development".to_owned()], all.kinds[1..].to_vec()));
    assert_eq!(
        one.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(),
        ["development/integrations/hello", "development/erp"]
    );
    assert!(one.left_out.iter().any(|left| left.kind == "account" && left.permission == "export"));
    assert!(!told.text.contains("live"), "{}", told.text);

    // To look is not to carry out; and who keeps users alone exports none.
    house.user("mon", &["monitor"]).await;
    let told = house.send("GET", "/admin/v1/tenants/acme/export", Some(&basic("mon")), None).await;
    assert_eq!(told.status, 403, "{}", told.text);
    assert!(told.text.contains("permission=export"), "{}", told.text);
}
