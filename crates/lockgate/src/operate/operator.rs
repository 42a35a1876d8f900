//! `lockgate operator …`: tenants and private ranges, over the server's local socket. Whoever may
//! open the socket is the operator; no tenant user gets here, whatever they hold.

mod support;

use std::{
    num::{NonZeroU32, NonZeroU64},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::{Args, Subcommand};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use lockgate_connector_api::Allowance;
use lockgate_model::{
    definition::EgressAllowance,
    id::{EnvironmentId, TenantId, UserId},
};
use serde_json::{Value, json};

use crate::{
    client::{Answer, judge},
    exit::Exit,
    operate::{
        keeper::KeeperArgs,
        limits::{self, Setting},
        reach::Reach,
    },
    output::Output,
};

/// Name of the socket in the data directory.
pub const SOCKET: &str = "operator.sock";

/// What a rotation does not reach.
const EARLIER_BACKUPS: &str = "backups from before open with the master key of their time alone: keep it as long as \
    them, or make a new backup now\naccess tokens that clients hold are good no more: they ask for others";

/// Verbs of `operator`.
#[derive(Subcommand)]
pub enum Operator {
    /// Tenants.
    #[command(subcommand)]
    Tenant(Tenant),
    /// Private address ranges that environments may reach.
    #[command(subcommand)]
    Egress(Egress),
    /// The keys that seal secrets.
    #[command(subcommand)]
    Keys(Keys),
    /// Metadata of a tenant, where its administrator has opened support access (`lockgate support open`).
    #[command(subcommand)]
    Support(support::Support),
    /// The digest of the whole configuration: two installations with the same decide and run the same.
    Configuration {
        #[command(flatten)]
        here: Here,
    },
    /// The counts that `/metrics` shows: OpenMetrics text.
    Metrics {
        #[command(flatten)]
        here: Here,
    },
}

/// Verbs of `operator keys`.
#[derive(Subcommand)]
pub enum Keys {
    /// Take another master key and seal all secrets anew under another key, while requests run.
    Rotate {
        #[command(flatten)]
        here: Here,
        /// Who keeps the new master key.
        #[command(flatten)]
        to: KeeperArgs,
    },
    /// Show which key seals how much.
    Show {
        #[command(flatten)]
        here: Here,
    },
}

/// Which server.
#[derive(Args)]
pub struct Here {
    /// Data directory of the server.
    #[arg(long)]
    data: PathBuf,
}

/// Verbs of `operator tenant`.
#[derive(Subcommand)]
pub enum Tenant {
    /// Create a tenant; prints its administrator's one-time token.
    Create {
        #[command(flatten)]
        here: Here,
        /// The tenant id.
        name: TenantId,
        /// User id of its administrator.
        #[arg(long, default_value = "admin")]
        administrator: UserId,
        /// For people.
        #[arg(long)]
        title: Option<String>,
    },
    /// Suspend a tenant: nothing runs in it and nobody does anything in it.
    Suspend(OneTenant),
    /// Resume a suspended tenant.
    Resume(OneTenant),
    /// Say how long run records of a tenant are kept, and how many; without either, show it.
    Keep {
        #[command(flatten)]
        one: OneTenant,
        /// Days after a run's end.
        #[arg(long)]
        days: Option<NonZeroU32>,
        /// The newest so many.
        #[arg(long)]
        runs: Option<NonZeroU64>,
        /// Days of the audit log; for ever unless this was ever said.
        #[arg(long, value_name = "DAYS")]
        audit: Option<NonZeroU32>,
    },
    /// Set limits of a tenant's runs, or of those in one of its environments; show them.
    Limits {
        #[command(flatten)]
        one: OneTenant,
        /// A limit and what it is to be; `NAME=default` lets it fall back.
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<Setting>,
        /// Set them for this environment alone.
        #[arg(long, requires = "set")]
        environment: Option<EnvironmentId>,
    },
    /// Show all tenants.
    List {
        #[command(flatten)]
        here: Here,
    },
}

/// One tenant.
#[derive(Args)]
pub struct OneTenant {
    #[command(flatten)]
    here: Here,
    /// The tenant id.
    name: TenantId,
}

/// Verbs of `operator egress`.
#[derive(Subcommand)]
pub enum Egress {
    /// Allow a private range for an environment. Metadata addresses stay refused.
    Allow(Range),
    /// Withdraw an allowance.
    Withdraw(Range),
    /// Show a tenant's allowances.
    List {
        #[command(flatten)]
        here: Here,
        /// The tenant.
        tenant: TenantId,
    },
}

/// A range.
#[derive(Args)]
pub struct Range {
    #[command(flatten)]
    here: Here,
    /// The tenant.
    tenant: TenantId,
    /// The environment.
    environment: EnvironmentId,
    /// Range in CIDR form, such as `10.1.2.0/24`.
    cidr: String,
    /// A port, or `first-last`.
    #[arg(value_parser = ports)]
    ports: (u16, u16),
}

fn ports(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |t: &str| t.parse::<u16>().map_err(|_| format!("`{t}` is no port"));
    let (first, last) = (port(first)?, port(last)?);
    if first == 0 || last < first { Err(format!("`{text}` is no range of ports")) } else { Ok((first, last)) }
}

fn shown((first, last): (u16, u16)) -> String {
    if first == last { format!("port {first}") } else { format!("ports {first}-{last}") }
}

impl Operator {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        match self {
            Self::Tenant(Tenant::Create { here, name, administrator, title }) => {
                let title = title.unwrap_or_else(|| name.to_string());
                let body = json!({"id": name, "title": title, "administrator": administrator});
                let value = here.ask(Method::POST, "/operator/tenants", Some(&body))?;
                output.result(&value, || {
                    let token = value.get("token").and_then(Value::as_str).unwrap_or_default();
                    let login = Reach::of(&here.data).first_login(name.as_str(), administrator.as_str());
                    format!("tenant `{name}` was created\none-time token for `{administrator}`, good for 24 hours, shown once:\n  {token}\nfirst login: {login}")
                });
            }
            Self::Tenant(Tenant::Suspend(one)) => one.suspend(true, output)?,
            Self::Tenant(Tenant::Resume(one)) => one.suspend(false, output)?,
            Self::Tenant(Tenant::Keep { one, days, runs, audit }) => one.keep(days, runs, audit, output)?,
            Self::Tenant(Tenant::Limits { one, set, environment }) => one.limits(&set, environment, output)?,
            Self::Tenant(Tenant::List { here }) => {
                let value = here.ask(Method::GET, "/operator/tenants", None)?;
                let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let rows = list.iter().map(|t| vec![t.as_str().unwrap_or_default().to_owned()]).collect();
                output.table(&value, &["tenant"], rows);
            }
            Self::Keys(Keys::Rotate { here, to }) => {
                let to = serde_json::to_value(to.kept()?).unwrap_or_default();
                let value = here.ask(Method::POST, "/operator/keys/rotate", Some(&json!({"to": to})))?;
                output.result(&value, || {
                    let number = |member: &str| value.get(member).and_then(Value::as_u64).unwrap_or_default();
                    let text = format!("{} secrets are sealed with key {} now", number("resealed"), number("current"));
                    let kept = value.get("kept").and_then(Value::as_array).map_or(0, Vec::len);
                    let text = match kept {
                        0 | 1 => text,
                        _ => format!("{text}; older keys are kept for what is sealed with them still"),
                    };
                    format!("{text}\n{EARLIER_BACKUPS}")
                });
            }
            Self::Keys(Keys::Show { here }) => {
                let value = here.ask(Method::GET, "/operator/keys", None)?;
                let current = value.get("current").and_then(Value::as_u64).unwrap_or_default().to_string();
                let sealed = value.get("sealed").and_then(Value::as_object).cloned().unwrap_or_default();
                let row = |(key, count): (&String, &Value)| {
                    let note = if *key == current { "current" } else { "" };
                    vec![key.clone(), count.to_string(), note.to_owned()]
                };
                output.table(&value, &["key", "sealed", ""], sealed.iter().map(row).collect());
            }
            Self::Support(support) => support.run(output)?,
            Self::Configuration { here } => {
                let value = here.ask(Method::GET, "/operator/configuration", None)?;
                let digest = value.get("configuration").and_then(Value::as_str).unwrap_or_default().to_owned();
                output.result(&value, || digest);
            }
            Self::Metrics { here } => {
                let page = here.read("/operator/metrics")?;
                output.result(&json!({"metrics": page}), || page.clone());
            }
            Self::Egress(Egress::Allow(range)) => range.put("allow", output)?,
            Self::Egress(Egress::Withdraw(range)) => range.put("withdraw", output)?,
            Self::Egress(Egress::List { here, tenant }) => {
                let value = here.ask(Method::GET, &format!("/operator/egress/{tenant}"), None)?;
                let list = value.get("items").cloned().unwrap_or_default();
                let list: Vec<EgressAllowance> = serde_json::from_value(list).unwrap_or_default();
                let rows = list
                    .iter()
                    .map(|a| {
                        let ports = match a.port_first == a.port_last {
                            true => a.port_first.to_string(),
                            false => format!("{}-{}", a.port_first, a.port_last),
                        };
                        vec![a.environment.to_string(), a.cidr.clone(), ports]
                    })
                    .collect();
                output.table(&value, &["environment", "range", "ports"], rows);
            }
        }
        Ok(())
    }
}

impl OneTenant {
    fn suspend(self, suspended: bool, output: &Output) -> Result<(), Exit> {
        let path = format!("/operator/tenants/{}", self.name);
        let value = self.here.ask(Method::PUT, &path, Some(&json!({"suspended": suspended})))?;
        let done = if suspended { "is suspended" } else { "goes on" };
        output.result(&value, || format!("tenant `{}` {done}", self.name));
        Ok(())
    }

    fn keep(
        self,
        days: Option<NonZeroU32>,
        runs: Option<NonZeroU64>,
        audit: Option<NonZeroU32>,
        output: &Output,
    ) -> Result<(), Exit> {
        let path = format!("/operator/tenants/{}", self.name);
        if days.is_some() || runs.is_some() || audit.is_some() {
            let body = json!({"retention": {"days_max": days, "runs_max": runs, "audit_days_max": audit}});
            self.here.ask(Method::PUT, &path, Some(&body))?;
        }
        let value = self.here.ask(Method::GET, &format!("{path}/retention"), None)?;
        let number = |member: &str| value.get(member).and_then(Value::as_u64).unwrap_or_default();
        output.result(&value, || {
            let (days, runs) = (number("days_max"), number("runs_max"));
            let audit = match number("audit_days_max") {
                0 => "for ever".to_owned(),
                days => format!("for {days} days"),
            };
            format!(
                "run records of tenant `{}` are kept until {days} days after their ends, the newest {runs} at most; its audit log is kept {audit}",
                self.name
            )
        });
        Ok(())
    }
}

impl OneTenant {
    fn limits(self, set: &[Setting], environment: Option<EnvironmentId>, output: &Output) -> Result<(), Exit> {
        let path = format!("/operator/tenants/{}/limits", self.name);
        if !set.is_empty() {
            let set: serde_json::Map<_, _> = set.iter().map(|s| (s.limit.to_string(), json!(s.value))).collect();
            self.here.ask(Method::PUT, &path, Some(&json!({"environment": environment, "set": set})))?;
        }
        let value = self.here.ask(Method::GET, &path, None)?;
        output.result(&value, || format!("limits of the runs of tenant `{}`:\n{}", self.name, limits::shown(&value)));
        Ok(())
    }
}

impl Range {
    fn put(self, verb: &str, output: &Output) -> Result<(), Exit> {
        let allowance = EgressAllowance {
            environment: self.environment.clone(),
            cidr: self.cidr.clone(),
            port_first: self.ports.0,
            port_last: self.ports.1,
        };
        let body = json!({"tenant": self.tenant, verb: [allowance]});
        let value = self.here.ask(Method::POST, "/operator/egress", Some(&body))?;
        let done = if verb == "allow" { "may" } else { "may no longer" };
        let metadata = Allowance::parse(&self.cidr, self.ports.0, self.ports.1).map(|range| range.metadata());
        let metadata: Vec<String> = metadata.unwrap_or_default().iter().map(ToString::to_string).collect();
        output.result(&value, || {
            let but = match metadata.as_slice() {
                [] => String::new(),
                _ if verb == "withdraw" => String::new(),
                held => format!("\nnote: metadata addresses stay refused: {}", held.join(", ")),
            };
            format!(
                "`{}` of tenant `{}` {done} reach {} on {}{but}",
                self.environment,
                self.tenant,
                self.cidr,
                shown(self.ports)
            )
        });
        Ok(())
    }
}

impl Here {
    /// A text.
    fn read(&self, path: &str) -> Result<String, Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let answer = runtime.block_on(exchange(&self.data.join(SOCKET), Method::GET, path, None))?;
        if !answer.status.is_success() {
            judge(&answer)?;
        }
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        judge(&runtime.block_on(exchange(&self.data.join(SOCKET), method, path, body))?)
    }
}

async fn exchange(socket: &Path, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Exit> {
    let (parts, body) = ask(socket, method, path, body).await?.into_parts();
    let body = body.collect().await.map_err(|e| unreached(socket, &e))?.to_bytes();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

fn unreached(socket: &Path, e: &dyn std::fmt::Display) -> Exit {
    Exit::Unavailable(format!(
        "cannot reach the server at `{}`: {e} (is `lockgate serve` running on this data directory, as this user?)",
        socket.display()
    ))
}

/// Asks over the socket; the body is read as it comes.
pub async fn ask(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<http::Response<Incoming>, Exit> {
    let failed = |e: &dyn std::fmt::Display| unreached(socket, e);
    let stream = tokio::net::UnixStream::connect(socket).await.map_err(|e| failed(&e))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "operator")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body.map(|b| Bytes::from(b.to_string())).unwrap_or_default()))
        .map_err(|e| failed(&e))?;
    sender.send_request(request).await.map_err(|e| failed(&e))
}
