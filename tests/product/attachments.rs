//! An attachment of a SOAP answer streams into the next message, through the whole product.

use lockgate_testkit::{Pki, SoapPeer};
use serde_json::json;

use crate::house::House;

const FLOW: &str = "document: { dsl: '1.0.3', namespace: t, name: copy, version: '1.0.0' }
evaluate: { language: jsonata }
do:
  - fetch:
      call: soap.read:1@default
      with: { account: files, wsdl: documents/files.wsdl, operation: fetch, input: { name: '${ $string(bytes) }' }, stream: true }
  - store:
      call: soap.call:1@default
      with:
        account: files
        wsdl: documents/files.wsdl
        operation: store
        input: { name: copy, content: 'cid:attachment' }
        attachment: '${ $stream }'
      output: { as: { stored: '${ output.bytes }' } }
";

#[test]
fn an_attachment_streams_from_one_message_into_the_next() {
    let pki = Pki::new();
    let Some(service) = SoapPeer::mtom(&pki) else { return };
    let house = House::start();
    let (root, ca) = (house.folder().join("copy"), house.folder().join("ca.pem"));
    std::fs::create_dir_all(root.join("documents")).unwrap();
    let accounts = "project: copy\naccounts: { files: { connector: soap, operations: [call, read] } }\n";
    let wsdl = include_str!("../../connectors/soap/tests/files.wsdl");
    for (file, text) in [("project.yaml", accounts), ("copy.flow.yaml", FLOW), ("documents/files.wsdl", wsdl)] {
        std::fs::write(root.join(file), text).unwrap();
    }
    std::fs::write(&ca, pki.ca_pem()).unwrap();
    let (ca, data) = (ca.to_str().unwrap(), house.data.to_str().unwrap());
    let address = format!("https://127.0.0.1:{}/files", service.port());
    let account = ["account", "add", "files", "--env", "development", "--connector", "soap", "--address", &address];
    house.cli(&["operator", "egress", "allow", "--data", data, "demo", "development", "127.0.0.1/32", "1-65535"]);
    house.cli(&[&account[..], &["--ca", ca]].concat());
    house.cli(&["push", root.to_str().unwrap()]);
    house.cli(&["deploy", "copy", "development"]);
    let admin = house.administrator();
    // Longer than anything that a run may hold.
    for bytes in [0, 1, 300_000_000_u64] {
        let asked = json!({ "bytes": bytes }).to_string();
        let reply = house.request(&admin, "POST", "/demo/development/copy", Some(&asked), &[]);
        assert_eq!(reply.status, 200, "{reply:?} {}", house.log());
        assert_eq!(reply.json(), json!({"stored": bytes.to_string()}));
    }
}
