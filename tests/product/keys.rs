//! Keys that are rotated while orders run, kept elsewhere, and secrets that are put back.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use lockgate_testkit::{OpenBao, process::program};
use serde_json::Value;

use crate::house::{House, ORDER, with_input};

const ACCOUNTS: usize = 12;

/// Binds accounts with secrets to where nobody listens.
fn bind(house: &House, names: &[String]) {
    bind_with(house, names, "Hunter2-Very-Secret-Value");
}

fn bind_with(house: &House, names: &[String], secret: &str) {
    let file = house.folder().join("secret");
    fs::write(&file, secret).unwrap();
    let (from, ca) = (format!("password={}", file.display()), house.text("ca_file"));
    for name in names {
        let address = ["--connector", "https", "--address", "https://127.0.0.1:9/erp", "--ca", &ca];
        let set = ["account", "set", name, "--env", "development", "--set", "auth=basic"];
        house.cli(&[&set[..], &address, &["--set", "username=lockgate", "--secret", &from]].concat());
    }
    fs::remove_file(&file).unwrap();
}

fn accounts() -> Vec<String> {
    (0..ACCOUNTS).map(|n| format!("crm{n}")).collect()
}

fn tested(house: &House, account: &str) -> String {
    let context = house.data.join("context.json");
    let output = house.cli_as(&context, &["--json", "account", "test", account, "--env", "development"], "");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Each account comes as far as its address, which nobody allowed: its secret was opened.
fn all_open(house: &House, names: &[String]) {
    for name in names {
        let told = tested(house, name);
        assert!(told.contains("\"egress\""), "{name}: {told}");
    }
}

fn keys(house: &House, verb: &[&str]) -> Value {
    house.cli_json(&[&["operator", "keys"][..], verb, &["--data", house.data.to_str().unwrap()]].concat())
}

#[test]
fn a_rotation_under_load_fails_no_run_and_leaves_no_secret_under_the_old_key() {
    let house = House::start();
    let admin = house.administrator();
    bind(&house, &accounts());
    let before = fs::read(house.data.join("master.key")).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut sent = 0;
                    while !done.load(Ordering::Relaxed) {
                        let reply = house.order(&admin, ORDER);
                        assert_eq!(reply.status, 200, "{reply:?}");
                        sent += 1;
                    }
                    sent
                })
            })
            .collect();
        for expected in 1..=3u64 {
            let rotated = keys(&house, &["rotate"]);
            assert_eq!(rotated["current"], expected, "{rotated}");
            assert!(rotated["resealed"].as_u64().unwrap() >= ACCOUNTS as u64, "{rotated}");
            assert_eq!(rotated["kept"], serde_json::json!([expected]), "{rotated}");
        }
        done.store(true, Ordering::Relaxed);
        assert!(senders.into_iter().map(|sender| sender.join().unwrap()).sum::<u32>() > 3);
    });
    let shown = keys(&house, &["show"]);
    assert_eq!(shown["current"], 3);
    assert_eq!(shown["sealed"].as_object().unwrap().keys().collect::<Vec<_>>(), ["3"], "{shown}");
    assert_ne!(fs::read(house.data.join("master.key")).unwrap(), before);
    assert!(house.cli(&["audit", "verify"]).contains("holds"));
    let house = house.serve("", &[]);
    all_open(&house, &accounts());
}

#[test]
fn a_server_that_is_killed_in_a_rotation_opens_every_secret() {
    let mut house = House::start();
    bind(&house, &accounts());
    for delay in [0, 30, 60, 90, 110, 120, 130, 140, 150, 170, 200] {
        let data = house.data.clone();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut command = Command::new(program());
                with_input(command.args(["operator", "keys", "rotate", "--data"]).arg(&data), "")
            });
            std::thread::sleep(Duration::from_millis(delay));
            house.process.0.kill().unwrap();
            house.process.0.wait().unwrap();
        });
        house = house.serve("", &[]);
        all_open(&house, &accounts());
    }
    // The next one does what was left.
    let rotated = keys(&house, &["rotate"]);
    assert_eq!(rotated["kept"], serde_json::json!([rotated["current"]]), "{rotated}");
    all_open(&house, &accounts());
}

/// Whoever can write the database kept a sealed secret from before, and puts it back where another was set since.
#[test]
fn a_sealed_secret_that_is_put_back_opens_nowhere() {
    let house = House::start();
    let sql = |house: &House, program: &str| {
        let mut python = Command::new("python3");
        python.arg("-c").arg(format!("import sqlite3, sys, pathlib\ndb = sqlite3.connect(sys.argv[1])\nkept = pathlib.Path(sys.argv[2])\n{program}"));
        let output =
            python.arg(house.data.join("definitions.sqlite")).arg(house.folder().join("kept")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let row = "WHERE kind = 'secret' AND id = 'development/crm0/password' AND body IS NOT NULL";
    bind(&house, &accounts()[..1]);
    sql(&house, &format!("kept.write_text(db.execute(\"SELECT body FROM definitions {row}\").fetchone()[0])"));
    // The same one would change nothing.
    bind_with(&house, &accounts()[..1], "Hunter3-Very-Secret-Value");
    let house = house.serve("", &[]);
    all_open(&house, &accounts()[..1]);
    sql(&house, &format!("db.execute(\"UPDATE definitions SET body = ? {row}\", [kept.read_text()])\ndb.commit()"));
    let house = house.serve("", &[]);
    let told = tested(&house, "crm0");
    assert!(told.contains("LG-INTERNAL"), "{told}");
    // A rotation does not make it one that opens.
    keys(&house, &["rotate"]);
    let told = tested(&house, "crm0");
    assert!(told.contains("LG-INTERNAL"), "{told}");
}

#[test]
fn a_master_key_in_the_environment_is_not_in_the_directory() {
    const KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
    let house = House::start();
    bind(&house, &accounts()[..1]);
    let context = house.data.join("context.json");
    let data = house.data.to_str().unwrap().to_owned();
    let mut rotate = Command::new(program());
    rotate.env("LOCKGATE_MASTER_KEY", KEY);
    let output = with_input(rotate.args(["operator", "keys", "rotate", "--master-key", "env", "--data", &data]), "");
    assert!(output.status.success(), "{output:?}");
    assert!(!house.data.join("master.key").exists());
    let found = |folder: &Path| {
        let files = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|path| path.is_file());
        files.filter(|path| fs::read(path).unwrap().windows(KEY.len()).any(|w| w == KEY.as_bytes())).count()
    };
    assert_eq!(found(&house.data), 0);
    let house =
        house.serve(&format!("LOCKGATE_MASTER_KEY={KEY}; export LOCKGATE_MASTER_KEY;"), &["--master-key", "env"]);
    all_open(&house, &accounts()[..1]);
    assert!(context.exists());
    let folder = house.end();
    // Without it, and with another one, nothing starts.
    for key in ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        let mut serve = Command::new(program());
        serve.env("LOCKGATE_MASTER_KEY", key).args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--master-key",
            "env",
            "--data",
        ]);
        let output = with_input(serve.arg(&data), "");
        assert!(!output.status.success(), "{output:?}");
    }
    let output = with_input(Command::new(program()).args(["serve", "--listen", "127.0.0.1:0", "--data", &data]), "");
    assert!(!output.status.success(), "{output:?}");
    drop(folder);
}

#[test]
fn a_key_management_service_keeps_the_master_key() {
    let house = House::start();
    bind(&house, &accounts()[..2]);
    let Some(bao) = OpenBao::start() else { return };
    let data = house.data.to_str().unwrap().to_owned();
    let (url, token, ca) = (bao.key("lockgate"), bao.token_file().to_owned(), bao.ca_file().to_owned());
    let kms = ["--master-key", &url, "--kms-token", &token, "--kms-ca", &ca];
    let rotated = keys(&house, &[&["rotate"][..], &kms].concat());
    assert_eq!(rotated["current"], 1);
    assert!(!house.data.join("master.key").exists());
    let ring = fs::read_to_string(house.data.join("keyring")).unwrap();
    assert!(ring.contains("vault:v1:"), "{ring}");
    let archive = house.folder().join("backup").to_str().unwrap().to_owned();
    house.cli(&["backup", &archive, "--data", &data]);
    let house = house.serve("", &kms);
    all_open(&house, &accounts()[..2]);
    // Restored with nothing but the service.
    let restored = house.folder().join("restored");
    let mut restore = Command::new(program());
    restore.args(["restore", &archive, "--data"]).arg(&restored).args(kms);
    let output = with_input(&mut restore, "");
    assert!(output.status.success(), "{output:?}");
    let folder = house.end();
    let start = |more: &[&str]| {
        let mut serve = Command::new(program());
        let output = with_input(serve.args(["serve", "--listen", "127.0.0.1:0", "--data", &data]).args(more), "");
        assert!(!output.status.success(), "{more:?}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    // By another token, another key, a service that does not prove itself, and none.
    let wrong = folder.path().join("token");
    fs::write(&wrong, "wrong\n").unwrap();
    let told = start(&["--master-key", &url, "--kms-token", wrong.to_str().unwrap(), "--kms-ca", bao.ca_file()]);
    assert!(told.contains("403"), "{told}");
    let other = bao.key("other");
    start(&["--master-key", &other, "--kms-token", bao.token_file(), "--kms-ca", bao.ca_file()]);
    let told = start(&["--master-key", &url, "--kms-token", bao.token_file()]);
    assert!(told.contains("prove its identity"), "{told}");
    let kept = [("service-token", bao.token_file()), ("service-ca", bao.ca_file())].map(|(name, file)| {
        let kept = folder.path().join(name);
        fs::copy(file, &kept).unwrap();
        kept.to_str().unwrap().to_owned()
    });
    drop(bao);
    let told = start(&["--master-key", &url, "--kms-token", &kept[0], "--kms-ca", &kept[1]]);
    assert!(told.contains("cannot reach"), "{told}");
}
