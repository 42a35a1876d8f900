//! Decisions by chance: random tenants and requests, decided by the product and by an oracle.
//!
//! [`generate`] draws a [`world`] and requests from a seed and [`mutate`] changes it; [`product`] compiles the
//! world's rows to what the server decides on, anew or from what was there before a change. Two oracles say what is right: [`sets`], the access model as
//! naive sets, and [`mod@cedar`], the access model as policies of the Cedar language.
//!
//! Deliberately absent: base paths of accounts (their cover is tested in `lockgate-access`), groups in groups (the
//! access model has none).

pub mod cedar;
pub mod generate;
pub mod mutate;
pub mod product;
// One generator of numbers for all proofs by chance, without the engine that the other proofs need.
#[path = "../../proof/src/random.rs"]
pub mod random;
pub mod sets;
pub mod shrink;
pub mod world;
