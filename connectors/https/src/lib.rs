//! Connector `https`: requests to one HTTPS endpoint.
//!
//! `request` turns a call's input into a request that stays inside the account's base, `form` is one kind of its
//! content, `reply` turns the answer into a document or a stream, `pages` are many answers that are one list. The exchange between them, with connections,
//! redirects and sign-in, is `connector_api::http`. `spec` is the declaration.

mod form;
mod link;
mod pages;
mod reply;
mod request;
mod spec;

use std::{sync::Arc, time::Instant};

use http::Method;
use lockgate_connector_api::{
    Answer, Call, Config, Connector, Context, Error, Kind, Part, Spec,
    http::{Client, Request, Settings, Target, refusal},
};

/// One account at an HTTPS endpoint.
#[derive(Debug)]
pub struct Https(Arc<Client>);

impl Connector for Https {
    const SPEC: Spec = spec::SPEC;

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        Ok(Self(Arc::new(Client::new(&spec::SPEC, Settings::read(&config)?, config.tls()?))))
    }

    async fn invoke(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        self.answer(cx, call).await.map_err(|error| self.0.withholding(error))
    }

    /// Connects, proves the server's identity and asks for the headers of the base path: a 401 or
    /// 403 says that our credentials are not taken, any other answer that the endpoint is there.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        let target = Target::base(self.0.settings().address.base());
        let request = Request::bare(Method::HEAD, target);
        let received = self.0.send_once(cx, request, deadline).await.map_err(|error| self.0.withholding(error))?;
        match received.status().as_u16() {
            401 | 403 | 407 => Err(refusal(received.status(), received.headers())),
            _ => Ok(()),
        }
    }
}

impl Https {
    async fn answer(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        let Some(operation) = spec::SPEC.operation(&call.operation) else {
            return Err(Error::new(Kind::Configuration, "unknown-operation", "the connector has no such operation"));
        };
        if operation.name == spec::PAGES {
            return pages::read(&self.0, cx, operation, call).await;
        }
        let (deadline, limits, stream, part) = (call.deadline, call.limits, call.stream, Part::of(&call));
        let (request, wanted) = request::of_call(self.0.settings(), operation, call)?;
        let method = request.method.clone();
        let received = self.0.send(cx, part, request, deadline).await?;
        reply::answer(received, &method, wanted, stream, &limits, deadline).await
    }
}
