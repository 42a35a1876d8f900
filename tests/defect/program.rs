//! The program with one connector more: `defect`, which panics where its input says, with what it
//! works on in its message. It shows what a defect in a connector does to everything else.
#![expect(clippy::panic, reason = "panicking is what it is for")]

use std::{process::ExitCode, time::Instant};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{
    AddressForm, Answer, Body, Call, Config, Connector, Context, Error, IdentityKind, Kind, Operation, Scheme, Spec,
    Streamed,
};
use lockgate_document::Document;
use lockgate_model::manifest::StreamContent;

/// Does nothing, or panics.
struct Defect;

impl Connector for Defect {
    const SPEC: Spec = Spec {
        name: "defect",
        help: "Panics where its input says.",
        about: "",
        address: AddressForm {
            scheme: Scheme { name: "defect", port: 1 },
            path: false,
            example: "defect://defect.example.com",
        },
        identities: &[IdentityKind::System],
        fields: &[],
        operations: &[Operation {
            name: "go",
            version: "1.0.0",
            idempotent: false,
            keyed: false,
            help: "Panics `at` once, later, or in its stream.",
            constant: &[],
            input: r#"{"type": "object"}"#,
            output: r#"{"type": "object"}"#,
            takes: None,
            gives: Some(StreamContent::Bytes),
        }],
    };

    fn open(_: Config, _: &Context) -> Result<Self, Error> {
        Ok(Self)
    }

    async fn invoke(&self, _: &Context, call: Call) -> Result<Answer, Error> {
        let input =
            call.input.print(1 << 20).map_err(|_| Error::new(Kind::Input, "input", "the input is too large"))?;
        let text = String::from_utf8_lossy(&input).into_owned();
        let at = |place: &str| text.contains(&format!("\"at\":\"{place}\""));
        if at("once") {
            panic!("it worked on {text}");
        }
        tokio::task::yield_now().await;
        if at("later") {
            // As it happens by mistake: the message quotes the text.
            let _ = text.split_at(1_000_000);
        }
        let pieces = stream::iter([Ok(Bytes::from_static(b"begun "))])
            .chain(stream::once(async move { panic!("its stream was about {text}") }));
        let stream = call.stream.then(|| Streamed::Bytes(Body::new(pieces)));
        Ok(Answer { output: Document::object::<&str>([]), stream, read: 0, written: 0 })
    }

    async fn test(&self, _: &Context, _: Instant) -> Result<(), Error> {
        Ok(())
    }
}

fn main() -> ExitCode {
    let mut connectors = lockgate_connector_catalog::registry();
    connectors.add::<Defect>();
    lockgate::run(connectors)
}
