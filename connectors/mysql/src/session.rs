//! One connection, signed in: commands go out, rows and counts come back.
//!
//! The server answers one command after the other, so one is sent when the last was answered.

use bytes::Bytes;
use lockgate_connector_api::{
    Error, Route,
    sql::{self, Codes, Row},
};
use lockgate_document::Builder;
use lockgate_model::Limits;

use crate::{
    failure::{self, CODES},
    fields::Fields,
    read,
    statement::Statement,
    types::Column,
    wire::{ANSWER_BYTES_MAX, Wire},
    write::{self, Value},
};

/// What a command begins with (MySQL source documentation, "Command Phase").
mod command {
    pub const QUIT: u8 = 0x01;
    pub const QUERY: u8 = 0x03;
    pub const PING: u8 = 0x0e;
    pub const PREPARE: u8 = 0x16;
    pub const RESET: u8 = 0x1f;
}

const IN_TRANSACTION: u16 = 1;
const MORE_RESULTS: u16 = 1 << 3;
const OUT_PARAMETERS: u16 = 1 << 12;

/// Columns of a result: the servers' own bound.
const COLUMNS_MAX: u64 = 4_096;

/// A connection.
pub(crate) struct Session {
    wire: Wire,
    /// The addresses by which it goes.
    pub route: Route,
    /// The server's number of it.
    pub number: u64,
    /// Which server it is, among those behind one address.
    pub server: String,
    is_mariadb: bool,
    /// Columns come with what MariaDB knows of their types.
    has_metadata: bool,
    state: State,
    in_transaction: bool,
}

/// What the server is about to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing.
    Quiet,
    /// The beginning of an answer.
    Answer,
    /// A row, or the end of them.
    Rows,
}

/// What a running statement gives.
pub(crate) enum Given {
    /// Rows of these columns begin.
    Columns(Vec<Column>, Whose),
    /// A row.
    Row(Bytes),
    /// Rows or a statement came to their end: so many rows were counted, so many warnings.
    Ran { rows: u64, warnings: u16 },
    /// All is said.
    Ready,
}

/// Where rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The statement itself.
    Statement,
    /// A procedure that it calls.
    Procedure,
    /// The parameters that such a procedure gives back: one row.
    Parameters,
}

impl Session {
    /// A connection that has just signed in: asks the server for its number and version.
    pub async fn begin(wire: Wire, route: Route, has_metadata: bool) -> Result<Self, Error> {
        let state = State::Quiet;
        let mut session = Self {
            wire,
            route,
            number: 0,
            server: String::new(),
            is_mariadb: false,
            has_metadata,
            state,
            in_transaction: false,
        };
        session.ask(command::QUERY, b"select connection_id(), version(), concat(@@hostname, ':', @@port)").await?;
        while let Some(row) = session.line().await? {
            let mut fields = Fields(&row);
            session.number = fields.text()?.parse().map_err(|_| failure::protocol("a connection without a number"))?;
            session.is_mariadb = fields.text()?.contains("MariaDB");
            session.server = fields.text()?.to_owned();
        }
        Ok(session)
    }

    /// Whether the last command left a transaction open.
    pub fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Whether the server runs on MariaDB, and not MySQL.
    pub fn is_mariadb(&self) -> bool {
        self.is_mariadb
    }

    /// Runs a statement of ours that needs no parameters and gives no rows.
    pub async fn say(&mut self, sql: &str) -> Result<(), Error> {
        self.ask(command::QUERY, sql.as_bytes()).await?;
        self.heard().await
    }

    async fn heard(&mut self) -> Result<(), Error> {
        loop {
            match self.given(ANSWER_BYTES_MAX).await? {
                Given::Ready => return Ok(()),
                Given::Ran { .. } => {}
                Given::Columns(..) | Given::Row(_) => return Err(failure::protocol("rows that nobody asked for")),
            }
        }
    }

    /// The next row of a statement of ours; none when all is said.
    async fn line(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.given(ANSWER_BYTES_MAX).await? {
                Given::Ready => return Ok(None),
                Given::Row(row) => return Ok(Some(row)),
                Given::Columns(..) | Given::Ran { .. } => {}
            }
        }
    }

    /// The rows of a statement of ours that gives two texts, neither of them null.
    pub async fn pairs(&mut self, sql: &str, values: &[Value]) -> Result<Vec<(String, String)>, Error> {
        let statement = self.prepare(sql).await?;
        self.run(&statement, values).await?;
        let mut pairs = Vec::new();
        while let Some(row) = self.line().await? {
            let mut fields = Fields(&row);
            // A byte that is zero, and one for what is null.
            fields.bytes(2)?;
            pairs.push((fields.text()?.to_owned(), fields.text()?.to_owned()));
        }
        Ok(pairs)
    }

    /// The first warning of the last statement, as an error.
    pub async fn warning(&mut self) -> Result<Option<Error>, Error> {
        self.ask(command::QUERY, b"show warnings limit 1").await?;
        let mut first = None;
        while let Some(row) = self.line().await? {
            let mut fields = Fields(&row);
            fields.text()?;
            let number = fields.text()?.parse().unwrap_or_default();
            first = Some(failure::said(number, "01000", fields.text()?));
        }
        Ok(first)
    }

    async fn ask(&mut self, command: u8, content: &[u8]) -> Result<(), Error> {
        let mut packet = Vec::with_capacity(content.len() + 1);
        packet.push(command);
        packet.extend_from_slice(content);
        self.state = State::Answer;
        self.wire.ask(&packet).await
    }

    async fn answer(&mut self) -> Result<Bytes, Error> {
        self.wire.receive(ANSWER_BYTES_MAX, failure::too_long).await
    }

    /// Prepares a statement.
    pub async fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        self.ask(command::PREPARE, sql.as_bytes()).await?;
        let packet = self.answer().await?;
        let mut fields = Fields(&packet);
        match fields.byte()? {
            0x00 => {}
            0xff => return Err(self.refused(fields.0)),
            _ => return Err(failure::protocol("a statement is not described")),
        }
        let (number, columns, parameters) = (fields.long()?, fields.short()?, fields.short()?);
        // What is said of parameters is the same for all of them.
        self.skip(parameters).await?;
        let columns = self.columns(u64::from(columns)).await?.0;
        self.state = State::Quiet;
        Ok(Statement { number, parameters: parameters.into(), columns })
    }

    /// So many descriptions and what ends them.
    async fn skip(&mut self, count: u16) -> Result<(), Error> {
        for _ in 0..count {
            self.answer().await?;
        }
        if count > 0 && ended(&self.answer().await?).is_none() {
            return Err(failure::protocol("parameters do not end"));
        }
        Ok(())
    }

    /// So many columns and what ends them, and the status there.
    async fn columns(&mut self, count: u64) -> Result<(Vec<Column>, u16), Error> {
        if count > COLUMNS_MAX {
            return Err(failure::protocol("too many columns"));
        }
        let (mut columns, mut bytes) = (Vec::new(), 0);
        for _ in 0..count {
            let packet = self.answer().await?;
            bytes += packet.len();
            if bytes > ANSWER_BYTES_MAX {
                return Err(failure::too_long());
            }
            columns.push(Column::read(&packet, self.has_metadata)?);
        }
        if count == 0 {
            return Ok((columns, 0));
        }
        let end = self.answer().await?;
        match ended(&end) {
            Some((_, status)) => Ok((columns, status)),
            None => Err(failure::protocol("columns do not end")),
        }
    }

    /// Runs a prepared statement; [`Session::given`] says what it gives.
    pub async fn run(&mut self, statement: &Statement, values: &[Value]) -> Result<(), Error> {
        self.state = State::Answer;
        self.wire.ask(&write::run(statement.number, values)).await
    }

    /// What comes next, rows of at most `row_bytes_max`.
    pub async fn given(&mut self, row_bytes_max: usize) -> Result<Given, Error> {
        if self.state == State::Quiet {
            return Ok(Given::Ready);
        }
        if self.state == State::Rows {
            let packet = self.wire.receive(row_bytes_max, || CODES.too_large()).await?;
            return match (packet.first(), ended(&packet)) {
                (_, Some((warnings, status))) => Ok(self.ran(0, warnings, status)),
                (Some(0xff), _) => Err(self.refused(packet.get(1..).unwrap_or_default())),
                _ => Ok(Given::Row(packet)),
            };
        }
        let packet = self.answer().await?;
        let mut fields = Fields(&packet);
        match packet.first() {
            Some(0x00) => {
                fields.byte()?;
                let (rows, _) = (fields.number()?, fields.number()?);
                let (status, warnings) = (fields.short()?, fields.short()?);
                Ok(self.ran(rows, warnings, status))
            }
            Some(0xff) => Err(self.refused(packet.get(1..).unwrap_or_default())),
            // Nobody is asked for a file but by `loads`.
            Some(0xfb) => Err(failure::asks_for_a_file()),
            _ => {
                let count = fields.number()?;
                let (columns, status) = self.columns(count).await?;
                self.state = State::Rows;
                // A procedure always says at its end that it has ended, so more follows until then.
                let whose = match (status & OUT_PARAMETERS, status & MORE_RESULTS) {
                    (0, 0) => Whose::Statement,
                    (0, _) => Whose::Procedure,
                    _ => Whose::Parameters,
                };
                Ok(Given::Columns(columns, whose))
            }
        }
    }

    fn ran(&mut self, rows: u64, warnings: u16, status: u16) -> Given {
        self.in_transaction = status & IN_TRANSACTION != 0;
        self.state = if status & MORE_RESULTS == 0 { State::Quiet } else { State::Answer };
        Given::Ran { rows, warnings }
    }

    fn refused(&mut self, packet: &[u8]) -> Error {
        // An error ends all that a command gives.
        self.state = State::Quiet;
        failure::refused(packet)
    }

    /// Runs a statement that asks for the one file that is offered, and waits until it does.
    pub async fn loads(&mut self, sql: &str, offered: &str) -> Result<(), Error> {
        self.ask(command::QUERY, sql.as_bytes()).await?;
        let packet = self.answer().await?;
        match packet.split_first() {
            Some((0xfb, name)) if name == offered.as_bytes() => Ok(()),
            Some((0xfb, _)) => Err(failure::asks_for_a_file()),
            Some((0xff, error)) => Err(self.refused(error)),
            _ => Err(failure::protocol("a file is not asked for")),
        }
    }

    /// Sends a piece of the file that was asked for; an empty one ends it.
    pub async fn piece(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.wire.send(piece).await
    }
}

impl sql::Session for Session {
    type Columns = [Column];

    const CODES: Codes = CODES;

    fn route(&self) -> Route {
        self.route
    }

    fn is_quiet(&mut self) -> bool {
        self.wire.is_quiet()
    }

    fn is_running(&self) -> bool {
        self.state != State::Quiet
    }

    async fn ping(&mut self) -> Result<(), Error> {
        self.ask(command::PING, &[]).await?;
        self.heard().await
    }

    /// The server undoes what is open and forgets variables, temporary tables, locks and prepared
    /// statements.
    async fn renew(&mut self) -> Result<bool, Error> {
        self.ask(command::RESET, &[]).await?;
        self.heard().await?;
        Ok(true)
    }

    async fn close(self) {
        self.wire.close(&[command::QUIT]).await;
    }

    async fn row(&mut self, columns: &[Column], limits: &Limits, out: &mut Builder) -> Result<Row, Error> {
        match self.given(sql::row_bytes_max(limits)).await? {
            Given::Row(row) => {
                read::record(out, columns, &row, limits)?;
                Ok(Row::Written(row.len() as u64))
            }
            Given::Ran { rows, .. } => Ok(Row::End(rows)),
            Given::Columns(..) | Given::Ready => Err(failure::protocol("rows do not end")),
        }
    }
}

/// Warnings and status of the packet that ends columns or rows, if it is one.
fn ended(packet: &[u8]) -> Option<(u16, u16)> {
    match packet {
        [0xfe, a, b, c, d] => Some((u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]))),
        _ => None,
    }
}
