//! Keeps keys: seals secrets, holds certificates and trust, makes every TLS configuration.
//!
//! - [`Master`] holds the keys of an installation, under a master key in a private file or one that a
//!   [`KeyWrapper`] keeps. Everything else is derived per tenant and purpose, so that no two tenants and no two uses
//!   share a key.
//! - [`Sealed`] is a secret as it may lie in a database: readable only under the very row it was
//!   sealed for ([`Binding`]).
//! - [`Archive`] is a stream of bytes that only its key opens, and only as a whole.
//! - [`HeadSigner`] signs where audit chains end, and [`HeadKey`] tells a true head.
//! - [`TokenKeys`] sign access tokens of an environment.
//! - [`Authority`] is a small certificate authority; [`Identity`] is a certificate chain with its
//!   private key; [`TrustRoots`] are authorities somebody else runs.
//! - [`Token`] lets in who can read a private file of this machine.
//! - [`client_config`] and [`server_config`] are the only makers of rustls configurations in the
//!   product. Neither can be asked not to verify.
//!
//! One provider, aws-lc-rs, handed over explicitly: nothing depends on what a process installed as
//! its default.
//!
//! Deliberately absent: sockets, clocks (times come in; rustls alone asks the clock, during a
//! handshake), storage of sealed rows, password hashing (crate `identity`) and SSH host keys (the
//! connector that speaks SSH checks them).

mod archive;
mod authority;
mod client;
mod error;
mod file;
mod head;
mod identity;
mod master;
mod pin;
mod pkcs12;
mod ring;
mod seal;
mod secret;
mod server;
mod shown;
mod token;
mod token_key;
mod trust;
mod wrap;

pub use archive::{Archive, ArchiveWriter, PASSPHRASE_BYTES_MIN, Unlock};
pub use authority::{Authority, LEAF_DAYS_MAX};
pub use client::{Versions, client_config, public_client_config};
pub use error::Error;
pub use head::{HeadKey, HeadSigner, InvalidHeadKey};
pub use identity::{Identity, fingerprint};
pub use master::{HmacKey, Keeper, MASTER, Master, RING};
pub use pin::presented_fingerprint;
pub use seal::{Binding, Sealed};
pub use secret::Secret;
pub use server::{ClientCertificates, server_config};
pub use shown::ShownCertificate;
pub use token::Token;
pub use token_key::{TokenKeys, TokenSigner};
pub use trust::TrustRoots;
pub use wrap::{KeyWrapper, MasterKey};

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// ALPN protocol names (RFC 7301) for HTTP/2 and HTTP/1.1, the better one first.
pub const ALPN_HTTP: &[&[u8]] = &[b"h2", b"http/1.1"];

/// The one provider of cryptography for TLS.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests;
