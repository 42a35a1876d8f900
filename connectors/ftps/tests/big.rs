//! Memory, in a process of its own.
#![expect(clippy::unwrap_used, reason = "a broken premise must fail the test on the spot")]
#![allow(dead_code, reason = "a part of what the other tests use")]

#[path = "ftps/account.rs"]
mod account;

#[test]
fn gigabytes_pass_in_little_memory() {
    lockgate_testkit::contract::files::big::gigabytes_pass_in_little_memory(
        "gigabytes_pass_in_little_memory",
        account::Kind::Proftpd,
    );
}
