//! The trace a request belongs to, as HTTP carries it: W3C Trace Context, `traceparent` and
//! `tracestate` (<https://www.w3.org/TR/trace-context/>).
//!
//! What cannot be read is no context: a trace is worth nothing to whoever runs, so nothing is ever
//! refused for it.

use std::fmt;

/// Bytes of `tracestate` that are passed on; the standard asks for at least 512.
pub const STATE_BYTES_MAX: usize = 512;
/// The random bit of the flags is passed on beside the sampled one; others are not known.
const FLAGS_KNOWN: u8 = 0b11;
const SAMPLED: u8 = 0b01;

/// Names a trace; never all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// Names a span of a trace; never all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

macro_rules! id {
    ($id:ident, $bytes:literal) => {
        impl $id {
            /// An id of these bytes; all zeros are none.
            pub fn new(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }
            /// Its bytes.
            pub fn bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
            fn parse(hex: &str) -> Option<Self> {
                let mut bytes = [0; $bytes];
                read_hex(hex, &mut bytes)?;
                Self::new(bytes)
            }
        }
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
id!(TraceId, 16);
id!(SpanId, 8);

/// Where in which trace somebody stands.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span that calls.
    pub parent: SpanId,
    flags: u8,
    /// What other systems hand on through us, as it came; it may be theirs to keep, so it is not printed.
    state: String,
}

impl TraceContext {
    /// The first context of a trace that begins here, recorded by us.
    pub fn begin(trace: TraceId, parent: SpanId) -> Self {
        Self { trace, parent, flags: SAMPLED, state: String::new() }
    }

    /// Reads the two headers. `None` where `traceparent` is not one of version 00, nor of a later
    /// version that begins like it (§4.3). `tracestate` is cut to whole members that fit into
    /// [`STATE_BYTES_MAX`], and dropped where it holds what no header may.
    pub fn read(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let text = traceparent.trim_matches([' ', '\t']);
        if !text.is_ascii() {
            return None;
        }
        let mut parts = text.splitn(5, '-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (mut version_byte, mut flag_byte) = ([0], [0]);
        read_hex(version, &mut version_byte)?;
        read_hex(flags, &mut flag_byte)?;
        match version_byte {
            [0] if parts.next().is_some() => return None,
            [0xff] => return None,
            _ => {}
        }
        let [flags] = flag_byte;
        Some(Self {
            trace: TraceId::parse(trace)?,
            parent: SpanId::parse(parent)?,
            flags: flags & FLAGS_KNOWN,
            state: tracestate.map(bounded).unwrap_or_default(),
        })
    }

    /// The same place of the same trace, seen from another span.
    #[must_use]
    pub fn under(&self, parent: SpanId) -> Self {
        Self { parent, ..self.clone() }
    }

    /// The caller records this trace, so we may.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The header `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace, self.parent, self.flags)
    }

    /// The header `tracestate`; none where there is nothing to hand on.
    pub fn tracestate(&self) -> Option<&str> {
        Some(self.state.as_str()).filter(|state| !state.is_empty())
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent())
    }
}

/// Lower-case hex of exactly that many bytes.
fn read_hex(hex: &str, into: &mut [u8]) -> Option<()> {
    if hex.len() != into.len() * 2 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, pair) in into.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(())
}

/// As many members from the left, the newest, as fit.
fn bounded(state: &str) -> String {
    if !state.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
        return String::new();
    }
    let mut kept = String::new();
    for member in state.split(',').map(|m| m.trim_matches([' ', '\t'])).filter(|m| m.contains('=')) {
        if kept.len() + member.len() + 1 > STATE_BYTES_MAX {
            break;
        }
        if !kept.is_empty() {
            kept.push(',');
        }
        kept.push_str(member);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_no_traceparent_is_no_context() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
            "00 4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7 01",
            "é0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(TraceContext::read(bad, None).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_context_goes_on_as_it_came_under_another_span() {
        let came = TraceContext::read(GOOD, Some("a=1 , b=2,,nonsense,\tc=3")).unwrap();
        assert!(came.is_sampled());
        assert_eq!((came.traceparent().as_str(), came.tracestate()), (GOOD, Some("a=1,b=2,c=3")));
        let on = came.under(SpanId::new([1; 8]).unwrap());
        assert_eq!(on.traceparent(), "00-4bf92f3577b34da6a3ce929d0e0e4736-0101010101010101-01");
        assert_eq!(on.tracestate(), came.tracestate());
        // Flags nobody knows yet are not handed on; a later version is read as far as it is known.
        let later = TraceContext::read(&GOOD.replace("00-4b", "cc-4b").replace("-01", "-fe-what.ever"), None).unwrap();
        assert!(!later.is_sampled());
        assert!(later.traceparent().starts_with("00-4b") && later.traceparent().ends_with("-02"), "{later:?}");
    }

    #[test]
    fn a_state_is_cut_at_a_member_and_never_printed() {
        let long: Vec<String> = (0..40).map(|n| format!("vendor{n:02}=0123456789")).collect();
        let context = TraceContext::read(GOOD, Some(&long.join(","))).unwrap();
        let kept = context.tracestate().unwrap();
        assert!(kept.len() <= STATE_BYTES_MAX && kept.len() > STATE_BYTES_MAX - 40 && kept.ends_with("=0123456789"));
        assert_eq!(TraceContext::read(GOOD, Some("a=1\r\nx: y")).unwrap().tracestate(), None);
        assert_eq!(TraceContext::read(GOOD, Some(&format!("a={}", "x".repeat(600)))).unwrap().tracestate(), None);
        assert!(!format!("{context:?}").contains("vendor"));
    }
}
