//! Reading the audit log, for holders of `audit-log`, which is itself recorded.

use std::collections::BTreeMap;

use lockgate_access::Scope;
use lockgate_model::{
    Channel, Permission,
    audit::{AuditQuery, Entry, Link, Outcome, SignedHead},
    id::WriterId,
};

use lockgate_store::LogPlace;

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

/// Where a tenant's chains were signed to end, and what tells true signatures.
#[derive(Debug, Clone, serde::Serialize)]
pub struct AuditHeads {
    /// The tenant's public key.
    pub key: String,
    /// The newest head of each chain, by writer.
    pub heads: Vec<SignedHead>,
    /// Where each chain begins of which entries were removed that are no longer kept, by writer.
    pub anchors: Vec<SignedHead>,
}

/// Entries that were looked for, newest first.
#[derive(Debug, Clone, serde::Serialize)]
pub struct AuditFound {
    /// The links.
    pub links: Vec<Link>,
    /// Time, writer and place that the next look begins before; absent where nothing is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<LogPlace>,
}

impl Runtime {
    /// The signed heads, down to the last entry there is: read them before the log, and all that they speak of is in it.
    pub async fn audit_heads(&self, caller: &Caller) -> Result<AuditHeads, Error> {
        self.may_read(caller, Permission::AuditLog, Scope::Tenant).await?;
        self.record_reading(caller, "audit-read", BTreeMap::new()).await?;
        self.heads_of(caller).await
    }

    async fn heads_of(&self, caller: &Caller) -> Result<AuditHeads, Error> {
        // What cannot be signed is exported all the same, with the heads that are kept: they tell where it is not true.
        self.sign_heads(caller.tenant()).await?;
        let key = self.head_signer(caller.tenant())?.public();
        let heads = self.0.store.signed_heads(caller.tenant()).await?;
        let anchors = self.0.store.audit_anchors(caller.tenant()).await?;
        Ok(AuditHeads { key: key.to_string(), heads, anchors })
    }

    /// The same for an export, which the log tells of with what is exported and how: the entry is in it.
    pub async fn export_audit(&self, caller: &Caller, format: &str, query: &AuditQuery) -> Result<AuditHeads, Error> {
        self.may_read(caller, Permission::AuditLog, Scope::Tenant).await?;
        let query = serde_json::to_string(query).map_err(|_| Error::Internal { what: "the audit log".into() })?;
        let detail = [("format", format.to_owned()), ("query", query)];
        let detail = detail.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.record_reading(caller, "audit-export", detail).await?;
        self.heads_of(caller).await
    }

    /// Entries that a query finds, newest first, before a place. The first look is recorded, with what is looked for.
    pub async fn find_audit(
        &self,
        caller: &Caller,
        query: AuditQuery,
        before: Option<LogPlace>,
        limit: u32,
    ) -> Result<AuditFound, Error> {
        self.may_read(caller, Permission::AuditLog, Scope::Tenant).await?;
        if before.is_none() {
            self.record_reading(caller, "audit-read", BTreeMap::new()).await?;
        }
        let limit = if limit == 0 { 100 } else { limit };
        let found = self.0.store.audit_find(caller.tenant(), query, before, limit).await?;
        self.record_going_on(caller, &found.links).await?;
        Ok(AuditFound { links: found.links, next: found.next })
    }

    /// Links after a place. The first page records that the log is read, so that a reader always
    /// finds themself in it.
    pub async fn audit(&self, caller: &Caller, after: Option<(WriterId, u64)>, limit: u32) -> Result<AuditPage, Error> {
        self.may_read(caller, Permission::AuditLog, Scope::Tenant).await?;
        if after.is_none() {
            self.record_reading(caller, "audit-read", BTreeMap::new()).await?;
        }
        let limit = if limit == 0 { 1_000 } else { limit.min(LINKS_MAX) };
        let links = self.0.store.audit(caller.tenant(), after, limit).await?;
        self.record_going_on(caller, &links).await?;
        let full = links.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let next = links.last().filter(|_| full).map(|last| (last.writer.clone(), last.seq));
        Ok(AuditPage { links, next })
    }

    /// The newest links of all chains, in the order of their times; at most so many. It is recorded
    /// like a first page.
    pub async fn newest_audit(&self, caller: &Caller, newest: u32) -> Result<AuditPage, Error> {
        self.may_read(caller, Permission::AuditLog, Scope::Tenant).await?;
        self.record_reading(caller, "audit-read", BTreeMap::new()).await?;
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

    async fn record_reading(
        &self,
        caller: &Caller,
        event: &'static str,
        detail: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let mut entry = Entry::new(self.now(), event, Outcome::Done, caller.principal.user.as_str());
        entry.detail = detail;
        entry.channel = Some(Channel::Admin);
        entry.source.clone_from(&caller.source);
        let at = entry.at;
        self.record(caller.tenant(), entry).await?;
        self.0.readings.insert((caller.tenant().clone(), caller.principal.user.clone()), at);
        Ok(())
    }

    /// A page that goes on is of the reading that was recorded, unless it has what was not there yet: a cursor that
    /// somebody keeps does not read on unseen.
    async fn record_going_on(&self, caller: &Caller, links: &[Link]) -> Result<(), Error> {
        let newest = links.iter().map(|link| link.entry.at).max();
        let recorded = self.0.readings.get(&(caller.tenant().clone(), caller.principal.user.clone())).map(|at| *at);
        if newest.is_none_or(|newest| recorded.is_some_and(|recorded| newest <= recorded)) {
            return Ok(());
        }
        self.record_reading(caller, "audit-read", BTreeMap::new()).await
    }
}
