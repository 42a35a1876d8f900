//! What the TLS session of a control connection leaves for its data connections to resume.
//!
//! Servers take a data connection for ours only when it resumes that session. A ticket of TLS 1.3 is
//! used once (RFC 8446 App. C.4), and servers give two with the control connection; some give a new one
//! with each data connection and some do not. When the last one is spent, so is the session.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustls::{
    NamedGroup,
    client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue},
    pki_types::ServerName,
};

/// Tickets that are kept; a server that gives more gives them for nothing.
const TICKETS_MAX: usize = 8;

/// What is left of one control connection, which has one server.
#[derive(Debug, Default)]
pub(crate) struct Tickets(Mutex<Left>);

#[derive(Default)]
struct Left {
    group: Option<NamedGroup>,
    /// May be resumed over and over (RFC 5246 §7.3, RFC 5077).
    session: Option<Tls12ClientSessionValue>,
    tickets: VecDeque<Tls13ClientSessionValue>,
    /// Some were given, so the server wants them back, perhaps.
    were_given: bool,
}

impl Tickets {
    /// Whether a further data connection would have nothing to resume, though it might have to.
    pub fn are_spent(&self) -> bool {
        let left = self.left();
        left.were_given && left.tickets.is_empty()
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.left().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.left().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.left().session = Some(session);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.left().session.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.left().session = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        let mut left = self.left();
        left.were_given = true;
        left.tickets.push_back(ticket);
        if left.tickets.len() > TICKETS_MAX {
            left.tickets.pop_front();
        }
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.left().tickets.pop_back()
    }
}

impl std::fmt::Debug for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Left").field("tickets", &self.tickets.len()).finish_non_exhaustive()
    }
}
