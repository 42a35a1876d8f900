//! States of schedules, in the file of runs and audit: a step and the entries that tell of it are one
//! write.

use lockgate_model::{
    id::{EnvironmentId, TargetName, TenantId},
    schedule::{ScheduleState, Step},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::{damaged, failed};
use crate::{Error, ScheduleKey};

const UNREADABLE: &str = "the state of a schedule cannot be read";

fn read(text: &str) -> Result<ScheduleState, Error> {
    serde_json::from_str(text).map_err(|_| damaged(UNREADABLE))
}

fn get(db: &Connection, tenant: &TenantId, key: &ScheduleKey) -> Result<Option<ScheduleState>, Error> {
    let text: Option<String> = db
        .prepare_cached("SELECT state FROM schedules WHERE tenant = ?1 AND environment = ?2 AND name = ?3")
        .and_then(|mut select| {
            let place = params![tenant.as_str(), key.environment.as_str(), key.name.as_str()];
            select.query_row(place, |row| row.get(0)).optional()
        })
        .map_err(failed("read a schedule"))?;
    text.map(|text| read(&text)).transpose()
}

fn put(db: &Connection, tenant: &TenantId, key: &ScheduleKey, state: &ScheduleState) -> Result<(), Error> {
    let text =
        serde_json::to_string(state).map_err(|_| Error::Refused("the state of a schedule cannot be written".into()))?;
    db.prepare_cached(
        "INSERT INTO schedules (tenant, environment, name, state) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant, environment, name) DO UPDATE SET state = excluded.state",
    )
    .and_then(|mut upsert| upsert.execute(params![tenant.as_str(), key.environment.as_str(), key.name.as_str(), text]))
    .map_err(failed("write a schedule"))?;
    Ok(())
}

/// Takes a step; `None` when it is not possible, and nothing was written then.
pub(super) fn step(
    db: &Connection,
    tenant: &TenantId,
    key: &ScheduleKey,
    step: &Step,
) -> Result<Option<ScheduleState>, Error> {
    let next = get(db, tenant, key)?.unwrap_or_default().take(step);
    if let Some(next) = &next {
        put(db, tenant, key, next)?;
    }
    Ok(next)
}

/// Every state of a tenant.
pub(super) fn all(db: &Connection, tenant: &TenantId) -> Result<Vec<(ScheduleKey, ScheduleState)>, Error> {
    let rows: Vec<(String, String, String)> = db
        .prepare_cached("SELECT environment, name, state FROM schedules WHERE tenant = ?1 ORDER BY environment, name")
        .and_then(|mut select| {
            select.query_map([tenant.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        })
        .map_err(failed("read schedules"))?;
    rows.into_iter().map(|(environment, name, state)| Ok((key(&environment, &name)?, read(&state)?))).collect()
}

fn key(environment: &str, name: &str) -> Result<ScheduleKey, Error> {
    let unreadable = |_| damaged(UNREADABLE);
    let environment = EnvironmentId::parse(environment).map_err(unreadable)?;
    Ok(ScheduleKey { environment, name: TargetName::parse(name).map_err(unreadable)? })
}

/// Marks the runs of schedules that the last process left behind.
pub(super) fn mark_lost(db: &Connection) -> Result<(), Error> {
    let rows: Vec<(String, String, String, String)> = db
        .prepare("SELECT tenant, environment, name, state FROM schedules")
        .and_then(|mut select| {
            select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.collect()
        })
        .map_err(failed("read schedules"))?;
    for (tenant, environment, name, state) in rows {
        if let Some(lost) = read(&state)?.interrupted() {
            let tenant = TenantId::parse(&tenant).map_err(|_| damaged(UNREADABLE))?;
            put(db, &tenant, &key(&environment, &name)?, &lost)?;
        }
    }
    Ok(())
}
