//! What a service says is wrong, and what is wrong with what it says.

use http::{HeaderMap, StatusCode};
use lockgate_connector_api::{Error, Kind, http::refusal};
use lockgate_document::{Builder, Document, Limits};
use lockgate_soap::{
    SoapError,
    envelope::{Fault, FaultCode},
};

/// Bytes of a fault's detail that are kept for the caller.
const DETAIL_BYTES_MAX: u64 = 16 << 10;
/// Memory of a fault that is kept as a value.
const VALUE_BYTES_MAX: u64 = 1 << 20;
/// Faults of WS-Security 1.1 (§12) that say that who asks is not believed.
const UNBELIEVED: [&str; 5] =
    ["FailedAuthentication", "InvalidSecurityToken", "FailedCheck", "InvalidSecurity", "SecurityTokenUnavailable"];

/// A message that is not sent.
pub(crate) fn input(text: &'static str) -> Error {
    Error::new(Kind::Input, "soap-input", text)
}

/// A value that is not what the description says.
pub(crate) fn value(error: &SoapError) -> Error {
    if error.code == "LG-SOAP-ATTACHMENT" {
        return input(
            "the input must say once where the attachment belongs: write `cid:attachment` where the type is base64Binary",
        );
    }
    let text = "the input is not what the service's description says";
    Error::new(Kind::Input, "soap-value", text).with_private(error.to_string())
}

/// An answer that is no message, or not the one that was expected.
pub(crate) fn answer(error: &SoapError) -> Error {
    let (code, text) = match &*error.code {
        "LG-SOAP-SIGNATURE" => ("soap-signature", "the answer is not signed as the account expects"),
        "LG-SOAP-ENCRYPTION" => ("soap-encryption", "the answer is not encrypted as the account expects"),
        "LG-SOAP-SECURITY" => ("soap-security", "the answer's security header cannot be taken"),
        "LG-SOAP-ADDRESSING" => ("soap-addressing", "the answer belongs to another message"),
        "LG-SOAP-BODY" => ("soap-body", "the answer is not what the service's description says"),
        "LG-SOAP-MULTIPART" => ("soap-attachment", "the answer's parts cannot be read"),
        code if code.starts_with("LG-LIMIT") => {
            return Error::new(Kind::TooLarge, "soap-output", "the answer does not fit into the run's limits")
                .with_private(error.to_string());
        }
        _ => ("soap-envelope", "the answer is no message of SOAP that can be read"),
    };
    Error::new(Kind::Protocol, code, text).with_private(error.to_string())
}

/// A fault. It is never a success, whatever its status.
pub(crate) fn fault(fault: &Fault, status: StatusCode, headers: &HeaderMap) -> Error {
    let code = named(&fault.code);
    let is_unbelieved = [code].into_iter().chain(fault.subcodes.iter().map(String::as_str));
    let is_unbelieved = is_unbelieved.into_iter().any(|name| UNBELIEVED.contains(&name));
    let by_status = refusal(status, headers);
    let (kind, text) = match (is_unbelieved, status.as_u16()) {
        (true, _) => (Kind::Authentication, "the service does not accept who the message says that it is from"),
        (_, 200..=299 | 400 | 500) if fault.code == FaultCode::Sender => {
            (Kind::Rejected, "the service refused the message")
        }
        (_, 200..=299 | 400 | 500) => (Kind::Rejected, "the service failed"),
        _ => (by_status.kind(), "the service answered with a fault"),
    };
    let error = Error::new(kind, "soap-fault", text).with_retry_after(by_status.retry_after());
    let error = told(error, fault, status);
    match as_value(fault, code) {
        Ok(value) => error.with_told("fault", value),
        // Too large for a value; its words stand.
        Err(_) => error,
    }
}

/// A fault where answers must be signed, and nobody did. That the call was not answered is all that is believed of it.
pub(crate) fn unsigned(fault: &Fault, status: StatusCode) -> Error {
    let text = "the service answered with a fault that is not signed as the account expects";
    told(Error::new(Kind::Protocol, "soap-fault-unsigned", text), fault, status)
}

fn told(error: Error, fault: &Fault, status: StatusCode) -> Error {
    let error = if status.as_u16() >= 400 { error.with_status(status.as_u16()) } else { error };
    error.with_private(words(fault, named(&fault.code)))
}

/// The fault for the caller's `catch`.
fn as_value(fault: &Fault, code: &str) -> Result<Document, lockgate_document::Fault> {
    let mut out = Builder::new(&Limits { arena_bytes_max: VALUE_BYTES_MAX, ..Limits::default() });
    out.begin_object()?;
    out.key("code")?;
    out.text(code)?;
    out.key("subcodes")?;
    out.begin_array()?;
    fault.subcodes.iter().try_for_each(|subcode| out.text(subcode))?;
    out.end()?;
    out.key("reason")?;
    out.text(&fault.reason)?;
    if let Some(role) = &fault.role {
        out.key("role")?;
        out.text(role)?;
    }
    if !fault.detail.root().is_undefined() {
        out.key("detail")?;
        out.value(fault.detail.root())?;
    }
    out.end()?;
    out.finish()
}

fn named(code: &FaultCode) -> &str {
    match code {
        FaultCode::VersionMismatch => "VersionMismatch",
        FaultCode::MustUnderstand => "MustUnderstand",
        FaultCode::DataEncodingUnknown => "DataEncodingUnknown",
        FaultCode::Sender => "Sender",
        FaultCode::Receiver => "Receiver",
        FaultCode::Other(name) => &name.local,
    }
}

/// `Sender.Unknown: there is no such parcel (by urn:x): {"Refusal":{…}}`
fn words(fault: &Fault, code: &str) -> String {
    let mut words = code.to_owned();
    for subcode in &fault.subcodes {
        words.push('.');
        words.push_str(subcode);
    }
    words.push_str(": ");
    words.push_str(&fault.reason);
    if let Some(role) = fault.role.as_deref().filter(|role| !role.is_empty()) {
        words.push_str(&format!(" (by {role})"));
    }
    let detail = Some(&fault.detail).filter(|detail| !detail.root().is_undefined());
    match detail.map(|detail| detail.print(DETAIL_BYTES_MAX)) {
        Some(Ok(json)) => words.push_str(&format!(": {}", String::from_utf8_lossy(&json))),
        Some(Err(_)) => words.push_str(": its detail is longer than 16 KiB"),
        None => {}
    }
    words
}
