//! What a broken network does: every call ends within its deadline, and a file is under its final
//! name as a whole or not at all.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use lockgate_connector_api::{Body, Call, Kind as Is};
use lockgate_testkit::{
    FaultProxy,
    contract::{
        faults::{DEADLINE, at_the_end, clean, each, everywhere},
        tells_nothing,
    },
    fault_proxy::{Fault, Way},
    wait_until_async,
};
use serde_json::json;

use crate::account::{Account, KINDS, Kind, Server, call, content, generated};

const BYTES: u64 = 400_000;
/// Bytes that a call carries both ways when nothing breaks.
async fn totals(kind: Kind, server: &Server, one: Call) -> (u64, u64) {
    let proxy = FaultProxy::start(server.port()).await;
    let account = Account::through(kind, server, proxy.port());
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

#[tokio::test]
async fn a_put_is_whole_or_not_there() {
    for kind in KINDS {
        let Some(server) = Server::start(kind) else { continue };
        let faults = everywhere(totals(kind, &server, put("first")).await);
        let (server, whole) = (&server, &whole());
        let _proxies = each(faults, server.port(), async |n, fault, port| {
            let (name, what) = (format!("final-{n}"), format!("{kind:?} {fault:?}"));
            let file = server.files().join(&name);
            fs::write(&file, "before").unwrap();
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
            let account = Account::through(kind, server, port);
            let begun = Instant::now();
            let done = clean(account.invoke(put(&name)).await, begun, &what).is_some();
            let there = fs::read(&file).unwrap();
            assert!(there == b"before" || there == *whole, "{what}: {} bytes under the final name", there.len());
            assert!(!done || there == *whole, "{what}: success without the file");
            !done
        })
        .await;
        // New connections pass, so that nothing is left behind.
        let left = || server.names().into_iter().filter(|name| name.starts_with('.')).collect::<Vec<_>>();
        wait_until_async(&format!("no temporary file, {kind:?}"), Duration::from_secs(15), || left().is_empty()).await;
    }
}

#[tokio::test]
async fn a_get_is_whole_or_fails() {
    for kind in KINDS {
        let Some(server) = Server::start(kind) else { continue };
        let (server, whole) = (&server, &whole());
        fs::write(server.files().join("file"), whole).unwrap();
        let faults = everywhere(totals(kind, server, get("file")).await);
        each(faults, server.port(), async |_, fault, port| {
            let what = format!("{kind:?} {fault:?}");
            let account = Account::through(kind, server, port);
            let begun = Instant::now();
            let got = async {
                let body: Body = account.invoke(get("file")).await?.stream.unwrap().bytes().unwrap();
                body.collect(u64::MAX).await
            };
            match clean(got.await, begun, &what) {
                Some(bytes) => assert!(bytes == *whole, "{what}: a short success"),
                None => return true,
            }
            false
        })
        .await;
    }
}

#[tokio::test]
async fn small_operations_fail_cleanly() {
    for kind in KINDS {
        let Some(server) = Server::start(kind) else { continue };
        let server = &server;
        for (operation, from) in [("list", ""), ("stat", "a"), ("move", "a"), ("delete", "a")] {
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
            each(faults, server.port(), async |n, fault, port| {
                let (folder, what) = (format!("{operation}-{n}"), format!("{kind:?} {operation} {fault:?}"));
                prepare(&folder);
                let account = Account::through(kind, server, port);
                let begun = Instant::now();
                let done = clean(account.invoke(one(&folder)).await, begun, &what).is_some();
                let [a, b] = ["a", "b"].map(|name| server.files().join(&folder).join(name).exists());
                assert!(!(a && b), "{what}: there twice");
                assert!(a || b || operation == "delete", "{what}: gone");
                !done
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_temporary_file_that_cannot_be_removed_is_named() {
    for kind in KINDS {
        let Some(server) = Server::start(kind) else { continue };
        let (up, _) = totals(kind, &server, put("first")).await;
        // Every connection breaks, the one that tidies up before it gets that far.
        for (fault, kind_of_error) in
            [(Fault::BlackHole as fn(Way, u64) -> Fault, Is::Timeout), (Fault::Reset, Is::Unreachable)]
        {
            let proxy = FaultProxy::start(server.port()).await;
            // All was sent, and the question for its size is cut.
            proxy.once(fault(Way::Up, up - 150));
            let account = Account::through(kind, &server, proxy.port());
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
    }
}

#[tokio::test]
async fn a_slow_network_is_only_slow() {
    for kind in KINDS {
        let Some(server) = Server::start(kind) else { continue };
        let proxy = FaultProxy::start(server.port()).await;
        proxy.always(Fault::Latency(Duration::from_millis(20)));
        let account = Account::through(kind, &server, proxy.port());
        let patient = |call: Call| Call { deadline: Instant::now() + Duration::from_secs(15), ..call };
        account.invoke(patient(put("file"))).await.unwrap();
        let body = account.invoke(patient(get("file"))).await.unwrap().stream.unwrap().bytes().unwrap();
        assert!(body.collect(u64::MAX).await.unwrap() == whole());
    }
}

/// The server has done it and its answer is lost: the call fails, and whoever repeats it is told what
/// is there by then.
#[tokio::test]
async fn an_answer_that_is_lost_is_a_failed_call_that_can_be_repeated() {
    for kind in KINDS {
        let Some(server) = Server::start(kind) else { continue };
        let server = &server;
        for operation in ["stat", "mkdir", "delete"] {
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
                let account = Account::through(kind, server, port);
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
        }
    }
}
