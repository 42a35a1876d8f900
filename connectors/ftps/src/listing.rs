//! `list`: entries come in by MLSD, or by LIST where the server does not know it.

use bytes::BytesMut;
use lockgate_connector_api::{
    Context, Error, Kind,
    files::{Attributes, Remote, input::Transfer, listing::Listing},
};
use tokio::time::Instant;

use crate::{
    data::{Asked, Data, Opening},
    facts::{self, Entry},
    failure,
    lines::{self, Line},
    session::Session,
};

/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 16 << 10;

/// Shows the entries of a folder to a listing.
pub(crate) async fn list(
    session: &mut Session,
    cx: &Context,
    folder: &Remote,
    listing: &mut Listing<'_>,
    deadline: Instant,
) -> Result<(), Error> {
    if session.features.facts {
        let asked = Asked { offset: 0, verb: "MLSD", argument: folder.as_str() };
        let data = Data::open(session, cx, asked, deadline).await.map_err(not_listed)?;
        lines_of(data, session, listing, |line| match facts::entry(line)? {
            Entry::Named(name, attributes) => Some(Some((name, attributes))),
            Entry::Around => Some(None),
        })
        .await
    } else {
        // From within: some servers read blanks, `-` and `*` in an argument in ways of their own.
        if let Some(refusal) = session.enter(folder).await? {
            return Err(not_listed(Opening::Refused(refusal)));
        }
        match list_here(session, cx, listing, deadline).await {
            Ok(()) => session.leave().await,
            // What failed first is the cause. While a reply is out, whatever came would be taken for that of
            // the way back: such a session stays where it is, and nobody gets it again.
            Err(error) => {
                if session.control.is_whole() {
                    let _ = session.leave().await;
                }
                Err(error)
            }
        }
    }
}

async fn list_here(
    session: &mut Session,
    cx: &Context,
    listing: &mut Listing<'_>,
    deadline: Instant,
) -> Result<(), Error> {
    session.represent(Transfer::Ascii).await?;
    let asked = Asked { offset: 0, verb: "LIST", argument: "" };
    let data = Data::open(session, cx, asked, deadline).await.map_err(not_listed)?;
    lines_of(data, session, listing, |line| match lines::read(line)? {
        Line::Named(name, attributes) => Some(Some((name, attributes))),
        Line::Nothing => Some(None),
    })
    .await
}

/// Reads a line: the entry that it tells, if it tells one. None where its form is not known.
type Read = fn(&str) -> Option<Option<(String, Attributes)>>;

/// Reads a listing to its end, line by line.
async fn lines_of(mut data: Data, session: &mut Session, listing: &mut Listing<'_>, read: Read) -> Result<(), Error> {
    let mut arrived = BytesMut::new();
    while let Some(piece) = data.read(session).await? {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            arrived.extend_from_slice(part);
            if let Some(line) = arrived.strip_suffix(b"\n") {
                one(line, listing, read)?;
                arrived.clear();
            }
        }
        if arrived.len() > LINE_BYTES_MAX {
            return Err(unknown());
        }
    }
    one(&arrived, listing, read)
}

fn one(line: &[u8], listing: &mut Listing<'_>, read: Read) -> Result<(), Error> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Ok(());
    }
    // What is no UTF-8 is read with a character for each byte, so that the bytes of the name can be had back.
    let (text, is_utf8) = match str::from_utf8(line) {
        Ok(text) => (text.to_owned(), true),
        Err(_) => (line.iter().map(|byte| char::from(*byte)).collect(), false),
    };
    let not_known = || unknown().with_private(text.escape_debug().take(200).collect::<String>());
    let Some((name, attributes)) = read(&text).ok_or_else(not_known)? else { return Ok(()) };
    let name = match is_utf8 {
        true => name.into_bytes(),
        false => name.chars().filter_map(|character| u8::try_from(character).ok()).collect(),
    };
    // No name in a folder; who joins it to the folder's would leave it.
    if name.contains(&b'/') || name.contains(&0) {
        return Err(not_known());
    }
    listing.take(&name, attributes);
    Ok(())
}

/// A folder that is not there is refused with words of many kinds.
fn not_listed(opening: Opening) -> Error {
    match opening {
        Opening::Refused(reply) if matches!(reply.code, 501 | 550 | 553) => match failure::refused(&reply) {
            error if matches!(error.kind(), Kind::Rejected | Kind::NotFound | Kind::Protocol) => {
                failure::missing(&reply)
            }
            error => error,
        },
        opening => opening.into(),
    }
}

fn unknown() -> Error {
    Error::new(Kind::Protocol, "ftps-listing", "the server lists the folder in a form that is not known")
}
