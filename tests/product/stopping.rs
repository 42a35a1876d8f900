//! SIGTERM: what is in flight ends, what overruns its time is cancelled and recorded so.

use std::{
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use lockgate_testkit::{HttpsPeer, wait_until};

use crate::{
    house::House,
    peered::{GET, Peers, publish},
};

/// A server with a request in flight that the peer keeps waiting, and the client that waits for it.
fn in_flight(path: &str, grace: &str) -> (House, (HttpsPeer, Peers), std::process::Child) {
    let (house, peers) = (House::start(), Peers::new());
    let peer = peers.start();
    publish(&house, &peers, &peer);
    let house = house.serve("", &["--grace", grace]);
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--max-time", "60", "-w", "\n%{http_code}", "-u", &house.administrator(), "--cacert"]);
    curl.arg(house.text("ca_file")).args(["--json", &format!("{{\"path\": \"{path}\"}}")]);
    curl.arg(format!("{}{GET}", house.text("listener_url")));
    let sending = curl.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the run is in flight", Duration::from_secs(30), || peer.requests().len() == 1);
    (house, (peer, peers), sending)
}

fn ask_to_stop(house: &House, signal: &str) {
    let pid = house.process.0.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

fn wait_until_closed(house: &House) {
    let address = house.text("listener_url").replace("https://", "");
    wait_until("new connections are refused", Duration::from_secs(30), || TcpStream::connect(&address).is_err());
}

/// Sends a request that the peer keeps waiting, then asks the server to stop.
fn stopped_in_flight(path: &str, grace: &str) -> (House, std::process::Output, std::process::ExitStatus, Duration) {
    let (mut house, _peers, sending) = in_flight(path, grace);
    let asked = Instant::now();
    ask_to_stop(&house, "-TERM");
    wait_until_closed(&house);
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

#[test]
fn asked_once_more_it_ends_at_once_and_the_run_is_found_lost() {
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let (mut house, _peers, mut sending) = in_flight("hang", "50");
        let asked = Instant::now();
        ask_to_stop(&house, "-TERM");
        wait_until_closed(&house);
        assert!(house.process.0.try_wait().unwrap().is_none(), "it waited for nobody");
        ask_to_stop(&house, signal);
        let status = house.process.0.wait().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(40), "it went on draining: {:?}", asked.elapsed());
        assert_eq!(status.code(), Some(code), "{}", house.log());
        let _ = sending.kill();
        let _ = sending.wait();
        let house = house.restart(&[]);
        let runs = house.cli_json(&["runs", "list", "--env", "development", "--name", "get"]);
        assert_eq!(runs["items"][0]["phase"], "lost", "{runs}");
    }
}
