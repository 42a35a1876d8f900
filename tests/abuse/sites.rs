//! Row 22: what a browser could be made to do, and what is left of a session that has ended.

use crate::house::{House, ORDER, ORDER_PATH};

#[test]
fn a22_no_page_acts_for_its_reader_and_no_session_outlives_its_end() {
    let house = House::start();
    let admin = house.administrator();
    let tenant = "/admin/v1/tenants/demo";
    // What a page of another site can send: a form without fields, to a browser that remembers a password.
    for (path, site) in [
        (format!("{tenant}/environments/development/deployments/order-to-erp/rollback"), "cross-site"),
        (format!("{tenant}/environments/development/deployments/order-to-erp/adopt"), "same-site"),
        (format!("{tenant}/users/admin/token"), "cross-site"),
        (ORDER_PATH.to_owned(), "cross-site"),
    ] {
        for header in [format!("Sec-Fetch-Site: {site}"), "Origin: https://evil.example".to_owned()] {
            let refused = house.request(&admin, "POST", &path, None, &[&header]);
            assert_eq!((refused.status, refused.code().as_str()), (403, "LG-CROSS-SITE"), "{path} {header}");
        }
    }
    assert_eq!(house.request(&admin, "POST", ORDER_PATH, Some(ORDER), &["Sec-Fetch-Site: same-origin"]).status, 200);

    // A session is one that a login made: no name of another's choice, none in an address, no cookie.
    let login = |more: &[&str]| {
        let body = format!("{{\"user\":\"admin\",\"password\":\"{}\"}}", house.text("password"));
        house.request("", "POST", &format!("{tenant}/login"), Some(&body), more)
    };
    let chosen = "f".repeat(64);
    let fixed = format!("Authorization: Bearer {chosen}");
    let (first, second) = (login(&[&fixed]), login(&[]));
    assert_eq!((first.status, second.status), (200, 200), "{first:?}");
    assert!(!first.headers.to_lowercase().contains("set-cookie"), "{first:?}");
    let session = first.json()["session"].as_str().unwrap().to_owned();
    assert!(session != chosen && session != second.json()["session"].as_str().unwrap());
    let who = |credential: &str, query: &str| {
        house.request(credential, "GET", &format!("{tenant}/whoami{query}"), None, &[]).status
    };
    assert_eq!(who(&format!("Bearer {chosen}"), ""), 401);
    assert_eq!(who("", &format!("?session={session}&access_token={session}")), 401);
    assert_eq!(who(&format!("Bearer {session}"), ""), 200);
    let out = house.request(&format!("Bearer {session}"), "POST", &format!("{tenant}/logout"), None, &[]);
    assert_eq!(out.status, 204, "{out:?}");
    assert_eq!(who(&format!("Bearer {session}"), ""), 401, "it has ended on the server");
}
