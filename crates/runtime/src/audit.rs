//! Reading the audit log, for holders of `audit-log`. Reading is itself recorded.

use lockgate_access::Scope;
use lockgate_model::{
    Channel, Permission,
    audit::{Entry, Link, Outcome},
    id::WriterId,
};

use crate::{Caller, Error, Runtime};

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
            let mut entry = Entry::new(self.now(), "audit-read", Outcome::Done, caller.principal.user.as_str());
            entry.channel = Some(Channel::Admin);
            entry.source.clone_from(&caller.source);
            self.record(caller.tenant(), entry).await?;
        }
        let limit = if limit == 0 { 1_000 } else { limit.min(10_000) };
        let links = self.0.store.audit(caller.tenant(), after, limit).await?;
        let full = links.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let next = links.last().filter(|_| full).map(|last| (last.writer.clone(), last.seq));
        Ok(AuditPage { links, next })
    }
}
