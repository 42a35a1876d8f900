//! Decides who may do what. Values in, a decision out; permits are values that only this crate makes.
