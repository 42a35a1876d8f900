//! An answer becomes an output, a stream or an error.

use std::time::Instant;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use lockgate_connector_api::{
    Answer, Body, Error, Kind, Streamed,
    http::{Received, beginning, refusal},
};
use lockgate_document::{Builder, Document, Fault, Limits};
use lockgate_soap::{self as soap, Operation, SoapError, envelope::Envelope, mtom::Reader};

use crate::{
    attachment::{self, Attachments, Parts},
    failure,
    security::Messages,
};

/// Bytes of an answer that is no message that are kept for the caller.
const REFUSAL_BYTES_MAX: usize = 4 << 10;

/// What is expected of an answer.
pub(crate) struct Expected<'a> {
    pub operation: &'a Operation,
    pub messages: &'a Messages,
    /// The id of the message that is answered.
    pub message_id: Option<&'a str>,
    /// Its attachment is wanted as a stream.
    pub stream: bool,
    pub limits: &'a Limits,
    pub deadline: Instant,
}

/// What was read of an answer.
struct Read {
    output: soap::Output,
    /// Of the envelope and its attachments.
    bytes: u64,
}

impl Expected<'_> {
    /// The answer of a call. A fault is an error, whatever its status.
    pub async fn answer(self, received: Received) -> Result<Answer, Error> {
        let (status, headers, written) = (received.status(), received.headers().clone(), received.sent());
        let media_type = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let media_type = media_type.unwrap_or_default().into_owned();
        let content = received.content(self.deadline);
        let bytes_max = self.limits.reply_bytes_max;
        if Reader::takes(&media_type) {
            let mut parts = Parts::new(&media_type, content).map_err(|error| failure::answer(&error))?;
            let envelope = parts.envelope(bytes_max).await?;
            let read = self.read(&envelope, status, &headers, &Attachments::new())?;
            if self.messages.expects() {
                parts.none().await?;
                return self.whole(&read, written);
            }
            if self.stream {
                let stream = Some(Streamed::Bytes(parts.stream(&read.output.attachments).await?));
                return self.given(&read, stream, written);
            }
            let attachments = parts.attachments(bytes_max.saturating_sub(read.bytes)).await?;
            if read.output.attachments.iter().any(|id| !attachments.contains_key(id)) {
                return Err(attachment::missing());
            }
            // The values with the attachments in their places, which came behind them.
            let read = self.read(&envelope, status, &headers, &attachments)?;
            let attached: usize = attachments.values().map(bytes::Bytes::len).sum();
            return self.given(&Read { bytes: read.bytes + attached as u64, ..read }, None, written);
        }
        if !is_envelope(&media_type) {
            let said = said(status, content).await?;
            return self.without(status, &headers, &said, written);
        }
        let envelope = content.collect(bytes_max).await?;
        if envelope.is_empty() {
            return self.without(status, &headers, &envelope, written);
        }
        let read = self.read(&envelope, status, &headers, &Attachments::new())?;
        if self.stream {
            return Err(attachment::none());
        }
        self.whole(&read, written)
    }

    /// An answer without attachments, to which it must not refer then.
    fn whole(&self, read: &Read, written: u64) -> Result<Answer, Error> {
        match read.output.attachments.is_empty() {
            true => self.given(read, None, written),
            false => Err(attachment::missing()),
        }
    }

    /// What an envelope says, with these attachments where it refers to them.
    fn read(
        &self,
        bytes: &[u8],
        status: StatusCode,
        headers: &HeaderMap,
        attachments: &Attachments,
    ) -> Result<Read, Error> {
        let attached = |id: &str| attachments.get(id).map(|content| STANDARD.encode(content));
        let answer = self.messages.opened(bytes, self.limits).and_then(|opened| {
            let mut envelope = opened.envelope()?;
            self.messages.believed(&mut envelope, self.message_id)?;
            self.operation.answer_with(&mut envelope, &self.messages.known(), &attached, self.limits)
        });
        match answer {
            Ok(soap::Answer::Fault(fault)) => Err(failure::fault(&fault, status, headers)),
            Ok(soap::Answer::Output(output)) if status.is_success() => Ok(Read { output, bytes: bytes.len() as u64 }),
            Ok(soap::Answer::Output(_)) => Err(refusal(status, headers)),
            Err(error) => Err(self.refused(&error, bytes, status, headers)),
        }
    }

    /// What a message is that is not taken.
    fn refused(&self, error: &SoapError, bytes: &[u8], status: StatusCode, headers: &HeaderMap) -> Error {
        // What is too old, is for another, or asks what nobody understands is not looked at any further.
        if matches!(&*error.code, "LG-SOAP-SECURITY" | "LG-SOAP-ADDRESSING" | "LG-SOAP-UNDERSTAND") {
            return failure::answer(error);
        }
        match self.fault(bytes) {
            // Few services sign their faults, or encrypt them. Whatever else is wrong with it: what was verified is not here.
            Some(fault) if self.messages.verifies() => failure::unsigned(&fault, status),
            // One of another version, or with a detail of another type.
            Some(fault) => failure::fault(&fault, status, headers),
            None if status.is_success() => failure::answer(error),
            None => {
                let said = bytes.get(..bytes.len().min(REFUSAL_BYTES_MAX)).unwrap_or_default();
                refusal(status, headers).with_private(String::from_utf8_lossy(said))
            }
        }
    }

    /// The fault that a message is, whoever it is from.
    fn fault(&self, bytes: &[u8]) -> Option<soap::envelope::Fault> {
        let fault = || -> Result<_, SoapError> {
            let document = soap::envelope::document(bytes, self.limits)?;
            Envelope::of(&document)?.fault(&self.operation.faults, self.limits)
        };
        fault().ok().flatten()
    }

    /// An answer that is no message: one that has nothing is well where the operation gives nothing, as is anything that
    /// says by its status that the message was taken.
    fn without(&self, status: StatusCode, headers: &HeaderMap, said: &[u8], written: u64) -> Result<Answer, Error> {
        if !status.is_success() {
            return Err(refusal(status, headers).with_private(String::from_utf8_lossy(said)));
        }
        let is_taken = said.is_empty() || status == StatusCode::ACCEPTED;
        if self.operation.output.is_none() && !self.stream && is_taken {
            let output = Document::object::<&str>([]);
            return Ok(Answer { output, stream: None, read: said.len() as u64, written });
        }
        let text = match said.is_empty() {
            true => "the service answered without a message, where its description has one",
            false => "the endpoint answered something else than SOAP (is it the address of the service?)",
        };
        Err(Error::new(Kind::Protocol, "soap-content", text).with_private(String::from_utf8_lossy(said)))
    }

    fn given(&self, read: &Read, stream: Option<Streamed>, written: u64) -> Result<Answer, Error> {
        let output = built(&read.output, self.limits).map_err(|fault| {
            Error::new(Kind::TooLarge, "soap-output", "the answer does not fit into the run's limits")
                .with_private(fault.to_string())
        })?;
        Ok(Answer { output, stream, read: read.bytes, written })
    }
}

/// The beginning of what is no message. Where it may be a success, it is one only if it came whole.
async fn said(status: StatusCode, mut content: Body) -> Result<Vec<u8>, Error> {
    if !status.is_success() {
        return Ok(beginning(content, REFUSAL_BYTES_MAX).await);
    }
    let mut said = Vec::new();
    while let Some(piece) = content.next().await.transpose()? {
        said.extend_from_slice(&piece);
        if said.len() >= REFUSAL_BYTES_MAX {
            said.truncate(REFUSAL_BYTES_MAX);
            break;
        }
    }
    Ok(said)
}

fn built(read: &soap::Output, limits: &Limits) -> Result<Document, Fault> {
    let mut out = Builder::new(limits);
    out.begin_object()?;
    if !read.body.root().is_undefined() {
        out.key("output")?;
        out.value(read.body.root())?;
    }
    if !read.headers.root().is_undefined() {
        out.key("headers")?;
        out.value(read.headers.root())?;
    }
    out.end()?;
    out.finish()
}

/// Is this the media type of a message, or one that servers give it?
fn is_envelope(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(&*essence, "text/xml" | "application/soap+xml" | "application/xml")
}
