//! What streams in becomes rows: all of it or nothing, in flat memory, and no other file.

use std::{process::Command, time::Instant};

use bytes::Bytes;
use futures_util::stream;
use lockgate_connector_api::{Body, Call, Error, Kind};
use lockgate_testkit::{contract::tells_nothing, process::peak_rss_bytes};
use serde_json::json;

use crate::account::{app, load, loaded};

/// Set in the process whose memory is measured.
const MEASURED: &str = "LOCKGATE_TEST_MYSQL_LOAD";
const MEMORY_BYTES_MAX: u64 = 64 << 20;

fn into(table: &str) -> String {
    format!("load data local infile 'body' into table {table} character set utf8mb4 fields terminated by ','")
}

fn pieces(list: Vec<Result<&'static str, Error>>) -> Body {
    Body::new(stream::iter(list.into_iter().map(|piece| piece.map(|text| Bytes::from_static(text.as_bytes())))))
}

#[tokio::test]
async fn lines_become_rows() {
    let Some(account) = app() else { return };
    account.execute("create table loaded (id int primary key, name varchar(20))").await;
    // Pieces end anywhere, and an empty one is not the end.
    let body = pieces(vec![Ok("1,a"), Ok(""), Ok("\n2,ä😀"), Ok("\n3,c\n")]);
    let call = load(&into("loaded"), body);
    let answer = account.invoke(call).await.unwrap();
    assert_eq!(crate::account::read(&answer.output), json!({"rows": 3}));
    assert_eq!(answer.written, 17);
    let rows = account.rows("select * from loaded order by id", json!([])).await;
    assert_eq!(rows, json!([{"id": 1, "name": "a"}, {"id": 2, "name": "ä😀"}, {"id": 3, "name": "c"}]));
    assert_eq!(loaded(&account, &into("loaded"), Body::full("")).await.unwrap(), json!({"rows": 0}));
    for (member, content) in [("body", "4,d\n"), ("body_base64", "NSxlCg==")] {
        let mut call = load(&into("loaded"), Body::full(""));
        let input = json!({"sql": into("loaded"), member: content}).to_string();
        (call.input, call.body) =
            (lockgate_document::Document::parse(input.as_bytes(), &Default::default()).unwrap(), None);
        assert_eq!(crate::account::read(&account.invoke(call).await.unwrap().output), json!({"rows": 1}));
    }
    assert_eq!(account.value("select group_concat(id order by id) from loaded", json!([])).await, "1,2,3,4,5");
}

/// The server takes most of it for a warning, and would keep the rest.
#[tokio::test]
async fn what_does_not_fit_undoes_all_of_it() {
    let Some(account) = app() else { return };
    account.execute("create table unloaded (id int primary key, name varchar(3) not null)").await;
    account.execute("insert into unloaded values (1, 'a')").await;
    for (lines, told) in [
        ("2,b\n3,long\n4,d\n", "1265"),
        ("2,b\nx,c\n", "1366"),
        ("2,b\n1,c\n", "1062"),
        ("2,b\n3\n", "1261"),
        ("2,b\n3,c,too many\n", "1262"),
        ("2,b\n3,\u{fffd}\n", ""),
    ] {
        let outcome = loaded(&account, &into("unloaded"), Body::full(lines)).await;
        if told.is_empty() {
            assert_eq!(outcome.unwrap(), json!({"rows": 2}));
            continue;
        }
        let error = outcome.unwrap_err();
        tells_nothing(&error);
        assert_eq!((error.kind(), error.code()), (Kind::Rejected, "mysql-load"), "{lines}: {error}");
        assert!(error.private().reveal().contains(&format!("error {told}: ")), "{lines}: {}", error.private().reveal());
        assert_eq!(account.value("select count(*) from unloaded", json!([])).await, 1, "{lines}");
    }
    account.execute("delete from unloaded where id > 1").await;
    // What breaks off is undone with it.
    for body in [
        pieces(vec![Ok("5,e\n"), Err(Error::new(Kind::Unreachable, "elsewhere", "the source broke"))]),
        pieces(vec![Ok("5,e\n")]).with_length(Some(5)),
        pieces(vec![Ok("5,e\n")]).with_length(Some(3)),
    ] {
        let error = loaded(&account, &into("unloaded"), body).await.unwrap_err();
        assert!(matches!(error.code(), "elsewhere" | "mysql-input"), "{error}");
        assert_eq!(account.value("select count(*) from unloaded", json!([])).await, 1);
    }
}

#[tokio::test]
async fn only_what_loads_the_stream_is_run() {
    let Some(account) = app() else { return };
    account.execute("create table kept (id int)").await;
    account.execute("insert into kept values (1)").await;
    for sql in [
        "delete from kept",
        "load data local infile '/etc/passwd' into table kept",
        "load data infile 'body' into table kept",
        "load data local infile 'body' into table no_such_table",
        "load data local infile 'body' into table kept; delete from kept",
        "load data local infile 'body' into table kept (@line) set id = '",
    ] {
        let error = loaded(&account, sql, Body::full("2\n")).await.unwrap_err();
        assert!(matches!(error.kind(), Kind::Input | Kind::Rejected), "{sql}: {error}");
        assert_eq!(account.value("select group_concat(id) from kept", json!([])).await, "1", "{sql}");
    }
    let (text, both) =
        (json!({"sql": into("kept")}), json!({"sql": into("kept"), "body": "2\n", "body_base64": "Mgo="}));
    for input in [
        text,
        both,
        json!({"sql": into("kept"), "body": 2}),
        json!({"sql": into("kept"), "parameters": [1], "body": "2"}),
    ] {
        let input = lockgate_document::Document::parse(input.to_string().as_bytes(), &Default::default()).unwrap();
        let call = Call { body: None, input, ..load("", Body::full("")) };
        assert_eq!(account.invoke(call).await.unwrap_err().kind(), Kind::Input);
    }
}

/// In a process of its own, whose peak of resident memory is this stream's.
#[test]
fn a_large_file_takes_flat_memory() {
    if std::env::var_os(MEASURED).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(measured());
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "loads::a_large_file_takes_flat_memory", "--nocapture"])
        .env(MEASURED, "1")
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&child.stdout));
    assert!(child.status.success(), "{child:?}");
}

async fn measured() {
    const LINES: u64 = 500_000;
    let Some(account) = app() else { return };
    account.execute("create table large (id int, name varchar(200)) engine = myisam").await;
    let lines = stream::iter((0..LINES / 1_000).map(|block| {
        let text: String = (0..1_000).map(|n| format!("{},{}\n", block * 1_000 + n, "x".repeat(190))).collect();
        Ok(Bytes::from(text))
    }));
    let mut call = load(&into("large"), Body::new(lines));
    call.deadline = Instant::now() + std::time::Duration::from_secs(300);
    let begun = Instant::now();
    let answer = account.invoke(call).await.unwrap();
    let peak = peak_rss_bytes(std::process::id());
    println!(
        "{} bytes in {:.1} s, VmHWM {:.1} MiB",
        answer.written,
        begun.elapsed().as_secs_f64(),
        peak as f64 / f64::from(1 << 20)
    );
    assert_eq!(account.value("select count(*) from large", json!([])).await, LINES);
    assert!(peak < MEMORY_BYTES_MAX, "{peak} bytes");
}
