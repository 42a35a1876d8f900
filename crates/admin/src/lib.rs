//! The admin HTTP API and its OpenAPI description.
//!
//! - [`router`] is everything under `/admin/v1`; the console and the command line use nothing else.
//! - [`openapi`] is its description, served at `/admin/v1/openapi.json`.
//! - [`operator_router`] is the operator's own; [`serve_operator`] serves it on a local socket.
//!
//! Every route of a tenant authenticates before it looks at anything else of the request, and asks
//! access before it reads a query or a body. An id that cannot be one is answered like one that is not
//! there.
//!
//! Deliberately absent: decisions (crate `runtime` asks `access`), sockets and TLS (crate `listener`
//! mounts the router), pages (the console), and any way into the store.

mod api;
mod condition;
mod extract;
mod gate;
mod log;
mod objects;
mod operator;
mod page;
mod respond;
mod routes;
pub mod shapes;

pub use api::{openapi, router};
pub use operator::{OperatorPlace, operator_router, serve_operator};
