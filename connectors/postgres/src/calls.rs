//! The operations: each borrows a connection, runs its statement and leaves the connection clean.

use std::{sync::Arc, time::Instant};

use lockgate_connector_api::{
    Answer, Context, Error, Part, Streamed,
    sql::{self, Asked, Gathered, Work, in_list},
};
use lockgate_document::{Builder, Fault, Node};

use crate::{
    failure::{self, CODES},
    pool::{Lease, Pool},
    session::{Given, Session},
    statement::{self, Statement, Values},
};

/// Runs of a batch that are sent before their counts are read.
pub(crate) const RUNS_AT_ONCE: usize = 1_000;

/// Reads rows in a read-only transaction, which is undone in any case: nothing that the statement
/// does to its session outlives it.
pub(crate) async fn query(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let asked = Asked::read(&work.input, CODES)?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    let begin = format!("begin read only; set local statement_timeout = {}", remaining_ms(&work));
    let begun = start(&mut lease, &asked, &begin, Statement::gives_objects, undo);
    let (statement, written) = match begun.await {
        Ok(begun) => begun,
        Err(error) => return lease.finish(Err(error)).await,
    };
    if work.stream {
        let output = work.built(CODES, |out| {
            out.begin_object()?;
            out.key("columns")?;
            statement.describe(out)?;
            out.end()
        })?;
        let fields = statement.columns.iter().map(|column| column.name.clone()).collect();
        let records = sql::stream(lease, statement, fields, work.limits, work.deadline);
        return Ok(Answer { output, stream: Some(Streamed::Records(records)), read: 0, written });
    }
    let outcome = whole(lease.session()?, &statement, &work, written).await;
    lease.finish(outcome).await
}

async fn whole(session: &mut Session, statement: &Statement, work: &Work, written: u64) -> Result<Answer, Error> {
    let fault = |fault: Fault| CODES.fault(&fault);
    let (mut out, mut gathered) = (Builder::new(&work.limits), Gathered::default());
    out.begin_object().and_then(|()| out.key("rows")).and_then(|()| out.begin_array()).map_err(fault)?;
    sql::gather(session, statement, &work.limits, &mut out, &mut gathered).await?;
    let described = out
        .end()
        .and_then(|()| out.key("columns"))
        .and_then(|()| statement.describe(&mut out))
        .and_then(|()| out.end());
    let output = described.and_then(|()| out.finish()).map_err(fault)?;
    Ok(Answer { output, stream: None, read: gathered.bytes, written })
}

/// Runs one statement, in the transaction that the server makes for it alone.
pub(crate) async fn execute(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let asked = Asked::read(&work.input, CODES)?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    let begin = format!("set statement_timeout = {}", remaining_ms(&work));
    let returns = |statement: &Statement| if statement.columns.is_empty() { Ok(()) } else { statement.gives_objects() };
    let begun = start(&mut lease, &asked, &begin, returns, Session::say_clean).await;
    let outcome = match begun {
        Ok((statement, written)) => changed(lease.session()?, &statement, &work, written).await,
        Err(error) => Err(error),
    };
    lease.finish(outcome).await
}

async fn changed(session: &mut Session, statement: &Statement, work: &Work, written: u64) -> Result<Answer, Error> {
    let fault = |fault: Fault| CODES.fault(&fault);
    let (mut out, mut gathered) = (Builder::new(&work.limits), Gathered::default());
    out.begin_object().and_then(|()| out.key("returned")).and_then(|()| out.begin_array()).map_err(fault)?;
    sql::gather(session, statement, &work.limits, &mut out, &mut gathered).await?;
    out.end().map_err(fault)?;
    if session.is_in_transaction() {
        return Err(failure::input("a transaction cannot be begun here (use `batch`, or one statement)"));
    }
    let rows = |out: &mut Builder| {
        out.key("rows")?;
        out.integer(i64::try_from(gathered.counted).unwrap_or(i64::MAX))?;
        out.end()
    };
    let output = if statement.columns.is_empty() {
        work.built(CODES, |out| {
            out.begin_object()?;
            rows(out)
        })?
    } else {
        rows(&mut out).and_then(|()| out.finish()).map_err(fault)?
    };
    Ok(Answer { output, stream: None, read: gathered.bytes, written })
}

/// Runs one statement many times, in one transaction.
pub(crate) async fn batch(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let asked = Asked::read(&work.input, CODES)?;
    let lists = asked.lists()?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    let outcome = all_or_nothing(lease.session()?, asked.sql, lists, &work).await;
    // A transaction that is still open is undone with its connection.
    lease.finish(outcome).await
}

async fn all_or_nothing(session: &mut Session, sql: &str, lists: Vec<Node<'_>>, work: &Work) -> Result<Answer, Error> {
    let (statement, runs) = begin_runs(session, sql, &lists, work).await?;
    let mut counts = Vec::with_capacity(runs.len());
    for (at, some) in runs.chunks(RUNS_AT_ONCE).enumerate() {
        if at > 0 {
            send(session, &statement, some).await?;
        }
        let before = counts.len();
        loop {
            match session.given(0).await {
                Ok(Given::Ran(rows)) => counts.push(rows),
                Ok(Given::Row(_) | Given::Copied(_)) => {
                    return Err(failure::protocol("a row of a statement that has none"));
                }
                Ok(Given::Ready) => break,
                Err(error) => {
                    undo(session)?;
                    return Err(in_list(counts.len(), error));
                }
            }
        }
        if counts.len() != before + some.len() || !session.is_in_transaction() {
            undo(session)?;
            return Err(failure::input("the statement is empty, or ended the batch's transaction"));
        }
    }
    session.say("commit")?;
    // Also after a commit that fails: not all that a statement leaves is undone with its transaction.
    session.say_clean()?;
    work.committed(CODES, session.heard()).await?;
    let output = work.built(CODES, |out| sql::counts(&counts, out))?;
    Ok(Answer { output, stream: None, read: 0, written: runs.iter().map(statement::bytes).sum() })
}

/// Prepares the statement, begins the transaction and sends the first runs. Gives the statement and
/// all runs when the server has begun the first.
async fn begin_runs(
    session: &mut Session,
    sql: &str,
    lists: &[Node<'_>],
    work: &Work,
) -> Result<(Arc<Statement>, Vec<Values>), Error> {
    let mut anew = false;
    loop {
        let statement = session.prepare(sql).await?;
        if !statement.columns.is_empty() {
            return Err(failure::input("the statement gives rows, which a batch does not return (use `execute`)"));
        }
        // All before the first is sent: a parameter that does not fit costs the database nothing.
        let values =
            |(at, list): (usize, &Node<'_>)| statement.values(sql::items(*list)).map_err(|error| in_list(at, error));
        let runs = lists.iter().enumerate().map(values).collect::<Result<Vec<Values>, Error>>()?;
        session.say(&format!("begin; set local statement_timeout = {}", remaining_ms(work)))?;
        session.heard().await?;
        let Some(first) = runs.chunks(RUNS_AT_ONCE).next() else { return Ok((statement, runs)) };
        send(session, &statement, first).await?;
        match session.bound().await {
            Ok(()) => return Ok((statement, runs)),
            // It was altered or forgotten since it was prepared; nothing has run.
            Err(error) if error.code() == failure::GONE && !anew => {
                session.say("rollback")?;
                session.settle().await?;
                anew = true;
            }
            Err(error) => {
                undo(session)?;
                return Err(in_list(0, error));
            }
        }
    }
}

pub(crate) async fn send(session: &mut Session, statement: &Statement, runs: &[Values]) -> Result<(), Error> {
    for values in runs {
        session.run(statement, values)?;
    }
    session.end_runs();
    session.flush().await
}

pub(crate) fn undo(session: &mut Session) -> Result<(), Error> {
    session.say("rollback")?;
    session.say_clean()
}

/// Signs in, and asks for an answer.
pub(crate) async fn test(pool: &Arc<Pool>, cx: &Context, deadline: Instant) -> Result<(), Error> {
    let mut lease = pool.lease(cx, Part::Ends, deadline).await?;
    let session = lease.session()?;
    session.say("select 1")?;
    session.heard().await?;
    lease.finish(Ok(())).await
}

/// Prepares and starts a statement: `begin`, the run and `end` go out together. Gives the statement
/// when the server has begun to run it, and the bytes of its parameters.
async fn start(
    lease: &mut Lease,
    asked: &Asked<'_>,
    begin: &str,
    check: impl Fn(&Statement) -> Result<(), Error>,
    end: impl Fn(&mut Session) -> Result<(), Error>,
) -> Result<(Arc<Statement>, u64), Error> {
    let session = lease.session()?;
    let mut anew = false;
    loop {
        let statement = session.prepare(asked.sql).await?;
        check(&statement)?;
        let values = statement.values(asked.once())?;
        session.say(begin)?;
        session.run(&statement, &values)?;
        session.end_runs();
        end(session)?;
        session.heard().await?;
        match session.bound().await {
            Ok(()) => return Ok((statement, statement::bytes(&values))),
            // It was altered or forgotten since it was prepared; nothing has run.
            Err(error) if error.code() == failure::GONE && !anew => {
                session.settle().await?;
                anew = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Milliseconds until the deadline.
pub(crate) fn remaining_ms(work: &Work) -> u128 {
    work.remaining().as_millis().min(i32::MAX as u128)
}
