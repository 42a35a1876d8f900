//! REST in: TLS, limits, route, one reply.
//!
//! - [`Server`] is the accept loop: TLS with a handshake timeout, HTTP/1.1 and HTTP/2, limits on
//!   connections, heads, streams and slowness ([`Settings`]), and an orderly end.
//! - [`Front`] is what it serves: `/healthz`, `/readyz`, `/metrics`, the admin API as a mounted
//!   service, the token endpoints of OAuth 2.0 under `/oauth2`, and `POST /{tenant}/{environment}/{name}`.
//! - `respond` is the one place where outcomes become statuses.
//!
//! Deliberately absent: decisions and sessions (crate `runtime`), the admin API itself (crate
//! `admin`; front doors do not know each other), the making of TLS configurations (crate `keys`),
//! compression of bodies, redirects, static files, and trust in forwarding headers: the source of a
//! request is the address that connected.

mod activity;
mod admission;
mod body;
mod budget;
mod front;
mod log;
mod pace;
mod reply;
mod respond;
mod rest;
mod route;
mod server;
mod settings;
mod site;
mod token;
mod watched;

pub use front::Front;
pub use pace::{BodyError, RequestBody};
pub use reply::{BoxError, Reply, ReplyBody};
pub use server::{Drained, Handler, Peer, Server};
pub use settings::Settings;
