//! A run that is opened and ended before the disk is free is written once, and reads like any other.

use std::sync::Arc;

use lockgate_model::{
    Digest, RunId,
    audit::{Entry, Outcome},
    definition::Revision,
    run::{Phase, RunEnd},
};
use rusqlite::Connection;

use super::{
    super::{
        chain::Chain,
        runs::{self, EndOf, Job, RunsBook},
        writer::Book,
    },
    NOW, Place, outside, run, tenant,
};
use crate::Error;

/// The file of runs of a new store, and a book that writes it.
fn book(place: &Place) -> (RunsBook, Connection) {
    drop(place.open());
    (RunsBook::new(Chain::new("w-test".parse().unwrap())), outside(&place.file("runs.sqlite")))
}

fn opening(run: &lockgate_model::RunRecord) -> Job {
    Job::Append { tenant: run.tenant.clone(), entries: Vec::new(), run: Some(Arc::new(run.clone())) }
}

fn ended(run: RunId, phase: Phase) -> Box<EndOf> {
    let end = RunEnd { ended: NOW, phase, error: None, cost: 7, bytes: Default::default(), tasks: Vec::new() };
    Box::new(EndOf { tenant: tenant(), run, end })
}

fn end(run: RunId, phase: Phase) -> Job {
    Job::Close(ended(run, phase))
}

fn green(db: &Connection) -> bool {
    let modules = [Digest::of(b"module")].into();
    !super::super::green::among(db, &tenant(), &"live".parse().unwrap(), modules).unwrap().is_empty()
}

#[test]
fn what_opens_and_ends_in_one_transaction_is_one_row_written_once() {
    let place = Place::new();
    let (mut book, db) = book(&place);
    let run = run();
    book.write(&db, &opening(&run)).unwrap();
    assert_eq!(db.total_changes(), 0, "it waits for its end");
    book.write(&db, &end(run.id, Phase::Completed)).unwrap();
    book.flush(&db).unwrap();
    assert_eq!(db.total_changes(), 2, "the run and its module's mark");
    let read = runs::get(&db, &tenant(), run.id).unwrap().unwrap();
    assert_eq!((read.phase, read.ended, read.cost, read.module), (Phase::Completed, Some(NOW), 7, run.module));
    assert!(green(&db));
    // It has ended, and once.
    let again = book.write(&db, &end(run.id, Phase::Faulted));
    assert!(matches!(again, Err(Error::Refused(_))), "{again:?}");
}

/// A run that outlives its environment says nothing of another one of that name.
#[test]
fn a_run_of_an_environment_that_has_ended_makes_nothing_green() {
    let place = Place::new();
    let (mut book, db) = book(&place);
    let (written, waiting) = (run(), run());
    book.write(&db, &opening(&written)).unwrap();
    book.flush(&db).unwrap();
    book.write(&db, &opening(&waiting)).unwrap();
    let entry = Box::new(Entry::new(NOW, "delete", Outcome::Done, "ada"));
    let ended = vec!["live".to_owned()];
    book.write(&db, &Job::Announce { tenant: tenant(), entry, current: Revision(1), ended }).unwrap();
    for run in [&written, &waiting] {
        book.write(&db, &end(run.id, Phase::Completed)).unwrap();
        assert!(!green(&db));
    }
    let later = run();
    book.write(&db, &opening(&later)).unwrap();
    book.write(&db, &end(later.id, Phase::Completed)).unwrap();
    assert!(green(&db));
}

#[test]
fn what_goes_on_is_open_when_the_transaction_ends() {
    let place = Place::new();
    let (mut book, db) = book(&place);
    let (run, other) = (run(), run());
    book.write(&db, &opening(&run)).unwrap();
    // Its end is another tenant's business never.
    let mut theirs = ended(run.id, Phase::Completed);
    theirs.tenant = "other".parse().unwrap();
    assert!(matches!(book.write(&db, &Job::Close(theirs)), Err(Error::Refused(_))));
    book.flush(&db).unwrap();
    assert_eq!(runs::get(&db, &tenant(), run.id).unwrap().unwrap().phase, Phase::Running);
    assert!(!green(&db));
    book.write(&db, &end(run.id, Phase::Faulted)).unwrap();
    assert_eq!(runs::get(&db, &tenant(), run.id).unwrap().unwrap().phase, Phase::Faulted);
    assert!(!green(&db), "it was not completed");
    // What was undone is not remembered.
    book.write(&db, &opening(&other)).unwrap();
    book.forget();
    book.flush(&db).unwrap();
    assert!(runs::get(&db, &tenant(), other.id).unwrap().is_none());
}
