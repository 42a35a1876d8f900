//! One exchange over HTTPS, for connectors whose endpoints are reached so, whatever they say in it.
//!
//! [`Settings`] are the account's, [`Client`] sends a [`Request`] to its origin and follows redirects by hand, over
//! connections that `pool` keeps and `connection` opens, through a proxy if there is one; what comes back is
//! [`Received`]. `signin` is how the account proves who it is, [`Target`] keeps a path below the account's base,
//! `gzip` is taken off piece by piece. [`fields`] declare the settings. Errors have the codes `https-…`, whichever
//! connector it is.
//!
//! Deliberately absent: plain HTTP (it cannot be written), cookies, automatic retries of what may have been received
//! (the flow decides those), any meaning of contents, and any way to reach an address past the egress rule: sockets
//! come from `Egress::dial` alone.

mod client;
mod connection;
mod failure;
pub mod fields;
pub mod form;
mod gzip;
mod outgoing;
mod pool;
mod received;
mod redirect;
mod request;
mod settings;
mod signin;
mod target;
mod watched;

pub use client::{Client, Room};
pub(crate) use connection::Origin;
pub use outgoing::Content;
pub use received::{Received, beginning, is_refusal, refusal, refusal_of, retry_after};
pub use request::{Request, complete, header_value, is_idempotent, is_of_connection, push_key, push_trace};
pub use settings::{Redirects, Settings};
pub(crate) use signin::SignIn;
pub use target::Target;

use crate::Scheme;

/// The scheme of its addresses.
pub const HTTPS: Scheme = Scheme { name: "https", port: 443 };
