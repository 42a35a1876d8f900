//! What streams in becomes rows: all of it or nothing, in flat memory, and names are only names.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::stream;
use lockgate_connector_api::{Body, Call, Error, Kind};
use serde_json::{Value, json};

use super::{Account, Database, call_of, read};
use crate::contract::tells_nothing;

/// A call that loads what streams in.
pub fn load(input: &Value, body: Body) -> Call {
    Call { body: Some(body), ..call_of("load", input) }
}

/// A body that comes in these pieces.
pub fn pieces(list: Vec<Result<&'static str, Error>>) -> Body {
    Body::new(stream::iter(list.into_iter().map(|piece| piece.map(|text| Bytes::from_static(text.as_bytes())))))
}

async fn loaded(account: &Account, input: &Value, body: Body) -> Result<Value, Error> {
    Ok(read(&account.invoke(load(input, body)).await?.output))
}

/// Lines become rows, however they come.
pub async fn lines_become_rows<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    account.execute("create table loaded (id int primary key, name varchar(20), amount decimal(20, 5))").await;
    let input = json!({"table": "loaded", "columns": ["id", "name", "amount"]});
    // Pieces end anywhere, and an empty one is not the end.
    let body = pieces(vec![Ok("name,id,amount\na,1"), Ok(""), Ok(",1.5\n\"ä\t\n\\N\",2,"), Ok("\n,3,-0.1\n")]);
    let answer = account.invoke(load(&input, body)).await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    assert_eq!((read(&answer.output), answer.written), (json!({"rows": 3}), 43));
    let rows = account.rows("select id, name from loaded order by id", json!([])).await;
    let names = json!([{"id": 1, "name": "a"}, {"id": 2, "name": "ä\t\n\\N"}, {"id": 3, "name": null}]);
    assert_eq!(rows, names);
    assert_eq!(loaded(&account, &input, Body::full("")).await.unwrap(), json!({"rows": 0}));
    for (members, content) in [
        (json!({"header": false, "delimiter": "semicolon"}), "4;\"NULL\";1\n"),
        (json!({"empty": "text", "columns": ["id", "name"]}), "id,name\n5,\n"),
        (json!({"content": "json-lines"}), "{\"name\": \"e\", \"id\": 6, \"amount\": 12345678901.12345}\n\n"),
    ] {
        let mut input = input.clone();
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        input["body"] = content.into();
        assert_eq!(account.output("load", input).await.unwrap(), json!({"rows": 1}), "{content}");
    }
    let rows = account.rows("select id, name from loaded where id > 3 order by id", json!([])).await;
    assert_eq!(rows, json!([{"id": 4, "name": "NULL"}, {"id": 5, "name": ""}, {"id": 6, "name": "e"}]));
    let sum = account.rows("select amount from loaded where id = 6", json!([])).await;
    assert_eq!(sum[0]["amount"], json!(12_345_678_901.123_45));
    // In another schema, and under names that are no words.
    let odd = json!({"table": "peer.no such table", "columns": ["a`b\"c"], "body": "x\n"});
    tells_nothing(&account.output("load", odd).await.unwrap_err());
}

/// What does not fit undoes all of it, and what breaks off.
pub async fn what_does_not_fit_undoes_all_of_it<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    account.execute("create table unloaded (id int primary key, name varchar(3) not null)").await;
    account.execute("insert into unloaded values (1, 'a')").await;
    let input = json!({"table": "unloaded", "columns": ["id", "name"], "header": false});
    let long: String = (2..5_000).fold(String::new(), |mut lines, n| {
        writeln!(lines, "{n},b").unwrap();
        lines
    });
    for lines in
        ["2,b\n3,long\n4,d\n", "2,b\nx,c\n", "2,b\n1,c\n", "2,b\n3\n", "2,b\n3,\n", "2,b\n3,c,many\n", "2,\"b\n"]
    {
        for lines in [lines.to_owned(), format!("{long}{}", lines.replace("2,", "9999,"))] {
            let error = loaded(&account, &input, Body::full(lines)).await.unwrap_err();
            tells_nothing(&error);
            assert!(matches!(error.kind(), Kind::Rejected | Kind::Conflict | Kind::Input), "{error}");
            assert_eq!(account.value("select count(*) from unloaded", json!([])).await, 1);
        }
    }
    for body in [
        pieces(vec![Ok("5,e\n"), Err(Error::new(Kind::Unreachable, "elsewhere", "the source broke"))]),
        pieces(vec![Ok("5,e\n")]).with_length(Some(5)),
        pieces(vec![Ok("5,e\n")]).with_length(Some(3)),
    ] {
        let error = loaded(&account, &input, body).await.unwrap_err();
        assert!(error.code() == "elsewhere" || error.kind() == Kind::Input, "{error}");
        assert_eq!(account.value("select count(*) from unloaded", json!([])).await, 1);
    }
    account.test().await.unwrap();
    // Names are quoted: nothing in them is SQL.
    for (table, column) in [
        ("unloaded (id, name) from stdin; drop table unloaded; --", "id"),
        ("unloaded", "id) select 1; drop table unloaded; --"),
        ("unloaded\"", "id"),
        ("unloaded`", "id"),
        ("nowhere.unloaded", "id"),
        ("unloaded", "ID'"),
    ] {
        let input = json!({"table": table, "columns": [column], "header": false, "body": "7\n"});
        let error = account.output("load", input).await.unwrap_err();
        tells_nothing(&error);
        assert!(matches!(error.kind(), Kind::Input | Kind::Rejected), "{table}: {error}");
        assert_eq!(account.value("select count(*) from unloaded", json!([])).await, 1);
    }
}

/// A source that stalls is given up at the deadline, and nothing of it is there.
pub async fn a_stream_that_stalls_is_given_up<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    account.execute("create table stalled (id int)").await;
    let input = json!({"table": "stalled", "columns": ["id"]});
    let stalls = stream::iter([Ok(Bytes::from_static(b"id\n1\n2\n"))]);
    let stalls = futures_util::StreamExt::chain(stalls, stream::pending());
    let mut call = load(&input, Body::new(stalls));
    call.deadline = Instant::now() + Duration::from_millis(500);
    assert_eq!(account.invoke(call).await.unwrap_err().kind(), Kind::Timeout);
    assert_eq!(account.value("select count(*) from stalled", json!([])).await, 0);
}

/// Loads so many rows of `id` and a text; gives the bytes that went.
pub async fn many<D: Database>(table: &str, rows: usize) -> Option<u64> {
    let account = Account::shared::<D>()?;
    account.execute(&format!("create table {table} (id int, name varchar(200))")).await;
    let lines = stream::iter((0..rows / 1_000).map(|block| {
        let text: String = (0..1_000).map(|n| format!("{},{}\n", block * 1_000 + n, "x".repeat(90))).collect();
        Ok(Bytes::from(text))
    }));
    let mut call = load(&json!({"table": table, "columns": ["id", "name"], "header": false}), Body::new(lines));
    call.deadline = Instant::now() + Duration::from_secs(300);
    let answer = account.invoke(call).await.unwrap();
    assert_eq!(read(&answer.output), json!({"rows": rows}));
    assert_eq!(account.value(&format!("select count(*) from {table}"), json!([])).await, rows);
    Some(answer.written)
}
