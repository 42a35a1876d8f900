//! Signed heads of the audit chains, in the file of runs and audit.

use lockgate_model::{
    Digest, Timestamp,
    audit::SignedHead,
    id::{TenantId, WriterId},
};
use rusqlite::{Connection, params};

use super::failure::{damaged, failed, to_i64, to_u64};
use crate::Error;

/// Keeps a head in place of an older one.
pub(super) fn put(db: &Connection, head: &SignedHead) -> Result<(), Error> {
    put_into("heads", db, head)
}

/// Keeps an anchor in place of an older one.
pub(super) fn put_anchor(db: &Connection, anchor: &SignedHead) -> Result<(), Error> {
    put_into("anchors", db, anchor)
}

fn put_into(table: &str, db: &Connection, head: &SignedHead) -> Result<(), Error> {
    db.prepare_cached(&format!(
        "INSERT INTO {table} (tenant, writer, seq, hash, at, signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant, writer) DO UPDATE
         SET seq = excluded.seq, hash = excluded.hash, at = excluded.at, signature = excluded.signature
         WHERE excluded.seq > {table}.seq"
    ))
    .and_then(|mut insert| {
        insert.execute(params![
            head.tenant.as_str(),
            head.writer.as_str(),
            to_i64(head.seq),
            head.hash.0,
            head.at.0,
            head.signature,
        ])
    })
    .map_err(failed("keep a signed head of the audit log"))?;
    Ok(())
}

/// The newest of each chain, by writer.
pub(super) fn newest(db: &Connection, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
    all("heads", db, tenant)
}

/// Where chains begin that were removed in part, by writer.
pub(super) fn anchors(db: &Connection, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
    all("anchors", db, tenant)
}

fn all(table: &str, db: &Connection, tenant: &TenantId) -> Result<Vec<SignedHead>, Error> {
    let unread = || failed("read the signed heads of the audit log");
    let mut select = db
        .prepare_cached(&format!(
            "SELECT writer, seq, hash, at, signature FROM {table} WHERE tenant = ?1 ORDER BY writer"
        ))
        .map_err(unread())?;
    let rows = select
        .query_map(params![tenant.as_str()], |row| {
            let (writer, seq): (String, i64) = (row.get(0)?, row.get(1)?);
            Ok((writer, seq, row.get::<_, [u8; 32]>(2)?, row.get::<_, i64>(3)?, row.get::<_, String>(4)?))
        })
        .map_err(unread())?;
    rows.map(|row| {
        let (writer, seq, hash, at, signature) = row.map_err(unread())?;
        let writer = WriterId::parse(&writer).map_err(|_| damaged("a signed head names a writer that cannot be"))?;
        let seq = to_u64(seq, "a signed head has no place")?;
        Ok(SignedHead { tenant: tenant.clone(), writer, seq, hash: Digest(hash), at: Timestamp(at), signature })
    })
    .collect()
}
