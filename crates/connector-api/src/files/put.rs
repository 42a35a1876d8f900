//! `put`: a file appears under its name as a whole or not at all, unless the call wants it written straight
//! to its name.
//!
//! The content is written to a temporary name in the same folder, its size is checked, and only then
//! is it renamed. When the connection breaks, another one goes on with what is there, where that is
//! sure to be the beginning of the content.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Pool, Remote, Server, Session, change,
    content::Content,
    input::{Exists, Transfer},
    undo::{self, Naming, Traces},
};
use crate::{Context, Error, Kind};

/// How often a content is gone on with over another connection.
const RESUMED_MAX: u32 = 8;

/// What is to be written, and where.
#[derive(Debug)]
pub struct Put {
    /// Where.
    pub path: Remote,
    /// What becomes of a file that is there.
    pub exists: Exists,
    /// Whether it is written to another name first.
    pub temporary: bool,
    /// What.
    pub content: Content,
}

/// Why a content was not stored.
#[derive(Debug)]
pub enum Unstored {
    /// The server does not open the file; it is as it was.
    Refused(Error),
    /// There may be a part of it.
    Broken(Error),
}

impl From<Error> for Unstored {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

/// Writes a file; gives the length of its content. The deadline holds; what is left to tidy up then is
/// tidied up behind it.
///
/// # Errors
/// `Conflict` where the file may not be replaced, the source's and the server's.
pub async fn put<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, put: Put, deadline: Instant) -> Result<u64, Error> {
    let (again, own) = (Arc::clone(pool), cx.clone());
    undo::whole(Arc::clone(pool), cx.clone(), deadline, move |session, traces| {
        Box::pin(async move {
            match put.temporary {
                true => upload(&again, put, session, traces, &own, deadline).await,
                false => write(put, session, traces, &own, deadline).await,
            }
        })
    })
    .await
}

async fn upload<S: Server>(
    pool: &Pool<S>,
    put: Put,
    session: &mut S::Session,
    traces: &mut Traces<u64>,
    cx: &Context,
    deadline: Instant,
) -> Result<u64, Error> {
    let Put { path, exists, mut content, .. } = put;
    // Told before gigabytes were sent for nothing; the rename decides.
    if !content.is_short() {
        change::check_free(session, &path, exists).await?;
    }
    let temporary = path.temporary()?;
    traces.temporary = Some(temporary.clone());
    let (mut resumed, mut broken) = (0, None);
    while let Err(unstored) = session.store(cx, &temporary, Exists::Refuse, &mut content, deadline).await {
        let error = match (unstored, broken) {
            (Unstored::Broken(error), _) => error,
            // Servers that do not go on with a file, or not where nothing may be replaced.
            (Unstored::Refused(_), Some(broken)) => return Err(broken),
            (Unstored::Refused(error), None) => {
                traces.temporary = None;
                return Err(error);
            }
        };
        let can_resume = error.kind() == Kind::Unreachable && content.transfer() == Transfer::Binary;
        if !can_resume || resumed == RESUMED_MAX {
            return Err(error);
        }
        resumed += 1;
        *session = pool.server().open(cx, deadline).await.map_err(|_| error.clone())?;
        if !rewound(session, &temporary, &mut content).await? {
            return Err(error);
        }
        broken = Some(error);
    }
    // The ends of lines may be longer or shorter there.
    let size = (content.transfer() == Transfer::Binary).then_some(content.at());
    change::rename(session, traces, Naming { from: temporary, to: path, size, gives: content.at() }, exists).await
}

/// Writes straight to the name, for servers that let us neither rename nor look. A content whose connection
/// breaks is not gone on with: what is there by then may be somebody else's.
async fn write<S: Session>(
    put: Put,
    session: &mut S,
    traces: &mut Traces<u64>,
    cx: &Context,
    deadline: Instant,
) -> Result<u64, Error> {
    let Put { path, exists, mut content, .. } = put;
    if exists == Exists::Refuse && !S::OPENS_NEW {
        change::check_free(session, &path, exists).await?;
    }
    traces.part = Some(path.clone());
    match session.store(cx, &path, exists, &mut content, deadline).await {
        Ok(()) => Ok(content.at()),
        Err(Unstored::Broken(error)) => Err(error),
        Err(Unstored::Refused(error)) => {
            traces.part = None;
            // Servers tell what is in the way by words alone or as a lack of rights, and may not let us look.
            let may_be_taken = matches!(error.kind(), Kind::Rejected | Kind::Authorization);
            match change::check_free(session, &path, exists).await {
                Err(found) if may_be_taken && found.kind() == Kind::Conflict => Err(found),
                _ => Err(error),
            }
        }
    }
}

/// Whether the content can be gone on with, at a byte before which the server has it as it is.
async fn rewound<S: Session>(session: &mut S, temporary: &Remote, content: &mut Content) -> Result<bool, Error> {
    let Some(size) = session.find(temporary).await?.and_then(|attributes| attributes.size) else { return Ok(false) };
    let from = if S::STORES_IN_ORDER { size } else { content.stored() };
    Ok(from <= size && content.rewind(from))
}
