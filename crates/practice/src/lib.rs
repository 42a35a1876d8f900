//! Practice endpoints for a first hour: real servers with real certificates on loopback, so that
//! a newcomer's flow talks to something without installing anything.
//!
//! `erp` is a small order system (what it knows, pure), `server` serves it over TLS. `postgres` is a
//! database of customers and orders, where a PostgreSQL server is installed, in a private `cluster`.
//! The caller brings TLS configuration and certificates; they are made in `keys`.
//! `files` are files in memory (pure), `sftp` serves them, with a host key and credentials of its own.
//!
//! Deliberately absent: anything that outlives the process, any address but loopback, and any use
//! in production: the data is invented and forgotten at exit.

pub mod cluster;
mod erp;
mod files;
pub mod postgres;
mod server;
mod sftp;

pub use server::{Practice, start};
pub use sftp::Sftp;
