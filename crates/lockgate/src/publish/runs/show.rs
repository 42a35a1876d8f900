//! `lockgate runs show RUN --env E`: one run in detail.

use clap::Args;
use lockgate_model::{RunId, RunRecord, run::TaskTime};

use super::{base, read, took};
use crate::{client::Client, exit::Exit, output::Output};

/// Characters of the picture of a run's time.
const PICTURE: u64 = 40;

/// Arguments of `runs show`.
#[derive(Args)]
pub struct Show {
    /// The run.
    run: RunId,
    /// The environment.
    #[arg(long = "env")]
    environment: String,
}

impl Show {
    pub(super) fn run(self, output: &Output) -> Result<(), Exit> {
        let value = Client::from_context()?.get(&format!("{}/{}", base(&self.environment), self.run))?;
        let record = read(&value)?;
        output.result(&value, || detail(&record));
        Ok(())
    }
}

fn detail(record: &RunRecord) -> String {
    let mut text = format!(
        "run        {}\ntarget     {}/{}/{} version {}\nby         {} over {}\ndecided    {}\nstarted    {}\nphase      {}\nms         {}\ncost       {}\n",
        record.id,
        record.target.environment,
        record.target.kind.as_str(),
        record.target.name,
        record.version,
        record.principal,
        record.trigger.as_str(),
        record.decision,
        record.started,
        record.phase.as_str(),
        took(record),
        record.cost,
    );
    if let Some(restarts) = &record.restarts {
        text.push_str(&format!("restarts   {restarts}\n"));
    }
    if let Some(occurrence) = &record.occurrence {
        text.push_str(&format!("occurrence {occurrence}\n"));
    }
    if let Some(module) = &record.module {
        text.push_str(&format!("module     {module}\n"));
    }
    if let Some(error) = &record.error {
        text.push_str(&format!(
            "error      {} {} at {}, status {}\n",
            error.kind, error.code, error.task, error.status
        ));
    }
    for (account, bytes) in &record.bytes {
        text.push_str(&format!(
            "account    {account}: {} calls, {} bytes read, {} written\n",
            bytes.calls, bytes.read, bytes.written
        ));
    }
    text.push_str(&picture(&record.tasks));
    text
}

/// Each task where it was in the run's time: one line a task, the run from left to right.
fn picture(tasks: &[TaskTime]) -> String {
    let whole = tasks.iter().map(|t| span(t).1).max().unwrap_or(0).max(1);
    let widest = tasks.iter().map(|t| t.task.chars().count()).max().unwrap_or(0);
    let place = |us: u64| us.saturating_mul(PICTURE) / whole;
    let mut text = String::new();
    for task in tasks {
        let (first, last) = span(task);
        let from = place(first).min(PICTURE - 1);
        let to = place(last).clamp(from + 1, PICTURE);
        let bar: String = (0..PICTURE).map(|at| if (from..to).contains(&at) { '#' } else { '.' }).collect();
        let ms = task.wall_us as f64 / 1_000.0;
        text.push_str(&format!("task       {:widest$}  {bar}  {ms:>9.3} ms  {}x\n", task.task, task.entered));
    }
    text
}

/// When a task was entered first and left last. Records of older versions have only how long.
fn span(task: &TaskTime) -> (u64, u64) {
    if task.last_us == 0 { (0, task.wall_us) } else { (task.first_us, task.last_us) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_each_task_where_it_was() {
        let task = |task: &str, first_us, last_us, wall_us| TaskTime {
            task: task.to_owned(),
            entered: 1,
            wall_us,
            first_us,
            last_us,
        };
        let drawn = picture(&[
            task("/do/0/map", 0, 10, 10),
            task("/do/1/send", 10, 1_000, 990),
            task("/do/2", 999, 1_000, 1),
            task("/old", 0, 0, 500),
        ]);
        let bars: Vec<&str> = drawn.lines().map(|l| l.split_whitespace().nth(2).unwrap()).collect();
        assert_eq!(bars[0], format!("#{}", ".".repeat(39)));
        assert_eq!(bars[1], "#".repeat(40));
        assert_eq!(bars[2], format!("{}#", ".".repeat(39)));
        assert_eq!(bars[3], format!("{}{}", "#".repeat(20), ".".repeat(20)));
        assert_eq!(picture(&[]), "");
        assert!(picture(&[task("/x", 0, 0, 0)]).contains('#'), "no time at all is drawn too");
    }
}
