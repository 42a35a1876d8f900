//! The operation `load`: the content of a file that streams in goes into a table.
//!
//! In this protocol the server asks for a file by name, and a client that gave what it is asked for
//! would give away any. Here a connection that may be asked at all is opened for this one call and
//! closed after it, the name must be the one that the statement has, and what is sent is the stream
//! that came with the call. There is no way to a file of this machine.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::StreamExt as _;
use lockgate_connector_api::{
    Answer, Body, Context, Error, Kind,
    sql::{Asked, Work},
};
use lockgate_document::Document;

use crate::{
    calls,
    failure::{self, CODES},
    pool::Pool,
    session::{Given, Session},
    wire::ANSWER_BYTES_MAX,
};

/// The file of the statement.
const OFFERED: &str = "body";
/// Bytes of a piece that is sent at once: longer ones would need a packet of their own each.
const PIECE_BYTES_MAX: usize = 256 << 10;

/// Loads lines into a table, in one transaction.
pub(crate) async fn load(pool: &Arc<Pool>, cx: &Context, work: Work, stream: Option<Body>) -> Result<Answer, Error> {
    let asked = Asked::read_beside(&work.input, &["body", "body_base64"], CODES)?;
    if asked.once().len() > 0 {
        return Err(failure::input("`load` takes no parameters"));
    }
    if !loads_the_stream(asked.sql) {
        return Err(failure::input("the statement must begin with `load data local infile 'body'`"));
    }
    let body = content(&work.input, stream)?;
    let mut lease = pool.lease_to_load(cx, work.deadline).await?;
    let outcome = lines(lease.session()?, asked.sql, body, &work).await;
    // Where the stream broke off, the connection goes with all that it loaded.
    lease.finish(outcome).await
}

/// Whether a statement begins as one does that loads the file offered, and nothing else.
fn loads_the_stream(sql: &str) -> bool {
    let words: Vec<String> = sql.split_whitespace().take(6).map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| !matches!(*w, "low_priority" | "concurrent")).collect();
    matches!(words[..], ["load", "data", "local", "infile", "'body'", ..])
}

fn content(input: &Document, stream: Option<Body>) -> Result<Body, Error> {
    let (text, base64) = (input.root().get("body"), input.root().get("body_base64"));
    match (stream, text.is_undefined(), base64.is_undefined()) {
        (Some(stream), true, true) => Ok(stream),
        (None, false, true) => {
            let text = text.as_str().ok_or_else(|| failure::input("`body` must be a text"))?;
            Ok(Body::full(text.as_bytes().to_vec()))
        }
        (None, true, false) => {
            let bytes = base64.as_str().and_then(|text| STANDARD.decode(text).ok());
            bytes.map(Body::full).ok_or_else(|| failure::input("`body_base64` is no base64"))
        }
        (None, true, true) => Err(failure::input("there is no content: give `body`, `body_base64` or a streamed body")),
        _ => Err(failure::input("more than one of `body`, `body_base64` and a streamed body is given")),
    }
}

async fn lines(session: &mut Session, sql: &str, body: Body, work: &Work) -> Result<Answer, Error> {
    calls::ready(session, work.remaining()).await?;
    session.say("start transaction").await?;
    session.loads(sql, OFFERED).await?;
    let written = send(session, body).await?;
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
    work.committed(CODES, session.say("commit")).await?;
    let output = work.built(CODES, |out| {
        out.begin_object()?;
        out.key("rows")?;
        out.integer(i64::try_from(rows).unwrap_or(i64::MAX))?;
        out.end()
    })?;
    Ok(Answer { output, stream: None, read: 0, written })
}

/// Sends the content up to its end; gives its bytes. The end is told only after all of it.
async fn send(session: &mut Session, mut body: Body) -> Result<u64, Error> {
    let (length, mut sent) = (body.length(), 0);
    while let Some(piece) = body.next().await.transpose()? {
        // An empty piece would be the end.
        for part in piece.chunks(PIECE_BYTES_MAX) {
            session.piece(part).await?;
            sent += part.len() as u64;
        }
    }
    if length.is_some_and(|length| length != sent) {
        return Err(failure::input("the streamed body is not as long as was said"));
    }
    session.piece(&[]).await?;
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_loads_the_stream_is_taken() {
        for sql in [
            "load data local infile 'body' into table t",
            "LOAD DATA\n LOCAL INFILE 'body' INTO TABLE t",
            "load data concurrent local infile 'body' replace into table t",
        ] {
            assert!(loads_the_stream(sql), "{sql}");
        }
        for sql in [
            "load data infile 'body' into table t",
            "load data local infile '/etc/passwd' into table t",
            "load data local infile 'body''s' into table t",
            "load data local infile \"body\" into table t",
            "load xml local infile 'body' into table t",
            "/* x */ load data local infile 'body' into table t",
            "delete from t",
            "",
        ] {
            assert!(!loads_the_stream(sql), "{sql}");
        }
    }
}
