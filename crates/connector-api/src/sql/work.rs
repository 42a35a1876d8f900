//! One call of a database's operation, and the documents it answers with.

use std::time::{Duration, Instant};

use lockgate_document::{Builder, Document, Fault};
use lockgate_model::Limits;

use tokio::time;

use super::Codes;
use crate::{Body, Call, Error, Part};

/// What is left of a call's time for its answer when what ends it is not waited for any longer.
pub(super) const SPARE: Duration = Duration::from_millis(50);

/// What a call asks for.
#[derive(Debug)]
pub struct Work {
    /// The operation's input.
    pub input: Document,
    /// When it must have ended.
    pub deadline: Instant,
    /// Limits of the run.
    pub limits: Limits,
    /// Whether the answer is wanted as a stream.
    pub stream: bool,
    /// What that makes it to other calls.
    pub part: Part,
}

impl Work {
    /// The operation of a call, what it asks for, and what streams in.
    pub fn of(call: Call) -> (String, Self, Option<Body>) {
        let part = Part::of(&call);
        let Call { operation, input, body, deadline, limits, stream, .. } = call;
        (operation, Self { input, deadline, limits, stream, part }, body)
    }

    /// How long it may still take: at least a millisecond, because zero means for ever to servers.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    /// Commits. Where the answer does not come in time, nobody knows what became of it, and that is told.
    ///
    /// # Errors
    /// The server's own, and [`Codes::commit_unknown`].
    pub async fn committed(&self, codes: Codes, commit: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
        let until = self.deadline.checked_sub(SPARE).unwrap_or(self.deadline);
        match time::timeout_at(until.into(), commit).await {
            Ok(outcome) => outcome.map_err(|error| codes.commit(error)),
            Err(_) => Err(codes.commit(codes.broken())),
        }
    }

    /// A document within the limits of the run.
    ///
    /// # Errors
    /// `TooLarge`.
    pub fn built(
        &self,
        codes: Codes,
        write: impl FnOnce(&mut Builder) -> Result<(), Fault>,
    ) -> Result<Document, Error> {
        let mut out = Builder::new(&self.limits);
        write(&mut out).and_then(|()| out.finish()).map_err(|fault| codes.fault(&fault))
    }
}
