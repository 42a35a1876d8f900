//! Floods: many peers at once hold what they can, and the server stays within its bounds.

use std::{
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use lockgate_testkit::{
    process::{Running, peak_rss_bytes},
    wait_until,
};

use serde_json::json;

use crate::house::House;

const MIB: u64 = 1 << 20;
/// What a push sends before it goes no further.
const PUSH_MIB: usize = 12;

/// A push that has sent a part of its body and goes no further.
struct Held {
    curl: Running,
    sending: std::thread::JoinHandle<std::process::ChildStdin>,
}

fn hold(house: &House, who: &str) -> Held {
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--max-time",
        "60",
        "-X",
        "POST",
        "-T",
        "-",
        "--cacert",
    ]);
    curl.arg(house.text("ca_file")).args(["-H", "Content-Type: application/json"]);
    match who.strip_prefix("Bearer ") {
        Some(_) => curl.args(["-H", &format!("Authorization: {who}")]),
        None => curl.args(["-u", who]),
    };
    curl.arg(format!("{}/admin/v1/tenants/demo/projects/x/versions", house.text("listener_url")));
    let mut curl = Running::start(curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut stdin = curl.0.stdin.take().unwrap();
    let sending = std::thread::spawn(move || {
        let some = vec![b' '; 1 << 20];
        for _ in 0..PUSH_MIB {
            // Who was turned away takes no more.
            if stdin.write_all(&some).is_err() {
                break;
            }
        }
        stdin
    });
    Held { curl, sending }
}

/// How far the server's memory grew while so many pushes were held open, and the statuses of those
/// that were answered before their end.
fn flooded(house: &House, who: &str, pushes: usize) -> (u64, Vec<String>) {
    let pid = house.process.0.id();
    let before = peak_rss_bytes(pid);
    let mut held: Vec<Held> = (0..pushes).map(|_| hold(house, who)).collect();
    wait_until("all have sent what they may", Duration::from_secs(60), || {
        held.iter_mut().all(|one| one.sending.is_finished() || one.curl.0.try_wait().unwrap().is_some())
    });
    let grown = peak_rss_bytes(pid).saturating_sub(before);
    // What curl took last may still be under way to the server.
    std::thread::sleep(Duration::from_secs(1));
    let mut statuses = Vec::new();
    for one in &mut held {
        if one.curl.0.try_wait().unwrap().is_some() {
            let mut status = String::new();
            one.curl.0.stdout.take().unwrap().read_to_string(&mut status).unwrap();
            statuses.push(status);
        }
    }
    (grown, statuses)
}

#[test]
fn pushes_held_open_take_no_more_memory_than_there_is_for_bodies() {
    let house = House::start().serve("", &["--bodies", "32"]);
    let admin = house.administrator();
    // The credential is remembered from here on.
    assert_eq!(house.request(&admin, "GET", "/admin/v1/tenants/demo/whoami", None, &[]).status, 200);
    let (grown, answered) = flooded(&house, &admin, 20);
    assert!(grown < 130 * MIB, "20 pushes of 12 MiB took {} MiB: the bound for bodies is 32", grown / MIB);
    assert!(answered.iter().any(|status| status == "503"), "nobody was turned away: {answered:?}");
    // What was held is given back.
    let push = json!({"files": {"project.yaml": format!("project: x\n#{}", "x".repeat(8 << 20))}}).to_string();
    let path = "/admin/v1/tenants/demo/projects/x/versions";
    let taken = || house.request(&admin, "POST", path, Some(&push), &[]).status != 503;
    wait_until("a large push is read again", Duration::from_secs(30), taken);
}

#[test]
fn who_may_push_nothing_has_no_body_read() {
    let house = House::start();
    house.user("eve", &[]);
    let key = house.cli_json(&["user", "key", "add", "eve"])["key"].as_str().unwrap().to_owned();
    let (grown, answered) = flooded(&house, &format!("Bearer {key}"), 30);
    assert!(grown < 150 * MIB, "30 pushes of 12 MiB by a stranger took {} MiB", grown / MIB);
    assert_eq!(answered.len(), 30, "{answered:?}");
    assert!(answered.iter().all(|status| status == "404"), "{answered:?}");
}
