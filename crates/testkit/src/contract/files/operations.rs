//! Files and folders.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use lockgate_connector_api::{Call, Kind as Is};
use lockgate_model::Limits;
use serde_json::{Value, json};

use super::{Kind, Server, call, each_plain_server, each_server, read, streamed};
use crate::FaultProxy;

fn names(listing: &Value) -> Vec<&str> {
    listing["entries"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect()
}

pub async fn what_is_put_is_there_as_a_whole<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let on_disk = |name: &str| fs::read(server.files().join(name)).unwrap();
        for (path, body, bytes) in [
            ("text.txt", json!({"body": "grüße\r\n"}), "grüße\r\n".as_bytes()),
            ("empty", json!({"body": ""}), b""),
            ("data.json", json!({"body": {"n": 1, "t": [null]}}), b"{\"n\":1,\"t\":[null]}"),
            ("b.bin", json!({"body_base64": "AP+A"}), b"\0\xff\x80"),
            ("grüße 1 %20 'x' ~.txt", json!({"body": "x"}), b"x"),
            ("~root", json!({"body": "x"}), b"x"),
        ] {
            let mut input = body.clone();
            input["path"] = path.into();
            let answer = account.invoke(call("put", input.clone())).await;
            let answer = answer.unwrap_or_else(|e| panic!("{kind:?} {path}: {e} {}", e.private().reveal()));
            assert_eq!(
                (answer.written, read(&answer.output)["size"].as_u64()),
                (bytes.len() as u64, Some(bytes.len() as u64))
            );
            assert_eq!(on_disk(path), bytes, "{kind:?} {path}");
            // It is there now, and stays as it is.
            input["body"] = "other".into();
            input.as_object_mut().unwrap().remove("body_base64");
            assert_eq!(account.fails("put", input.clone()).await.kind(), Is::Conflict, "{kind:?} {path}");
            assert_eq!(on_disk(path), bytes);
            input["exists"] = "replace".into();
            account
                .call("put", input)
                .await
                .unwrap_or_else(|e| panic!("{kind:?} {path}: {e} {}", e.private().reveal()));
            assert_eq!(on_disk(path), b"other");
        }
        assert_eq!(server.names().len(), 6, "something was left: {:?}", server.names());
    })
    .await;
}

pub async fn contents_are_shown_as_they_are_asked_for<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let put = |name: &str, bytes: &[u8]| fs::write(server.files().join(name), bytes).unwrap();
        put("a.json", b"\xef\xbb\xbf{\"n\": 1.10, \"big\": 12345678901234567890}");
        put("a.txt", "grüße".as_bytes());
        put("a.bin", b"\x89PNG\0\xff");
        put("bad.json", b"{\"a\": 1");
        put("empty.txt", b"");
        for (input, expected) in [
            (json!({"path": "a.json"}), json!({"body": {"n": 1.10, "big": 12345678901234567890_u64}})),
            (json!({"path": "a.txt"}), json!({"body": "grüße"})),
            (json!({"path": "empty.txt"}), json!({"body": ""})),
            (json!({"path": "a.bin"}), json!({"body_base64": "iVBORwD/"})),
            (json!({"path": "a.txt", "parse": "base64"}), json!({"body_base64": "Z3LDvMOfZQ=="})),
            (json!({"path": "bad.json", "parse": "text"}), json!({"body": "{\"a\": 1"})),
        ] {
            let shown = account.call("get", input.clone()).await.unwrap();
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(&shown[key], value, "{kind:?} {input}");
            }
            assert_eq!(shown["kind"], "file");
            assert!(shown["modified"].as_str().unwrap().ends_with('Z'));
        }
        for (input, expected) in [
            (json!({"path": "bad.json"}), Is::Protocol),
            (json!({"path": "a.bin", "parse": "text"}), Is::Protocol),
            (json!({"path": "a.txt", "parse": "json"}), Is::Protocol),
            (json!({"path": "missing"}), Is::NotFound),
            (json!({"path": "a.txt/b"}), Is::NotFound),
        ] {
            let found = account.fails("get", input.clone()).await.kind();
            // A file in the place of a folder is told in more than one way.
            assert!(found == expected || input["path"] == "a.txt/b", "{kind:?} {input}: {found}");
        }
        put("big.txt", &[b'x'; 50_001]);
        let limits = Limits { reply_bytes_max: 50_000, ..Limits::default() };
        let error = account.invoke(Call { limits, ..call("get", json!({"path": "big.txt"})) }).await.unwrap_err();
        assert_eq!(error.kind(), Is::TooLarge);
        let limits = Limits { reply_bytes_max: 50_001, ..Limits::default() };
        let answer = account.invoke(Call { limits, ..call("get", json!({"path": "big.txt"})) }).await.unwrap();
        assert_eq!(answer.read, 50_001, "the limit itself passes");
    })
    .await;
}

pub async fn folders_are_listed_by_name<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let files = server.files();
        fs::create_dir(files.join("in")).unwrap();
        fs::set_permissions(files.join("in"), fs::Permissions::from_mode(0o777)).unwrap();
        for n in 0..250 {
            fs::write(files.join(format!("in/{n:03}.csv")), vec![b'x'; n]).unwrap();
        }
        fs::write(files.join("in/.lockgate-0000000000000000.part"), "half").unwrap();
        std::os::unix::fs::symlink("000.csv", files.join("in/link")).unwrap();
        let all = account.call("list", json!({"path": "in"})).await.unwrap();
        assert_eq!((names(&all).len(), all["more"].as_bool()), (251, Some(false)), "{kind:?}");
        assert_eq!(all["entries"][7]["size"], 7);
        assert_eq!(all["entries"][7]["kind"], "file");
        let modified = all["entries"][7]["modified"].as_str();
        assert_eq!(modified.is_some_and(|time| time.starts_with("20")), kind.tells_times(), "{kind:?}");
        assert_eq!(
            all["entries"][250],
            all["entries"].as_array().unwrap().iter().find(|e| e["name"] == "link").unwrap().clone()
        );
        let some = account.call("list", json!({"path": "in", "pattern": "0?5.c*"})).await.unwrap();
        assert_eq!(names(&some).len(), 10);
        let few = account.call("list", json!({"path": "in", "entries_max": 10})).await.unwrap();
        assert_eq!((names(&few).len(), few["more"].as_bool()), (10, Some(true)));
        let base = account.call("list", json!({})).await.unwrap();
        assert_eq!((names(&base), &base["entries"][0]["kind"]), (vec!["in"], &json!("folder")));
        assert_eq!(account.call("stat", json!({})).await.unwrap()["kind"], "folder");
        let one = account.call("stat", json!({"path": "in/link"})).await.unwrap();
        assert_eq!((&one["kind"], &one["size"]), (&json!("file"), &json!(0)));
        assert_eq!(account.fails("list", json!({"path": "missing"})).await.kind(), Is::NotFound);
    })
    .await;
}

/// A name in Latin-1 is no text: shown as one it would be that of another file.
pub async fn a_name_that_is_no_text_is_told<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        for name in [&b"gr\xfc\xdfe.txt"[..], b"plain.csv", "grüße.csv".as_bytes()] {
            fs::write(server.files().join(OsStr::from_bytes(name)), "x").unwrap();
        }
        let error = account.fails("list", json!({})).await;
        assert_eq!(error.code(), "file-name", "{kind:?}: {error}");
        assert_eq!(error.private().reveal(), "`gr\\xfc\\xdfe.txt`", "{kind:?}");
        // Only what is to be shown must be text.
        let some = account.call("list", json!({"pattern": "*.csv"})).await.unwrap();
        assert_eq!(names(&some), ["grüße.csv", "plain.csv"], "{kind:?}");
        let error = account.fails("list", json!({"pattern": "gr??e.*"})).await;
        assert_eq!(error.code(), "file-name", "{kind:?}: {error}");
    })
    .await;
}

pub async fn things_are_moved_and_deleted<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let at = |name: &str| server.files().join(name);
        fs::write(at("a"), "a").unwrap();
        account.call("mkdir", json!({"path": "done"})).await.unwrap();
        account.call("mkdir", json!({"path": "done"})).await.unwrap();
        assert_eq!(account.fails("mkdir", json!({"path": "a"})).await.kind(), Is::Conflict);
        assert_eq!(account.fails("mkdir", json!({"path": "no/b"})).await.kind(), Is::NotFound, "{kind:?}");
        account.call("move", json!({"from": "a", "to": "done/a"})).await.unwrap();
        assert!(!at("a").exists() && at("done/a").exists());
        fs::write(at("b"), "b").unwrap();
        assert_eq!(account.fails("move", json!({"from": "b", "to": "done/a"})).await.kind(), Is::Conflict);
        assert_eq!(
            account.fails("move", json!({"from": "b", "to": "done", "exists": "replace"})).await.kind(),
            Is::Conflict
        );
        assert_eq!(fs::read(at("done/a")).unwrap(), b"a");
        account.call("move", json!({"from": "b", "to": "done/a", "exists": "replace"})).await.unwrap();
        assert_eq!(fs::read(at("done/a")).unwrap(), b"b");
        assert_eq!(account.fails("move", json!({"from": "missing", "to": "x"})).await.kind(), Is::NotFound);
        assert!(matches!(account.fails("delete", json!({"path": "done"})).await.kind(), Is::Rejected | Is::Conflict));
        account.call("delete", json!({"path": "done/a"})).await.unwrap();
        account.call("delete", json!({"path": "done"})).await.unwrap();
        assert_eq!(account.fails("delete", json!({"path": "done"})).await.kind(), Is::NotFound);
        assert_eq!(server.names(), Vec::<String>::new());
    })
    .await;
}

pub async fn a_file_that_was_read_in_part_is_read_on<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        fs::write(server.files().join("file"), "0123456789").unwrap();
        for (offset, rest) in [(0, "0123456789"), (4, "456789"), (10, "")] {
            let got = account.call("get", json!({"path": "file", "offset": offset})).await;
            let got = got.unwrap_or_else(|e| panic!("{kind:?} {offset}: {e} {}", e.private().reveal()));
            assert_eq!((&got["body"], &got["size"]), (&json!(rest), &json!(10)), "{kind:?} {offset}");
        }
        let input = call("get", json!({"path": "file", "offset": 7})).input;
        let body = account.stream(Call { input, ..streamed("file") }).await.unwrap();
        assert_eq!((body.length(), &body.collect(3).await.unwrap()[..]), (Some(3), &b"789"[..]), "{kind:?}");
        let error = account.fails("get", json!({"path": "file", "offset": 11})).await;
        assert_eq!(error.kind(), Is::Conflict, "{kind:?}: {error}");
        assert_eq!(account.call("get", json!({"path": "file"})).await.unwrap()["body"], "0123456789", "{kind:?}");
    })
    .await;
}

pub async fn files_are_replaced_where_a_rename_does_not_replace<K: Kind>() {
    each_plain_server(async |kind: K, server: &K::Server| {
        let account = kind.on(server);
        let read = |name: &str| fs::read_to_string(server.files().join(name)).unwrap();
        for body in ["one", "two", "three"] {
            let put = account.call("put", json!({"path": "a", "body": body, "exists": "replace"})).await;
            put.unwrap_or_else(|e| panic!("{kind:?}: {e} {}", e.private().reveal()));
            assert_eq!(read("a"), body);
        }
        assert_eq!(account.fails("put", json!({"path": "a", "body": "x"})).await.kind(), Is::Conflict);
        account.call("put", json!({"path": "b", "body": "b"})).await.unwrap();
        assert_eq!(account.fails("move", json!({"from": "b", "to": "a"})).await.kind(), Is::Conflict);
        assert_eq!(read("a"), "three");
        account.call("move", json!({"from": "b", "to": "a", "exists": "replace"})).await.unwrap();
        assert_eq!((read("a"), server.names()), ("b".to_owned(), vec!["a".to_owned()]));
        let renamed = server.renamed().unwrap_or(usize::MAX);
        assert!(renamed > 8, "{kind:?}: a plain rename replaces here, so nothing was put aside");
    })
    .await;
}

/// Many write one file at the same moment, none may replace it: one does, where the server's own rename refuses.
pub async fn of_many_that_may_not_replace_one_wins<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        if !kind.renames_without_replacing() {
            return;
        }
        // Of an account each, so that no connection puts them in order.
        let accounts: Vec<_> = (0..8).map(|_| kind.on(server)).collect();
        for round in 0..20 {
            let path = format!("file-{round}");
            let outcomes = accounts.iter().enumerate().map(|(n, account)| {
                let put = account.call("put", json!({"path": path, "body": format!("content {n}")}));
                async move { (n, put.await) }
            });
            let mut winners = Vec::new();
            for (n, outcome) in join_all(outcomes).await {
                match outcome {
                    Ok(_) => winners.push(n),
                    Err(error) => assert_eq!(error.kind(), Is::Conflict, "{kind:?}: {error}"),
                }
            }
            let [winner] = winners[..] else { panic!("{kind:?} round {round}: {winners:?} wrote it") };
            assert_eq!(fs::read_to_string(server.files().join(&path)).unwrap(), format!("content {winner}"));
        }
        server.is_tidy(&format!("{kind:?}")).await;
    })
    .await;
}

pub async fn what_the_account_may_not_do_is_told<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        if !kind.has_its_users_rights() {
            return;
        }
        let account = kind.on(server);
        let at = |name: &str| server.files().join(name);
        fs::create_dir(at("closed")).unwrap();
        fs::write(at("closed/file"), "x").unwrap();
        fs::set_permissions(at("closed/file"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o555)).unwrap();
        for (operation, input) in [
            ("get", json!({"path": "closed/file"})),
            ("put", json!({"path": "closed/new", "body": "x"})),
            ("delete", json!({"path": "closed/file"})),
            ("mkdir", json!({"path": "closed/new"})),
        ] {
            let error = account.fails(operation, input).await;
            let told = format!("{kind:?} {operation}: {error} {}", error.private().reveal());
            assert_eq!((error.kind(), error.error_type()), (Is::Authorization, "authorization"), "{told}");
            // The server's own: no such permission in SFTP, not taken in FTP.
            assert!(matches!(error.status(), Some(3 | 550 | 553)), "{told}");
        }
        fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    })
    .await;
}

pub async fn files_that_are_being_written_are_left_out_and_not_read<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let proxy = FaultProxy::start(server.port()).await;
        let account = kind.through(server, proxy.port());
        for name in ["still", "growing"] {
            fs::write(server.files().join(name), "x").unwrap();
        }
        fs::create_dir(server.files().join("folder")).unwrap();
        let growing = server.files().join("growing");
        let grow = async {
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let mut file = fs::File::options().append(true).open(&growing).unwrap();
                std::io::Write::write_all(&mut file, b"y").unwrap();
            }
        };
        let watch = async {
            let listed = account.call("list", json!({"stable": "PT1S"})).await.unwrap();
            assert_eq!(names(&listed), ["folder", "still"], "{kind:?}");
            let patterned = account.call("list", json!({"stable": "PT1S", "pattern": "gro*"})).await.unwrap();
            assert_eq!(names(&patterned).len(), 0, "{kind:?}");
            let error = account.fails("get", json!({"path": "growing", "stable": "PT1S"})).await;
            assert_eq!((error.code(), error.is_transient()), ("file-changed", true), "{kind:?}: {error}");
            let got = account.call("get", json!({"path": "still", "stable": "PT1S"})).await.unwrap();
            assert_eq!(got["body"], "x", "{kind:?}");
        };
        tokio::select! {
            () = watch => {}
            () = grow => {}
        }
        assert_eq!(account.fails("get", json!({"path": "gone", "stable": "PT1S"})).await.kind(), Is::NotFound);
        // Nobody waits in vain.
        let begun = Instant::now();
        let error = account.fails("get", json!({"path": "still", "stable": "PT1M"})).await;
        assert_eq!((error.kind(), begun.elapsed() < Duration::from_secs(5)), (Is::Timeout, true), "{kind:?}: {error}");
        assert!(proxy.connections() <= 4, "{kind:?}: {} connections", proxy.connections());
    })
    .await;
}
