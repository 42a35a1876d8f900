//! Opens one session: dial through the egress rule, secure the connection, sign in, protect what will
//! be transferred.
//!
//! Nothing but `AUTH TLS` is sent before the server's certificate was verified.

use std::sync::Arc;

use lockgate_connector_api::{Context, Error, Kind, Secret, files::late};
use rustls::{
    ClientConfig,
    client::{ClientSessionStore, Resumption},
};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    config::{Begins, Settings},
    control::{Control, done},
    failure,
    reply::{Class, Reply},
    session::{Features, Secured, Session},
    tickets::Tickets,
};

/// A session that is signed in, by the deadline.
pub(crate) async fn open(cx: &Context, settings: &Settings, deadline: Instant) -> Result<Session, Error> {
    let Settings { host, port, proxy, .. } = settings;
    let (stream, route) = cx.egress.dial(host, *port, proxy.as_ref(), deadline.into_std()).await?;
    let opening = async {
        let tickets = Arc::<Tickets>::default();
        let tls = own(&settings.tls, &tickets);
        let mut control = match settings.begins {
            Begins::Explicit => explicit(settings, &tls, stream).await?,
            Begins::Implicit => {
                let mut control = Control::new(secure(settings, &tls, stream).await?);
                greeting(control.last().await?)?;
                control
            }
        };
        sign_in(&mut control, settings).await?;
        protect(&mut control).await?;
        let features = features(&mut control).await?;
        let secured = Secured { tls: TlsConnector::from(tls), name: settings.name.clone(), tickets };
        Ok(Session::new(control, secured, route, features))
    };
    timeout_at(deadline, opening).await.map_err(|_| late())?
}

/// The account's configuration with sessions of its own. A server takes a data connection for ours
/// because it resumes the TLS session of its control connection, not that of another one.
fn own(tls: &ClientConfig, tickets: &Arc<Tickets>) -> Arc<ClientConfig> {
    let mut tls = tls.clone();
    let tickets: Arc<dyn ClientSessionStore> = Arc::<Tickets>::clone(tickets);
    tls.resumption = Resumption::store(tickets);
    // Servers disagree on what FTP is called there.
    tls.alpn_protocols.clear();
    Arc::new(tls)
}

async fn secure(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Error> {
    let connector = TlsConnector::from(Arc::clone(tls));
    connector.connect(settings.name.clone(), stream).await.map_err(|e| failure::of_io(&e))
}

/// TLS when it is asked for (RFC 4217 §4).
async fn explicit(
    settings: &Settings,
    tls: &Arc<ClientConfig>,
    stream: TcpStream,
) -> Result<Control<TlsStream<TcpStream>>, Error> {
    let mut control = Control::new(stream);
    greeting(control.last().await?)?;
    let reply = control.ask("AUTH", "TLS").await?;
    match (reply.class(), reply.code) {
        (Class::Done, _) => {}
        (_, 421) => return Err(failure::refused(&reply)),
        _ => {
            let error = failure::insecure("the server offers no TLS (`AUTH TLS`); nothing else was sent to it");
            return Err(error.with_status(reply.code).with_private(reply.words()));
        }
    }
    Ok(Control::greeted(secure(settings, tls, control.into_stream()?).await?))
}

fn greeting(reply: Reply) -> Result<(), Error> {
    if reply.class() == Class::Done { Ok(()) } else { Err(failure::refused(&reply)) }
}

async fn sign_in(control: &mut Control<TlsStream<TcpStream>>, settings: &Settings) -> Result<(), Error> {
    let mut reply = control.ask("USER", &settings.username).await?;
    if reply.class() == Class::More
        && reply.code != 332
        && let Some(password) = &settings.password
    {
        // What is no reply might hold the password as well.
        let answer = control.ask("PASS", password.expose()).await.map_err(|error| error.with_private(""))?;
        reply = without(answer, password);
    }
    match (reply.class(), reply.code) {
        (Class::Done, _) => Ok(()),
        // Not for this time: too many sessions, or it goes down.
        (Class::NotNow, _) if reply.code != 430 => Err(failure::refused(&reply)),
        _ => {
            let text = match &settings.password {
                Some(_) => "the server does not accept the account's user name with that password",
                None => "the server does not accept the account's user name with that certificate alone",
            };
            let error = Error::new(Kind::Authentication, "ftps-sign-in", text);
            Err(error.with_status(reply.code).with_private(reply.words()))
        }
    }
}

/// Some servers repeat what they were sent.
fn without(mut reply: Reply, password: &Secret) -> Reply {
    for line in &mut reply.lines {
        *line = line.replace(password.expose(), "[secret]");
    }
    reply
}

/// Data connections over TLS as well, or none at all (RFC 4217 §9).
async fn protect(control: &mut Control<TlsStream<TcpStream>>) -> Result<(), Error> {
    for (verb, argument) in [("PBSZ", "0"), ("PROT", "P")] {
        let reply = control.ask(verb, argument).await?;
        if reply.class() != Class::Done {
            let error = failure::insecure("the server does not protect data connections (`PROT P`)");
            return Err(error.with_status(reply.code).with_private(reply.words()));
        }
    }
    Ok(())
}

/// What the server says that it can do (RFC 2389).
async fn features(control: &mut Control<TlsStream<TcpStream>>) -> Result<Features, Error> {
    let reply = control.ask("FEAT", "").await?;
    let named = |name: &str| {
        let name_of = |line: &str| line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(name));
        reply.class() == Class::Done && reply.lines.iter().any(|line| line.starts_with(' ') && name_of(line))
    };
    let features = Features { facts: named("MLST") };
    if named("UTF8") {
        // Some servers take names for UTF-8 only when told; those that always do may refuse it.
        control.ask("OPTS", "UTF8 ON").await?;
    }
    done(control.ask("TYPE", "I").await?)?;
    Ok(features)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_a_server_repeats_is_told_to_nobody() {
        let lines = ["hush is wrong", "try again, hush"].map(str::to_owned).to_vec();
        let told = without(Reply { code: 530, lines }, &Secret::new("hush".to_owned())).words();
        assert_eq!(told, "[secret] is wrong\ntry again, [secret]");
    }
}
