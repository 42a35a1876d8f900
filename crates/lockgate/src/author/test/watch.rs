//! `lockgate test --watch`: waits until a file of the projects changes.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::select::Chosen;
use crate::{author::workbench::Workbench, exit::Exit};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_millis(300);

/// When each file was changed, and its length.
pub type State = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Ctrl-C, also when it is pressed while nobody waits for it.
pub struct Interrupt(RefCell<Signal>);

impl Interrupt {
    /// Listens from now on.
    pub fn listen(bench: &Workbench) -> Result<Self, Exit> {
        Ok(Self(RefCell::new(bench.within(|| signal(SignalKind::interrupt()))?)))
    }

    /// Resolves once it is pressed.
    #[expect(clippy::await_holding_refcell_ref, reason = "one thread, and one place at a time waits for it")]
    pub async fn reached(&self) {
        self.0.borrow_mut().recv().await;
    }

    /// Waits until the files are not as they were; false when it is pressed before.
    pub fn wait_for_change(&self, bench: &Workbench, chosen: &Chosen, before: &State) -> bool {
        bench.wait(async {
            loop {
                tokio::select! {
                    () = self.reached() => return false,
                    () = tokio::time::sleep(LOOK) => {}
                }
                if state(chosen) != *before {
                    return true;
                }
            }
        })
    }
}

/// The files of all projects as they are; what cannot be read is not there.
pub fn state(chosen: &Chosen) -> State {
    let mut state = State::new();
    let mut folders: Vec<PathBuf> = chosen.0.keys().cloned().collect();
    while let Some(folder) = folders.pop() {
        look(&folder, &mut folders, &mut state);
    }
    state
}

fn look(folder: &Path, folders: &mut Vec<PathBuf>, state: &mut State) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let (Ok(about), false) = (entry.metadata(), name.starts_with('.') || name == "target") else { continue };
        match about.is_dir() {
            true => folders.push(entry.path()),
            false => {
                state.insert(entry.path(), (about.modified().ok(), about.len()));
            }
        }
    }
}
