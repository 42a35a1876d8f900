//! What a tenant is to be, as files say: things by kind and id, each with its body.
//!
//! A file has a member for each kind (`users`, `profiles`, …) with the bodies by id, or `items` of kind, id and body;
//! an item without body is to be gone. Bodies are read as the server reads them, so that a mistake is told with its
//! place, all mistakes at once, before anything is asked of a server.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use lockgate_model::{
    Diagnostic, Diagnostics, Span, TargetKind,
    definition::{Acl, Assignment, Environment, Group, Profile, ProjectPermission, ServerIdentity, User},
    id::{AccountName, AclId, EnvironmentId, GroupId, ProfileId, ProjectId, TargetName, UserId},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use crate::exit::Exit;

/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 16 << 20;

macro_rules! kinds {
    ($($kind:ident: $member:ident = $plural:literal, $singular:literal;)*) => {
        /// A kind of thing. The order is that in which they are made: what names others comes behind them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $($kind,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];
            /// The member of a file.
            pub fn plural(self) -> &'static str { match self { $(Self::$kind => $plural,)* } }
            /// One of them.
            pub fn singular(self) -> &'static str { match self { $(Self::$kind => $singular,)* } }
        }

        /// A file.
        #[derive(Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Sheet {
            $(#[serde(rename = $plural)] $member: Option<BTreeMap<String, Spanned<Value>>>,)*
            items: Vec<Spanned<Item>>,
        }

        impl Default for Sheet {
            fn default() -> Self { Self { $($member: None,)* items: Vec::new() } }
        }

        impl Sheet {
            fn members(self) -> (Vec<(Kind, BTreeMap<String, Spanned<Value>>)>, Vec<Spanned<Item>>) {
                let members = [$((Kind::$kind, self.$member),)*];
                let named = members.into_iter().filter_map(|(kind, bodies)| Some((kind, bodies?)));
                (named.collect(), self.items)
            }
        }
    };
}

kinds! {
    Environment: environments = "environments", "environment";
    Profile: profiles = "profiles", "profile";
    Group: groups = "groups", "group";
    User: users = "users", "user";
    Acl: acls = "acls", "acl";
    ProjectPermission: project_permissions = "project-permissions", "project-permission";
    Assignment: assignments = "assignments", "assignment";
    Account: accounts = "accounts", "account";
    Schedule: schedules = "schedules", "schedule";
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    kind: Kind,
    id: String,
    /// One that is there and empty is a hole, not a wish to delete.
    #[serde(default, deserialize_with = "there")]
    body: Option<Value>,
}

fn there<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// An account without its secrets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    connector: String,
    address: String,
    identity: ServerIdentity,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// What of a schedule people decide.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    paused: bool,
}

/// What a thing is known by.
pub type Thing = (Kind, String);

/// What files say.
#[derive(Debug, Default)]
pub struct Declared {
    /// Things and their bodies in canonical form; without one it is to be gone.
    pub things: BTreeMap<Thing, Option<Value>>,
    /// Kinds that the files name.
    pub kinds: BTreeSet<Kind>,
}

/// The body of a kind in canonical form, or what is wrong with it; its id is looked at as well.
pub fn canonical(kind: Kind, id: &str, body: &Value) -> Result<Value, String> {
    fn of<T: Serialize + DeserializeOwned>(body: &Value) -> Result<Value, String> {
        let typed = T::deserialize(body).map_err(|error| error.to_string())?;
        serde_json::to_value(typed).map_err(|error| error.to_string())
    }
    let parts: Vec<&str> = id.split('/').collect();
    let check = |right: bool, form: &str| if right { Ok(()) } else { Err(format!("`{id}` is no id: it is {form}")) };
    match (kind, parts.as_slice()) {
        (Kind::Environment, _) => check(EnvironmentId::parse(id).is_ok(), "an environment")?,
        (Kind::Profile, _) => check(ProfileId::parse(id).is_ok(), "a profile")?,
        (Kind::Group, _) => check(GroupId::parse(id).is_ok(), "a group")?,
        (Kind::User, _) => check(UserId::parse(id).is_ok(), "a user")?,
        (Kind::Acl, _) => check(AclId::parse(id).is_ok(), "an ACL")?,
        (Kind::ProjectPermission, [project, name]) => {
            check(ProjectId::parse(project).is_ok() && ProfileId::parse(name).is_ok(), "`project/name`")?;
        }
        (Kind::Assignment, [environment, target, name]) => {
            let target = TargetKind::deserialize(Value::from(*target)).is_ok();
            let right = target && EnvironmentId::parse(environment).is_ok() && TargetName::parse(name).is_ok();
            check(right, "`environment/kind/name`, with the kind integrations, rest-apis or soap-apis")?;
        }
        (Kind::Account, [environment, name]) => {
            check(
                EnvironmentId::parse(environment).is_ok() && AccountName::parse(name).is_ok(),
                "`environment/account`",
            )?;
        }
        (Kind::Schedule, [environment, name]) => {
            let right = EnvironmentId::parse(environment).is_ok() && TargetName::parse(name).is_ok();
            check(right, "`environment/orchestration`")?;
        }
        (Kind::ProjectPermission, _) => check(false, "`project/name`")?,
        (Kind::Assignment, _) => check(false, "`environment/kind/name`")?,
        (Kind::Account, _) => check(false, "`environment/account`")?,
        (Kind::Schedule, _) => check(false, "`environment/orchestration`")?,
    }
    match kind {
        Kind::Environment => of::<Environment>(body),
        Kind::Profile => of::<Profile>(body),
        Kind::Group => of::<Group>(body),
        Kind::User => of::<User>(body),
        Kind::Acl => of::<Acl>(body),
        Kind::ProjectPermission => of::<ProjectPermission>(body),
        Kind::Assignment => of::<Assignment>(body),
        Kind::Account => of::<Account>(body),
        Kind::Schedule => of::<Schedule>(body),
    }
}

/// The files of a folder (`.yaml`, `.yml` and `.json`, in the order of their names) or one file, by their names.
pub fn files(path: &Path) -> Result<BTreeMap<String, String>, Exit> {
    let cannot =
        |path: &Path, why: &dyn std::fmt::Display| Exit::Usage(format!("cannot read `{}`: {why}", path.display()));
    let mut named = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(|e| cannot(path, &e))? {
            let file = entry.map_err(|e| cannot(path, &e))?.path();
            if is_known(&file) && file.is_file() {
                named.push(file);
            }
        }
        if named.is_empty() {
            return Err(cannot(path, &"there is no .yaml or .json file in it"));
        }
    } else {
        named.push(path.to_owned());
    }
    let mut read = BTreeMap::new();
    for file in named {
        if file.metadata().is_ok_and(|about| about.len() > FILE_BYTES_MAX) {
            return Err(cannot(&file, &format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20)));
        }
        let text = std::fs::read_to_string(&file).map_err(|e| cannot(&file, &e))?;
        read.insert(file.display().to_string(), text);
    }
    Ok(read)
}

/// Refuses a folder in which something is not read: what stands there would be taken for nothing.
pub fn all_read(path: &Path) -> Result<(), Exit> {
    let Ok(entries) = std::fs::read_dir(path) else { return Ok(()) };
    for entry in entries.flatten() {
        let file = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let is_read = is_known(&file) && file.is_file();
        if !hidden && !is_read {
            let text =
                "`--prune` deletes what no file says, and this is not read: move it elsewhere, or name it `.yaml`";
            return Err(Exit::Usage(format!("{text}: `{}`", file.display())));
        }
    }
    Ok(())
}

fn is_known(file: &Path) -> bool {
    file.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
}

impl Declared {
    /// What files say together; or everything that is wrong with them.
    pub fn read(files: &BTreeMap<String, String>) -> Result<Self, Diagnostics> {
        let (mut all, mut problems) = (Self::default(), Diagnostics::default());
        let mut said: BTreeMap<Thing, &str> = BTreeMap::new();
        for (file, text) in files {
            let mut add = |thing: Thing, body: Option<&Value>, at: &Location| {
                let (kind, id) = (thing.0, thing.1.as_str());
                let mut wrong = |message: String| {
                    problems.0.push(Diagnostic::new("LG-DECLARED", span(text, at), message).file(file));
                };
                if let Some(other) = said.insert(thing.clone(), file) {
                    return wrong(format!("{} `{id}` is said twice; it stands in `{other}` as well", kind.singular()));
                }
                match body.map(|body| canonical(kind, id, body)).transpose() {
                    Ok(body) => {
                        all.kinds.insert(kind);
                        all.things.insert(thing, body);
                    }
                    Err(reason) => wrong(format!("{} `{id}`: {reason}", kind.singular())),
                }
            };
            // A file's length bounds what it holds.
            let options = serde_saphyr::options! {
                budget: serde_saphyr::budget! { max_nodes: text.len(), max_events: text.len().saturating_mul(2) },
            };
            let sheet: Option<Sheet> = match serde_saphyr::from_str_with_options(text, options) {
                Ok(sheet) => sheet,
                Err(error) => {
                    let at = error.location().unwrap_or(Location::UNKNOWN);
                    let told = error.without_snippet().to_string();
                    let told = told.lines().next().unwrap_or_default();
                    problems.0.push(Diagnostic::new("LG-YAML", span(text, &at), told).file(file));
                    continue;
                }
            };
            let (members, items) = sheet.unwrap_or_default().members();
            let mut named = Vec::new();
            for (kind, bodies) in members {
                named.push(kind);
                for (id, body) in bodies {
                    add((kind, id), Some(&body.value), &body.referenced);
                }
            }
            for item in items {
                add((item.value.kind, item.value.id), item.value.body.as_ref(), &item.referenced);
            }
            all.kinds.extend(named);
        }
        if problems.0.is_empty() { Ok(all) } else { Err(problems) }
    }
}

/// The place of a location, up to the end of its line.
fn span(text: &str, at: &Location) -> Span {
    let line = usize::try_from(at.line()).unwrap_or_default().saturating_sub(1);
    let column = usize::try_from(at.column()).unwrap_or_default().saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default().lines().next().unwrap_or_default();
    let start = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    Span::new(before + start, before + rest.len())
}
