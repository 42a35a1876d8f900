//! Decisions by chance: random tenants and requests, decided by the product and by oracles.

pub mod sets;
pub mod world;
