//! Commands of publishers, over the admin API.

pub mod account;
pub mod adopt;
pub mod deploy;
pub mod login;
pub mod logs;
pub mod promote;
pub mod push;
pub mod run;
pub mod runs;
pub mod schedule;
