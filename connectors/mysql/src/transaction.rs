//! Transactions of several steps.

use lockgate_connector_api::{
    Error,
    sql::{self, Asked, Begin, Done, Gathered, Transactional, Work, of_run},
};
use lockgate_document::{Builder, Node};
use lockgate_model::Limits;

use crate::{
    calls::ready,
    failure::{self, CODES},
    session::{Given, Session, Whose},
    statement,
    wire::ANSWER_BYTES_MAX,
    write,
};

impl Transactional for Session {
    // Procedures are none of them: one can commit, and the server does not say so.
    const STEPS: &'static [&'static str] =
        &["select", "insert", "update", "delete", "replace", "with", "values", "table"];
    const TYPED: bool = true;

    async fn begin(&mut self, begin: &Begin, work: &Work) -> Result<(), Error> {
        ready(self, work.remaining()).await?;
        if let Some(level) = begin.isolation {
            self.say(&format!("set transaction isolation level {level}")).await?;
        }
        self.say(if begin.read_only { "start transaction read only" } else { "start transaction" }).await
    }

    async fn step(
        &mut self,
        asked: &Asked<'_>,
        lists: &[Vec<Node<'_>>],
        limits: &Limits,
        rows: &mut Builder,
    ) -> Result<Done, Error> {
        let fault = |fault| CODES.fault(&fault);
        let statement = self.prepare(asked.sql).await?;
        let (mut gathered, mut gives) = (Gathered::default(), !statement.columns.is_empty());
        if gives {
            statement::gives_objects(&statement.columns)?;
            rows.begin_array().map_err(fault)?;
        }
        // All before the first is sent: a parameter that cannot be given costs the database nothing.
        let values = |(at, list): (usize, &Vec<Node<'_>>)| {
            statement.values(list.iter().copied(), &asked.types).map_err(|error| of_run(at, lists.len(), error))
        };
        let runs = lists.iter().enumerate().map(values).collect::<Result<Vec<_>, Error>>()?;
        for (at, values) in runs.iter().enumerate() {
            let of_this = |error| of_run(at, runs.len(), error);
            self.run(&statement, values).await?;
            loop {
                match self.given(ANSWER_BYTES_MAX).await.map_err(of_this)? {
                    Given::Columns(columns, Whose::Statement) => {
                        // MariaDB does not always know of a `returning` beforehand.
                        if !gives {
                            statement::gives_objects(&columns)?;
                            rows.begin_array().map_err(fault)?;
                            gives = true;
                        }
                        sql::gather(self, &columns, limits, rows, &mut gathered).await.map_err(of_this)?;
                    }
                    Given::Ran { rows, .. } => gathered.counted = gathered.counted.saturating_add(rows),
                    Given::Ready if self.is_in_transaction() => break,
                    Given::Ready => return Err(failure::input("a step ended the transaction")),
                    Given::Columns(..) | Given::Row(_) => return Err(failure::protocol("rows of a procedure")),
                }
            }
        }
        if gives {
            rows.end().map_err(fault)?;
        }
        Ok(Done { gathered, gives, written: runs.iter().map(|values| write::bytes(values)).sum() })
    }

    async fn commit(&mut self, work: &Work) -> Result<(), Error> {
        work.committed(CODES, self.say("commit")).await
    }
}
