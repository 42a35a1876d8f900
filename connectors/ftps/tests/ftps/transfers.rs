//! How contents travel: lines, parts, and over many data connections.

use std::{fs, time::Duration};

use futures_util::future::join_all;
use lockgate_connector_api::Kind as Is;
use lockgate_testkit::{
    FaultProxy,
    contract::files::{Kind as _, Server as _, call},
    fault_proxy::Fault,
    ftp_peer::{Program, Setup},
};
use serde_json::json;

use crate::account::{Kind, Opening, PKI, Server};

#[tokio::test]
async fn ends_of_lines_are_translated_where_that_is_asked_for() {
    for kind in Kind::ALL.iter().copied() {
        let Some(server) = kind.start() else { continue };
        let account = kind.on(&server);
        let text = "one\ntwo\n\nthree";
        account.call("put", json!({"path": "lines", "body": text, "transfer": "ascii"})).await.unwrap();
        // The servers' own lines end as ours do.
        assert_eq!(fs::read_to_string(server.files().join("lines")).unwrap(), text, "{kind:?}");
        let back = account.call("get", json!({"path": "lines", "transfer": "ascii"})).await.unwrap();
        assert_eq!(back["body"], text, "{kind:?}");
        // A call after it has its bytes again.
        fs::write(server.files().join("bytes"), "a\r\nb\n").unwrap();
        assert_eq!(account.call("get", json!({"path": "bytes"})).await.unwrap()["body"], "a\r\nb\n", "{kind:?}");
        account.call("put", json!({"path": "again", "body": "a\r\nb\n"})).await.unwrap();
        assert_eq!(fs::read(server.files().join("again")).unwrap(), b"a\r\nb\n", "{kind:?}");
    }
}

/// A session goes on after a call that was given up once what that call left was tidied up. Whatever the
/// call was about to change then, the type of contents or the folder, is not as the session believes.
#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_type_and_no_folder_behind() {
    let kinds = [Kind::Proftpd, Kind::Plain].map(async |kind| {
        let Some(server) = kind.start() else { return };
        fs::create_dir(server.files().join("folder")).unwrap();
        let slow = FaultProxy::start(server.port()).await;
        slow.always(Fault::Latency(Duration::from_millis(10)));
        let account = kind.through(&server, slow.port());
        account.test().await.unwrap();
        for n in 0..30 {
            let given_up = match n % 2 {
                0 => json!({"path": format!("lines-{n}"), "body": "a\nb", "transfer": "ascii"}),
                _ => json!({"path": "folder", "body": "x", "exists": "replace"}),
            };
            let calling = tokio::spawn(account.opened.clone().invoke(account.cx.clone(), call("put", given_up)));
            tokio::time::sleep(Duration::from_millis(20 + 5 * n)).await;
            calling.abort();
            // What is tidied up gives its session back.
            tokio::time::sleep(Duration::from_millis(150)).await;
            let (name, bytes) = (format!("bytes-{n}"), "a\r\nb\n");
            let put = account.call("put", json!({"path": name, "body": bytes})).await;
            put.unwrap_or_else(|e| panic!("{kind:?} {n}: {e} {}", e.private().reveal()));
            assert_eq!(fs::read(server.files().join(&name)).unwrap(), bytes.as_bytes(), "{kind:?} {n}");
            assert_eq!(account.call("get", json!({"path": name})).await.unwrap()["body"], bytes, "{kind:?} {n}");
        }
        assert_eq!(fs::read_dir(server.files().join("folder")).unwrap().count(), 0, "{kind:?}");
    });
    join_all(kinds).await;
}

/// A server that wants every data connection to resume the session of its control connection.
#[tokio::test]
async fn many_contents_go_over_few_connections() {
    // Of TLS 1.3 it gives tickets for two contents or more, of TLS 1.2 a session for any number.
    for (is_tls_1_2, sessions_max) in [(false, 10), (true, 1)] {
        let setup = Setup { is_tls_1_2, ..Kind::Proftpd.setup() };
        let Some(server) = Server::start_as(&setup) else { return };
        let proxy = FaultProxy::start(server.port()).await;
        let account = Kind::Proftpd.through(&server, proxy.port());
        for n in 0..10 {
            account.call("put", json!({"path": format!("{n}"), "body": "x"})).await.unwrap();
            account.call("get", json!({"path": format!("{n}")})).await.unwrap();
        }
        assert!(proxy.connections() <= sessions_max, "{} connections, TLS 1.2: {is_tls_1_2}", proxy.connections());
    }
}

/// To a server that gives no tickets with uploads each two of them sign in anew, unless TLS 1.2 is chosen.
#[tokio::test]
async fn many_uploads_go_over_one_connection_of_tls_1_2() {
    let Some(server) = Kind::Proftpd.start() else { return };
    for (version, sessions) in [(None, 5), (Some("1.2"), 1)] {
        let proxy = FaultProxy::start(server.port()).await;
        let mut opening = Opening::usual(Kind::Proftpd);
        opening.settings.extend(version.map(|version| ("tls_version", version.to_owned())));
        let account = opening.open(proxy.port()).unwrap();
        for n in 0..10 {
            let put = json!({"path": format!("{n}"), "body": "x", "exists": "replace"});
            account.call("put", put).await.unwrap();
        }
        assert_eq!(proxy.connections(), sessions, "{version:?}");
    }
}

#[tokio::test]
async fn a_certificate_signs_in() {
    let more = "TLSVerifyClient on\nTLSUserName CommonName\n";
    let setup = Setup { more, ..Setup::new(Program::Proftpd, "unused") };
    let Some(server) = Server::start_as(&setup) else { return };
    let opening = |certificate| Opening {
        settings: vec![("username", "ftpuser".to_owned()), ("auth", "certificate".to_owned())],
        secrets: Vec::new(),
        certificate,
        ..Opening::usual(Kind::Proftpd)
    };
    let account = opening(Some(PKI.client("ftpuser", true))).open(server.port()).unwrap();
    account.test().await.unwrap();
    account.call("put", json!({"path": "a", "body": "x"})).await.unwrap();
    let other = opening(Some(PKI.client("other", true))).open(server.port()).unwrap();
    assert_eq!(other.fails("list", json!({})).await.kind(), Is::Authentication);
    for certificate in [None, Some(PKI.client("ftpuser", false))] {
        let error = opening(certificate).open(server.port()).unwrap().fails("list", json!({})).await;
        assert_eq!(error.kind(), Is::Identity, "{error}");
    }
}
