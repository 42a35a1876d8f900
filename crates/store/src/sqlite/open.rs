//! Opening the two files: migrations, what a crash left, and whether they belong together.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use lockgate_model::{
    Timestamp,
    definition::Revision,
    id::{TenantId, WriterId},
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use tokio::sync::broadcast;
use uuid::Uuid;

use super::{
    Files,
    chain::Chain,
    connection::{Readers, migrate, writing},
    definitions::{self, DefinitionsBook},
    directory::Directory,
    failure::{damaged, failed, to_i64, to_u64},
    runs::RunsBook,
    schedules,
    writer::Writer,
};
use crate::Error;

/// Revisions a slow listener may be behind before it has to read everything again.
const REVISIONS_KEPT: usize = 1024;

mod definitions_migrations {
    refinery::embed_migrations!("migrations/definitions");
}
mod runs_migrations {
    refinery::embed_migrations!("migrations/runs");
}

/// Opens both files. `prepare` may set up the writing connections further.
pub(super) fn open(
    directory: Directory,
    now: Timestamp,
    prepare: impl Fn(&Connection) -> Result<(), rusqlite::Error>,
) -> Result<Files, Error> {
    let definitions_path = directory.file("definitions.sqlite")?;
    let runs_path = directory.file("runs.sqlite")?;
    let mut definitions = writing(&definitions_path)?;
    let mut runs = writing(&runs_path)?;
    migrate(definitions_migrations::migrations::runner(), &mut definitions)?;
    migrate(runs_migrations::migrations::runner(), &mut runs)?;
    let writer = writer_id(&runs)?;
    let mut book = RunsBook::new(Chain::new(writer.clone()));
    let tenants = definitions::tenants(&definitions)?;
    for (tenant, _, announced_by, seq) in &tenants {
        refuse_lost_entry(&runs, tenant, announced_by, *seq)?;
    }
    let tenants = tenants.into_iter().map(|(tenant, revision, ..)| (tenant, revision)).collect();
    settle(&mut runs, &mut book, &tenants, now)?;
    for db in [&definitions, &runs] {
        prepare(db).map_err(failed("open its files"))?;
    }
    let (revisions, _) = broadcast::channel(REVISIONS_KEPT);
    Ok(Files {
        writer,
        definitions: Writer::start("store-definitions", definitions, DefinitionsBook)?,
        runs: Writer::start("store-runs", runs, book)?,
        read_definitions: Readers::new(definitions_path),
        read_runs: Readers::new(runs_path),
        changing: Mutex::new(HashMap::new()),
        between: Arc::default(),
        revisions,
        directory,
    })
}

/// Has the next who opens it draw a new name to write under.
pub(super) fn rename(dir: &Path) -> Result<(), Error> {
    let directory = Directory::take(dir)?;
    let runs = writing(&directory.file("runs.sqlite")?)?;
    runs.execute("DELETE FROM meta WHERE name IN ('writer', 'format')", []).map_err(failed("take a new name"))?;
    Ok(())
}

/// The name under which this file is written; drawn once.
fn writer_id(runs: &Connection) -> Result<WriterId, Error> {
    let found: Option<String> = runs
        .query_row("SELECT value FROM meta WHERE name = 'writer'", [], |row| row.get(0))
        .optional()
        .map_err(failed("read its own name"))?;
    let text = match found {
        Some(text) => text,
        None => {
            let text = format!("w-{}", Uuid::new_v4().simple());
            runs.execute("INSERT INTO meta (name, value) VALUES ('writer', ?1), ('format', '1')", params![text])
                .map_err(failed("write its own name"))?;
            text
        }
    };
    WriterId::parse(&text).map_err(|_| damaged("the store's own name cannot be read"))
}

/// A definition whose announcing entry is gone means that the audit log is older or was cut, unless it was removed: then
/// there is an anchor behind it, whose signature `audit verify` holds to the key.
fn refuse_lost_entry(runs: &Connection, tenant: &TenantId, writer: &WriterId, seq: u64) -> Result<(), Error> {
    let there = runs
        .prepare_cached(
            "SELECT 1 FROM audit WHERE tenant = ?1 AND writer = ?2 AND seq = ?3
             UNION ALL SELECT 1 FROM anchors WHERE tenant = ?1 AND writer = ?2 AND seq >= ?3",
        )
        .and_then(|mut select| select.exists(params![tenant.as_str(), writer.as_str(), to_i64(seq)]))
        .map_err(failed("read the audit log"))?;
    if there {
        return Ok(());
    }
    Err(Error::Unusable(format!(
        "the audit log of tenant `{tenant}` ends before its definitions: `runs.sqlite` was cut or is an older copy; restore both files from the same backup"
    )))
}

/// Settles what the last process left behind, in one transaction.
fn settle(
    runs: &mut Connection,
    book: &mut RunsBook,
    tenants: &HashMap<TenantId, Revision>,
    now: Timestamp,
) -> Result<(), Error> {
    let transaction =
        runs.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed("settle what was left"))?;
    let announced: Vec<(String, i64)> = transaction
        .prepare("SELECT tenant, applied FROM announcements WHERE writer = ?1")
        .and_then(|mut select| {
            select.query_map(params![book.chain.writer().as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .map_err(failed("read the announced changes"))?;
    for (tenant, applied) in announced {
        let tenant = TenantId::parse(&tenant).map_err(|_| damaged("the audit log names a tenant that cannot be"))?;
        let current = tenants.get(&tenant).copied().unwrap_or_default();
        let applied = Revision(to_u64(applied, "an applied revision is negative")?);
        if current < applied {
            return Err(Error::Unusable(format!(
                "tenant `{tenant}` is at revision {current}, but the audit log knows {applied}: `definitions.sqlite` is an older copy; restore both files from the same backup"
            )));
        }
        book.chain.settle(&transaction, &tenant, current, now)?;
    }
    let lost = book.mark_lost(&transaction, now)?;
    schedules::mark_lost(&transaction)?;
    transaction.commit().map_err(failed("settle what was left"))?;
    if lost > 0 {
        tracing::warn!(lost, "runs that the last process left running are lost");
    }
    Ok(())
}
