//! A file goes through a mapping into another one, record by record, in a server whose memory does not grow with it.

use std::{io::Write as _, time::Duration};

use lockgate_testkit::{
    process::peak_rss_bytes,
    ssh_peer::{Openssh, Shown, SshKeys},
};
use serde_json::json;

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
    bind(&house, &keys, &server);
    let project = deployed(&house, &[("net.map.yaml", MAPPING), ("passing.flow.yaml", FLOW)]);
    let project = project.as_str();

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

/// The account `files`, at a server of files.
fn bind(house: &House, keys: &SshKeys, server: &Openssh) {
    let (data, port) = (house.data.to_str().unwrap(), server.port().to_string());
    house.cli(&["operator", "egress", "allow", "--data", data, "demo", "development", "127.0.0.1/32", &port]);
    let key = house.folder().join("key");
    std::fs::write(&key, keys.private("user_plain")).unwrap();
    let (address, key) = (format!("sftp://127.0.0.1:{port}"), format!("private_key={}", key.display()));
    let username = format!("username={}", Openssh::user());
    let fingerprint = keys.fingerprint("host_ed25519");
    let account = ["account", "add", "files", "--env", "development", "--connector", "sftp", "--address", &address];
    let identity = ["--host-key", &fingerprint, "--set", &username, "--secret", &key];
    house.cli(&[&account[..], &identity].concat());
}

/// The project with these files, deployed; gives its folder.
fn deployed(house: &House, files: &[(&str, &str)]) -> String {
    let project = house.folder().join("passing");
    for (file, text) in [("project.yaml", PROJECT)].iter().chain(files) {
        let file = project.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let project = project.to_str().unwrap().to_owned();
    house.cli(&["push", &project]);
    house.cli(&["deploy", "passing", "development"]);
    project
}

const PARSING: &str = "\
document: { dsl: '1.0.3', namespace: default, name: parsing, version: '1.0.0' }
evaluate: { language: jsonata }
do:
  - lines:
      call: sftp.get:1@default
      with: { account: files, path: stock.txt, stream: true, parse: { fixed: documents/stock.yaml } }
  - again:
      call: sftp.put:1@default
      with: { account: files, path: again.txt, body: '${ $stream }', format: { fixed: documents/stock.yaml } }
  - fixed:
      call: sftp.get:1@default
      with: { account: files, path: stock.txt, parse: { fixed: documents/stock.yaml } }
      output: { as: '${ { \"fixed\": body } }' }
  - edi:
      call: sftp.get:1@default
      with: { account: files, path: order.edi, parse: edi }
      output: { as: '${ $merge([$input, { \"edi\": body.messages[0] }]) }' }
  - bytes:
      call: sftp.get:1@default
      with: { account: files, path: page.bin, parse: bytes }
      output: { as: '${ $merge([$input, { \"bytes\": body_base64 }]) }' }
";

const STOCK: &str = "\
fields:
  - { name: article, width: 6 }
  - { name: quantity, width: 5, kind: number }
  - { name: price, width: 8, kind: number, decimals: 2, pad: ' ' }
";

/// Files of fixed width and of EDI are values where a server gives them, and bytes are bytes.
#[test]
fn files_of_fixed_width_edi_and_bytes_are_read_at_a_server() {
    let keys = SshKeys::new("");
    let Some(server) = Openssh::start(&keys, Shown::Own) else { return };
    let house = House::start();
    bind(&house, &keys, &server);
    let stock = "BOLT-M00200    1250\r\nNUT-M 00150      75\r\n";
    let edi = "UNB+UNOC:3+BUYER+SELLER+261122:1305+42'UNH+1+ORDERS:D:96A:UN'BGM+220+7731+9'UNT+3+1'UNZ+1+42'";
    for (name, content) in [("stock.txt", stock.as_bytes()), ("order.edi", edi.as_bytes()), ("page.bin", b"text\xff\0")]
    {
        std::fs::write(server.files().join(name), content).unwrap();
    }
    deployed(&house, &[("parsing.flow.yaml", PARSING), ("documents/stock.yaml", STOCK)]);
    let reply = house.request(&house.administrator(), "POST", "/demo/development/parsing", None, &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(std::fs::read_to_string(server.files().join("again.txt")).unwrap(), stock);
    let message = json!({"control": "1", "type": {"id": "ORDERS", "version": "D", "release": "96A", "agency": "UN"}});
    let read = json!({
        "fixed": [{"article": "BOLT-M", "quantity": 200, "price": 12.5}, {"article": "NUT-M", "quantity": 150, "price": 0.75}],
        "edi": {"message": message, "segments": [{"tag": "BGM", "elements": ["220", "7731", "9"]}]},
        "bytes": "dGV4dP8A",
    });
    assert_eq!(reply.json(), read);
}
