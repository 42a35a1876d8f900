//! The operations: each borrows a connection, runs its statement and leaves the connection clean.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_connector_api::{
    Answer, Context, Error, Kind, Part, Streamed,
    sql::{self, Asked, Gathered, Session as _, Work, in_list, items},
};
use lockgate_document::{Builder, Document, Fault, Node};
use lockgate_model::Limits;

use crate::{
    failure::{self, CODES},
    pool::Pool,
    session::{Given, Session, Whose},
    statement::{self, Statement},
    types::Column,
    wire::ANSWER_BYTES_MAX,
    write,
};

/// How a session reads and writes, whatever the server has as default: what it would cut, round up
/// to a day or leave out in silence is refused, `"` quotes a text, and `\` is a sign of its own.
const MODE: &str = "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,\
     ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

/// Makes a connection ready for a call.
pub(crate) async fn ready(session: &mut Session, left: Duration) -> Result<(), Error> {
    // Zero would mean for ever, for both. MySQL's holds for what reads alone.
    let limit = if session.is_mariadb() {
        format!("max_statement_time = {:.3}", left.as_secs_f64().min(31_536_000.0))
    } else {
        format!("max_execution_time = {}", left.as_millis().min(u32::MAX.into()))
    };
    session.say(&format!("set names utf8mb4, time_zone = '+00:00', sql_mode = '{MODE}', {limit}")).await
}

/// Reads rows in a read-only transaction, which is undone in any case: nothing that the statement
/// does to its session outlives it.
pub(crate) async fn query(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let asked = Asked::typed(&work.input, CODES)?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    let (columns, written) = match reading(lease.session()?, &asked, &work).await {
        Ok(begun) => begun,
        Err(error) => return lease.finish(Err(error)).await,
    };
    if work.stream {
        let output = work.built(CODES, |out| {
            out.begin_object()?;
            out.key("columns")?;
            statement::describe(&columns, out)?;
            out.end()
        })?;
        let fields = columns.iter().map(|column| column.name.clone()).collect();
        let records = sql::stream(lease, columns.into(), fields, work.limits, work.deadline);
        return Ok(Answer { output, stream: Some(Streamed::Records(records)), read: 0, written });
    }
    let outcome = whole(lease.session()?, &columns, &work, written).await;
    lease.finish(outcome).await
}

/// Begins to read: gives the columns when the rows begin, and the bytes of the parameters.
async fn reading(session: &mut Session, asked: &Asked<'_>, work: &Work) -> Result<(Vec<Column>, u64), Error> {
    ready(session, work.remaining()).await?;
    session.say("start transaction read only").await?;
    let statement = session.prepare(asked.sql).await?;
    statement::gives_objects(&statement.columns)?;
    let values = statement.values(asked.once(), &asked.types)?;
    session.run(&statement, &values).await?;
    match session.given(ANSWER_BYTES_MAX).await? {
        Given::Columns(columns, _) => Ok((columns, write::bytes(&values))),
        _ => Err(failure::protocol("rows do not begin")),
    }
}

async fn whole(session: &mut Session, columns: &[Column], work: &Work, written: u64) -> Result<Answer, Error> {
    let fault = |fault: Fault| CODES.fault(&fault);
    let (mut out, mut gathered) = (Builder::new(&work.limits), Gathered::default());
    out.begin_object().and_then(|()| out.key("rows")).and_then(|()| out.begin_array()).map_err(fault)?;
    sql::gather(session, columns, &work.limits, &mut out, &mut gathered).await?;
    out.end().and_then(|()| out.key("columns")).map_err(fault)?;
    let described = statement::describe(columns, &mut out).and_then(|()| out.end());
    let output = described.and_then(|()| out.finish()).map_err(fault)?;
    Ok(Answer { output, stream: None, read: gathered.bytes, written })
}

/// Runs one statement, in the transaction that the server makes for it alone.
pub(crate) async fn execute(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let asked = Asked::typed(&work.input, CODES)?;
    if statement::first_word(asked.sql) == "call" {
        return Err(failure::input("a procedure is called by the operation `call`"));
    }
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    if !statement::leaves_nothing(asked.sql) {
        lease.use_up();
    }
    let outcome = changing(lease.session()?, &asked, &work).await;
    lease.finish(outcome).await
}

async fn changing(session: &mut Session, asked: &Asked<'_>, work: &Work) -> Result<Answer, Error> {
    ready(session, work.remaining()).await?;
    let statement = session.prepare(asked.sql).await?;
    if !statement.columns.is_empty() {
        statement::gives_objects(&statement.columns)?;
    }
    let values = statement.values(asked.once(), &asked.types)?;
    session.run(&statement, &values).await?;
    let (output, read) = results(session, &work.limits).await?;
    if session.is_in_transaction() {
        return Err(failure::input("a transaction cannot be begun here (use `batch`, or one statement)"));
    }
    Ok(Answer { output, stream: None, read, written: write::bytes(&values) })
}

/// All that a statement gives, and bytes of data in it.
async fn results(session: &mut Session, limits: &Limits) -> Result<(Document, u64), Error> {
    let fault = |fault: Fault| CODES.fault(&fault);
    let (mut out, mut gathered) = (Builder::new(limits), Gathered::default());
    let mut changed = 0;
    out.begin_object().map_err(fault)?;
    loop {
        let (columns, whose) = match session.given(ANSWER_BYTES_MAX).await? {
            Given::Columns(columns, whose) => (columns, whose),
            Given::Ran { rows, .. } => {
                changed = u64::saturating_add(changed, rows);
                continue;
            }
            Given::Row(_) => return Err(failure::protocol("a row without columns")),
            Given::Ready => break,
        };
        // Not all of it is known before the statement runs.
        if whose != Whose::Statement || statement::gives_objects(&columns).is_err() {
            return Err(Error::new(
                Kind::Rejected,
                "mysql-columns",
                "the statement was executed, but two columns of the rows that it gave have one name, or it is a procedure's call (use `call`)",
            ));
        }
        out.key("returned").and_then(|()| out.begin_array()).map_err(fault)?;
        sql::gather(session, &columns, limits, &mut out, &mut gathered).await?;
        changed = gathered.rows;
        out.end().map_err(fault)?;
    }
    let rows = out.key("rows").and_then(|()| out.integer(i64::try_from(changed).unwrap_or(i64::MAX)));
    let output = rows.and_then(|()| out.end()).and_then(|()| out.finish()).map_err(fault)?;
    Ok((output, gathered.bytes))
}

/// Runs one statement many times, in one transaction.
pub(crate) async fn batch(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let asked = Asked::typed(&work.input, CODES)?;
    let lists = asked.lists()?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    if !statement::leaves_nothing(asked.sql) {
        lease.use_up();
    }
    let outcome = all_or_nothing(lease.session()?, &asked, lists, &work).await;
    // A transaction that is still open is undone when the connection is made as good as new.
    lease.finish(outcome).await
}

async fn all_or_nothing(
    session: &mut Session,
    asked: &Asked<'_>,
    lists: Vec<Node<'_>>,
    work: &Work,
) -> Result<Answer, Error> {
    ready(session, work.remaining()).await?;
    let statement = session.prepare(asked.sql).await?;
    if !statement.columns.is_empty() {
        return Err(failure::input("the statement gives rows, which a batch does not return (use `execute`)"));
    }
    // All before the first is sent: a parameter that cannot be given costs the database nothing.
    let values = |(at, list): (usize, &Node<'_>)| {
        statement.values(items(*list), &asked.types).map_err(|error| in_list(at, error))
    };
    let runs = lists.iter().enumerate().map(values).collect::<Result<Vec<_>, Error>>()?;
    session.say("start transaction").await?;
    let mut counts = Vec::with_capacity(runs.len());
    for values in &runs {
        counts.push(once(session, &statement, values).await.map_err(|error| in_list(counts.len(), error))?);
    }
    work.committed(CODES, session.say("commit")).await?;
    let output = work.built(CODES, |out| sql::counts(&counts, out))?;
    Ok(Answer { output, stream: None, read: 0, written: runs.iter().map(|values| write::bytes(values)).sum() })
}

/// One run of a batch; gives the rows that it changed.
async fn once(session: &mut Session, statement: &Statement, values: &[write::Value]) -> Result<u64, Error> {
    session.run(statement, values).await?;
    let mut count = 0;
    loop {
        match session.given(ANSWER_BYTES_MAX).await? {
            Given::Ran { rows, .. } => count = u64::saturating_add(count, rows),
            Given::Ready if session.is_in_transaction() => return Ok(count),
            Given::Ready => return Err(failure::input("the statement ended the batch's transaction")),
            Given::Columns(..) | Given::Row(_) => {
                return Err(failure::input("the statement gives rows, which a batch does not return (use `execute`)"));
            }
        }
    }
}

/// Signs in, and asks for an answer.
pub(crate) async fn test(pool: &Arc<Pool>, cx: &Context, deadline: Instant) -> Result<(), Error> {
    let mut lease = pool.lease(cx, Part::Ends, deadline).await?;
    let outcome = lease.session()?.ping().await;
    lease.finish(outcome).await
}
