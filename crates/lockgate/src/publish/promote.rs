//! `lockgate promote PROJECT FROM TO` and `lockgate rollback PROJECT ENVIRONMENT`: the same bytes
//! elsewhere, or those of before.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
    publish::deploy,
};

/// Arguments of `promote`.
#[derive(Args)]
pub struct Promote {
    /// The project.
    project: String,
    /// The environment it is active in.
    from: String,
    /// The environment it goes to.
    to: String,
    /// Show what would change, and whether it would be allowed; nothing happens.
    #[arg(long)]
    dry_run: bool,
    /// ACL that says who may run its orchestrations there, for those that have none yet.
    #[arg(long)]
    acl: Option<String>,
    /// User or service account as whom its schedules run there; you when absent. Needs access-control.
    #[arg(long)]
    run_as: Option<String>,
}

impl Promote {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        let (project, from, to) = (segment(&self.project), segment(&self.from), segment(&self.to));
        let path = format!("environments/{to}/deployments/{project}/from/{from}");
        if self.dry_run {
            let named = [("acl", &self.acl), ("run_as", &self.run_as)];
            let named = named.iter().filter_map(|(key, named)| Some(format!("{key}={}", segment(named.as_ref()?))));
            let plan = client.get(&format!("{path}?{}", named.collect::<Vec<_>>().join("&")))?;
            output.result(&plan, || picture(&plan));
            return if list(&plan, "refusals").next().is_none() { Ok(()) } else { Err(Exit::Told) };
        }
        let answer = client.post(&path, &json!({"acl": self.acl, "run_as": self.run_as}))?;
        output.result(&answer, || deploy::told(&answer));
        Ok(())
    }
}

/// Arguments of `rollback`.
#[derive(Args)]
pub struct Rollback {
    /// The project.
    project: String,
    /// The environment.
    environment: String,
    /// The version, one that was active there; the one before when absent. Each rollback goes further
    /// back.
    #[arg(long, value_name = "VERSION")]
    to: Option<u64>,
    /// User or service account as whom its schedules run; absent, whom the active deployment names, if
    /// you hold access-control, else you.
    #[arg(long)]
    run_as: Option<String>,
}

impl Rollback {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let path =
            format!("environments/{}/deployments/{}/rollback", segment(&self.environment), segment(&self.project));
        let answer = Client::from_context()?.post(&path, &json!({"to": self.to, "run_as": self.run_as}))?;
        output.result(&answer, || deploy::told(&answer));
        Ok(())
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or("-")
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A promotion as people read it: `=` stays, `~` differs, `+` and `-` come and go, `!` is in the way.
fn picture(plan: &Value) -> String {
    let (from, to) = (text(plan, "from"), text(plan, "to"));
    let number = |name: &str| plan.get(name).and_then(Value::as_u64);
    let replaces = number("replaces").map_or_else(|| "nothing".to_owned(), |version| format!("version {version}"));
    let mut shown = format!(
        "{}: version {} of `{from}` replaces {replaces} in `{to}`\n\nartefacts (the same bytes)\n",
        text(plan, "project"),
        number("version").unwrap_or_default()
    );
    for one in list(plan, "orchestrations") {
        let (module, old) = (text(one, "module"), text(one, "replaces"));
        let mark = if module == old { '=' } else { '~' };
        shown.push_str(&format!("  {mark} {}  {module}\n", text(one, "name")));
    }
    shown.push_str("accounts\n");
    for one in list(plan, "accounts") {
        let side = |name: &str| match one.get(name).filter(|bound| !bound.is_null()) {
            Some(bound) => format!("{} ({})", text(bound, "address"), text(bound, "identity")),
            None => "not bound".to_owned(),
        };
        let (here, there) = (side("from"), side("to"));
        let mark = match one.get("to").is_none_or(Value::is_null) {
            true => '!',
            false if here == there => '=',
            false => '~',
        };
        shown.push_str(&format!("  {mark} {}  {here} -> {there}\n", text(one, "account")));
    }
    shown.push_str("who may run it\n");
    for one in list(plan, "orchestrations") {
        let new = || format!("{} (new)", plan.get("acl").and_then(Value::as_str).unwrap_or("default"));
        let there = one.get("acl_to").and_then(Value::as_str).map_or_else(new, str::to_owned);
        let here = text(one, "acl_from");
        let mark = if here == there { '=' } else { '~' };
        shown.push_str(&format!("  {mark} {}  ACL {here} -> ACL {there}\n", text(one, "name")));
    }
    let by_itself: Vec<&Value> =
        list(plan, "orchestrations").filter(|one| one.get("schedule").is_some_and(Value::is_string)).collect();
    if !by_itself.is_empty() {
        shown.push_str("what runs by itself\n");
    }
    for one in by_itself {
        let (name, schedule, by) = (text(one, "name"), text(one, "schedule"), text(one, "runs_as"));
        shown.push_str(&format!("  {name}  {schedule}  as {by}\n"));
    }
    shown.push_str("authority\n");
    for (mark, name) in [('+', "gains"), ('-', "loses")] {
        for one in list(plan, name) {
            let account = one.get("account").and_then(|a| a.get("declared").or(a.get("origin")));
            let detail = list(one, "detail").filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
            let operation = format!("{}.{}", text(one, "connector"), text(one, "operation"));
            let account = account.and_then(Value::as_str).unwrap_or("-");
            shown.push_str(format!("  {mark} {operation} with {account} {detail}").trim_end());
            shown.push('\n');
        }
    }
    if list(plan, "gains").chain(list(plan, "loses")).next().is_none() {
        shown.push_str("  = nothing changes\n");
    }
    shown.push('\n');
    for reason in list(plan, "refusals").filter_map(Value::as_str) {
        shown.push_str(&format!("! it would be refused: {reason}\n"));
    }
    if list(plan, "refusals").next().is_none() {
        shown.push_str("it would be done\n");
    }
    shown
}
