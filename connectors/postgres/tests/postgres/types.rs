//! Values there and back, text by text.

use lockgate_connector_api::Kind;
use lockgate_document::Document;
use lockgate_model::Limits;
use serde_json::json;

use crate::account::{Account, app, call, text};

/// The row `{"v": …}` of a query, as text.
async fn answer(account: &Account, sql: &str, parameters: &str) -> String {
    let mut call = call("query", "", json!([]));
    let input = format!(r#"{{"sql": {}, "parameters": {parameters}}}"#, json!(sql));
    call.input = Document::parse(input.as_bytes(), &Limits::default()).unwrap();
    let answer =
        account.invoke(call).await.unwrap_or_else(|e| panic!("{sql} {parameters}: {e}, {}", e.private().reveal()));
    let all = text(&answer.output);
    let value = all.strip_prefix(r#"{"rows":[{"v":"#).and_then(|rest| rest.split_once(r#"}],"columns""#));
    value.unwrap_or_else(|| panic!("{all}")).0.to_owned()
}

#[tokio::test]
async fn what_the_server_writes_is_read_exactly() {
    let Some(account) = app() else { return };
    account.execute("create type mood as enum ('glad', 'so, so')").await;
    account.execute("create domain whole as int check (value >= 0)").await;
    account.execute("create domain wholes as whole[]").await;
    account.execute("create type written_pair as (a int, b text)").await;
    for (sql, json) in [
        ("null", "null"),
        ("true", "true"),
        ("'f'::bool", "false"),
        ("(-32768)::int2", "-32768"),
        ("2147483647", "2147483647"),
        ("9223372036854775807", "9223372036854775807"),
        ("'-9223372036854775808'::int8", "-9223372036854775808"),
        ("4294967295::oid", "4294967295"),
        ("12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890"),
        ("1.50::numeric", "1.50"),
        ("'-0.000000000000000000000000001'::numeric", "-0.000000000000000000000000001"),
        ("'NaN'::numeric", "\"NaN\""),
        ("'-Infinity'::numeric", "\"-Infinity\""),
        ("0.1::float8", "0.1"),
        ("1e300::float8", "1e+300"),
        ("0.1::float4", "0.1"),
        ("(0.1::float8 + 0.2::float8)", "0.30000000000000004"),
        ("'-0'::float8", "-0"),
        ("5e-324::float8", "5e-324"),
        ("'Infinity'::float8", "\"Infinity\""),
        ("'NaN'::float4", "\"NaN\""),
        ("'12.34'::money::text", "\"$12.34\""),
        ("'ä \"quoted\" \\ ☃'::text", "\"ä \\\"quoted\\\" \\\\ ☃\""),
        ("'ab'::char(4)", "\"ab  \""),
        ("'x'::\"char\"", "\"x\""),
        ("''::varchar", "\"\""),
        ("'pg_type'::name", "\"pg_type\""),
        ("'0189c7d4-1f3b-7000-8000-000000000001'::uuid", "\"0189c7d4-1f3b-7000-8000-000000000001\""),
        ("'{\"b\": 1.50, \"a\": [1e2, null], \"b\": 2}'::json", "{\"b\":2,\"a\":[1e2,null]}"),
        ("'{\"n\": 123456789012345678901234567890.10}'::jsonb", "{\"n\":123456789012345678901234567890.10}"),
        ("'null'::jsonb", "null"),
        ("'\"text\"'::json", "\"text\""),
        ("'2026-11-22 08:30:00.123456+02'::timestamptz", "\"2026-11-22T06:30:00.123456Z\""),
        ("'2026-11-22 08:30:00'::timestamp", "\"2026-11-22T08:30:00\""),
        ("'infinity'::timestamptz", "\"infinity\""),
        ("'-infinity'::date", "\"-infinity\""),
        ("'0044-03-15 BC'::date", "\"-0043-03-15\""),
        ("'12026-01-01'::timestamp", "\"+12026-01-01T00:00:00\""),
        ("'2024-02-29'::date", "\"2024-02-29\""),
        ("'24:00'::time", "\"24:00:00\""),
        ("'08:30:00.5+05:30'::timetz", "\"08:30:00.5+05:30\""),
        ("'08:30:00+00'::timetz", "\"08:30:00Z\""),
        ("'1 year 2 months 3 days 04:05:06.7'::interval", "\"P1Y2M3DT4H5M6.7S\""),
        ("'-1 day'::interval", "\"P-1D\""),
        ("'0'::interval", "\"PT0S\""),
        ("'\\x00ff10'::bytea", "\"AP8Q\""),
        ("''::bytea", "\"\""),
        ("'{1,NULL,3}'::int[]", "[1,null,3]"),
        ("'{}'::text[]", "[]"),
        ("'{{1,2},{3,4}}'::int8[]", "[[1,2],[3,4]]"),
        ("'[-1:0]={7,8}'::int[]", "[7,8]"),
        ("array['a,b', '\"', '\\', null, 'NULL', '']", r#"["a,b","\"","\\",null,"NULL",""]"#),
        ("array[1.50, 'NaN']::numeric[]", r#"[1.50,"NaN"]"#),
        ("array['{\"a\": 1.0}', '[]']::jsonb[]", "[{\"a\":1.0},[]]"),
        ("array['2026-11-22']::date[]", "[\"2026-11-22\"]"),
        ("array['\\x01', null]::bytea[]", "[\"AQ==\",null]"),
        ("'so, so'::mood", "\"so, so\""),
        ("array['so, so', 'glad']::mood[]", "[\"so, so\",\"glad\"]"),
        ("7::whole", "7"),
        ("array[7, 8]::wholes", "[7,8]"),
        ("'10.1.2.3/16'::inet", "\"10.1.2.3/16\""),
        ("'10.1.0.0/16'::cidr", "\"10.1.0.0/16\""),
        ("array['::1']::inet[]", "[\"::1\"]"),
        ("'08:00:2b:01:02:03'::macaddr", "\"08:00:2b:01:02:03\""),
        ("int4range(1, 5)", "\"[1,5)\""),
        ("array[int4range(1, 5), null]", "[\"[1,5)\",null]"),
        ("point(1, 2)", "\"(1,2)\""),
        ("'(1,1),(0,0);(2,2),(1,1)'::text", "\"(1,1),(0,0);(2,2),(1,1)\""),
        ("array['(1,1),(0,0)'::box, '(2,2),(1,1)']", "\"{(1,1),(0,0);(2,2),(1,1)}\""),
        ("'1 2'::int2vector", "\"1 2\""),
        ("array['1 2'::int2vector, '3']", "[\"1 2\",\"3\"]"),
        ("(select indkey from pg_index where indexrelid = 'pg_class_oid_index'::regclass)", "\"1\""),
        ("'26 25'::oidvector", "\"26 25\""),
        ("row(1, 'a b')::written_pair", "\"(1,\\\"a b\\\")\""),
        ("b'101'", "\"101\""),
        ("'a & b'::tsquery", "\"'a' & 'b'\""),
        ("'<a/>'::xml", "\"<a/>\""),
        ("pg_sleep(0)", "null"),
        ("'Infinity'::numeric", "\"Infinity\""),
        ("array['-Infinity', null, 1e-20]::numeric[]", "[\"-Infinity\",null,0.00000000000000000001]"),
        ("'4714-11-24 00:00:00+00 BC'::timestamptz", "\"-4713-11-24T00:00:00Z\""),
        ("'294276-12-31 23:59:59.999999+00'::timestamptz", "\"+294276-12-31T23:59:59.999999Z\""),
        ("array['infinity', '-infinity', null]::timestamptz[]", "[\"infinity\",\"-infinity\",null]"),
        ("'-178000000 years'::interval", "\"P-178000000Y\""),
        ("'1 mon -1 day 00:00:00.000001'::interval", "\"P1M-1DT0.000001S\""),
        ("array[[[1, null], [3, 4]], [[5, 6], [null, 8]]]", "[[[1,null],[3,4]],[[5,6],[null,8]]]"),
        ("array[null, null]::text[]", "[null,null]"),
        ("array[row(1, 'a b')::written_pair, null]", "[\"(1,\\\"a b\\\")\",null]"),
        ("row(null, null)::written_pair", "\"(,)\""),
        ("'{[1,3),[5,7)}'::int4multirange", "\"{[1,3),[5,7)}\""),
        ("'empty'::daterange", "\"empty\""),
        ("tstzrange('2026-11-22 08:00Z', 'infinity')", "\"[\\\"2026-11-22 08:00:00+00\\\",infinity)\""),
    ] {
        assert_eq!(answer(&account, &format!("select {sql} as v"), "[]").await, json, "{sql}");
    }
}

#[tokio::test]
async fn what_goes_in_comes_back_exactly() {
    let Some(account) = app() else { return };
    account.execute("create type direction as enum ('north', 'south')").await;
    account.execute("create type two as (a int, b text)").await;
    account.execute("create domain percent as numeric(5, 2) check (value <= 100)").await;
    for (of, there, back) in [
        ("int4", "null", "null"),
        ("bool", "true", "true"),
        ("int2", "-32768", "-32768"),
        ("int8", "9007199254740993", "9007199254740993"),
        ("int8", "\"9223372036854775807\"", "9223372036854775807"),
        ("numeric", "12345678901234567890.123456789012345678900", "12345678901234567890.123456789012345678900"),
        ("numeric", "1e3", "1000"),
        ("numeric", "\"NaN\"", "\"NaN\""),
        ("numeric[]", "[1.10, \"Infinity\", null]", "[1.10,\"Infinity\",null]"),
        ("float8", "0.1", "0.1"),
        ("float8", "1e-7", "1e-07"),
        ("float4", "16777216", "1.6777216e+07"),
        ("text", "\"a'b\\\"c\\\\d\\n☃\"", "\"a'b\\\"c\\\\d\\n☃\""),
        ("text", "12.50", "\"12.50\""),
        ("varchar(3)", "\"abc\"", "\"abc\""),
        ("uuid", "\"0189C7D4-1F3B-7000-8000-000000000001\"", "\"0189c7d4-1f3b-7000-8000-000000000001\""),
        ("json", "{\"a\":[1.50,null,\"x\"]}", "{\"a\":[1.50,null,\"x\"]}"),
        ("jsonb", "\"text\"", "\"text\""),
        ("jsonb[]", "[[1],{\"a\":2},null]", "[[1],{\"a\":2},null]"),
        ("timestamptz", "\"2026-11-22T08:30:00.123456+02:00\"", "\"2026-11-22T06:30:00.123456Z\""),
        ("timestamptz", "\"-infinity\"", "\"-infinity\""),
        ("timestamp", "\"-0043-03-15T12:00:00\"", "\"-0043-03-15T12:00:00\""),
        ("date", "\"+12026-01-01\"", "\"+12026-01-01\""),
        ("time", "\"23:59:59.999999\"", "\"23:59:59.999999\""),
        ("timetz", "\"08:30:00-03:30\"", "\"08:30:00-03:30\""),
        ("interval", "\"P1Y2M3DT4H5M6.7S\"", "\"P1Y2M3DT4H5M6.7S\""),
        ("interval", "\"P-1D\"", "\"P-1D\""),
        ("interval", "\"PT999999999.999999S\"", "\"PT277777H46M39.999999S\""),
        ("time", "\"08:30:00.123456000\"", "\"08:30:00.123456\""),
        ("\"char\"", "\"a\"", "\"a\""),
        ("bytea", "\"AP8Q\"", "\"AP8Q\""),
        ("bytea[]", "[\"AQ==\", null]", "[\"AQ==\",null]"),
        ("int[]", "[[1,2],[3,null]]", "[[1,2],[3,null]]"),
        ("text[]", r#"["a,b","\"","\\",null,"NULL",""," {}"]"#, r#"["a,b","\"","\\",null,"NULL",""," {}"]"#),
        ("timestamptz[]", "[\"2026-11-22T08:30:00Z\"]", "[\"2026-11-22T08:30:00Z\"]"),
        ("direction", "\"south\"", "\"south\""),
        ("direction[]", "[\"south\", null]", "[\"south\",null]"),
        ("percent", "99.5", "99.50"),
        ("inet", "\"10.1.2.3\"", "\"10.1.2.3\""),
        ("int2vector", "\"1 2\"", "\"1 2\""),
        ("int4range", "\"[1,5)\"", "\"[1,5)\""),
        ("point", "\"(1,2)\"", "\"(1,2)\""),
        ("timestamptz", "\"-4713-11-24T00:00:00Z\"", "\"-4713-11-24T00:00:00Z\""),
        ("timestamptz", "\"+294276-12-31T23:59:59.999999Z\"", "\"+294276-12-31T23:59:59.999999Z\""),
        ("int[]", "[[[1,null],[3,4]],[[5,6],[null,8]]]", "[[[1,null],[3,4]],[[5,6],[null,8]]]"),
        ("two", "\"(1,\\\"a b\\\")\"", "\"(1,\\\"a b\\\")\""),
        ("two[]", "[\"(1,x)\", null]", "[\"(1,x)\",null]"),
        ("int4multirange", "\"{[1,3),[5,7)}\"", "\"{[1,3),[5,7)}\""),
        ("percent[]", "[1.5, null]", "[1.50,null]"),
        ("interval", "\"P1M-1DT0.000001S\"", "\"P1M-1DT0.000001S\""),
    ] {
        let sql = format!("select $1::{of} as v");
        assert_eq!(answer(&account, &sql, &format!("[{there}]")).await, back, "{of} {there}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_not_run() {
    let Some(account) = app() else { return };
    account.execute("create domain few as int").await;
    for (of, value) in [
        ("int2", json!(32768)),
        ("int4", json!(1.5)),
        ("few", json!("many")),
        ("few[]", json!([1, "many"])),
        ("int8", json!("9223372036854775808")),
        ("numeric", json!("1,5")),
        ("float4", json!(1e39)),
        ("bool", json!("yes")),
        ("uuid", json!("x")),
        ("date", json!("22.11.2026")),
        ("timestamptz", json!("2026-11-22T08:30:00")),
        ("timestamp", json!("2026-11-22T08:30:00Z")),
        ("timestamp", json!("2026-11-22T08:30:00.1234567")),
        ("timestamptz", json!("2026-11-22T08:30:00.1234567Z")),
        ("time", json!("08:30:00.1234567")),
        ("timetz", json!("08:30:00.1234567+02:00")),
        ("interval", json!("PT0.1234567S")),
        ("interval", json!("PT9000000000000.7S")),
        ("interval", json!("P0.1Y")),
        ("name", json!("x".repeat(64))),
        ("\"char\"", json!("abc")),
        ("time[]", json!(["08:30:00", "08:30:00.1234567"])),
        ("bytea", json!("äöü")),
        ("text", json!({"a": 1})),
        ("int4[]", json!(7)),
    ] {
        let sql = format!("select $1::text as a, $2::{of} as b");
        let error = account.fails("query", &sql, json!(["x", value])).await;
        assert_eq!(error.kind(), Kind::Input, "{of} {value}: {error}");
        assert!(
            error.private().reveal().starts_with(&format!("parameter 2 (`{}`", of.trim_matches('"'))),
            "{}",
            error.private().reveal()
        );
    }
    // What only the server can tell is its error.
    for (sql, value) in [
        ("select $1::varchar(2) || $2::inet as v", json!("x")),
        ("select $1::text || $2::mood2 as v", json!("x")),
        // Lists of different lengths are no array.
        ("select $1::text as a, $2::int[] as v", json!([[1], [2, 3]])),
        ("select $1::text as a, $2::int[] as v", json!([1, [2]])),
        ("select $1::text as a, $2::int4range as v", json!("[5,1)")),
        ("select $1::text as a, $2::timestamptz as v", json!("+300000-01-01T00:00:00Z")),
    ] {
        let error = account.fails("query", sql, json!(["abc", value])).await;
        assert_eq!(error.kind(), Kind::Rejected, "{sql}: {error}");
    }
}
