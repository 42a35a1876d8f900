//! The file of definitions: what is written into it, and rows read back.

use std::collections::BTreeMap;

use lockgate_model::{
    Digest, Timestamp,
    definition::{Definition, Kind, Revision},
    id::{TenantId, WriterId},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    connection::probe,
    failure::{damaged, failed, to_i64, to_u64},
    writer::Book,
};
use crate::{Error, ModuleKey, Since, Version};

/// Rows as they go into one revision: JSON texts, or `None` for a deletion.
pub(super) type Rows = Vec<(Kind, String, Option<String>)>;

/// What can be asked of the file's writer.
pub(super) enum Job {
    /// A change, after its audit entry became durable.
    Apply {
        tenant: TenantId,
        /// The revision it was checked against.
        current: Revision,
        revision: Revision,
        at: Timestamp,
        /// Where its audit entry is.
        writer: WriterId,
        seq: u64,
        rows: Rows,
    },
    /// Bytes under their digest.
    Blob { tenant: TenantId, digest: Digest, bytes: Vec<u8> },
    /// What a key compiled to.
    Module { tenant: TenantId, key: ModuleKey, module: Digest },
    /// Nothing, durably.
    Probe,
}

/// Writes definitions.
pub(super) struct DefinitionsBook;

impl Book for DefinitionsBook {
    type Job = Job;
    type Answer = ();

    fn write(&mut self, db: &Connection, job: &Job) -> Result<(), Error> {
        match job {
            Job::Apply { tenant, current, revision, at, writer, seq, rows } => {
                move_on(db, tenant, *current, *revision, writer, *seq)?;
                for (kind, id, body) in rows {
                    put(db, tenant, *kind, id, *revision, *at, body.as_deref())?;
                }
                Ok(())
            }
            Job::Blob { tenant, digest, bytes } => insert_blob(db, tenant, digest, bytes),
            Job::Module { tenant, key, module } => insert_module(db, tenant, key, module),
            Job::Probe => probe(db),
        }
    }

    fn flush(&mut self, _: &Connection) -> Result<(), Error> {
        Ok(())
    }

    // It remembers nothing.
    fn forget(&mut self) {}
}

/// Moves the tenant from the revision a change was checked against to the change's own.
fn move_on(
    db: &Connection,
    tenant: &TenantId,
    current: Revision,
    revision: Revision,
    writer: &WriterId,
    seq: u64,
) -> Result<(), Error> {
    let sql = if current.0 == 0 {
        "INSERT INTO tenants (tenant, revision, writer, seq) VALUES (?1, ?3, ?4, ?5)
         ON CONFLICT (tenant) DO NOTHING"
    } else {
        "UPDATE tenants SET revision = ?3, writer = ?4, seq = ?5
         WHERE tenant = ?1 AND revision = ?2"
    };
    let moved = db
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.execute(params![
                tenant.as_str(),
                to_i64(current.0),
                to_i64(revision.0),
                writer.as_str(),
                to_i64(seq),
            ])
        })
        .map_err(failed("write a change"))?;
    if moved == 0 {
        return Err(Error::Conflict { tenant: tenant.clone(), expected: current, found: self::revision(db, tenant)? });
    }
    Ok(())
}

/// Whether replaced bodies of a kind are erased: nobody needs an old secret but a thief.
fn is_erased(kind: Kind) -> bool {
    matches!(kind, Kind::Secret | Kind::Credential | Kind::ApiKey)
}

fn put(
    db: &Connection,
    tenant: &TenantId,
    kind: Kind,
    id: &str,
    revision: Revision,
    at: Timestamp,
    body: Option<&str>,
) -> Result<(), Error> {
    if is_erased(kind) {
        db.prepare_cached(
            "UPDATE definitions SET body = NULL
             WHERE tenant = ?1 AND kind = ?2 AND id = ?3 AND body IS NOT NULL",
        )
        .and_then(|mut erase| erase.execute(params![tenant.as_str(), kind.as_str(), id]))
        .map_err(failed("erase a replaced secret"))?;
    }
    db.prepare_cached(
        "INSERT INTO definitions (tenant, kind, id, revision, at, deleted, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .and_then(|mut insert| {
        insert.execute(params![tenant.as_str(), kind.as_str(), id, to_i64(revision.0), at.0, body.is_none(), body,])
    })
    .map_err(failed("write a change"))?;
    Ok(())
}

fn insert_blob(db: &Connection, tenant: &TenantId, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO blobs (tenant, digest, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant, digest) DO NOTHING",
    )
    .and_then(|mut insert| insert.execute(params![tenant.as_str(), digest.0, bytes]))
    .map_err(failed("store bytes"))?;
    Ok(())
}

fn insert_module(db: &Connection, tenant: &TenantId, key: &ModuleKey, module: &Digest) -> Result<(), Error> {
    match self::module(db, tenant, key)? {
        Some(stored) if stored == *module => return Ok(()),
        // Compilation is deterministic: two results for one key mean a defect, not a choice.
        Some(stored) => {
            return Err(Error::Refused(format!(
                "`{}` compiled to {stored} before and to {module} now",
                key.orchestration
            )));
        }
        None => {}
    }
    if !blob_exists(db, tenant, module)? {
        return Err(Error::Refused(format!("module {module} is not stored")));
    }
    db.prepare_cached(
        "INSERT INTO modules (tenant, source, orchestration, compiler, abi, module)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            tenant.as_str(),
            key.source.0,
            key.orchestration.as_str(),
            key.compiler,
            key.abi,
            module.0,
        ])
    })
    .map_err(failed("index a module"))?;
    Ok(())
}

/// What a key compiled to.
pub(super) fn module(db: &Connection, tenant: &TenantId, key: &ModuleKey) -> Result<Option<Digest>, Error> {
    let found: Option<[u8; 32]> = db
        .prepare_cached(
            "SELECT module FROM modules
             WHERE tenant = ?1 AND source = ?2 AND orchestration = ?3 AND compiler = ?4 AND abi = ?5",
        )
        .and_then(|mut select| {
            select
                .query_row(
                    params![tenant.as_str(), key.source.0, key.orchestration.as_str(), key.compiler, key.abi,],
                    |row| row.get(0),
                )
                .optional()
        })
        .map_err(failed("look up a module"))?;
    Ok(found.map(Digest))
}

/// Whether bytes are stored.
pub(super) fn blob_exists(db: &Connection, tenant: &TenantId, digest: &Digest) -> Result<bool, Error> {
    db.prepare_cached("SELECT 1 FROM blobs WHERE tenant = ?1 AND digest = ?2")
        .and_then(|mut select| select.exists(params![tenant.as_str(), digest.0]))
        .map_err(failed("look for stored bytes"))
}

/// Stored bytes.
pub(super) fn blob(db: &Connection, tenant: &TenantId, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
    let bytes: Option<Vec<u8>> = db
        .prepare_cached("SELECT bytes FROM blobs WHERE tenant = ?1 AND digest = ?2")
        .and_then(|mut select| select.query_row(params![tenant.as_str(), digest.0], |row| row.get(0)).optional())
        .map_err(failed("read stored bytes"))?;
    match bytes {
        Some(bytes) if Digest::of(&bytes) != *digest => Err(damaged(&format!("the bytes of {digest} were changed"))),
        bytes => Ok(bytes),
    }
}

/// The revision a tenant is at; 0 if it never had a change.
pub(super) fn revision(db: &Connection, tenant: &TenantId) -> Result<Revision, Error> {
    let found: Option<i64> = db
        .prepare_cached("SELECT revision FROM tenants WHERE tenant = ?1")
        .and_then(|mut select| select.query_row(params![tenant.as_str()], |row| row.get(0)).optional())
        .map_err(failed("read a tenant's revision"))?;
    Ok(Revision(to_u64(found.unwrap_or(0), "a revision is negative")?))
}

/// All tenants with the revision they are at and the place of the audit entry that announced it.
pub(super) fn tenants(db: &Connection) -> Result<Vec<(TenantId, Revision, WriterId, u64)>, Error> {
    let rows: Vec<(String, i64, String, i64)> = db
        .prepare("SELECT tenant, revision, writer, seq FROM tenants ORDER BY tenant")
        .and_then(|mut select| {
            select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
        })
        .map_err(failed("read the tenants"))?;
    rows.into_iter()
        .map(|(tenant, revision, writer, seq)| {
            let unreadable = |_| damaged("a tenant's row cannot be read");
            Ok((
                TenantId::parse(&tenant).map_err(unreadable)?,
                Revision(to_u64(revision, "a revision is negative")?),
                WriterId::parse(&writer).map_err(unreadable)?,
                to_u64(seq, "a tenant's row cannot be read")?,
            ))
        })
        .collect()
}

/// The newest version of every row that is not deleted.
pub(super) fn all(db: &Connection, tenant: &TenantId) -> Result<Vec<Definition>, Error> {
    let rows: Vec<(String, String, i64, String)> = db
        .prepare_cached(
            "SELECT kind, id, revision, body FROM definitions AS newest
             WHERE tenant = ?1 AND NOT deleted AND revision = (
                 SELECT max(revision) FROM definitions
                 WHERE tenant = newest.tenant AND kind = newest.kind AND id = newest.id)
             ORDER BY kind, id",
        )
        .and_then(|mut select| {
            select
                .query_map(params![tenant.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
                .collect()
        })
        .map_err(failed("read definitions"))?;
    rows.into_iter().map(|(kind, id, revision, body)| definition(tenant, (kind, id), revision, &body)).collect()
}

fn definition(tenant: &TenantId, (kind, id): (String, String), revision: i64, body: &str) -> Result<Definition, Error> {
    let unreadable = || damaged(&format!("definition {kind}/{id} cannot be read"));
    Ok(Definition {
        tenant: tenant.clone(),
        kind: kind.parse().map_err(|_| unreadable())?,
        revision: Revision(revision.try_into().map_err(|_| unreadable())?),
        body: serde_json::from_str(body).map_err(|_| unreadable())?,
        id,
    })
}

/// What changed after a revision. Of rows that several changes wrote, the newest version.
pub(super) fn since(db: &Connection, tenant: &TenantId, since: Revision) -> Result<Since, Error> {
    type Newest = BTreeMap<(String, String), (i64, Option<String>)>;
    let newest: Newest = db
        .prepare_cached(
            "SELECT kind, id, revision, CASE WHEN deleted THEN NULL ELSE coalesce(body, '') END
             FROM definitions WHERE tenant = ?1 AND revision > ?2 ORDER BY revision",
        )
        .and_then(|mut select| {
            select
                .query_map(params![tenant.as_str(), to_i64(since.0)], |row| {
                    Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)))
                })?
                .collect()
        })
        .map_err(failed("read what changed in definitions"))?;
    let mut changes = Since { revision: revision(db, tenant)?, puts: Vec::new(), deletes: Vec::new() };
    for ((kind, id), (revision, body)) in newest {
        match body {
            Some(body) => changes.puts.push(definition(tenant, (kind, id), revision, &body)?),
            None => {
                let unreadable = |_| damaged(&format!("definition {kind}/{id} cannot be read"));
                changes.deletes.push((kind.parse().map_err(unreadable)?, id));
            }
        }
    }
    Ok(changes)
}

/// The revision of a row's newest version, and whether that one is its deletion.
pub(super) fn newest(
    db: &Connection,
    tenant: &TenantId,
    kind: Kind,
    id: &str,
) -> Result<Option<(Revision, bool)>, Error> {
    let found: Option<(i64, bool)> = db
        .prepare_cached(
            "SELECT revision, deleted FROM definitions
             WHERE tenant = ?1 AND kind = ?2 AND id = ?3 ORDER BY revision DESC LIMIT 1",
        )
        .and_then(|mut select| {
            select
                .query_row(params![tenant.as_str(), kind.as_str(), id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(failed("look for a definition"))?;
    found.map(|(revision, deleted)| Ok((Revision(to_u64(revision, "a revision is negative")?), deleted))).transpose()
}

/// Every version of one row, oldest first.
pub(super) fn history(db: &Connection, tenant: &TenantId, kind: Kind, id: &str) -> Result<Vec<Version>, Error> {
    let rows: Vec<(i64, i64, bool, Option<String>)> = db
        .prepare_cached(
            "SELECT revision, at, deleted, body FROM definitions
             WHERE tenant = ?1 AND kind = ?2 AND id = ?3 ORDER BY revision",
        )
        .and_then(|mut select| {
            select
                .query_map(params![tenant.as_str(), kind.as_str(), id], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })?
                .collect()
        })
        .map_err(failed("read a definition's history"))?;
    rows.into_iter()
        .map(|(revision, at, deleted, body)| {
            let unreadable = || damaged(&format!("definition {kind}/{id} cannot be read"));
            let body = body.map(|body| serde_json::from_str(&body)).transpose().map_err(|_| unreadable())?;
            Ok(Version {
                revision: Revision(revision.try_into().map_err(|_| unreadable())?),
                at: Timestamp(at),
                deleted,
                body,
            })
        })
        .collect()
}
