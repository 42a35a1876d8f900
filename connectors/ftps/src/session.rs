//! One FTP session, used by one call at a time.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_connector_api::{
    Context, Error, Kind, Route,
    files::{
        self, Attributes, Remote, What,
        content::Content,
        get::Get,
        input::{Exists, Transfer},
        listing::Listing,
        put::Unstored,
    },
};
use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, time::Instant};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    control::{Control, done},
    facts, failure,
    get::{self, Reading},
    listing, put,
    reply::{Class, Reply},
    tickets::Tickets,
};

/// The session.
pub(crate) struct Session {
    pub control: Control<TlsStream<TcpStream>>,
    pub secured: Secured,
    route: Route,
    pub features: Features,
    /// The folder in which the server put us, once it was asked for.
    home: Option<String>,
    /// How contents travel; none while that is being changed.
    transfer: Option<Transfer>,
    /// In another folder than home, or on the way there or back.
    away: bool,
    /// EPSV was refused, so PASV is used.
    pub plain_passive: bool,
}

/// How data connections are secured: as the control connection is, whose TLS session they resume.
pub(crate) struct Secured {
    pub tls: TlsConnector,
    pub name: ServerName<'static>,
    pub tickets: Arc<Tickets>,
}

/// What a server can do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Features {
    /// It tells facts of files to programs (RFC 3659 §7).
    pub facts: bool,
}

impl Session {
    /// A session that has signed in, with its type set to binary.
    pub fn new(control: Control<TlsStream<TcpStream>>, secured: Secured, route: Route, features: Features) -> Self {
        let transfer = Some(Transfer::Binary);
        Self { control, secured, route, features, home: None, transfer, away: false, plain_passive: false }
    }

    /// Contents from now on travel so.
    pub async fn represent(&mut self, transfer: Transfer) -> Result<(), Error> {
        if self.transfer != Some(transfer) {
            let argument = match transfer {
                Transfer::Binary => "I",
                Transfer::Ascii => "A",
            };
            // Given up here, nobody knows which it is.
            self.transfer = None;
            self.control.order("TYPE", argument).await?;
            self.transfer = Some(transfer);
        }
        Ok(())
    }

    /// The size of a file in bytes; none where the server does not tell (RFC 3659 §4).
    pub async fn size(&mut self, path: &Remote) -> Result<Option<u64>, Error> {
        self.represent(Transfer::Binary).await?;
        let reply = self.control.ask("SIZE", path.as_str()).await?;
        match reply.class() {
            Class::Done => number(&reply).map(Some),
            _ if reply.code == 421 => Err(failure::refused(&reply)),
            _ => Ok(None),
        }
    }

    /// Goes into a folder; gives the refusal where there is none. [`Session::leave`] goes back.
    pub async fn enter(&mut self, folder: &Remote) -> Result<Option<Reply>, Error> {
        if self.home.is_none() {
            let home = working_folder(&self.control.order("PWD", "").await?);
            self.home = Some(home.ok_or_else(failure::malformed)?);
        }
        self.away = true;
        let reply = self.control.ask("CWD", folder.as_str()).await?;
        self.away = reply.class() == Class::Done;
        Ok((!self.away).then_some(reply))
    }

    /// Back to the folder in which the server put us: paths stand below it.
    pub async fn leave(&mut self) -> Result<(), Error> {
        let home = self.home.clone().unwrap_or_default();
        // In another folder every later path would mean another file.
        self.control.order("CWD", &home).await.map_err(|error| self.control.given_up(error))?;
        self.away = false;
        Ok(())
    }

    /// What is at a path, by requests of programs before those of people.
    async fn look(&mut self, path: &Remote) -> Result<Option<Attributes>, Error> {
        if !self.features.facts {
            return self.look_without_facts(path).await;
        }
        let reply = self.control.ask("MLST", path.as_str()).await?;
        match reply.class() {
            Class::Done => facts::attributes(&reply.lines).map(Some).ok_or_else(failure::malformed),
            _ => nothing_or_error(&reply),
        }
    }

    /// A file has a size, a folder can be gone into.
    async fn look_without_facts(&mut self, path: &Remote) -> Result<Option<Attributes>, Error> {
        if let Some(size) = self.size(path).await? {
            let reply = self.control.ask("MDTM", path.as_str()).await?;
            let modified = (reply.class() == Class::Done).then(|| facts::time(reply.words().trim())).flatten();
            return Ok(Some(Attributes { what: What::File, size: Some(size), modified }));
        }
        if let Some(refusal) = self.enter(path).await? {
            return nothing_or_error(&refusal);
        }
        self.leave().await?;
        Ok(Some(Attributes { what: What::Folder, size: None, modified: None }))
    }
}

impl files::Session for Session {
    type Reading = Reading;

    /// One connection carries a content, from its beginning on.
    const STORES_IN_ORDER: bool = true;

    /// STOR replaces (RFC 959 §4.1.3).
    const OPENS_NEW: bool = false;

    fn route(&self) -> Route {
        self.route
    }

    fn is_whole(&self) -> bool {
        self.control.is_whole() && !self.away && !self.secured.tickets.are_spent()
    }

    async fn ask(&mut self) -> Result<(), Error> {
        self.control.order("NOOP", "").await.map(drop)
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.control.settle().await?;
        // From another folder every path would mean another file: whoever tidies up takes another session.
        if self.away { Err(failure::broken()) } else { Ok(()) }
    }

    async fn find(&mut self, path: &Remote) -> Result<Option<Attributes>, Error> {
        self.look(path).await
    }

    async fn follow(&mut self, path: &Remote) -> Result<Option<Attributes>, Error> {
        match self.look(path).await? {
            // A link is not told further; what it leads to is.
            Some(attributes) if attributes.what == What::Link => self.look_without_facts(path).await,
            // Some servers tell a link as the file that it leads to, with the size of the link.
            Some(attributes) if attributes.what == What::File && self.features.facts => {
                let size = self.size(path).await?.or(attributes.size);
                Ok(Some(Attributes { size, ..attributes }))
            }
            found => Ok(found),
        }
    }

    async fn rename(&mut self, from: &Remote, to: &Remote) -> Result<(), Error> {
        let reply = self.control.ask("RNFR", from.as_str()).await?;
        if reply.class() != Class::More {
            return Err(failure::refused(&reply));
        }
        self.control.order("RNTO", to.as_str()).await.map(drop)
    }

    async fn remove(&mut self, path: &Remote) -> Result<(), Error> {
        let reply = self.control.ask("DELE", path.as_str()).await?;
        if reply.class() == Class::Done {
            return Ok(());
        }
        // What is not there is told in any language; who tidies up must know.
        match failure::refused(&reply) {
            error if error.kind() == Kind::Rejected && self.look(path).await?.is_none() => {
                Err(failure::missing(&reply))
            }
            error => Err(error),
        }
    }

    async fn remove_folder(&mut self, path: &Remote) -> Result<(), Error> {
        self.control.order("RMD", path.as_str()).await.map(drop)
    }

    async fn make_folder(&mut self, path: &Remote) -> Result<(), Error> {
        self.control.order("MKD", path.as_str()).await.map(drop)
    }

    async fn list(
        &mut self,
        cx: &Context,
        folder: &Remote,
        listing: &mut Listing<'_>,
        deadline: Instant,
    ) -> Result<(), Error> {
        listing::list(self, cx, folder, listing, deadline).await
    }

    async fn read(&mut self, cx: &Context, get: &Get, deadline: Instant) -> Result<(Attributes, Reading), Error> {
        get::open(self, cx, get, deadline).await
    }

    async fn next(&mut self, file: &mut Reading) -> Result<Option<Bytes>, Error> {
        file.piece(self).await
    }

    async fn store(
        &mut self,
        cx: &Context,
        to: &Remote,
        _: Exists,
        content: &mut Content,
        deadline: Instant,
    ) -> Result<(), Unstored> {
        put::store(self, cx, to, content, deadline).await
    }
}

/// A refusal to look at a path: nothing is there, unless the reply says something else.
fn nothing_or_error(reply: &Reply) -> Result<Option<Attributes>, Error> {
    let error = failure::refused(reply);
    match (reply.code, error.kind()) {
        (550 | 553, Kind::NotFound | Kind::Rejected) => Ok(None),
        _ => Err(error),
    }
}

fn number(reply: &Reply) -> Result<u64, Error> {
    done(reply.clone())?.words().trim().parse().map_err(|_| failure::malformed())
}

/// The folder that a reply to PWD names, in quotation marks that are doubled inside (RFC 959 App. II).
fn working_folder(reply: &Reply) -> Option<String> {
    let words = reply.words();
    let (_, rest) = words.split_once('"')?;
    let mut folder = String::new();
    let mut characters = rest.chars().peekable();
    loop {
        match characters.next()? {
            '"' if characters.peek() == Some(&'"') => {
                characters.next();
                folder.push('"');
            }
            '"' => break,
            character if character.is_control() => return None,
            character => folder.push(character),
        }
    }
    (!folder.is_empty()).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_working_folder_is_quoted() {
        let read = |words: &str| working_folder(&Reply { code: 257, lines: vec![words.to_owned()] });
        for (words, folder) in [
            ("\"/\" is the current directory", Some("/")),
            ("\"/a \"\"b\"\"\" is it", Some("/a \"b\"")),
            ("\"\" is it", None),
            ("\"/a", None),
            ("/a", None),
            ("\"/a\nb\"", None),
        ] {
            assert_eq!(read(words).as_deref(), folder, "{words}");
        }
    }
}
