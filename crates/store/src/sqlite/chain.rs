//! The audit chain of this process: entries in, links out; and links read back, byte for byte.

use std::collections::HashMap;

use lockgate_model::{
    Digest,
    audit::{self, Broken, Entry, GENESIS, Link, Outcome},
    definition::Revision,
    id::{TenantId, WriterId},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    failure::{damaged, failed, to_i64, to_u64},
    record::json,
};
use crate::Error;

/// Appends to the chains of one writer.
pub(super) struct Chain {
    writer: WriterId,
    /// Where each tenant's chain ends. Only remembered: the file decides.
    heads: HashMap<TenantId, (u64, Digest)>,
}

impl Chain {
    pub(super) fn new(writer: WriterId) -> Self {
        Self { writer, heads: HashMap::new() }
    }

    pub(super) fn writer(&self) -> &WriterId {
        &self.writer
    }

    /// What was appended last may have been undone.
    pub(super) fn forget(&mut self) {
        self.heads.clear();
    }

    /// Appends one entry; answers its place.
    pub(super) fn append(&mut self, db: &Connection, tenant: &TenantId, entry: &Entry) -> Result<u64, Error> {
        let (last, prev) = match self.heads.get(tenant) {
            Some(head) => *head,
            None => head(db, tenant, &self.writer)?,
        };
        let seq = last + 1;
        let json = canonical(entry)?;
        let hash = audit::hash(tenant, &self.writer, seq, &prev, json.as_bytes());
        db.prepare_cached(
            "INSERT INTO audit (tenant, writer, seq, prev, hash, at, event, entry)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                tenant.as_str(),
                self.writer.as_str(),
                to_i64(seq),
                prev.0,
                hash.0,
                entry.at.0,
                entry.event,
                json,
            ])
        })
        .map_err(failed("append to the audit log"))?;
        self.heads.insert(tenant.clone(), (seq, hash));
        Ok(seq)
    }

    /// Announces the next revision of a tenant that is at `current`: appends the entry with it.
    /// A revision that was announced once is never announced again, whatever became of it.
    pub(super) fn announce(
        &mut self,
        db: &Connection,
        tenant: &TenantId,
        mut entry: Entry,
        current: Revision,
    ) -> Result<(u64, Revision), Error> {
        let announced = self.settle(db, tenant, current, entry.at)?;
        let revision = Revision(current.0.max(announced.0) + 1);
        if entry.revision != 0 && entry.revision != revision.0 {
            let (tenant, expected) = (tenant.clone(), Revision(entry.revision - 1));
            return Err(Error::Conflict { tenant, expected, found: current });
        }
        entry.revision = revision.0;
        let seq = self.append(db, tenant, &entry)?;
        db.prepare_cached(
            "INSERT INTO announcements (tenant, writer, announced, seq, settled, applied)
             VALUES (?1, ?2, ?3, ?4, FALSE, ?5)
             ON CONFLICT (tenant, writer)
             DO UPDATE SET announced = excluded.announced, seq = excluded.seq, settled = FALSE",
        )
        .and_then(|mut upsert| {
            upsert.execute(params![
                tenant.as_str(),
                self.writer.as_str(),
                to_i64(revision.0),
                to_i64(seq),
                to_i64(current.0),
            ])
        })
        .map_err(failed("announce a change"))?;
        Ok((seq, revision))
    }

    /// Writes down what became of the last announcement, now that the tenant is known to be at
    /// `current`; answers the last announced revision.
    pub(super) fn settle(
        &mut self,
        db: &Connection,
        tenant: &TenantId,
        current: Revision,
        at: lockgate_model::Timestamp,
    ) -> Result<Revision, Error> {
        let found = db
            .prepare_cached("SELECT announced, seq, settled FROM announcements WHERE tenant = ?1 AND writer = ?2")
            .and_then(|mut select| {
                select
                    .query_row(params![tenant.as_str(), self.writer.as_str()], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
                    })
                    .optional()
            })
            .map_err(failed("read the announced changes"))?;
        let Some((announced, seq, settled)) = found else {
            return Ok(Revision(0));
        };
        let announced = Revision(to_u64(announced, "an announced revision is negative")?);
        if settled {
            return Ok(announced);
        }
        let applied = current >= announced;
        if !applied {
            let mut entry = self.entry(db, tenant, seq)?;
            entry.at = at;
            entry.outcome = Outcome::NotApplied;
            self.append(db, tenant, &entry)?;
        }
        db.prepare_cached(
            "UPDATE announcements SET settled = TRUE, applied = CASE WHEN ?3 THEN announced ELSE applied END
             WHERE tenant = ?1 AND writer = ?2",
        )
        .and_then(|mut update| update.execute(params![tenant.as_str(), self.writer.as_str(), applied]))
        .map_err(failed("settle an announced change"))?;
        Ok(announced)
    }

    fn entry(&self, db: &Connection, tenant: &TenantId, seq: i64) -> Result<Entry, Error> {
        let json: String = db
            .query_row(
                "SELECT entry FROM audit WHERE tenant = ?1 AND writer = ?2 AND seq = ?3",
                params![tenant.as_str(), self.writer.as_str(), seq],
                |row| row.get(0),
            )
            .map_err(failed("read an announced change"))?;
        serde_json::from_str(&json).map_err(|_| damaged("the audit entry of an announced change cannot be read"))
    }
}

/// The last revision that a writer announced for a tenant; 0 if none.
pub(super) fn announced(db: &Connection, tenant: &TenantId, writer: &WriterId) -> Result<Revision, Error> {
    let found: Option<i64> = db
        .prepare_cached("SELECT announced FROM announcements WHERE tenant = ?1 AND writer = ?2")
        .and_then(|mut select| select.query_row([tenant.as_str(), writer.as_str()], |row| row.get(0)).optional())
        .map_err(failed("read the announced changes"))?;
    Ok(Revision(to_u64(found.unwrap_or(0), "an announced revision is negative")?))
}

/// The end of a chain; place 0 for one that is empty.
fn head(db: &Connection, tenant: &TenantId, writer: &WriterId) -> Result<(u64, Digest), Error> {
    let found = db
        .query_row(
            "SELECT seq, hash FROM audit WHERE tenant = ?1 AND writer = ?2 ORDER BY seq DESC LIMIT 1",
            params![tenant.as_str(), writer.as_str()],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?)),
        )
        .optional()
        .map_err(failed("read the end of the audit log"))?;
    Ok(match found {
        Some((seq, hash)) => (to_u64(seq, "the audit log's numbering is broken")?, Digest(hash)),
        None => (0, GENESIS),
    })
}

fn canonical(entry: &Entry) -> Result<String, Error> {
    json(entry).ok_or_else(|| Error::Refused("the audit entry cannot be written as JSON".into()))
}

/// Links after `after`, by writer and place. Each row is held to its own columns and bytes, which
/// `audit::verify` cannot see; order and hashes are its business.
pub(super) fn links(
    db: &Connection,
    tenant: &TenantId,
    after: Option<(WriterId, u64)>,
    limit: u32,
) -> Result<Vec<Link>, Error> {
    let (writer, seq) = after.as_ref().map_or(("", 0), |(writer, seq)| (writer.as_str(), *seq));
    let mut select = db
        .prepare_cached(
            "SELECT writer, seq, prev, hash, at, event, entry FROM audit
             WHERE tenant = ?1 AND (writer, seq) > (?2, ?3)
             ORDER BY writer, seq LIMIT ?4",
        )
        .map_err(failed("read the audit log"))?;
    let mut rows =
        select.query(params![tenant.as_str(), writer, to_i64(seq), limit]).map_err(failed("read the audit log"))?;
    let mut links = Vec::new();
    while let Some(row) = rows.next().map_err(failed("read the audit log"))? {
        links.push(link(tenant, row)?);
    }
    Ok(links)
}

/// An entry in its place, from `writer, seq, prev, hash, at, event, entry`.
pub(super) fn link(tenant: &TenantId, row: &Row<'_>) -> Result<Link, Error> {
    let place = || -> Option<(WriterId, u64)> {
        let writer = WriterId::parse(&row.get::<_, String>(0).ok()?).ok()?;
        Some((writer, row.get::<_, i64>(1).ok()?.try_into().ok()?))
    };
    let (writer, seq) = place().ok_or_else(|| damaged("the audit log's numbering is broken"))?;
    let broken = |reason| Error::Broken(Broken { tenant: tenant.clone(), writer: writer.clone(), seq, reason });
    let unreadable = |_| broken("its row cannot be read");
    let text: String = row.get(6).map_err(unreadable)?;
    let entry: Entry = serde_json::from_str(&text).map_err(|_| broken("its content cannot be read"))?;
    if canonical(&entry)? != text {
        return Err(broken("its bytes were changed"));
    }
    if row.get::<_, i64>(4).map_err(unreadable)? != entry.at.0
        || row.get::<_, String>(5).map_err(unreadable)? != entry.event
    {
        return Err(broken("its columns were changed"));
    }
    let prev = Digest(row.get(2).map_err(unreadable)?);
    let hash = Digest(row.get(3).map_err(unreadable)?);
    Ok(Link { tenant: tenant.clone(), writer, seq, prev, hash, entry })
}

/// The end of each chain of a tenant.
pub(super) fn heads(db: &Connection, tenant: &TenantId) -> Result<Vec<(WriterId, u64, Digest)>, Error> {
    let writers: Vec<String> = db
        .prepare("SELECT DISTINCT writer FROM audit WHERE tenant = ?1 ORDER BY writer")
        .and_then(|mut select| select.query_map(params![tenant.as_str()], |row| row.get(0))?.collect())
        .map_err(failed("read the audit log"))?;
    writers
        .iter()
        .map(|writer| {
            let writer = WriterId::parse(writer).map_err(|_| damaged("the audit log names a writer that cannot be"))?;
            let (seq, hash) = head(db, tenant, &writer)?;
            Ok((writer, seq, hash))
        })
        .collect()
}
