//! What streams in becomes rows, and rows stream out as a file.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lockgate_connector_api::{Body, Call, Kind, Streamed};
use lockgate_testkit::contract::{
    sql::{loads, streams},
    tells_nothing,
};
use serde_json::{Value, json};

use crate::account::{Account, Tested, app, call_of, text};

/// In and out, in one process.
#[test]
fn a_million_rows_go_in_and_out_in_flat_memory() {
    streams::takes_flat_memory("loads::a_million_rows_go_in_and_out_in_flat_memory", async || {
        let begun = Instant::now();
        let written = loads::many::<Tested>("large", 1_000_000).await?;
        let took = begun.elapsed().as_secs_f64();
        let input = json!({"table": "large", "columns": ["id", "name"], "header": false});
        let mut bytes = unloaded(&app()?, &input).await;
        let mut read = 0;
        while let Some(piece) = bytes.next().await {
            read += piece.unwrap().len() as u64;
        }
        assert_eq!(read, written);
        Some(format!("1000000 rows, {written} bytes, in ({took:.1} s) and out"))
    });
}

async fn unloaded(account: &Account, input: &Value) -> Body {
    let deadline = Instant::now() + Duration::from_secs(300);
    let call = Call { stream: true, deadline, ..call_of("unload", input) };
    let answer = account.invoke(call).await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    let Some(Streamed::Bytes(body)) = answer.stream else { panic!("no bytes") };
    body
}

/// What is unloaded, and what a query streams, is what a load takes, of every kind of type.
#[tokio::test]
async fn values_come_back_as_they_were() {
    let Some(account) = app() else { return };
    account.execute("create type colour as enum ('red', 'dark, blue')").await;
    account.execute("create domain small as int check (value < 10)").await;
    for table in ["kinds", "kinds_of_records", "kinds_of_csv"] {
        let columns = "id int, is_so bool, big int8, n numeric, d float8, b bytea, at timestamptz, day date, span interval, j jsonb, \
                       e colour, list text[], grid int[], s small, u uuid, t text, r int4range, z timetz";
        account.execute(&format!("create table {table} ({columns})")).await;
    }
    account
        .execute(
            r#"insert into kinds values
             (1, true, 9223372036854775807, 12345678901234567890.0123456789, 'NaN', '\x00ff0a09', 'infinity', '0044-03-15 BC',
              '-1 year 2 days 03:04:05.6', '{"a": [1.50, null]}', 'dark, blue', array['a,b', null, '"\'], '{{1,2},{3,null}}', 7,
              '0189c7d4-1f3b-7000-8000-000000000001', E'x\t\n\\N', '[1,5)', '08:30:00.5+05:30'),
             (2, false, 0, 'NaN', '-0', '', '2026-11-22 08:30:00.123456+02', '12026-01-01', '0', '"text"', 'red', '{}', '{}', 0,
              null, '', 'empty', '00:00:00Z'),
             (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)"#,
        )
        .await;
    let columns = json!([
        "id", "is_so", "big", "n", "d", "b", "at", "day", "span", "j", "e", "list", "grid", "s", "u", "t", "r", "z"
    ]);
    let csv = unloaded(&account, &json!({"table": "kinds", "columns": columns})).await;
    let call = loads::load(&json!({"table": "kinds_of_csv", "columns": columns}), csv);
    account.invoke(call).await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    let all = |table: &str| crate::account::call("query", &format!("select * from {table} order by id"), json!([]));
    let expected = text(&account.invoke(all("kinds")).await.unwrap().output);
    let rows = expected.strip_prefix(r#"{"rows":["#).unwrap().split_once(r#"],"columns""#).unwrap().0;
    let lines = rows.replace("},{\"id\"", "}\n{\"id\"");
    let input = json!({"table": "kinds_of_records", "columns": columns, "content": "json-lines"});
    account
        .invoke(loads::load(&input, Body::full(lines)))
        .await
        .unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    for table in ["kinds_of_records", "kinds_of_csv"] {
        assert_eq!(text(&account.invoke(all(table)).await.unwrap().output), expected, "{table}");
    }
    // Bytes in base64, as a document and a file of records have them.
    let one = json!({"table": "kinds", "columns": ["id", "b"], "body": "id,b\n4,AP8=\n"});
    account.output("load", one).await.unwrap();
    assert_eq!(account.value("select b from kinds where id = 4", json!([])).await, "AP8=");
    for b in ["AP8", "x00ff"] {
        let one = json!({"table": "kinds", "columns": ["id", "b"], "body": format!("id,b\n5,{b}\n")});
        assert_eq!(account.output("load", one).await.unwrap_err().kind(), Kind::Input, "{b}");
    }
}

#[tokio::test]
async fn a_table_comes_out_as_a_file() {
    let Some(account) = app() else { return };
    account.execute("create table out_of (id int, \"the name\" text)").await;
    account.execute("insert into out_of values (1, 'a,b'), (2, null), (3, '')").await;
    account.execute("create view seen_out_of as select * from out_of where id > 1").await;
    for (input, body) in [
        (json!({"table": "out_of", "columns": ["id", "the name"]}), "id,the name\n1,\"a,b\"\n2,\n3,\"\"\n"),
        (json!({"table": "peer.out_of", "columns": ["id"]}), ""),
        (json!({"table": "public.out_of", "columns": ["id"], "header": false}), "1\n2\n3\n"),
        (
            json!({"table": "seen_out_of", "columns": ["the name", "id"], "delimiter": "tab"}),
            "the name\tid\n\t2\n\"\"\t3\n",
        ),
    ] {
        match account.output("unload", input.clone()).await {
            Ok(output) => assert_eq!(output, json!({"body": body}), "{input}"),
            Err(error) => assert!(body.is_empty() && error.kind() == Kind::Rejected, "{input}: {error}"),
        }
    }
    for input in [
        json!({"table": "out_of"}),
        json!({"table": "out_of", "columns": []}),
        json!({"table": "out_of", "columns": ["id"], "sql": "x"}),
        json!({"table": "out_of", "columns": ["id"], "delimiter": "'"}),
    ] {
        let error = account.output("unload", input.clone()).await.unwrap_err();
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Input, "{input}");
    }
    let mut call = call_of("unload", &json!({"table": "out_of", "columns": ["id"]}));
    call.limits.reply_bytes_max = 3;
    assert_eq!(account.invoke(call).await.unwrap_err().kind(), Kind::TooLarge);
    account.test().await.unwrap();
}
