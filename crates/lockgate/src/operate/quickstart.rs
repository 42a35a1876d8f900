//! `lockgate quickstart`: a whole installation on this machine and a real order through it.
//!
//! Keys, a tenant with four environments and an administrator, practice endpoints, the orchestrations
//! pushed and deployed by the ordinary verbs over the admin API, and the sample order sent: POST →
//! authentication → both gates → WebAssembly → HTTPS lookup → mapping → file on the SFTP server →
//! reply. Loopback only.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Args;
use http::Method;
use lockgate_connector_api::Registry;
use lockgate_identity::{Password, Policy};
use lockgate_keys::{ClientCertificates, Keeper};
use lockgate_listener::Settings;
use lockgate_model::{
    definition::ServerIdentity,
    id::{EnvironmentId, TenantId, UserId},
};
use lockgate_runtime::NewTenant;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    client::{Client, judge, segment},
    context::Context,
    exit::Exit,
    operate::{
        allowances,
        endpoints::{Account, Endpoints, Files},
        installation::Installation,
        machine,
        reach::Reach,
        sample,
        server::{self, Listening, Signals},
    },
    output::Output,
    publish::login,
};

/// Arguments of `quickstart`.
#[derive(Args)]
pub struct Quickstart {
    /// Data directory to keep; without it a private one that is removed at the end.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Port to listen on; a free one when absent.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Send the order and end.
    #[arg(long)]
    once: bool,
    /// Leave out the practice database, which takes some seconds to start.
    #[arg(long)]
    no_database: bool,
    /// Give the administrator of an existing data directory a new password.
    #[arg(long)]
    new_password: bool,
}

const TENANT: &str = "demo";
const ENVIRONMENT: &str = "development";
const ADMINISTRATOR: &str = "admin";

/// What came up and is to be shown.
struct Ready {
    url: String,
    data: PathBuf,
    ca_file: PathBuf,
    context_file: PathBuf,
    password: Option<Password>,
    accounts: Vec<Account>,
    /// Why there is no practice database, if there is none.
    without_database: Option<String>,
    /// How to look at the files of the practice file server.
    files: Files,
}

impl Quickstart {
    /// Runs the command.
    pub fn run(self, connectors: &Arc<Registry>, output: &Output) -> Result<(), Exit> {
        machine::close_up()?;
        server::log(output.is_json(), if output.is_json() { "info" } else { "warn" });
        let private_mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        let private = match &self.data {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("lockgate-").permissions(private_mode).tempdir()?),
        };
        let data = self.data.clone().or_else(|| private.as_ref().map(|p| p.path().to_path_buf())).unwrap_or_default();
        // What is printed is for another terminal, which may stand elsewhere.
        let data = std::path::absolute(data)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let done = runtime.block_on(self.serve(&data, Arc::clone(connectors), output));
        runtime.shutdown_timeout(Duration::from_secs(5));
        done
    }

    async fn serve(self, data: &Path, connectors: Arc<Registry>, output: &Output) -> Result<(), Exit> {
        let began = Instant::now();
        let installation = Installation::open(data, &Keeper::File, connectors).await?;
        let endpoints = Endpoints::start(&installation, !self.no_database).await?;
        let (tenant, environment) = ids()?;
        let password = self.tenant(&installation, &tenant).await?;
        allowances::allow(&installation, data, (&tenant, &environment), &endpoints.addresses()).await?;

        let own = installation.own_certificate(data, &server::NAMES)?;
        let ca_file = installation.write_ca(data)?;
        let ca = installation.authority.certificate_pem();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let listening =
            Listening::open(data, address, (&own, &ClientCertificates::None), installation.runtime.clone()).await?;
        let port = listening.address.port();
        // Its name is fixed, and is one.
        let _ = listening.reached_by(&listening.origin("localhost"));
        Reach::new("localhost", port, Some(ca_file.clone())).write(data)?;
        let ready = Ready {
            url: format!("https://localhost:{port}"),
            data: data.to_owned(),
            ca_file,
            context_file: data.join("context.json"),
            password,
            accounts: endpoints.accounts(&ServerIdentity::Ca(ca.clone())),
            without_database: endpoints.without_database().map(str::to_owned),
            files: endpoints.file_server(),
        };
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listening.serve(Settings::default(), stopped));

        let (ready, reply, took) = blocking(move || {
            let prepared = ready.prepare(&ca)?;
            let sent = Instant::now();
            let reply = prepared.order(&ready)?;
            Ok((ready, reply, sent.elapsed()))
        })
        .await?;
        output.result(&ready.json(), || ready.text(&reply, took, began.elapsed(), &endpoints, self.once));
        let mut signals = Signals::listen()?;
        if !self.once {
            signals.next().await;
        }
        let _ = stop.send(true);
        // The practice database is a process of its own, which must not be left behind: only what is
        // before it may be cut short.
        let ending = async {
            let _ = serving.await;
            Reach::clear(data);
        };
        tokio::select! { () = ending => {}, _ = signals.next() => {} }
        endpoints.shutdown().await;
        if self.once {
            output.note(match &self.data {
                Some(_) => {
                    "the order went through and quickstart has ended; without --once it stays up on the same --data"
                }
                None => {
                    "the order went through and quickstart has ended; nothing of it is left. Without --once it stays up"
                }
            });
        }
        Ok(())
    }

    /// Makes the tenant when it is not there; returns the password that may be shown.
    async fn tenant(&self, installation: &Installation, tenant: &TenantId) -> Result<Option<Password>, Exit> {
        let runtime = &installation.runtime;
        let administrator = UserId::parse(ADMINISTRATOR).map_err(|e| Exit::failed("LG-QUICKSTART", e.to_string()))?;
        let exists = runtime.operator_tenants().contains(tenant);
        if exists && !self.new_password {
            return Ok(None);
        }
        let password = Password::generate(Policy::Classic).map_err(|e| Exit::failed("LG-QUICKSTART", e.to_string()))?;
        let done = if exists {
            runtime.operator_set_password(tenant, &administrator, password.clone()).await
        } else {
            let new = NewTenant { id: tenant.clone(), title: "Demo".into(), administrator };
            runtime.operator_create_tenant_with_password(new, password.clone()).await
        };
        done.map_err(|e| Exit::failed(e.code(), e.to_string()))?;
        Ok(Some(password))
    }
}

fn ids() -> Result<(TenantId, EnvironmentId), Exit> {
    let failed = |e: lockgate_model::id::InvalidId| Exit::failed("LG-QUICKSTART", e.to_string());
    Ok((TenantId::parse(TENANT).map_err(failed)?, EnvironmentId::parse(ENVIRONMENT).map_err(failed)?))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Exit> + Send + 'static) -> Result<T, Exit> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Exit::failed("LG-QUICKSTART", "quickstart ended with a defect"))?
}

/// What the order is sent with.
struct Prepared {
    identity: ServerIdentity,
    authorization: String,
}

impl Ready {
    fn order_url(&self) -> String {
        format!("{}/{TENANT}/{ENVIRONMENT}/{}", self.url, sample::ORDERS.name)
    }

    /// Signs in and does by the ordinary verbs what a publisher would do.
    fn prepare(&self, ca: &str) -> Result<Prepared, Exit> {
        let identity = ServerIdentity::Ca(ca.to_owned());
        let client =
            |token: &str| Client::new(&self.url, identity.clone(), TENANT.into(), Some(format!("Bearer {token}")));
        let (token, authorization) = match &self.password {
            Some(password) => {
                let session = login::session(&self.url, &identity, TENANT, ADMINISTRATOR, password.expose())?;
                let basic = STANDARD.encode(format!("{ADMINISTRATOR}:{}", password.expose()));
                (key(&client(&session)?)?, format!("Basic {basic}"))
            }
            None => {
                let token = self.remembered()?;
                let bearer = format!("Bearer {token}");
                (token, bearer)
            }
        };
        let context = Context {
            url: self.url.clone(),
            identity: identity.clone(),
            ca_file: Some(self.ca_file.clone()),
            tenant: TENANT.into(),
            user: ADMINISTRATOR.into(),
            token,
        };
        context.save(&self.context_file)?;
        self.publish(&client(&context.token)?)?;
        Ok(Prepared { identity, authorization })
    }

    /// The key that an earlier start left in the data directory.
    fn remembered(&self) -> Result<String, Exit> {
        let text = std::fs::read_to_string(&self.context_file).ok();
        let context: Option<Context> = text.and_then(|text| serde_json::from_str(&text).ok());
        context.map(|c| c.token).ok_or_else(|| {
            Exit::failed(
                "LG-QUICKSTART",
                format!("`{}` cannot be read: run quickstart with --new-password", self.context_file.display()),
            )
        })
    }

    fn publish(&self, client: &Client) -> Result<(), Exit> {
        for account in &self.accounts {
            client.put(&format!("environments/{ENVIRONMENT}/accounts/{}", account.name), &account.binding)?;
        }
        for project in self.projects() {
            client.post(&format!("projects/{}/versions", project.name), &json!({"files": project.files()}))?;
            client.put(&format!("environments/{ENVIRONMENT}/deployments/{}", project.name), &json!({}))?;
        }
        Ok(())
    }

    /// What can be deployed with the endpoints that are there.
    fn projects(&self) -> impl Iterator<Item = &'static sample::Project> {
        let more: &[_] = if self.without_database.is_none() { &sample::WITH_DATABASE } else { &[] };
        [&sample::ORDERS].into_iter().chain(more)
    }

    fn json(&self) -> Value {
        json!({
            "listener_url": self.url,
            "order_url": self.order_url(),
            "admin_url": format!("{}/admin/v1", self.url),
            "ca_file": self.ca_file.display().to_string(),
            "context_file": self.context_file.display().to_string(),
            "tenant": TENANT,
            "environment": ENVIRONMENT,
            "user": ADMINISTRATOR,
            "password": self.password.as_ref().map(Password::expose),
            "projects": self.projects().map(|project| project.name).collect::<Vec<_>>(),
            "without_database": self.without_database,
            "sftp": self.files,
        })
    }

    fn text(&self, reply: &str, took: Duration, ready: Duration, endpoints: &Endpoints, once: bool) -> String {
        let password = self.password.as_ref().map_or("(as before; --new-password makes a new one)", Password::expose);
        let files: String = endpoints.files().iter().map(|(path, size)| format!("  {path}  {size} bytes\n")).collect();
        let database = match &self.without_database {
            None => "the practice database is up: customers-from-db is deployed, and nightly-export, whose files \
                     will be export/orders-DATE.csv"
                .to_owned(),
            Some(reason) => format!("no practice database, so one project is deployed and not three: {reason}"),
        };
        let mut text = format!(
            "the sample order went through both gates, was looked up, mapped and handed to the practice ERP in {:.1} ms:\n  \
             {reply}\non the practice file server:\n{files}{database}\n\n\
             server     {url}\n\
             listener   {url}/{TENANT}/{ENVIRONMENT}/…\n\
             admin API  {url}/admin/v1\n\
             tenant     {TENANT}, environment {ENVIRONMENT}\n\
             user       {ADMINISTRATOR}\n\
             password   {password}\n\
             CA file    {ca}\n\
             data       {data}\n\
             files      {address} as {username}, password {secret}\n\
             host key   {host_key}\n",
            took.as_secs_f64() * 1_000.0,
            url = self.url,
            ca = self.ca_file.display(),
            address = self.files.address,
            username = self.files.username,
            secret = self.files.password,
            host_key = self.files.host_key,
            data = self.data.display(),
        );
        text.push_str(&format!("ready after {:.1} s\n", ready.as_secs_f64()));
        if !once {
            text.push_str(&format!(
                "\ntry, in another terminal:\n  \
                 export LOCKGATE_CONTEXT={context}   # signed in as the administrator\n  \
                 curl --cacert {ca} -u {ADMINISTRATOR} --json @orchestrations/order-to-erp/sample.json {order}\n  \
                 sftp -P {port} {username}@{host}:orders/order-SO-1000009.json   # the file; compare the host key, and give the password of `files`\n  \
                 {program} runs list --env {ENVIRONMENT}\n  \
                 {program} logs --env {ENVIRONMENT}\n  \
                 {program} user add bob --profile monitor   # a second user, who may not run it\n  \
                 {program} access why bob {name} --env {ENVIRONMENT}\n  \
                 {program} audit verify\n\n\
                 stop with Ctrl-C",
                context = self.context_file.display(),
                ca = self.ca_file.display(),
                order = self.order_url(),
                port = self.files.port(),
                host = self.files.host(),
                username = self.files.username,
                program = std::env::current_exe().map_or_else(|_| "lockgate".to_owned(), |p| p.display().to_string()),
                name = sample::ORDERS.name,
            ));
        }
        text
    }
}

/// An API key for the administrator, so that commands work over restarts of this server.
fn key(client: &Client) -> Result<String, Exit> {
    let value = client.post(&format!("users/{ADMINISTRATOR}/keys"), &json!({"days": 397}))?;
    let key = value.get("key").and_then(Value::as_str).map(str::to_owned);
    key.ok_or_else(|| Exit::failed("LG-QUICKSTART", "the server made no key"))
}

impl Prepared {
    /// Sends the sample order; returns the reply.
    fn order(&self, ready: &Ready) -> Result<String, Exit> {
        let client = Client::new(&ready.url, self.identity.clone(), TENANT.into(), Some(self.authorization.clone()))?;
        let path = format!("/{}/{}/{}", segment(TENANT), segment(ENVIRONMENT), sample::ORDERS.name);
        let answer = client.send(Method::POST, &path, Some(sample::ORDER.into()))?;
        if !answer.status.is_success() {
            judge(&answer)?;
        }
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}
