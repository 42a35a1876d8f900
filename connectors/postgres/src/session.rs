//! One connection, signed in: statements go out, rows and counts come back.
//!
//! Requests are written one after the other and answered in that order, so a whole call (begin, run,
//! clean up) is one round trip once its statement is known.

mod prepare;

use std::{collections::VecDeque, io, mem, sync::Arc};

use aws_lc_rs::rand;
use bytes::{Bytes, BytesMut};
use fallible_iterator::FallibleIterator as _;
use lockgate_connector_api::{
    Error, Kind, Route,
    sql::{self, Codes, Row},
};
use lockgate_document::Builder;
use lockgate_model::Limits;
use postgres_protocol::{
    IsNull,
    message::{
        backend::{DataRowBody, Message},
        frontend::{self, BindError},
    },
};

use crate::{
    catalogue::Types,
    failure::{self, Reported},
    read,
    signin::CancelKey,
    statement::{Statement, Values},
    wire::{MESSAGE_BYTES_MAX, Wire},
};

/// Statements that stay prepared in a connection; beyond it the one used longest ago goes.
const STATEMENTS_MAX: usize = 64;

/// Undoes what a statement may have left in the connection, as `discard all` does, but keeps the
/// prepared statements. Its one row says whether any of them was prepared by a statement (`prepare`),
/// be it under a name of ours: the protocol's own are ours alone.
const CLEAN: &str = "close all; set session authorization default; reset all; unlisten *; discard temp; \
     discard sequences; select pg_catalog.pg_advisory_unlock_all(), \
     exists (select from pg_catalog.pg_prepared_statements where from_sql)";

/// A connection.
pub(crate) struct Session {
    wire: Wire,
    /// The addresses by which it goes.
    pub route: Route,
    /// What a cancel request for it names.
    pub key: CancelKey,
    /// Prepared statements by their text, the one used last at the end.
    statements: Vec<(String, Arc<Statement>)>,
    /// What their names begin with. No statement of a caller's can have it by chance or by guessing.
    prefix: String,
    /// Statements prepared so far: their names are never used twice.
    prepared: u64,
    types: Types,
    /// Requests that the server has not become ready after, the oldest first.
    awaited: VecDeque<Request>,
    in_transaction: bool,
    /// The server copies out.
    is_copying: bool,
    /// Rows that the runs of a request have counted so far.
    counted: u64,
    /// A call has left something that is not undone: it must not serve another.
    is_marked: bool,
}

/// Whose statements a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Ours,
    Callers,
    /// Ours, that makes the connection as good as new.
    Clean,
}

/// What a running statement gives.
pub(crate) enum Given {
    /// A row.
    Row(DataRowBody),
    /// It ran to its end and counted so many rows.
    Ran(u64),
    /// A piece of what it copies out.
    Copied(Bytes),
    /// The server is ready for the next one.
    Ready,
}

impl Session {
    /// A connection that has just signed in.
    pub fn new(wire: Wire, route: Route, key: CancelKey) -> Result<Self, Error> {
        let mut random = [0; 8];
        rand::fill(&mut random).map_err(|_| {
            Error::new(Kind::Unavailable, "postgres-random", "this machine gives no random numbers for names")
        })?;
        Ok(Self {
            wire,
            route,
            key,
            statements: Vec::new(),
            prefix: format!("lockgate_{:016x}", u64::from_be_bytes(random)),
            prepared: 0,
            types: Types::default(),
            awaited: VecDeque::new(),
            in_transaction: false,
            is_copying: false,
            counted: 0,
            is_marked: false,
        })
    }

    /// Whether the last request left a transaction open.
    pub fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Writes statements of ours that need no parameters; [`Session::heard`] answers them.
    pub fn say(&mut self, sql: &str) -> Result<(), Error> {
        self.say_as(Request::Ours, sql)
    }

    /// Writes what makes the connection as good as new, as far as that goes.
    pub fn say_clean(&mut self) -> Result<(), Error> {
        self.say_as(Request::Clean, CLEAN)
    }

    fn say_as(&mut self, request: Request, sql: &str) -> Result<(), Error> {
        self.wire.write(|out| frontend::query(sql, out))?;
        self.awaited.push_back(request);
        Ok(())
    }

    /// Sends what is written and waits for the answer of the oldest request.
    pub async fn heard(&mut self) -> Result<(), Error> {
        self.wire.flush().await?;
        loop {
            let is_clean = self.awaited.front() == Some(&Request::Clean);
            match self.given(MESSAGE_BYTES_MAX).await? {
                Given::Ready => return Ok(()),
                Given::Row(row) if is_clean => self.is_marked |= column(&row, 1) != Some("f"),
                Given::Row(_) | Given::Ran(_) | Given::Copied(_) => {}
            }
        }
    }

    /// Answers all requests that are left.
    pub async fn settle(&mut self) -> Result<(), Error> {
        while !self.awaited.is_empty() {
            self.heard().await?;
        }
        Ok(())
    }

    /// Writes one run of a statement; [`Session::end_runs`] ends one or more of them.
    pub fn run(&mut self, statement: &Statement, values: &Values) -> Result<(), Error> {
        self.wire.write(|out| run(&statement.name, values, out))
    }

    /// Ends a request of runs.
    pub fn end_runs(&mut self) {
        self.counted = 0;
        self.sync(Request::Callers);
    }

    fn sync(&mut self, request: Request) {
        self.awaited.push_back(request);
        self.wire.sync();
    }

    /// Sends what is written.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.wire.flush().await
    }

    /// Waits until the run is accepted with its parameters.
    pub async fn bound(&mut self) -> Result<(), Error> {
        match self.wire.receive(MESSAGE_BYTES_MAX).await? {
            Message::BindComplete => Ok(()),
            Message::ErrorResponse(body) => Err(self.refused(&Reported::read(&body)).await),
            _ => Err(failure::protocol("a run is not accepted")),
        }
    }

    /// Starts a `copy` of ours and waits until the server takes or gives it.
    pub async fn copy(&mut self, sql: &str) -> Result<(), Error> {
        self.say_as(Request::Callers, sql)?;
        self.flush().await?;
        match self.wire.receive(MESSAGE_BYTES_MAX).await? {
            Message::CopyInResponse(_) => Ok(()),
            Message::CopyOutResponse(_) => {
                self.is_copying = true;
                Ok(())
            }
            Message::ErrorResponse(body) => Err(self.refused(&Reported::read(&body)).await),
            _ => Err(failure::protocol("a copy does not begin")),
        }
    }

    /// Sends a piece of what is copied in. False when the server has something to say about what it
    /// got: an error, because nothing else comes then.
    pub async fn piece(&mut self, piece: &[u8]) -> Result<bool, Error> {
        self.wire.write(|out| frontend::CopyData::new(piece).map(|data| data.write(out)))?;
        self.flush().await?;
        Ok(self.wire.is_quiet())
    }

    /// Ends what is copied in: all of it was sent, or nothing of it shall be taken.
    pub fn end_copy(&mut self, is_whole: bool) -> Result<(), Error> {
        self.wire.write(|out| {
            if is_whole {
                frontend::copy_done(out);
                return Ok(());
            }
            frontend::copy_fail("given up", out)
        })
    }

    /// What comes next, rows of at most `row_bytes_max`. An error of the server's is given when it
    /// has become ready again.
    pub async fn given(&mut self, row_bytes_max: usize) -> Result<Given, Error> {
        loop {
            match self.wire.receive(row_bytes_max).await? {
                Message::DataRow(row) => return Ok(Given::Row(row)),
                Message::CommandComplete(body) => {
                    let counted = body.tag().ok().and_then(|tag| tag.rsplit(' ').next()?.parse().ok());
                    return Ok(Given::Ran(counted.unwrap_or(0)));
                }
                Message::ReadyForQuery(body) => {
                    self.ready(body.status());
                    return Ok(Given::Ready);
                }
                Message::ErrorResponse(body) => return Err(self.refused(&Reported::read(&body)).await),
                Message::BindComplete
                | Message::ParseComplete
                | Message::CloseComplete
                | Message::RowDescription(_)
                | Message::NoData
                | Message::EmptyQueryResponse => {}
                Message::CopyData(body) if self.is_copying => return Ok(Given::Copied(body.into_bytes())),
                Message::CopyDone if self.is_copying => self.is_copying = false,
                Message::CopyInResponse(_) | Message::CopyOutResponse(_) => {
                    return Err(failure::input("`copy` to and from the client is what `load` and `unload` do"));
                }
                _ => return Err(failure::protocol("a message that answers nothing")),
            }
        }
    }

    fn ready(&mut self, status: u8) {
        self.awaited.pop_front();
        self.in_transaction = status != b'I';
    }

    /// The error that the server reports, once it is ready again; a server that ends the connection
    /// never is.
    async fn refused(&mut self, reported: &Reported) -> Error {
        let error = reported.error();
        if error.code() == failure::GONE {
            // What was altered for one may be so for others. None stays behind at the server.
            for (_, statement) in mem::take(&mut self.statements) {
                let _ = self.wire.write(|out| frontend::close(b'S', &statement.name, out));
            }
        }
        loop {
            match self.wire.receive(MESSAGE_BYTES_MAX).await {
                Ok(Message::ReadyForQuery(body)) => {
                    self.ready(body.status());
                    return error;
                }
                Ok(_) => {}
                Err(_) => return error,
            }
        }
    }
}

impl sql::Session for Session {
    type Columns = Statement;

    const CODES: Codes = failure::CODES;

    fn route(&self) -> Route {
        self.route
    }

    fn is_quiet(&mut self) -> bool {
        self.wire.is_quiet()
    }

    fn is_running(&self) -> bool {
        self.awaited.contains(&Request::Callers)
    }

    async fn ping(&mut self) -> Result<(), Error> {
        self.sync(Request::Ours);
        self.heard().await
    }

    async fn renew(&mut self) -> Result<bool, Error> {
        self.settle().await?;
        Ok(!self.in_transaction && !self.is_marked)
    }

    async fn close(self) {
        self.wire.close().await;
    }

    async fn row(&mut self, columns: &Statement, limits: &Limits, out: &mut Builder) -> Result<Row, Error> {
        loop {
            match self.given(sql::row_bytes_max(limits)).await? {
                Given::Row(row) => {
                    read::record(out, &columns.columns, &row, limits)?;
                    return Ok(Row::Written(row.buffer().len() as u64));
                }
                Given::Ran(rows) => self.counted = self.counted.saturating_add(rows),
                Given::Copied(_) => return Err(failure::protocol("a copy in the place of rows")),
                Given::Ready => return Ok(Row::End(mem::take(&mut self.counted))),
            }
        }
    }
}

/// Writes a run. Its values are all text, and so are the columns that come back.
fn run(statement: &str, values: &Values, out: &mut BytesMut) -> io::Result<()> {
    let write = |value: &Option<String>, out: &mut BytesMut| {
        Ok(match value {
            None => IsNull::Yes,
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                IsNull::No
            }
        })
    };
    frontend::bind("", statement, [], values, write, [], out).map_err(|error| match error {
        BindError::Conversion(error) => io::Error::other(error),
        BindError::Serialization(error) => error,
    })?;
    frontend::execute("", 0, out)
}

/// The text of a column, from 0; none where it is null.
fn column(row: &DataRowBody, at: usize) -> Option<&str> {
    let range = row.ranges().nth(at).ok()???;
    str::from_utf8(row.buffer().get(range)?).ok()
}
