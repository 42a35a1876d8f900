//! Transactions of several steps.

use lockgate_connector_api::{
    Error,
    sql::{self, Asked, Begin, Done, Gathered, Transactional, Work, of_run},
};
use lockgate_document::{Builder, Node};
use lockgate_model::Limits;

use crate::{
    calls::{RUNS_AT_ONCE, remaining_ms, send, undo},
    failure::{self, CODES},
    session::Session,
    statement::{self, Values},
};

impl Transactional for Session {
    // A procedure that is called within a transaction cannot end it.
    const STEPS: &'static [&'static str] =
        &["select", "insert", "update", "delete", "merge", "with", "values", "table", "lock", "call"];

    async fn begin(&mut self, begin: &Begin, work: &Work) -> Result<(), Error> {
        self.settle().await?;
        let isolation = begin.isolation.map(|level| format!(" isolation level {level}")).unwrap_or_default();
        let mode = if begin.read_only { " read only" } else { "" };
        self.say(&format!("begin{isolation}{mode}; set local statement_timeout = {}", remaining_ms(work)))?;
        self.heard().await
    }

    async fn step(
        &mut self,
        asked: &Asked<'_>,
        lists: &[Vec<Node<'_>>],
        limits: &Limits,
        rows: &mut Builder,
    ) -> Result<Done, Error> {
        let statement = self.prepare(asked.sql).await?;
        let gives = !statement.columns.is_empty();
        if gives {
            statement.gives_objects()?;
            rows.begin_array().map_err(|fault| CODES.fault(&fault))?;
        }
        // All before the first is sent: a parameter that does not fit costs the database nothing.
        let values = |(at, list): (usize, &Vec<Node<'_>>)| {
            statement.values(list.iter().copied()).map_err(|error| of_run(at, lists.len(), error))
        };
        let runs = lists.iter().enumerate().map(values).collect::<Result<Vec<Values>, Error>>()?;
        let mut gathered = Gathered::default();
        for some in runs.chunks(RUNS_AT_ONCE) {
            send(self, &statement, some).await?;
            sql::gather(self, &statement, limits, rows, &mut gathered).await?;
            if !self.is_in_transaction() {
                return Err(failure::input("a step ended the transaction"));
            }
        }
        if gives {
            rows.end().map_err(|fault| CODES.fault(&fault))?;
        }
        Ok(Done { gathered, gives, written: runs.iter().map(statement::bytes).sum() })
    }

    async fn commit(&mut self, work: &Work) -> Result<(), Error> {
        self.say("commit")?;
        self.say_clean()?;
        work.committed(CODES, self.heard()).await
    }

    fn undo(&mut self) -> Result<(), Error> {
        undo(self)
    }

    fn is_stale(error: &Error) -> bool {
        error.code() == failure::GONE
    }
}
