//! Streams in and out, kept sessions, and bounds.

use std::{
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, future::join_all, stream};
use lockgate_connector_api::{Body, Call, Egress, Error, Kind as Is};
use serde_json::json;

use super::{Account, Kind, Server, Unusual, call, content, each_server, generated, put, streamed};
use crate::{
    FaultProxy,
    contract::context,
    fault_proxy::{Fault, Way},
    wait_until_async,
};

pub async fn streams_pass_whole_and_in_order<K: Kind>() {
    const BYTES: u64 = (5 << 20) + 12_345;
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let answer = account.invoke(put("big", generated(BYTES))).await.unwrap();
        assert_eq!(answer.written, BYTES);
        let expected = content(0, usize::try_from(BYTES).unwrap());
        assert!(
            fs::read(server.files().join("big")).unwrap() == expected,
            "{kind:?}: what was put is not what is there"
        );
        let body = account.stream(streamed("big")).await.unwrap();
        assert_eq!(body.length(), Some(BYTES));
        assert!(body.collect(BYTES).await.unwrap() == expected, "{kind:?}: what was read is not what is there");
        // Pieces of any size are put together.
        let sizes = [1, 7, 0, 100_000, 3, 32 << 10, 300_000, 1];
        let pieces: Vec<_> = sizes
            .iter()
            .scan(0, |at, size| {
                let piece = Bytes::copy_from_slice(&expected[*at..*at + size]);
                *at += size;
                Some(Ok(piece))
            })
            .collect();
        account.invoke(put("pieces", Body::new(stream::iter(pieces)))).await.unwrap();
        assert!(fs::read(server.files().join("pieces")).unwrap() == expected[..sizes.iter().sum::<usize>()]);
        account.invoke(put("nothing", Body::new(stream::empty()))).await.unwrap();
        assert_eq!(fs::read(server.files().join("nothing")).unwrap(), b"");
        let nothing = account.stream(streamed("nothing")).await.unwrap();
        assert_eq!(nothing.collect(0).await.unwrap(), "");
    })
    .await;
}

pub async fn a_source_that_fails_leaves_nothing<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let piece = || Ok(Bytes::from_static(&[7; 100_000]));
        let failing = [piece(), piece(), Err(Error::new(Is::NotFound, "source", "gone"))];
        let error = account.invoke(put("x", Body::new(stream::iter(failing)))).await.unwrap_err();
        assert_eq!(error.code(), "source");
        for stated in [199_999, 200_001] {
            let body = Body::new(stream::iter([piece(), piece()])).with_length(Some(stated));
            let error = account.invoke(put("x", body)).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (Is::Input, "file-length"), "{stated}");
        }
        assert_eq!(server.names(), Vec::<String>::new(), "{kind:?}");
    })
    .await;
}

pub async fn a_put_that_is_given_up_removes_its_temporary_file<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let endless = || Body::new(stream::repeat_with(|| Ok(Bytes::from_static(&[7; 50_000]))));
        let stuck = || Body::new(stream::iter([Ok(Bytes::from_static(&[7; 50_000]))]).chain(stream::pending()));
        for body in [endless(), stuck()] {
            let opened = account.opened.clone();
            let call = tokio::spawn(opened.invoke(account.cx.clone(), put("x", body)));
            wait_until_async("a temporary file", Duration::from_secs(10), || !server.names().is_empty()).await;
            assert!(server.names()[0].starts_with(".lockgate-"), "{:?}", server.names());
            call.abort();
            wait_until_async("its removal", Duration::from_secs(10), || server.names().is_empty()).await;
        }
        // The deadline gives up as well.
        let deadline = Instant::now() + Duration::from_millis(800);
        let error = account.invoke(Call { deadline, ..put("x", stuck()) }).await.unwrap_err();
        assert_eq!(error.kind(), Is::Timeout, "{error}");
        assert!(Instant::now() < deadline + Duration::from_secs(1));
        wait_until_async("its removal", Duration::from_secs(10), || server.names().is_empty()).await;
    })
    .await;
}

/// A file of many megabytes whose reader stops: the server stops too, and at the deadline the call
/// fails. `carried` are the bytes that came from the server.
pub async fn a_streamed_file_waits_for_its_reader(account: &Account, path: &str, carried: impl Fn() -> u64) {
    let deadline = Instant::now() + Duration::from_secs(3);
    let mut body = account.stream(Call { deadline, ..streamed(path) }).await.unwrap();
    let taken = body.next().await.unwrap().unwrap().len() as u64;
    let mut before = u64::MAX;
    wait_until_async("the server to stop sending", Duration::from_secs(5), || {
        let now = carried();
        let stopped = before == now;
        before = now;
        std::thread::sleep(Duration::from_millis(50));
        stopped
    })
    .await;
    let ahead = carried() - taken;
    assert!(ahead < 16 << 20, "{ahead} bytes sent to a reader that reads nothing");
    tokio::time::sleep_until(deadline.into()).await;
    let error = loop {
        match body.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("read to the end after the deadline"),
        }
    };
    assert_eq!(error.kind(), Is::Timeout);
}

pub async fn a_file_that_changes_while_it_is_read_is_a_failed_read<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let path = server.files().join("changing");
        for change in ["longer", "shorter", "other"] {
            fs::write(&path, vec![b'x'; 20 << 20]).unwrap();
            let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
            fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
            let body = account.stream(streamed("changing")).await.unwrap();
            let file = fs::File::options().write(true).open(&path).unwrap();
            match change {
                "longer" => file.set_len((20 << 20) + 1).unwrap(),
                "shorter" => file.set_len((20 << 20) - 1).unwrap(),
                _ => std::io::Write::write_all(&mut &file, b"y").unwrap(),
            }
            drop(file);
            let error = body.collect(u64::MAX).await.unwrap_err();
            assert_eq!((error.code(), error.is_transient()), ("file-changed", true), "{kind:?} {change}: {error}");
        }
    })
    .await;
}

pub async fn sessions_are_kept_and_bounded<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let proxy = FaultProxy::start(server.port()).await;
        let settings = &[("sessions_max", "3")];
        let account = kind.open(Unusual { server: Some(server), settings, ..Unusual::at(proxy.port()) });
        for _ in 0..10 {
            account.call("stat", json!({})).await.unwrap();
        }
        assert_eq!(proxy.connections(), 1, "one after the other");
        let calls =
            (0..40).map(|_| tokio::spawn(account.opened.clone().invoke(account.cx.clone(), call("stat", json!({})))));
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().unwrap();
        }
        assert!(proxy.connections() <= 3, "{} sessions", proxy.connections());
        // All taken that a stream may take: the next one waits, and says so at its deadline.
        fs::File::create(server.files().join("big")).unwrap().set_len(50 << 20).unwrap();
        let held = [account.invoke(streamed("big")).await.unwrap(), account.invoke(streamed("big")).await.unwrap()];
        let shortly = |call: Call| Call { deadline: Instant::now() + Duration::from_millis(200), ..call };
        let error = account.invoke(shortly(streamed("big"))).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Is::Timeout, "file-busy"));
        account.call("stat", json!({})).await.unwrap();
        // And all taken.
        let stuck = Body::new(stream::pending());
        let putting = tokio::spawn(account.opened.clone().invoke(account.cx.clone(), put("x", stuck)));
        let there = || server.names().iter().any(|name| name.starts_with(".lockgate-"));
        wait_until_async("a temporary file", Duration::from_secs(10), there).await;
        let error = account.invoke(shortly(call("stat", json!({})))).await.unwrap_err();
        assert_eq!((error.code(), proxy.connections()), ("file-busy", kind.connections(3)));
        drop(held);
        account.call("stat", json!({})).await.unwrap();
        putting.abort();
    })
    .await;
}

/// A copy holds a session for its source while it waits for one to write over.
pub async fn many_copies_over_few_sessions_all_end<K: Kind>() {
    // The first server and the last.
    let ends = [K::ALL.first(), K::ALL.last()].map(|kind| *kind.unwrap());
    let servers = ends.map(|kind| (kind, kind.start()));
    let [(_, Some(_)), (_, Some(_))] = &servers else { return };
    let accounts = servers.each_ref().map(|(kind, server)| {
        let server = server.as_ref().unwrap();
        fs::write(server.files().join("source"), content(0, 300_000)).unwrap();
        let settings = &[("sessions_max", "2")];
        kind.open(Unusual { server: Some(server), settings, ..Unusual::at(server.port()) })
    });
    // Within an account, and from each to the other.
    let ways = [(0, 0), (0, 1), (1, 0)];
    let copies = (0..48).map(|n| {
        let (way, (from, to)) = (n % 3, ways[n % 3]);
        let (from, to) = (&accounts[from], &accounts[to]);
        async move { to.invoke(put(&format!("copy-{way}-{n}"), from.stream(streamed("source")).await?)).await }
    });
    for outcome in join_all(copies).await {
        assert_eq!(outcome.unwrap().written, 300_000);
    }
}

pub async fn a_kept_session_that_the_server_closed_is_replaced<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let proxy = FaultProxy::start(server.port()).await;
        let account = kind.through(server, proxy.port());
        account.call("stat", json!({})).await.unwrap();
        let (up, _) = proxy.carried();
        // The second session ends while it lies idle: its next request is its last one.
        proxy.once(Fault::Reset(Way::Up, up + 1));
        let account = kind.through(server, proxy.port());
        account.call("stat", json!({})).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        account.call("stat", json!({})).await.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        assert!(proxy.happened() && proxy.connections() == 3, "{} connections", proxy.connections());
    })
    .await;
}

pub async fn an_allowance_withdrawn_ends_kept_sessions<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let mut account = kind.on(server);
        account.call("stat", json!({})).await.unwrap();
        account.cx = context(Egress::new(Vec::new()));
        assert_eq!(account.fails("stat", json!({})).await.kind(), Is::Refused);
    })
    .await;
}

pub async fn sessions_are_closed_when_no_call_comes_and_with_their_account<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let proxy = FaultProxy::start(server.port()).await;
        let account = kind.through(server, proxy.port());
        account.call("stat", json!({})).await.unwrap();
        assert_eq!(proxy.open(), 1, "{kind:?}: it is kept");
        wait_until_async("the end of an idle session", Duration::from_secs(90), || proxy.open() == 0).await;
        account.call("stat", json!({})).await.unwrap();
        assert_eq!((proxy.open(), proxy.connections()), (1, 2));
        drop(account);
        wait_until_async("the end of an account's session", Duration::from_secs(10), || proxy.open() == 0).await;
    })
    .await;
}
