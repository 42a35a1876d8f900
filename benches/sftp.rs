//! A file to an SFTP server and back, beside OpenSSH's own client `sftp` against the same server in
//! the same run. Both sign in anew each time, encrypt with the same cipher and have the server write
//! to disk before they are done; ours writes under a temporary name and renames on top of that.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Address, Body, Call, Config, Registry, Scheme, Secret};
use lockgate_document::Document;
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::{
    contract::{context, loopback},
    ssh_peer::{Openssh, Shown, SshKeys},
    temp_dir,
};

const MIB: u64 = 256;
const ROUNDS: usize = 5;

fn main() {
    let keys = SshKeys::new("unused");
    let Some(server) = Openssh::start(&keys, Shown::Own) else { return };
    let local = temp_dir();
    let file = local.path().join("file");
    fs::write(&file, vec![0x5a; (MIB << 20) as usize]).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut ours, mut theirs) = ([Duration::MAX; 2], [Duration::MAX; 2]);
    for round in 1..=ROUNDS {
        let [put, get] = runtime.block_on(connector(&keys, &server));
        let [sftp_put, sftp_get] = openssh(&keys, &server, &file);
        println!("round {round}: connector put {put:.2?} get {get:.2?}; sftp put {sftp_put:.2?} get {sftp_get:.2?}");
        // The best of each: what else the machine does only ever adds.
        (ours, theirs) = ([ours[0].min(put), ours[1].min(get)], [theirs[0].min(sftp_put), theirs[1].min(sftp_get)]);
    }
    for (place, what) in ["put", "get"].into_iter().enumerate() {
        let rate = |time: Duration| MIB as f64 / time.as_secs_f64();
        let (ours, theirs) = (rate(ours[place]), rate(theirs[place]));
        println!("{what} of {MIB} MiB: connector {ours:.0} MiB/s, sftp {theirs:.0} MiB/s, ratio {:.2}", ours / theirs);
    }
}

async fn connector(keys: &SshKeys, server: &Openssh) -> [Duration; 2] {
    let mut registry = Registry::new();
    registry.add::<lockgate_connector_sftp::Sftp>();
    let cx = context(loopback());
    let address = format!("sftp://127.0.0.1:{}{}", server.port(), server.files().display());
    let config = || Config {
        address: Address::parse(Scheme { name: "sftp", port: 22 }, true, &address).unwrap(),
        identity: ServerIdentity::HostKey(keys.fingerprint("host_ed25519")),
        settings: [("username".to_owned(), Openssh::user())].into(),
        secrets: [("private_key".to_owned(), Secret::new(keys.private("user_plain")))].into(),
        tls: None,
    };
    let open = || registry.get("sftp").unwrap().open(config(), &cx).unwrap();
    let deadline = Instant::now() + Duration::from_secs(600);
    let block = Bytes::from(vec![0x5a; 1 << 20]);
    let blocks = stream::repeat_with(move || Ok(block.clone())).take(MIB as usize);
    let input = Document::object([("path", "ours".into()), ("exists", "replace".into())]);
    let put = Call { body: Some(Body::new(blocks).with_length(Some(MIB << 20))), ..Call::new("put", input, deadline) };
    let account = open();
    let begun = Instant::now();
    account.invoke(cx.clone(), put).await.unwrap();
    let put = begun.elapsed();
    let account = open();
    let get = Call { stream: true, ..Call::new("get", Document::object([("path", "ours".into())]), deadline) };
    let begun = Instant::now();
    let mut body = account.invoke(cx.clone(), get).await.unwrap().stream.unwrap().bytes().unwrap();
    let mut bytes = 0;
    while let Some(piece) = body.next().await {
        bytes += piece.unwrap().len() as u64;
    }
    assert_eq!(bytes, MIB << 20);
    [put, begun.elapsed()]
}

fn openssh(keys: &SshKeys, server: &Openssh, file: &Path) -> [Duration; 2] {
    let back = file.with_extension("back");
    [format!("put {} theirs", file.display()), format!("get theirs {}", back.display())].map(|line| {
        let batch = file.with_extension("batch");
        fs::write(&batch, line).unwrap();
        let begun = Instant::now();
        let status = Command::new("sftp")
            .args(["-q", "-f", "-c", "aes256-gcm@openssh.com", "-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null", "-P", &server.port().to_string(), "-i"])
            .arg(keys.file("user_plain"))
            .arg("-b")
            .arg(&batch)
            .arg(format!("{}@127.0.0.1", Openssh::user()))
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        begun.elapsed()
    })
}
