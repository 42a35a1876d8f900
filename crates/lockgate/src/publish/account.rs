//! `lockgate account …`: address, server identity and secrets of an endpoint in an environment.
//! Secrets come from files or standard input, never by argument.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Read, Write},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use lockgate_connector_api::{Registry, Spec};
use lockgate_model::{
    Digest, HostKey,
    definition::{AccountBinding, ServerIdentity},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
    publish::deploy,
};

/// Verbs of `account`.
#[derive(Subcommand)]
pub enum Account {
    /// Bind an account that is not bound yet. Secrets that are needed and not named are asked for at a
    /// terminal.
    Add(Set),
    /// Change a binding; secrets that are not named stay as they are.
    Set(Set),
    /// Show the bindings of an environment.
    List(In),
    /// Prove that an account works: resolve, connect, verify the server, sign in.
    Test(One),
    /// Remove a binding and its secrets.
    Rm(One),
}

/// Arguments of `add` and `set`.
#[derive(Args)]
pub struct Set {
    /// Name of the account, as the project declares it.
    name: String,
    /// The environment.
    #[arg(long = "env")]
    environment: String,
    /// The connector (`lockgate connector list`).
    #[arg(long)]
    connector: String,
    /// Address in the connector's form, such as `https://erp.example:8443/api`.
    #[arg(long)]
    address: String,
    /// CA certificate of the endpoint (PEM file).
    #[arg(long, group = "identity")]
    ca: Option<PathBuf>,
    /// Trust this machine's root certificates.
    #[arg(long, group = "identity")]
    system: bool,
    /// SHA-256 of the endpoint's certificate: `sha256:HEX`.
    #[arg(long, group = "identity")]
    pin: Option<Digest>,
    /// SSH host key of the endpoint: `SHA256:…` or the whole public key; `@cert-authority KEY` is the
    /// CA that has certified it. Without it, on a terminal, the endpoint's key is shown and asked about.
    #[arg(long, group = "identity")]
    host_key: Option<String>,
    /// A setting that is no secret: `name=value`.
    #[arg(long = "set", value_parser = pair)]
    settings: Vec<(String, String)>,
    /// A secret from a file: `name=FILE`; `name=-` reads standard input.
    #[arg(long = "secret", value_parser = pair)]
    secrets: Vec<(String, String)>,
    /// Remove a secret.
    #[arg(long)]
    forget: Vec<String>,
}

/// An environment.
#[derive(Args)]
pub struct In {
    /// The environment.
    #[arg(long = "env")]
    environment: String,
}

/// One account.
#[derive(Args)]
pub struct One {
    /// Name of the account.
    name: String,
    /// The environment.
    #[arg(long = "env")]
    environment: String,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is not name=value"))?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Account {
    /// Runs the command.
    pub fn run(self, connectors: &Registry, output: &Output) -> Result<(), Exit> {
        match self {
            Self::Add(set) => {
                let client = Client::from_context()?;
                set.is_new(&client)?;
                set.run(&client, Some(connectors), output)
            }
            Self::Set(set) => set.run(&Client::from_context()?, None, output),
            Self::List(of) => {
                let value =
                    Client::from_context()?.list(&format!("environments/{}/accounts", segment(&of.environment)))?;
                let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let rows = list.iter().map(|account| row(account, connectors)).collect();
                output.table(&value, &["account", "connector", "address", "identity", "secrets", "exceptions"], rows);
                Ok(())
            }
            Self::Test(one) => {
                let path = format!("environments/{}/accounts/{}/test", segment(&one.environment), segment(&one.name));
                let client = Client::from_context()?;
                let mut value = client.post(&path, &json!({}))?;
                if value.get("ok") == Some(&Value::Bool(false)) {
                    let message = value.get("message").and_then(Value::as_str).unwrap_or("it does not work").to_owned();
                    return Err(Exit::Failed { code: "LG-ACCOUNT-TEST".into(), message, detail: value });
                }
                let list = client.list(&format!("environments/{}/accounts", segment(&one.environment)))?;
                let mut bound = list.get("items").and_then(Value::as_array).into_iter().flatten();
                let bound = bound.find(|account| account.get("name").and_then(Value::as_str) == Some(&one.name));
                let exceptions = bound.map(|account| exceptions(account, connectors)).unwrap_or_default();
                if let Some(members) = value.as_object_mut() {
                    members.insert("exceptions".to_owned(), json!(exceptions));
                }
                output.result(&value, || {
                    let works = format!("account `{}` works in `{}`", one.name, one.environment);
                    let but = exceptions.iter().map(|(name, value)| format!("\nexception  {name}: {value}"));
                    works + &but.collect::<String>()
                });
                Ok(())
            }
            Self::Rm(one) => {
                let path = format!("environments/{}/accounts/{}", segment(&one.environment), segment(&one.name));
                let client = Client::from_context()?;
                let users = deploy::active(&client, &one.environment, |module| {
                    let accounts = module.get("accounts").and_then(Value::as_array);
                    accounts.into_iter().flatten().any(|account| account.as_str() == Some(&one.name))
                });
                let value = client.delete(&path)?;
                for user in users.unwrap_or_default() {
                    output.note(&format!(
                        "note: `{user}` uses it in `{}`: its calls fail until it is bound again",
                        one.environment
                    ));
                }
                output.result(&value, || format!("account `{}` is gone from `{}`", one.name, one.environment));
                Ok(())
            }
        }
    }
}

impl Set {
    /// What is bound already is changed by `set` alone.
    fn is_new(&self, client: &Client) -> Result<(), Exit> {
        // Who may not look is told by the server what they may.
        let Ok(bound) = client.list(&format!("environments/{}/accounts", segment(&self.environment))) else {
            return Ok(());
        };
        let mut bound = bound.get("items").and_then(Value::as_array).into_iter().flatten();
        if bound.any(|one| one.get("name").and_then(Value::as_str) == Some(&self.name)) {
            let message = format!(
                "account `{}` is bound in `{}` already: `lockgate account set` changes it",
                self.name, self.environment
            );
            return Err(Exit::failed("LG-ACCOUNT-EXISTS", message));
        }
        Ok(())
    }

    /// `connectors`: to ask for the secrets that are needed, where nothing is bound yet.
    fn run(self, client: &Client, connectors: Option<&Registry>, output: &Output) -> Result<(), Exit> {
        let path = format!("environments/{}/accounts/{}", segment(&self.environment), segment(&self.name));
        let identity = match (&self.ca, self.system, self.pin, &self.host_key) {
            (Some(path), ..) => ServerIdentity::Ca(read(path)?),
            (_, true, ..) => ServerIdentity::System,
            (_, _, Some(pin), _) => ServerIdentity::Pin(pin),
            (.., Some(key)) => ServerIdentity::HostKey(key.clone()),
            _ => self.confirmed(client, &path)?,
        };
        let mut secrets = BTreeMap::new();
        for (name, from) in &self.secrets {
            let mut text = String::new();
            if from == "-" {
                std::io::stdin().lock().read_to_string(&mut text)?;
            } else {
                text = read(from.as_ref())?;
            }
            secrets.insert(name.as_str(), text.trim_end_matches(['\r', '\n']).to_owned());
        }
        let connector = connectors.and_then(|connectors| connectors.get(&self.connector));
        for name in connector.map(|one| self.missing(one.spec(), &identity)).unwrap_or_default() {
            if !std::io::stdin().is_terminal() {
                return Err(Exit::Usage(format!(
                    "account `{}` needs the secret `{name}`: give it with --secret {name}=FILE",
                    self.name
                )));
            }
            secrets.insert(name, rpassword::prompt_password(format!("{name}: "))?);
        }
        let body = json!({
            "connector": self.connector, "address": self.address, "identity": identity,
            "settings": self.settings.iter().cloned().collect::<BTreeMap<_, _>>(),
            "secrets": secrets, "forget": self.forget,
        });
        let value = client.put(&path, &body)?;
        output.result(&value, || {
            format!(
                "account `{}` is bound in `{}` to {}\nnext: lockgate account test {} --env {}",
                self.name, self.environment, self.address, self.name, self.environment
            )
        });
        Ok(())
    }
}

impl Set {
    /// Secrets that its connector needs with these settings and that are not given.
    fn missing(&self, spec: &Spec, identity: &ServerIdentity) -> Vec<&'static str> {
        let given = |name: &str| self.secrets.iter().any(|(given, _)| given == name);
        let binding = AccountBinding {
            connector: self.connector.clone(),
            address: self.address.clone(),
            identity: identity.clone(),
            settings: self.settings.iter().cloned().collect(),
            secrets: self.secrets.iter().map(|(name, _)| name.clone()).collect(),
        };
        let problems = spec.check(&binding).err().unwrap_or_default();
        let needed = |name: &str| problems.iter().any(|p| p.field.strip_prefix("secrets.") == Some(name));
        spec.fields.iter().map(|field| field.name).filter(|name| needed(name) && !given(name)).collect()
    }

    /// Has the server's identity shown and asks a person about it.
    fn confirmed(&self, client: &Client, path: &str) -> Result<ServerIdentity, Exit> {
        let proxy = self.settings.iter().find(|(name, _)| name == "proxy").map(|(_, value)| value);
        let server = json!({"connector": self.connector, "address": self.address, "proxy": proxy});
        let shown = client.post(&format!("{path}/identity"), &server)?;
        if let Some(message) = shown.get("message").and_then(Value::as_str) {
            let message = format!("the server's identity cannot be shown: {message}");
            return Err(Exit::Failed { code: "LG-SERVER-IDENTITY".into(), message, detail: shown });
        }
        let Some(key) = shown.pointer("/identity/host-key").and_then(Value::as_str) else {
            return Err(Exit::Usage(
                "say how the server proves itself: --ca FILE, --system, --pin sha256:HEX or --host-key KEY".into(),
            ));
        };
        let unknown = |message: String| Exit::Denied { code: "LG-SERVER-IDENTITY".into(), message };
        if !std::io::stdin().is_terminal() {
            return Err(unknown(format!(
                "nobody has confirmed the server's host key: compare the one it shows with its operator's and give it with --host-key {key}"
            )));
        }
        writeln!(
            std::io::stderr(),
            "the server at {} has the host key\n  {key}\nIs it the one that its operator told you? Type yes to bind the account to it:",
            self.address
        )?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        if line.trim() == "yes" {
            Ok(ServerIdentity::HostKey(key.to_owned()))
        } else {
            Err(unknown("the server's host key was not confirmed".into()))
        }
    }
}

fn read(path: &std::path::Path) -> Result<String, Exit> {
    std::fs::read_to_string(path).map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())))
}

fn row(account: &Value, connectors: &Registry) -> Vec<String> {
    let text = |name: &str| account.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let identity = account.get("identity").cloned().and_then(|one| serde_json::from_value(one).ok());
    let identity = identity.as_ref().map(shown).unwrap_or_default();
    let secrets = account.get("secrets").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let secrets = secrets.collect::<Vec<_>>().join(" ");
    let exceptions = exceptions(account, connectors).into_iter().map(|(name, value)| format!("{name}: {value}"));
    let exceptions = exceptions.collect::<Vec<_>>().join(", ");
    vec![text("name"), text("connector"), text("address"), identity, secrets, exceptions]
}

/// What an account admits against its connector's own rules, by setting.
fn exceptions(account: &Value, connectors: &Registry) -> BTreeMap<String, String> {
    let connector = account.get("connector").and_then(Value::as_str).and_then(|name| connectors.get(name));
    let settings = account.get("settings").cloned().and_then(|settings| serde_json::from_value(settings).ok());
    let (Some(connector), Some(settings)) = (connector, settings) else { return BTreeMap::new() };
    let exceptions = connector.spec().exceptions(&settings);
    exceptions.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// How the server proves itself, with the fingerprint of what it shows or is vouched for by.
fn shown(identity: &ServerIdentity) -> String {
    match identity {
        ServerIdentity::Ca(pem) => match CertificateDer::from_pem_slice(pem.as_bytes()) {
            Ok(certificate) => format!("ca {}", lockgate_keys::fingerprint(&certificate)),
            Err(_) => "ca".to_owned(),
        },
        ServerIdentity::System => "system".to_owned(),
        ServerIdentity::Pin(digest) => format!("pin {digest}"),
        ServerIdentity::HostKey(text) => match text.parse::<HostKey>() {
            Ok(key) => format!("host-key {key}"),
            Err(_) => "host-key".to_owned(),
        },
    }
}
