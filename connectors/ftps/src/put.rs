//! A content goes out.

use lockgate_connector_api::{
    Context, Error,
    files::{Remote, content::Content, input::Transfer, not_stored, put::Unstored},
};
use tokio::time::Instant;

use crate::{
    ascii::Outgoing,
    data::{Asked, Data, Opening},
    failure,
    reply::Class,
    session::Session,
};

/// Writes a content to a file.
pub(crate) async fn store(
    session: &mut Session,
    cx: &Context,
    to: &Remote,
    content: &mut Content,
    deadline: Instant,
) -> Result<(), Unstored> {
    session.represent(content.transfer()).await?;
    let asked = Asked { offset: content.at(), verb: "STOR", argument: to.as_str() };
    let data = match Data::open(session, cx, asked, deadline).await {
        Ok(data) => data,
        // What could not be done for now may have begun.
        Err(Opening::Refused(reply)) if reply.class() == Class::Never => {
            return Err(Unstored::Refused(failure::refused(&reply)));
        }
        Err(opening) => return Err(Error::from(opening).into()),
    };
    let is_proven = write(session, data, content).await?;
    // The ends of lines may be longer or shorter there.
    let stored = match content.transfer() {
        Transfer::Binary => session.size(to).await?,
        Transfer::Ascii => None,
    };
    match stored.map(|stored| stored == content.at()) {
        Some(true) => Ok(()),
        None if is_proven => Ok(()),
        Some(false) if is_proven => Err(not_stored().into()),
        _ => Err(failure::cut().into()),
    }
}

/// Sends a content; gives whether its end was proven by TLS.
async fn write(session: &mut Session, mut data: Data, content: &mut Content) -> Result<bool, Error> {
    let mut lines = (content.transfer() == Transfer::Ascii).then(Outgoing::default);
    while let Some(piece) = content.next().await? {
        match &mut lines {
            Some(lines) => data.write(session, &lines.piece(&piece)).await?,
            None => data.write(session, &piece).await?,
        }
    }
    data.finish(session).await
}
