//! Backup while it serves, and restore: the same configuration, nothing shown to a thief, and nothing restored from what
//! is not whole.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
};

use lockgate_testkit::process::program;

use crate::house::{House, ORDER, with_input};

const CANARY: &str = "Zq7-canary-9fA3";
const SECRET: &str = "Hunter2-Very-Secret-Value";

/// The program without a server.
fn alone(arguments: &[&str]) -> Output {
    with_input(Command::new(program()).args(arguments), "")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// An empty data directory with the master key of a house.
fn empty(house: &House, name: &str) -> PathBuf {
    let dir = house.folder().join(name);
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(house.data.join("master.key"), dir.join("master.key")).unwrap();
    dir
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Binds an account with a secret to where nobody listens.
fn bind(house: &House, account: &str, secret: &str) {
    let file = house.folder().join("secret");
    fs::write(&file, secret).unwrap();
    let from = format!("password={}", file.display());
    let ca = house.text("ca_file");
    let address = ["--connector", "https", "--address", "https://127.0.0.1:9/erp", "--ca", &ca];
    let set = ["account", "set", account, "--env", "development"];
    let settings = ["--set", "auth=basic", "--set", "username=lockgate", "--secret", &from];
    house.cli(&[&set[..], &address, &settings].concat());
    fs::remove_file(&file).unwrap();
}

#[test]
fn what_is_restored_is_what_was_backed_up_while_it_served() {
    let house = House::start();
    let admin = house.administrator();
    bind(&house, "ledger", SECRET);
    let archive = house.folder().join("backup");
    let data = text(&house.data);
    // Orders go on meanwhile, and none fails.
    let done = AtomicBool::new(false);
    let backup = std::thread::scope(|scope| {
        let orders = scope.spawn(|| {
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(house.order(&admin, &ORDER.replace("SO-1000009", CANARY)).status, 200);
                sent += 1;
            }
            sent
        });
        let backup = json(&alone(&["--json", "backup", text(&archive), "--data", data]));
        // As long as it takes for some of them.
        std::thread::sleep(std::time::Duration::from_millis(500));
        done.store(true, Ordering::Relaxed);
        assert!(orders.join().unwrap() > 0);
        backup
    });
    let digest = backup["configuration"].as_str().unwrap().to_owned();
    assert!(digest.starts_with("sha256:"), "{backup}");
    assert_eq!(house.cli(&["operator", "configuration", "--data", data]).trim(), digest);
    assert_eq!(fs::metadata(&archive).unwrap().permissions().mode() & 0o777, 0o600);
    // The file is not written over.
    assert_eq!(alone(&["backup", text(&archive), "--data", data]).status.code(), Some(2));

    let kept = fs::read(&archive).unwrap();
    let password = house.text("password");
    for needle in [CANARY, SECRET, &password, "order-to-erp", "SQLite format", "ledger", "PRIVATE KEY"] {
        let needle = needle.as_bytes();
        assert!(!kept.windows(needle.len()).any(|w| w == needle), "{}", String::from_utf8_lossy(needle));
    }

    let restored = empty(&house, "restored");
    let answer = json(&alone(&["--json", "restore", text(&archive), "--data", text(&restored)]));
    assert_eq!(answer["configuration"], digest);
    // Into what is not empty any more nothing is restored, and nothing of it changes.
    let before = fs::read(restored.join("definitions.sqlite")).unwrap();
    let again = alone(&["restore", text(&archive), "--data", text(&restored)]);
    assert!(!again.status.success() && told(&again).contains("is not empty"), "{again:?}");
    assert_eq!(fs::read(restored.join("definitions.sqlite")).unwrap(), before);

    // A server on it: the same user, the same secret, the same log, which goes on in a chain of its own.
    let mut house = house;
    house.data = {
        fs::copy(house.data.join("context.json"), restored.join("context.json")).unwrap();
        restored
    };
    let house = house.serve("", &[]);
    let data = text(&house.data);
    assert_eq!(house.cli(&["operator", "configuration", "--data", data]).trim(), digest);
    assert!(house.cli(&["audit", "verify"]).contains("holds"));
    let told =
        house.cli_as(&house.data.join("context.json"), &["account", "test", "ledger", "--env", "development"], "");
    assert!(!self::told(&told).contains("LG-INTERNAL"), "the secret does not open: {told:?}");
    let restored = house.cli_json(&["audit", "find", "--event", "operator-restore"]);
    assert_eq!(restored.as_array().map(Vec::len), Some(1), "{restored}");
}

#[test]
fn nothing_is_restored_from_what_is_not_whole() {
    let house = House::start();
    let archive = house.folder().join("backup");
    let words = house.folder().join("words");
    fs::write(&words, "correct horse battery staple\n").unwrap();
    let data = text(&house.data);
    assert!(alone(&["backup", text(&archive), "--data", data, "--passphrase-file", text(&words)]).status.success());
    let by_key = house.folder().join("by-key");
    assert!(alone(&["backup", text(&by_key), "--data", data]).status.success());
    let whole = fs::read(&by_key).unwrap();
    let changed = house.folder().join("changed");
    let dir = empty(&house, "restored");
    let restored = |archive: &Path, more: &[&str]| {
        let output = alone(&[&["restore", text(archive), "--data", text(&dir)], more].concat());
        let told = told(&output);
        if !output.status.success() {
            let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
            assert_eq!(left, ["master.key"], "something was left: {told}");
        }
        (output.status.success(), told)
    };
    for at in [0, 3, 17, 19, 30, 90, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&changed, bytes).unwrap();
        let (done, told) = restored(&changed, &[]);
        assert!(!done && told.contains("nothing was restored"), "byte {at}: {told}");
        fs::write(&changed, &whole[..at]).unwrap();
        let (done, told) = restored(&changed, &[]);
        assert!(!done && told.contains("nothing was restored"), "cut after {at}: {told}");
    }
    // What a store that was there left behind would be replayed into the restored one.
    fs::write(dir.join("definitions.sqlite-wal"), "left").unwrap();
    let output = alone(&["restore", text(&by_key), "--data", text(&dir)]);
    assert!(!output.status.success() && told(&output).contains("definitions.sqlite-wal"), "{output:?}");
    fs::remove_file(dir.join("definitions.sqlite-wal")).unwrap();
    // Of a newer version.
    let at = whole.windows(8).position(|w| w == br#"{"form":"#).unwrap();
    let mut newer = whole.clone();
    newer[at + 8] = b'7';
    fs::write(&changed, newer).unwrap();
    let (done, told) = restored(&changed, &[]);
    assert!(!done && told.contains("its form is 7"), "{told}");
    // By another passphrase, by none, by one where there is none; and with another master key.
    let wrong = house.folder().join("wrong");
    fs::write(&wrong, "correct horse battery stable\n").unwrap();
    for (archive, more) in [
        (&archive, &["--passphrase-file", text(&wrong)][..]),
        (&archive, &[]),
        (&by_key, &["--passphrase-file", text(&words)]),
    ] {
        assert!(!restored(archive, more).0, "{more:?}");
    }
    let key = fs::read(dir.join("master.key")).unwrap();
    fs::write(dir.join("master.key"), [7; 32]).unwrap();
    for (archive, more) in [(&by_key, &[][..]), (&archive, &["--passphrase-file", text(&words)])] {
        let (done, told) = restored(archive, more);
        assert!(!done, "{told}");
    }
    fs::remove_file(dir.join("master.key")).unwrap();
    let none = alone(&["restore", text(&by_key), "--data", text(&dir)]);
    assert!(self::told(&none).contains("put the master key"), "{none:?}");
    fs::write(dir.join("master.key"), key).unwrap();
    fs::set_permissions(dir.join("master.key"), fs::Permissions::from_mode(0o600)).unwrap();
    // A passphrase that is easily guessed makes none.
    fs::write(&wrong, "short\n").unwrap();
    let weak = house.folder().join("weak");
    let refused = alone(&["backup", text(&weak), "--data", data, "--passphrase-file", text(&wrong)]);
    assert!(!refused.status.success() && !weak.exists(), "{refused:?}");
    assert!(restored(&archive, &["--passphrase-file", text(&words)]).0);
}

/// The formula of docs/backup.md, in another language.
const DIGEST: &str = r#"
import hashlib, sqlite3, sys
def digest(*parts):
    return hashlib.sha256(b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()
def number(n):
    return n.to_bytes(8, "big")
def chained(name, digests):
    whole = hashlib.sha256(name).digest()
    for one in digests:
        whole = digest(whole, one)
    return whole
db = sqlite3.connect(sys.argv[1])
def of(tenant, revision):
    yield digest(b"revision", number(revision))
    for kind, id, at, body in db.execute("""SELECT kind, id, revision, body FROM definitions AS newest
            WHERE tenant = ? AND NOT deleted AND revision = (SELECT max(revision) FROM definitions
                WHERE tenant = newest.tenant AND kind = newest.kind AND id = newest.id)
            ORDER BY kind, id""", [tenant]):
        yield digest(b"row", kind.encode(), id.encode(), number(at), body.encode())
    for source, name, compiler, abi, module in db.execute("""SELECT source, orchestration, compiler, abi, module
            FROM modules WHERE tenant = ? ORDER BY source, orchestration, compiler, abi""", [tenant]):
        yield digest(b"module", source, name.encode(), compiler.encode(), number(abi), module)
    for key, content in db.execute("SELECT digest, bytes FROM blobs WHERE tenant = ? ORDER BY digest", [tenant]):
        assert hashlib.sha256(content).digest() == key
        yield digest(b"bytes", key)
tenants = db.execute("SELECT tenant, revision FROM tenants ORDER BY tenant").fetchall()
whole = chained(b"lockgate configuration v1", (chained(t.encode(), of(t, r)) for t, r in tenants))
print("sha256:" + whole.hex())
"#;

#[test]
fn the_digest_of_the_configuration_is_what_its_page_says() {
    let page = fs::read_to_string(lockgate_testkit::workspace_root().join("docs/backup.md")).unwrap();
    assert!(page.contains(DIGEST.trim()), "docs/backup.md shows another program than the one that is run here");
    let house = House::start();
    let shown = house.cli(&["operator", "configuration", "--data", text(&house.data)]);
    let output = Command::new("python3").args(["-c", DIGEST]).arg(house.data.join("definitions.sqlite")).output();
    assert_eq!(told(&output.unwrap()).trim(), shown.trim());
}

#[test]
fn a_directory_that_nobody_serves_is_backed_up_too() {
    let house = House::start();
    let archive = house.folder().join("backup");
    let House { data, .. } = &house;
    let data = data.clone();
    let digest = house.cli(&["operator", "configuration", "--data", text(&data)]);
    let folder = house.folder().to_owned();
    let dir = empty(&house, "restored");
    let kept = house.end();
    let backup = json(&alone(&["--json", "backup", text(&archive), "--data", text(&data)]));
    assert_eq!(backup["configuration"], digest.trim());
    let answer = json(&alone(&["--json", "restore", text(&archive), "--data", text(&dir)]));
    assert_eq!(answer["configuration"], digest.trim());
    // Where there is nothing, nothing is made.
    let nowhere = folder.join("nowhere");
    let other = folder.join("other");
    assert_eq!(alone(&["backup", text(&other), "--data", text(&nowhere)]).status.code(), Some(2));
    assert!(!nowhere.exists() && !other.exists());
    drop(kept);
}

#[test]
fn a_large_store_goes_by_in_little_memory() {
    let house = House::start();
    // 300 MiB of bundles that nobody deploys.
    let fill = "\
import hashlib, os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30)
for _ in range(75):
    content = os.urandom(4 << 20)
    db.execute('INSERT INTO blobs (tenant, digest, bytes) VALUES (?, ?, ?)', ('demo', hashlib.sha256(content).digest(), content))
    db.commit()
";
    let output =
        Command::new("python3").args(["-c", fill]).arg(house.data.join("definitions.sqlite")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let archive = house.folder().join("backup");
    let before = house.process.peak_rss_bytes();
    let backup = json(&alone(&["--json", "backup", text(&archive), "--data", text(&house.data)]));
    assert!(backup["bytes"].as_u64().unwrap() > 300 << 20, "{backup}");
    // The kernel counts in steps, so that it may tell a little less than before.
    let grown = house.process.peak_rss_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "the server grew by {} MiB", grown >> 20);
    let dir = empty(&house, "restored");
    // The largest resident set of the command, in KiB.
    let output = Command::new("python3")
        .args(["-c", "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"])
        .arg(program())
        .args(["restore", text(&archive), "--data", text(&dir)])
        .output()
        .unwrap();
    let peak: u64 = told(&output).lines().last().unwrap().parse().unwrap_or_else(|e| panic!("{e}: {output:?}"));
    assert!(peak < 200 << 10, "restoring took {} MiB", peak >> 10);
}
