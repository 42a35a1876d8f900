//! Decisions by chance: random tenants and requests, decided by the product and by an oracle.
//!
//! [`generate`] draws a [`world`] and requests from a seed, [`product`] compiles the world's rows to the
//! snapshot that the server decides on, [`sets`] is the oracle: the access model as naive sets.
//!
//! Deliberately absent: the rest of a deploy (bound accounts, green runs), narrowed keys, HTTP.

pub mod generate;
pub mod product;
// One generator of numbers for all proofs by chance, without the engine that the other proofs need.
#[path = "../../proof/src/random.rs"]
pub mod random;
pub mod sets;
pub mod world;
