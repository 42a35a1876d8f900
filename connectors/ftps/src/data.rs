//! Data connections: each carries one content, over TLS, by the way of the control connection: to its
//! address, through its proxy.
//!
//! A content has ended when TLS says so (close_notify, RFC 8446 §6.1) and the server says so over the
//! control connection (226). One without the other is a content that may be cut.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use lockgate_connector_api::{Context, Error, Kind, files::Session as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::client::TlsStream;

use crate::{
    failure, passive,
    reply::{Class, Reply},
    session::Session,
};

/// Bytes of one read.
const CHUNK_BYTES: usize = 64 << 10;
/// How long a server's reason may take that follows a data connection's end.
const REASON_WITHIN: Duration = Duration::from_secs(1);

/// A data connection whose content has begun.
pub(crate) struct Data(TlsStream<TcpStream>);

/// Where a content begins, and what is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Byte at which a content begins (RFC 3659 §5).
    pub offset: u64,
    pub verb: &'a str,
    pub argument: &'a str,
}

impl Data {
    /// Asks for a content and opens the connection for it.
    pub async fn open(
        session: &mut Session,
        cx: &Context,
        asked: Asked<'_>,
        deadline: Instant,
    ) -> Result<Self, Opening> {
        let port = port(session).await?;
        // What the server says about addresses is not asked: the one that was vetted is dialled.
        let (stream, _) = cx.egress.dial_again(session.route(), port, deadline.into_std()).await?;
        if asked.offset > 0 {
            let reply = session.control.ask("REST", &asked.offset.to_string()).await?;
            if reply.class() != Class::More {
                return Err(Opening::Refused(reply));
            }
        }
        session.control.send(asked.verb, asked.argument).await?;
        let reply = session.control.reply().await?;
        match reply.class() {
            Class::Preliminary => {}
            // It ended before it began.
            Class::Done | Class::More => return Err(failure::malformed().into()),
            Class::NotNow | Class::Never => return Err(Opening::Refused(reply)),
        }
        match session.secured.tls.connect(session.secured.name.clone(), stream).await {
            Ok(stream) => Ok(Self(stream)),
            Err(error) => Err(reason(session, &error).await.into()),
        }
    }

    /// The next bytes; none at the end, once the server has said that all was sent.
    pub async fn read(&mut self, session: &mut Session) -> Result<Option<Bytes>, Error> {
        let mut bytes = BytesMut::with_capacity(CHUNK_BYTES);
        match self.0.read_buf(&mut bytes).await {
            Ok(0) => {
                // Some servers wait for the end of our side.
                let _ = self.0.shutdown().await;
                finished(session.control.last().await?)?;
                Ok(None)
            }
            Ok(_) => Ok(Some(bytes.freeze())),
            Err(error) => Err(reason(session, &error).await),
        }
    }

    /// Sends bytes. A server that gives up meanwhile is heard.
    pub async fn write(&mut self, session: &mut Session, bytes: &[u8]) -> Result<(), Error> {
        let sent = tokio::select! {
            biased;
            reply = session.control.last() => {
                let reply = reply?;
                // Done before all was sent.
                return Err(if reply.class() == Class::Done { failure::malformed() } else { failure::refused(&reply) });
            }
            sent = self.0.write_all(bytes) => sent,
        };
        match sent {
            Ok(()) => Ok(()),
            Err(error) => Err(reason(session, &error).await),
        }
    }

    /// Ends what was sent, and waits until the server says that all has come. False where its side did
    /// not end as TLS ends: it may have been cut, and then the server has taken a part for the whole.
    pub async fn finish(mut self, session: &mut Session) -> Result<bool, Error> {
        let ended = async {
            self.0.flush().await?;
            self.0.shutdown().await
        };
        if let Err(error) = ended.await {
            return Err(reason(session, &error).await);
        }
        // Its side is read to the end, as far as it comes: closing a connection in which something is
        // unread would reset it, under the bytes that the server has not read yet.
        let mut rest = [0; 1024];
        let draining = async {
            loop {
                match self.0.read(&mut rest).await {
                    Ok(0) => return true,
                    Ok(_) => {}
                    Err(_) => return false,
                }
            }
        };
        let is_proven = timeout(REASON_WITHIN, draining).await.unwrap_or(false);
        finished(session.control.last().await?)?;
        Ok(is_proven)
    }
}

/// Why no content was opened.
pub(crate) enum Opening {
    /// The server does not begin; nothing came about.
    Refused(Reply),
    Failed(Error),
}

impl From<Error> for Opening {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Opening> for Error {
    fn from(opening: Opening) -> Self {
        match opening {
            Opening::Refused(reply) => failure::refused(&reply),
            Opening::Failed(error) => error,
        }
    }
}

/// The port on which the server waits for a data connection.
async fn port(session: &mut Session) -> Result<u16, Error> {
    if !session.plain_passive {
        let reply = session.control.ask("EPSV", "").await?;
        match reply.class() {
            Class::Done => return passive::extended(&reply.words()).ok_or_else(failure::malformed),
            // PASV has no form for another address than one of version 4.
            Class::Never if session.route().endpoint().addr().is_ipv4() => session.plain_passive = true,
            _ => return Err(failure::refused(&reply)),
        }
    }
    let reply = session.control.order("PASV", "").await?;
    passive::plain(&reply.words()).ok_or_else(failure::malformed)
}

/// All was transferred, as the server says.
fn finished(reply: Reply) -> Result<(), Error> {
    match reply.code {
        226 | 250 => Ok(()),
        _ if reply.class() == Class::Done => Err(failure::malformed()),
        _ => Err(failure::refused(&reply)),
    }
}

/// Why a data connection ended: what TLS says is the cause; else the server may have told it over the
/// control connection.
async fn reason(session: &mut Session, error: &io::Error) -> Error {
    if let Some(error) = failure::of_tls(error) {
        return error;
    }
    let told = match timeout(REASON_WITHIN, session.control.last()).await {
        Ok(Ok(reply)) if matches!(reply.class(), Class::NotNow | Class::Never) => Some(failure::refused(&reply)),
        _ => None,
    };
    let error = failure::cut().with_private(error.to_string());
    told.filter(|told| !matches!(told.kind(), Kind::Unavailable)).unwrap_or(error)
}
