//! Practice endpoints for a first hour: real servers with real certificates on loopback, so that
//! a newcomer's flow talks to something without installing anything.
//!
//! `erp` is a small order system (what it knows, pure), `server` serves it over TLS. The caller
//! brings the TLS configuration; certificates and configurations are made in `keys`. `files` are
//! files in memory (pure), `sftp` serves them, with a host key and credentials of its own.
//!
//! Deliberately absent: anything persistent, any address but the one given, and any use in
//! production: the data is invented and forgotten at exit.

mod erp;
mod files;
mod server;
mod sftp;

pub use server::{Practice, start};
pub use sftp::Sftp;
