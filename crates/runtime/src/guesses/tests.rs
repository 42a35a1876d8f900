use futures_util::FutureExt as _;

use super::*;

fn at(address: &str) -> Network {
    Network::of_text(address)
}

fn numbered(number: u32) -> Network {
    Network::V4(std::net::Ipv4Addr::from_bits(0xc612_0000 + number))
}

/// An attempt of which nobody waits for a delay: what comes of it, at this time.
fn tries(guesses: &Guesses, user: &str, source: Network, right: bool, now: Instant) -> bool {
    let (pair, apart) = guesses.pair("acme", user, source);
    let mut book = guesses.book();
    if right {
        return book.right(pair, Some(apart), now);
    }
    book.fail(pair, Some(apart), now);
    false
}

#[tokio::test]
async fn guesses_side_by_side_wait_for_each_other_and_other_sources_do_not() {
    let guesses = Guesses::default();
    let began = Instant::now();
    let fails = async |source| guesses.turn("acme", "ada", at(source)).await.unwrap().failed();
    futures_util::future::join_all((0..4).map(|_| fails("192.0.2.1"))).await;
    assert!(began.elapsed() >= Duration::from_millis(100 + 200 + 400), "{:?}", began.elapsed());
    let now = Instant::now();
    for source in ["192.0.2.2", "2001:db8::1"] {
        fails(source).await;
    }
    assert!(guesses.turn("acme", "bob", at("192.0.2.1")).await.unwrap().right());
    assert!(now.elapsed() < Duration::from_millis(800), "{:?}", now.elapsed());
    assert!(guesses.book().lines.is_empty() && guesses.book().by_source.is_empty(), "places are given back");
}

#[tokio::test]
async fn a_line_has_an_end() {
    let guesses = Guesses::default();
    let eve = |source| Box::pin(guesses.turn("acme", "eve", at(source)));
    let turn = eve("192.0.2.1").await.unwrap();
    let mut waiting: Vec<_> = (1..ACCOUNT_MAX).map(|_| eve("192.0.2.1")).collect();
    for one in &mut waiting {
        assert!(one.now_or_never().is_none());
    }
    assert!(eve("192.0.2.1").await.is_err(), "one more is told to come again");
    assert!(eve("192.0.2.2").await.is_ok(), "another source is not");
    drop((turn, waiting));
    assert!(guesses.book().lines.is_empty());
}

#[test]
fn a_source_that_sprays_many_accounts_once_each_is_slowed_and_known_users_there_are_not() {
    let (guesses, source, began) = (Guesses::default(), at("192.0.2.1"), Instant::now());
    let slot = |user: &str, source, now| {
        let (pair, apart) = guesses.pair("acme", user, source);
        guesses.book().slot(pair, apart, (now, now + PATIENCE))
    };
    assert!(tries(&guesses, "ada", source, true, began));
    let mut now = began;
    for user in 0..100 {
        let user = format!("u{user}");
        now = slot(&user, source, now).unwrap();
        tries(&guesses, &user, source, false, now);
    }
    // The last eighty or so wait for five seconds each.
    assert!(now - began >= Duration::from_secs(80 * 5), "{:?}", now - began);
    assert_eq!(slot("ada", source, now), Some(now), "who is known there");
    assert_eq!(slot("u0", at("192.0.2.2"), now), Some(now), "another source");
    // Side by side they do not fare better: a slot is one's own, and who would wait for too long is told so.
    let slots: Vec<_> = (0..SOURCE_MAX).filter_map(|n| slot(&format!("v{n}"), source, now)).collect();
    assert_eq!(slots, [5, 10, 15].map(|seconds| now + Duration::from_secs(seconds)));
}

#[test]
fn one_client_with_an_old_password_is_no_spray() {
    let (guesses, now, source) = (Guesses::default(), Instant::now(), at("192.0.2.1"));
    for _ in 0..1_000 {
        tries(&guesses, "old", source, false, now);
    }
    let (pair, apart) = guesses.pair("acme", "new", source);
    assert_eq!(guesses.book().slot(pair, apart, (now, now)), Some(now));
}

#[test]
fn an_account_takes_a_hundred_failures_of_many_sources_and_its_user_enters_from_where_it_did() {
    let (guesses, mut now) = (Guesses::default(), Instant::now());
    let (home, elsewhere) = (at("192.0.2.1"), at("192.0.2.2"));
    assert!(tries(&guesses, "ada", home, true, now));
    let spray = |now| assert!(!(0..IN_A_ROW_MAX).any(|n| tries(&guesses, "ada", numbered(n), false, now)));
    assert!(!(1..IN_A_ROW_MAX).any(|n| tries(&guesses, "ada", numbered(n), false, now)));
    assert!(tries(&guesses, "ada", elsewhere, true, now), "the last of a hundred may be right, and they start over");
    spray(now);
    assert!(!tries(&guesses, "ada", at("192.0.2.3"), true, now), "right, and taken for wrong");
    assert!(tries(&guesses, "ben", at("192.0.2.3"), true, now), "another account");
    assert!(tries(&guesses, "ada", home, true, now));
    assert!(!tries(&guesses, "ada", at("192.0.2.4"), true, now), "a known source makes up for nothing");
    guesses.entered("acme", "ada", at("192.0.2.5"));
    assert!(tries(&guesses, "ada", at("192.0.2.4"), true, now), "a reset as well");
    // Who goes on does not keep it shut, and does not get more of them.
    spray(now);
    for _ in 0..23 {
        now += Duration::from_secs(3_600);
        spray(now);
        assert!(!tries(&guesses, "ada", at("192.0.2.6"), true, now));
    }
    now += Duration::from_secs(3_600);
    assert!(tries(&guesses, "ada", at("192.0.2.6"), true, now), "a day later");
}

#[test]
fn a_known_source_is_not_known_for_ever() {
    let (guesses, now, home) = (Guesses::default(), Instant::now(), at("192.0.2.1"));
    assert!(tries(&guesses, "ada", home, true, now));
    for _ in 0..2 * IN_A_ROW_MAX {
        tries(&guesses, "ada", home, false, now);
    }
    assert!(!tries(&guesses, "ada", home, true, now), "a hundred as a known source, and a hundred as another");
}
