//! What an account says of TLS is what its connections do.

use lockgate_testkit::{Nginx, Pki, pki::Server};

use crate::house::House;

const FLOW: &str = "\
document: { dsl: '1.0.3', namespace: default, name: version, version: '1.0.0' }
evaluate: { language: jsonata }
do:
  - ask: { call: 'https.get:1@default', with: { account: peer, path: tls } }
  - tell: { set: { spoken: '${ body }' } }
";

#[test]
fn an_account_speaks_the_version_of_tls_that_it_names() {
    let pki = Pki::new();
    let Some(nginx) = Nginx::start(&pki, Server::Good, false) else { return };
    let house = House::start();
    let admin = house.administrator();
    let folder = house.folder().join("versions");
    std::fs::create_dir(&folder).unwrap();
    let write = |file: &str, text: &str| std::fs::write(folder.join(file), text).unwrap();
    write("project.yaml", "project: versions\naccounts: { peer: { connector: https, operations: [get] } }\n");
    write("version.flow.yaml", FLOW);
    let ca = house.folder().join("peer.pem");
    std::fs::write(&ca, pki.ca_pem()).unwrap();
    let (port, address) = (nginx.port().to_string(), format!("https://127.0.0.1:{}/", nginx.port()));
    let data = house.data.to_str().unwrap();
    house.cli(&["operator", "egress", "allow", "--data", data, "demo", "development", "127.0.0.1/32", &port]);
    let account = ["account", "set", "peer", "--env", "development", "--connector", "https", "--address", &address];
    let account = [&account[..], &["--ca", ca.to_str().unwrap()]].concat();
    house.cli(&account);
    house.cli(&["push", folder.to_str().unwrap()]);
    house.cli(&["deploy", "versions", "development"]);

    let spoken = || {
        let reply = house.request(&admin, "POST", "/demo/development/version", None, &[]);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["spoken"].as_str().unwrap().to_owned()
    };
    assert_eq!(spoken(), "TLSv1.3");
    for (named, is) in [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")] {
        // Also where a connection of the other version is still open.
        house.cli(&[&account[..], &["--set", &format!("tls_version={named}")]].concat());
        assert_eq!(spoken(), is);
    }
    let context = house.data.join("context.json");
    let refused = house.cli_as(&context, &[&account[..], &["--set", "tls_version=1.1"]].concat(), "");
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("tls_version"),
        "{refused:?}"
    );
    assert_eq!(spoken(), "TLSv1.3");
}
