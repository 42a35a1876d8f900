//! Changes of more than one step, undone when they fail.
//!
//! Such a change runs in a task of its own, so that a call that is given up is undone as well. It
//! notes in its `Traces` what a step may leave on the server before that step is asked for: the
//! connection may break after the server has done it and before we hear of it. Where that was the rename
//! that ends a change, a look at both names tells: what has its new name is done.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

use super::{Lease, Pool, Remote, Server, Session, late};
use crate::{Context, Error, Kind, Part};

/// How long undoing may take, over the same session and over a new one.
const SAME: Duration = Duration::from_secs(2);
const NEW: Duration = Duration::from_secs(10);

/// What a change may have left on the server.
#[derive(Debug)]
pub struct Traces<T> {
    /// A file that is being written.
    pub temporary: Option<Remote>,
    /// A file that is being written under its own name. It stays: whoever waits for it may have taken it,
    /// and what is there then is not ours.
    pub part: Option<Remote>,
    /// A file that makes way for another.
    pub aside: Option<Aside>,
    /// The rename that ends the change, from when it is asked for until it is refused.
    pub naming: Option<Naming<T>>,
    /// What the change gives, when it turns out to be done after all.
    done: Option<T>,
}

/// The rename that ends a change.
#[derive(Debug, Clone)]
pub struct Naming<T> {
    /// What the file is called.
    pub from: Remote,
    /// What it is called then.
    pub to: Remote,
    /// Its size, where that is known.
    pub size: Option<u64>,
    /// What the change gives then.
    pub gives: T,
}

/// A file that makes way for another.
#[derive(Debug)]
pub struct Aside {
    /// What it is called meanwhile.
    pub kept: Remote,
    /// Its own name, which the other one gets.
    pub place: Remote,
    /// What the other one is called until then.
    pub newcomer: Remote,
}

/// Makes a change as a whole or undoes it. The deadline holds; what is left to be undone then is
/// undone behind it.
///
/// # Errors
/// What kept the change from being made; its detail names what may be left on the server.
pub async fn whole<T: Send + Sync + 'static, S: Server>(
    pool: Arc<Pool<S>>,
    cx: Context,
    deadline: Instant,
    change: impl for<'a> FnOnce(&'a mut S::Session, &'a mut Traces<T>) -> BoxFuture<'a, Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let (tell, told) = oneshot::channel();
    let (wanted, gone) = oneshot::channel::<Infallible>();
    tokio::spawn(work(pool, cx, before(deadline), change, gone, tell));
    let outcome = told.await.map_err(|_| lost())?;
    drop(wanted);
    outcome
}

/// A little earlier, so that what became of the change can still be told by the deadline.
fn before(deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline - (left / 10).min(Duration::from_millis(100))
}

async fn work<T: Send + Sync, S: Server>(
    pool: Arc<Pool<S>>,
    cx: Context,
    deadline: Instant,
    change: impl for<'a> FnOnce(&'a mut S::Session, &'a mut Traces<T>) -> BoxFuture<'a, Result<T, Error>>,
    gone: oneshot::Receiver<Infallible>,
    tell: oneshot::Sender<Result<T, Error>>,
) {
    let (mut lease, mut traces) = (None::<Lease<S>>, Traces::none());
    let changing = async {
        let lease = lease.insert(pool.lease(&cx, Part::Ends, deadline).await?);
        change(&mut lease.session, &mut traces).await
    };
    let outcome = tokio::select! {
        outcome = timeout_at(deadline, changing) => outcome.unwrap_or_else(|_| Err(late())),
        // The one who called is gone: it will not hear of this.
        _ = gone => Err(late()),
    };
    let error = match outcome {
        Ok(done) => {
            if let Some(lease) = lease {
                lease.give_back();
            }
            return drop(tell.send(Ok(done)));
        }
        Err(error) => error,
    };
    let unsure = traces.named(error.clone());
    {
        let mut undoing = std::pin::pin!(traces.undo(lease, &pool, &cx));
        if timeout_at(deadline, &mut undoing).await.is_err() {
            drop(tell.send(Err(unsure)));
            return undoing.await;
        }
    }
    let done = traces.done.take().filter(|_| traces.aside.is_none());
    drop(tell.send(done.ok_or_else(|| traces.named(error))));
}

impl<T> Traces<T> {
    fn none() -> Self {
        Self { temporary: None, part: None, aside: None, naming: None, done: None }
    }

    /// The error, with what may be left on the server in its detail.
    fn named(&self, error: Error) -> Error {
        let mut told = vec![error.private().reveal().clone()];
        let error = match &self.naming {
            None => error,
            Some(Naming { from, to, .. }) => {
                told.insert(0, format!("`{}`", error.code()));
                told.push(format!("`{}` may be called `{}` now", from.as_str(), to.as_str()));
                unknown(error.kind())
            }
        };
        if let Some(temporary) = &self.temporary {
            told.push(format!("`{}` may be left there", temporary.as_str()));
        }
        if let Some(part) = &self.part {
            told.push(format!("a part of it may be in `{}`", part.as_str()));
        }
        if let Some(aside) = &self.aside {
            told.push(format!("what was in `{}` may be in `{}`", aside.place.as_str(), aside.kept.as_str()));
        }
        told.retain(|words| !words.is_empty());
        error.with_private(told.join("; "))
    }

    /// Leaves the server as it was before; what is still noted afterwards may be there.
    async fn undo<S: Server>(&mut self, lease: Option<Lease<S>>, pool: &Arc<Pool<S>>, cx: &Context) {
        if let Some(mut lease) = lease
            && matches!(timeout(SAME, self.undo_over(&mut lease.session)).await, Ok(Ok(())))
        {
            return lease.give_back();
        }
        if self.temporary.is_none() && self.aside.is_none() && self.naming.is_none() {
            return;
        }
        let undoing = async {
            let mut lease = pool.fresh(cx, Instant::now() + NEW).await?;
            self.undo_over(&mut lease.session).await?;
            lease.give_back();
            Ok::<_, Error>(())
        };
        let _ = timeout(NEW, undoing).await;
    }

    async fn undo_over(&mut self, session: &mut impl Session) -> Result<(), Error> {
        session.settle().await?;
        // Before anything is removed: nobody but the rename takes a name away until then.
        if let Some(naming) = &self.naming {
            match naming.outcome(session).await? {
                Outcome::Done => {
                    self.temporary = None;
                    self.done = self.naming.take().map(|naming| naming.gives);
                }
                Outcome::NotDone => self.naming = None,
                Outcome::Unknown => {}
            }
        }
        // Before the new content goes: until the old one is back there is nothing else.
        if let Some(aside) = &self.aside
            && aside.put_back(session).await?
        {
            self.aside = None;
        }
        if let Some(temporary) = &self.temporary {
            match session.remove(temporary).await {
                Err(error) if error.kind() != Kind::NotFound => return Err(error),
                _ => self.temporary = None,
            }
        }
        Ok(())
    }
}

enum Outcome {
    Done,
    NotDone,
    Unknown,
}

impl<T> Naming<T> {
    /// What became of a rename whose answer was lost.
    async fn outcome(&self, session: &mut impl Session) -> Result<Outcome, Error> {
        if session.find(&self.from).await?.is_some() {
            return Ok(Outcome::NotDone);
        }
        // Whoever waits for files may have taken it already, and another one may be there by now.
        let there = session.find(&self.to).await?;
        let is_it = there.is_some_and(|there| self.size.zip(there.size).is_none_or(|(was, is)| was == is));
        Ok(if is_it { Outcome::Done } else { Outcome::Unknown })
    }
}

impl Aside {
    /// Gives the file its name back, or removes it when the newcomer has that name already. False
    /// when somebody else has taken the name: then it is kept.
    async fn put_back(&self, session: &mut impl Session) -> Result<bool, Error> {
        if session.find(&self.kept).await?.is_none() {
            return Ok(true);
        }
        if session.find(&self.place).await?.is_none() {
            session.rename(&self.kept, &self.place).await?;
            return Ok(true);
        }
        if session.find(&self.newcomer).await?.is_some() {
            return Ok(false);
        }
        session.remove(&self.kept).await?;
        Ok(true)
    }
}

/// No answer came to the rename that ends a change.
fn unknown(kind: Kind) -> Error {
    Error::new(
        kind,
        "file-rename-unknown",
        "no answer came when the file was renamed: it is not known whether it has its new name (look for it before it is sent again)",
    )
}

fn lost() -> Error {
    Error::new(Kind::Unreachable, "file-lost", "the change was given up while it was made")
}
