//! `lockgate user …`: users and service accounts, what they are given, and their API keys.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    administer::{
        certificate::Certificate,
        edit::{Definition, joined, rows, text},
    },
    client::{Client, segment},
    context::Context,
    exit::Exit,
    output::Output,
};

/// Verbs of `user`.
#[derive(Subcommand)]
pub enum User {
    /// Create a user; prints the one-time token for the first login.
    Add(Add),
    /// Show all users.
    List,
    /// Give profiles or groups to a user.
    Grant(Given),
    /// Take profiles or groups from a user.
    Revoke(Given),
    /// Let a user in again.
    Enable(Name),
    /// Shut a user out: sessions, keys and what it deployed stop at once.
    Disable(Name),
    /// Let a user of single sign-on call APIs.
    AllowApi(Name),
    /// Make a new one-time token, for a forgotten password.
    Reset(Name),
    /// Ask for another password: the one that is set is good for a login that changes it, and for nothing else.
    ExpirePassword(Name),
    /// Take a second factor away, for who has lost it.
    TakeSecondFactor(Name),
    /// Delete a user with its credentials and keys.
    Rm(Name),
    /// API keys of a user.
    #[command(subcommand)]
    Key(Key),
    /// Client certificates of a user.
    #[command(subcommand)]
    Certificate(Certificate),
}

/// Arguments of `add`.
#[derive(Args)]
pub struct Add {
    /// The user id.
    name: String,
    /// A service account: a program, without password and console.
    #[arg(long)]
    service: bool,
    /// For people.
    #[arg(long, default_value = "")]
    title: String,
    /// Give this profile.
    #[arg(long = "profile")]
    profiles: Vec<String>,
    /// Put into this group.
    #[arg(long = "group")]
    groups: Vec<String>,
}

/// Profiles and groups of a user.
#[derive(Args)]
pub struct Given {
    /// The user id.
    name: String,
    /// A profile.
    #[arg(long = "profile", required_unless_present = "groups")]
    profiles: Vec<String>,
    /// A group.
    #[arg(long = "group")]
    groups: Vec<String>,
}

/// One user.
#[derive(Args)]
pub struct Name {
    /// The user id.
    name: String,
}

/// Verbs of `user key`.
#[derive(Subcommand)]
pub enum Key {
    /// Make a key; it is shown once.
    Add(AddKey),
    /// Show a user's keys.
    List(Name),
    /// End a key.
    Rm {
        /// Id of the key (the part between `lgk_` and the next `_`).
        key: String,
    },
}

/// Arguments of `key add`.
#[derive(Args)]
pub struct AddKey {
    /// The user id.
    name: String,
    /// Good for this environment alone.
    #[arg(long = "env")]
    environment: Option<String>,
    /// Good for calling this orchestration or API, and for nothing else; may stand several times.
    #[arg(long = "target")]
    targets: Vec<String>,
    /// A client's: its id and secret get access tokens (OAuth 2.0 client credentials), and do nothing else.
    #[arg(long)]
    client: bool,
    /// Days until it ends.
    #[arg(long)]
    days: Option<i64>,
    /// For people.
    #[arg(long, default_value = "")]
    title: String,
}

impl User {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        match self {
            Self::Add(add) => add.run(&client, output),
            Self::List => {
                let value = client.list("users")?;
                let shown = rows(&value)
                    .into_iter()
                    .map(|(id, b)| {
                        let state = if b.get("enabled") == Some(&Value::Bool(false)) { "disabled" } else { "enabled" };
                        vec![id, text(&b, "kind"), state.to_owned(), joined(&b, "profiles"), joined(&b, "groups")]
                    })
                    .collect();
                output.table(&value, &["user", "kind", "state", "profiles", "groups"], shown);
                Ok(())
            }
            Self::Grant(given) => {
                let value = Definition::change(&client, "users", &given.name, |user| {
                    user.add("profiles", &given.profiles);
                    user.add("groups", &given.groups);
                })?;
                output.result(&value, || format!("user `{}` was given {}", given.name, given.said()));
                Ok(())
            }
            Self::Revoke(given) => {
                let value = Definition::change(&client, "users", &given.name, |user| {
                    user.remove("profiles", &given.profiles);
                    user.remove("groups", &given.groups);
                })?;
                output.result(&value, || format!("{} was taken from user `{}`", given.said(), given.name));
                Ok(())
            }
            Self::Enable(user) => switch(&client, &user.name, "enabled", true, output),
            Self::Disable(user) => switch(&client, &user.name, "enabled", false, output),
            Self::AllowApi(user) => switch(&client, &user.name, "api_allowed", true, output),
            Self::Reset(user) => token(&client, &user.name, output),
            Self::ExpirePassword(user) => {
                let value = client.post(&format!("users/{}/expire-password", segment(&user.name)), &json!({}))?;
                output.result(&value, || format!("user `{}` has to set another password", user.name));
                Ok(())
            }
            Self::TakeSecondFactor(user) => {
                let value = client.delete(&format!("users/{}/second-factor", segment(&user.name)))?;
                output.result(&value, || format!("logins of `{}` ask for no code any more", user.name));
                Ok(())
            }
            Self::Rm(user) => {
                let value = client.delete(&format!("users/{}", segment(&user.name)))?;
                output.result(&value, || format!("user `{}` is gone", user.name));
                Ok(())
            }
            Self::Key(key) => key.run(&client, output),
            Self::Certificate(certificate) => certificate.run(&client, output),
        }
    }
}

impl Given {
    fn said(&self) -> String {
        let profiles = self.profiles.iter().map(|p| format!("profile `{p}`"));
        let groups = self.groups.iter().map(|g| format!("group `{g}`"));
        profiles.chain(groups).collect::<Vec<_>>().join(", ")
    }
}

impl Add {
    fn run(self, client: &Client, output: &Output) -> Result<(), Exit> {
        let path = format!("users/{}", segment(&self.name));
        let kind = if self.service { "service" } else { "native" };
        let body = json!({"kind": kind, "title": self.title, "profiles": self.profiles, "groups": self.groups});
        let value = client.create(&path, &body).map_err(|exit| match exit {
            Exit::Failed { code, .. } if code == "LG-EXISTS" => {
                Exit::failed("LG-USER-EXISTS", format!("user `{}` exists already", self.name))
            }
            other => other,
        })?;
        if self.service {
            output.result(&value, || {
                format!("service account `{}` was created\nnext: lockgate user key add {}", self.name, self.name)
            });
            return Ok(());
        }
        token(client, &self.name, output)
    }
}

fn token(client: &Client, name: &str, output: &Output) -> Result<(), Exit> {
    let value = client.post(&format!("users/{}/token", segment(name)), &json!({}))?;
    let login = Context::load()?.first_login_of(name);
    output.result(&value, || {
        format!(
            "one-time token for user `{name}`, good for 24 hours, shown once:\n  {}\nfirst login: {login}",
            text(&value, "token"),
        )
    });
    Ok(())
}

fn switch(client: &Client, name: &str, member: &str, on: bool, output: &Output) -> Result<(), Exit> {
    let value = Definition::change(client, "users", name, |user| {
        user.body.insert(member.into(), json!(on));
    })?;
    output.result(&value, || match (member, on) {
        ("api_allowed", _) => format!("user `{name}` may call APIs"),
        (_, true) => format!("user `{name}` is enabled"),
        (_, false) => format!("user `{name}` is disabled"),
    });
    Ok(())
}

impl Key {
    fn run(self, client: &Client, output: &Output) -> Result<(), Exit> {
        match self {
            Self::Add(AddKey { name, environment, targets, client: is_client, days, title }) => {
                let body = json!({"environment": environment, "targets": targets, "client": is_client,
                    "days": days, "title": title});
                let value = client.post(&format!("users/{}/keys", segment(&name)), &body)?;
                let key = text(&value, "key");
                output.result(&value, || match is_client {
                    false => format!("key of `{name}`, shown once; it goes as `Authorization: Bearer`:\n  {key}"),
                    true => format!(
                        "client of `{name}`; its secret is shown once:\n  client_id      {}\n  client_secret  {key}\ntokens: POST /oauth2/{}/{}/token with grant_type=client_credentials",
                        text(&value, "id"),
                        client.tenant(),
                        environment.as_deref().unwrap_or("ENV"),
                    ),
                });
            }
            Self::List(user) => {
                let value = client.list(&format!("users/{}/keys", segment(&user.name)))?;
                let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let shown = list
                    .iter()
                    .map(|k| {
                        let time = |name: &str| {
                            let at = k.get(name).and_then(Value::as_i64);
                            at.map(|us| lockgate_model::Timestamp(us).to_string()).unwrap_or_default()
                        };
                        let client = if k.get("client") == Some(&Value::Bool(true)) { "client" } else { "" };
                        let [id, environment, title] = ["id", "environment", "title"].map(|name| text(k, name));
                        let (ends, used) = (time("expires"), time("last_used"));
                        vec![id, environment, joined(k, "targets"), client.to_owned(), ends, used, title]
                    })
                    .collect();
                output.table(&value, &["key", "environment", "targets", "", "ends", "last used", "title"], shown);
            }
            Self::Rm { key } => {
                let value = client.delete(&format!("keys/{}", segment(&key)))?;
                output.result(&value, || format!("key `{key}` has ended"));
            }
        }
        Ok(())
    }
}
