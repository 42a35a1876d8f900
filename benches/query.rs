//! Rows of a PostgreSQL database over TLS: 200,000 of them written as CSV, beside `psql --csv`
//! writing the same rows; the stream of records alone; and one row by its key, a call of one round
//! trip.

use std::process::{Command, Stdio};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::StreamExt as _;
use lockgate_connector_api::Streamed;
use lockgate_document::{CsvWriter, csv::Dialect};
use lockgate_testkit::{Pki, contract::CANARY};

use sql::Account;

mod sql;

const ROWS: u64 = 200_000;
const SQL: &str = "select id, name, total, at, even from bench";

/// All rows; their CSV, a batch at a time, when asked for. Bytes written.
async fn rows(account: &Account, csv: bool) -> usize {
    let Some(Streamed::Records(mut records)) = account.call("query", SQL, Vec::new(), true).await else {
        panic!("no records")
    };
    let mut csv = csv.then(|| CsvWriter::new(Dialect::default(), None));
    let (mut rows, mut bytes, mut written) = (0, 0, Vec::new());
    while let Some(batch) = records.next().await {
        let batch = batch.unwrap();
        rows += batch.root().len() as u64;
        if let Some(csv) = &mut csv {
            csv.write(batch.root(), &mut written).unwrap();
            bytes += written.len();
            written.clear();
        }
    }
    assert_eq!(rows, ROWS);
    bytes
}

fn query(c: &mut Criterion) {
    let pki = Pki::new();
    let Some(server) = lockgate_testkit::Postgres::start(&pki) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let account = Account::open(&pki, server.port());
    let table = format!(
        "create table bench as select n as id, 'customer ' || n as name, (n * 1.25)::numeric(12, 2) as total, \
         timestamptz '2026-11-01' + n * interval '1 minute' as at, n % 2 = 0 as even from generate_series(1, {ROWS}) as n"
    );
    runtime.block_on(account.call("execute", &table, Vec::new(), false));
    runtime.block_on(account.call("execute", "alter table bench add primary key (id)", Vec::new(), false));

    let mut group = c.benchmark_group("rows");
    group.sample_size(10).throughput(Throughput::Elements(ROWS));
    group.bench_function("stream to CSV", |b| b.iter(|| runtime.block_on(rows(&account, true))));
    group.bench_function("stream of records alone", |b| b.iter(|| runtime.block_on(rows(&account, false))));
    let folder = lockgate_testkit::temp_dir();
    let ca = folder.path().join("ca.crt");
    std::fs::write(&ca, pki.ca_pem()).unwrap();
    let address =
        format!("postgres://app@localhost:{}/peer?sslmode=verify-full&sslrootcert={}", server.port(), ca.display());
    group.bench_function("psql --csv", |b| {
        b.iter(|| {
            let mut psql = Command::new("psql");
            psql.args(["--no-psqlrc", "--csv", "-c", SQL]).arg(&address).env("PGPASSWORD", CANARY);
            assert!(psql.stdout(Stdio::null()).status().unwrap().success());
        });
    });
    group.finish();
    c.bench_function("one row by its key", |b| {
        b.iter(|| runtime.block_on(account.call("query", "select * from bench where id = $1", vec![77.into()], false)));
    });
}

criterion_group!(benches, query);
criterion_main!(benches);
