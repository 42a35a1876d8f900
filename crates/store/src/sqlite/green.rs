//! Modules that completed a run in an environment, in the file of runs and audit: the run's end and
//! this are one write.

use std::collections::BTreeSet;

use lockgate_model::{
    Digest,
    id::{EnvironmentId, TenantId},
};
use rusqlite::{Connection, params};

use super::failure::failed;
use crate::Error;

/// A run of the module completed.
pub(super) fn put(db: &Connection, tenant: &TenantId, environment: &str, module: &str) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO green (tenant, environment, module) VALUES (?1, ?2, ?3)
         ON CONFLICT (tenant, environment, module) DO NOTHING",
    )
    .and_then(|mut insert| insert.execute(params![tenant.as_str(), environment, module]))
    .map_err(failed("close a run"))?;
    Ok(())
}

/// The environment ends.
pub(super) fn forget(db: &Connection, tenant: &TenantId, environment: &str) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM green WHERE tenant = ?1 AND environment = ?2")
        .and_then(|mut delete| delete.execute(params![tenant.as_str(), environment]))
        .map_err(failed("announce a change"))?;
    Ok(())
}

/// Runs that are open in an environment.
pub(super) fn open_runs(db: &Connection, tenant: &TenantId, environment: &str) -> Result<Vec<String>, Error> {
    db.prepare_cached("SELECT id FROM runs WHERE tenant = ?1 AND environment = ?2 AND phase = 'running'")
        .and_then(|mut select| {
            let ids = select.query_map(params![tenant.as_str(), environment], |row| row.get(0))?;
            ids.collect()
        })
        .map_err(failed("announce a change"))
}

/// Those of the modules that completed a run.
pub(super) fn among(
    db: &Connection,
    tenant: &TenantId,
    environment: &EnvironmentId,
    modules: BTreeSet<Digest>,
) -> Result<BTreeSet<Digest>, Error> {
    let mut select = db
        .prepare_cached("SELECT 1 FROM green WHERE tenant = ?1 AND environment = ?2 AND module = ?3")
        .map_err(failed("read runs"))?;
    let mut green = BTreeSet::new();
    for module in modules {
        let key = params![tenant.as_str(), environment.as_str(), module.to_string()];
        if select.exists(key).map_err(failed("read runs"))? {
            green.insert(module);
        }
    }
    Ok(green)
}
