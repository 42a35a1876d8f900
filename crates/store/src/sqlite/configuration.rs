//! The digest of the configuration: row by row, so that it takes no more memory than the largest of them.
//!
//! Each row is a digest of its parts, each tenant a digest over those of its rows, and the whole a digest over those of
//! the tenants. docs/backup.md says it in full and makes it without our code.

use lockgate_model::Digest;
use rusqlite::{Connection, Row};

use super::failure::{damaged, failed};
use crate::Error;

const UNREAD: &str = "read the configuration";

/// Over all tenants, in the order of their ids.
pub(super) fn digest(db: &Connection) -> Result<Digest, Error> {
    let tenants: Vec<(String, i64)> = db
        .prepare("SELECT tenant, revision FROM tenants ORDER BY tenant")
        .and_then(|mut select| select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .map_err(failed(UNREAD))?;
    let mut all = Chained::new(b"lockgate configuration v1");
    for (tenant, revision) in tenants {
        let mut of_tenant = Chained::new(tenant.as_bytes());
        of_tenant.add(Digest::of_parts([b"revision".as_slice(), &revision.to_be_bytes()]));
        definitions(db, &tenant, &mut of_tenant)?;
        modules(db, &tenant, &mut of_tenant)?;
        blobs(db, &tenant, &mut of_tenant)?;
        all.add(of_tenant.0);
    }
    Ok(all.0)
}

/// A digest over any number of digests: that of the ones before and the next.
struct Chained(Digest);

impl Chained {
    fn new(name: &[u8]) -> Self {
        Self(Digest::of(name))
    }
    fn add(&mut self, next: Digest) {
        self.0 = Digest::of_parts([self.0.0.as_slice(), &next.0]);
    }
}

/// Calls `each` with the rows of a query about a tenant, one after the other.
fn rows(
    db: &Connection,
    sql: &str,
    tenant: &str,
    mut each: impl FnMut(&Row<'_>) -> Result<(), rusqlite::Error>,
) -> Result<(), Error> {
    let mut all = || {
        let mut select = db.prepare(sql)?;
        let mut rows = select.query([tenant])?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    };
    all().map_err(failed(UNREAD))
}

/// The newest version of each row, with its bytes as they are stored; rows that were deleted are not there.
fn definitions(db: &Connection, tenant: &str, of_tenant: &mut Chained) -> Result<(), Error> {
    let sql = "SELECT kind, id, revision, body FROM definitions AS newest
               WHERE tenant = ?1 AND NOT deleted AND revision = (
                   SELECT max(revision) FROM definitions
                   WHERE tenant = newest.tenant AND kind = newest.kind AND id = newest.id)
               ORDER BY kind, id";
    rows(db, sql, tenant, |row| {
        let (kind, id, body): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let revision: i64 = row.get(2)?;
        let parts = [b"row".as_slice(), kind.as_bytes(), id.as_bytes(), &revision.to_be_bytes(), body.as_bytes()];
        of_tenant.add(Digest::of_parts(parts));
        Ok(())
    })
}

/// What compiled to what.
fn modules(db: &Connection, tenant: &str, of_tenant: &mut Chained) -> Result<(), Error> {
    let sql = "SELECT source, orchestration, compiler, abi, module FROM modules WHERE tenant = ?1
               ORDER BY source, orchestration, compiler, abi";
    rows(db, sql, tenant, |row| {
        let (source, module): ([u8; 32], [u8; 32]) = (row.get(0)?, row.get(4)?);
        let (orchestration, compiler): (String, String) = (row.get(1)?, row.get(2)?);
        let abi = row.get::<_, i64>(3)?.to_be_bytes();
        let parts = [b"module".as_slice(), &source, orchestration.as_bytes(), compiler.as_bytes(), &abi, &module];
        of_tenant.add(Digest::of_parts(parts));
        Ok(())
    })
}

/// Bytes are what their digests say, or the store is damaged.
fn blobs(db: &Connection, tenant: &str, of_tenant: &mut Chained) -> Result<(), Error> {
    let mut wrong = None;
    rows(db, "SELECT digest, bytes FROM blobs WHERE tenant = ?1 ORDER BY digest", tenant, |row| {
        let digest = Digest(row.get(0)?);
        if Digest::of(row.get_ref(1)?.as_blob()?) != digest {
            wrong = Some(digest);
        }
        of_tenant.add(Digest::of_parts([b"bytes".as_slice(), &digest.0]));
        Ok(())
    })?;
    wrong.map_or(Ok(()), |digest| Err(damaged(&format!("the bytes of {digest} were changed"))))
}
