//! Schedules over a whole runtime, with a clock of the test's own and a connector whose answers the
//! test holds back. Refusals first.

mod control;
mod fires;
mod house;
mod refusals;
mod restart;
