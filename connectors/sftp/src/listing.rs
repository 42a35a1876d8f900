//! `list`.

use std::collections::VecDeque;

use lockgate_connector_api::{
    Error,
    files::{Remote, listing::Listing},
};

use crate::{failure, session::Session, wire::Request};

/// Requests for entries that are out at once.
const AHEAD: usize = 4;

/// Shows the entries of a folder to a listing.
pub(crate) async fn list(session: &mut Session, folder: &Remote, listing: &mut Listing<'_>) -> Result<(), Error> {
    let handle = session.handle(&Request::OpenFolder(folder.as_str())).await?;
    let mut at_end = false;
    let mut out = VecDeque::new();
    loop {
        while !at_end && out.len() < AHEAD {
            out.push_back(session.send(&Request::ReadFolder(&handle)).await?);
        }
        let Some(id) = out.pop_front() else { break };
        // What is out is taken in to the end, so that the session stays whole.
        match session.entries(id).await? {
            None => at_end = true,
            Some(entries) => {
                for entry in entries {
                    if entry.name.contains(&b'/') || entry.name.contains(&0) {
                        return Err(failure::malformed());
                    }
                    listing.take(&entry.name, entry.attributes);
                }
                at_end |= listing.is_full();
            }
        }
    }
    session.order(&Request::Close(&handle)).await
}
