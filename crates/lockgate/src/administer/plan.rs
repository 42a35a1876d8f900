//! What differs between what is declared and what stands, as steps in the order that they can be taken in. Pure.

use std::collections::BTreeSet;

use lockgate_runtime::shipped_profiles;
use serde_json::{Value, json};

use crate::administer::{
    declared::{Declared, Kind, Thing},
    places,
    standing::Standing,
};

/// The list that every tenant has.
const DEFAULT_ACL: &str = "default";

/// What is to become of a thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It is not there yet.
    Create(Value),
    /// It is otherwise: in these members.
    Update(Value, Vec<String>),
    /// It is there and is not to be, nor are the secrets of these fields, which no file has.
    Delete(Vec<String>),
}

/// Why a step is not taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Hindrance {
    /// The secrets of an account are for the endpoint they were given for, and no file has them: these.
    Secrets(Vec<String>),
    /// What it is about is not there yet: this. It is left for later.
    Later(String),
}

impl Hindrance {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Secrets(fields) => format!(
                "it has secrets, which files do not hold ({}): change it with `lockgate account set`",
                fields.join(", ")
            ),
            Self::Later(what) => format!("left for later: {what}"),
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Of what.
    pub thing: Thing,
    /// What.
    pub change: Change,
    /// The revision that it was planned on.
    pub revision: Option<u64>,
    /// What an earlier step makes of the thing, in the place of that.
    pub left: Option<Value>,
    /// It cannot be taken.
    pub hindrance: Option<Hindrance>,
}

impl Step {
    /// `+ user ben`, `~ acl staff (profiles)`, `- group crew`.
    pub fn line(&self) -> String {
        let (kind, id) = &self.thing;
        let line = match &self.change {
            Change::Create(_) => format!("+ {} {id}", kind.singular()),
            Change::Update(_, fields) => format!("~ {} {id} ({})", kind.singular(), fields.join(", ")),
            Change::Delete(secrets) if secrets.is_empty() => format!("- {} {id}", kind.singular()),
            Change::Delete(secrets) => {
                format!("- {} {id} (and its secrets, which files do not hold: {})", kind.singular(), secrets.join(", "))
            }
        };
        match &self.hindrance {
            Some(hindrance) => format!("{line}  ! {}", hindrance.text()),
            None => line,
        }
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let (kind, id) = (self.thing.0.singular(), &self.thing.1);
        let mut told = match &self.change {
            Change::Create(_) => json!({"do": "create", "kind": kind, "id": id}),
            Change::Update(_, fields) => json!({"do": "change", "kind": kind, "id": id, "fields": fields}),
            Change::Delete(secrets) if secrets.is_empty() => json!({"do": "delete", "kind": kind, "id": id}),
            Change::Delete(secrets) => json!({"do": "delete", "kind": kind, "id": id, "secrets": secrets}),
        };
        if let (Some(hindrance), Some(members)) = (&self.hindrance, told.as_object_mut()) {
            let member = match hindrance {
                Hindrance::Secrets(_) => "hindered",
                Hindrance::Later(_) => "later",
            };
            members.insert(member.to_owned(), hindrance.text().into());
        }
        told
    }

    /// As an item of a batch, which the server judges; none of what no batch has.
    pub fn item(&self) -> Option<Value> {
        let (kind, id) = (&self.thing.0, &self.thing.1);
        if *kind == Kind::Schedule || self.hindrance.is_some() {
            return None;
        }
        Some(match &self.change {
            Change::Create(body) | Change::Update(body, _) => json!({"kind": kind.singular(), "id": id, "body": body}),
            Change::Delete(_) => json!({"kind": kind.singular(), "id": id}),
        })
    }
}

/// What a plan is made by, besides what is declared and what stands.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// What the files do not say goes too, of the kinds that they name.
    pub prune: bool,
    /// Who asks, who never goes.
    pub oneself: &'a str,
    /// The projects that there are, where that is known.
    pub projects: Option<&'a BTreeSet<String>>,
}

/// All steps from what stands to what is declared, also those that cannot be taken. A schedule never goes but with
/// its deployment.
pub fn plan(declared: &Declared, standing: &Standing, by: By<'_>) -> Vec<Step> {
    let (mut steps, mut gone) = (Vec::new(), Vec::new());
    for (thing, wanted) in &declared.things {
        let stands = standing.get(thing);
        let revision = stands.and_then(|stands| stands.revision);
        let step = |change, hindrance| Step { thing: thing.clone(), change, revision, left: None, hindrance };
        match (wanted, stands) {
            (Some(wanted), Some(stands)) if *wanted == stands.body => {}
            (Some(wanted), Some(stands)) => {
                let change = Change::Update(wanted.clone(), differing(&stands.body, wanted));
                let keeps = thing.0 == Kind::Account && !stands.secrets.is_empty();
                steps.push(step(change, keeps.then(|| Hindrance::Secrets(stands.secrets.clone()))));
            }
            // What is not deployed is not paused, and so it is not to be resumed.
            (Some(wanted), None) if thing.0 == Kind::Schedule => {
                if wanted.get("paused") == Some(&Value::Bool(true)) {
                    let change = Change::Update(wanted.clone(), vec!["paused".to_owned()]);
                    let later = Hindrance::Later("nothing of that name is deployed there".to_owned());
                    steps.push(step(change, Some(later)));
                }
            }
            (Some(wanted), None) => {
                let later = later(thing, by.projects);
                steps.push(step(Change::Create(wanted.clone()), later));
            }
            (None, Some(stands)) if thing.0 != Kind::Schedule => {
                gone.push(step(Change::Delete(stands.secrets.clone()), None));
            }
            (None, _) => {}
        }
    }
    let pruned = standing.iter().filter(|(thing, _)| {
        by.prune
            && declared.kinds.contains(&thing.0)
            && !declared.things.contains_key(*thing)
            && thing.0 != Kind::Schedule
            && !(thing.0 == Kind::User && thing.1 == by.oneself)
            && !stays(thing)
    });
    gone.extend(pruned.map(|(thing, stands)| Step {
        thing: thing.clone(),
        change: Change::Delete(stands.secrets.clone()),
        revision: stands.revision,
        left: None,
        hindrance: None,
    }));
    // What names others goes before them.
    gone.sort_by(|a, b| b.thing.cmp(&a.thing));
    steps.extend(gone);
    places::clear(steps, standing)
}

/// A project comes by its first version, and what is given of it after that.
fn later((kind, id): &Thing, projects: Option<&BTreeSet<String>>) -> Option<Hindrance> {
    let project = id.split('/').next().filter(|_| *kind == Kind::ProjectPermission)?;
    let there = projects.is_none_or(|projects| projects.contains(project));
    (!there).then(|| Hindrance::Later(format!("there is no project `{project}` yet")))
}

/// What ships and cannot be deleted: nobody has to repeat it.
fn stays((kind, id): &Thing) -> bool {
    match kind {
        Kind::Profile => shipped_profiles().iter().any(|(shipped, _)| shipped.as_str() == id),
        Kind::Acl => id == DEFAULT_ACL,
        _ => false,
    }
}

/// Names of the members that differ.
fn differing(a: &Value, b: &Value) -> Vec<String> {
    let names =
        |value: &Value| value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let mut all = [names(a), names(b)].concat();
    all.sort();
    all.dedup();
    all.retain(|name| a.get(name) != b.get(name));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::administer::standing::Stands;

    const FILE: &str = "\
groups:
  crew: { profiles: [caller] }
  team: {}
users:
  ben: { kind: native, groups: [crew] }
accounts:
  live/erp: { connector: https, address: 'https://erp.example.com', identity: system }
schedules:
  live/order: { paused: false }
items:
  - { kind: user, id: eve }
";

    fn declared(text: &str) -> Declared {
        Declared::read(&BTreeMap::from([("a.yaml".to_owned(), text.to_owned())])).unwrap()
    }

    /// What the file says, as it would stand.
    fn standing(text: &str) -> Standing {
        let things = declared(text).things.into_iter().filter_map(|(thing, body)| Some((thing, body?)));
        let stands = |body| Stands { body, revision: Some(7), secrets: Vec::new() };
        things.map(|(thing, body)| (thing, stands(body))).collect()
    }

    fn lines(text: &str, standing: &Standing, prune: bool) -> Vec<String> {
        let projects = ["shop".to_owned()].into();
        let by = By { prune, oneself: "ada", projects: Some(&projects) };
        plan(&declared(text), standing, by).iter().map(Step::line).collect()
    }

    #[test]
    fn what_stands_as_declared_has_no_steps() {
        let all = standing(FILE);
        assert!(lines(FILE, &all, true).is_empty());
        // What the server tells with its defaults is what a file says without them.
        assert!(all.values().all(|stands| stands.body.is_object()));
    }

    #[test]
    fn steps_come_in_the_order_that_they_can_be_taken_in() {
        let made = lines(FILE, &Standing::new(), false);
        assert_eq!(made, ["+ group crew", "+ group team", "+ user ben", "+ account live/erp"]);
        let other = "groups:\n  crew: { title: Crew }\nusers:\n  eve: { kind: native }\n";
        let changed = lines(FILE, &standing(other), false);
        assert_eq!(
            changed,
            ["~ group crew (profiles, title)", "+ group team", "+ user ben", "+ account live/erp", "- user eve"]
        );
    }

    #[test]
    fn only_prune_takes_away_what_no_file_says_and_of_kinds_that_are_named() {
        let stands = "groups:\n  old: {}\nusers:\n  ada: { kind: native }\n  old: { kind: native }\nacls:\n  old: { title: '', profiles: [] }\n";
        let stands = standing(stands);
        assert!(lines("users: {}\n", &stands, false).is_empty());
        assert_eq!(lines("users: {}\ngroups: {}\n", &stands, true), ["- user old", "- group old"], "ada is who asks");
        // What ships stays, and need not be said.
        let shipped = "profiles:\n  administrator: { title: '', permissions: [], valid_in: all }\nacls:\n  default: { title: '', profiles: [] }\n";
        assert!(lines("profiles: {}\nacls: {}\n", &standing(shipped), true).is_empty());
        let schedules = standing("schedules:\n  live/order: { paused: true }\n");
        assert!(lines("schedules: {}\n", &schedules, true).is_empty());
        assert_eq!(
            lines("schedules:\n  live/order: { paused: false }\n", &schedules, true),
            ["~ schedule live/order (paused)"]
        );
    }

    #[test]
    fn what_cannot_be_taken_is_in_the_plan_with_why() {
        let mut stands = standing(FILE);
        let moved = format!("{}  ben2: {{}}\n", FILE.replace("erp.example.com", "new.example.com"));
        let moved = moved.replace("  ben2: {}\n", "  - { kind: group, id: late, body: {} }\n");
        assert_eq!(lines(&moved, &stands, false), ["+ group late", "~ account live/erp (address)"]);
        for stands in stands.values_mut() {
            stands.secrets = vec!["password".to_owned()];
        }
        assert!(lines(FILE, &stands, false).is_empty());
        let kept = "~ account live/erp (address)  ! it has secrets, which files do not hold (password): change it with \
            `lockgate account set`";
        assert_eq!(lines(&moved, &stands, false), ["+ group late", kept]);
        let paused = "schedules:\n  live/other: { paused: true }\n  live/more: { paused: false }\n";
        let later = "~ schedule live/other (paused)  ! left for later: nothing of that name is deployed there";
        assert_eq!(lines(paused, &stands, false), [later]);
        let given =
            "project-permissions:\n  shop/developer: { permissions: [] }\n  stall/developer: { permissions: [] }\n";
        let later = "+ project-permission stall/developer  ! left for later: there is no project `stall` yet";
        assert_eq!(lines(given, &stands, false), ["+ project-permission shop/developer", later]);
        // The server is not asked of it.
        let by = By { prune: false, oneself: "ada", projects: Some(&BTreeSet::new()) };
        let steps = plan(&declared(given), &stands, by);
        assert!(steps.iter().all(|step| step.item().is_none() && step.json()["later"].is_string()));
    }

    #[test]
    fn a_plan_tells_of_secrets_that_go() {
        let mut stands = standing(FILE);
        stands.retain(|(kind, _), _| *kind == Kind::Account);
        for stands in stands.values_mut() {
            stands.secrets = vec!["password".to_owned()];
        }
        let told = "- account live/erp (and its secrets, which files do not hold: password)";
        assert_eq!(lines("accounts: {}\n", &stands, true), [told]);
        let by = By { prune: true, oneself: "ada", projects: None };
        let steps = plan(&declared("accounts: {}\n"), &stands, by);
        assert_eq!(steps[0].json()["secrets"], json!(["password"]));
    }

    #[test]
    fn a_file_of_many_users_is_read() {
        let users: String = (0..30_000).map(|n| format!("  u{n}: {{ kind: native, profiles: [caller] }}\n")).collect();
        assert_eq!(declared(&format!("users:\n{users}")).things.len(), 30_000);
    }

    #[test]
    fn mistakes_of_all_files_are_told_with_their_places() {
        let files = BTreeMap::from([
            (
                "a.yaml".to_owned(),
                "users:\n  ben: { kind: native, profile: [x] }\n  Ben: { kind: native }\n".to_owned(),
            ),
            ("b.yaml".to_owned(), "users:\n  ben: { kind: native }\n".to_owned()),
            ("c.yaml".to_owned(), "user:\n  eve: { kind: native }\n".to_owned()),
            ("d.yaml".to_owned(), "groups:\n  crew: {\n".to_owned()),
            ("e.yaml".to_owned(), "items:\n  - { kind: assignment, id: live/order, body: { acl: x } }\n".to_owned()),
        ]);
        let problems = Declared::read(&files).unwrap_err();
        let told: Vec<_> = problems
            .0
            .iter()
            .map(|problem| {
                let (line, column) = problem.line_column(&files[&problem.file]);
                format!("{}:{line}:{column} {}", problem.file, problem.message)
            })
            .collect();
        let all = told.join("\n");
        for part in [
            "a.yaml:2:8 user `ben`: unknown field `profile`",
            "a.yaml:3:8 user `Ben`: `Ben` is no id",
            "b.yaml:2:8 user `ben` is said twice; it stands in `a.yaml` as well",
            "c.yaml:1:1 ",
            "d.yaml:",
            "e.yaml:2:5 assignment `live/order`: `live/order` is no id: it is `environment/kind/name`",
        ] {
            assert!(all.contains(part), "no `{part}` in\n{all}");
        }
        assert_eq!(told.len(), 6, "{all}");
        assert!(problems.0[0].render(&files["a.yaml"]).contains("^^^"));
    }
}
