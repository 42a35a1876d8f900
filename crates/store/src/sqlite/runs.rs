//! The file of runs and audit: what is written into it, and runs read back.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use lockgate_model::{
    RunId, RunRecord, Timestamp,
    audit::{Entry, SignedHead},
    definition::Revision,
    id::TenantId,
    run::{Phase, RunEnd},
    schedule::{ScheduleState, Step},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    chain::Chain,
    connection::probe,
    failure::failed,
    green, heads, log,
    record::{self, COLUMNS},
    removal, schedules,
    writer::Book,
};
use crate::{Error, RUNS_DEFAULT, RUNS_MAX, RunQuery, ScheduleKey};

/// What can be asked of the file's writer.
pub(super) enum Job {
    /// Entries, and the run they open.
    Append { tenant: TenantId, entries: Vec<Entry>, run: Option<Arc<RunRecord>> },
    /// A run's end.
    Close(Box<EndOf>),
    /// Records of runs that have ended are removed, by their ids.
    Remove { tenant: TenantId, runs: Vec<String> },
    /// The entry of a change, with the revision it will have, and the environments that it ends: of them nothing is green
    /// any more, for another may get the name.
    Announce { tenant: TenantId, entry: Box<Entry>, current: Revision, ended: Vec<String> },
    /// A step of a schedule, and the entries that tell of it if it is possible.
    Schedule { tenant: TenantId, key: ScheduleKey, step: Step, entries: Vec<Entry> },
    /// What became of the change announced last.
    Settle { tenant: TenantId, current: Revision, at: Timestamp },
    /// A signed head of an audit chain.
    KeepHead(Box<SignedHead>),
    /// Entries of an audit chain are removed down to an anchor.
    RemoveAudit(Box<SignedHead>),
    /// Nothing, durably.
    Probe,
}

/// The end of a run.
#[derive(Debug, Clone)]
pub(super) struct EndOf {
    pub(super) tenant: TenantId,
    pub(super) run: RunId,
    pub(super) end: RunEnd,
}

/// Where an announcement went, and what a schedule is after its step; nothing for other jobs.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) seq: u64,
    pub(super) revision: Revision,
    pub(super) schedule: Option<ScheduleState>,
}

/// Modules that are remembered to be green.
const GREEN_MAX: usize = 1_000;

/// Writes runs and audit.
pub(super) struct RunsBook {
    pub(super) chain: Chain,
    /// Opened in this transaction, and not written yet: a run that ends in it too is written once.
    opening: BTreeMap<RunId, Arc<RunRecord>>,
    /// Environments and modules of which the file says that they are green.
    green: HashSet<(TenantId, String, String)>,
    /// Runs that were open when their environment ended: nothing gets green by them. They are few, and stay here.
    orphans: HashSet<String>,
}

impl Book for RunsBook {
    type Job = Job;
    type Answer = Place;

    fn write(&mut self, db: &Connection, job: &Job) -> Result<Place, Error> {
        match job {
            Job::Append { tenant, entries, run } => {
                for entry in entries {
                    self.chain.append(db, tenant, entry)?;
                }
                self.opening.extend(run.iter().map(|run| (run.id, run.clone())));
                Ok(Place::default())
            }
            Job::Close(end) => self.close(db, end).map(|()| Place::default()),
            Job::Remove { tenant, runs } => removal::delete(db, tenant, runs).map(|()| Place::default()),
            Job::Announce { tenant, entry, current, ended } => {
                for environment in ended {
                    green::forget(db, tenant, environment)?;
                    self.green.retain(|(of, at, _)| of != tenant || at != environment);
                    self.orphans.extend(green::open_runs(db, tenant, environment)?);
                    let opening = self.opening.values().filter(|run| run.tenant == *tenant);
                    let opening = opening.filter(|run| run.target.environment.as_str() == environment);
                    self.orphans.extend(opening.map(|run| run.id.to_string()));
                }
                let (seq, revision) = self.chain.announce(db, tenant, Entry::clone(entry), *current)?;
                Ok(Place { seq, revision, schedule: None })
            }
            Job::Schedule { tenant, key, step, entries } => {
                let schedule = schedules::step(db, tenant, key, step)?;
                if schedule.is_some() {
                    for entry in entries {
                        self.chain.append(db, tenant, entry)?;
                    }
                }
                Ok(Place { schedule, ..Place::default() })
            }
            Job::Settle { tenant, current, at } => {
                self.chain.settle(db, tenant, *current, *at)?;
                Ok(Place::default())
            }
            Job::KeepHead(head) => heads::put(db, head).map(|()| Place::default()),
            Job::RemoveAudit(anchor) => log::remove(db, anchor).map(|()| Place::default()),
            Job::Probe => probe(db).map(|()| Place::default()),
        }
    }

    fn flush(&mut self, db: &Connection) -> Result<(), Error> {
        let opening = std::mem::take(&mut self.opening);
        opening.values().try_for_each(|run| self.insert(db, run, None))
    }

    fn forget(&mut self) {
        self.chain.forget();
        self.opening.clear();
        self.green.clear();
    }
}

impl RunsBook {
    pub(super) fn new(chain: Chain) -> Self {
        Self { chain, opening: BTreeMap::new(), green: HashSet::new(), orphans: HashSet::new() }
    }

    fn insert(&self, db: &Connection, run: &RunRecord, end: Option<&RunEnd>) -> Result<(), Error> {
        let phase = end.map_or(run.phase, |end| end.phase);
        // Whose it is is asked while it is open.
        let writer = if phase == Phase::Running { self.chain.writer().as_str() } else { "" };
        db.prepare_cached(
            "INSERT INTO runs (tenant, id, writer, environment, name, phase, started, record, module, ended, outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .map_err(failed("open a run"))?
        .execute(params![
            run.tenant.as_str(),
            run.id.to_string(),
            writer,
            run.target.environment.as_str(),
            run.target.name.as_str(),
            phase.as_str(),
            run.started.0,
            record::opening(run)?,
            run.module.map(|module| module.to_string()),
            end.map(|end| end.ended.0),
            record::outcome(run, end)?,
        ])
        .map_err(failed("open a run"))?;
        Ok(())
    }

    /// Only a running run can be closed, and only once.
    fn close(&mut self, db: &Connection, EndOf { tenant, run, end }: &EndOf) -> Result<(), Error> {
        let opened = self.opening.get(run).filter(|opened| opened.tenant == *tenant).cloned();
        let (environment, module) = match opened {
            Some(opened) => {
                self.opening.remove(run);
                self.insert(db, &opened, Some(end))?;
                (opened.target.environment.to_string(), opened.module.map(|module| module.to_string()))
            }
            None => update(db, tenant, *run, end)?,
        };
        let orphan = self.orphans.contains(&run.to_string());
        match module.filter(|_| !orphan) {
            Some(module) if end.phase == Phase::Completed => self.green(db, tenant, environment, module),
            _ => Ok(()),
        }
    }

    fn green(&mut self, db: &Connection, tenant: &TenantId, environment: String, module: String) -> Result<(), Error> {
        let key = (tenant.clone(), environment, module);
        if self.green.contains(&key) {
            return Ok(());
        }
        if self.green.len() >= GREEN_MAX {
            self.green.clear();
        }
        green::put(db, tenant, &key.1, &key.2)?;
        self.green.insert(key);
        Ok(())
    }

    /// Marks the runs that this writer's process left behind.
    pub(super) fn mark_lost(&self, db: &Connection, now: Timestamp) -> Result<usize, Error> {
        db.execute(
            "UPDATE runs SET phase = 'lost', ended = ?2, writer = '' WHERE writer = ?1 AND phase = 'running'",
            params![self.chain.writer().as_str(), now.0],
        )
        .map_err(failed("mark lost runs"))
    }
}

/// Writes the end of a run that was opened before; its environment and module.
fn update(db: &Connection, tenant: &TenantId, run: RunId, end: &RunEnd) -> Result<(String, Option<String>), Error> {
    db.prepare_cached(
        "UPDATE runs SET phase = ?3, ended = ?4, outcome = ?5, writer = ''
         WHERE tenant = ?1 AND id = ?2 AND phase = 'running' RETURNING environment, module",
    )
    .map_err(failed("close a run"))?
    .query_row(
        params![tenant.as_str(), run.to_string(), end.phase.as_str(), end.ended.0, record::ending(end)?],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
    .optional()
    .map_err(failed("close a run"))?
    .ok_or_else(|| Error::Refused(format!("run {run} is not running")))
}

/// Runs that fit a query, newest first.
pub(super) fn find(db: &Connection, tenant: &TenantId, query: &RunQuery) -> Result<Vec<RunRecord>, Error> {
    let limit = match query.limit {
        0 => RUNS_DEFAULT,
        n => n.min(RUNS_MAX),
    };
    // Only what is asked for stands in the text: so each question finds the index that answers it.
    let open = query.phase == Some(Phase::Running);
    let narrowing = [
        (query.environment.is_some(), " AND environment = ?2"),
        (query.name.is_some(), " AND name = ?3"),
        (open, " AND phase = 'running'"),
        (query.phase.is_some() && !open, " AND phase = ?4"),
        (query.before.is_some(), " AND id < ?5"),
        (query.since.is_some(), " AND id >= ?6"),
    ];
    let narrowed: String = narrowing.iter().filter(|(asked, _)| *asked).map(|(_, by)| *by).collect();
    let index = if open { "INDEXED BY runs_open" } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM runs {index} WHERE tenant = ?1{narrowed} ORDER BY id DESC LIMIT ?7");
    let mut select = db.prepare_cached(&sql).map_err(failed("read runs"))?;
    let mut rows = select
        .query(params![
            tenant.as_str(),
            query.environment.as_ref().map(|e| e.as_str()),
            query.name.as_ref().map(|n| n.as_str()),
            query.phase.map(Phase::as_str),
            query.before.map(|id| id.to_string()),
            query.since.map(|id| id.to_string()),
            limit,
        ])
        .map_err(failed("read runs"))?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next().map_err(failed("read runs"))? {
        runs.push(record::read(tenant, row)?);
    }
    Ok(runs)
}

/// One run.
pub(super) fn get(db: &Connection, tenant: &TenantId, run: RunId) -> Result<Option<RunRecord>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM runs WHERE tenant = ?1 AND id = ?2");
    let found = db
        .prepare_cached(&sql)
        .and_then(|mut select| {
            select.query_row(params![tenant.as_str(), run.to_string()], |row| Ok(record::read(tenant, row))).optional()
        })
        .map_err(failed("read a run"))?;
    found.transpose()
}
