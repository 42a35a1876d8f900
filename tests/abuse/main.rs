//! What somebody might try, row by row of the threat model: one test a row, named by its number, against the real
//! program. Rows 1 to 4, 22, 28 and 29 stand here; the others have their place where their subject has it
//! (`docs/security.md` names each promise's test).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a broken premise must fail the test on the spot")]

#[path = "../product/house.rs"]
#[expect(dead_code, reason = "what other tests use of it besides")]
mod house;
mod rights;
mod sites;
mod thieves;
