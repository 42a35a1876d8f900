//! `exists: replace` at servers that cannot replace in one step: whatever breaks between the steps,
//! the old content or the new one is under the name afterwards, and nothing else is left.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future::join_all, stream};
use lockgate_connector_api::{Body, Call};
use serde_json::json;

use super::{Kind, Server, call};
use crate::{
    FaultProxy,
    contract::{
        faults::{DEADLINE, at_the_end, clean, each},
        tells_nothing,
    },
    fault_proxy::{Fault, Way},
    wait_until_async,
};

const OPERATIONS: [&str; 2] = ["put", "move"];

/// A call that replaces the file `to-N`, after what it needs is there.
fn replacing(server: &impl Server, operation: &str, n: usize) -> Call {
    let (from, to) = (format!("from-{n:03}"), format!("to-{n:03}"));
    let write = |name: &str, content: &str| {
        let file = server.files().join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    };
    write(&to, "before");
    let call = match operation {
        "put" => Call { body: Some(Body::full("after")), ..call("put", json!({"path": to, "exists": "replace"})) },
        _ => {
            write(&from, "after");
            call("move", json!({"from": from, "to": to, "exists": "replace"}))
        }
    };
    Call { deadline: Instant::now() + DEADLINE, ..call }
}

/// Bytes that such a call carries both ways when nothing breaks.
async fn totals<K: Kind>(kind: K, server: &K::Server, operation: &str) -> (u64, u64) {
    let proxy = FaultProxy::start(server.port()).await;
    kind.through(server, proxy.port()).invoke(replacing(server, operation, 999)).await.unwrap();
    proxy.carried()
}

/// Whether the new content of a call is in place. What is there must be whole, and all there is.
fn is_replaced(server: &impl Server, operation: &str, n: usize, what: &str) -> bool {
    let read = |name: String| fs::read_to_string(server.files().join(name)).ok();
    let (from, to) = (read(format!("from-{n:03}")), read(format!("to-{n:03}")));
    let source = (operation == "move").then(|| "after".to_owned());
    match to.as_deref() {
        Some("after") => assert_eq!(from, None, "{what}: there twice"),
        Some("before") => assert_eq!(from, source, "{what}: the new content is gone"),
        _ => panic!("{what}: {to:?} is under the name"),
    }
    to.as_deref() == Some("after")
}

/// Runs a case with a server of every kind for each operation, all at the same time.
async fn each_way<K: Kind>(case: impl AsyncFn(K, &K::Server, &str)) {
    let ways = K::ALL.iter().flat_map(|kind| OPERATIONS.map(|operation| (*kind, operation)));
    let ways: Vec<_> = ways.filter_map(|(kind, operation)| Some((kind, kind.start_plain()?, operation))).collect();
    join_all(ways.iter().map(|(kind, server, operation)| case(*kind, server, operation))).await;
}

pub async fn a_replacement_that_breaks_is_undone<K: Kind>() {
    each_way(async |kind: K, server: &K::Server, operation: &str| {
        let faults = at_the_end(totals(kind, server, operation).await);
        let count = faults.len();
        let done = std::sync::Mutex::new(vec![false; count]);
        let _proxies = each(faults, server.port(), async |n, fault, port| {
            let what = format!("{kind:?} {operation} {fault:?}");
            let account = kind.through(server, port);
            let (one, begun) = (replacing(server, operation, n), Instant::now());
            let succeeded = clean(account.invoke(one).await, begun, &what).is_some();
            done.lock().unwrap()[n] = succeeded;
            !succeeded
        })
        .await;
        server.is_tidy(&format!("{kind:?} {operation}")).await;
        for (n, succeeded) in done.into_inner().unwrap().into_iter().enumerate() {
            let what = format!("{kind:?} {operation} {n}");
            assert!(is_replaced(server, operation, n, &what) || !succeeded, "{what}: success without the file");
        }
    })
    .await;
}

pub async fn a_replacement_that_is_given_up_is_undone<K: Kind>() {
    each_way(async |kind: K, server: &K::Server, operation: &str| {
        let (up, down) = totals(kind, server, operation).await;
        // Over a connection that goes silent, and over one that works but is slow.
        let silent = at_the_end((up, down)).into_iter().filter(|fault| matches!(fault, Fault::BlackHole(..)));
        let slow = (1..=10).map(|n| (Fault::Latency(Duration::from_millis(20)), up.saturating_sub(n * 100)));
        let moments: Vec<_> = silent.map(|fault| (fault, u64::MAX)).chain(slow).collect();
        let count = moments.len();
        let calls = moments.into_iter().enumerate().map(|(n, (fault, sent))| async move {
            let proxy = FaultProxy::start(server.port()).await;
            proxy.once(fault);
            let account = kind.through(server, proxy.port());
            let one = replacing(server, operation, n);
            let calling = tokio::spawn(account.opened.clone().invoke(account.cx.clone(), one));
            // Answers that come together are fewer bytes: then the call is done before its moment.
            let is_then = || proxy.happened() || proxy.carried().0 >= sent || calling.is_finished();
            // On a busy machine a call may be told late that its deadline is over.
            wait_until_async(&format!("the moment of {fault:?}"), 4 * DEADLINE, is_then).await;
            calling.abort();
            proxy
        });
        // What is undone goes through them still.
        let _proxies: Vec<FaultProxy> = stream::iter(calls).buffer_unordered(8).collect().await;
        server.is_tidy(&format!("{kind:?} {operation}")).await;
        for n in 0..count {
            is_replaced(server, operation, n, &format!("{kind:?} {operation} {n}"));
        }
    })
    .await;
}

pub async fn what_cannot_be_put_back_is_named<K: Kind>() {
    each_way(async |kind: K, server: &K::Server, operation: &str| {
        let totals = totals(kind, server, operation).await;
        let mut without = 0;
        // Where a break falls depends on how answers come together: if none fell between the steps, once more.
        for (n, fault) in (0..5).flat_map(|_| at_the_end(totals).into_iter().enumerate()) {
            if n == 0 && without > 0 {
                break;
            }
            let Fault::Reset(Way::Down, _) = fault else { continue };
            // Every connection breaks, those after the first before they can undo anything.
            let proxy = FaultProxy::start(server.port()).await;
            proxy.once(fault);
            let account = kind.through(server, proxy.port());
            let one = replacing(server, operation, n);
            let calling = tokio::spawn(account.opened.clone().invoke(account.cx.clone(), one));
            wait_until_async("the first connection", Duration::from_secs(5), || proxy.connections() > 0).await;
            proxy.also(Fault::Reset(Way::Up, 30));
            let outcome = calling.await.unwrap();
            let left: Vec<String> = server.names().into_iter().filter(|name| name.starts_with('.')).collect();
            if let Err(error) = &outcome {
                tells_nothing(error);
                let told = error.private().reveal();
                assert!(
                    left.iter().all(|name| told.contains(name)),
                    "{kind:?} {operation} {fault:?}: {left:?}: {told}"
                );
            }
            if !server.files().join(format!("to-{n:03}")).exists() {
                without += 1;
            }
            left.iter().for_each(|name| fs::remove_file(server.files().join(name)).unwrap());
        }
        assert!(without > 0, "{kind:?} {operation}: no fault came about between the two steps");
    })
    .await;
}
