//! `lockgate apply -f PATH`: makes a tenant what files say. First it shows what differs; then it takes the steps.
//!
//! Nothing is changed before all files can be read, and before the server has judged the definitions together. Each step is taken
//! on the revision that the plan was made on, so that what others change in between is told and not written over.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use http::{HeaderValue, header};
use serde_json::{Value, json};

use crate::{
    administer::{
        declared::{Declared, Kind, all_read, canonical, files},
        plan::{By, Change, Hindrance, Step, plan},
        standing::{self, path},
    },
    client::Client,
    exit::Exit,
    output::Output,
};

/// What a server says to a body that is longer than it reads.
const BODY_TOO_LARGE: &str = "LG-BODY-TOO-LARGE";
/// Bytes of a batch that a server reads.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Arguments of `apply`.
#[derive(Args)]
pub struct Apply {
    /// YAML or JSON file, or a folder of them; `-` reads standard input.
    #[arg(short = 'f', long = "file")]
    file: PathBuf,
    /// Show what differs and change nothing; ends with 2 when something does.
    #[arg(long)]
    plan: bool,
    /// Delete what the files do not say, of the kinds that they name.
    #[arg(long)]
    prune: bool,
    /// Do not ask at a terminal.
    #[arg(long)]
    yes: bool,
}

impl Apply {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let declared = declared(&self.file)?;
        if self.prune {
            all_read(&self.file)?;
        }
        let client = Client::from_context()?;
        let steps = steps(&client, &declared, self.prune)?;
        let told = json!(steps.iter().map(Step::json).collect::<Vec<_>>());
        let lines = || steps.iter().map(Step::line).collect::<Vec<_>>().join("\n");
        if self.plan || steps.is_empty() {
            let judged = judged(&client, &steps, output);
            output.result(&json!({"plan": told, "applied": 0}), || match steps.is_empty() {
                true => "everything is as the files say".to_owned(),
                false => lines(),
            });
            judged?;
            return if steps.is_empty() { Ok(()) } else { Err(Exit::Drift) };
        }
        hindered(&steps)?;
        judged(&client, &steps, output)?;
        if !output.is_json() {
            output.line(&lines());
        }
        let (later, steps): (Vec<&Step>, Vec<&Step>) = steps.iter().partition(|step| step.hindrance.is_some());
        let asks = !self.yes && !output.is_json() && !steps.is_empty() && std::io::stdin().is_terminal();
        if asks && !agreed(steps.len())? {
            return Err(Exit::failed("LG-APPLY", "nothing was changed"));
        }
        let bar = output.steps_bar(steps.len());
        for (done, step) in steps.iter().enumerate() {
            take(&client, step).map_err(|exit| told_at(exit, step, done))?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        output.result(&json!({"plan": told, "applied": steps.len()}), || {
            let made = match steps.len() {
                1 => "1 change was made".to_owned(),
                count => format!("{count} changes were made"),
            };
            if later.is_empty() { made } else { format!("{made}; left for later: {}", later.len()) }
        });
        Ok(())
    }
}

/// The steps to what is declared.
fn steps(client: &Client, declared: &Declared, prune: bool) -> Result<Vec<Step>, Exit> {
    let whoami = client.get("whoami")?;
    let oneself = whoami.get("user").and_then(Value::as_str).unwrap_or_default();
    let named = environments(declared);
    // An environment that goes takes along what is in it, of the kinds that the files name.
    let all = prune && declared.kinds.contains(&Kind::Environment);
    let standing = standing::read(client, &declared.kinds, (!all).then_some(&named))?;
    let of_projects = declared.things.keys().any(|(kind, _)| *kind == Kind::ProjectPermission);
    let projects = if of_projects { standing::projects(client)? } else { None };
    Ok(plan(declared, &standing, By { prune, oneself, projects: projects.as_ref() }))
}

/// Refuses all that no file can do, before anything is done.
fn hindered(steps: &[Step]) -> Result<(), Exit> {
    let hindered = steps.iter().filter(|step| matches!(step.hindrance, Some(Hindrance::Secrets(_))));
    let lines: Vec<String> = hindered.map(Step::line).collect();
    if lines.is_empty() {
        return Ok(());
    }
    Err(Exit::failed("LG-ACCOUNT-SECRETS", format!("nothing was changed:\n{}", lines.join("\n"))))
}

/// Of each kind that lies in environments, those that the files speak of: where they have something of the kind, and
/// all that they declare themselves.
fn environments(declared: &Declared) -> BTreeMap<Kind, BTreeSet<String>> {
    let own = declared.things.iter().filter(|((kind, _), _)| *kind == Kind::Environment);
    let own: BTreeSet<String> = own.map(|((_, id), _)| id.clone()).collect();
    let within = [Kind::Assignment, Kind::Account, Kind::Schedule];
    let mut named: BTreeMap<Kind, BTreeSet<String>> = within.map(|kind| (kind, own.clone())).into();
    for (kind, id) in declared.things.keys() {
        if let (Some(named), Some(environment)) = (named.get_mut(kind), id.split('/').next()) {
            named.insert(environment.to_owned());
        }
    }
    named
}

/// What files say, `-` for standard input; or all that is wrong with them.
fn declared(path: &Path) -> Result<Declared, Exit> {
    let files = match path.as_os_str() == "-" {
        true => [("-".to_owned(), std::io::read_to_string(std::io::stdin())?)].into(),
        false => files(path)?,
    };
    Declared::read(&files).map_err(|problems| Exit::problems(problems, |file| files.get(file)))
}

/// The steps that `apply` of a file would take, as a batch.
pub fn batch(client: &Client, path: &Path) -> Result<Value, Exit> {
    let items: Vec<Value> = steps(client, &declared(path)?, false)?.iter().filter_map(Step::item).collect();
    Ok(json!({ "items": items }))
}

fn agreed(count: usize) -> Result<bool, Exit> {
    write!(std::io::stderr(), "make these changes ({count})? [y/N] ")?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Refuses what the server would not do, seen together, before anything is done. More than it looks at in one request
/// is judged step by step, as the steps are taken.
fn judged(client: &Client, steps: &[Step], output: &Output) -> Result<(), Exit> {
    let items: Vec<Value> = steps.iter().filter_map(Step::item).collect();
    if items.is_empty() {
        return Ok(());
    }
    let batch = json!({ "items": items });
    let too_large = || {
        output.error_line(b"these are too many changes to be judged together: each is judged when its turn comes");
        Ok(())
    };
    // A server that refuses it closes the connection while it is still being sent, so that its answer may be lost.
    if batch.to_string().len() > BATCH_BYTES_MAX {
        return too_large();
    }
    match client.post("access/what-if", &batch) {
        Err(Exit::Failed { code, .. }) if code == BODY_TOO_LARGE => too_large(),
        other => other.map(drop),
    }
}

/// The tag of a thing that is as an earlier step left it.
fn tag_left(client: &Client, at: &str, kind: Kind, id: &str, left: &Value) -> Result<Option<HeaderValue>, Exit> {
    let (now, tag) = client.read(at)?;
    let body = canonical(kind, id, now.get("body").unwrap_or(&Value::Null));
    match body.is_ok_and(|body| body == *left) {
        true => Ok(tag),
        false => Err(Exit::failed("LG-STALE", "somebody changed it in between")),
    }
}

fn take(client: &Client, step: &Step) -> Result<Value, Exit> {
    let (kind, id) = (step.thing.0, step.thing.1.as_str());
    let at = path(kind, id);
    let tag = match &step.left {
        Some(left) => tag_left(client, &at, kind, id, left)?,
        None => step.revision.and_then(|revision| HeaderValue::try_from(format!("\"{revision}\"")).ok()),
    };
    match &step.change {
        Change::Update(body, _) if kind == Kind::Schedule => {
            let verb = if body.get("paused") == Some(&Value::Bool(true)) { "pause" } else { "resume" };
            client.post(&format!("{at}/{verb}"), &json!({}))
        }
        Change::Create(body) => client.create(&at, body),
        Change::Update(body, _) => match tag {
            Some(tag) => client.put_if(&at, body, (header::IF_MATCH, tag)),
            None => client.put(&at, body),
        },
        Change::Delete(_) => match tag {
            Some(tag) => client.delete_if(&at, (header::IF_MATCH, tag)),
            None => client.delete(&at),
        },
    }
}

/// At which step it failed, and that those before it were taken.
fn told_at(exit: Exit, step: &Step, done: usize) -> Exit {
    let before = match done {
        0 => "nothing was changed".to_owned(),
        count => format!("{count} of the changes were made before it; apply again"),
    };
    let (kind, id) = (step.thing.0.singular(), &step.thing.1);
    match exit {
        Exit::Failed { code, message, detail } => {
            Exit::Failed { code, message: format!("{kind} `{id}`: {message} ({before})"), detail }
        }
        Exit::Denied { code, message } => {
            Exit::Denied { code, message: format!("{kind} `{id}`: {message} ({before})") }
        }
        Exit::Unavailable(message) => {
            Exit::Unavailable(format!("{kind} `{id}`: {message} (it may have been changed; {before})"))
        }
        other => other,
    }
}
