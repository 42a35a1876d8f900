//! Sizes, times, streams and kept connections.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lockgate_connector_api::{Body, Call, Egress, Error, Kind};
use lockgate_model::Limits;
use lockgate_testkit::{
    FaultProxy, HttpsPeer, Pki, contract::context, https_peer::Wire, pki::Server, wait_until_async,
};
use serde_json::json;

use crate::account::{ALPNS, Account, call, peer, read};

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        let account = Account::open(&pki, peer.port(), &[], &[]);
        let limits = Limits { reply_bytes_max: 50_000, ..Limits::default() };
        let small = |path: &str| Call { limits, ..call("get", json!({"path": path})) };
        for path in ["endless", "big/50001"] {
            let error = account.invoke(small(path)).await.unwrap_err();
            assert_eq!(error.kind(), Kind::TooLarge, "{path}");
        }
        assert_eq!(account.invoke(small("big/50000")).await.unwrap().read, 50_000, "the limit itself passes");
        let error = account.fails("get", json!({"path": "truncate"})).await;
        assert!(matches!(error.kind(), Kind::Unreachable), "{error}");
        for path in ["hang", "slow"] {
            let begun = Instant::now();
            let short = Call { deadline: begun + Duration::from_millis(200), ..call("get", json!({"path": path})) };
            let error = account.invoke(short).await.unwrap_err();
            assert_eq!((error.kind(), error.error_type()), (Kind::Timeout, "timeout"));
            assert!(begun.elapsed() < Duration::from_secs(1));
        }
        assert_eq!(
            account.call("get", json!({"path": "text"})).await.unwrap()["status"],
            200,
            "the account still works"
        );
    }
}

#[tokio::test]
async fn a_streamed_answer_waits_for_its_reader() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        let account = Account::open(&pki, peer.port(), &[], &[]);
        let call = Call { stream: true, ..call("get", json!({"path": "endless"})) };
        let answer = account.invoke(call).await.unwrap();
        assert_eq!(read(&answer.output)["status"], 200);
        assert!(read(&answer.output).get("body").is_none());
        let mut body = answer.stream.unwrap().bytes().unwrap();
        let mut taken = body.next().await.unwrap().unwrap().len() as u64;
        // Nobody reads: the server comes to a stop after what the windows between us hold.
        let mut before = u64::MAX;
        wait_until_async("the server to stop sending", Duration::from_secs(5), || {
            let stopped = before == peer.sent();
            before = peer.sent();
            std::thread::sleep(Duration::from_millis(50));
            stopped
        })
        .await;
        assert!(peer.sent() < 16 << 20, "{} bytes sent to a reader that reads nothing", peer.sent());
        // Nor does it hold up other answers, over the same connection where they share one.
        assert_eq!(account.invoke(self::call("get", json!({"path": "big/50000"}))).await.unwrap().read, 50_000);
        while taken < 32 << 20 {
            taken += body.next().await.unwrap().unwrap().len() as u64;
        }
    }
}

#[tokio::test]
async fn streamed_answers_end_at_the_deadline_and_tell_truncation() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    let deadline = Instant::now() + Duration::from_millis(300);
    let slow = Call { stream: true, deadline, ..call("get", json!({"path": "slow"})) };
    let body = account.invoke(slow).await.unwrap().stream.unwrap().bytes().unwrap();
    assert_eq!(body.collect(1 << 20).await.unwrap_err().kind(), Kind::Timeout);
    let cut = Call { stream: true, ..call("get", json!({"path": "truncate"})) };
    let body = account.invoke(cut).await.unwrap().stream.unwrap().bytes().unwrap();
    assert_eq!(body.length(), Some(1000));
    assert_eq!(body.collect(1 << 20).await.unwrap_err().kind(), Kind::Unreachable);
    let whole = Call { stream: true, ..call("get", json!({"path": "big/300000"})) };
    let body = account.invoke(whole).await.unwrap().stream.unwrap().bytes().unwrap();
    assert_eq!(body.collect(1 << 20).await.unwrap().len(), 300_000);
}

#[tokio::test]
async fn a_streamed_request_is_sent_as_it_comes() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        let account = Account::open(&pki, peer.port(), &[], &[]);
        let pieces = |n: usize| futures_util::stream::iter((0..n).map(|_| Ok(bytes::Bytes::from_static(&[7; 1000]))));
        for length in [None, Some(50_000)] {
            let body = Body::new(pieces(50)).with_length(length);
            let answer = account.invoke(Call { body: Some(body), ..call("put", json!({"path": "x"})) }).await.unwrap();
            assert_eq!(answer.written, 50_000);
        }
        assert!(peer.requests().iter().all(|r| r.body.len() == 50_000));
        // A source that fails ends the request, and the error is its own.
        let source = [Ok(bytes::Bytes::from_static(b"x")), Err(Error::new(Kind::NotFound, "source", "gone"))];
        let body = Body::new(futures_util::stream::iter(source));
        let error = account.invoke(Call { body: Some(body), ..call("put", json!({"path": "x"})) }).await.unwrap_err();
        assert_eq!(error.code(), "source");
        // Gone once, it cannot follow a redirect.
        let body = Body::new(pieces(1));
        let input = json!({"path": "redirect/307", "query": {"to": "/base/echo"}});
        let error = account.invoke(Call { body: Some(body), ..call("put", input) }).await.unwrap_err();
        assert_eq!(error.code(), "https-redirect");
    }
}

#[tokio::test]
async fn connections_are_kept_and_shared() {
    let pki = Pki::new();
    for (alpn, side_by_side) in [(ALPNS[0], 8), (ALPNS[1], 1)] {
        let peer = peer(&pki, alpn).await;
        let account = Account::open(&pki, peer.port(), &[("requests_max", "8")], &[]);
        for _ in 0..20 {
            account.call("get", json!({"path": "echo"})).await.unwrap();
        }
        assert_eq!(peer.connections(), 1, "one after the other");
        let calls = (0..100).map(|_| {
            tokio::spawn(account.opened.clone().invoke(account.cx.clone(), call("get", json!({"path": "echo"}))))
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().unwrap();
        }
        assert!(peer.connections() <= side_by_side, "{} connections", peer.connections());
    }
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closed_is_replaced_where_a_repeat_is_safe() {
    let pki = Pki::new();
    let peer = HttpsPeer::start_as(pki.server_config(Server::Good, false, &[]), Wire::OneAnswer).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    for sessions in 1..5 {
        account.call("get", json!({})).await.unwrap();
        assert_eq!(peer.sessions(), sessions);
    }
    // What may have been received is not sent again: that is for the flow to decide.
    let error = account.fails("post", json!({"body": "x"})).await;
    assert_eq!((error.kind(), error.is_transient()), (Kind::Unreachable, true));
    assert_eq!(peer.sessions(), 4);
}

#[tokio::test]
async fn an_allowance_withdrawn_ends_kept_connections() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        let mut account = Account::open(&pki, peer.port(), &[], &[]);
        account.call("get", json!({"path": "echo"})).await.unwrap();
        account.cx = context(Egress::new(Vec::new()));
        assert_eq!(account.fails("get", json!({"path": "echo"})).await.kind(), Kind::Refused);
        assert_eq!(peer.requests().len(), 1);
    }
}

#[tokio::test]
async fn requests_past_the_limit_wait() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2"]).await;
    let account = Account::open(&pki, peer.port(), &[("requests_max", "3")], &[]);
    let streamed = |path: &str| Call { stream: true, ..call("get", json!({"path": path})) };
    let held = account.invoke(streamed("endless")).await.unwrap();
    // Two are kept free of calls that begin a stream.
    let shortly = || Instant::now() + Duration::from_millis(100);
    let late = Call { deadline: shortly(), ..streamed("echo") };
    assert_eq!(account.invoke(late).await.unwrap_err().code(), "https-busy");
    let hanging = [(); 2].map(|()| {
        tokio::spawn(account.opened.clone().invoke(account.cx.clone(), call("get", json!({"path": "hang"}))))
    });
    wait_until_async("two more requests", Duration::from_secs(10), || peer.requests().len() == 3).await;
    let late = Call { deadline: shortly(), ..call("get", json!({"path": "echo"})) };
    assert_eq!(account.invoke(late).await.unwrap_err().code(), "https-busy");
    drop(held);
    account.call("get", json!({"path": "echo"})).await.unwrap();
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

/// A copy holds a request for its source while it waits for one to write with.
#[tokio::test]
async fn many_copies_by_few_requests_all_end() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peers = [peer(&pki, alpn).await, peer(&pki, alpn).await];
        let accounts = peers.each_ref().map(|peer| Account::open(&pki, peer.port(), &[("requests_max", "3")], &[]));
        // From one to another, and through a third request that passes the stream on.
        let ways: [&[usize]; 6] = [&[0, 0], &[0, 1], &[1, 0], &[0, 0, 0], &[0, 1, 0], &[1, 0, 1]];
        let copies = (0..96).map(|n| {
            let (accounts, way) = (&accounts, ways[n % ways.len()]);
            async move {
                let source = Call { stream: true, ..call("get", json!({"path": "big/300000"})) };
                let mut answer = accounts[way[0]].invoke(source).await?;
                for (at, account) in way.iter().enumerate().skip(1) {
                    let body = answer.stream.take().unwrap().bytes();
                    let stream = at + 1 < way.len();
                    let (operation, path) = if stream { ("post", "big/300000") } else { ("put", "x") };
                    let next = Call { body, stream, ..call(operation, json!({"path": path})) };
                    answer = accounts[*account].invoke(next).await?;
                }
                Ok::<_, Error>(answer.written)
            }
        });
        for written in futures_util::future::join_all(copies).await {
            assert_eq!(written.unwrap_or_else(|error| panic!("{alpn:?}: {error}")), 300_000);
        }
    }
}

#[tokio::test]
async fn connections_are_closed_when_no_call_comes_and_with_their_account() {
    let pki = &Pki::new();
    let protocols = ALPNS.map(|alpn| async move {
        let peer = peer(pki, alpn).await;
        let proxy = FaultProxy::start(peer.port()).await;
        let account = Account::open(pki, proxy.port(), &[], &[]);
        account.call("get", json!({"path": "echo"})).await.unwrap();
        assert_eq!(proxy.open(), 1, "{alpn:?}: it is kept");
        wait_until_async("the end of an idle connection", Duration::from_secs(90), || proxy.open() == 0).await;
        account.call("get", json!({"path": "echo"})).await.unwrap();
        assert_eq!((proxy.open(), proxy.connections()), (1, 2));
        drop(account);
        wait_until_async("the end of an account's connection", Duration::from_secs(10), || proxy.open() == 0).await;
    });
    futures_util::future::join_all(protocols).await;
}
