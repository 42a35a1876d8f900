//! The operation `load`: what streams in goes into a table by `copy … from stdin`.
//!
//! The types of the columns are those of an insert into them, which is prepared and never run: whoever
//! may load rows may do that, and need not be able to read them.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_connector_api::{
    Answer, Body, Context, Error,
    sql::{Content, Load, Work},
};
use lockgate_document::Node;

use crate::{
    calls::{remaining_ms, undo},
    failure::{self, CODES},
    moment,
    pool::Pool,
    session::{Given, Session},
    types::{Form, Type},
    write::{self, Wrong},
};

/// Loads lines into a table, in one transaction.
pub(crate) async fn load(pool: &Arc<Pool>, cx: &Context, work: Work, stream: Option<Body>) -> Result<Answer, Error> {
    let mut load = Load::read(&work.input, stream, &work.limits, CODES)?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    let outcome = rows(lease.session()?, &mut load, &work).await;
    lease.finish(outcome).await
}

async fn rows(session: &mut Session, load: &mut Load<'_>, work: &Work) -> Result<Answer, Error> {
    let into = format!("{} ({})", load.table.quoted('"'), load.quoted_columns('"'));
    let values: Vec<String> = (1..=load.columns.len()).map(|n| format!("${n}")).collect();
    let target = session.prepare_once(&format!("insert into {into} values ({})", values.join(", "))).await?;
    session.say(&format!("begin; set local statement_timeout = {}", remaining_ms(work)))?;
    session.heard().await?;
    let copied = copy(session, load, &format!("copy {into} from stdin"), &target.parameters).await;
    if copied.is_err() {
        undo(session)?;
    }
    copied?;
    session.say("commit")?;
    session.say_clean()?;
    work.committed(CODES, session.heard()).await?;
    let output = work.built(CODES, |out| {
        out.begin_object()?;
        out.key("rows")?;
        out.integer(i64::try_from(load.rows).unwrap_or(i64::MAX))?;
        out.end()
    })?;
    Ok(Answer { output, stream: None, read: 0, written: load.read })
}

async fn copy(session: &mut Session, load: &mut Load<'_>, sql: &str, types: &[Arc<Type>]) -> Result<(), Error> {
    session.copy(sql).await?;
    let content = load.content;
    let mut lines = Vec::new();
    let given_up = loop {
        let read = load.lines(&mut lines, |at, node| types.get(at).map_or(Ok(None), |of| field(node, of, content)));
        match read.await {
            Ok(true) => {}
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
        if !session.piece(&lines).await? {
            break Some(failure::protocol("a copy is interrupted without an error"));
        }
        lines.clear();
    };
    session.end_copy(given_up.is_none())?;
    session.flush().await?;
    let mut counted = 0;
    let ended = loop {
        match session.given(0).await {
            Ok(Given::Ran(rows)) => counted = rows,
            Ok(Given::Row(_) | Given::Copied(_)) => break Err(failure::protocol("rows in the place of a copy's end")),
            Ok(Given::Ready) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    match (given_up, ended) {
        // Why we gave up; what the server says of that is only that we did, unless it began.
        (Some(own), Err(error)) if own.code() == failure::PROTOCOL => Err(error),
        (Some(own), _) => Err(own),
        (None, Err(error)) => Err(error),
        (None, Ok(())) if counted == load.rows => Ok(()),
        (None, Ok(())) => Err(failure::protocol("not all rows were copied")),
    }
}

/// The text of a column's value. A field of CSV is what the server writes, or what stands for it in a
/// document.
fn field<'n>(node: Node<'n>, of: &Type, content: Content) -> Result<Option<Cow<'n, str>>, Wrong> {
    let parameter = || Ok(write::parameter(node, of)?.map(Cow::Owned));
    let Some(text) = node.as_str().filter(|_| content == Content::Csv) else { return parameter() };
    if text.contains('\0') {
        return Err("holds the character U+0000, which PostgreSQL cannot store");
    }
    let ours = match of.form {
        Form::Bytes if text.starts_with("\\x") => None,
        Form::Bytes => {
            STANDARD.decode(text).map_err(|_| "is no base64, and no `\\x` with hexadecimal digits")?;
            return parameter();
        }
        Form::Date => moment::date_in(text).ok(),
        Form::Timestamp => moment::timestamp_in(text, false).ok(),
        Form::TimestampTz => moment::timestamp_in(text, true).ok(),
        // The server would cut off the rest in silence.
        Form::Short(_) => return parameter(),
        _ => None,
    };
    Ok(Some(ours.map_or(Cow::Borrowed(text), Cow::Owned)))
}
