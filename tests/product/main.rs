//! The product as its users have it: the real program, real TLS, real clients (`curl` and the
//! command line), a data directory that is looked into afterwards. Refusals first.

mod access_story;
mod author_tools;
mod authors;
mod canary;
mod cases;
mod climbing;
mod code;
mod diff;
mod edges;
mod files;
mod first_login;
mod flood;
mod formats;
mod gates;
mod hostile;
mod house;
mod json_suite;
mod kept;
mod large;
mod logs;
mod metrics;
mod monsters;
mod neighbours;
mod operator;
mod orchestrations;
mod peered;
mod promotion;
mod repl;
mod schedules;
mod stopping;
mod subflows;
mod suite;
mod tour;
mod traces;
mod written;
