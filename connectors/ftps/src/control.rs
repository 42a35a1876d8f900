//! The control connection: commands go out, one at a time, and replies come in.

use std::fmt::Write as _;

use bytes::BytesMut;
use lockgate_connector_api::{Error, Kind, Secret};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::{
    failure,
    reply::{Class, Malformed, Replies, Reply},
};

/// A control connection over a stream, in the clear or secured.
#[derive(Debug)]
pub(crate) struct Control<S> {
    stream: S,
    arrived: BytesMut,
    replies: Replies,
    /// Commands whose last reply is not there yet.
    awaited: usize,
    /// A command was given up halfway, so nothing can follow it; or the connection broke.
    torn: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Control<S> {
    /// Over that stream, on which the server greets.
    pub fn new(stream: S) -> Self {
        Self { stream, arrived: BytesMut::new(), replies: Replies::default(), awaited: 1, torn: false }
    }

    /// Over that stream, on which the server has greeted before it was secured.
    pub fn greeted(stream: S) -> Self {
        Self { awaited: 0, ..Self::new(stream) }
    }

    /// The stream, for TLS to begin. What arrived before it in the clear is nobody's word, so nothing
    /// may be left of it.
    pub fn into_stream(self) -> Result<S, Error> {
        if self.is_whole() {
            return Ok(self.stream);
        }
        Err(failure::insecure("the server goes on in the clear where TLS must begin"))
    }

    /// Whether nothing is out and nothing has come unasked.
    pub fn is_whole(&self) -> bool {
        !self.torn && self.awaited == 0 && self.arrived.is_empty() && !self.replies.is_open()
    }

    /// Sends a command and gives its reply, which is a last one.
    pub async fn ask(&mut self, verb: &str, argument: &str) -> Result<Reply, Error> {
        self.send(verb, argument).await?;
        self.last().await
    }

    /// As [`Control::ask`], of a command that must be done.
    pub async fn order(&mut self, verb: &str, argument: &str) -> Result<Reply, Error> {
        done(self.ask(verb, argument).await?)
    }

    /// Sends a command.
    pub async fn send(&mut self, verb: &str, argument: &str) -> Result<(), Error> {
        let mut line = String::with_capacity(verb.len() + argument.len() + 3);
        line.push_str(verb);
        if !argument.is_empty() {
            let _ = write!(line, " {argument}");
        }
        line.push_str("\r\n");
        self.send_line(&Secret::new(line)).await
    }

    async fn send_line(&mut self, line: &Secret) -> Result<(), Error> {
        // A line more would be a command more. Paths and settings were refused long before.
        let text = line.expose().strip_suffix("\r\n").unwrap_or_default();
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(Error::new(Kind::Input, "ftps-command", "a command cannot hold a control character"));
        }
        if self.torn {
            return Err(failure::broken());
        }
        // Until it is out as a whole, a caller that goes away leaves half a command behind.
        self.torn = true;
        let sending = async {
            self.stream.write_all(line.expose().as_bytes()).await?;
            self.stream.flush().await
        };
        sending.await.map_err(|e| failure::of_io(&e))?;
        self.torn = false;
        self.awaited += 1;
        Ok(())
    }

    /// The next reply. Given up, nothing of it is lost.
    pub async fn reply(&mut self) -> Result<Reply, Error> {
        loop {
            match self.replies.take(&mut self.arrived) {
                Ok(Some(reply)) => {
                    if reply.class() != Class::Preliminary {
                        self.awaited = self.awaited.checked_sub(1).ok_or_else(|| self.tear(failure::malformed()))?;
                    }
                    return Ok(reply);
                }
                Ok(None) => {}
                Err(Malformed) => {
                    let words = String::from_utf8_lossy(&self.arrived).chars().take(200).collect::<String>();
                    return Err(self.tear(failure::malformed().with_private(words.escape_debug().to_string())));
                }
            }
            self.arrived.reserve(4096);
            match self.stream.read_buf(&mut self.arrived).await {
                Ok(0) => return Err(self.tear(failure::broken())),
                Ok(_) => {}
                Err(error) => return Err(self.tear(failure::of_io(&error))),
            }
        }
    }

    /// The next reply that is not preliminary.
    pub async fn last(&mut self) -> Result<Reply, Error> {
        loop {
            let reply = self.reply().await?;
            if reply.class() != Class::Preliminary {
                return Ok(reply);
            }
        }
    }

    /// Takes in all replies that are still out.
    pub async fn settle(&mut self) -> Result<(), Error> {
        while self.awaited > 0 {
            self.reply().await?;
        }
        if self.is_whole() { Ok(()) } else { Err(failure::broken()) }
    }

    /// Ends the session after that error: another call could not rely on it.
    pub fn given_up(&mut self, error: Error) -> Error {
        self.tear(error)
    }

    fn tear(&mut self, error: Error) -> Error {
        self.torn = true;
        error
    }
}

/// A reply that says "done", or the error that another one is.
pub(crate) fn done(reply: Reply) -> Result<Reply, Error> {
    if reply.class() == Class::Done { Ok(reply) } else { Err(failure::refused(&reply)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_more_is_never_sent() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let mut control = Control::greeted(ours);
        for (verb, argument) in [("DELE", "a\r\nQUIT"), ("DELE", "a\nb"), ("DELE", "a\0"), ("", "\u{85}"), ("", "")] {
            assert_eq!(control.send(verb, argument).await.unwrap_err().kind(), Kind::Input);
        }
        control.send("NOOP", "").await.unwrap();
        let mut heard = [0; 6];
        theirs.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"NOOP\r\n");
    }

    #[tokio::test]
    async fn what_follows_in_the_clear_is_not_taken_along() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let mut control = Control::greeted(ours);
        theirs.write_all(b"234 go on\r\n230 welcome\r\n").await.unwrap();
        control.order("AUTH", "TLS").await.unwrap();
        assert_eq!(control.into_stream().unwrap_err().kind(), Kind::Identity);
    }

    #[tokio::test]
    async fn a_reply_that_nobody_asked_for_is_refused() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let mut control = Control::greeted(ours);
        theirs.write_all(b"200 ok\r\n226 what\r\n").await.unwrap();
        control.order("NOOP", "").await.unwrap();
        assert!(!control.is_whole());
        assert_eq!(control.reply().await.unwrap_err().kind(), Kind::Protocol);
        assert!(control.settle().await.is_err());
    }
}
