//! `move`, `delete`, `mkdir`, and the rename that ends a `put`.

use std::sync::Arc;

use lockgate_connector_api::{Context, Error, Kind};
use tokio::time::Instant;

use crate::{
    input::Exists,
    output,
    path::Remote,
    pool::Account,
    session::Session,
    undo::{self, Aside, Traces},
    wire::{Attributes, Request},
};

/// What is to be moved, and to where.
pub(crate) struct Move {
    pub from: Remote,
    pub to: Remote,
    pub exists: Exists,
}

/// Moves a file or folder.
pub(crate) async fn relocate(account: Arc<Account>, cx: Context, mv: Move, deadline: Instant) -> Result<(), Error> {
    undo::whole(account, cx, deadline, |session, traces| Box::pin(moved(mv, session, traces))).await
}

async fn moved(Move { from, to, exists }: Move, session: &mut Session, traces: &mut Traces) -> Result<(), Error> {
    // Servers tell a missing source and a target in the way apart by words alone.
    session.attributes(&Request::LinkStat(from.as_str())).await?;
    check_free(session, &to, exists).await?;
    rename(session, traces, &from, &to, exists).await
}

/// Deletes a file, a link, or a folder that is empty.
pub(crate) async fn delete(session: &mut Session, path: &Remote) -> Result<(), Error> {
    let attributes = session.attributes(&Request::LinkStat(path.as_str())).await?;
    match output::is_folder(&attributes) {
        true => session.order(&Request::RemoveFolder(path.as_str())).await,
        false => session.order(&Request::Remove(path.as_str())).await,
    }
}

/// Makes a folder; one that is there already is as good.
pub(crate) async fn make_folder(session: &mut Session, path: &Remote) -> Result<(), Error> {
    match session.find(&Request::Stat(path.as_str())).await? {
        Some(attributes) if output::is_folder(&attributes) => Ok(()),
        Some(_) => Err(in_the_way()),
        None => session.order(&Request::MakeFolder(path.as_str())).await,
    }
}

/// Refuses a target that may not be replaced.
pub(crate) async fn check_free(session: &mut Session, target: &Remote, exists: Exists) -> Result<(), Error> {
    let found: Option<Attributes> = session.find(&Request::LinkStat(target.as_str())).await?;
    match (found, exists) {
        (None, _) => Ok(()),
        (Some(attributes), Exists::Replace) if !output::is_folder(&attributes) => Ok(()),
        (Some(_), _) => Err(in_the_way()),
    }
}

/// Gives a file its name.
pub(crate) async fn rename(
    session: &mut Session,
    traces: &mut Traces,
    from: &Remote,
    to: &Remote,
    exists: Exists,
) -> Result<(), Error> {
    let plain = Request::Rename(from.as_str(), to.as_str());
    match exists {
        Exists::Replace if session.posix_rename => {
            session.order(&Request::PosixRename(from.as_str(), to.as_str())).await
        }
        Exists::Replace => replace(session, traces, from, to).await,
        Exists::Refuse => {
            // Some servers replace by a plain rename, so a look just before it narrows the gap.
            check_free(session, to, exists).await?;
            match session.order(&plain).await {
                Err(error) if error.kind() == Kind::Rejected => {
                    check_free(session, to, exists).await?;
                    Err(error)
                }
                outcome => outcome,
            }
        }
    }
}

/// Without the extension that replaces in one step: the old file is put aside until the new one has
/// its name. Between the two steps there is no file of that name, so whatever fails is undone.
async fn replace(session: &mut Session, traces: &mut Traces, from: &Remote, to: &Remote) -> Result<(), Error> {
    let plain = Request::Rename(from.as_str(), to.as_str());
    match session.order(&plain).await {
        Err(error) if matches!(error.kind(), Kind::Rejected | Kind::Conflict) => {}
        outcome => return outcome,
    }
    let kept = to.temporary()?;
    // Noted before it is asked for: the answer may be lost when it has been done.
    traces.aside = Some(Aside { kept: kept.clone(), place: to.clone(), newcomer: from.clone() });
    session.order(&Request::Rename(to.as_str(), kept.as_str())).await?;
    session.order(&plain).await?;
    session.order(&Request::Remove(kept.as_str())).await?;
    traces.aside = None;
    Ok(())
}

fn in_the_way() -> Error {
    Error::new(
        Kind::Conflict,
        "sftp-exists",
        "there is something of that name already (a file is replaced with `exists: replace`)",
    )
}
