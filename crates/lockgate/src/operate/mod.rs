//! Commands of operators: running a server, and what only its operator may do.

mod allowances;
pub mod backup;
pub mod connector;
mod endpoints;
mod installation;
mod keeper;
pub mod limits;
mod machine;
pub mod operator;
pub mod quickstart;
mod reach;
pub mod restore;
mod sample;
pub mod serve;
mod server;
