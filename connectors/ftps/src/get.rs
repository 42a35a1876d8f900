//! A file comes in, as fast as its reader takes it.
//!
//! One that turns out shorter or longer than its size, or that changes meanwhile, is a failed read:
//! whoever writes it has not finished.

use bytes::Bytes;
use lockgate_connector_api::{
    Context, Error,
    files::{Attributes, Remote, Session as _, What, change, changed, get::Get, input::Transfer, no_file, short},
};
use tokio::time::Instant;

use crate::{
    ascii::Incoming,
    data::{Asked, Data},
    session::Session,
};

/// A file that is being read.
pub(crate) struct Reading {
    data: Data,
    path: Remote,
    /// What was told before it was opened.
    attributes: Attributes,
    /// Where its next byte stands, as the server sends it.
    at: u64,
    /// None where bytes are bytes.
    lines: Option<Incoming>,
    at_end: bool,
}

/// Opens a file.
pub(crate) async fn open(
    session: &mut Session,
    cx: &Context,
    get: &Get,
    deadline: Instant,
) -> Result<(Attributes, Reading), Error> {
    let attributes = session.follow(&get.path).await?.ok_or_else(change::nothing_there)?;
    if !matches!(attributes.what, What::File | What::Other) {
        return Err(no_file());
    }
    if attributes.size.is_some_and(|size| get.offset > size) {
        return Err(short());
    }
    session.represent(get.transfer).await?;
    let asked = Asked { offset: get.offset, verb: "RETR", argument: get.path.as_str() };
    let data = Data::open(session, cx, asked, deadline).await?;
    let lines = (get.transfer == Transfer::Ascii).then(Incoming::default);
    let reading = Reading { data, path: get.path.clone(), attributes, at: get.offset, lines, at_end: false };
    Ok((attributes, reading))
}

impl Reading {
    /// The next bytes, or none at the proven end.
    pub async fn piece(&mut self, session: &mut Session) -> Result<Option<Bytes>, Error> {
        while !self.at_end {
            let piece = match self.data.read(session).await? {
                Some(bytes) => {
                    self.at = self.at.saturating_add(bytes.len() as u64);
                    let too_long = self.lines.is_none() && self.attributes.size.is_some_and(|size| self.at > size);
                    if too_long {
                        return Err(changed());
                    }
                    self.lines.as_mut().map_or_else(|| bytes.clone(), |lines| lines.piece(&bytes))
                }
                None => {
                    self.at_end = true;
                    self.prove_end(session).await?;
                    self.lines.as_mut().and_then(Incoming::rest).unwrap_or_default()
                }
            };
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// All has come, and the file is the one that was opened.
    async fn prove_end(&mut self, session: &mut Session) -> Result<(), Error> {
        if self.lines.is_none() && self.attributes.size.is_some_and(|size| self.at != size) {
            return Err(changed());
        }
        let now = session.follow(&self.path).await?.ok_or_else(changed)?;
        if now.size != self.attributes.size || now.modified != self.attributes.modified {
            return Err(changed());
        }
        Ok(())
    }
}
