//! Tables: a CSV text of ten columns read in pieces of 64 KiB, one record at a time and in batches,
//! beside the crate `csv` reading the same; and written.

#![expect(clippy::unwrap_used, reason = "a panic is how a bench fails")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lockgate_document::{CsvReader, CsvWriter, Document, RecordReader, csv::Dialect};
use lockgate_model::Limits;

const RECORDS: usize = 200_000;
const PIECE: usize = 64 << 10;

fn table() -> String {
    let mut text = "id,name,street,town,country,phone,total,at,note,state\r\n".to_owned();
    for n in 0..RECORDS {
        let line = format!(
            "{n},Customer {n},{} Long Street,\"Town, upper\",NL,+31 20 {n:07},{}.{:02},2026-11-22T10:00:00Z,\"says \"\"hi\"\"\",open\r\n",
            n % 100,
            n * 7,
            n % 100
        );
        text.push_str(&line);
    }
    text
}

fn records(text: &str, dialect: &Dialect, mut read: impl FnMut(&mut CsvReader) -> usize) -> usize {
    let mut reader = CsvReader::new(dialect, &Limits::default());
    let mut count = 0;
    for piece in text.as_bytes().chunks(PIECE) {
        reader.push(piece);
        count += read(&mut reader);
    }
    reader.end();
    count + read(&mut reader)
}

fn one_by_one(reader: &mut CsvReader) -> usize {
    let mut count = 0;
    while let Some(record) = reader.next().unwrap() {
        count += record.root().len() / 10;
    }
    count
}
fn batches(reader: &mut CsvReader) -> usize {
    let mut count = 0;
    while let Some(batch) = reader.batch(1_000).unwrap() {
        count += batch.root().len();
    }
    count
}

fn csv(c: &mut Criterion) {
    let text = table();
    let options = Document::parse(br#"{"numbers":["id","total"]}"#, &Limits::default()).unwrap();
    let numbers = Dialect::read(options.root()).unwrap();
    let mut group = c.benchmark_group("csv");
    group.sample_size(10).throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("records one by one", |b| {
        b.iter(|| assert_eq!(records(&text, &Dialect::default(), one_by_one), RECORDS))
    });
    group.bench_function("records in batches", |b| {
        b.iter(|| assert_eq!(records(&text, &Dialect::default(), batches), RECORDS))
    });
    group.bench_function("records in batches, two columns of numbers", |b| {
        b.iter(|| assert_eq!(records(&text, &numbers, batches), RECORDS))
    });
    group.bench_function("peer: texts of one record after the other", |b| {
        b.iter(|| {
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            let mut record = ::csv::StringRecord::new();
            let mut count = 0;
            while reader.read_record(&mut record).unwrap() {
                count += record.len() / 10;
            }
            assert_eq!(count, RECORDS);
        })
    });
    let mut reader = CsvReader::new(&Dialect::default(), &Limits::default());
    reader.push(text.as_bytes());
    let batch = reader.batch(1_000).unwrap().unwrap();
    let mut out = Vec::new();
    group.throughput(Throughput::Bytes((text.len() / (RECORDS / 1_000)) as u64));
    group.bench_function("written from a batch", |b| {
        b.iter(|| {
            out.clear();
            CsvWriter::new(Dialect::default(), None).write(batch.root(), &mut out).unwrap();
        })
    });
    group.finish();
}

criterion_group!(benches, csv);
criterion_main!(benches);
