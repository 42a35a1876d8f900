//! Records of an input as they come.

use std::{io::Read, ops::ControlFlow};

use lockgate_document::{Document, FormatError, formats::Records};

use crate::exit::Exit;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 << 10;
/// Records that come together at most.
const RECORDS_MAX: usize = 1_024;

/// Whether more is wanted, or why there is no more.
pub type Passed = Result<ControlFlow<()>, Exit>;

/// What comes out of an input.
pub enum Came {
    /// Some records in an array.
    Records(Box<Document>),
    /// So many bytes were read, and the records in them have come.
    Piece(u64),
    /// It cannot be read.
    Trouble(FormatError),
}

/// Reads all of an input, until nobody wants what comes of it.
pub fn read(records: &mut Records, mut input: impl Read, take: &mut dyn FnMut(&Records, Came) -> Passed) -> Passed {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = match input.read(&mut piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            length => length?,
        };
        records.push(piece.get(..length).unwrap_or_default());
        loop {
            let came = match records.batch(RECORDS_MAX) {
                Ok(Some(batch)) => Came::Records(Box::new(batch)),
                Ok(None) => break,
                Err(error) => Came::Trouble(error),
            };
            if take(records, came)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let _ = take(records, Came::Piece(length as u64))?;
        if length == 0 {
            return Ok(ControlFlow::Continue(()));
        }
    }
}
