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
