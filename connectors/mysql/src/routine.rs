//! The operation `call`: procedures and functions by name.
//!
//! What a routine takes is asked of the server, so that a call gives values for what goes in alone.
//! It runs in a transaction of its own, unless it ends that by itself.

use std::sync::Arc;

use lockgate_connector_api::{
    Answer, Context, Error,
    sql::{self, Gathered, Routine, Typed, Work, quoted},
};
use lockgate_document::{Builder, Document, Fault, Node};
use lockgate_model::Limits;

use crate::{
    calls::ready,
    failure::{self, CODES},
    moment,
    pool::Pool,
    session::{Given, Session, Whose},
    statement,
    types::holds_bytes,
    wire::ANSWER_BYTES_MAX,
    write::{self, Value},
};

/// What a server says of a routine: its kind, and mode and type of each of its parameters.
const LOOK_UP: &str = "select r.routine_type, coalesce(concat(p.parameter_mode, ' ', p.data_type), '') \
     from information_schema.routines r left join information_schema.parameters p \
     on p.specific_schema = r.routine_schema and p.specific_name = r.specific_name \
     and p.routine_type = r.routine_type and p.ordinal_position > 0 \
     where r.routine_schema = coalesce(?, database()) and r.routine_name = ? \
     order by r.routine_type, p.ordinal_position";

/// What is called.
#[derive(Debug)]
struct Found {
    is_procedure: bool,
    /// The type of each parameter that a value goes into.
    takes: Vec<Option<Takes>>,
}

/// What a parameter takes that a value goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Bytes,
    /// A moment with an offset, or what the server reads of its own.
    Timestamp,
    Other,
}

/// Calls a routine.
pub(crate) async fn call(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let routine = Routine::read(&work.input, CODES)?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    // It may choose a role, which a reset keeps.
    lease.use_up();
    let session = lease.session()?;
    let outcome = called(session, &routine, &work).await;
    // A transaction that is still open is undone with the connection.
    lease.finish(outcome).await
}

async fn called(session: &mut Session, routine: &Routine<'_>, work: &Work) -> Result<Answer, Error> {
    ready(session, work.remaining()).await?;
    session.say("start transaction").await?;
    let (output, read, written) = run(session, routine, &work.limits).await?;
    if session.is_in_transaction() {
        work.committed(CODES, session.say("commit")).await?;
    }
    Ok(Answer { output, stream: None, read, written })
}

/// Calls it within a transaction: what comes out, and the bytes of data both ways.
pub(crate) async fn run(
    session: &mut Session,
    routine: &Routine<'_>,
    limits: &Limits,
) -> Result<(Document, u64, u64), Error> {
    let found = find(session, routine).await?;
    let name = routine.name.quoted('`');
    let signs = vec!["?"; found.takes.len()].join(", ");
    let sql = if found.is_procedure {
        format!("call {name}({signs})")
    } else {
        format!("select {name}({signs}) as {}", quoted(routine.name.name, '`'))
    };
    let statement = session.prepare(&sql).await?;
    let mut given = routine.parameters();
    let wanted = found.takes.iter().flatten().count();
    if given.len() != wanted {
        let detail = format!("{} are given, the routine takes {wanted}", given.len());
        return Err(failure::input("the number of parameters is not the routine's").with_private(detail));
    }
    let value = |takes: &Option<Takes>| match (takes, takes.and_then(|_| given.next())) {
        (Some(takes), Some(node)) => one(node, *takes),
        _ => Ok(Value::Null),
    };
    let values = found.takes.iter().map(value).collect::<Result<Vec<_>, Error>>()?;
    session.run(&statement, &values).await?;
    let (output, read) = results(session, found.is_procedure, limits).await?;
    Ok((output, read, write::bytes(&values)))
}

fn one(node: Node<'_>, takes: Takes) -> Result<Value, Error> {
    let of = match takes {
        Takes::Bytes => Some(Typed::Bytes),
        Takes::Timestamp if node.as_str().is_some_and(|text| moment::utc(text).is_some()) => Some(Typed::Timestamp),
        Takes::Timestamp | Takes::Other => None,
    };
    write::parameter(node, of)
        .map_err(|wrong| failure::input("a parameter cannot be given to the server").with_private(wrong))
}

/// All that comes out of a routine, and bytes of data in it.
async fn results(session: &mut Session, is_procedure: bool, limits: &Limits) -> Result<(Document, u64), Error> {
    let fault = |fault: Fault| CODES.fault(&fault);
    let (mut out, mut gathered) = (Builder::new(limits), Gathered::default());
    let mut row = Builder::new(limits);
    row.begin_array().map_err(fault)?;
    out.begin_object().and_then(|()| out.key("results")).and_then(|()| out.begin_array()).map_err(fault)?;
    loop {
        let (columns, whose) = match session.given(ANSWER_BYTES_MAX).await? {
            Given::Columns(columns, whose) => (columns, whose),
            Given::Ran { .. } => continue,
            Given::Row(_) => return Err(failure::protocol("a row without columns")),
            Given::Ready => break,
        };
        // It is known when the routine runs, and undone with it.
        statement::gives_objects(&columns)?;
        if is_procedure && whose != Whose::Parameters {
            out.begin_array().map_err(fault)?;
            sql::gather(session, &columns, limits, &mut out, &mut gathered).await?;
            out.end().map_err(fault)?;
        } else {
            sql::gather(session, &columns, limits, &mut row, &mut gathered).await?;
        }
    }
    let row = row.end().and_then(|()| row.finish()).map_err(fault)?;
    out.end().and_then(|()| out.key("output")).map_err(fault)?;
    let written = match row.root().items().next() {
        Some(row) => out.value(row),
        None => out.begin_object().and_then(|()| out.end()),
    };
    let output = written.and_then(|()| out.end()).and_then(|()| out.finish()).map_err(fault)?;
    Ok((output, gathered.bytes))
}

fn takes(mode: &str, of: &str) -> Option<Takes> {
    let takes = match of.eq_ignore_ascii_case("timestamp") {
        true => Takes::Timestamp,
        false if holds_bytes(of) => Takes::Bytes,
        false => Takes::Other,
    };
    (mode != "OUT").then_some(takes)
}

/// What the server says of the routine.
async fn find(session: &mut Session, routine: &Routine<'_>) -> Result<Found, Error> {
    let schema = routine.name.schema.map_or(Value::Null, |schema| Value::Text(schema.to_owned()));
    let rows = session.pairs(LOOK_UP, &[schema, Value::Text(routine.name.name.to_owned())]).await?;
    let is_procedure = rows.first().is_some_and(|(of, _)| of == "PROCEDURE");
    let refused = match (rows.first(), rows.last()) {
        (Some((one, _)), Some((other, _))) if one == other => {
            let parameters = rows.iter().filter_map(|(_, told)| told.split_once(' '));
            return Ok(Found { is_procedure, takes: parameters.map(|(mode, of)| takes(mode, of)).collect() });
        }
        (Some(_), Some(_)) => "a procedure and a function have that name (call the one by a statement of its own)",
        _ => "there is no procedure or function of that name that the account may call",
    };
    Err(failure::input(refused).with_private(routine.name.quoted('`')))
}
