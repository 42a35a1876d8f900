//! Lists that come in pages.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt as _;
use lockgate_connector_api::{Body, Error, Kind, Streamed};
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::CANARY,
    https_peer::{Arrived, Told},
    pki::Server,
};
use serde_json::{Value, json};

use crate::account::{ALPNS, Account, call, peer, read};

/// The parameters of a request.
fn query(arrived: &Arrived) -> BTreeMap<String, String> {
    let query = arrived.target.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// So many items of a list of 7, from one of them.
fn items(from: usize, count: usize) -> Vec<Value> {
    (from..7.min(from + count)).map(|n| json!({"n": n})).collect()
}

fn page(body: &Value, headers: Vec<(&'static str, String)>) -> Told {
    Told { status: 200, headers, body: body.to_string().into() }
}

/// A list of 7 items, three a page, named in every way.
fn list(peer: &HttpsPeer) {
    let number = |arrived: &Arrived, name: &str| query(arrived).get(name).map_or(0, |n| n.parse::<usize>().unwrap());
    peer.answers("/base/link", move |arrived| {
        let at = number(arrived, "at");
        let next = format!("<?at={}>; rel=\"next\", </base/link>; rel=first", at + 3);
        page(&json!(items(at, 3)), if at + 3 < 7 { vec![("link", next)] } else { Vec::new() })
    });
    peer.answers("/base/cursor", move |arrived| {
        let at = number(arrived, "after");
        let next = if at + 3 < 7 { json!((at + 3).to_string()) } else { Value::Null };
        page(&json!({"data": {"items": items(at, 3)}, "paging": {"next": next}}), Vec::new())
    });
    peer.answers("/base/address", move |arrived| {
        let at = number(arrived, "at");
        let next = if at + 3 < 7 { format!("/base/address?at={}", at + 3) } else { String::new() };
        page(&json!({"value": items(at, 3), "nextLink": next}), Vec::new())
    });
    peer.answers("/base/offset", move |arrived| page(&json!(items(number(arrived, "skip"), 3)), Vec::new()));
    peer.answers("/base/page", move |arrived| page(&json!(items((number(arrived, "p") - 1) * 3, 3)), Vec::new()));
}

const WAYS: [(&str, &str, &str, usize); 6] = [
    ("link", "", r#"{"link": "next"}"#, 3),
    ("cursor", "data.items", r#"{"cursor": "paging.next", "into": "after"}"#, 3),
    ("address", "value", r#"{"cursor": "nextLink"}"#, 3),
    // The end is a page of none, with a size too.
    ("offset", "", r#"{"offset": "skip"}"#, 4),
    ("offset", "", r#"{"offset": "skip", "size": 3}"#, 4),
    ("page", "", r#"{"page": "p", "size": 3}"#, 4),
];

fn input(path: &str, records: &str, next: &str) -> Value {
    let mut input = json!({"path": path, "query": {"q": "a b"}, "headers": {"x-own": "1"}, "next": {}});
    input["next"] = serde_json::from_str(next).unwrap();
    if !records.is_empty() {
        input["records"] = records.into();
    }
    input
}

async fn streamed(account: &Account, input: Value) -> Result<Vec<Value>, Error> {
    let mut call = call("pages", input);
    call.stream = true;
    let mut records = account.invoke(call).await?.stream.and_then(Streamed::records).unwrap();
    let mut all = Vec::new();
    while let Some(batch) = records.next().await {
        all.extend(read(&batch?).as_array().unwrap().iter().cloned());
    }
    Ok(all)
}

#[tokio::test]
async fn what_names_no_next_page_is_never_sent() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    for input in [
        json!({}),
        json!({"next": {}}),
        json!({"next": "link"}),
        json!({"next": {"link": ""}}),
        json!({"next": {"link": "next", "cursor": "a"}}),
        json!({"next": {"link": "next", "size": 1}}),
        json!({"next": {"offset": "o", "into": "a"}}),
        json!({"next": {"offset": "o", "size": 0}}),
        json!({"next": {"page": "p", "from": "1"}}),
        json!({"next": {"cursor": "a..b"}}),
        json!({"next": {"cursor": "a", "other": 1}}),
        json!({"next": {"link": "next"}, "records": ""}),
        json!({"next": {"link": "next"}, "pages_max": 0}),
        json!({"next": {"link": "next"}, "raw": true}),
        json!({"next": {"link": "next"}, "body": 1}),
        json!({"next": {"link": "next"}, "path": "../x"}),
        json!({"next": {"offset": "skip"}, "query": {"skip": 100}}),
        json!({"next": {"page": "p"}, "query": {"p": 3}}),
        json!({"next": {"cursor": "c", "into": "after"}, "query": {"after": null}}),
    ] {
        let error = account.fails("pages", input.clone()).await;
        assert_eq!(error.kind(), Kind::Input, "{input}");
    }
    for operation in ["get", "post"] {
        assert_eq!(account.fails(operation, json!({"next": {"link": "next"}})).await.kind(), Kind::Input);
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn no_page_is_asked_for_elsewhere() {
    let pki = Pki::new();
    let (home, other) =
        (peer(&pki, &["http/1.1"]).await, HttpsPeer::start(pki.server_config(Server::Good, false, &[])).await);
    for to in [
        format!("https://localhost:{}/base/x", other.port()),
        format!("http://localhost:{}/base/x", home.port()),
        "https://169.254.169.254/latest".to_owned(),
        "//evil.example/base/x".to_owned(),
        "/elsewhere".to_owned(),
        "../x".to_owned(),
        "/base/../x".to_owned(),
    ] {
        // Wherever redirects may lead: this would carry the account's credentials.
        let account = Account::open(&pki, home.port(), &[("auth", "bearer"), ("redirects", "any-origin")], &["token"]);
        let (link, cursor) = (to.clone(), to.clone());
        home.answers("/base/link", move |_| page(&json!([1]), vec![("link", format!("<{link}>; rel=next"))]));
        home.answers("/base/cursor", move |_| page(&json!({"items": [1], "next": cursor}), Vec::new()));
        for (path, records, next) in [("link", "", r#"{"link": "next"}"#), ("cursor", "items", r#"{"cursor": "next"}"#)]
        {
            let error = account.fails("pages", input(path, records, next)).await;
            assert_eq!((error.kind(), error.code()), (Kind::Refused, "https-redirect"), "{to}: {error}");
        }
    }
    assert_eq!(other.connections(), 0);
    assert!(
        home.requests()
            .iter()
            .all(|arrived| arrived.target.starts_with("/base/link") || arrived.target.starts_with("/base/cursor"))
    );
}

#[tokio::test]
async fn a_list_is_read_to_its_end_in_every_way() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        list(&peer);
        let account = Account::open(&pki, peer.port(), &[("auth", "bearer")], &["token"]);
        for (path, records, next, pages) in WAYS {
            let all = account.call("pages", input(path, records, next)).await.unwrap();
            assert_eq!(all, json!({"records": items(0, 7), "pages": pages}), "{next}");
            assert_eq!(streamed(&account, input(path, records, next)).await.unwrap(), items(0, 7), "{next}");
        }
        let requests = peer.requests();
        let with_headers = |arrived: &Arrived| {
            arrived.headers["x-own"] == "1" && arrived.headers["authorization"] == format!("Bearer {CANARY}").as_str()
        };
        assert!(requests.iter().all(with_headers));
        // What the call asked for is asked for on every page that we count.
        assert!(
            requests
                .iter()
                .filter(|arrived| arrived.target.contains("skip="))
                .all(|arrived| arrived.target.contains("q=a%20b"))
        );
        assert_eq!(requests.len(), 2 * WAYS.iter().map(|(.., pages)| pages).sum::<usize>());
    }
}

/// An endpoint that gives fewer at once than it is asked for has its list read to the end all the same.
#[tokio::test]
async fn a_short_page_is_not_the_end() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    list(&peer);
    let account = Account::open(&pki, peer.port(), &[], &[]);
    for (path, next) in [("offset", r#"{"offset": "skip", "size": 500}"#), ("page", r#"{"page": "p", "size": 500}"#)] {
        let all = account.call("pages", input(path, "", next)).await.unwrap();
        assert_eq!(all, json!({"records": items(0, 7), "pages": 4}), "{next}");
        assert_eq!(streamed(&account, input(path, "", next)).await.unwrap(), items(0, 7), "{next}");
    }
    // No page at all is the end behind a short one, and an error behind one that is not, or where nobody said how many
    // there are.
    peer.answers("/base/numbered", move |arrived| {
        match items((query(arrived)["p"].parse::<usize>().unwrap() - 1) * 3, 3) {
            none if none.is_empty() => Told { status: 404, headers: Vec::new(), body: "no such page".into() },
            some => page(&json!(some), Vec::new()),
        }
    });
    let all = account.call("pages", input("numbered", "", r#"{"page": "p", "size": 3}"#)).await.unwrap();
    assert_eq!(all, json!({"records": items(0, 7), "pages": 3}));
    let sized = input("numbered", "", r#"{"page": "p", "size": 3}"#);
    assert_eq!(streamed(&account, sized).await.unwrap(), items(0, 7));
    for next in [r#"{"page": "p"}"#, r#"{"page": "p", "size": 1}"#, r#"{"page": "p", "from": 4, "size": 3}"#] {
        let error = account.fails("pages", input("numbered", "", next)).await;
        assert_eq!((error.kind(), error.code()), (Kind::NotFound, "https-status"), "{next}");
    }
}

#[tokio::test]
async fn a_page_that_is_none_fails_the_list() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    let link = r#"{"link": "next"}"#;
    // The second page is what it is, the first one is well.
    let second = |told: Told| {
        let told = std::sync::Arc::new(told);
        peer.answers("/base/list", move |arrived| match query(arrived).contains_key("second") {
            true => told.as_ref().clone(),
            false => page(&json!([1]), vec![("link", "<list?second=1>; rel=next".to_owned())]),
        });
    };
    let told = |status: u16, body: &'static str| Told { status, headers: Vec::new(), body: body.into() };
    for (answer, kind, code) in [
        (told(500, "what it says"), Kind::Rejected, "https-status"),
        (told(404, "what it says"), Kind::NotFound, "https-status"),
        (told(304, ""), Kind::Rejected, "https-status"),
        (told(200, "[1"), Kind::Protocol, "https-json"),
        (told(200, "{}"), Kind::Protocol, "https-page"),
        (page(&json!([2]), vec![("link", "</base/list?second=1>; rel=next".to_owned())]), Kind::Protocol, "https-page"),
        (page(&json!([2]), vec![("link", "list?third=1; rel=next".to_owned())]), Kind::Protocol, "https-page"),
        (told(200, ""), Kind::Protocol, "https-page"),
        (told(202, ""), Kind::Protocol, "https-page"),
    ] {
        second(answer);
        let error =
            account.fails("pages", json!({"path": "list", "next": serde_json::from_str::<Value>(link).unwrap()})).await;
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
        // As a stream the first page comes, and then the same error.
        let error = streamed(&account, json!({"path": "list", "next": {"link": "next"}})).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
    }
    // An empty page may have one behind it.
    second(Told { status: 204, headers: vec![("link", "<list?third=1>; rel=next".to_owned())], body: "".into() });
    let third = move |arrived: &Arrived| match query(arrived).keys().next().map(String::as_str) {
        Some("third") => page(&json!([3]), Vec::new()),
        Some("second") => {
            Told { status: 202, headers: vec![("link", "<list?third=1>; rel=next".to_owned())], body: "".into() }
        }
        _ => page(&json!([1]), vec![("link", "<list?second=1>; rel=next".to_owned())]),
    };
    peer.answers("/base/list", third);
    let all = account.call("pages", json!({"path": "list", "next": {"link": "next"}})).await.unwrap();
    assert_eq!(all, json!({"records": [1, 3], "pages": 3}));
    // Nothing more is an end.
    second(told(204, ""));
    assert_eq!(account.call("pages", json!({"path": "list", "next": {"link": "next"}})).await.unwrap()["pages"], 2);
    // A list without end has one.
    peer.answers("/base/list", |_| page(&json!([1]), Vec::new()));
    let error = account.fails("pages", json!({"path": "list", "next": {"page": "p"}, "pages_max": 5})).await;
    assert_eq!((error.kind(), error.code()), (Kind::TooLarge, "https-pages"));
}

#[tokio::test]
async fn a_page_is_asked_for_again_when_the_endpoint_says_so() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    let asked = std::sync::atomic::AtomicUsize::new(0);
    peer.answers("/base/list", move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 | 2 => Told { status: 429, headers: vec![("retry-after", "0".to_owned())], body: "slowly".into() },
        1 => page(&json!([1]), vec![("link", "<list?second=1>; rel=next".to_owned())]),
        _ => page(&json!([2]), Vec::new()),
    });
    let list = json!({"path": "list", "next": {"link": "next"}});
    assert_eq!(account.call("pages", list.clone()).await.unwrap(), json!({"records": [1, 2], "pages": 2}));
    // Later than anybody waits, or over and over, it is an error, which says when.
    for seconds in ["0", "3600"] {
        peer.answers("/base/list", move |_| Told {
            status: 503,
            headers: vec![("retry-after", seconds.to_owned())],
            body: "down".into(),
        });
        let error = account.fails("pages", list.clone()).await;
        assert_eq!(
            (error.kind(), error.retry_after()),
            (Kind::Unavailable, Some(Duration::from_secs(seconds.parse().unwrap())))
        );
    }
}

/// Pages name the next one beside where they came from, which need not be where the list was asked for.
#[tokio::test]
async fn the_next_page_is_beside_the_page_that_answered() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let moved = |to: &'static str| Told { status: 308, headers: vec![("location", to.to_owned())], body: "".into() };
    peer.answers("/base/customers", move |_| moved("/base/v2/customers/"));
    peer.answers("/base/v2/customers/", |arrived| match query(arrived).contains_key("page") {
        true => page(&json!([2]), Vec::new()),
        false => page(&json!([1]), vec![("link", "<?page=2>; rel=next".to_owned())]),
    });
    let account = Account::open(&pki, peer.port(), &[("redirects", "any-origin")], &[]);
    let list = |path: Value| json!({"path": path, "next": {"link": "next"}});
    let all = account.call("pages", list(json!("customers"))).await.unwrap();
    assert_eq!(all["records"], json!([1, 2]));
    // At another origin nothing of the account's own stands beside it.
    let other = HttpsPeer::start(pki.server_config(Server::Good, false, &[])).await;
    other.answers("/list", |_| page(&json!([1]), vec![("link", "<?page=2>; rel=next".to_owned())]));
    let there = format!("https://localhost:{}/list", other.port());
    peer.answers("/base/away", move |_| Told {
        status: 302,
        headers: vec![("location", there.clone())],
        body: "".into(),
    });
    let error = account.fails("pages", list(json!("away"))).await;
    assert_eq!((error.kind(), error.code()), (Kind::Refused, "https-redirect"), "{error}");
    assert_eq!(peer.requests().iter().filter(|arrived| arrived.target.contains("page=")).count(), 1);
    // The path that was asked for may hold what no other one may.
    peer.answers("/base/projects/a%2Fb/issues", |arrived| match query(arrived).contains_key("page") {
        true if query(arrived)["page"] == "3" => page(&json!([]), Vec::new()),
        true => page(&json!([4]), vec![("link", "</base/projects/a%2Fc/issues?page=3>; rel=next".to_owned())]),
        false => page(&json!([3]), vec![("link", "</base/projects/a%2Fb/issues?page=2>; rel=next".to_owned())]),
    });
    let mut project = list(json!(["projects", "a/b", "issues"]));
    let error = account.fails("pages", project.clone()).await;
    assert_eq!((error.kind(), error.code()), (Kind::Refused, "https-redirect"), "{error}");
    project["next"] = json!({"page": "page", "from": 2, "size": 2});
    assert_eq!(account.call("pages", project).await.unwrap()["records"], json!([4]));
}

/// Lists that stream into calls of the same account do not take each other's places.
#[tokio::test]
async fn lists_that_stream_and_their_sinks_all_come_to_their_end() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    list(&peer);
    peer.answers("/base/sink", |_| page(&json!({}), Vec::new()));
    let account = Account::open(&pki, peer.port(), &[("requests_max", "3")], &[]);
    let account = &account;
    let flow = async || {
        let mut pages = call("pages", input("link", "", r#"{"link": "next"}"#));
        pages.stream = true;
        let records = account.invoke(pages).await?.stream.and_then(Streamed::records).unwrap();
        let lines = records.map(|batch| batch.map(|batch| batch.print(1 << 20).unwrap().into()));
        let mut post = call("post", json!({"path": "sink"}));
        post.body = Some(Body::new(lines));
        account.invoke(post).await.map(|_| ())
    };
    let all = futures_util::future::join_all((0..24).map(|_| flow()));
    for done in tokio::time::timeout(Duration::from_secs(30), all).await.expect("none waits for another") {
        done.unwrap();
    }
}
