//! A presented credential and what we know become a principal.
