//! What the libraries below say becomes the product's error, their words kept private.

use std::{error::Error as StdError, io};

use crate::{Error, Kind};

/// A failure of securing, sending or receiving.
pub(crate) fn of(error: &(dyn StdError + 'static)) -> Error {
    let mut link = Some(error);
    while let Some(current) = link {
        // A failing streamed body of the call itself: the call's error stays what it was.
        if let Some(own) = current.downcast_ref::<Error>() {
            return own.clone();
        }
        if let Some(tls) = tls_in(current) {
            return of_tls(tls);
        }
        if let Some(http) = current.downcast_ref::<hyper::Error>()
            && (http.is_parse() || http.is_parse_too_large())
        {
            return Error::new(Kind::Protocol, "https-protocol", "the endpoint's answer is not HTTP")
                .with_private(http.to_string());
        }
        link = current.source();
    }
    broken().with_private(chain(error))
}

/// The TLS error that an I/O error holds, however often it was wrapped: `source` of an I/O error
/// skips what it holds.
fn tls_in<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    error.downcast_ref::<rustls::Error>().or_else(|| tls_in(error.downcast_ref::<io::Error>()?.get_ref()?))
}

/// The connection broke.
pub(crate) fn broken() -> Error {
    Error::new(Kind::Unreachable, "https-broken", "the connection to the endpoint broke")
}

/// The error that an I/O error is if TLS made it.
pub(crate) fn of_io(error: &io::Error) -> Option<Error> {
    tls_in(error).map(of_tls)
}

fn of_tls(error: &rustls::Error) -> Error {
    use rustls::Error as Tls;
    let (kind, code, text) = match error {
        Tls::InvalidCertificate(_) | Tls::NoCertificatesPresented | Tls::UnsupportedNameType => (
            Kind::Identity,
            "https-certificate",
            "the server did not prove its identity: its certificate does not match the account's `identity`",
        ),
        Tls::AlertReceived(_) => (
            Kind::Identity,
            "https-alert",
            "the server broke off the TLS session (does it want a client certificate, or another one?)",
        ),
        Tls::PeerIncompatible(_) => {
            (Kind::Identity, "https-tls", "the server offers no TLS 1.2 or 1.3 with ciphers we accept")
        }
        _ => (Kind::Protocol, "https-tls", "the server does not speak TLS correctly (is it a TLS port?)"),
    };
    Error::new(kind, code, text).with_private(error.to_string())
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut link = error.source();
    while let Some(source) = link {
        text.push_str(": ");
        text.push_str(&source.to_string());
        link = source.source();
    }
    text
}
