//! Every limit of the way in, with its unit in its name.

use std::time::Duration;

/// Limits of a [`Server`](crate::Server) and of the requests it lets through. Limits of a *run* are
/// the tenant's ([`lockgate_model::Limits`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Connections at a time, all sources together. One more is closed before its handshake.
    pub connections_max: usize,
    /// Connections at a time from one source: an IPv4 address, or the /64 an IPv6 address is in.
    pub connections_per_source_max: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake_ms_max: u64,
    /// HTTP/1.1: from the end of one exchange to the end of the next request's head.
    pub head_ms_max: u64,
    /// A request's head, in bytes.
    pub head_bytes_max: u32,
    /// Header fields of a request.
    pub headers_max: usize,
    /// HTTP/2: requests in flight on one connection.
    pub streams_max: u32,
    /// HTTP/2: streams the peer may reset before we took them up; one more ends the connection
    /// (CVE-2023-44487, rapid reset).
    pub resets_pending_max: usize,
    /// HTTP/2: streams we had to reset by the peer's fault; one more ends the connection.
    pub resets_by_fault_max: usize,
    /// A connection without any request in flight.
    pub idle_ms_max: u64,
    /// A peer that owes bytes and sends none, or is owed bytes and takes none.
    pub stall_ms_max: u64,
    /// A whole request body, from its first byte asked for.
    pub body_ms_max: u64,
    /// A whole reply, from its first byte offered.
    pub reply_ms_max: u64,
    /// Request bodies held in memory at a time, all together; past it requests are answered 503.
    pub bodies_bytes_max: usize,
    /// At shutdown, for requests in flight to end.
    pub drain_ms_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            connections_per_source_max: 1_000,
            handshake_ms_max: 5_000,
            head_ms_max: 20_000,
            head_bytes_max: 32 << 10,
            headers_max: 100,
            streams_max: 128,
            resets_pending_max: 20,
            resets_by_fault_max: 64,
            idle_ms_max: 60_000,
            stall_ms_max: 15_000,
            body_ms_max: 120_000,
            reply_ms_max: 300_000,
            bodies_bytes_max: 512 << 20,
            drain_ms_max: 30_000,
        }
    }
}

impl Settings {
    pub(crate) fn handshake(&self) -> Duration {
        Duration::from_millis(self.handshake_ms_max)
    }
    pub(crate) fn head(&self) -> Duration {
        Duration::from_millis(self.head_ms_max)
    }
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms_max)
    }
    pub(crate) fn stall(&self) -> Duration {
        Duration::from_millis(self.stall_ms_max)
    }
    pub(crate) fn body(&self) -> Duration {
        Duration::from_millis(self.body_ms_max)
    }
    pub(crate) fn reply(&self) -> Duration {
        Duration::from_millis(self.reply_ms_max)
    }
    pub(crate) fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms_max)
    }
    /// How often a connection is looked at: often enough that no limit is overrun by half.
    pub(crate) fn look(&self) -> Duration {
        let least = self.idle_ms_max.min(self.reply_ms_max) / 4;
        Duration::from_millis(least.clamp(20, 5_000))
    }
}
