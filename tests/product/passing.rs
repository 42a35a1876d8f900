//! A file goes through a mapping into another one, record by record, in a server whose memory does not grow with it.

use std::{io::Write as _, time::Duration};

use lockgate_testkit::{
    process::peak_rss_bytes,
    ssh_peer::{Openssh, Shown, SshKeys},
};

use crate::house::House;

const MIB: u64 = 1 << 20;
/// What the server may grow by, however long the file is.
const GROWTH_MAX: u64 = 48 * MIB;

const PROJECT: &str = "project: passing\naccounts: { files: { connector: sftp, operations: [get, put] } }\n";
const MAPPING: &str = "mapping: net\nversion: 1\nrules:\n  - { to: sku, from: sku }\n  - { to: net, from: '$round($number(quantity) * $number(price), 2)' }\n";
const FLOW: &str = "\
document: { dsl: '1.0.3', namespace: default, name: passing, version: '1.0.0' }
evaluate: { language: jsonata }
do:
  - read: { call: sftp.get:1@default, with: { account: files, path: in.csv, stream: true, parse: csv } }
  - net: { call: map.net, with: { input: '${ $stream }' } }
  - write: { call: sftp.put:1@default, with: { account: files, path: out.csv, exists: replace, body: '${ $stream }', format: csv } }
";

#[test]
fn a_file_goes_through_a_mapping_into_another_in_flat_memory() {
    let keys = SshKeys::new("");
    let Some(server) = Openssh::start(&keys, Shown::Own) else { return };
    let house = House::start();
    let (data, port) = (house.data.to_str().unwrap(), server.port().to_string());
    house.cli(&["operator", "egress", "allow", "--data", data, "demo", "development", "127.0.0.1/32", &port]);
    let key = house.folder().join("key");
    std::fs::write(&key, keys.private("user_plain")).unwrap();
    let (address, key) = (format!("sftp://127.0.0.1:{port}"), format!("private_key={}", key.display()));
    let username = format!("username={}", Openssh::user());
    let fingerprint = keys.fingerprint("host_ed25519");
    house.cli(&[
        "account",
        "add",
        "files",
        "--env",
        "development",
        "--connector",
        "sftp",
        "--address",
        &address,
        "--host-key",
        &fingerprint,
        "--set",
        &username,
        "--secret",
        &key,
    ]);
    let project = house.folder().join("passing");
    std::fs::create_dir(&project).unwrap();
    for (name, text) in [("project.yaml", PROJECT), ("net.map.yaml", MAPPING), ("passing.flow.yaml", FLOW)] {
        std::fs::write(project.join(name), text).unwrap();
    }
    let project = project.to_str().unwrap();
    for arguments in [&["push", project][..], &["deploy", "passing", "development"]] {
        house.cli(arguments);
    }

    // Much more than it may grow by, or nothing would be shown.
    let bytes_min = if lockgate_testkit::long() { 5 << 30 } else { 2 * GROWTH_MAX };
    let line = "SKU-00012,\"Keyboard, \"\"quiet\"\"\",3,49.90\r\n";
    let lines = bytes_min / line.len() as u64;
    let mut file = std::io::BufWriter::new(std::fs::File::create(server.files().join("in.csv")).unwrap());
    file.write_all(b"sku,name,quantity,price\r\n").unwrap();
    (0..lines).for_each(|_| file.write_all(line.as_bytes()).unwrap());
    file.into_inner().unwrap().sync_all().unwrap();

    let before = peak_rss_bytes(house.process.0.id());
    if lockgate_testkit::long() {
        // By itself: nobody waits so long for a reply.
        std::fs::write(format!("{project}/passing.flow.yaml"), FLOW.replace("do:", "schedule: { after: PT1S }\ndo:"))
            .unwrap();
        house.cli(&["push", project]);
        house.cli(&["deploy", "passing", "development"]);
        lockgate_testkit::wait_until("the run ends", Duration::from_secs(3_600), || {
            let runs = house.cli_json(&["runs", "list", "--env", "development"]);
            runs["items"].as_array().unwrap().iter().any(|run| {
                // Quickstart has run something, too.
                run["target"]["name"] == "passing" && run["phase"] == "completed"
            })
        });
    } else {
        let reply = house.request(&house.administrator(), "POST", "/demo/development/passing", None, &[]);
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let grown = peak_rss_bytes(house.process.0.id()) - before;
    let written = std::fs::metadata(server.files().join("out.csv")).unwrap().len();
    let one = "SKU-00012,149.7\r\n";
    assert_eq!(written, "sku,net\r\n".len() as u64 + lines * one.len() as u64);
    assert!(grown < GROWTH_MAX, "{} MiB more for {} MiB", grown / MIB, bytes_min / MIB);
}
