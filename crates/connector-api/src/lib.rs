//! The contract between the product and one remote system: what a connector declares, what it is
//! handed, what it answers, how it fails, and which addresses it may dial.
//!
//! A connector implements [`Connector`] with plain `async fn`s; [`Registry`] boxes it once. Its
//! [`Spec`] is the single declaration from which bindings are checked and the docs page and the
//! listing are written. Every connection is opened through [`Egress`], which checks the address
//! that is really dialled. [`Places`] and [`Kept`] are what all connectors need to lend out
//! connections: how many calls are at work, and which connections wait for the next one.
//! [`Duplex`] carries bytes over one, [`sql`] is what connectors of SQL databases share, [`files`] what those of
//! servers of files share above their protocols, and [`http`] the exchange below everything that is said over HTTPS.
//!
//! Deliberately absent: any other wire protocol (each lives in its own crate under `connectors/`), TLS
//! configurations (crate `keys` makes them; a [`Config`] only holds one), retries (a flow decides
//! them, `Error::is_transient` and the operation's `idempotent` tell it what is safe), and any way
//! to log what a peer said ([`Private`]).

mod address;
mod body;
mod connector;
mod duplex;
pub mod egress;
mod error;
pub mod files;
pub mod http;
mod kept;
mod places;
mod records;
mod registry;
mod secret;
mod spec;
pub mod sql;
mod tls;
mod withheld;

pub use address::{Address, InvalidAddress, Scheme};
pub use body::Body;
pub use connector::{Answer, Call, Config, Connector, Context};
pub use duplex::Duplex;
pub use egress::{Allowance, Egress, Host, Proxy, Route, Vetted};
pub use error::{Error, Kind, Private, Told};
pub use kept::Kept;
pub use places::{Part, Place, Places};
pub use records::{Records, Streamed};
pub use registry::{DynConnector, Registered, Registry};
pub use secret::Secret;
pub use spec::{AddressForm, Field, FieldKind, IdentityKind, Operation, Problem, Spec};
pub use tls::TlsCodes;
pub use withheld::Withheld;
