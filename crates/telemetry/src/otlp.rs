//! Spans as the OpenTelemetry protocol carries them: one `ExportTraceServiceRequest` in binary
//! protobuf (OTLP 1.x, `opentelemetry/proto/collector/trace/v1`). The numbers below are the fields'
//! numbers there; that protocol is stable, so they do not change.
//!
//! Written by hand because it is one message that is never read: a code generator, its runtime and
//! a second HTTP client would be the larger thing to trust. Deliberately absent: `trace_state`,
//! events, links and messages of a status, which could hold what somebody else wrote.

use crate::{Span, SpanKind, Value};

/// What says of every span where it comes from.
pub(crate) struct Resource<'a> {
    pub(crate) service: &'a str,
    pub(crate) version: &'a str,
    pub(crate) instance: &'a str,
}

/// The request's bytes.
pub(crate) fn encode(resource: &Resource<'_>, spans: &[Span]) -> Vec<u8> {
    let mut of_resource = Vec::new();
    for (key, value) in [
        ("service.name", resource.service),
        ("service.version", resource.version),
        ("service.instance.id", resource.instance),
    ] {
        message(&mut of_resource, 1, &key_value(key, &Value::from(value)));
    }
    let mut scope = Vec::new();
    text(&mut scope, 1, "lockgate");
    let mut of_scope = Vec::new();
    message(&mut of_scope, 1, &scope);
    for span in spans {
        message(&mut of_scope, 2, &encoded(span));
    }
    let mut resource_spans = Vec::new();
    message(&mut resource_spans, 1, &of_resource);
    message(&mut resource_spans, 2, &of_scope);
    let mut request = Vec::new();
    message(&mut request, 1, &resource_spans);
    request
}

fn encoded(span: &Span) -> Vec<u8> {
    let mut out = Vec::new();
    message(&mut out, 1, span.trace.bytes());
    message(&mut out, 2, span.id.bytes());
    if let Some(parent) = &span.parent {
        message(&mut out, 4, parent.bytes());
    }
    text(&mut out, 5, &span.name);
    let kind = match span.kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
    };
    number(&mut out, 6, kind);
    fixed64(&mut out, 7, nanoseconds(span.start.0));
    fixed64(&mut out, 8, nanoseconds(span.end.0));
    for (key, value) in &span.attributes {
        message(&mut out, 9, &key_value(key, value));
    }
    if span.failed {
        let mut status = Vec::new();
        number(&mut status, 3, 2);
        message(&mut out, 15, &status);
    }
    out
}

fn nanoseconds(us: i64) -> u64 {
    u64::try_from(us).unwrap_or(0).saturating_mul(1_000)
}

fn key_value(key: &str, value: &Value) -> Vec<u8> {
    let mut any = Vec::new();
    match value {
        Value::Text(value) => text(&mut any, 1, value),
        // Signed there; no count comes near the end of it.
        Value::Number(value) => number(&mut any, 3, (*value).min(i64::MAX as u64)),
    }
    let mut out = Vec::new();
    text(&mut out, 1, key);
    message(&mut out, 2, &any);
    out
}

// --- the wire: https://protobuf.dev/programming-guides/encoding/

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | VARINT);
    varint(out, value);
}

fn fixed64(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A message, or bytes: both are their length and themselves.
fn message(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | LENGTH);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn text(out: &mut Vec<u8>, field: u64, text: &str) {
    message(out, field, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use lockgate_model::{
        Timestamp,
        trace::{SpanId, TraceId},
    };

    use super::*;

    /// The reference implementation (`opentelemetry-proto` 1.45.2 for Python) reads these bytes as
    /// exactly this span, and writes the same ones for it.
    #[test]
    fn a_request_is_what_the_reference_reads() {
        let span = Span {
            trace: TraceId::new([0xaa; 16]).unwrap(),
            id: SpanId::new([0xbb; 8]).unwrap(),
            parent: SpanId::new([0xcc; 8]),
            name: "https.post".into(),
            kind: SpanKind::Client,
            start: Timestamp(1_763_784_306_789_000),
            end: Timestamp(1_763_784_306_790_500),
            failed: true,
            attributes: vec![("lockgate.outcome", "timeout".into()), ("lockgate.read_bytes", 300.into())],
        };
        let resource = Resource { service: "lockgate", version: "0.1.0", instance: "n1" };
        let hex: String = encode(&resource, &[span]).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, include_str!("otlp/request.hex").trim());
    }

    #[test]
    fn numbers_of_any_size_are_varints() {
        let of = |value| {
            let mut out = Vec::new();
            varint(&mut out, value);
            out
        };
        assert_eq!((of(0), of(127), of(128), of(300)), (vec![0], vec![127], vec![0x80, 1], vec![0xac, 2]));
        assert_eq!(of(u64::MAX).len(), 10);
    }
}
