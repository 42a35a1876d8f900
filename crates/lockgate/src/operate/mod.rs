//! Commands of operators: running a server, and what only its operator may do.

pub mod connector;
mod endpoints;
mod installation;
mod machine;
pub mod operator;
pub mod quickstart;
mod reach;
mod sample;
pub mod serve;
mod server;
