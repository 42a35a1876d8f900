//! A million rows on their way: the answer of a query as CSV to a server of files, in one stream, and a file
//! of CSV into a table. Beside it what people write down in a script: `psql` and `\copy` into a file, which
//! OpenSSH's `sftp` then sends (it takes no pipe), and `\copy … from` that file. Every connection is
//! encrypted and the server proven.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a bench fails by a panic")]
#![allow(dead_code, reason = "a part of what the tests and other benches use")]

#[path = "../connectors/sftp/tests/sftp/account.rs"]
mod account;
mod files;
mod sql;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Body, Call, Records, Streamed};
use lockgate_document::{CsvWriter, Document, Value, csv::Dialect};
use lockgate_testkit::{
    Pki, Postgres,
    contract::{
        CANARY,
        files::{Account as Files, Kind as _, Server as _},
    },
    process::peak_rss_bytes,
    ssh_peer::Openssh,
    temp_dir,
};

use account::{KEYS, Kind};
use sql::Account;

const ROWS: u64 = 1_000_000;
const ROUNDS: usize = 5;
const COLUMNS: [&str; 5] = ["id", "name", "total", "at", "even"];
const QUERY: &str = "select id, name, total, at, even from bench";

/// Records as a run writes them before a call that takes bytes.
fn as_csv(mut records: Records) -> Body {
    let mut csv = CsvWriter::new(Dialect::default(), records.fields().map(<[String]>::to_vec));
    let pieces = stream::poll_fn(move |cx| {
        records.poll_next_unpin(cx).map(|batch| {
            batch.map(|batch| {
                let mut out = Vec::new();
                csv.write(batch?.root(), &mut out).unwrap();
                Ok(out.into())
            })
        })
    });
    Body::new(pieces)
}

async fn put(files: &Files, body: Body) -> u64 {
    let input = Document::object([("path", "ours.csv".into()), ("exists", "replace".into())]);
    files.invoke(Call { body: Some(body), ..Call::new("put", input, files::deadline()) }).await.unwrap().written
}

async fn query_to_file(database: &Account, files: &Files) -> Duration {
    let begun = Instant::now();
    let Some(Streamed::Records(records)) = database.call("query", QUERY, Vec::new(), true).await else {
        panic!("no records")
    };
    put(files, as_csv(records)).await;
    begun.elapsed()
}

async fn unload_to_file(database: &Account, files: &Files) -> Duration {
    let begun = Instant::now();
    let stream = database.invoke("unload", table("bench"), None, true).await.stream.unwrap();
    put(files, stream.bytes().unwrap()).await;
    begun.elapsed()
}

async fn file_to_table(database: &Account, file: &Path) -> Duration {
    let begun = Instant::now();
    let loaded = database.invoke("load", table("loaded"), Some(files::contents(file)), false).await;
    assert_eq!(loaded.output.root().get("rows").as_i64(), Some(ROWS as i64));
    begun.elapsed()
}

fn table(name: &str) -> Document {
    let columns = COLUMNS.into_iter().map(Value::from).collect();
    Document::object([("table", name.into()), ("columns", Value::Array(columns))])
}

/// What people use.
struct Script {
    /// Where the database is, with the proof of its identity.
    database: String,
    ssh_port: u16,
}

impl Script {
    fn psql(&self, command: &str) {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--quiet", "-c", command]).arg(&self.database).env("PGPASSWORD", CANARY);
        assert!(psql.stdout(Stdio::null()).status().unwrap().success(), "{command}");
    }

    fn query_to_file(&self, folder: &Path) -> Duration {
        let (file, batch) = (folder.join("theirs.csv"), folder.join("batch"));
        fs::write(&batch, format!("put -f {}", file.display())).unwrap();
        let begun = Instant::now();
        self.psql(&format!("\\copy ({QUERY}) to '{}' with (format csv, header)", file.display()));
        let status = Command::new("sftp")
            .args(["-q", "-c", "aes256-gcm@openssh.com", "-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null", "-P", &self.ssh_port.to_string(), "-i"])
            .arg(KEYS.file("user_plain"))
            .arg("-b")
            .arg(&batch)
            .arg(format!("{}@127.0.0.1", Openssh::user()))
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        begun.elapsed()
    }

    fn file_to_table(&self, file: &Path) -> Duration {
        let begun = Instant::now();
        self.psql(&format!("\\copy loaded from '{}' with (format csv, header)", file.display()));
        begun.elapsed()
    }
}

fn main() {
    let pki = Pki::new();
    let (Some(postgres), Some(openssh)) = (Postgres::start(&pki), Kind::Openssh.start()) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (database, files) = (Account::open(&pki, postgres.port()), Kind::Openssh.on(&openssh));
    let folder = temp_dir();
    let ca = folder.path().join("ca.crt");
    fs::write(&ca, pki.ca_pem()).unwrap();
    let address =
        format!("postgres://app@localhost:{}/peer?sslmode=verify-full&sslrootcert={}", postgres.port(), ca.display());
    let script = Script { database: address, ssh_port: openssh.port() };
    let run = |sql: &str| drop(runtime.block_on(database.call("execute", sql, Vec::new(), false)));
    run(&format!(
        "create table bench as select n as id, 'customer ' || n as name, (n * 1.25)::numeric(12, 2) as total, \
         timestamptz '2026-11-01' + n * interval '1 minute' as at, n % 2 = 0 as even from generate_series(1, {ROWS}) as n"
    ));
    run("create table loaded as select * from bench limit 0");
    let from = folder.path().join("theirs.csv");
    let mut best = [[Duration::MAX; 3], [Duration::MAX; 3]];
    for round in 1..=ROUNDS {
        let emptied = || run("truncate table loaded");
        let theirs_out = script.query_to_file(folder.path());
        let ours_out = runtime.block_on(query_to_file(&database, &files));
        let ours_unloaded = runtime.block_on(unload_to_file(&database, &files));
        emptied();
        let theirs_in = script.file_to_table(&from);
        emptied();
        let ours_in = runtime.block_on(file_to_table(&database, &from));
        println!(
            "round {round}: query to file {ours_out:.2?}, unload to file {ours_unloaded:.2?}, script {theirs_out:.2?}; \
             file to table {ours_in:.2?}, script {theirs_in:.2?}"
        );
        let rounds = [[ours_out, ours_unloaded, ours_in], [theirs_out, theirs_out, theirs_in]];
        for (best, one) in best.iter_mut().flatten().zip(rounds.into_iter().flatten()) {
            *best = one.min(*best);
        }
    }
    for (place, what) in ["query to CSV to SFTP", "unload to SFTP", "CSV to table"].into_iter().enumerate() {
        let [ours, theirs] = [best[0][place], best[1][place]];
        println!(
            "{what}, {ROWS} rows: connectors {ours:.2?}, script {theirs:.2?}, ratio {:.2}",
            theirs.as_secs_f64() / ours.as_secs_f64()
        );
    }
    let bytes = fs::metadata(&from).unwrap().len() >> 20;
    let resident = peak_rss_bytes(std::process::id()) as f64 / f64::from(1 << 20);
    println!("{bytes} MiB of CSV; most memory of this process throughout: {resident:.1} MiB");
}
