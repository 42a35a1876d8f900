//! Connector `https`: requests to one HTTPS endpoint.
//!
//! `config` reads the account, `request` turns a call's input into a request that stays inside
//! the account's base, `exchange` sends it and follows redirects by hand over connections that
//! `pool` keeps and `connection` opens, `reply` turns the answer into a document or a stream.
//! `spec` is the declaration.
//!
//! `signin` is how the account proves who it is, `form` and `gzip` are what their names say.
//!
//! Deliberately absent: plain HTTP (it cannot be written), cookies, automatic
//! retries of what may have been received (the flow decides those), and any way to reach an
//! address past the egress rule: sockets come from `Egress::dial` alone.

mod config;
mod connection;
mod exchange;
mod failure;
mod form;
mod gzip;
mod outgoing;
mod pool;
mod redirect;
mod reply;
mod request;
mod signin;
mod spec;
mod target;
mod watched;

use std::time::Instant;

use http::Method;
use lockgate_connector_api::{Answer, Call, Config, Connector, Context, Error, Kind, Part, Spec};

use exchange::Account;
use request::Prepared;
use target::Target;

/// One account at an HTTPS endpoint.
#[derive(Debug)]
pub struct Https(Account);

impl Connector for Https {
    const SPEC: Spec = spec::SPEC;

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        let tls = config.tls()?;
        Ok(Self(Account::new(config::Settings::read(config)?, tls)))
    }

    async fn invoke(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        let Some(operation) = spec::SPEC.operation(&call.operation) else {
            return Err(Error::new(Kind::Configuration, "unknown-operation", "the connector has no such operation"));
        };
        let (deadline, limits, stream, part) = (call.deadline, call.limits, call.stream, Part::of(&call));
        let prepared = Prepared::from_call(self.0.settings(), operation, call)?;
        let (method, wanted) = (prepared.method.clone(), prepared.wanted);
        let received = self.0.send(cx, part, prepared, deadline).await?;
        reply::answer(received, &method, wanted, stream, &limits, deadline).await
    }

    /// Connects, proves the server's identity and asks for the headers of the base path: a 401 or
    /// 403 says that our credentials are not taken, any other answer that the endpoint is there.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        let target = Target::base(self.0.settings().address.base());
        let received = self.0.send_once(cx, Prepared::bare(Method::HEAD, target), deadline).await?;
        match received.status().as_u16() {
            401 | 403 | 407 => Err(reply::refusal(received.status(), received.headers())),
            _ => Ok(()),
        }
    }
}
