//! SIGTERM: what is in flight ends, what overruns its time is cancelled and recorded so.

use std::{
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use lockgate_testkit::wait_until;

use crate::{
    house::House,
    peered::{GET, Peers, publish},
};

/// Sends a request that the peer keeps waiting, then asks the server to stop.
fn stopped_in_flight(path: &str, grace: &str) -> (House, std::process::Output, std::process::ExitStatus, Duration) {
    let (house, peers) = (House::start(), Peers::new());
    let peer = peers.start();
    publish(&house, &peers, &peer);
    let mut house = house.serve("", &["--grace", grace]);
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--max-time", "60", "-w", "\n%{http_code}", "-u", &house.administrator(), "--cacert"]);
    curl.arg(house.text("ca_file")).args(["--json", &format!("{{\"path\": \"{path}\"}}")]);
    curl.arg(format!("{}{GET}", house.text("listener_url")));
    let sending = curl.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the run is in flight", Duration::from_secs(30), || peer.requests().len() == 1);

    let asked = Instant::now();
    let pid = house.process.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let address = house.text("listener_url").replace("https://", "");
    wait_until("new connections are refused", Duration::from_secs(30), || TcpStream::connect(&address).is_err());
    let status = house.process.0.wait().unwrap();
    let took = asked.elapsed();
    (house, sending.wait_with_output().unwrap(), status, took)
}

#[test]
fn a_run_in_flight_ends_with_its_reply() {
    let (house, output, status, took) = stopped_in_flight("late/3000", "30");
    let reply = String::from_utf8(output.stdout).unwrap();
    assert_eq!(reply, "{\"got\":200}\n200", "{}", house.log());
    assert_eq!(status.code(), Some(0), "{}", house.log());
    assert!(took < Duration::from_secs(25), "it waited for nobody: {took:?}");
}

#[test]
fn a_run_that_overruns_the_grace_is_cancelled_and_recorded_so() {
    let (house, output, status, took) = stopped_in_flight("hang", "1");
    let reply = String::from_utf8(output.stdout).unwrap();
    assert!(reply.ends_with("\n503") && reply.contains("LG-CANCELLED"), "{reply}\n{}", house.log());
    assert_eq!(status.code(), Some(0), "{}", house.log());
    assert!(took < Duration::from_secs(25), "{took:?}");
    let house = house.restart(&[]);
    let runs = house.cli_json(&["runs", "list", "--env", "development", "--name", "get"]);
    assert_eq!(runs["items"][0]["phase"], "cancelled", "{runs}");
    assert_eq!(runs["items"][0]["error"]["task"], "/do/0/fetch", "{runs}");
}
