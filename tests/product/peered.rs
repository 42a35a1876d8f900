//! A house whose orchestration `get` calls a peer in the test's own process, by the path that its
//! input names.

use lockgate_testkit::{HttpsPeer, Pki, https_peer::Arrived, pki::Server};

use crate::house::House;

/// What runs the peers of a test.
pub struct Peers {
    runtime: tokio::runtime::Runtime,
    pki: Pki,
}

impl Peers {
    pub fn new() -> Self {
        Self { runtime: tokio::runtime::Runtime::new().unwrap(), pki: Pki::new() }
    }

    pub fn start(&self) -> HttpsPeer {
        self.runtime.block_on(HttpsPeer::start(self.pki.server_config(Server::Good, false, &["http/1.1"])))
    }

    /// The CA certificate of all peers, in a file.
    pub fn ca(&self, house: &House) -> String {
        let path = house.folder().join("peers.pem");
        std::fs::write(&path, self.pki.ca_pem()).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

const FLOW: &str = "\
document: { dsl: '1.0.3', namespace: default, name: get, version: '1.0.0' }
evaluate: { language: jsonata }
do:
  - fetch:
      call: https.get:1@default
      with:
        account: peer
        path: ${ path }
  - reply:
      set: { got: '${ status }' }
";

/// Publishes `get` in `development`, bound to the peer.
pub fn publish(house: &House, peers: &Peers, peer: &HttpsPeer) {
    let project = house.folder().join("peered");
    std::fs::create_dir(&project).unwrap();
    let write = |file: &str, text: &str| std::fs::write(project.join(file), text).unwrap();
    write(
        "project.yaml",
        "project: peered\ntitle: Peered\naccounts:\n  peer: { connector: https, operations: [get] }\n",
    );
    write("get.flow.yaml", FLOW);
    let (address, ca) = (format!("https://127.0.0.1:{}/", peer.port()), peers.ca(house));
    house.cli(&[
        "account",
        "add",
        "peer",
        "--env",
        "development",
        "--connector",
        "https",
        "--address",
        &address,
        "--ca",
        &ca,
    ]);
    let (data, port) = (house.data.to_str().unwrap(), peer.port().to_string());
    house.cli(&["operator", "egress", "allow", "--data", data, "demo", "development", "127.0.0.1/32", &port]);
    house.cli(&["push", project.to_str().unwrap()]);
    house.cli(&["deploy", "peered", "development"]);
}

/// Points the account elsewhere.
pub fn point_at(house: &House, peers: &Peers, address: &str) {
    let set = ["account", "set", "peer", "--env", "development", "--connector", "https", "--address", address];
    house.cli(&[&set[..], &["--ca", &peers.ca(house)]].concat());
}

/// Address of `get`.
pub const GET: &str = "/demo/development/get";
/// An input for it: the peer answers.
pub const JSON: &str = "{\"path\": \"/json\"}";

/// A header of a request as it arrived.
pub fn header(arrived: &Arrived, name: &str) -> Option<String> {
    arrived.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}
