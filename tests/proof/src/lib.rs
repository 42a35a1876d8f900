//! Proof by chance: random expressions against the reference implementation, and fuzz targets.
//!
//! [`generate`] draws expressions and documents from a seed, [`bench`] runs them through the
//! product's compiler and engine, [`mod@reference`] through npm `jsonata`, [`mod@compare`] judges and
//! [`shrink`] makes small what differs. [`targets`] are functions of bytes that no bytes may break:
//! `fuzz/` hands them to libFuzzer, and the tests here to a mutator of our own ([`mutate`]).
//! CONTRIBUTING.md says how to run both.
//!
//! Deliberately absent: a second evaluator of ours, and anything that ships.

pub mod bench;
pub mod compare;
pub mod generate;
pub mod json;
pub mod mutate;
pub mod random;
pub mod reference;
pub mod shrink;
pub mod targets;
