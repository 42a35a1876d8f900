//! From what SQLite says to what the port says.

use rusqlite::{ErrorCode, ffi};

use crate::Error;

/// The port's error for a failed step; `doing` completes "the store cannot …".
pub(super) fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |error| Error::Failed { doing, reason: reason(&error) }
}

/// Text for people: what happened to the medium, without SQL.
fn reason(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full; make room, then try again".to_owned(),
        Some(ErrorCode::SystemIoFailure) if is_refusal(error) => {
            "the medium takes no more; make room or raise the quota, then try again".to_owned()
        }
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
/// that failed to sync once may claim success at the next try without having written. A medium that
/// says at once that it takes no more, or a process that has no descriptor left, is none of these.
pub(super) fn is_fatal(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => !is_refusal(error),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => true,
        _ => false,
    }
}

/// The system refused a write before it took anything: a quota, a limit on the size of a file, or a
/// disk that was full when the index of the log had to grow. What was written before still stands.
fn is_refusal(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_extended_error_code(), Some(ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_makes_the_file_doubtful_closes_it() {
        let error = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        for passes in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_SHMSIZE,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_READONLY,
        ] {
            assert!(!is_fatal(&error(passes)), "{passes}");
        }
        for doubtful in [
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_READ,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
        ] {
            assert!(is_fatal(&error(doubtful)), "{doubtful}");
        }
    }
}
