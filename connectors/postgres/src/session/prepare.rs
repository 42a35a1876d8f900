//! Statements before they run: prepared, described, and their types looked up.

use std::{collections::HashMap, sync::Arc};

use fallible_iterator::FallibleIterator as _;
use lockgate_connector_api::Error;
use postgres_protocol::message::{
    backend::{Message, ParameterDescriptionBody, RowDescriptionBody},
    frontend,
};

use super::{Given, Request, STATEMENTS_MAX, Session, column, run};
use crate::{
    catalogue::{self, Found, TYPE_DEPTH_MAX},
    failure::{self, Reported},
    statement::{Column, Statement, Values},
    wire::MESSAGE_BYTES_MAX,
};

impl Session {
    /// The prepared statement of a text, prepared now unless it is already.
    pub async fn prepare(&mut self, sql: &str) -> Result<Arc<Statement>, Error> {
        if let Some(at) = self.statements.iter().position(|(text, _)| text == sql) {
            let found = self.statements.remove(at);
            let statement = Arc::clone(&found.1);
            self.statements.push(found);
            return Ok(statement);
        }
        if self.statements.len() >= STATEMENTS_MAX {
            let (_, oldest) = self.statements.remove(0);
            self.wire.write(|out| frontend::close(b'S', &oldest.name, out))?;
        }
        self.prepared += 1;
        let name = format!("{}_{}", self.prefix, self.prepared);
        let statement = Arc::new(self.described(name, sql).await?);
        self.statements.push((sql.to_owned(), Arc::clone(&statement)));
        Ok(statement)
    }

    /// A statement that is prepared for one run alone; the one before it is forgotten.
    pub async fn prepare_once(&mut self, sql: &str) -> Result<Statement, Error> {
        let name = format!("{}_once", self.prefix);
        self.wire.write(|out| frontend::close(b'S', &name, out))?;
        self.described(name, sql).await
    }

    /// Prepares a statement under a name.
    async fn described(&mut self, name: String, sql: &str) -> Result<Statement, Error> {
        self.wire.write(|out| {
            frontend::parse(&name, sql, [], out)?;
            frontend::describe(b'S', &name, out)
        })?;
        self.sync(Request::Callers);
        self.flush().await?;
        let (mut parameters, mut columns) = (Vec::new(), Vec::new());
        loop {
            match self.wire.receive(MESSAGE_BYTES_MAX).await? {
                Message::ParseComplete | Message::CloseComplete | Message::NoData => {}
                Message::ParameterDescription(body) => parameters = oids(&body)?,
                Message::RowDescription(body) => columns = fields(&body)?,
                Message::ReadyForQuery(body) => {
                    self.ready(body.status());
                    break;
                }
                Message::ErrorResponse(body) => return Err(self.refused(&Reported::read(&body)).await),
                _ => return Err(failure::protocol("a statement is not described")),
            }
        }
        self.learn(parameters.iter().copied().chain(columns.iter().map(|(_, oid)| *oid))).await?;
        Ok(Statement {
            name,
            parameters: parameters.into_iter().map(|oid| self.types.of(oid)).collect(),
            columns: columns.into_iter().map(|(name, oid)| Column { name, of: self.types.of(oid) }).collect(),
        })
    }

    /// Asks the server about the types that it has of its own, and about what they are made of.
    async fn learn(&mut self, oids: impl Iterator<Item = u32>) -> Result<(), Error> {
        self.types.make_room();
        let mut found = HashMap::new();
        let mut asked = self.types.unknown(oids, &found);
        for _ in 0..TYPE_DEPTH_MAX {
            if asked.is_empty() {
                break;
            }
            let answers = self.look_up(&asked).await?;
            let parts: Vec<u32> = answers.iter().flat_map(|f| [f.base, f.element]).collect();
            found.extend(answers.into_iter().map(|f| (f.oid, f)));
            asked = self.types.unknown(parts.into_iter(), &found);
        }
        self.types.learn(&found);
        Ok(())
    }

    async fn look_up(&mut self, oids: &[u32]) -> Result<Vec<Found>, Error> {
        let list = oids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let rows = self.ask(catalogue::LOOK_UP, &vec![Some(list)]).await?;
        let read = |row: &Vec<Option<String>>| Found::read(|at| row.get(at)?.as_deref());
        let found: Option<Vec<Found>> = rows.iter().map(read).collect();
        found.ok_or_else(|| failure::protocol("a type is not described"))
    }

    /// The rows of a statement of ours, each column as its text.
    pub async fn ask(&mut self, sql: &str, values: &Values) -> Result<Vec<Vec<Option<String>>>, Error> {
        self.wire.write(|out| {
            frontend::parse("", sql, [], out)?;
            run("", values, out)
        })?;
        self.sync(Request::Ours);
        self.flush().await?;
        let mut rows = Vec::new();
        loop {
            match self.given(MESSAGE_BYTES_MAX).await? {
                Given::Row(row) => {
                    let columns = row.ranges().count().unwrap_or_default();
                    rows.push((0..columns).map(|at| column(&row, at).map(str::to_owned)).collect());
                }
                Given::Ran(_) | Given::Copied(_) => {}
                Given::Ready => return Ok(rows),
            }
        }
    }
}

fn oids(body: &ParameterDescriptionBody) -> Result<Vec<u32>, Error> {
    body.parameters().collect().map_err(|e| failure::of_io(&e))
}

fn fields(body: &RowDescriptionBody) -> Result<Vec<(String, u32)>, Error> {
    body.fields().map(|f| Ok((f.name().to_owned(), f.type_oid()))).collect().map_err(|e| failure::of_io(&e))
}
