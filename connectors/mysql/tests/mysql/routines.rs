//! Procedures and functions: what goes in, and all that comes out.

use lockgate_connector_api::Kind;
use lockgate_testkit::contract::tells_nothing;
use serde_json::{Value, json};

use crate::account::{Account, admin, app};

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
async fn parameters_go_in_and_results_come_out() {
    let Some(account) = made(&[
        "create table booked (n decimal(9, 2))",
        "create procedure book(n decimal(9, 2), out id int, inout total decimal(9, 2)) \
         begin insert into booked values (n); set id = 7; set total = total + n; end",
        "create procedure quiet() insert into booked values (0)",
        "create procedure three(n int, out m bigint unsigned) begin select 1 as a, 'x' as b; select seq as s from seq_1_to_3 where seq <= n; \
         select 1 as none from dual where false; set m = 18446744073709551615; end",
        "create procedure commits() begin insert into booked values (1); commit; insert into booked values (2); end",
        "create function plain(n decimal(9, 2)) returns decimal(9, 2) return n + 0.10",
        "create function said() returns text return 'x'",
        "create procedure `odd``one; --`(out `the value` json) set `the value` = '{\"a\": 1.50}'",
    ])
    .await
    else {
        return;
    };
    for (routine, parameters, output, results) in [
        ("book", json!([1.5, 40]), json!({"id": 7, "total": 41.5}), json!([])),
        ("book", json!([1.5, null]), json!({"id": 7, "total": null}), json!([])),
        ("quiet", json!([]), json!({}), json!([])),
        ("peer.quiet", json!([]), json!({}), json!([])),
        (
            "three",
            json!([2]),
            json!({"m": 18_446_744_073_709_551_615_u64}),
            json!([[{"a": 1, "b": "x"}], [{"s": 1}, {"s": 2}], []]),
        ),
        ("plain", json!([1]), json!({"plain": 1.1}), json!([])),
        ("said", json!([]), json!({"said": "x"}), json!([])),
        ("commits", json!([]), json!({}), json!([])),
    ] {
        let given = called(&account, routine, parameters).await;
        assert_eq!(given, json!({"output": output, "results": results}), "{routine}");
    }
    assert_eq!(account.value("select count(*) from booked", json!([])).await, 6);
    let odd = called(&account, "odd`one; --", json!([])).await;
    assert!(odd["output"]["the value"].is_string() || odd["output"]["the value"].is_object(), "{odd}");
}

#[tokio::test]
async fn what_cannot_be_called_is_refused_and_what_fails_is_undone() {
    let Some(account) = made(&[
        "create table undone (n int)",
        "create procedure fails(n int) begin insert into undone values (n); select 1 as a; \
         signal sqlstate '45000' set message_text = 'no'; end",
        "create procedure twice() begin insert into undone values (1); select 1 as a, 2 as a; end",
        "create procedure same_name() select 1",
        "create function same_name() returns int return 1",
        "create procedure takes(out n int) set n = 1",
    ])
    .await
    else {
        return;
    };
    for (input, kind) in [
        (json!({}), Kind::Input),
        (json!({"routine": "no_such"}), Kind::Input),
        (json!({"routine": "fails"}), Kind::Input),
        (json!({"routine": "fails", "parameters": [1, 2]}), Kind::Input),
        (json!({"routine": "fails", "parameters": {"n": 1}}), Kind::Input),
        (json!({"routine": "fails", "parameters": [1], "sql": "x"}), Kind::Input),
        (json!({"routine": "fails(1); drop table undone; --"}), Kind::Input),
        (json!({"routine": "same_name"}), Kind::Input),
        (json!({"routine": "twice"}), Kind::Input),
        (json!({"routine": "takes", "parameters": [1]}), Kind::Input),
        (json!({"routine": "fails", "parameters": [1]}), Kind::Rejected),
        (json!({"routine": "fails", "parameters": ["x"]}), Kind::Rejected),
    ] {
        let error = account.output("call", input.clone()).await.expect_err(&input.to_string());
        tells_nothing(&error);
        assert_eq!(error.kind(), kind, "{input}: {error}, {}", error.private().reveal());
        assert_eq!(account.value("select count(*) from undone", json!([])).await, 0, "{input}");
    }
    // By its own operation alone.
    assert_eq!(account.fails("execute", "call fails(1)", json!([])).await.kind(), Kind::Input);
    let hidden = account.fails("execute", "/* */ call takes(@n)", json!([1])).await;
    assert_eq!(hidden.kind(), Kind::Input, "{hidden}");
    assert_eq!(account.fails("execute", "/* */ call twice()", json!([])).await.kind(), Kind::Rejected);
    for operation in ["query", "batch"] {
        let parameters = if operation == "batch" { json!([[1]]) } else { json!([1]) };
        let error = account.fails(operation, "call fails(?)", parameters).await;
        assert!(matches!(error.kind(), Kind::Input | Kind::Rejected), "{operation}: {error}");
    }
}

/// A reset keeps a role that was chosen, so the connection is not kept.
#[tokio::test]
async fn a_role_that_a_procedure_chooses_does_not_outlive_it() {
    let Some(account) = made(&["create procedure chooses() sql security invoker set role chosen_by_procedure"]).await
    else {
        return;
    };
    let admin = admin().unwrap();
    admin.execute("create role chosen_by_procedure").await;
    admin.execute("grant chosen_by_procedure to app").await;
    for _ in 0..3 {
        called(&account, "chooses", json!([])).await;
        assert_eq!(account.value("select current_role()", json!([])).await, json!(null));
    }
}
