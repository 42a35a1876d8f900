//! A run as its row. What has a column stands there alone; the rest is two texts, one written when the run is opened and
//! one when it ends. What is empty is not written, and times are lists: a row is written for every request.

use std::{borrow::Cow, collections::BTreeMap};

use lockgate_model::{
    Channel, RunRecord, Target, TargetKind, Timestamp,
    id::{AccountName, TenantId, UserId},
    run::{Bytes, Phase, RunEnd, RunError, RunId, TaskTime},
};
use rusqlite::{Row, types::FromSql};
use serde::{Deserialize, Serialize, Serializer};

use super::failure::{damaged, failed};
use crate::Error;

/// What [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "id, environment, name, module, phase, started, ended, record, outcome";

/// Column `record`.
#[derive(Serialize, Deserialize)]
struct Opening<'a> {
    kind: TargetKind,
    version: u64,
    trigger: Channel,
    principal: Cow<'a, UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restarts: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    occurrence: Option<Timestamp>,
    decision: Cow<'a, str>,
}

/// Column `outcome`.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Ending<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, RunError>>,
    cost: u64,
    #[serde(skip_serializing_if = "is_empty")]
    bytes: Cow<'a, BTreeMap<AccountName, Bytes>>,
    #[serde(skip_serializing_if = "has_none", serialize_with = "lists")]
    tasks: Cow<'a, [TaskTime]>,
}

fn is_empty(bytes: &BTreeMap<AccountName, Bytes>) -> bool {
    bytes.is_empty()
}

fn has_none(tasks: &[TaskTime]) -> bool {
    tasks.is_empty()
}

/// Each time as the list of its members, which reads back as the object would.
fn lists<S: Serializer>(tasks: &[TaskTime], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        tasks
            .iter()
            .map(|TaskTime { task, entered, wall_us, first_us, last_us }| (task, entered, wall_us, first_us, last_us)),
    )
}

/// The text of column `record`.
pub(super) fn opening(run: &RunRecord) -> Result<String, Error> {
    let RunRecord { target, version, trigger, principal, restarts, occurrence, decision, .. } = run;
    text(&Opening {
        kind: target.kind,
        version: *version,
        trigger: *trigger,
        principal: Cow::Borrowed(principal),
        restarts: *restarts,
        occurrence: *occurrence,
        decision: decision.into(),
    })
}

/// The text of column `outcome`, of a run that ends.
pub(super) fn ending(RunEnd { error, cost, bytes, tasks, .. }: &RunEnd) -> Result<String, Error> {
    let error = error.as_ref().map(Cow::Borrowed);
    text(&Ending { error, cost: *cost, bytes: Cow::Borrowed(bytes), tasks: tasks.into() })
}

/// The same of a run that is written: open, ended since, or over before it began.
pub(super) fn outcome(run: &RunRecord, end: Option<&RunEnd>) -> Result<Option<String>, Error> {
    let RunRecord { error, cost, bytes, tasks, phase, .. } = run;
    match end {
        Some(end) => ending(end).map(Some),
        None if phase.is_open() => Ok(None),
        None => {
            let error = error.as_ref().map(Cow::Borrowed);
            text(&Ending { error, cost: *cost, bytes: Cow::Borrowed(bytes), tasks: tasks.into() }).map(Some)
        }
    }
}

fn text(part: &impl Serialize) -> Result<String, Error> {
    json(part).ok_or_else(|| Error::Refused("the run record cannot be written as JSON".into()))
}

/// What most rows take, in bytes: their texts are made without growing.
const ROW_BYTES: usize = 768;

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Option<String> {
    let mut text = Vec::with_capacity(ROW_BYTES);
    serde_json::to_writer(&mut text, value).ok()?;
    String::from_utf8(text).ok()
}

/// A row back.
pub(super) fn read(tenant: &TenantId, row: &Row<'_>) -> Result<RunRecord, Error> {
    fn unreadable<E>(_: E) -> Error {
        damaged("a run record cannot be read")
    }
    fn column<T: FromSql>(row: &Row<'_>, place: usize) -> Result<T, Error> {
        row.get(place).map_err(failed("read a run"))
    }
    let string = |place| column::<String>(row, place);
    let record = string(7)?;
    let Opening { kind, version, trigger, principal, restarts, occurrence, decision } =
        serde_json::from_str(&record).map_err(unreadable)?;
    let outcome: Option<String> = column(row, 8)?;
    let ending = outcome.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?;
    let Ending { error, cost, bytes, tasks } = ending.unwrap_or_default();
    Ok(RunRecord {
        id: string(0)?.parse().map_err(unreadable)?,
        tenant: tenant.clone(),
        target: Target {
            environment: string(1)?.parse().map_err(unreadable)?,
            kind,
            name: string(2)?.parse().map_err(unreadable)?,
        },
        version,
        module: column::<Option<String>>(row, 3)?.map(|digest| digest.parse()).transpose().map_err(unreadable)?,
        trigger,
        principal: principal.into_owned(),
        restarts,
        occurrence,
        decision: decision.into_owned(),
        started: Timestamp(column(row, 5)?),
        ended: column::<Option<i64>>(row, 6)?.map(Timestamp),
        phase: phase(&string(4)?).ok_or(()).map_err(unreadable)?,
        error: error.map(Cow::into_owned),
        cost,
        bytes: bytes.into_owned(),
        tasks: tasks.into_owned(),
    })
}

const PHASES: [Phase; 6] =
    [Phase::Running, Phase::Completed, Phase::Faulted, Phase::Cancelled, Phase::Denied, Phase::Lost];

fn phase(text: &str) -> Option<Phase> {
    PHASES.into_iter().find(|phase| phase.as_str() == text)
}
