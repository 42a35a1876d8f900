//! Procedures and functions: what goes in, and all that comes out.

use lockgate_connector_api::Kind;
use lockgate_testkit::contract::tells_nothing;
use serde_json::{Value, json};

use crate::account::{Account, app, call_of};

async fn made(statements: &[&str]) -> Option<Account> {
    let account = app()?;
    for sql in statements {
        account.execute(sql).await;
    }
    Some(account)
}

async fn called(account: &Account, routine: &str, parameters: Value) -> Value {
    let input = json!({"routine": routine, "parameters": parameters});
    account.output("call", input).await.unwrap_or_else(|e| panic!("{routine}: {e}, {}", e.private().reveal()))
}

#[tokio::test]
async fn parameters_go_in_and_come_out() {
    let Some(account) = made(&[
        "create table booked (n numeric, at timestamptz)",
        "create procedure book(n numeric, out id int, inout total numeric, at timestamptz default '2026-01-01Z') \
         language plpgsql as 'begin insert into booked values (n, at); id = 7; total = total + n; end'",
        "create procedure quiet() language sql as 'select 1'",
        "create function twice(n int, out a int, out b text) language sql as 'select n * 2, ''b'' || n'",
        "create function plain(n numeric) returns numeric language sql as 'select n + 0.10'",
        "create function nothing() returns void language sql as 'delete from booked where false'",
        "create type pair as (x int, y jsonb)",
        "create function paired() returns pair language sql as $$ select 1, '{\"a\": 1.50}'::jsonb $$",
        "create function nobody() returns pair language sql as 'select null::pair'",
        "create function adds(variadic list int[]) returns bigint language sql as 'select sum(n) from unnest(list) as n'",
        "create schema \"Odd one\"",
        "create function \"Odd one\".\"it's; --\"() returns int language sql as 'select 3'",
    ])
    .await
    else {
        return;
    };
    for (routine, parameters, output) in [
        ("book", json!([1.5, 40]), json!({"id": 7, "total": 41.5})),
        ("book", json!([1.5, null, "2026-11-22T08:30:00Z"]), json!({"id": 7, "total": null})),
        ("quiet", json!([]), json!({})),
        ("twice", json!([21]), json!({"a": 42, "b": "b21"})),
        ("plain", json!([1]), json!({"plain": 1.1})),
        ("nothing", json!([]), json!({})),
        ("paired", json!([]), json!({"x": 1, "y": {"a": 1.5}})),
        ("nobody", json!([]), json!({"x": null, "y": null})),
        ("adds", json!([[1, 2, 3]]), json!({"adds": 6})),
        ("Odd one.it's; --", json!([]), json!({"it's; --": 3})),
        ("public.twice", json!([null]), json!({"a": null, "b": null})),
    ] {
        assert_eq!(called(&account, routine, parameters).await, json!({"output": output, "results": []}), "{routine}");
    }
    assert_eq!(account.value("select count(*) from booked", json!([])).await, 2);
    assert_eq!(account.value("select max(at) from booked", json!([])).await, "2026-11-22T08:30:00Z");
}

#[tokio::test]
async fn rows_and_cursors_are_results() {
    let Some(account) = made(&[
        "create function three() returns table (n int, t text) language sql as \
         $$ select n, 't' || n from generate_series(1, 3) as n $$",
        "create function names() returns setof text language sql as $$ values ('a'), (null) $$",
        "create function no_rows() returns setof int language sql as 'select 1 where false'",
        "create function opened(n int) returns refcursor language plpgsql as \
         'declare c refcursor; begin open c for select i from generate_series(1, n) as i; return c; end'",
        "create function two_of(out a refcursor, out n int, out b refcursor) language plpgsql as \
         $$ begin a = 'the \"first\"'; open a for select 1 as x; n = 5; open b for select 2 as y where false; end $$",
        "create function all_of() returns setof refcursor language plpgsql as \
         'declare c refcursor; d refcursor; begin open c for select 1 as x; return next c; open d for select 2 as y; return next d; end'",
        "create procedure gives(inout c refcursor, out n int) language plpgsql as \
         $$ begin c = 'named'; open c for select 'z' as z; n = 1; end $$",
    ])
    .await
    else {
        return;
    };
    let t = |n: i32| json!({"n": n, "t": format!("t{n}")});
    for (routine, parameters, output, results) in [
        ("three", json!([]), json!({}), json!([[t(1), t(2), t(3)]])),
        ("names", json!([]), json!({}), json!([[{"names": "a"}, {"names": null}]])),
        ("no_rows", json!([]), json!({}), json!([[]])),
        ("opened", json!([2]), json!({}), json!([[{"i": 1}, {"i": 2}]])),
        ("two_of", json!([]), json!({"n": 5}), json!([[{"x": 1}], []])),
        ("all_of", json!([]), json!({}), json!([[{"x": 1}], [{"y": 2}]])),
        ("gives", json!([null]), json!({"n": 1}), json!([[{"z": "z"}]])),
    ] {
        let given = called(&account, routine, parameters).await;
        assert_eq!(given, json!({"output": output, "results": results}), "{routine}");
    }
    let mut call = call_of("call", &json!({"routine": "opened", "parameters": [100_000]}));
    call.limits.reply_bytes_max = 1_000;
    assert_eq!(account.invoke(call).await.unwrap_err().kind(), Kind::TooLarge);
    account.test().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_called_is_refused_and_what_fails_is_undone() {
    let Some(account) = made(&[
        "create table undone (n int)",
        "create procedure fails(n int) language plpgsql as 'begin insert into undone values (n); perform 1 / (n - n); end'",
        "create function fails_too(n int) returns int language plpgsql as \
         'begin insert into undone values (n); return 1 / (n - n); end'",
        "create procedure commits(n int) language plpgsql as \
         'begin insert into undone values (n); commit; insert into undone values (n); rollback; end'",
        "create function overloaded(n int) returns int language sql as 'select 1'",
        "create function overloaded(n text) returns int language sql as 'select 2'",
        "create function doubled(out a int, out \"A\" int) language sql as 'select 1, 2'",
    ])
    .await
    else {
        return;
    };
    for (input, kind) in [
        (json!({}), Kind::Input),
        (json!({"routine": 1}), Kind::Input),
        (json!({"routine": "a.b.c"}), Kind::Input),
        (json!({"routine": "no_such"}), Kind::Input),
        (json!({"routine": "fails"}), Kind::Input),
        (json!({"routine": "fails", "parameters": [1, 2]}), Kind::Input),
        (json!({"routine": "fails", "parameters": {"n": 1}}), Kind::Input),
        (json!({"routine": "fails", "parameters": ["x"]}), Kind::Input),
        (json!({"routine": "fails", "parameters": [1], "sql": "x"}), Kind::Input),
        (json!({"routine": "fails(1); drop table undone; --", "parameters": []}), Kind::Input),
        (json!({"routine": "overloaded", "parameters": [1]}), Kind::Input),
        (json!({"routine": "fails", "parameters": [1]}), Kind::Rejected),
        (json!({"routine": "fails_too", "parameters": [1]}), Kind::Rejected),
        (json!({"routine": "pg_catalog.current_setting", "parameters": ["no_such"]}), Kind::Rejected),
    ] {
        let error = account.output("call", input.clone()).await.expect_err(&input.to_string());
        tells_nothing(&error);
        assert_eq!(error.kind(), kind, "{input}: {error}, {}", error.private().reveal());
        assert_eq!(account.value("select count(*) from undone", json!([])).await, 0, "{input}");
    }
    // It commits what it wants to.
    called(&account, "commits", json!([1])).await;
    assert_eq!(account.value("select count(*) from undone", json!([])).await, 1);
    assert_eq!(called(&account, "doubled", json!([])).await["output"], json!({"a": 1, "A": 2}));
}
