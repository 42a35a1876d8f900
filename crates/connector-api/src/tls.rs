//! What went wrong with TLS, where a protocol's messages travel through it.

use std::{error::Error as StdError, io};

use rustls::Error as Tls;

use crate::{Error, Kind};

/// The codes of a connector for what goes wrong with TLS.
#[derive(Debug, Clone, Copy)]
pub struct TlsCodes {
    /// The server's certificate is not what the account expects.
    pub certificate: &'static str,
    /// The server broke off.
    pub alert: &'static str,
    /// No TLS that we speak, or none at all.
    pub tls: &'static str,
}

impl TlsCodes {
    /// The error of TLS that an I/O error holds, if it holds one.
    pub fn error(&self, error: &io::Error) -> Option<Error> {
        let tls = tls_in(error)?;
        let (kind, code, text) = match tls {
            Tls::InvalidCertificate(_) | Tls::NoCertificatesPresented | Tls::UnsupportedNameType => (
                Kind::Identity,
                self.certificate,
                "the server did not prove its identity: its certificate does not match the account's `identity`",
            ),
            Tls::AlertReceived(_) => (
                Kind::Identity,
                self.alert,
                "the server broke off the TLS session (does it want a client certificate, or another one?)",
            ),
            Tls::PeerIncompatible(_) => {
                (Kind::Identity, self.tls, "the server offers no TLS 1.2 or 1.3 with ciphers we accept")
            }
            _ => (Kind::Protocol, self.tls, "the server does not speak TLS correctly"),
        };
        Some(Error::new(kind, code, text).with_private(tls.to_string()))
    }
}

/// The TLS error that an I/O error holds, however often it was wrapped: `source` of an I/O error
/// skips what it holds.
fn tls_in<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Tls> {
    error.downcast_ref::<Tls>().or_else(|| tls_in(error.downcast_ref::<io::Error>()?.get_ref()?))
}
