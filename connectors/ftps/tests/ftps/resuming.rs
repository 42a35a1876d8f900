//! A content is gone on with when its data connection breaks in the midst of it: behind the last byte that
//! came, and only where what is there is still the beginning of the same content.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Body, Call, Error, Kind as Is};
use lockgate_testkit::{
    contract::{
        files::{Server as _, call},
        tells_nothing,
    },
    fault_proxy::{Fault, Way},
    ftp_peer::Setup,
    wait_until_async,
};
use serde_json::json;
use tokio::sync::oneshot;

use crate::{
    account::Kind,
    data::{BREAKING, BYTES, Broken, get, put, whole},
};

/// A byte in the midst of a data connection.
const AMID: u64 = BYTES / 2;
/// Lines of a configuration that refuse to begin anywhere but at the beginning.
const NO_RESTART: [&str; 2] = ["DenyFilter ^[0-9][0-9][0-9]+$\n", "AllowRetrieveRestart off\n"];

#[tokio::test]
async fn a_get_goes_on_behind_the_last_byte_that_came() {
    for (kind, fault) in BREAKING
        .iter()
        .flat_map(|kind| [(*kind, Fault::Truncate(Way::Down, AMID)), (*kind, Fault::Reset(Way::Down, AMID))])
    {
        let Some(broken) = Broken::start(kind).await else { continue };
        fs::write(broken.server.files().join("file"), whole()).unwrap();
        broken.data.once(fault);
        let got = broken.account.stream(get("file")).await.unwrap().collect(u64::MAX).await;
        let got = got.unwrap_or_else(|e| panic!("{kind:?} {fault:?}: {e} {}", e.private().reveal()));
        assert!(got == whole(), "{kind:?} {fault:?}");
        assert!(broken.data.happened() && broken.data.connections() == 2, "{kind:?} {fault:?}");
        // At a byte, and not from the beginning.
        assert_eq!((broken.server.0.log("REST REST"), broken.server.0.log("RETR RETR")), (1, 2), "{kind:?} {fault:?}");
    }
}

#[tokio::test]
async fn a_put_goes_on_behind_the_last_byte_that_is_there() {
    for (kind, fault) in
        BREAKING.iter().flat_map(|kind| [(*kind, Fault::Truncate(Way::Up, AMID)), (*kind, Fault::Reset(Way::Up, AMID))])
    {
        let Some(broken) = Broken::start(kind).await else { continue };
        broken.data.once(fault);
        let answer = broken.account.invoke(put("file")).await;
        let answer = answer.unwrap_or_else(|e| panic!("{kind:?} {fault:?}: {e} {}", e.private().reveal()));
        assert_eq!(answer.written, BYTES);
        assert!(fs::read(broken.server.files().join("file")).unwrap() == whole(), "{kind:?} {fault:?}");
        assert!(broken.data.happened(), "{kind:?} {fault:?}");
        assert_eq!((broken.server.0.log("REST REST"), broken.server.0.log("STOR STOR")), (1, 2), "{kind:?} {fault:?}");
        broken.server.is_tidy(&format!("{kind:?} {fault:?}")).await;
    }
}

/// Reads a file whose data connection is cut, and changes it in between.
async fn cut_get(broken: &Broken, change: impl FnOnce()) -> Error {
    fs::write(broken.server.files().join("file"), whole()).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let file = File::options().write(true).open(broken.server.files().join("file")).unwrap();
    file.set_modified(long_ago).unwrap();
    broken.data.once(Fault::Truncate(Way::Down, AMID));
    let mut body = broken.account.stream(get("file")).await.unwrap();
    body.next().await.unwrap().unwrap();
    change();
    let error = body.collect(u64::MAX).await.map(drop).expect_err("it must fail");
    assert!(broken.data.happened());
    tells_nothing(&error);
    error
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_not_gone_on_with() {
    let Some(broken) = Broken::start(Kind::Proftpd).await else { return };
    let file = broken.server.files().join("file");
    let open = || File::options().write(true).open(&file).unwrap();
    let changes: [(&str, &dyn Fn()); 3] = [
        ("longer", &|| open().set_len(BYTES + 1).unwrap()),
        ("shorter", &|| open().set_len(BYTES - 1).unwrap()),
        ("rewritten", &|| open().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_060)).unwrap()),
    ];
    for (what, change) in changes {
        let error = cut_get(&broken, change).await;
        assert_eq!((error.code(), error.is_transient()), ("file-changed", true), "{what}: {error}");
    }
    let gone = cut_get(&broken, || fs::remove_file(&file).unwrap()).await;
    assert_eq!(gone.kind(), Is::NotFound, "{gone}");
}

/// What broke is the failure, not that the server begins at the beginning alone: a call that is repeated
/// may well succeed.
#[tokio::test]
async fn a_server_that_begins_at_the_beginning_alone_is_not_gone_on_with() {
    for more in NO_RESTART {
        let Some(broken) = Broken::start_as(Kind::Proftpd, Setup { more, ..Kind::Proftpd.setup() }).await else {
            return;
        };
        let error = cut_get(&broken, || {}).await;
        assert_eq!((error.kind(), error.is_transient()), (Is::Unreachable, true), "{more}: {error}");
        broken.data.always(Fault::None);
        let again = broken.account.stream(get("file")).await.unwrap().collect(u64::MAX).await;
        assert!(again.unwrap() == whole(), "{more}");
    }
    let Some(broken) = Broken::start_as(Kind::Proftpd, Setup { more: NO_RESTART[0], ..Kind::Proftpd.setup() }).await
    else {
        return;
    };
    broken.data.once(Fault::Reset(Way::Up, AMID));
    let error = broken.account.invoke(put("new")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (Is::Unreachable, true), "{error}");
    assert!(!broken.server.files().join("new").exists());
    broken.server.is_tidy("a put that is not gone on with").await;
}

/// Somebody else wrote to what was put so far.
#[tokio::test]
async fn a_part_that_is_longer_than_what_was_sent_is_not_gone_on_with() {
    let Some(broken) = Broken::start(Kind::Proftpd).await else { return };
    broken.data.once(Fault::Reset(Way::Up, AMID));
    let (go_on, wait) = oneshot::channel::<()>();
    let piece = |bytes: usize| Ok(Bytes::from(vec![7; bytes]));
    let begun = stream::iter([piece(300_000)]);
    let rest = stream::once(async move {
        wait.await.unwrap();
        piece(100_000)
    });
    let content = Body::new(begun.chain(rest)).with_length(Some(BYTES));
    let one = Call { body: Some(content), ..call("put", json!({"path": "new"})) };
    let putting = tokio::spawn(broken.account.opened.clone().invoke(broken.account.cx.clone(), one));
    wait_until_async("the end of the data connection", Duration::from_secs(10), || broken.data.happened()).await;
    let part = broken.server.names().into_iter().find(|name| name.starts_with(".lockgate-")).unwrap();
    // The server has closed it by then, or writes no more to it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    File::options().write(true).open(broken.server.files().join(part)).unwrap().set_len(10 << 20).unwrap();
    let _ = go_on.send(());
    let error = putting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), Is::Unreachable, "{error}");
    assert!(!broken.server.files().join("new").exists());
    broken.server.is_tidy("a part of somebody else's").await;
}
