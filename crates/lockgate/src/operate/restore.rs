//! `lockgate restore FILE --data DIR`: into a directory that holds nothing but the master key.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::PathBuf,
};

use clap::Args;
use indicatif::ProgressBar;
use lockgate_keys::Secret;
use lockgate_runtime::{Clock, restore};
use serde_json::json;

use crate::{
    exit::Exit,
    operate::{backup::passphrase, keeper::KeeperArgs},
    output::Output,
};

/// Arguments of `restore`.
#[derive(Args)]
pub struct Restore {
    /// The archive.
    file: PathBuf,
    /// Data directory with nothing in it, or with `master.key` alone, the master key of the installation.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    keeper: KeeperArgs,
    /// The passphrase that the archive was encrypted with, if it was.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Restore {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let name = self.file.display();
        let unread = |e: std::io::Error| Exit::Usage(format!("cannot read `{name}`: {e}"));
        let file = File::open(&self.file).map_err(unread)?;
        let bytes = file.metadata().map_err(unread)?.len();
        let passphrase = self.passphrase_file.as_deref().map(passphrase).transpose()?.map(Secret::from);
        let keeper = self.keeper.keeper()?;
        let from = Metered { file: BufReader::new(file), bar: output.bytes_bar(bytes) };
        let restored = restore(from, &self.data, &keeper, passphrase.as_ref(), Clock::system().now())
            .map_err(|e| Exit::failed(e.code(), e.to_string()))?;
        let value = json!({"at": restored.at, "configuration": restored.configuration});
        output.result(&value, || {
            let (at, data) = (restored.at, self.data.display());
            format!("restored into `{data}` as it was at {at}\n  configuration  {}", restored.configuration)
        });
        Ok(())
    }
}

struct Metered {
    file: BufReader<File>,
    bar: ProgressBar,
}

impl Read for Metered {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(to)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
