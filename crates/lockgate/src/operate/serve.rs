//! `lockgate serve --data DIR`: listeners and the admin API on one TLS port.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use clap::Args;
use lockgate_connector_api::Registry;
use lockgate_keys::{ClientCertificates, Identity, Versions};
use lockgate_listener::Settings;
use lockgate_model::{RunId, definition::ServerIdentity};
use lockgate_runtime::Runtime;
use lockgate_telemetry::{Collector, Tracer};
use serde_json::json;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    exit::Exit,
    operate::{
        installation::Installation,
        keeper::KeeperArgs,
        machine,
        reach::Reach,
        server::{self, Listening, Signals},
    },
    output::Output,
};

/// Arguments of `serve`.
#[derive(Args)]
pub struct Serve {
    /// Data directory; made when it is not there.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    keeper: KeeperArgs,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// DNS name or address the server is reached by, for the certificate its own CA issues.
    #[arg(long = "name", default_values = server::NAMES)]
    names: Vec<String>,
    /// Address that browsers reach the server by, which passkeys are for: https://NAME, with a port unless it is 443. Unless
    /// given it is the first name that is a DNS name, with the port it listens on.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// Certificate chain (PEM) instead of one from the installation's own CA.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// Ask clients for a certificate, which they need not show; whose it is, `user certificate add` says.
    /// Browsers that have certificates may ask their users which one to show.
    #[arg(long)]
    client_certificates: bool,
    /// When asked to stop: requests in flight may take so many seconds more.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    grace: u64,
    /// Memory for the bodies of all requests together, in MiB; what comes on top is answered 503.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    bodies: u32,
    /// OpenTelemetry collector that traces go to, such as https://collector.example:4318 (OTLP over
    /// HTTP); none unless given.
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
    /// CA certificate (PEM) that the collector proves itself with; this machine's roots when absent.
    #[arg(long, value_name = "FILE", requires = "otlp")]
    otlp_ca: Option<PathBuf>,
}

impl Serve {
    /// Runs the command.
    pub fn run(self, connectors: &Arc<Registry>, output: &Output) -> Result<(), Exit> {
        machine::close_up()?;
        server::log(output.is_json(), "info");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve(Arc::clone(connectors), output))
    }

    async fn serve(self, connectors: Arc<Registry>, output: &Output) -> Result<(), Exit> {
        // What is given is read before anything is made or told.
        let collector = self.collector()?;
        let installation = Installation::open(&self.data, &self.keeper.keeper()?, connectors).await?;
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let own = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => given(cert, key)?,
            _ => installation.own_certificate(&self.data, &names)?,
        };
        let ca = installation.write_ca(&self.data)?;
        let clients = match self.client_certificates {
            true => ClientCertificates::Shown,
            false => ClientCertificates::None,
        };
        let runtime = installation.runtime.clone();
        let listening = Listening::open(&self.data, self.listen, (&own, &clients), runtime).await?;
        match &self.origin {
            Some(origin) => {
                listening.reached_by(origin).map_err(|e| Exit::Usage(format!("--origin cannot be `{origin}`: {e}")))?;
            }
            // Names that are addresses alone: the server has no passkeys, and says so when it is asked for one.
            None => drop(names.iter().find(|name| listening.reached_by(&listening.origin(name)).is_ok())),
        }
        match (&self.cert, names.first()) {
            (None, Some(name)) => Reach::new(name, listening.address.port(), Some(std::path::absolute(&ca)?)),
            _ => Reach::new(&listening.address.ip().to_string(), listening.address.port(), None),
        }
        .write(&self.data)?;
        let url = format!("https://{}", listening.address);
        let ready =
            json!({"ready": true, "url": url, "fingerprint": own.fingerprint(), "ca_file": ca.display().to_string()});
        output.result(&ready, || {
            format!(
                "serving {url}\n  certificate fingerprint  {}\n  CA of this installation  {}\n  operator                 lockgate operator tenant create NAME --data {}",
                own.fingerprint(),
                ca.display(),
                self.data.display()
            )
        });
        let (drained, exported) = watch::channel(false);
        let exporting = collector.map(|collector| export(collector, &installation.runtime, exported));
        let (stop, stopped) = watch::channel(false);
        let settings = Settings {
            drain_ms_max: self.grace.saturating_mul(1_000),
            bodies_bytes_max: usize::try_from(self.bodies).unwrap_or(usize::MAX).saturating_mul(1 << 20),
            ..Settings::default()
        };
        let mut signals = Signals::listen()?;
        let serving = tokio::spawn(listening.serve(settings, stopped));
        signals.next().await;
        output.note("stopping: requests in flight may end; ask once more to end at once");
        let _ = stop.send(true);
        let ending = async {
            let served = serving.await;
            Reach::clear(&self.data);
            let _ = drained.send(true);
            if let Some(exporting) = exporting {
                let _ = exporting.await;
            }
            served
        };
        match signals.unless_again(ending).await {
            Ok(drained) if drained.dropped > 0 => {
                output.note(&format!("{} connection(s) were dropped", drained.dropped))
            }
            Ok(_) => {}
            Err(_) => return Err(Exit::failed("LG-SERVE", "the server ended with a defect; the log has the details")),
        }
        Ok(())
    }
}

impl Serve {
    /// Where traces go, if that is wanted.
    fn collector(&self) -> Result<Option<Collector>, Exit> {
        let Some(address) = &self.otlp else { return Ok(None) };
        let unusable = |e: &dyn std::fmt::Display| Exit::Usage(format!("cannot send traces to `{address}`: {e}"));
        let identity = match &self.otlp_ca {
            Some(path) => ServerIdentity::Ca(
                std::fs::read_to_string(path)
                    .map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())))?,
            ),
            None => ServerIdentity::System,
        };
        let tls =
            lockgate_keys::client_config(&identity, None, Versions::Both, &[b"http/1.1"]).map_err(|e| unusable(&e))?;
        // A start is an instance: its run-like id is as good a name as any.
        Collector::new(address, tls, RunId::new().to_string()).map(Some).map_err(|e| unusable(&e))
    }
}

/// Begins to send traces; goes on until `stop`.
fn export(collector: Collector, runtime: &Runtime, stop: watch::Receiver<bool>) -> JoinHandle<()> {
    let (tracer, exporter) = Tracer::new();
    let telemetry = runtime.telemetry().clone();
    telemetry.trace_to(tracer);
    tokio::spawn(exporter.run(collector, telemetry, server::stopped(stop)))
}

fn given(cert: &std::path::Path, key: &std::path::Path) -> Result<Identity, Exit> {
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())))
    };
    Identity::from_pem(&read(cert)?, &read(key)?)
        .map_err(|e| Exit::Usage(format!("the certificate cannot be used: {e}")))
}
