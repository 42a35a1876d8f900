//! The operation `load`: what streams in goes into a table by `load data local`.
//!
//! In this protocol the server asks for a file by name, and a client that gave what it is asked for
//! would give away any. Here a connection that may be asked at all is opened for this one call and
//! closed after it, the name must be the one that the statement has, and what is sent is the stream
//! that came with the call. There is no way to a file of this machine.

use std::{borrow::Cow, sync::Arc};

use lockgate_connector_api::{
    Answer, Body, Context, Error, Kind,
    sql::{Load, Name, Typed, Work, quoted},
};
use lockgate_document::Node;

use crate::{
    calls::ready,
    failure::{self, CODES},
    moment,
    pool::Pool,
    session::{Given, Session},
    types::holds_bytes,
    wire::ANSWER_BYTES_MAX,
    write::{self, Value, Wrong},
};

/// The file of the statement.
const OFFERED: &str = "body";
/// Bytes of a piece that is sent at once: longer ones would need a packet of their own each.
const PIECE_BYTES_MAX: usize = 256 << 10;

/// How a column takes its values from a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As they are.
    Plain,
    /// A moment, which the server takes in UTC and without a `Z`.
    Timestamp,
    /// A number, which would be read as bytes.
    Bits,
    /// Bytes, in hexadecimal digits.
    Bytes,
}

/// Loads lines into a table, in one transaction.
pub(crate) async fn load(pool: &Arc<Pool>, cx: &Context, work: Work, stream: Option<Body>) -> Result<Answer, Error> {
    let mut load = Load::read(&work.input, stream, &work.limits, CODES)?;
    let mut lease = pool.lease_to_load(cx, work.deadline).await?;
    let outcome = rows(lease.session()?, &mut load, &work).await;
    // Where the stream broke off, the connection goes with all that it loaded.
    lease.finish(outcome).await
}

async fn rows(session: &mut Session, load: &mut Load<'_>, work: &Work) -> Result<Answer, Error> {
    ready(session, work.remaining()).await?;
    let forms = forms(session, load.table, &load.columns).await?;
    session.say("start transaction").await?;
    session.loads(&statement(load, &forms), OFFERED).await?;
    let mut lines = Vec::new();
    let form = |at: usize| forms.get(at).copied().unwrap_or(Form::Plain);
    while load.lines(&mut lines, |at, node| Ok(field(node, form(at))?.map(Cow::Owned))).await? {
        // An empty piece would be the end, which is told only after all of it.
        for piece in lines.chunks(PIECE_BYTES_MAX) {
            session.piece(piece).await?;
        }
        lines.clear();
    }
    session.piece(&[]).await?;
    let (rows, warnings) = match session.given(ANSWER_BYTES_MAX).await? {
        Given::Ran { rows, warnings } => (rows, warnings),
        _ => return Err(failure::protocol("a file that was given is not answered")),
    };
    if !session.is_in_transaction() {
        return Err(failure::protocol("the transaction has ended by itself"));
    }
    // The server cannot stop us from sending, so what it cuts or leaves out is a warning to it.
    if warnings > 0 {
        let words = session.warning().await?.map(|warning| warning.private().reveal().clone());
        return Err(Error::new(
            Kind::Rejected,
            "mysql-load",
            "lines do not fit the table as they are, so none of them was loaded",
        )
        .with_private(format!("{warnings} warnings; {}", words.unwrap_or_default())));
    }
    if rows != load.rows {
        return Err(failure::protocol("not all rows were loaded"));
    }
    work.committed(CODES, session.say("commit")).await?;
    let output = work.built(CODES, |out| {
        out.begin_object()?;
        out.key("rows")?;
        out.integer(i64::try_from(rows).unwrap_or(i64::MAX))?;
        out.end()
    })?;
    Ok(Answer { output, stream: None, read: 0, written: load.read })
}

/// The statement. The signs between values are the ones that the lines are written with.
fn statement(load: &Load<'_>, forms: &[Form]) -> String {
    let (mut columns, mut sets) = (Vec::new(), Vec::new());
    for (at, (name, form)) in load.columns.iter().zip(forms).enumerate() {
        let name = quoted(name, '`');
        let made = match form {
            Form::Plain | Form::Timestamp => None,
            Form::Bits => Some(format!("{name} = cast(@lockgate_{at} as unsigned)")),
            Form::Bytes => Some(format!("{name} = unhex(@lockgate_{at})")),
        };
        columns.push(if made.is_some() { format!("@lockgate_{at}") } else { name });
        sets.extend(made);
    }
    let sets = if sets.is_empty() { String::new() } else { format!(" set {}", sets.join(", ")) };
    format!(
        "load data local infile '{OFFERED}' into table {} character set utf8mb4 \
         fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n' ({}){sets}",
        load.table.quoted('`'),
        columns.join(", "),
    )
}

/// How each column takes its values. Whoever may do anything to a column may ask for its type.
async fn forms(session: &mut Session, table: Name<'_>, columns: &[&str]) -> Result<Vec<Form>, Error> {
    const SQL: &str = "select column_name, data_type from information_schema.columns \
         where table_schema = coalesce(?, database()) and table_name = ?";
    let schema = table.schema.map_or(Value::Null, |schema| Value::Text(schema.to_owned()));
    let known = session.pairs(SQL, &[schema, Value::Text(table.name.to_owned())]).await?;
    let form = |name: &&str| {
        let found = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let (_, of) = found.ok_or_else(|| {
            let text = "the table is not there, or has no such column, or the account may not load it";
            failure::input(text).with_private(format!("column `{name}`"))
        })?;
        Ok(match &*of.to_ascii_lowercase() {
            "timestamp" => Form::Timestamp,
            "bit" => Form::Bits,
            other if holds_bytes(other) => Form::Bytes,
            _ => Form::Plain,
        })
    };
    columns.iter().map(form).collect()
}

/// The text of a column's value.
fn field(node: Node<'_>, form: Form) -> Result<Option<String>, Wrong> {
    let of = (form == Form::Bytes).then_some(Typed::Bytes);
    let text = match write::parameter(node, of)? {
        Value::Bytes(bytes) => return Ok(Some(hex(&bytes))),
        Value::Null => return Ok(None),
        Value::Boolean(truth) => u8::from(truth).to_string(),
        Value::Signed(number) => number.to_string(),
        Value::Unsigned(number) => number.to_string(),
        Value::Double(_) => node.lexeme().unwrap_or_default().into_owned(),
        Value::Decimal(text) | Value::Text(text) => text,
    };
    Ok(Some(match form {
        Form::Plain | Form::Bytes => text,
        Form::Timestamp => moment::utc(&text).unwrap_or(text),
        Form::Bits if text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u64>().is_ok() => text,
        Form::Bits => return Err("is no number of bits"),
    }))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
