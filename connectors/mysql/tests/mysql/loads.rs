//! What streams in becomes rows.

use lockgate_connector_api::Body;
use lockgate_testkit::contract::sql::{loads, streams};
use serde_json::json;

use crate::account::{Tested, app, text};

#[test]
fn a_million_rows_are_loaded_in_flat_memory() {
    streams::takes_flat_memory("loads::a_million_rows_are_loaded_in_flat_memory", async || {
        let bytes = loads::many::<Tested>("large", 1_000_000).await?;
        Some(format!("1000000 rows, {bytes} bytes"))
    });
}

/// What a query streams is what a load takes, of every kind of type.
#[tokio::test]
async fn values_come_back_as_they_were() {
    let Some(account) = app() else { return };
    for table in ["kinds", "kinds_again", "kinds_of_csv"] {
        let columns = "id int, big bigint unsigned, bits bit(64), n decimal(30, 10), d double, b varbinary(20), at timestamp(6) null, day date, \
                       span time(6), j json, e enum('a', 'b'), y year, t text";
        account.execute(&format!("create table {table} ({columns})")).await;
    }
    account
        .execute(
            "insert into kinds values (1, 18446744073709551615, b'101', 12345678901234567890.0123456789, 1e300, x'00ff0a09', \
             '2026-11-22 08:30:00.5', '2026-11-22', '-838:59:59', '{\"a\": [1.50]}', 'b', 2026, 'x\\t\\n\\\\N'), \
             (2, 0, 18446744073709551615, -0.5, -0.1, '', null, null, '08:30:00.5', '[]', 'a', 1999, ''), \
             (3, null, null, null, null, null, null, null, null, null, null, null, null)",
        )
        .await;
    let columns = ["id", "big", "bits", "n", "d", "b", "at", "day", "span", "j", "e", "y", "t"];
    let all = |table: &str| crate::account::call("query", &format!("select * from {table} order by id"), json!([]));
    let expected = text(&account.invoke(all("kinds")).await.unwrap().output);
    let rows = expected.strip_prefix(r#"{"rows":["#).unwrap().split_once(r#"],"columns""#).unwrap().0;
    let lines = rows.replace("},{\"id\"", "}\n{\"id\"");
    let input = json!({"table": "kinds_again", "columns": columns, "content": "json-lines"});
    let call = loads::load(&input, Body::full(lines));
    account.invoke(call).await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    let csv = "id,big,bits,n,d,b,at,day,span,j,e,y,t\n\
               1,18446744073709551615,5,12345678901234567890.0123456789,1e300,AP8KCQ==,2026-11-22T10:30:00.5+02:00,2026-11-22,-838:59:59,\"{\"\"a\"\": [1.50]}\",b,2026,\"x\t\n\\N\"\n\
               2,0,18446744073709551615,-0.5,-0.1,\"\",,,08:30:00.5,[],a,1999,\"\"\n3,,,,,,,,,,,,\n";
    let input = json!({"table": "kinds_of_csv", "columns": columns});
    let call = loads::load(&input, Body::full(csv));
    account.invoke(call).await.unwrap_or_else(|e| panic!("{e}, {}", e.private().reveal()));
    for table in ["kinds_again", "kinds_of_csv"] {
        assert_eq!(text(&account.invoke(all(table)).await.unwrap().output), expected, "{table}");
    }
}
