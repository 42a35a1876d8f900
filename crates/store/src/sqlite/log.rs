//! The audit log as it is looked into and kept short: found by time, newest first; removed from its beginning.

use lockgate_model::{
    Digest, Timestamp,
    audit::{AuditQuery, Broken, GENESIS, Link, SignedHead},
    id::{TenantId, WriterId},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    chain,
    failure::{damaged, failed, to_i64, to_u64},
    heads,
};
use crate::{Error, FOUND_MAX, Found, LogPlace};

/// Entries that one look goes past: it takes some ten milliseconds.
const LOOKED_AT_MAX: usize = 20_000;
/// Entries that are removed in one transaction.
const BATCH: u64 = 500;

const UNREAD: &str = "read the audit log";

/// What a query finds before a place.
pub(super) fn find(
    db: &Connection,
    tenant: &TenantId,
    query: &AuditQuery,
    before: Option<&LogPlace>,
    limit: u32,
) -> Result<Found, Error> {
    let limit = usize::try_from(limit.clamp(1, FOUND_MAX)).unwrap_or(1);
    // Rows of one time are in the order of their chains.
    let end = query.to.map_or(i64::MAX, |to| to.0.saturating_sub(1));
    let (at, writer, seq) = match before {
        Some((at, writer, seq)) => (at.0, writer.as_str(), to_i64(*seq)),
        // No writer's name is as great.
        None => (i64::MAX, "\u{10ffff}", i64::MAX),
    };
    let mut select = db
        .prepare_cached(
            "SELECT writer, seq, prev, hash, at, event, entry FROM audit INDEXED BY audit_by_time
             WHERE tenant = ?1 AND at >= ?2 AND at <= ?3 AND (at, writer, seq) < (?4, ?5, ?6)
             ORDER BY at DESC, writer DESC, seq DESC",
        )
        .map_err(failed(UNREAD))?;
    let from = query.from.map_or(i64::MIN, |from| from.0);
    let mut rows =
        select.query(params![tenant.as_str(), from, end.min(at), at, writer, seq]).map_err(failed(UNREAD))?;
    let (mut links, mut looked_at) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(failed(UNREAD))? {
        let link = chain::link(tenant, row)?;
        let place = (link.entry.at, link.writer.clone(), link.seq);
        looked_at += 1;
        if query.finds(&link.entry) {
            links.push(link);
        }
        if links.len() == limit || looked_at == LOOKED_AT_MAX {
            return Ok(Found { links, next: Some(place) });
        }
    }
    Ok(Found { links, next: None })
}

/// The next place of each chain up to which entries from before a time may go.
pub(super) fn removable(
    db: &Connection,
    tenant: &TenantId,
    before: Timestamp,
    begins: &[SignedHead],
) -> Result<Vec<(WriterId, u64, Digest)>, Error> {
    let mut places = Vec::new();
    for (writer, last, _) in chain::heads(db, tenant)? {
        // Not what the file says: this crate cannot tell who signed that.
        let begun = begins.iter().find(|anchor| anchor.writer == writer);
        let begun = begun.map_or((0, GENESIS), |anchor| (anchor.seq, anchor.hash));
        // The last entry stays: the next one follows it.
        let end = needed(db, tenant, &writer)?.unwrap_or(last).min(last);
        let (seq, hash) = proved(db, tenant, &writer, begun, end, before)?;
        if seq > begun.0 {
            places.push((writer, seq, hash));
        }
    }
    Ok(places)
}

/// How far a chain goes behind a place with entries from before a time, not as far as `end`. Each is read back and held
/// to the one before it: whatever somebody wrote into the file would be signed as if it had been so.
fn proved(
    db: &Connection,
    tenant: &TenantId,
    writer: &WriterId,
    (mut seq, mut hash): (u64, Digest),
    end: u64,
    before: Timestamp,
) -> Result<(u64, Digest), Error> {
    let mut select = db
        .prepare_cached(
            "SELECT writer, seq, prev, hash, at, event, entry FROM audit
             WHERE tenant = ?1 AND writer = ?2 AND seq < ?3 ORDER BY seq LIMIT ?4",
        )
        .map_err(failed(UNREAD))?;
    let mut rows =
        select.query(params![tenant.as_str(), writer.as_str(), to_i64(end), to_i64(BATCH)]).map_err(failed(UNREAD))?;
    while let Some(row) = rows.next().map_err(failed(UNREAD))? {
        let link = chain::link(tenant, row)?;
        let next = Link::new(tenant.clone(), writer.clone(), seq + 1, hash, link.entry.clone());
        if next.as_ref() != Some(&link) {
            let (tenant, writer, seq) = (link.tenant, link.writer, link.seq);
            return Err(Error::Broken(Broken {
                tenant,
                writer,
                seq,
                reason: "it does not follow the entry before it",
            }));
        }
        if link.entry.at >= before {
            break;
        }
        (seq, hash) = (link.seq, link.hash);
    }
    Ok((seq, hash))
}

/// The entry of a chain that the store reads again itself: it announced a change of which nothing is settled yet.
fn needed(db: &Connection, tenant: &TenantId, writer: &WriterId) -> Result<Option<u64>, Error> {
    let unsettled: Option<i64> = db
        .prepare_cached("SELECT seq FROM announcements WHERE tenant = ?1 AND writer = ?2 AND NOT settled")
        .and_then(|mut select| select.query_row([tenant.as_str(), writer.as_str()], |row| row.get(0)).optional())
        .map_err(failed(UNREAD))?;
    unsettled.map(|seq| to_u64(seq, "the audit log's numbering is broken")).transpose()
}

fn hash_at(db: &Connection, tenant: &TenantId, writer: &WriterId, seq: u64) -> Result<Digest, Error> {
    let found: Option<[u8; 32]> = db
        .prepare_cached("SELECT hash FROM audit WHERE tenant = ?1 AND writer = ?2 AND seq = ?3")
        .and_then(|mut select| {
            select.query_row(params![tenant.as_str(), writer.as_str(), to_i64(seq)], |row| row.get(0)).optional()
        })
        .map_err(failed(UNREAD))?;
    found.map(Digest).ok_or_else(|| damaged("an entry of the audit log is missing"))
}

/// Removes a chain down to an anchor.
pub(super) fn remove(db: &Connection, anchor: &SignedHead) -> Result<(), Error> {
    let (tenant, writer) = (&anchor.tenant, &anchor.writer);
    // What was found may have changed since: the entry must be there, and one behind it.
    if hash_at(db, tenant, writer, anchor.seq)? != anchor.hash {
        return Err(Error::Refused("the anchor is of another entry".into()));
    }
    hash_at(db, tenant, writer, anchor.seq + 1)?;
    if needed(db, tenant, writer)?.is_some_and(|needed| needed <= anchor.seq) {
        return Err(Error::Refused("an entry that is still needed would be removed".into()));
    }
    heads::put_anchor(db, anchor)?;
    db.prepare_cached("DELETE FROM audit WHERE tenant = ?1 AND writer = ?2 AND seq <= ?3")
        .and_then(|mut delete| delete.execute(params![tenant.as_str(), writer.as_str(), to_i64(anchor.seq)]))
        .map_err(failed("remove entries of the audit log"))?;
    Ok(())
}
