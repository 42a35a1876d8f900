//! `move`, `delete`, `mkdir`, and the rename that ends a `put`.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Pool, Remote, Server, Session,
    input::Exists,
    undo::{self, Aside, Naming, Traces},
};
use crate::{Context, Error, Kind};

/// What is to be moved, and to where.
#[derive(Debug)]
pub struct Move {
    /// What.
    pub from: Remote,
    /// To where.
    pub to: Remote,
    /// What becomes of a file that is there.
    pub exists: Exists,
}

/// Moves a file or folder.
///
/// # Errors
/// `NotFound` without a source, `Conflict` where the target may not be replaced, and the server's.
pub async fn relocate<S: Server>(pool: Arc<Pool<S>>, cx: Context, mv: Move, deadline: Instant) -> Result<(), Error> {
    undo::whole(pool, cx, deadline, |session, traces| Box::pin(moved(mv, session, traces))).await
}

async fn moved(mv: Move, session: &mut impl Session, traces: &mut Traces<()>) -> Result<(), Error> {
    let Move { from, to, exists } = mv;
    // Servers tell a missing source and a target in the way apart by words alone.
    let size = session.find(&from).await?.ok_or_else(nothing_there)?.size;
    check_free(session, &to, exists).await?;
    rename(session, traces, Naming { from, to, size, gives: () }, exists).await
}

/// Deletes a file, a link, or a folder that is empty.
///
/// # Errors
/// `NotFound` where nothing is, and the server's.
pub async fn delete(session: &mut impl Session, path: &Remote) -> Result<(), Error> {
    match session.find(path).await?.ok_or_else(nothing_there)?.is_folder() {
        true => session.remove_folder(path).await,
        false => session.remove(path).await,
    }
}

/// Makes a folder; one that is there already is as good.
///
/// # Errors
/// `Conflict` where a file is, and the server's.
pub async fn make_folder(session: &mut impl Session, path: &Remote) -> Result<(), Error> {
    match session.follow(path).await? {
        Some(attributes) if attributes.is_folder() => Ok(()),
        Some(_) => Err(in_the_way()),
        None => session.make_folder(path).await,
    }
}

/// Refuses a target that may not be replaced.
///
/// # Errors
/// `Conflict` then, and the server's.
pub async fn check_free(session: &mut impl Session, target: &Remote, exists: Exists) -> Result<(), Error> {
    match (session.find(target).await?, exists) {
        (None, _) => Ok(()),
        (Some(attributes), Exists::Replace) if !attributes.is_folder() => Ok(()),
        (Some(_), _) => Err(in_the_way()),
    }
}

/// Gives a file its name; gives what the change gives that ends with it.
///
/// # Errors
/// `Conflict` where the target may not be replaced, and the server's.
pub async fn rename<T: Clone>(
    session: &mut impl Session,
    traces: &mut Traces<T>,
    naming: Naming<T>,
    exists: Exists,
) -> Result<T, Error> {
    let Naming { from, to, .. } = &naming;
    let renamed = match exists {
        Exists::Replace => match decide(traces, &naming, session.replace(from, to)).await {
            Ok(true) => Ok(()),
            Ok(false) => return replace(session, traces, naming).await,
            Err(error) => Err(error),
        },
        Exists::Refuse => {
            // Some servers refuse a name that is taken, some replace: a look just before narrows the gap.
            check_free(session, to, exists).await?;
            decide(traces, &naming, session.rename(from, to)).await
        }
    };
    match renamed {
        Ok(()) => Ok(naming.gives),
        Err(error) => Err(why(session, to, exists, error).await?),
    }
}

/// Asks for the rename after which the file has its name. Noted before: the answer may be lost when it
/// has been done.
async fn decide<T: Clone, R>(
    traces: &mut Traces<T>,
    naming: &Naming<T>,
    asked: impl Future<Output = Result<R, Error>>,
) -> Result<R, Error> {
    traces.naming = Some(naming.clone());
    let answer = asked.await;
    // A server that refuses says so with a status.
    if answer.as_ref().is_err_and(|error| error.status().is_some()) {
        traces.naming = None;
    }
    answer
}

/// Why a rename was refused: servers tell what is in the way by words alone.
async fn why(session: &mut impl Session, to: &Remote, exists: Exists, error: Error) -> Result<Error, Error> {
    if error.kind() == Kind::Rejected {
        check_free(session, to, exists).await?;
    }
    Ok(error)
}

/// Where a plain rename does not replace: the old file is put aside until the new one has its name.
/// Between the two steps there is no file of that name, so whatever fails is undone.
async fn replace<T: Clone>(session: &mut impl Session, traces: &mut Traces<T>, naming: Naming<T>) -> Result<T, Error> {
    let Naming { from, to, .. } = &naming;
    match decide(traces, &naming, session.rename(from, to)).await {
        // Some servers tell what is in the way as a lack of rights.
        Err(error) if matches!(error.kind(), Kind::Rejected | Kind::Conflict | Kind::Authorization) => {}
        outcome => return outcome.map(|()| naming.gives),
    }
    // A folder makes way for nothing.
    check_free(session, to, Exists::Replace).await?;
    let kept = to.temporary()?;
    // Noted before it is asked for: the answer may be lost when it has been done.
    traces.aside = Some(Aside { kept: kept.clone(), place: to.clone(), newcomer: from.clone() });
    session.rename(to, &kept).await?;
    decide(traces, &naming, session.rename(from, to)).await?;
    session.remove(&kept).await?;
    traces.aside = None;
    Ok(naming.gives)
}

fn in_the_way() -> Error {
    Error::new(
        Kind::Conflict,
        "file-exists",
        "there is something of that name already (a file is replaced with `exists: replace`)",
    )
}

/// Nothing is at a path.
pub fn nothing_there() -> Error {
    Error::new(Kind::NotFound, "file-missing", "the server has nothing at that path")
}
