//! Login sessions: server-side, short, revocable; held in memory by the digest of their token, so
//! that a memory dump shows none.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use lockgate_model::{
    Digest, Timestamp,
    id::{TenantId, UserId},
};

use crate::fair::Fair;

/// Sessions held at a time, of all tenants; past it the oldest of the tenant with the most ends.
const SESSIONS_MAX: usize = 200_000;
/// Sessions of one user; that user's oldest end first past it, so that who signs in over and over ends nobody else's.
const OF_USER_MAX: usize = 50;
/// Hex digits of a session's name.
const ID_CHARS: usize = 16;
/// A session ends this long after login.
pub const SESSION_MS: i64 = 8 * 3_600_000;

/// One login.
#[derive(Debug, Clone)]
pub struct Session {
    /// By what it can be named; the token cannot be made of it.
    pub id: String,
    /// Whose tenant.
    pub tenant: TenantId,
    /// Whose.
    pub user: UserId,
    /// From where it was opened: an address without port, or empty.
    pub source: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// Ends by itself then.
    pub expires: Timestamp,
}

/// All live sessions.
#[derive(Debug)]
pub struct Sessions(RwLock<Table>);

#[derive(Debug)]
struct Table {
    /// By the digest of their token.
    live: Fair<TenantId, Digest, Session, Timestamp>,
    /// The digests by user, the oldest first; of sessions that ended too, until that user opens another.
    by_user: HashMap<(TenantId, UserId), Vec<Digest>>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::holding(SESSIONS_MAX)
    }
}

impl Session {
    /// A session that begins now, for the digest of its token.
    pub fn begin(token: &Digest, tenant: TenantId, user: UserId, source: &str, now: Timestamp) -> Self {
        let id = Digest::of_parts([b"session id".as_slice(), &token.0]).hex().chars().take(ID_CHARS).collect();
        Self { id, tenant, user, source: source.to_owned(), opened: now, expires: now.plus_ms(SESSION_MS) }
    }
}

impl Sessions {
    fn holding(sessions_max: usize) -> Self {
        Self(RwLock::new(Table { live: Fair::new(sessions_max), by_user: HashMap::new() }))
    }
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session for the digest of its token.
    pub fn open(&self, token: Digest, session: Session, now: Timestamp) {
        let mut table = self.write();
        let Table { live, by_user } = &mut *table;
        let own = by_user.entry((session.tenant.clone(), session.user.clone())).or_default();
        own.retain(|token| live.get(token, now).is_some());
        while own.len() >= OF_USER_MAX {
            live.remove(&own.remove(0));
        }
        own.push(token);
        let until = session.expires;
        live.insert(session.tenant.clone(), token, session, (now, until));
    }
    /// The session of a token, if it lives.
    pub fn find(&self, token: &Digest, now: Timestamp) -> Option<Session> {
        self.read().live.get(token, now).cloned()
    }
    /// Live sessions of a user, in the order they were opened.
    pub fn of_user(&self, tenant: &TenantId, user: &UserId, now: Timestamp) -> Vec<Session> {
        let table = self.read();
        let own = table.by_user.get(&(tenant.clone(), user.clone())).into_iter().flatten();
        let mut found: Vec<Session> = own.filter_map(|token| table.live.get(token, now).cloned()).collect();
        found.sort_by(|a, b| (a.opened, &a.id).cmp(&(b.opened, &b.id)));
        found
    }
    /// The live session of a tenant that is named so.
    pub fn named(&self, tenant: &TenantId, id: &str, now: Timestamp) -> Option<Session> {
        self.read().live.of_tenant(tenant, now).find(|(_, s)| s.id == id).map(|(_, s)| s.clone())
    }
    /// Ends the session that is named so.
    pub fn close_named(&self, tenant: &TenantId, id: &str) {
        let mut table = self.write();
        // One that ended by itself may go as well.
        let named =
            table.live.of_tenant(tenant, Timestamp(i64::MIN)).find(|(_, s)| s.id == id).map(|(token, _)| *token);
        named.and_then(|token| table.live.remove(&token));
    }
    /// Ends the session of a token.
    pub fn close(&self, token: &Digest) {
        self.write().live.remove(token);
    }
    /// Ends all sessions of a user.
    pub fn close_user(&self, tenant: &TenantId, user: &UserId) {
        self.close_others(tenant, user, None);
    }
    /// Ends all sessions of a user but that of a token.
    pub fn close_others(&self, tenant: &TenantId, user: &UserId, but: Option<&Digest>) {
        let mut table = self.write();
        let whose = (tenant.clone(), user.clone());
        let Some(own) = table.by_user.remove(&whose) else { return };
        let (kept, ended): (Vec<_>, Vec<_>) = own.into_iter().partition(|token| Some(token) == but);
        ended.iter().for_each(|token| drop(table.live.remove(token)));
        if !kept.is_empty() {
            table.by_user.insert(whose, kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(token: &Digest, user: &str, opened_ms: i64) -> Session {
        let (tenant, user) = (TenantId::parse("t").unwrap(), UserId::parse(user).unwrap());
        Session::begin(token, tenant, user, "192.0.2.1", Timestamp::from_ms(opened_ms))
    }

    #[test]
    fn an_ended_or_foreign_token_finds_nothing() {
        let (sessions, now) = (Sessions::default(), Timestamp::from_ms(10));
        let [a, b, c] = [b"a", b"b", b"c"].map(|token| Digest::of(token));
        sessions.open(a, session(&a, "ada", 0), now);
        sessions.open(b, session(&b, "ben", 5), now);
        assert!(sessions.find(&c, now).is_none());
        assert!(sessions.find(&a, Timestamp::from_ms(SESSION_MS)).is_none(), "expired");
        sessions.close_user(&TenantId::parse("t").unwrap(), &UserId::parse("ben").unwrap());
        assert!(sessions.find(&b, now).is_none(), "revoked");
    }

    #[test]
    fn who_signs_in_over_and_over_ends_nobody_elses_session() {
        let (sessions, now) = (Sessions::default(), Timestamp::from_ms(10));
        let ada = Digest::of(b"ada");
        sessions.open(ada, session(&ada, "ada", 0), now);
        let tokens: Vec<Digest> = (0..2 * OF_USER_MAX).map(|n| Digest::of(&n.to_be_bytes())).collect();
        tokens.iter().for_each(|token| sessions.open(*token, session(token, "ben", 1), now));
        assert_eq!(sessions.read().live.len(), 1 + OF_USER_MAX);
        assert!(sessions.find(&ada, now).is_some() && sessions.find(&tokens[0], now).is_none());
        let (tenant, ben) = (TenantId::parse("t").unwrap(), UserId::parse("ben").unwrap());
        let last = tokens.last();
        sessions.close_others(&tenant, &ben, last);
        assert_eq!(sessions.of_user(&tenant, &ben, now).len(), 1);
        assert!(sessions.find(last.unwrap(), now).is_some());
        sessions.close_user(&tenant, &ben);
        assert!(sessions.find(last.unwrap(), now).is_none() && sessions.find(&ada, now).is_some());
    }

    #[test]
    fn a_tenant_of_many_users_signs_nobody_of_another_out() {
        let (sessions, now) = (Sessions::holding(1_000), Timestamp::from_ms(10));
        let ada = Digest::of(b"ada");
        sessions.open(ada, session(&ada, "ada", 0), now);
        let many = TenantId::parse("many").unwrap();
        let tokens: Vec<Digest> = (0..2_000_u32).map(|n| Digest::of(&n.to_be_bytes())).collect();
        for (n, token) in tokens.iter().enumerate() {
            let user = UserId::parse(&format!("u{}", n % 40)).unwrap();
            sessions.open(*token, Session::begin(token, many.clone(), user, "192.0.2.1", now), now);
        }
        assert!(sessions.find(&ada, now).is_some(), "the oldest of all");
        assert!(sessions.find(&tokens[0], now).is_none() && sessions.find(&tokens[1_999], now).is_some());
        assert_eq!(sessions.read().live.len(), 1_000);
    }

    #[test]
    fn a_session_is_named_within_its_tenant_alone() {
        let (sessions, now) = (Sessions::default(), Timestamp::from_ms(10));
        let [a, b] = [b"a", b"b"].map(|token| Digest::of(token));
        let (first, second) = (session(&a, "ada", 0), session(&b, "ada", 5));
        sessions.open(b, second.clone(), now);
        sessions.open(a, first.clone(), now);
        let [t, other] = ["t", "other"].map(|id| TenantId::parse(id).unwrap());
        let of = |tenant, user| sessions.of_user(tenant, &UserId::parse(user).unwrap(), now);
        assert_eq!(of(&t, "ada").into_iter().map(|s| s.id).collect::<Vec<_>>(), [first.id.clone(), second.id]);
        assert!(of(&other, "ada").is_empty() && of(&t, "ben").is_empty());
        assert!(sessions.named(&other, &first.id, now).is_none());
        assert!(!a.hex().contains(&first.id), "the name tells nothing of the token");
        sessions.close_named(&other, &first.id);
        assert!(sessions.find(&a, now).is_some());
        sessions.close_named(&t, &first.id);
        assert!(sessions.find(&a, now).is_none() && sessions.find(&b, now).is_some());
    }
}
