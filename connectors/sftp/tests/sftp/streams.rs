//! Back-pressure, seen at the one connection.

use std::fs;

use lockgate_testkit::{
    FaultProxy,
    contract::files::{Kind as _, Server as _, streams},
};

use crate::account::Kind;

#[tokio::test]
async fn a_streamed_file_waits_for_its_reader_until_the_deadline() {
    for kind in Kind::ALL.iter().copied() {
        let Some(server) = kind.start() else { continue };
        fs::File::create(server.files().join("big")).unwrap().set_len(200 << 20).unwrap();
        let proxy = FaultProxy::start(server.port()).await;
        let account = kind.through(&server, proxy.port());
        streams::a_streamed_file_waits_for_its_reader(&account, "big", || proxy.carried().1).await;
    }
}
