//! `put` with `temporary: false`: straight to the name, without rename, at servers that allow no more.

use std::{fs, time::Instant};

use bytes::Bytes;
use futures_util::{future::join_all, stream};
use lockgate_connector_api::{Body, Call, Error, Kind as Is};
use serde_json::{Value, json};

use super::{Kind, Server, call, content, each_server, generated};
use crate::{
    FaultProxy,
    contract::{
        faults::{DEADLINE, clean, each, everywhere},
        tells_nothing,
    },
    fault_proxy::Fault,
};

const BYTES: u64 = 400_000;

fn straight(exists: &str, path: &str, body: &str) -> Value {
    json!({"path": path, "body": body, "exists": exists, "temporary": false})
}

fn streamed(path: &str, body: Body) -> Call {
    let input = json!({"path": path, "exists": "replace", "temporary": false});
    Call { body: Some(body), deadline: Instant::now() + DEADLINE, ..call("put", input) }
}

pub async fn a_file_is_written_to_its_name<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let on_disk = || fs::read_to_string(server.files().join("a")).unwrap();
        let told = |error: Error| format!("{kind:?}: {error} {}", error.private().reveal());
        account.call("put", straight("refuse", "a", "first, and long")).await.unwrap_or_else(|e| panic!("{}", told(e)));
        assert_eq!(on_disk(), "first, and long", "{kind:?}");
        let error = account.fails("put", straight("refuse", "a", "second")).await;
        assert_eq!(error.kind(), Is::Conflict, "{}", told(error));
        assert_eq!(on_disk(), "first, and long", "{kind:?}");
        account.call("put", straight("replace", "a", "third")).await.unwrap_or_else(|e| panic!("{}", told(e)));
        assert_eq!(on_disk(), "third", "{kind:?}");
        assert!(matches!(server.renamed(), None | Some(0)), "{kind:?}: something was renamed");
        fs::create_dir(server.files().join("folder")).unwrap();
        for exists in ["refuse", "replace"] {
            let error = account.fails("put", straight(exists, "folder", "x")).await;
            assert_eq!(error.kind(), Is::Conflict, "{}", told(error));
        }
        let error = account.fails("put", json!({"path": "b", "body": "x", "temporary": "no"})).await;
        assert_eq!((error.kind(), server.names()), (Is::Input, vec!["a".to_owned(), "folder".to_owned()]));
    })
    .await;
}

pub async fn a_drop_box_takes_files<K: Kind>() {
    let boxes: Vec<_> = K::ALL.iter().filter_map(|kind| Some((*kind, kind.start_drop_box()?))).collect();
    join_all(boxes.iter().map(|(kind, server)| async move {
        let account = kind.on(server);
        let on_disk = |name: &str| fs::read(server.files().join(name)).unwrap();
        // Nothing can be renamed there, and nothing removed: what is left is told.
        let error = account.fails("put", json!({"path": "a", "body": "x", "exists": "replace"})).await;
        let told = error.private().reveal();
        let left = server.names();
        assert!(left.iter().all(|name| name.starts_with('.') && told.contains(name)), "{kind:?}: {left:?}: {told}");
        for body in ["long content", "short"] {
            let put = account.call("put", straight("replace", "a", body)).await;
            put.unwrap_or_else(|e| panic!("{kind:?}: {e} {}", e.private().reveal()));
            assert_eq!(on_disk("a"), body.as_bytes(), "{kind:?}");
        }
        account.invoke(streamed("big", generated(BYTES))).await.unwrap();
        assert!(on_disk("big") == content(0, usize::try_from(BYTES).unwrap()), "{kind:?}");
        // Elsewhere it is a look beforehand, to which such a server answers that nothing is there.
        if !kind.opens_new() {
            return;
        }
        let error = account.fails("put", straight("refuse", "a", "other")).await;
        assert!(!error.is_transient(), "{kind:?}: {error}");
        assert_eq!(on_disk("a"), b"short", "{kind:?}: {error}");
    }))
    .await;
}

pub async fn a_broken_off_file_is_told<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let piece = || Ok(Bytes::from_static(&[7; 100_000]));
        let failing = [piece(), piece(), Err(Error::new(Is::NotFound, "source", "gone"))];
        let error = account.invoke(streamed("a", Body::new(stream::iter(failing)))).await.unwrap_err();
        tells_nothing(&error);
        assert_eq!(error.code(), "source");
        let told = error.private().reveal();
        assert!(told.contains("a part of it may be in") && told.contains("/a`"), "{kind:?}: {told}");
        // It is gone on with by nobody, and replaced by whoever says so.
        account.invoke(streamed("a", generated(BYTES))).await.unwrap();
        assert_eq!(fs::read(server.files().join("a")).unwrap().len() as u64, BYTES, "{kind:?}");
        assert_eq!(server.names(), ["a"], "{kind:?}");
        // What the server did not open is as it was.
        let error = account.fails("put", straight("replace", "missing/a", "x")).await;
        assert!(!error.private().reveal().contains("a part of it"), "{kind:?}: {}", error.private().reveal());
    })
    .await;
}

pub async fn a_put_that_breaks_is_no_success<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let proxy = FaultProxy::start(server.port()).await;
        kind.through(server, proxy.port()).invoke(streamed("first", generated(BYTES))).await.unwrap();
        let mut faults = everywhere(proxy.carried());
        faults.retain(|fault| matches!(fault, Fault::Reset(..) | Fault::Truncate(..) | Fault::Flip(..)));
        let whole = &content(0, usize::try_from(BYTES).unwrap());
        each(faults, server.port(), async |n, fault, port| {
            let (name, what) = (format!("final-{n}"), format!("{kind:?} {fault:?}"));
            let (account, begun) = (kind.through(server, port), Instant::now());
            let outcome = account.invoke(streamed(&name, generated(BYTES))).await;
            let told = outcome.as_ref().err().map(|error| error.private().reveal().clone()).unwrap_or_default();
            let done = clean(outcome, begun, &what).is_some();
            let there = fs::read(server.files().join(&name)).ok();
            assert!(!done || there.as_ref() == Some(whole), "{what}: success without the file");
            assert!(
                done || there.is_none() || told.contains("a part of it"),
                "{what}: a part that is not told: {told}"
            );
            !done
        })
        .await;
        assert!(server.names().iter().all(|name| !name.starts_with('.')), "{kind:?}: {:?}", server.names());
    })
    .await;
}
