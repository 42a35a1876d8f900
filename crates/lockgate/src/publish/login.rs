//! `lockgate login URL --tenant T`: signs in and remembers server, identity and session.
//!
//! The password comes by prompt or standard input, never by argument, so that no process list shows
//! it. A server with an unknown CA is shown by its fingerprint and pinned only when a person at a
//! terminal says so.

use std::{
    io::{IsTerminal, Write},
    path::Path,
};

use clap::Args;
use lockgate_model::{Digest, definition::ServerIdentity};
use serde_json::{Value, json};

use crate::{
    client::{Client, judge},
    context::{self, Context},
    exit::Exit,
    output::Output,
    typed::Typed,
};

/// Arguments of `login`.
#[derive(Args)]
pub struct Login {
    /// Address of the server: `https://host:port`.
    url: String,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    /// The user id; asked for when absent.
    #[arg(long)]
    user: Option<String>,
    /// CA certificate of the server (PEM); without it and --pin, the machine's root certificates.
    #[arg(long, conflicts_with = "pin")]
    ca: Option<std::path::PathBuf>,
    /// Fingerprint of the server's certificate: `sha256:HEX`, as `serve` prints it.
    #[arg(long)]
    pin: Option<Digest>,
    /// Read from standard input, one per line: the password or the token, the new password if one is set,
    /// the code of a second factor if one is on.
    #[arg(long)]
    password_stdin: bool,
    /// Sign in with a one-time token; this sets the password.
    #[arg(long)]
    token: bool,
    /// Set another password.
    #[arg(long, conflicts_with = "token")]
    change_password: bool,
    /// Replace what the context file holds, also another user's session or another server's.
    #[arg(long)]
    replace: bool,
}

impl Login {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let mut typed = Typed::new(self.password_stdin)?;
        // Who is asked for a password knows by then whom it goes to.
        let identity = self.proved()?;
        let user = match &self.user {
            Some(user) => user.clone(),
            None => typed.visible("user: ")?,
        };
        let path = context::path()?;
        self.may_replace(&path, &user)?;
        let mut body = if self.token {
            json!({"user": user, "token": typed.hidden("one-time token: ")?})
        } else {
            json!({"user": user, "password": typed.hidden("password: ")?})
        };
        if self.token || self.change_password {
            set(&mut body, "new_password", typed.hidden("new password: ")?);
        }
        let answer = loop {
            // What else is needed is told to who has proved so much.
            let (member, prompt) = match self.ask(&identity, &body) {
                Err(Exit::Failed { code, .. }) if code == "LG-SECOND-FACTOR" && body.get("code").is_none() => {
                    ("code", "code of the second factor: ")
                }
                Err(Exit::Failed { code, message, .. })
                    if code == "LG-PASSWORD-CHANGE" && body.get("new_password").is_none() =>
                {
                    writeln!(std::io::stderr(), "{message}")?;
                    ("new_password", "new password: ")
                }
                other => break other?,
            };
            set(&mut body, member, typed.hidden(prompt)?);
        };
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let context = Context {
            url: self.url.clone(),
            identity,
            ca_file: self.ca.as_ref().map(std::path::absolute).transpose()?,
            tenant: self.tenant.clone(),
            user: text("user"),
            token: text("session"),
        };
        context.save(&path)?;
        output.result(
            &json!({"user": context.user, "tenant": context.tenant, "context": path.display().to_string()}),
            || {
                format!(
                    "signed in as `{}` to tenant `{}` (remembered in {})",
                    context.user,
                    context.tenant,
                    path.display()
                )
            },
        );
        Ok(())
    }

    /// How the server has proved itself: as the arguments say, or as a person at a terminal confirms.
    fn proved(&self) -> Result<ServerIdentity, Exit> {
        let identity = self.identity()?;
        match Client::new(&self.url, identity.clone(), self.tenant.clone(), None)?.greet() {
            Err(Exit::Denied { code, .. }) if code == "LG-SERVER-IDENTITY" && identity == ServerIdentity::System => {
                self.confirm()
            }
            greeted => greeted.map(|()| identity),
        }
    }

    /// Asks before a session of somebody else is lost, and before a password or token is spent for that.
    fn may_replace(&self, path: &Path, user: &str) -> Result<(), Exit> {
        let Err(held) = Context::gives_way(path, &self.url, &self.tenant, user) else { return Ok(()) };
        if self.replace {
            return Ok(());
        }
        if !self.password_stdin && std::io::stdin().is_terminal() {
            writeln!(std::io::stderr(), "{held}\nType yes to replace it:")?;
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            if line.trim() == "yes" {
                return Ok(());
            }
        }
        Err(Exit::Usage(format!("{held}: set LOCKGATE_CONTEXT to another file, or replace it with --replace")))
    }

    fn identity(&self) -> Result<ServerIdentity, Exit> {
        if let Some(pin) = self.pin {
            return Ok(ServerIdentity::Pin(pin));
        }
        match &self.ca {
            None => Ok(ServerIdentity::System),
            Some(path) => std::fs::read_to_string(path)
                .map(ServerIdentity::Ca)
                .map_err(|e| Exit::Usage(format!("cannot read the CA certificate `{}`: {e}", path.display()))),
        }
    }

    fn ask(&self, identity: &ServerIdentity, body: &Value) -> Result<Value, Exit> {
        let client = Client::new(&self.url, identity.clone(), self.tenant.clone(), None)?;
        match client.post("login", body) {
            Err(Exit::Denied { code, message }) if code == "LG-UNAUTHENTICATED" => {
                let message = message.replace(" (sign in with `lockgate login`)", "");
                Err(Exit::Denied { code, message: format!("{message}: check tenant, user and password") })
            }
            other => other,
        }
    }

    /// Shows the fingerprint of a server nobody vouches for and asks.
    fn confirm(&self) -> Result<ServerIdentity, Exit> {
        let unknown = |text: &str| Exit::Denied { code: "LG-SERVER-IDENTITY".into(), message: text.to_owned() };
        if !std::io::stdin().is_terminal() || self.password_stdin {
            return Err(unknown(
                "the server's certificate is issued by a CA this machine does not know: name it with --ca FILE, or pin the certificate with --pin",
            ));
        }
        // A pin that no certificate has: the handshake fails and tells what was shown.
        let nobody = ServerIdentity::Pin(Digest([0; 32]));
        let fingerprint = Client::new(&self.url, nobody, self.tenant.clone(), None)?.fingerprint()?;
        let mut err = std::io::stderr();
        writeln!(
            err,
            "the server's certificate has the fingerprint\n  {fingerprint}\nIs it the one that `lockgate serve` printed there? Type yes to trust it from now on:"
        )?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        if line.trim() == "yes" {
            Ok(ServerIdentity::Pin(fingerprint))
        } else {
            Err(unknown("the server's certificate was not confirmed"))
        }
    }
}

fn set(body: &mut Value, member: &str, text: String) {
    if let Some(members) = body.as_object_mut() {
        members.insert(member.to_owned(), text.into());
    }
}

/// Opens a session without a context (quickstart): user and password are at hand.
pub fn session(url: &str, identity: &ServerIdentity, tenant: &str, user: &str, password: &str) -> Result<String, Exit> {
    let client = Client::new(url, identity.clone(), tenant.to_owned(), None)?;
    let path = format!("/admin/v1/tenants/{}/login", crate::client::segment(tenant));
    let body = json!({"user": user, "password": password}).to_string();
    let answer = judge(&client.send(http::Method::POST, &path, Some(body.into()))?)?;
    answer
        .get("session")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Exit::failed("LG-LOGIN", "the server opened no session"))
}
