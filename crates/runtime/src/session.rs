//! Login sessions: server-side, short, revocable; held in memory by the digest of their token, so
//! that a memory dump shows none.

use dashmap::DashMap;
use lockgate_model::{
    Digest, Timestamp,
    id::{TenantId, UserId},
};

/// Sessions held at a time; the oldest end first past it.
const SESSIONS_MAX: usize = 100_000;
/// A session ends this long after login.
pub const SESSION_MS: i64 = 8 * 3_600_000;

/// One login.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Whose.
    pub user: UserId,
    /// Ends by itself then.
    pub expires: Timestamp,
}

/// All live sessions, by the digest of their token.
#[derive(Debug, Default)]
pub struct Sessions(DashMap<Digest, Session>);

impl Sessions {
    /// Adds a session for the digest of its token.
    pub fn open(&self, token: Digest, session: Session, now: Timestamp) {
        if self.0.len() >= SESSIONS_MAX {
            self.0.retain(|_, s| s.expires > now);
        }
        if self.0.len() >= SESSIONS_MAX {
            let oldest = self.0.iter().min_by_key(|s| s.expires).map(|s| *s.key());
            if let Some(oldest) = oldest {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(token, session);
    }
    /// The session of a token, if it lives.
    pub fn find(&self, token: &Digest, now: Timestamp) -> Option<Session> {
        let found = self.0.get(token).map(|s| s.clone())?;
        if found.expires > now {
            return Some(found);
        }
        self.0.remove(token);
        None
    }
    /// Ends the session of a token.
    pub fn close(&self, token: &Digest) {
        self.0.remove(token);
    }
    /// Ends all sessions of a user.
    pub fn close_user(&self, tenant: &TenantId, user: &UserId) {
        self.0.retain(|_, s| s.tenant != *tenant || s.user != *user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(user: &str, expires_ms: i64) -> Session {
        Session {
            tenant: TenantId::parse("t").unwrap(),
            user: UserId::parse(user).unwrap(),
            expires: Timestamp::from_ms(expires_ms),
        }
    }

    #[test]
    fn an_ended_or_foreign_token_finds_nothing() {
        let (sessions, now) = (Sessions::default(), Timestamp::from_ms(10));
        let [a, b, c] = [b"a", b"b", b"c"].map(|token| Digest::of(token));
        sessions.open(a, session("ada", 20), now);
        sessions.open(b, session("ben", 20), now);
        assert!(sessions.find(&c, now).is_none());
        assert!(sessions.find(&a, Timestamp::from_ms(20)).is_none(), "expired");
        assert!(sessions.find(&a, now).is_none(), "an expired session is gone for good");
        sessions.close_user(&TenantId::parse("t").unwrap(), &UserId::parse("ben").unwrap());
        assert!(sessions.find(&b, now).is_none(), "revoked");
    }
}
