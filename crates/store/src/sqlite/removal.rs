//! Records of runs that are no longer kept: looked for by readers, and removed in small jobs of the writer,
//! so that what is written meanwhile waits for one of them at most. Each job is one transaction: after a
//! crash between two of them the next time goes on where this one ended.

use lockgate_model::id::TenantId;
use rusqlite::{Connection, params};

use super::{
    Files,
    failure::{failed, to_u64},
    runs::Job,
};
use crate::{Error, RunsKept};

/// Records that are looked at at once, and removed by one job at most.
pub(super) const BATCH: usize = 200;

const OPEN: &str = "running";

/// How far the look has come, from the oldest run on.
struct Look {
    /// The last id that was looked at.
    after: String,
    /// Of those behind it, so many are beyond the newest that stay.
    surplus: u64,
}

/// What a look found.
struct Found {
    gone: Vec<String>,
    /// Where to go on; `None` when the others are all kept.
    next: Option<Look>,
}

/// Removes what is not kept, the oldest first.
pub(super) async fn remove(files: &Files, tenant: &TenantId, kept: RunsKept) -> Result<u64, Error> {
    let owner = tenant.clone();
    let count = files.read_runs.read(move |db| count(db, &owner)).await?;
    let mut next = Some(Look { after: String::new(), surplus: count.saturating_sub(kept.runs_max) });
    let mut removed = 0;
    while let Some(look) = next {
        let owner = tenant.clone();
        let found = files.read_runs.read(move |db| find(db, &owner, look, kept)).await?;
        next = found.next;
        if !found.gone.is_empty() {
            removed += found.gone.len() as u64;
            let job = Job::Remove { tenant: tenant.clone(), runs: found.gone };
            files.runs.queue(job).await?.durable().await?;
        }
    }
    Ok(removed)
}

fn count(db: &Connection, tenant: &TenantId) -> Result<u64, Error> {
    let count = db
        .prepare_cached("SELECT count(*) FROM runs WHERE tenant = ?1")
        .and_then(|mut select| select.query_row([tenant.as_str()], |row| row.get(0)))
        .map_err(failed("count runs"))?;
    to_u64(count, "a number of runs is negative")
}

/// One batch, in the order of ids, which is that of their starts. Who began in time ended in time: there it
/// ends, so that finding nothing costs nothing however many are kept.
fn find(db: &Connection, tenant: &TenantId, mut look: Look, kept: RunsKept) -> Result<Found, Error> {
    let mut select = db
        .prepare_cached("SELECT id, phase, started, ended FROM runs WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3")
        .map_err(failed("read runs"))?;
    let mut rows = select.query(params![tenant.as_str(), look.after, BATCH as i64]).map_err(failed("read runs"))?;
    let (mut gone, mut seen) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(failed("read runs"))? {
        let read = || Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get(3)?));
        let (id, phase, started, ended): (_, _, _, Option<i64>) = read().map_err(failed("read runs"))?;
        if look.surplus == 0 && started >= kept.ended_since.0 {
            return Ok(Found { gone, next: None });
        }
        let old = ended.is_some_and(|ended| ended < kept.ended_since.0);
        if phase != OPEN && (look.surplus > 0 || old) {
            gone.push(id.clone());
        }
        look.surplus = look.surplus.saturating_sub(1);
        look.after = id;
        seen += 1;
    }
    Ok(Found { gone, next: (seen == BATCH).then_some(look) })
}

/// Removes records. Whatever was found, an open run stays.
pub(super) fn delete(db: &Connection, tenant: &TenantId, runs: &[String]) -> Result<(), Error> {
    let mut delete = db
        .prepare_cached("DELETE FROM runs WHERE tenant = ?1 AND id = ?2 AND phase <> ?3")
        .map_err(failed("remove runs"))?;
    for run in runs {
        delete.execute(params![tenant.as_str(), run, OPEN]).map_err(failed("remove runs"))?;
    }
    Ok(())
}
