//! `lockgate login URL --tenant T`: signs in and remembers server, identity and session.
//!
//! The password comes by prompt or standard input, never by argument, so that no process list shows
//! it. A server with an unknown CA is shown by its fingerprint and pinned only when a person at a
//! terminal says so.

use std::{
    io::{IsTerminal, Read, Write},
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
    /// Read the password (or the token, then the new password) from standard input, one per line.
    #[arg(long)]
    password_stdin: bool,
    /// Sign in with a one-time token; this sets the password.
    #[arg(long)]
    token: bool,
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
        let body = if self.token {
            let token = typed.hidden("one-time token: ")?;
            let password = typed.hidden("new password: ")?;
            json!({"user": user, "token": token, "new_password": password})
        } else {
            json!({"user": user, "password": typed.hidden("password: ")?})
        };
        let answer = self.ask(&identity, &body)?;
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

/// What a person types, or a program writes.
struct Typed(Option<std::vec::IntoIter<String>>);

impl Typed {
    fn new(from_stdin: bool) -> Result<Self, Exit> {
        if !from_stdin {
            return Ok(Self(None));
        }
        let mut text = String::new();
        std::io::stdin().lock().take(64 << 10).read_to_string(&mut text)?;
        Ok(Self(Some(text.lines().map(str::to_owned).collect::<Vec<_>>().into_iter())))
    }

    fn line(&mut self) -> Option<Result<String, Exit>> {
        let lines = self.0.as_mut()?;
        Some(lines.next().ok_or_else(|| Exit::Usage("standard input ended before all that was asked for".into())))
    }

    fn visible(&mut self, prompt: &str) -> Result<String, Exit> {
        if self.0.is_some() {
            return Err(Exit::Usage("name the user with --user when the password comes from standard input".into()));
        }
        write!(std::io::stderr(), "{prompt}")?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn hidden(&mut self, prompt: &str) -> Result<String, Exit> {
        if let Some(line) = self.line() {
            return line;
        }
        if !std::io::stdin().is_terminal() {
            return Err(Exit::Usage("there is no terminal to ask at: use --password-stdin".into()));
        }
        rpassword::prompt_password(prompt).map_err(Exit::from)
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
