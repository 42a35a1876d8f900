//! Refusals first: what must not open, must not connect, must not be read.

mod archive;
mod authority;
mod files;
mod handshake;
mod pkcs12;
mod rotation;
mod seal;

use lockgate_model::Timestamp;

/// Now, for certificates that rustls holds against the machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "a handshake is checked against the real clock; these tests stand in for the program"
)]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(since.as_micros() as i64)
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
