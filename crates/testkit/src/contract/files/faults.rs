//! What a broken network does: every call ends within its deadline, and a file is under its final
//! name as a whole or not at all.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use lockgate_connector_api::{Body, Call, Kind as Is};
use serde_json::json;

use super::{Kind, Server, call, content, each_server, generated};
use crate::{
    FaultProxy,
    contract::{
        faults::{DEADLINE, at_the_end, clean, each, each_healed, everywhere},
        tells_nothing,
    },
    fault_proxy::{Fault, Way},
    wait_until_async,
};

const BYTES: u64 = 400_000;

/// Bytes that a call carries both ways when nothing breaks.
async fn totals<K: Kind>(kind: K, server: &K::Server, one: Call) -> (u64, u64) {
    let proxy = FaultProxy::start(server.port()).await;
    let account = kind.through(server, proxy.port());
    let answer = account.invoke(one).await.unwrap();
    if let Some(stream) = answer.stream {
        stream.bytes().unwrap().collect(u64::MAX).await.unwrap();
    }
    proxy.carried()
}

fn put(path: &str) -> Call {
    let deadline = Instant::now() + DEADLINE;
    Call { body: Some(generated(BYTES)), deadline, ..call("put", json!({"path": path, "exists": "replace"})) }
}

fn get(path: &str) -> Call {
    Call { stream: true, deadline: Instant::now() + DEADLINE, ..call("get", json!({"path": path})) }
}

fn whole() -> Vec<u8> {
    content(0, usize::try_from(BYTES).unwrap())
}

pub async fn a_put_is_whole_or_not_there<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let faults = everywhere(totals(kind, server, put("first")).await);
        let whole = &whole();
        let _proxies = each_healed(faults, server.port(), async |n, fault, port| {
            let (name, what) = (format!("final-{n}"), format!("{kind:?} {fault:?}"));
            let file = server.files().join(&name);
            fs::write(&file, "before").unwrap();
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
            let account = kind.through(server, port);
            let begun = Instant::now();
            let done = clean(account.invoke(put(&name)).await, begun, &what).is_some();
            let there = fs::read(&file).unwrap();
            assert!(there == b"before" || there == *whole, "{what}: {} bytes under the final name", there.len());
            assert!(!done || there == *whole, "{what}: success without the file");
            !done
        })
        .await;
        // New connections pass, so that nothing is left behind.
        server.is_tidy(&format!("{kind:?}")).await;
    })
    .await;
}

pub async fn a_get_is_whole_or_fails<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let whole = &whole();
        fs::write(server.files().join("file"), whole).unwrap();
        let faults = everywhere(totals(kind, server, get("file")).await);
        each_healed(faults, server.port(), async |_, fault, port| {
            let what = format!("{kind:?} {fault:?}");
            let account = kind.through(server, port);
            let begun = Instant::now();
            let got = async {
                let body: Body = account.stream(get("file")).await?;
                body.collect(u64::MAX).await
            };
            let got = clean(got.await, begun, &what);
            assert!(got.as_ref().is_none_or(|bytes| bytes == whole), "{what}: a short success");
            got.is_none()
        })
        .await;
    })
    .await;
}

pub async fn a_get_whose_connection_breaks_goes_on<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        if !kind.tells_times() {
            return;
        }
        let (whole, file) = (whole(), server.files().join("file"));
        fs::write(&file, &whole).unwrap();
        let (_, down) = totals(kind, server, get("file")).await;
        let at = kind.amid_a_get(down);
        for fault in [Fault::Reset(Way::Down, at), Fault::Truncate(Way::Down, at)] {
            let proxy = FaultProxy::start(server.port()).await;
            proxy.once(fault);
            let account = kind.through(server, proxy.port());
            let got = account.stream(get("file")).await.unwrap().collect(u64::MAX).await;
            assert!(got.unwrap_or_else(|e| panic!("{kind:?} {fault:?}: {e}")) == whole, "{kind:?} {fault:?}");
            assert!(proxy.happened() && proxy.connections() == 2, "{kind:?} {fault:?}: {}", proxy.connections());
        }
    })
    .await;
}

pub async fn a_put_whose_connection_breaks_goes_on<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let (up, _) = totals(kind, server, put("first")).await;
        let proxy = FaultProxy::start(server.port()).await;
        proxy.once(Fault::Reset(Way::Up, kind.amid_a_put(up)));
        let account = kind.through(server, proxy.port());
        let answer = account.invoke(put("final")).await;
        let answer = answer.unwrap_or_else(|e| panic!("{kind:?}: {e} {}", e.private().reveal()));
        assert!(proxy.happened() && proxy.connections() == 2, "{kind:?}: {} connections", proxy.connections());
        assert_eq!(answer.written, BYTES);
        assert!(fs::read(server.files().join("final")).unwrap() == whole(), "{kind:?}");
        server.is_tidy(&format!("{kind:?}")).await;
    })
    .await;
}

pub async fn small_operations_fail_cleanly<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let operations = [("list", ""), ("stat", "a"), ("move", "a"), ("delete", "a")];
        join_all(operations.map(async |(operation, from)| {
            let prepare = |folder: &str| {
                let folder = server.files().join(folder);
                fs::create_dir_all(&folder).unwrap();
                fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
                fs::write(folder.join("a"), "a").unwrap();
            };
            let one = |folder: &str| {
                let path = format!("{folder}/{from}");
                let input = match operation {
                    "move" => json!({"from": path, "to": format!("{folder}/b")}),
                    _ => json!({"path": path.trim_end_matches('/')}),
                };
                Call { deadline: Instant::now() + DEADLINE, ..call(operation, input) }
            };
            let first = format!("{operation}-first");
            prepare(&first);
            let mut faults = everywhere(totals(kind, server, one(&first)).await);
            // What depends on the operation happens at the end of the answers.
            faults
                .retain(|fault| matches!(fault, Fault::Reset(Way::Down, 1000..) | Fault::BlackHole(Way::Down, 2000..)));
            each_healed(faults, server.port(), async |n, fault, port| {
                let (folder, what) = (format!("{operation}-{n}"), format!("{kind:?} {operation} {fault:?}"));
                prepare(&folder);
                let account = kind.through(server, port);
                let begun = Instant::now();
                let done = clean(account.invoke(one(&folder)).await, begun, &what).is_some();
                let [a, b] = ["a", "b"].map(|name| server.files().join(&folder).join(name).exists());
                assert!(!(a && b), "{what}: there twice");
                assert!(a || b || operation == "delete", "{what}: gone");
                !done
            })
            .await;
        }))
        .await;
    })
    .await;
}

pub async fn a_temporary_file_that_cannot_be_removed_is_named<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let (up, _) = totals(kind, server, put("first")).await;
        // Every connection breaks, the one that tidies up before it gets that far.
        for (fault, kind_of_error) in
            [(Fault::BlackHole as fn(Way, u64) -> Fault, Is::Timeout), (Fault::Reset, Is::Unreachable)]
        {
            let proxy = FaultProxy::start(server.port()).await;
            proxy.once(fault(Way::Up, kind.amid_a_put(up)));
            let account = kind.through(server, proxy.port());
            let putting = tokio::spawn(account.opened.clone().invoke(account.cx.clone(), put("final")));
            wait_until_async("the first connection", Duration::from_secs(5), || proxy.connections() > 0).await;
            proxy.also(fault(Way::Up, 30));
            let error = putting.await.unwrap().unwrap_err();
            tells_nothing(&error);
            assert_eq!(error.kind(), kind_of_error, "{kind:?}: {error}");
            let told = error.private().reveal();
            let left = server.names().into_iter().find(|name| name.starts_with(".lockgate-"));
            let left = left.unwrap_or_else(|| panic!("{kind:?} {kind_of_error}: nothing is left: {told}"));
            assert!(told.contains(&left), "{kind:?}: {told}");
            assert!(!server.files().join("final").exists());
            fs::remove_file(server.files().join(left)).unwrap();
        }
    })
    .await;
}

pub async fn a_slow_network_is_only_slow<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let proxy = FaultProxy::start(server.port()).await;
        proxy.always(Fault::Latency(Duration::from_millis(20)));
        let account = kind.through(server, proxy.port());
        let patient = |call: Call| Call { deadline: Instant::now() + Duration::from_secs(15), ..call };
        account.invoke(patient(put("file"))).await.unwrap();
        let body = account.stream(patient(get("file"))).await.unwrap();
        assert!(body.collect(u64::MAX).await.unwrap() == whole());
    })
    .await;
}

/// Makes a folder with all that a call needs that ends with a rename to `to` in it. Both contents are as long.
fn before_renaming(server: &impl Server, operation: &str, exists: &str, folder: &str) {
    let folder = server.files().join(folder);
    let open = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    fs::create_dir(&folder).unwrap();
    open(&folder, 0o777);
    let write = |name: &str, content: &str| {
        fs::write(folder.join(name), content).unwrap();
        open(&folder.join(name), 0o666);
    };
    if exists == "replace" {
        write("to", "before");
    }
    if operation == "move" {
        write("from", "after!");
    }
}

/// Such a call.
fn renaming(operation: &str, exists: &str, folder: &str) -> Call {
    let (from, to) = (format!("{folder}/from"), format!("{folder}/to"));
    match operation {
        "put" => Call { body: Some(Body::full("after!")), ..call("put", json!({"path": to, "exists": exists})) },
        _ => call("move", json!({"from": from, "to": to, "exists": exists})),
    }
}

/// Whether a file has its new name. It has one name, and a put has the old content there or the new one.
fn is_renamed(server: &impl Server, operation: &str, folder: &str, what: &str) -> bool {
    let read = |name: &str| fs::read_to_string(server.files().join(folder).join(name)).ok();
    let (from, is_there) = (read("from"), read("to").as_deref() == Some("after!"));
    assert_eq!(from.is_some(), operation == "move" && !is_there, "{what}: there twice, or gone");
    is_there
}

const RENAMING: [(&str, &str); 4] = [("put", "refuse"), ("put", "replace"), ("move", "refuse"), ("move", "replace")];

/// The answer to the rename is lost and another connection passes: the call tells what is so.
pub async fn a_rename_whose_answer_is_lost_is_looked_at<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        for (operation, exists) in RENAMING {
            let folder = |n: usize| format!("{operation}-{exists}-{n:03}");
            before_renaming(server, operation, exists, &folder(999));
            let mut faults = at_the_end(totals(kind, server, renaming(operation, exists, &folder(999))).await);
            faults.retain(|fault| matches!(fault, Fault::Reset(..)));
            let healed = AtomicUsize::new(0);
            each_healed(faults, server.port(), async |n, fault, port| {
                let (folder, what) = (folder(n), format!("{kind:?} {operation} {exists} {fault:?}"));
                before_renaming(server, operation, exists, &folder);
                let account = kind.through(server, port);
                let Err(error) = account.invoke(renaming(operation, exists, &folder)).await else {
                    healed.fetch_add(1, Ordering::Relaxed);
                    assert!(is_renamed(server, operation, &folder, &what), "{what}: success without it");
                    return false;
                };
                tells_nothing(&error);
                let told = error.private().reveal();
                assert_eq!(error.kind(), Is::Unreachable, "{what}: {error} {told}");
                assert!(!is_renamed(server, operation, &folder, &what), "{what}: done, and told as {error} {told}");
                assert_ne!(error.code(), "file-rename-unknown", "{what}: it could be looked at: {told}");
                let again = account.invoke(renaming(operation, exists, &folder)).await;
                again.unwrap_or_else(|error| panic!("{what}: repeated: {error}"));
                true
            })
            .await;
            assert!(healed.into_inner() > 0, "{kind:?} {operation} {exists}: no answer was lost");
        }
    })
    .await;
}

/// The answer to the rename is lost and so is every other connection: the call tells that nobody knows.
pub async fn a_rename_that_nobody_can_look_at_is_told<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        for (operation, exists) in RENAMING {
            let folder = |n: usize| format!("{operation}-{exists}-{n:03}");
            before_renaming(server, operation, exists, &folder(999));
            let mut faults = at_the_end(totals(kind, server, renaming(operation, exists, &folder(999))).await);
            faults.retain(|fault| matches!(fault, Fault::Reset(Way::Down, _)));
            let mut unheard = 0;
            // Where a break falls depends on how answers come together: if none fell on the last one, once more.
            for (n, fault) in (0..5).flat_map(|_| faults.clone()).enumerate() {
                if unheard > 0 {
                    break;
                }
                let (folder, what) = (folder(n), format!("{kind:?} {operation} {exists} {fault:?}"));
                before_renaming(server, operation, exists, &folder);
                let proxy = FaultProxy::start(server.port()).await;
                proxy.once(fault);
                let account = kind.through(server, proxy.port());
                let call = renaming(operation, exists, &folder);
                let calling = tokio::spawn(account.opened.clone().invoke(account.cx.clone(), call));
                wait_until_async("the first connection", Duration::from_secs(5), || proxy.connections() > 0).await;
                proxy.also(Fault::Reset(Way::Up, 30));
                let Err(error) = calling.await.unwrap() else { continue };
                tells_nothing(&error);
                let is_unknown = error.code() == "file-rename-unknown";
                if is_renamed(server, operation, &folder, &what) {
                    unheard += 1;
                    assert!(is_unknown, "{what}: {error}");
                }
                if is_unknown {
                    let told = error.private().reveal();
                    assert!(told.contains(&format!("{folder}/to` now")), "{what}: {told}");
                    assert!(error.is_transient(), "{what}: {error}");
                }
            }
            assert!(unheard > 0, "{kind:?} {operation} {exists}: no answer was lost");
        }
    })
    .await;
}

/// The server has done it and its answer is lost: the call fails, and whoever repeats it is told what
/// is there by then.
pub async fn an_answer_that_is_lost_is_a_failed_call_that_can_be_repeated<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        join_all(["stat", "mkdir", "delete"].map(async |operation| {
            let place = |n: usize| server.files().join(format!("{operation}-{n:03}"));
            let prepare = |n: usize| {
                if operation != "mkdir" {
                    fs::write(place(n), "a").unwrap()
                }
            };
            let one = |n: usize| {
                let call = call(operation, json!({"path": format!("{operation}-{n:03}")}));
                Call { deadline: Instant::now() + DEADLINE, ..call }
            };
            prepare(999);
            let faults = at_the_end(totals(kind, server, one(999)).await);
            let faults = faults.into_iter().filter(|fault| matches!(fault, Fault::Reset(Way::Down, _))).collect();
            let done_unheard = AtomicUsize::new(0);
            each(faults, server.port(), async |n, fault, port| {
                let what = format!("{kind:?} {operation} {fault:?}");
                prepare(n);
                let account = kind.through(server, port);
                let begun = Instant::now();
                let done = clean(account.invoke(one(n)).await, begun, &what).is_some();
                let is_done = || place(n).exists() == (operation != "delete");
                assert!(!done || is_done(), "{what}: success without it");
                let was_done = is_done();
                if !done && was_done {
                    done_unheard.fetch_add(1, Ordering::Relaxed);
                }
                // New connections pass.
                match account.invoke(one(n)).await {
                    Err(error) if operation == "delete" && was_done => assert_eq!(error.kind(), Is::NotFound, "{what}"),
                    outcome => drop(outcome.unwrap_or_else(|error| panic!("{what}: {error}"))),
                }
                assert!(is_done(), "{what}: not done after a repeat");
                !done
            })
            .await;
            assert!(done_unheard.into_inner() > 0, "{kind:?} {operation}: no answer was lost");
        }))
        .await;
    })
    .await;
}
