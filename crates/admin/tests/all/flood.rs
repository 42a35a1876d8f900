//! Floods of logins: they tell nothing of who exists and keep nobody out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::task::JoinSet;

use crate::house::{House, PASSWORD};

async fn login(house: &House, source: &str, tenant: &str, user: &str, password: &str) -> u16 {
    let body = json!({"user": user, "password": password});
    house.send_from(source, "POST", &format!("/admin/v1/tenants/{tenant}/login"), None, Some(body)).await.status
}

/// Two strangers send logins to a tenant's address, each of another made-up user, until it is stopped.
fn flood(house: &Arc<House>, tenant: &'static str) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for number in 0..300 {
        let house = house.clone();
        all.spawn(async move {
            let source = format!("192.0.2.{}", number % 2);
            for again in 0.. {
                let status = login(&house, &source, tenant, &format!("u{number}-{again}"), PASSWORD).await;
                assert!(matches!(status, 401 | 503), "{status}");
                tokio::task::yield_now().await;
            }
        });
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_keeps_nobody_out_and_does_not_show_who_exists() {
    let house = Arc::new(House::open().await);
    for flooded in ["acme", "nowhere"] {
        let all = flood(&house, flooded);
        tokio::time::sleep(Duration::from_millis(500)).await;
        for tenant in ["acme", "other", "nowhere", "elsewhere", "No%20Id"] {
            let status = login(&house, "198.51.100.1", tenant, "eve", "wrong-Horse-7").await;
            assert_eq!(status, 401, "`{tenant}` while `{flooded}` is flooded");
        }
        let status = login(&house, "198.51.100.2", "acme", "ada", PASSWORD).await;
        assert_eq!(status, 200, "ada while `{flooded}` is flooded");
        drop(all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_one_after_the_other_are_slowed_whether_the_account_exists_or_not() {
    let house = House::open().await;
    for (tenant, user) in [("acme", "ada"), ("acme", "nobody"), ("nowhere", "ada")] {
        let began = Instant::now();
        for _ in 0..6 {
            assert_eq!(login(&house, "2001:db8::1", tenant, user, "wrong-Horse-7").await, 401);
        }
        let least = Duration::from_millis(100 + 200 + 400 + 800 + 1_600);
        assert!(began.elapsed() >= least, "{user} of {tenant}: {:?}", began.elapsed());
    }
    // The right password from elsewhere does not wait; the address next door is the same source.
    let began = Instant::now();
    let delay = Duration::from_millis(3_200);
    assert_eq!(login(&house, "198.51.100.1", "acme", "ada", PASSWORD).await, 200);
    assert!(began.elapsed() < delay, "{:?}", began.elapsed());
    assert_eq!(login(&house, "2001:db8::2", "nowhere", "ada", "wrong-Horse-7").await, 401);
    assert!(began.elapsed() > delay - Duration::from_millis(200), "{:?}", began.elapsed());
}

/// Many sources, and one account: together they have a hundred guesses, and the user still enters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_of_many_sources_are_added_up_and_their_victim_enters_from_a_known_source() {
    let house = Arc::new(House::open().await);
    for user in ["ada", "nobody"] {
        let mut all = JoinSet::new();
        for number in 0..100 {
            let house = house.clone();
            all.spawn(async move {
                let source = format!("192.0.2.{number}");
                loop {
                    match login(&house, &source, "acme", user, "wrong-Horse-7").await {
                        // The line for a hash is short.
                        503 => tokio::time::sleep(Duration::from_millis(50)).await,
                        status => return assert_eq!(status, 401),
                    }
                }
            });
        }
        while let Some(one) = all.join_next().await {
            one.unwrap();
        }
    }
    assert_eq!(login(&house, "198.51.100.1", "acme", "ada", PASSWORD).await, 401, "right, from an unknown source");
    let basic = crate::house::basic("ada");
    let whoami = async |source: &str| {
        house.send_from(source, "GET", "/admin/v1/tenants/acme/whoami", Some(&basic), None).await.status
    };
    assert_eq!(whoami("198.51.100.1").await, 401);
    // `ada` has signed in from there.
    assert_eq!(whoami("127.0.0.1").await, 200);
    let elsewhere = login(&house, "198.51.100.1", "acme", "ada", PASSWORD).await;
    assert_eq!(elsewhere, 401, "strangers get no hundred more by that");
}

/// Who guesses from another source has no faster way to the right password because its user has just used it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remembered_credential_is_remembered_for_its_source() {
    let house = House::open().await;
    let (right, wrong) = (crate::house::basic("ada"), "Basic YWRhOndyb25n");
    let whoami = async |source: &str, credential: &str| {
        house.send_from(source, "GET", "/admin/v1/tenants/acme/whoami", Some(credential), None).await.status
    };
    assert_eq!(whoami("127.0.0.1", &right).await, 200);
    for _ in 0..5 {
        assert_eq!(whoami("192.0.2.1", wrong).await, 401);
    }
    let began = Instant::now();
    assert_eq!(whoami("127.0.0.1", &right).await, 200);
    let here = began.elapsed();
    assert_eq!(whoami("192.0.2.1", &right).await, 200);
    assert!(began.elapsed() - here > Duration::from_millis(1_400), "it waited like any guess: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_told_with_their_channel_and_those_after_the_first_as_well() {
    let house = House::open().await;
    let basic = |user: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode(format!("{user}:wrong-Horse-7")))
    };
    for user in ["ada", "ben", "ben", "cleo"] {
        assert_eq!(login(&house, "192.0.2.1", "acme", user, "wrong-Horse-7").await, 401);
        let told = house.send_from("192.0.2.2", "GET", "/admin/v1/tenants/acme/whoami", Some(&basic(user)), None).await;
        assert_eq!(told.status, 401);
    }
    house.tell_attempts().await;
    let found = house.ada("GET", "audit/find?channel=admin&outcome=failed", None).await.json();
    let links = found["links"].as_array().unwrap_or_else(|| panic!("{found}"));
    let mut told: Vec<String> = links
        .iter()
        .map(|link| {
            let entry = &link["entry"];
            let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
            let all = [&entry["event"], &entry["principal"], &entry["source"], &entry["detail"]["attempts"]];
            format!("{} of {}", all.map(text).join(" "), text(&entry["detail"]["users"]))
        })
        .collect();
    told.sort();
    let expected = [
        "authenticate - 192.0.2.2 1 of 1",
        "authenticate - 192.0.2.2 3 of 2",
        "login - 192.0.2.1 3 of 2",
        "login ada 192.0.2.1 1 of 1",
    ];
    assert_eq!(told, expected);
}
