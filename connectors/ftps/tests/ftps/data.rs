//! Data connections: they go to the control connection's address alone, are secured as it is, and
//! whatever breaks in them, no part of a file is taken for the whole.
//!
//! The server listens at another address of loopback, and proxies stand at 127.0.0.1 before its control
//! port and its one data port: so the connector finds both where it looks for them.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future::join_all};
use lockgate_connector_api::{Allowance, Call, Egress, Kind as Is};
use lockgate_testkit::{
    FaultProxy, HttpsPeer, Pki,
    contract::{
        faults::{DEADLINE, clean, everywhere},
        files::{Account, Kind as _, Server as _, call, content, generated, streams},
        tells_nothing,
    },
    fault_proxy::{Fault, Way},
    free_port,
    ftp_peer::Setup,
    pki,
};
use serde_json::json;
use tokio::{
    io::{AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::account::{Kind, Opening, Server};

pub const BYTES: u64 = 400_000;
/// Servers that break side by side.
const SERVERS: usize = 8;

/// A server whose data connections break.
pub struct Broken {
    pub server: Server,
    control: FaultProxy,
    pub data: FaultProxy,
    pub account: Account,
}

impl Broken {
    pub async fn start(kind: Kind) -> Option<Self> {
        Self::start_as(kind, kind.setup()).await
    }

    pub async fn start_as(kind: Kind, setup: Setup<'_>) -> Option<Self> {
        let (host, data_port) = (Ipv4Addr::new(127, 0, 0, 2), free_port());
        let setup = Setup { host, data_port: Some(data_port), ..setup };
        let server = Server::start_as(&setup)?;
        let between = |port: u16, target: u16| {
            FaultProxy::between(SocketAddr::from(([127, 0, 0, 1], port)), SocketAddr::from((host, target)))
        };
        let control = between(0, server.port()).await;
        let data = between(data_port, data_port).await;
        let account = Opening::usual(kind).open(control.port()).unwrap();
        Some(Self { server, control, data, account })
    }
}

pub fn put(path: &str) -> Call {
    let deadline = Instant::now() + DEADLINE;
    Call { body: Some(generated(BYTES)), deadline, ..call("put", json!({"path": path, "exists": "replace"})) }
}

pub fn get(path: &str) -> Call {
    Call { stream: true, deadline: Instant::now() + DEADLINE, ..call("get", json!({"path": path})) }
}

pub fn whole() -> Vec<u8> {
    content(0, usize::try_from(BYTES).unwrap())
}

/// Every fault; of silences, which last until the deadline, half are enough.
fn faults(totals: (u64, u64)) -> Vec<Fault> {
    let mut faults = everywhere(totals);
    faults.retain(|fault| !matches!(fault, Fault::BlackHole(_, at) if at % 2 == 1));
    faults
}

/// Runs a call for every fault of a data connection that carries so much, at a few servers side by side;
/// gives how many there were.
async fn each_fault(kind: Kind, totals: (u64, u64), call: impl AsyncFn(&Broken, Fault)) -> usize {
    let faults = faults(totals);
    let shares = faults.chunks(faults.len().div_ceil(SERVERS)).map(async |share| {
        let broken = Broken::start(kind).await.expect("one was started");
        for fault in share {
            broken.data.always(*fault);
            call(&broken, *fault).await;
        }
        broken.data.always(Fault::None);
        broken.server.is_tidy("after its faults").await;
        broken.account.invoke(put("after")).await.expect("the account works again");
    });
    join_all(shares).await;
    faults.len()
}

/// Whose data connections break: each way in which TLS begins. Pure-FTPd refuses contents (425) over its one data port
/// for a while after one broke.
pub const BREAKING: [Kind; 2] = [Kind::Proftpd, Kind::Implicit];

#[tokio::test]
async fn a_get_whose_data_connection_breaks_is_no_whole_file() {
    for kind in BREAKING {
        breaking_gets(kind).await;
    }
}

async fn breaking_gets(kind: Kind) {
    let Some(first) = Broken::start(kind).await else { return };
    let read = async |broken: &Broken| {
        fs::write(broken.server.files().join("file"), whole()).unwrap();
        let body = broken.account.stream(get("file")).await?;
        // The length that is told beforehand must not be what finds it.
        let mut bytes = Vec::new();
        let mut body = body.with_length(None);
        while let Some(piece) = body.next().await.transpose()? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    };
    first.data.always(Fault::None);
    assert!(read(&first).await.unwrap() == whole());
    let failed = AtomicUsize::new(0);
    let all = each_fault(kind, first.data.carried(), async |broken, fault| {
        let begun = Instant::now();
        match clean(read(broken).await, begun, &format!("{kind:?} {fault:?}")) {
            Some(bytes) => assert!(bytes == whole(), "{kind:?} {fault:?}: a short success"),
            None => drop(failed.fetch_add(1, Ordering::Relaxed)),
        }
        assert!(begun.elapsed() < DEADLINE + Duration::from_secs(1), "{fault:?}");
    });
    let all = all.await;
    let failed = failed.into_inner();
    println!("{kind:?}: {failed} of {all} reads failed");
    assert!(failed * 10 > all * 7, "{kind:?}: only {failed} of {all} reads failed: the faults do not come about");
}

/// All bytes of a file came, and the end of TLS did not: nothing tells that they are all.
#[tokio::test]
async fn the_end_of_a_content_must_be_told_by_tls() {
    let Some(Broken { server, data, account, control: _control }) =
        Broken::start_as(Kind::Proftpd, Setup { is_tls_1_2: true, ..Kind::Proftpd.setup() }).await
    else {
        return;
    };
    // A listing has no size that could be compared.
    for name in ["a", "b", "c"] {
        fs::write(server.files().join(name), "x").unwrap();
    }
    data.always(Fault::None);
    account.call("list", json!({})).await.unwrap();
    let (_, down) = data.carried();
    for (missing, fault) in (1..=40).flat_map(|missing| {
        let at = down - missing;
        [(missing, Fault::Truncate(Way::Down, at)), (missing, Fault::Reset(Way::Down, at))]
    }) {
        data.always(fault);
        let error = account.fails("list", json!({})).await;
        assert_eq!(error.kind(), Is::Unreachable, "{missing} bytes are missing: {error}");
    }
    data.always(Fault::None);
    account.call("list", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_put_whose_data_connection_breaks_is_not_there() {
    for kind in BREAKING {
        breaking_puts(kind).await;
    }
}

async fn breaking_puts(kind: Kind) {
    let Some(first) = Broken::start(kind).await else { return };
    first.data.always(Fault::None);
    first.account.invoke(put("first")).await.unwrap();
    let failed = AtomicUsize::new(0);
    let all = each_fault(kind, first.data.carried(), async |broken, fault| {
        let file = broken.server.files().join("final");
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        let begun = Instant::now();
        let done = clean(broken.account.invoke(put("final")).await, begun, &format!("{kind:?} {fault:?}")).is_some();
        let there = fs::read(&file).unwrap();
        assert!(
            there == b"before" || there == whole(),
            "{kind:?} {fault:?}: {} bytes under the final name",
            there.len()
        );
        assert!(!done || there == whole(), "{kind:?} {fault:?}: success without the file");
        failed.fetch_add(usize::from(!done), Ordering::Relaxed);
    });
    let all = all.await;
    let failed = failed.into_inner();
    println!("{kind:?}: {failed} of {all} writes failed");
    assert!(failed * 10 > all * 6, "{kind:?}: only {failed} of {all} writes failed: the faults do not come about");
}

#[tokio::test]
async fn a_streamed_file_waits_for_its_reader_until_the_deadline() {
    let Some(Broken { server, data, account, control: _control }) = Broken::start(Kind::Proftpd).await else {
        return;
    };
    fs::File::create(server.files().join("big")).unwrap().set_len(200 << 20).unwrap();
    data.always(Fault::None);
    streams::a_streamed_file_waits_for_its_reader(&account, "big", || data.carried().1).await;
}

/// A server that names another host in its reply to PASV, as one behind a gateway does, or one that
/// wants us to knock elsewhere.
#[tokio::test]
async fn the_address_that_the_server_names_is_not_dialled() {
    let more = "MasqueradeAddress 192.0.2.7\n<Limit EPSV>\nDenyAll\n</Limit>\n";
    let Some(broken) = Broken::start_as(Kind::Proftpd, Setup { more, ..Kind::Proftpd.setup() }).await else { return };
    fs::write(broken.server.files().join("file"), "x").unwrap();
    let got = broken.account.call("get", json!({"path": "file"})).await;
    assert_eq!(got.unwrap_or_else(|e| panic!("{e} {}", e.private().reveal()))["body"], "x");
    broken.account.call("list", json!({})).await.unwrap();
    assert!(broken.server.0.log("PASV") >= 2 && broken.data.connections() >= 2);
}

/// The rule is asked for each data connection: its port may not be one that the operator allowed.
#[tokio::test]
async fn a_data_port_that_is_not_allowed_is_not_dialled() {
    let Some(broken) = Broken::start(Kind::Proftpd).await else { return };
    fs::write(broken.server.files().join("file"), "x").unwrap();
    let port = broken.control.port();
    let egress = Egress::new(["127.0.0.0/8", "::1/128"].map(|net| Allowance::parse(net, port, port).unwrap()).to_vec());
    let account = Opening { egress, ..Opening::usual(Kind::Proftpd) }.open(port).unwrap();
    account.test().await.unwrap();
    for (operation, input) in
        [("list", json!({})), ("get", json!({"path": "file"})), ("put", json!({"path": "new", "body": "x"}))]
    {
        let error = account.fails(operation, input).await;
        assert_eq!(error.kind(), Is::Refused, "{operation}: {error}");
    }
    assert_eq!((broken.data.connections(), broken.server.names()), (0, vec!["file".to_owned()]));
}

/// Somebody in the middle answers at the data port, in the clear or with a certificate that is not the
/// server's, while the server has its connection and waits.
#[tokio::test]
async fn a_stranger_at_the_data_port_hears_and_says_nothing() {
    let secured = HttpsPeer::start(Pki::new().server_config(pki::Server::Good, false, &[])).await;
    let strangers = [(Some(secured.port()), Is::Identity), (None, Is::Protocol)];
    let cases = Kind::ALL.iter().flat_map(|kind| strangers.map(|stranger| (*kind, stranger)));
    join_all(cases.map(|(kind, (stranger, expected))| with_a_stranger(kind, stranger, expected))).await;
    assert_eq!((secured.requests().len(), secured.raw()), (0, Vec::new()));
}

async fn with_a_stranger(kind: Kind, stranger: Option<u16>, expected: Is) {
    let (host, data_port) = (Ipv4Addr::new(127, 0, 0, 2), free_port());
    let Some(server) = Server::start_as(&Setup { host, data_port: Some(data_port), ..kind.setup() }) else { return };
    fs::write(server.files().join("file"), "x").unwrap();
    let control =
        FaultProxy::between(SocketAddr::from(([127, 0, 0, 1], 0)), SocketAddr::from((host, server.port()))).await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, data_port)).await.unwrap();
    let between = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            held.push(TcpStream::connect((host, data_port)).await.unwrap());
            match stranger {
                Some(port) => {
                    let mut there = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut there).await;
                }
                None => stream.write_all(b"type=file;size=1; forged\r\n").await.unwrap(),
            }
            // Who ends the server's side as well has it tell so, over the control connection.
            held.pop();
        }
    });
    let account = Opening::usual(kind).open(control.port()).unwrap();
    for (operation, input) in
        [("list", json!({})), ("get", json!({"path": "file"})), ("put", json!({"path": "new", "body": "x"}))]
    {
        let call = Call { deadline: Instant::now() + DEADLINE, ..call(operation, input) };
        let error = account.invoke(call).await.unwrap_err();
        tells_nothing(&error);
        assert_eq!(error.kind(), expected, "{kind:?} {operation}: {error} {}", error.private().reveal());
    }
    assert!(!server.files().join("new").exists(), "{kind:?}");
    between.abort();
    assert!(between.await.unwrap_err().is_cancelled());
}
