//! Several statements, of which all are done or none.

use std::time::{Duration, Instant};

use lockgate_connector_api::{Error, Kind};
use serde_json::{Value, json};

use super::{Account, Database, Server as _, call_of, faults::through, soon};
use crate::{
    FaultProxy,
    contract::{
        faults::{at_the_end, clean, each},
        tells_nothing,
    },
};

fn step(sql: impl Into<String>, parameters: Value) -> Value {
    json!({"sql": sql.into(), "parameters": parameters})
}

async fn run(account: &Account, steps: Value) -> Value {
    let input = json!({"steps": steps});
    account.output("transaction", input).await.unwrap_or_else(|e| panic!("{steps}: {e}, {}", e.private().reveal()))
}

/// The sign of a database's parameter, by its number.
fn sign<D: Database>(number: usize) -> String {
    if D::SCHEME.name == "postgres" { format!("${number}") } else { "?".to_owned() }
}

/// A step takes what an earlier one gave, and each step tells what it did.
pub async fn steps_are_done_in_order<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    let (one, two, three) = (sign::<D>(1), sign::<D>(2), sign::<D>(3));
    account.execute("create table headed (id int primary key, name varchar(20), n int)").await;
    account.execute("create table lined (head int, sku varchar(20), n int)").await;
    account.execute("insert into headed values (7, 'seven', 1), (8, 'eight', 2)").await;
    let given = run(
        &account,
        json!([
            {"name": "head", "sql": format!("select id, name, n from headed where name = {one}"), "parameters": ["seven"], "rows": 1},
            {"sql": format!("insert into lined values ({one}, {two}, {three})"), "rows": 2,
             "each": [[null, "a", 1], [null, "b", null]], "take": [{"parameter": 1, "step": "head", "column": "id"}]},
            {"sql": format!("update headed set n = n + {one} where id = {two}"), "parameters": [10, null], "rows": 1,
             "take": [{"parameter": 2, "step": "head", "column": "id"}]},
            {"sql": format!("delete from headed where id > {one}"), "parameters": [100]},
            {"name": "none", "sql": "select id from headed where id > 100", "rows": 0},
            {"sql": "select count(*) as total from lined"},
        ]),
    )
    .await;
    let expected = json!({"steps": [
        {"rows": 1, "returned": [{"id": 7, "name": "seven", "n": 1}]},
        {"rows": 2},
        {"rows": 1},
        {"rows": 0},
        {"rows": 0, "returned": []},
        {"rows": 1, "returned": [{"total": 2}]},
    ]});
    assert_eq!(given, expected);
    let rows = account.rows("select head, sku from lined order by sku", json!([])).await;
    assert_eq!(rows, json!([{"head": 7, "sku": "a"}, {"head": 7, "sku": "b"}]));
    assert_eq!(account.value("select n from headed where id = 7", json!([])).await, 11);
    assert_eq!(
        run(&account, json!([{"sql": format!("delete from lined where sku = {one}"), "each": []}])).await,
        json!({"steps": [{"rows": 0}]})
    );
}

/// Whatever fails, and whatever is not as it says, undoes all of it.
pub async fn what_fails_undoes_all_of_it<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    let (one, two) = (sign::<D>(1), sign::<D>(2));
    account.execute("create table undone_all (id int primary key, n int not null)").await;
    account.execute("insert into undone_all values (1, 1)").await;
    let insert = |id: i32| step(format!("insert into undone_all values ({one}, {two})"), json!([id, id]));
    let taking = |column: &str| {
        json!({"sql": format!("insert into undone_all values ({one}, 5)"), "parameters": [null],
               "take": [{"parameter": 1, "step": "q", "column": column}]})
    };
    let named = |sql: &str| json!({"name": "q", "sql": sql});
    for (steps, kind) in [
        (json!([insert(2), insert(1)]), Kind::Conflict),
        (json!([insert(2), step(format!("insert into undone_all values ({one}, null)"), json!([3]))]), Kind::Conflict),
        (json!([insert(2), step("select nowhere from undone_all", json!([]))]), Kind::Rejected),
        (json!([insert(2), {"sql": "update undone_all set n = 9 where id = 77", "rows": 1}]), Kind::Conflict),
        (json!([insert(2), {"sql": "select id from undone_all", "rows": 1}]), Kind::Conflict),
        (json!([insert(2), named("select id from undone_all where id = 77"), taking("id")]), Kind::Conflict),
        (json!([insert(2), named("select id from undone_all"), taking("other")]), Kind::Conflict),
        (
            json!([insert(2), {"sql": format!("insert into undone_all values ({one}, {two})"), "each": [[3, 3], [1, 1]]}]),
            Kind::Conflict,
        ),
        (json!([insert(2), step(format!("select n from undone_all where id = {one}"), json!([]))]), Kind::Input),
        (json!([insert(2), step("select 1 as a, 2 as a", json!([]))]), Kind::Input),
        // What would end the transaction, however it is hidden.
        (json!([insert(2), step("commit", json!([]))]), Kind::Input),
        (json!([insert(2), step("/* */ commit", json!([]))]), Kind::Input),
        (json!([insert(2), step("-- \ncommit", json!([]))]), Kind::Input),
        (json!([insert(2), step("rollback and chain", json!([]))]), Kind::Input),
        (json!([insert(2), step("select 1; commit", json!([]))]), Kind::Rejected),
        (json!([insert(2), step("create table undone_too (n int)", json!([]))]), Kind::Input),
        (json!([insert(2), step("set transaction read only", json!([]))]), Kind::Input),
        (json!([]), Kind::Input),
        (json!({"sql": "select 1"}), Kind::Input),
        (json!(["select 1"]), Kind::Input),
    ] {
        let error = account.output("transaction", json!({"steps": steps})).await.expect_err(&steps.to_string());
        tells_nothing(&error);
        assert_eq!(error.kind(), kind, "{steps}: {error}, {}", error.private().reveal());
        let left = account.rows("select id, n from undone_all", json!([])).await;
        assert_eq!(left, json!([{"id": 1, "n": 1}]), "{steps}");
    }
    for (members, kind) in [
        (json!({"isolation": "none"}), Kind::Input),
        (json!({"read_only": 1}), Kind::Input),
        (json!({"sql": "select 1"}), Kind::Input),
        (json!({"read_only": true}), Kind::Rejected),
    ] {
        let mut input = json!({"steps": [insert(2)]});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let error = account.output("transaction", input).await.expect_err(&members.to_string());
        assert_eq!(error.kind(), kind, "{members}: {error}");
    }
    // Too large for an answer is so before the commit.
    let mut call = call_of("transaction", &json!({"steps": [insert(2), {"sql": D::numbers(2_000)}]}));
    call.limits.reply_bytes_max = 1_000;
    assert_eq!(account.invoke(call).await.unwrap_err().kind(), Kind::TooLarge);
    assert_eq!(account.value("select count(*) from undone_all", json!([])).await, 1);
    account.test().await.unwrap();
}

/// Two transactions side by side, each with a pause in its middle.
async fn side_by_side<F: Future<Output = Result<Value, Error>>>(
    one: impl Fn(i32, i32, f64) -> F,
    pause: f64,
) -> Vec<Error> {
    let (one, other) = futures_util::future::join(one(1, 2, pause), one(2, 1, pause)).await;
    [one, other].into_iter().filter_map(Result::err).collect()
}

/// The same with longer and longer pauses, until they are in each other's way. Gives how many were done,
/// and the errors of the others.
async fn colliding<F: Future<Output = Result<Value, Error>>>(one: impl Fn(i32, i32, f64) -> F) -> (usize, Vec<Error>) {
    let mut done = 0;
    for pause in [0.3, 1.0, 3.0, 8.0] {
        let errors = side_by_side(&one, pause).await;
        done += 2 - errors.len();
        if !errors.is_empty() {
            return (done, errors);
        }
    }
    panic!("two transactions were never in each other's way");
}

/// Of two that are in each other's way one fails, in a way that a flow can tell and try again; and each
/// level of isolation is the server's.
pub async fn contention_is_told<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    account.execute("create table counters (id int primary key, n int)").await;
    account.execute("insert into counters values (1, 0), (2, 0)").await;
    let pause = |seconds: f64| format!("select {} as s", D::sleep(seconds));
    // Each holds what the other waits for.
    let (done, errors) = colliding(|first, second, seconds| {
        let update = |id: i32| format!("update counters set n = n + 1 where id = {id}");
        let input = json!({"steps": [{"sql": update(first)}, {"sql": pause(seconds)}, {"sql": update(second)}]});
        let account = account.clone();
        async move { account.output("transaction", input).await }
    })
    .await;
    assert_eq!(errors.len(), 1, "one of two that wait for each other is undone");
    for error in errors {
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.code().ends_with("-contention") && error.is_transient(), "{error}");
    }
    let rows = account.rows("select id, n from counters order by id", json!([])).await;
    assert_eq!(rows, json!([{"id": 1, "n": done}, {"id": 2, "n": done}]));
    // Both read what the other writes: only one of them can be, where that is what is asked for.
    let skewed = |level: &'static str| {
        let (account, pause) = (&account, &pause);
        move |read: i32, written: i32, seconds: f64| {
            let input = json!({"isolation": level, "steps": [
                {"sql": format!("select n from counters where id = {read}")}, {"sql": pause(seconds)},
                {"sql": format!("update counters set n = n + 10 where id = {written}")},
            ]});
            let account = account.clone();
            async move { account.output("transaction", input).await }
        }
    };
    for level in ["read-committed", "repeatable-read"] {
        assert!(side_by_side(skewed(level), 0.3).await.is_empty(), "{level}");
    }
    let (_, errors) = colliding(skewed("serializable")).await;
    assert!(errors.len() == 1 && errors[0].kind() == Kind::Unavailable, "{errors:?}");
}

/// At the deadline nothing is done, and nothing is left at the server.
pub async fn the_deadline_undoes_all_of_it<D: Database>() {
    let Some(account) = Account::shared::<D>() else { return };
    account.execute("create table hurried (n int)").await;
    let pause = format!("select {} as s", D::sleep(60.0));
    let mut call =
        call_of("transaction", &json!({"steps": [{"sql": "insert into hurried values (1)"}, {"sql": pause}]}));
    call.deadline = Instant::now() + Duration::from_millis(500);
    assert_eq!(account.invoke(call).await.unwrap_err().kind(), Kind::Timeout);
    // Whoever held a lock would be waited for.
    let input =
        json!({"steps": [{"sql": "insert into hurried values (2)"}, {"sql": "select count(*) as n from hurried"}]});
    let call = lockgate_connector_api::Call { deadline: soon(), ..call_of("transaction", &input) };
    let answer = account.invoke(call).await.unwrap();
    assert_eq!(super::read(&answer.output)["steps"][1]["returned"], json!([{"n": 1}]));
}

/// Where the network breaks while the changes are being committed, they are never told to be done when
/// they are not, nor to be undone for sure when they are done.
pub async fn a_commit_that_is_not_answered_is_told_as_unknown<D: Database>() {
    let Some((_, server)) = D::shared() else { return };
    let account = Account::shared::<D>().unwrap();
    account.execute("create table unknown (id int)").await;
    let transaction = |id: usize| {
        let insert = format!("insert into unknown values ({})", sign::<D>(1));
        super::faults::hurried(call_of(
            "transaction",
            &json!({"steps": [{"sql": insert, "each": [[id], [id]], "rows": 2}]}),
        ))
    };
    let proxy = FaultProxy::start(server.port()).await;
    through::<D>(proxy.port()).invoke(transaction(0)).await.unwrap();
    let (account, unknown) = (&account, &std::sync::atomic::AtomicUsize::new(0));
    each(at_the_end(proxy.carried()), server.port(), async |n, fault, port| {
        let (id, begun) = (n + 1, Instant::now());
        let outcome = through::<D>(port).invoke(transaction(id)).await;
        let is_unknown = outcome.as_ref().is_err_and(|error| error.code().ends_with("-commit-unknown"));
        unknown.fetch_add(usize::from(is_unknown), std::sync::atomic::Ordering::SeqCst);
        let done = clean(outcome, begun, &format!("{fault:?}")).is_some();
        // What is still under way at the server ends before its count does.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let sql = format!("select count(*) from unknown where id = {}", sign::<D>(1));
        let count = account.value(&sql, json!([id])).await;
        assert!(count == 0 || count == 2, "{fault:?}: {count} of 2 rows");
        assert!(!done || count == 2, "{fault:?}: success without the rows");
        assert!(done || is_unknown || count == 0, "{fault:?}: told to have failed, and done");
        !done
    })
    .await;
    let unknown = unknown.load(std::sync::atomic::Ordering::SeqCst);
    println!("{unknown} commits were told as unknown");
    assert!(unknown > 0, "no commit was broken");
}
