//! Connector `soap`: operations of SOAP services, by the WSDL that describes them.
//!
//! The compiler puts the description into the call; `description` reads it once and keeps what came of it. `request`
//! makes the message, `security` what goes along with it, `reply` turns the answer into a document, `attachment` reads
//! one in parts, and `failure` tells faults and what is no SOAP. Messages themselves are `lockgate_soap`, the exchange is
//! `connector_api::http`. `spec` is the declaration.
//!
//! Deliberately absent: fetching a description, redirects (a message is for the address that the account is bound to),
//! and trying again: a service may have done what it did not answer.

mod attachment;
mod description;
mod failure;
mod reply;
mod request;
mod security;
mod spec;

use std::time::Instant;

use http::Method;
use lockgate_connector_api::{
    Answer, Call, Config, Connector, Context, Error, Kind, Part, Spec,
    http::{Client, Redirects, Request, Settings, Target, refusal},
};

use description::Descriptions;
use reply::Expected;
use security::Messages;

/// One account at a SOAP service.
#[derive(Debug)]
pub struct Soap {
    client: Client,
    messages: Messages,
    descriptions: Descriptions,
}

impl Connector for Soap {
    const SPEC: Spec = spec::SPEC;

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        let mut settings = Settings::read(&config)?;
        settings.redirects = Redirects::None;
        Ok(Self {
            messages: Messages::read(&config)?,
            client: Client::new(&spec::SPEC, settings, config.tls()?),
            descriptions: Descriptions::default(),
        })
    }

    async fn invoke(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        self.answer(cx, call).await.map_err(|error| self.client.withholding(error))
    }

    /// Connects, proves the server's identity and asks for the headers of the address: a 401 or 403 says that our
    /// credentials are not taken, any other answer that the endpoint is there. What a message carries is not asked:
    /// a service has no operation that changes nothing for sure.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        let target = Target::base(self.client.settings().address.base());
        let request = Request::bare(Method::HEAD, target);
        let received = self.client.send_once(cx, request, deadline).await;
        let received = received.map_err(|error| self.client.withholding(error))?;
        match received.status().as_u16() {
            401 | 403 | 407 => Err(refusal(received.status(), received.headers())),
            _ => Ok(()),
        }
    }
}

impl Soap {
    async fn answer(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        let Some(declared) = spec::SPEC.operation(&call.operation) else {
            return Err(Error::new(Kind::Configuration, "unknown-operation", "the connector has no such operation"));
        };
        let operation = self.descriptions.operation(call.input.root()).await?;
        let (deadline, limits, stream, part) = (call.deadline, call.limits, call.stream, Part::of(&call));
        let address = &self.client.settings().address;
        let prepared = request::of_call(&self.messages, address, &operation, declared.idempotent, call)?;
        let received = self.client.send(cx, part, prepared.request, deadline).await?;
        let message_id = prepared.message_id.as_deref();
        let expected =
            Expected { operation: &operation, messages: &self.messages, message_id, stream, limits: &limits, deadline };
        expected.answer(received).await
    }
}
