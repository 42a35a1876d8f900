//! From what SQLite says to what the port says.

use rusqlite::ErrorCode;

use crate::Error;

/// The port's error for a failed step; `doing` completes "the store cannot …".
pub(super) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |error| Error::Failed { doing, reason: reason(&error) }
}

/// Text for people: what happened to the medium, without SQL.
fn reason(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full; make room, then try again".to_owned(),
        Some(ErrorCode::ReadOnly) => "the medium is read-only".to_owned(),
        Some(ErrorCode::SystemIoFailure) => "the medium failed".to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another process holds the file".to_owned(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged; restore it from a backup".to_owned()
        }
        Some(ErrorCode::ConstraintViolation) => "it is there already".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}

/// After these nothing that was written can be believed until the file is opened anew: a medium
/// that failed to sync once may claim success at the next try without having written.
pub(super) fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::CannotOpen)
    )
}

/// A cell that does not hold what this program writes.
pub(super) fn damaged(what: &str) -> Error {
    Error::Damaged(format!("{what}; restore it from a backup"))
}

/// Counters are stored as signed 64-bit integers; none of ours comes near the end.
pub(super) fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A stored counter; what is negative was not written by this program.
pub(super) fn to_u64(value: i64, what: &str) -> Result<u64, Error> {
    u64::try_from(value).map_err(|_| damaged(what))
}
