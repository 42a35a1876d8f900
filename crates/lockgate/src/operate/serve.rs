//! `lockgate serve --data DIR`: listeners and the admin API on one TLS port.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use lockgate_keys::Identity;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    exit::Exit,
    operate::{
        installation::Installation,
        machine,
        server::{self, Listening},
    },
    output::Output,
};

/// Arguments of `serve`.
#[derive(Args)]
pub struct Serve {
    /// Data directory; made when it is not there.
    #[arg(long)]
    data: PathBuf,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// DNS name or address the server is reached by, for the certificate its own CA issues.
    #[arg(long = "name", default_values = ["localhost", "127.0.0.1", "::1"])]
    names: Vec<String>,
    /// Certificate chain (PEM) instead of one from the installation's own CA.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
}

impl Serve {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        machine::close_up()?;
        server::log(output.is_json(), "info");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve(output))
    }

    async fn serve(self, output: &Output) -> Result<(), Exit> {
        let installation = Installation::open(&self.data).await?;
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let own = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => given(cert, key)?,
            _ => installation.certificate(&names)?,
        };
        let ca = installation.write_ca(&self.data)?;
        let listening = Listening::open(&self.data, self.listen, &own, installation.runtime.clone()).await?;
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
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listening.serve(stopped));
        server::signal().await?;
        output.note("stopping: requests in flight may end");
        let _ = stop.send(true);
        match serving.await {
            Ok(drained) if drained.dropped > 0 => {
                output.note(&format!("{} connection(s) were dropped", drained.dropped))
            }
            Ok(_) => {}
            Err(_) => return Err(Exit::failed("LG-SERVE", "the server ended with a defect; the log has the details")),
        }
        Ok(())
    }
}

fn given(cert: &std::path::Path, key: &std::path::Path) -> Result<Identity, Exit> {
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())))
    };
    Identity::from_pem(&read(cert)?, &read(key)?)
        .map_err(|e| Exit::Usage(format!("the certificate cannot be used: {e}")))
}
