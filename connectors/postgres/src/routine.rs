//! The operation `call`: procedures and functions by name.
//!
//! What a routine takes and gives stands in the catalogue. From that the statement is written, each
//! value under the type of its parameter, so of several routines of one name the one that was found is
//! called. A function, and a procedure that gives cursors, runs in a transaction of its own; another
//! procedure in none, because it may commit by itself.

use std::sync::Arc;

use lockgate_connector_api::{
    Answer, Context, Error,
    sql::{self, Gathered, Routine, Work, quoted},
};
use lockgate_document::{Builder, Document, Fault};

use crate::{
    calls::{remaining_ms, undo},
    failure::{self, CODES},
    pool::Pool,
    session::Session,
    statement::{self, Statement},
};

/// Rows of what the catalogue says: the routine once for each of its parameters, in order. A schema
/// that is null is the search path.
const LOOK_UP: &str = "select p.oid, p.prokind, p.proretset, p.prorettype = 2278, \
     coalesce(p.proargmodes[a.n], case when a.n = p.pronargs and p.provariadic <> 0 then 'v' else 'i' end::\"char\"), \
     p.proargnames[a.n], pg_catalog.format_type(a.of, null), n.nspname \
     from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace \
     left join lateral pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[])) \
     with ordinality as a(of, n) on true \
     where p.proname = $2 and p.prokind in ('f', 'p') \
     and case when $1::text is null then pg_catalog.pg_function_is_visible(p.oid) else n.nspname = $1 end \
     and $3::int between p.pronargs - p.pronargdefaults and p.pronargs order by p.oid, a.n";

/// A parameter.
#[derive(Debug)]
struct Parameter {
    mode: Mode,
    name: String,
    of: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    In,
    InOut,
    Out,
    Variadic,
    /// A column of the rows that it gives.
    Column,
}

/// What the catalogue says.
#[derive(Debug)]
struct Found {
    oid: String,
    schema: String,
    is_procedure: bool,
    gives_rows: bool,
    gives_nothing: bool,
    parameters: Vec<Parameter>,
}

/// Calls a routine.
pub(crate) async fn call(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let routine = Routine::read(&work.input, CODES)?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    let outcome = called(lease.session()?, &routine, &work).await;
    lease.finish(outcome).await
}

async fn called(session: &mut Session, routine: &Routine<'_>, work: &Work) -> Result<Answer, Error> {
    let found = find(session, routine).await?;
    let statement = session.prepare_once(&found.statement(routine)?).await?;
    if !statement.columns.is_empty() {
        statement.gives_objects()?;
    }
    let values = statement.values(routine.parameters())?;
    let is_whole = !found.is_procedure || statement.columns.iter().any(|column| column.is_cursor());
    let timeout = remaining_ms(work);
    session.say(&if is_whole {
        format!("begin; set local statement_timeout = {timeout}")
    } else {
        format!("set statement_timeout = {timeout}")
    })?;
    session.run(&statement, &values)?;
    session.end_runs();
    if !is_whole {
        session.say_clean()?;
    }
    session.heard().await?;
    let given = given(session, &found, &statement, work).await;
    if is_whole {
        if given.is_err() {
            undo(session)?;
        } else {
            session.say("commit")?;
            session.say_clean()?;
            work.committed(CODES, session.heard()).await?;
        }
    } else if session.is_in_transaction() {
        return Err(failure::input("a transaction cannot be begun here"));
    }
    let (output, read) = given?;
    Ok(Answer { output, stream: None, read, written: statement::bytes(&values) })
}

/// What comes out of the routine, and the bytes of data in it.
async fn given(
    session: &mut Session,
    found: &Found,
    statement: &Statement,
    work: &Work,
) -> Result<(Document, u64), Error> {
    let fault = |fault: Fault| CODES.fault(&fault);
    session.bound().await?;
    let mut gathered = Gathered::default();
    let mut out = Builder::new(&work.limits);
    let has_cursors = statement.columns.iter().any(|column| column.is_cursor());
    if found.gives_rows && !has_cursors {
        let begun = out.begin_object().and_then(|()| out.key("output")).and_then(|()| out.begin_object());
        let begun = begun.and_then(|()| out.end()).and_then(|()| out.key("results"));
        begun.and_then(|()| out.begin_array()).and_then(|()| out.begin_array()).map_err(fault)?;
        sql::gather(session, statement, &work.limits, &mut out, &mut gathered).await?;
        let ended = out.end().and_then(|()| out.end()).and_then(|()| out.end());
        return Ok((ended.and_then(|()| out.finish()).map_err(fault)?, gathered.bytes));
    }
    let mut rows = Builder::new(&work.limits);
    rows.begin_array().map_err(fault)?;
    sql::gather(session, statement, &work.limits, &mut rows, &mut gathered).await?;
    let rows = rows.end().and_then(|()| rows.finish()).map_err(fault)?;
    let is_cursor = |name: &str| statement.columns.iter().any(|column| column.name == name && column.is_cursor());
    // Of rows that have cursors, what stands beside them is in none of the results.
    let only = if found.gives_rows || found.gives_nothing { None } else { rows.root().items().next() };
    let members = only.into_iter().flat_map(|row| row.entries()).filter(|(name, _)| !is_cursor(name));
    let begun = out.begin_object().and_then(|()| out.key("output")).and_then(|()| out.begin_object());
    begun.map_err(fault)?;
    for (name, value) in members {
        out.key(name).and_then(|()| out.value(value)).map_err(fault)?;
    }
    out.end().and_then(|()| out.key("results")).and_then(|()| out.begin_array()).map_err(fault)?;
    let cursors: Vec<&str> = rows
        .root()
        .items()
        .flat_map(|row| row.entries())
        .filter(|(name, _)| is_cursor(name))
        .filter_map(|(_, cursor)| cursor.as_str())
        .collect();
    for cursor in cursors {
        let fetch = session.prepare_once(&format!("fetch all from {}", quoted(cursor, '"'))).await?;
        fetch.gives_objects()?;
        session.run(&fetch, &Vec::new())?;
        session.end_runs();
        session.flush().await?;
        session.bound().await?;
        out.begin_array().map_err(fault)?;
        sql::gather(session, &fetch, &work.limits, &mut out, &mut gathered).await?;
        out.end().map_err(fault)?;
    }
    let ended = out.end().and_then(|()| out.end());
    Ok((ended.and_then(|()| out.finish()).map_err(fault)?, gathered.bytes))
}

/// The one routine of that name that takes so many parameters.
async fn find(session: &mut Session, routine: &Routine<'_>) -> Result<Found, Error> {
    let asked = vec![
        routine.name.schema.map(str::to_owned),
        Some(routine.name.name.to_owned()),
        Some(routine.parameters().len().to_string()),
    ];
    let rows = session.ask(LOOK_UP, &asked).await?;
    let mut found: Vec<Found> = Vec::new();
    for row in &rows {
        let text = |at: usize| row.get(at).cloned().flatten();
        let oid = text(0).unwrap_or_default();
        if found.last().is_none_or(|last| last.oid != oid) {
            found.push(Found {
                oid,
                schema: text(7).unwrap_or_default(),
                is_procedure: text(1).as_deref() == Some("p"),
                gives_rows: text(2).as_deref() == Some("t"),
                gives_nothing: text(3).as_deref() == Some("t"),
                parameters: Vec::new(),
            });
        }
        let mode = match text(4).as_deref() {
            Some("b") => Mode::InOut,
            Some("o") => Mode::Out,
            Some("v") => Mode::Variadic,
            Some("t") => Mode::Column,
            _ => Mode::In,
        };
        if let (Some(of), Some(last)) = (text(6), found.last_mut()) {
            last.parameters.push(Parameter { mode, name: text(5).unwrap_or_default(), of });
        }
    }
    let given = format!("`{}` with {} parameters", routine.name.quoted('"'), routine.parameters().len());
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => {
            let text = "there is no procedure or function of that name that takes so many parameters";
            Err(failure::input(text).with_private(given))
        }
        (Some(_), Some(_)) => {
            let text = "several routines of that name take so many parameters (call the one by a statement of its own)";
            Err(failure::input(text).with_private(given))
        }
    }
}

impl Found {
    /// The statement that calls it with the values that are given.
    fn statement(&self, routine: &Routine<'_>) -> Result<String, Error> {
        let given = routine.parameters().len();
        let (mut arguments, mut taken, mut skipped) = (Vec::new(), 0, false);
        for parameter in &self.parameters {
            let value = match parameter.mode {
                Mode::Column => continue,
                // Only a procedure is told a place for what comes out.
                Mode::Out if !self.is_procedure => continue,
                Mode::Out => format!("null::{}", parameter.of),
                // The rest have defaults.
                _ if taken == given => {
                    skipped = true;
                    continue;
                }
                _ => {
                    taken += 1;
                    format!("${taken}::{}", parameter.of)
                }
            };
            let variadic = if parameter.mode == Mode::Variadic { "variadic " } else { "" };
            if skipped && parameter.name.is_empty() {
                return Err(failure::input("a parameter without a name stands behind one that is left out"));
            }
            let name = if skipped { format!("{} => ", quoted(&parameter.name, '"')) } else { String::new() };
            arguments.push(format!("{variadic}{name}{value}"));
        }
        let name = format!("{}.{}", quoted(&self.schema, '"'), quoted(routine.name.name, '"'));
        let call = format!("{name}({})", arguments.join(", "));
        Ok(if self.is_procedure { format!("call {call}") } else { format!("select * from {call}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(parameters: &[(Mode, &str)], is_procedure: bool) -> Found {
        let parameters = parameters.iter().map(|(mode, name)| Parameter {
            mode: *mode,
            name: (*name).to_owned(),
            of: "int".to_owned(),
        });
        let (oid, schema) = ("1".to_owned(), "s".to_owned());
        Found { oid, schema, is_procedure, gives_rows: false, gives_nothing: false, parameters: parameters.collect() }
    }

    fn written(found: &Found, parameters: &str) -> Result<String, Error> {
        let input = format!(r#"{{"routine": "s.p\"q", "parameters": {parameters}}}"#);
        let input = Document::parse(input.as_bytes(), &lockgate_model::Limits::default()).unwrap();
        found.statement(&Routine::read(&input, CODES).unwrap())
    }

    #[test]
    fn each_parameter_has_its_place() {
        use Mode::{In, InOut, Out, Variadic};
        for (parameters, is_procedure, given, sql) in [
            (&[][..], true, "[]", r#"call "s"."p""q"()"#),
            (&[(In, "a"), (Out, "b"), (InOut, "c")], true, "[1, 2]", r#"call "s"."p""q"($1::int, null::int, $2::int)"#),
            (&[(In, "a"), (Out, "b")], false, "[1]", r#"select * from "s"."p""q"($1::int)"#),
            (&[(In, "a"), (In, "b"), (Out, "c")], true, "[1]", r#"call "s"."p""q"($1::int, "c" => null::int)"#),
            (&[(In, ""), (Variadic, "")], false, "[1, [2]]", r#"select * from "s"."p""q"($1::int, variadic $2::int)"#),
        ] {
            assert_eq!(written(&found(parameters, is_procedure), given).unwrap(), sql);
        }
        assert!(written(&found(&[(In, ""), (Out, "")], true), "[]").is_err());
    }
}
