//! The proof that a decision is written down, or will be before anything comes of it.

use std::{fmt, future::Future, pin::Pin, task};

use futures_util::future::{BoxFuture, FutureExt, Shared};
use lockgate_model::RunId;

/// The audit entry could not be made durable; what rests on it must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit entry could not be written; nothing was run or changed: try again later")]
pub struct NotDurable;

/// Resolves when the audit entry is durable. Cheap to clone; every clone gets the same answer.
#[derive(Clone)]
pub struct Durability(Shared<BoxFuture<'static, Result<(), NotDurable>>>);

impl Future for Durability {
    type Output = Result<(), NotDurable>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> task::Poll<Self::Output> {
        self.0.poll_unpin(cx)
    }
}

impl fmt::Debug for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Durability")
    }
}

/// What the store hands out for one append. Not `Clone`: it is spent on one permit.
#[derive(Debug)]
pub struct AuditReceipt {
    run: Option<RunId>,
    durability: Durability,
}

impl AuditReceipt {
    /// Issues a receipt for an append; `store` alone calls this (clippy `disallowed-methods`).
    ///
    /// `run` is the run that the same append opened, if it opened one. `durable` resolves when the
    /// entry has reached the disk, or cannot any more.
    pub fn issue(run: Option<RunId>, durable: BoxFuture<'static, Result<(), NotDurable>>) -> Self {
        Self { run, durability: Durability(durable.shared()) }
    }

    /// The run that the append opened.
    pub fn run(&self) -> Option<RunId> {
        self.run
    }

    /// Waits until the entry is durable.
    pub async fn durable(&self) -> Result<(), NotDurable> {
        self.durability().await
    }

    /// The wait as a value, for who must reply after the receipt has been spent on a permit.
    pub fn durability(&self) -> Durability {
        self.durability.clone()
    }
}
