//! Each type, value by value: what goes in comes out, with all its digits.

use lockgate_connector_api::Kind;
use serde_json::json;

use crate::account::{Account, app, call, text};

/// The text of the one value of a query.
async fn value(account: &Account, sql: &str, parameters: serde_json::Value) -> String {
    let answer = account
        .invoke(call("query", sql, parameters))
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}, {}", e.private().reveal()));
    let text = text(&answer.output);
    let (_, rest) = text.split_once(r#"{"rows":[{"v":"#).unwrap_or_else(|| panic!("{text}"));
    rest.split_once(r#"}],"columns""#).unwrap().0.to_owned()
}

async fn type_of(account: &Account, sql: &str) -> String {
    let answer = account.invoke(call("query", sql, json!([]))).await.unwrap();
    crate::account::read(&answer.output)["columns"][0]["type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn columns_keep_their_values() {
    let Some(account) = app() else { return };
    for (at, (of, told, written, read)) in [
        ("tinyint", "tinyint", "-128", "-128"),
        ("tinyint unsigned", "tinyint unsigned", "255", "255"),
        ("boolean", "tinyint", "true", "1"),
        ("smallint", "smallint", "-32768", "-32768"),
        ("smallint unsigned", "smallint unsigned", "65535", "65535"),
        ("mediumint", "mediumint", "-8388608", "-8388608"),
        ("mediumint unsigned", "mediumint unsigned", "16777215", "16777215"),
        ("int", "int", "-2147483648", "-2147483648"),
        ("int unsigned zerofill", "int unsigned", "42", "42"),
        ("bigint", "bigint", "-9223372036854775808", "-9223372036854775808"),
        ("bigint unsigned", "bigint unsigned", "18446744073709551615", "18446744073709551615"),
        ("year", "year", "2026", "2026"),
        (
            "decimal(65,30)",
            "decimal",
            "'12345678901234567890123456789012345.123456789012345678901234567890'",
            "12345678901234567890123456789012345.123456789012345678901234567890",
        ),
        ("decimal(9,2)", "decimal", "-1.5", "-1.50"),
        ("decimal(9,2) zerofill", "decimal", "1.5", "1.50"),
        ("float", "float", "0.1", "0.1"),
        ("float", "float", "3.4e38", "3.4e38"),
        ("double", "double", "0.1", "0.1"),
        ("double", "double", "1.7976931348623157e308", "1.7976931348623157e308"),
        ("double", "double", "1e-300", "1e-300"),
        ("bit(1)", "bit", "b'1'", "1"),
        (
            "bit(64)",
            "bit",
            "b'1111111111111111111111111111111111111111111111111111111111111111'",
            "18446744073709551615",
        ),
        ("bit(9)", "bit", "b'100000001'", "257"),
        ("char(4)", "char", "'a😀'", "\"a😀\""),
        ("varchar(9)", "varchar", "'a\\nb'", "\"a\\nb\""),
        ("varchar(9) character set latin1", "varchar", "'ä'", "\"ä\""),
        ("text", "text", "''", "\"\""),
        ("longtext", "text", "'x'", "\"x\""),
        ("enum('a','b')", "enum", "'b'", "\"b\""),
        ("set('a','b')", "set", "'a,b'", "\"a,b\""),
        ("binary(3)", "binary", "x'00ff'", "\"AP8A\""),
        ("varbinary(9)", "varbinary", "x'00ff'", "\"AP8=\""),
        ("blob", "blob", "x'00ff'", "\"AP8=\""),
        ("json", "json", "'{\"a\": [1.50, 12345678901234567890, null]}'", r#"{"a":[1.50,12345678901234567890,null]}"#),
        ("uuid", "uuid", "'123e4567-e89b-12d3-a456-426655440000'", "\"123e4567-e89b-12d3-a456-426655440000\""),
        ("inet6", "inet6", "'::1'", "\"::1\""),
        ("date", "date", "'2026-11-22'", "\"2026-11-22\""),
        ("date", "date", "'9999-12-31'", "\"9999-12-31\""),
        ("datetime", "datetime", "'2026-11-22 08:30:00'", "\"2026-11-22T08:30:00\""),
        ("datetime(6)", "datetime", "'2026-11-22 08:30:00.000001'", "\"2026-11-22T08:30:00.000001\""),
        ("datetime(6)", "datetime", "'2026-11-22T08:30:00.5'", "\"2026-11-22T08:30:00.5\""),
        ("timestamp(6) null", "timestamp", "'2026-11-22 08:30:00.5'", "\"2026-11-22T08:30:00.5Z\""),
        ("timestamp null", "timestamp", "'2038-01-19 03:14:07'", "\"2038-01-19T03:14:07Z\""),
        ("time", "time", "'-838:59:59'", "\"-838:59:59\""),
        ("time(6)", "time", "'08:30:00.000001'", "\"08:30:00.000001\""),
        ("point", "point", "point(1, 2)", "\"AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==\""),
        ("int", "int", "null", "null"),
        ("json", "json", "null", "null"),
    ]
    .into_iter()
    .enumerate()
    {
        let table = format!("typed_{at}");
        account.execute(&format!("create table {table} (v {of})")).await;
        account.execute(&format!("insert into {table} values ({written})")).await;
        assert_eq!(value(&account, &format!("select v from {table}"), json!([])).await, read, "{of} {written}");
        assert_eq!(type_of(&account, &format!("select v from {table}")).await, told, "{of}");
    }
}

#[tokio::test]
async fn parameters_reach_columns_as_they_are() {
    let Some(account) = app() else { return };
    for (at, (of, written, read)) in [
        ("tinyint(1)", "true", "1"),
        ("bigint", "-9223372036854775808", "-9223372036854775808"),
        ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
        ("bigint unsigned", "\"18446744073709551615\"", "18446744073709551615"),
        (
            "decimal(65,30)",
            "12345678901234567890123456789012345.123456789012345678901234567890",
            "12345678901234567890123456789012345.123456789012345678901234567890",
        ),
        (
            "decimal(40,20)",
            "\"12345678901234567890.12345678901234567890\"",
            "12345678901234567890.12345678901234567890",
        ),
        ("double", "0.1", "0.1"),
        ("double", "1.7976931348623157e308", "1.7976931348623157e308"),
        ("float", "0.1", "0.1"),
        ("varchar(40)", "1.50", "\"1.50\""),
        ("varchar(40)", "true", "\"1\""),
        ("text", "\"a\\u0000b😀\"", "\"a\\u0000b😀\""),
        ("json", "{\"a\": [1.50, null]}", r#"{"a":[1.50,null]}"#),
        ("json", "[]", "[]"),
        ("blob", "\"text\"", "\"dGV4dA==\""),
        ("date", "\"2026-11-22\"", "\"2026-11-22\""),
        ("datetime(6)", "\"2026-11-22T08:30:00.000001\"", "\"2026-11-22T08:30:00.000001\""),
        ("timestamp(6) null", "\"2026-11-22T08:30:00.5\"", "\"2026-11-22T08:30:00.5Z\""),
        ("time(6)", "\"08:30:00.5\"", "\"08:30:00.5\""),
        ("year", "2026", "2026"),
        ("bit(64)", "18446744073709551615", "18446744073709551615"),
        ("uuid", "\"123e4567-e89b-12d3-a456-426655440000\"", "\"123e4567-e89b-12d3-a456-426655440000\""),
        ("int", "null", "null"),
    ]
    .into_iter()
    .enumerate()
    {
        let table = format!("given_{at}");
        account.execute(&format!("create table {table} (v {of})")).await;
        let mut insert = call("execute", &format!("insert into {table} values (?)"), json!([]));
        let input = format!(r#"{{"sql":"insert into {table} values (?)","parameters":[{written}]}}"#);
        insert.input = lockgate_document::Document::parse(input.as_bytes(), &Default::default()).unwrap();
        account.invoke(insert).await.unwrap_or_else(|e| panic!("{of} {written}: {e}, {}", e.private().reveal()));
        assert_eq!(value(&account, &format!("select v from {table}"), json!([])).await, read, "{of} {written}");
    }
}

/// What a query gives of bytes is what writes them, by each operation: `types` says so, or the server.
#[tokio::test]
async fn bytes_go_in_as_they_come_out() {
    let Some(account) = app() else { return };
    for (at, (of, literal)) in [
        ("binary(4)", "x'00ff0027'"),
        ("varbinary(9)", "x'00ff5c0a'"),
        ("tinyblob", "x'fffe'"),
        ("blob", "x'80'"),
        ("mediumblob", "x'e28282'"),
        ("longblob", "''"),
        ("point", "point(1, 2)"),
        ("geometry", "st_geomfromtext('linestring(0 0, 1 1)', 4326)"),
        ("polygon", "st_geomfromtext('polygon((0 0, 1 0, 1 1, 0 0))')"),
    ]
    .into_iter()
    .enumerate()
    {
        let table = format!("bytes_{at}");
        account.execute(&format!("create table {table} (id int, v {of}, n int)")).await;
        account
            .execute(&format!("create procedure {table}_in(a int, b {of}) insert into {table} values (a, b, 0)"))
            .await;
        account.execute(&format!("insert into {table} values (1, {literal}, 0)")).await;
        let given = account.rows(&format!("select v from {table}"), json!([])).await[0]["v"].clone();
        assert!(given.is_string(), "{of}");
        let insert = format!("insert into {table} values (?, ?, ?)");
        let types = json!([null, "bytes"]);
        let input = json!({"sql": insert, "types": types, "parameters": [2, given, 0]});
        account.output("execute", input).await.unwrap_or_else(|e| panic!("{of}: {e}, {}", e.private().reveal()));
        let input = json!({"sql": insert, "types": types, "parameters": [[3, given, 0], [4, given, 0], [5, null, 0]]});
        account.output("batch", input).await.unwrap();
        let steps = json!({"steps": [
            {"name": "old", "sql": format!("select v from {table} where id = ?"), "parameters": [1]},
            {"sql": insert, "types": types, "parameters": [6, null, 0], "take": [{"parameter": 2, "step": "old", "column": "v"}]},
            {"sql": insert, "types": types, "each": [[7, given, 0], [8, given, 0]]},
        ]});
        account.output("transaction", steps).await.unwrap();
        account.output("call", json!({"routine": format!("{table}_in"), "parameters": [9, given]})).await.unwrap();
        let same = format!("select count(*) from {table} where hex(v) = (select hex(v) from {table} where id = 1)");
        assert_eq!(account.value(&same, json!([])).await, 8, "{of}");
        let found = json!({"sql": format!("select id from {table} where hex(v) = hex(?) limit 1"), "types": ["bytes"], "parameters": [given]});
        assert_eq!(account.output("query", found).await.unwrap()["rows"], json!([{"id": 1}]), "{of}");
    }
    account.execute("create table bytes_refused (v blob)").await;
    for (operation, input) in [
        (
            "execute",
            json!({"sql": "insert into bytes_refused values (?)", "types": ["bytes"], "parameters": ["no base64!"]}),
        ),
        ("execute", json!({"sql": "insert into bytes_refused values (?)", "types": ["bytes"], "parameters": [7]})),
        (
            "execute",
            json!({"sql": "insert into bytes_refused values (?)", "types": [null, "bytes"], "parameters": ["AP8="]}),
        ),
        ("execute", json!({"sql": "insert into bytes_refused values (?)", "types": ["blob"], "parameters": ["AP8="]})),
        (
            "batch",
            json!({"sql": "insert into bytes_refused values (?)", "types": ["bytes"], "parameters": [["AP8="], ["AP8"]]}),
        ),
        ("call", json!({"routine": "bytes_3_in", "parameters": [1, "no base64!"]})),
    ] {
        let error = account.output(operation, input.clone()).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Input, "mysql-input"), "{input}");
    }
    assert_eq!(account.value("select count(*) from bytes_refused", json!([])).await, 0);
}

/// A moment goes in as it comes out, and with any offset; a text that looks like one stays the text.
#[tokio::test]
async fn moments_go_in_as_they_come_out() {
    let Some(account) = app() else { return };
    account.execute("create table moments (id int, at timestamp(6) null, said varchar(40))").await;
    account.execute("create procedure moments_in(a int, b timestamp(6)) insert into moments values (a, b, null)").await;
    account.execute("insert into moments values (0, '2026-11-22 08:30:00.000001', null)").await;
    let given = account.rows("select at from moments", json!([])).await[0]["at"].clone();
    assert_eq!(given, json!("2026-11-22T08:30:00.000001Z"));
    let insert = "insert into moments values (?, ?, ?)";
    let types = json!([null, "timestamp"]);
    account.output("execute", json!({"sql": insert, "types": types, "parameters": [1, given, given]})).await.unwrap();
    let lists = json!([[2, given, given], [3, "2026-11-22T10:00:00.000001+01:30", given], [4, null, given]]);
    account.output("batch", json!({"sql": insert, "types": types, "parameters": lists})).await.unwrap();
    let steps = json!([
        {"name": "old", "sql": "select at from moments where id = 0"},
        {"sql": insert, "types": types, "parameters": [5, null, given], "take": [{"parameter": 2, "step": "old", "column": "at"}]},
        {"sql": insert, "types": types, "each": [[6, "2026-11-21T23:30:00.000001-09:00", given]]},
    ]);
    account.output("transaction", json!({"steps": steps})).await.unwrap();
    for (id, at) in
        [(7, &given), (8, &json!("2026-11-22 08:30:00.000001")), (9, &json!("2026-11-22T09:30:00.000001+01:00"))]
    {
        account.output("call", json!({"routine": "moments_in", "parameters": [id, at]})).await.unwrap();
    }
    let rows = account.rows("select id, at, said from moments where id > 0 order by id", json!([])).await;
    for row in rows.as_array().unwrap() {
        let id = row["id"].as_i64().unwrap();
        assert_eq!(row["at"], if id == 4 { json!(null) } else { given.clone() }, "{row}");
        assert_eq!(row["said"], if id < 7 { given.clone() } else { json!(null) }, "{row}");
    }
    assert_eq!(rows.as_array().unwrap().len(), 9);
    let found = json!({"sql": "select count(*) as n from moments where at = ?", "types": ["timestamp"], "parameters": ["2026-11-22T07:30:00.000001-01:00"]});
    assert_eq!(account.output("query", found).await.unwrap()["rows"], json!([{"n": 9}]));
    for wrong in ["2026-11-22T08:30:00", "2026-11-22T08:30:00.1234567Z", "2016-12-31T23:59:60Z", "soon"] {
        let input = json!({"sql": insert, "types": types, "parameters": [10, wrong, null]});
        let error = account.output("execute", input).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Input, "mysql-input"), "{wrong}");
    }
    // What the server does not keep as a moment it refuses.
    let input = json!({"sql": insert, "types": types, "parameters": [10, "1969-12-31T23:59:59Z", null]});
    assert_eq!(account.output("execute", input).await.unwrap_err().code(), "mysql-value");
}

/// The server would cut, round away or make something else of it.
#[tokio::test]
async fn what_does_not_fit_its_column_is_refused() {
    let Some(account) = app() else { return };
    account
        .execute(
            "create table unfit (n tinyint, s varchar(2), d date, at datetime, e enum('a'), j json, u int unsigned)",
        )
        .await;
    for (column, given) in [
        ("n", json!(128)),
        ("n", json!("12a")),
        ("s", json!("abc")),
        ("d", json!("2026-02-30")),
        ("d", json!("0000-00-00")),
        ("d", json!("soon")),
        ("at", json!("2026-11-22T25:00:00")),
        ("at", json!("2026-11-22T08:30:00Z")),
        ("at", json!("2026-11-22T08:30:00+02:00")),
        ("e", json!("b")),
        ("j", json!("{")),
        ("u", json!(-1)),
    ] {
        let sql = format!("insert into unfit ({column}) values (?)");
        let error = account.fails("execute", &sql, json!([given])).await;
        assert!(matches!(error.kind(), Kind::Rejected | Kind::Conflict), "{column} {given}: {error}");
    }
    assert_eq!(account.value("select count(*) from unfit", json!([])).await, 0);
}

/// What an old table holds that no calendar does is read with its zeros, and cannot be written.
#[tokio::test]
async fn zeros_of_old_tables_stay() {
    let Some(account) = app() else { return };
    account.execute("create table zeroed (d date, at datetime(6), t timestamp null, span time(6))").await;
    account
        .execute(
            "create procedure zeroes() begin set sql_mode = ''; \
             insert into zeroed values ('0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '-838:59:59'), \
             ('2026-00-00', '2026-11-00 08:30:00', null, '26:00:00.5'); end",
        )
        .await;
    account.output("call", json!({"routine": "zeroes"})).await.unwrap();
    let rows = account.rows("select * from zeroed order by d", json!([])).await;
    assert_eq!(
        rows,
        json!([{"d": "0000-00-00", "at": "0000-00-00T00:00:00", "t": "0000-00-00T00:00:00Z", "span": "-838:59:59"},
               {"d": "2026-00-00", "at": "2026-11-00T08:30:00", "t": null, "span": "26:00:00.5"}])
    );
    for (column, value) in
        [("d", "0000-00-00"), ("d", "2026-00-10"), ("at", "0000-00-00T00:00:00"), ("span", "839:00:00")]
    {
        let sql = format!("insert into zeroed ({column}) values (?)");
        let error = account.fails("execute", &sql, json!([value])).await;
        assert_eq!((error.kind(), error.code()), (Kind::Rejected, "mysql-value"), "{column} {value}: {error}");
    }
}
