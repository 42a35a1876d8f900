//! Reading the audit log, for holders of `audit-log`. Reading is itself recorded.

use lockgate_access::Scope;
use lockgate_model::{
    Channel, Permission,
    audit::{Entry, Link, Outcome},
    id::WriterId,
};

use crate::{Caller, Error, Runtime};

/// Links of one answer.
const LINKS_MAX: u32 = 10_000;

/// A page of the log: links in the order of their chains.
#[derive(Debug, Clone, serde::Serialize)]
pub struct AuditPage {
    /// The links.
    pub links: Vec<Link>,
    /// Where the next page begins; absent when this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<(WriterId, u64)>,
}

impl Runtime {
    /// Links after a place. The first page records that the log is read, so that a reader always
    /// finds themself in it.
    pub async fn audit(&self, caller: &Caller, after: Option<(WriterId, u64)>, limit: u32) -> Result<AuditPage, Error> {
        self.may_read(caller, Permission::AuditLog, Scope::Tenant).await?;
        if after.is_none() {
            self.record_reading(caller).await?;
        }
        let limit = if limit == 0 { 1_000 } else { limit.min(LINKS_MAX) };
        let links = self.0.store.audit(caller.tenant(), after, limit).await?;
        let full = links.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let next = links.last().filter(|_| full).map(|last| (last.writer.clone(), last.seq));
        Ok(AuditPage { links, next })
    }

    /// The newest links of all chains, in the order of their times; at most so many. It is recorded
    /// like a first page.
    pub async fn newest_audit(&self, caller: &Caller, newest: u32) -> Result<AuditPage, Error> {
        self.may_read(caller, Permission::AuditLog, Scope::Tenant).await?;
        self.record_reading(caller).await?;
        let newest = newest.clamp(1, LINKS_MAX);
        let mut links = Vec::new();
        for (writer, last, _) in self.0.store.audit_heads(caller.tenant()).await? {
            let after = Some((writer.clone(), last.saturating_sub(newest.into())));
            let of_writer = self.0.store.audit(caller.tenant(), after, newest).await?;
            // What comes after the end of a chain is the next chain.
            links.extend(of_writer.into_iter().filter(|link| link.writer == writer));
        }
        links.sort_by_key(|link| (link.entry.at, link.seq));
        let surplus = links.len().saturating_sub(usize::try_from(newest).unwrap_or(usize::MAX));
        links.drain(..surplus);
        Ok(AuditPage { links, next: None })
    }

    async fn record_reading(&self, caller: &Caller) -> Result<(), Error> {
        let mut entry = Entry::new(self.now(), "audit-read", Outcome::Done, caller.principal.user.as_str());
        entry.channel = Some(Channel::Admin);
        entry.source.clone_from(&caller.source);
        self.record(caller.tenant(), entry).await
    }
}
