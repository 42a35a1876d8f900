//! `lockgate backup FILE --data DIR`: asks the server that serves the directory, over its socket, or opens the directory
//! where none does.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use http::Method;
use http_body_util::BodyExt;
use indicatif::ProgressBar;
use lockgate_connector_api::Registry;
use lockgate_keys::Keeper;
use lockgate_runtime::SecretText;
use serde_json::json;

use crate::{
    client::{Answer, judge},
    exit::Exit,
    operate::{
        installation::Installation,
        keeper::KeeperArgs,
        operator::{self, SOCKET},
    },
    output::Output,
};

/// Arguments of `backup`.
#[derive(Args)]
pub struct Backup {
    /// The archive; it must not be there.
    file: PathBuf,
    /// Data directory of the installation.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    keeper: KeeperArgs,
    /// Encrypt it with the passphrase in this file instead of the master key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// The passphrase in a file, without the end of its line.
pub fn passphrase(file: &Path) -> Result<String, Exit> {
    let text = fs::read_to_string(file)
        .map_err(|e| Exit::Usage(format!("cannot read the passphrase in `{}`: {e}", file.display())))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

impl Backup {
    /// Runs the command.
    pub fn run(self, connectors: &Arc<Registry>, output: &Output) -> Result<(), Exit> {
        let passphrase = self.passphrase_file.as_deref().map(passphrase).transpose()?;
        let archive = Unfinished::create(&self.file)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let done = match runtime.block_on(from_server(&self.data.join(SOCKET), passphrase.as_deref(), &archive, output))
        {
            // Nobody serves it.
            Err(Exit::Unavailable(_)) => {
                let keeper = self.keeper.keeper()?;
                runtime.block_on(from_directory(&self.data, &keeper, passphrase, connectors, &archive, output))
            }
            done => done,
        };
        let configuration = done?;
        let bytes = archive.finish(&self.file)?;
        let file = self.file.display().to_string();
        output.result(&json!({"file": file, "bytes": bytes, "configuration": configuration}), || {
            format!("backup `{file}` was written: {bytes} bytes\n  configuration  {configuration}\nkeep the master key elsewhere: it is not in it")
        });
        Ok(())
    }
}

async fn from_server(
    socket: &Path,
    passphrase: Option<&str>,
    archive: &Unfinished,
    output: &Output,
) -> Result<String, Exit> {
    let asked = json!({"passphrase": passphrase});
    let (parts, mut body) = operator::ask(socket, Method::POST, "/operator/backup", Some(&asked)).await?.into_parts();
    let ended = |e: &dyn std::fmt::Display| Exit::failed("LG-BACKUP", format!("the server ended the backup: {e}"));
    if !parts.status.is_success() {
        let body = body.collect().await.map_err(|e| ended(&e))?.to_bytes();
        return Err(match judge(&Answer { status: parts.status, headers: parts.headers, body }) {
            // There is a server: its directory cannot be opened besides.
            Err(Exit::Unavailable(message)) => Exit::failed("LG-BACKUP", message),
            Err(exit) => exit,
            Ok(_) => Exit::failed("LG-ANSWER", "the server's answer cannot be read"),
        });
    }
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut written = archive.metered(header("lockgate-bytes").parse().unwrap_or(0), output);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|e| ended(&e))?.into_data() {
            written.write_all(&data)?;
        }
    }
    Ok(header("lockgate-configuration").to_owned())
}

async fn from_directory(
    data: &Path,
    keeper: &Keeper,
    passphrase: Option<String>,
    connectors: &Arc<Registry>,
    archive: &Unfinished,
    output: &Output,
) -> Result<String, Exit> {
    // To open a directory makes what is missing in it.
    if !data.join("definitions.sqlite").is_file() {
        return Err(Exit::Usage(format!("there is no installation in `{}`", data.display())));
    }
    let installation = Installation::open(data, keeper, Arc::clone(connectors)).await?;
    let refused = |e: lockgate_runtime::Error| Exit::failed(e.code(), e.to_string());
    let passphrase = passphrase.map(SecretText::new);
    let backup = installation.runtime.operator_backup(data, passphrase.as_ref()).await.map_err(refused)?;
    let configuration = backup.configuration().to_string();
    let metered = archive.metered(backup.bytes(), output);
    backup.write(metered).map_err(refused)?;
    Ok(configuration)
}

/// An archive that gets its name when it is whole.
struct Unfinished {
    path: PathBuf,
    file: File,
}

impl Unfinished {
    fn create(name: &Path) -> Result<Self, Exit> {
        let refused = |e: &dyn std::fmt::Display| Exit::Usage(format!("cannot write `{}`: {e}", name.display()));
        if name.symlink_metadata().is_ok() {
            return Err(refused(&"it is there already"));
        }
        let mut path = name.as_os_str().to_owned();
        path.push(".partial");
        let path = PathBuf::from(path);
        // Of a backup that was killed.
        let _ = fs::remove_file(&path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(|e| refused(&e))?;
        Ok(Self { path, file })
    }

    /// Writes into it, and shows how much of so many bytes.
    fn metered(&self, bytes: u64, output: &Output) -> Metered<'_> {
        Metered { file: &self.file, bar: output.bytes_bar(bytes) }
    }

    /// Durable, and under its name; answers its length.
    fn finish(self, name: &Path) -> Result<u64, Exit> {
        let wrong = |e: std::io::Error| Exit::failed("LG-BACKUP", format!("cannot write `{}`: {e}", name.display()));
        self.file.sync_all().map_err(wrong)?;
        fs::hard_link(&self.path, name).map_err(wrong)?;
        self.file.metadata().map(|found| found.len()).map_err(wrong)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

struct Metered<'a> {
    file: &'a File,
    bar: ProgressBar,
}

impl Write for Metered<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bar.inc(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Metered<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
