//! The value of a line while it is typed: found on a thread of its own, under small limits, and waited
//! for so briefly that typing never stalls. A line that came after another one replaces it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use lockgate_model::Limits;

use super::session::{Failed, Given, Session};
use crate::author::workbench::Workbench;

/// How long a key waits for a value.
pub const KEY_WAIT: Duration = Duration::from_millis(50);
/// How long a completion waits for field names.
pub const TAB_WAIT: Duration = Duration::from_millis(300);
/// Wall time of an evaluation that nobody asked for.
const WALL_MS_MAX: u64 = 50;
/// Its cost: a twentieth of a second on a slow machine.
const COST_MAX: u64 = 20_000_000;
/// Longer lines have no value while they are typed: compiling them takes too long.
const LINE_BYTES_MAX: usize = 4_096;

/// What the line is made with, and where its value goes.
struct Ask {
    text: String,
    answer: SyncSender<Result<Given, Failed>>,
}

/// The thread that looks at lines as they are typed.
pub struct Live {
    asks: Option<Sender<Ask>>,
}

impl Live {
    /// Starts it. Without a thread there are no values while one types, and nothing else is missing.
    pub fn start(session: Arc<Mutex<Session>>) -> Self {
        let (asks, lines) = channel();
        let started = thread::Builder::new().name("lockgate-live".into()).spawn(move || look(&session, &lines));
        Self { asks: started.ok().map(|_| asks) }
    }

    /// What a line gives, if that is known in time.
    pub fn value(&self, text: &str, wait: Duration) -> Option<Result<Given, Failed>> {
        if text.len() > LINE_BYTES_MAX {
            return None;
        }
        let (answer, given) = sync_channel(1);
        self.asks.as_ref()?.send(Ask { text: text.to_owned(), answer }).ok()?;
        given.recv_timeout(wait).ok()
    }
}

fn look(session: &Mutex<Session>, lines: &Receiver<Ask>) {
    let Ok(bench) = Workbench::new() else { return };
    let limits = Limits { wall_ms_max: WALL_MS_MAX, cost_max: COST_MAX, ..bench.limits };
    while let Ok(mut ask) = lines.recv() {
        while let Ok(newer) = lines.try_recv() {
            ask = newer;
        }
        // The lock is held while the input is copied, not while the line runs.
        let ready = session.lock().unwrap_or_else(PoisonError::into_inner).ready(&ask.text, &bench.limits);
        let given = ready.and_then(|ready| ready.run(&bench, limits, std::future::pending()));
        // Who asked may have stopped waiting.
        let _ = ask.answer.try_send(given);
    }
}
