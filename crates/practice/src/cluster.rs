//! A PostgreSQL server of one's own: a fresh cluster in a private folder, reached over TLS on
//! loopback alone.
//!
//! The server's programs must be installed (Debian package `postgresql`); no service is touched. The
//! cluster ends with the value, and also when this process is killed: a small shell process holds
//! the server and ends it, folder and all, as soon as the pipe to this process closes.

use std::{
    fmt, fs, io,
    net::TcpListener,
    os::unix::{
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to come up: it writes a whole cluster first.
const START_MAX: Duration = Duration::from_secs(120);
/// How long it may take to end.
const END_MAX: Duration = Duration::from_secs(20);

/// What a cluster begins with.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The server's certificate chain in PEM.
    pub certificate_pem: &'a str,
    /// Its key in PEM.
    pub key_pem: &'a str,
    /// The CA whose client certificates are taken, in PEM.
    pub client_ca_pem: Option<&'a str>,
    /// Who may connect how: the lines of `pg_hba.conf`.
    pub access: &'a str,
    /// Further lines of `postgresql.conf`.
    pub settings: &'a str,
    /// Statements run as superuser before it listens: a database, and what runs in it. Each ends in
    /// a semicolon and an empty line.
    pub statements: &'a [(&'a str, &'a str)],
}

/// Why there is no server; for people.
#[derive(Debug)]
pub struct Unavailable(pub(crate) String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        Self(format!("PostgreSQL could not be started: {error}"))
    }
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    keeper: Child,
    /// Closed to end it.
    line: Option<ChildStdin>,
}

/// Makes the cluster, runs the server, and ends both when standard input closes.
const KEEPER: &str = r#"
set -eu
bin=$1 folder=$2 port=$3
cd "$folder"
finish() {
    pid=$(head -n 1 data/postmaster.pid 2>/dev/null) && kill -INT "$pid" 2>/dev/null || true
    wait
    cd / && rm -rf "$folder"
}
trap finish EXIT
trap '' INT HUP TERM
(
    "$bin/initdb" -D data -U postgres -A reject -E UTF8 --locale=C --no-sync || exit 1
    cp access data/pg_hba.conf && cat settings >> data/postgresql.conf || exit 1
    for file in statements.*; do
        [ -e "$file" ] || continue
        database=${file#statements.*.}
        # A statement may hold a password: it is not logged when it fails.
        "$bin/postgres" --single -j -c exit_on_error=on -c log_min_error_statement=panic -c log_statement=none \
            -D data "$database" < "$file" || exit 1
    done
    exec "$bin/postgres" -D data -p "$port"
) >> log 2>&1 < /dev/null || touch ended &
cat > /dev/null
"#;

impl Cluster {
    /// Starts a server. Blocks for some seconds.
    ///
    /// # Errors
    /// When its programs are not installed or it does not come up.
    pub fn start(setup: &Setup<'_>) -> Result<Self, Unavailable> {
        let programs = programs().ok_or_else(|| {
            Unavailable("the programs of a PostgreSQL server are not installed (Debian package `postgresql`)".into())
        })?;
        let folder = private_folder()?;
        Self::start_in(&programs, &folder, setup).inspect_err(|_| {
            // The keeper has removed it if it ever ran.
            let _ = fs::remove_dir_all(&folder);
        })
    }

    fn start_in(programs: &Path, folder: &Path, setup: &Setup<'_>) -> Result<Self, Unavailable> {
        // Free now; whoever takes it before the server does makes the start fail, plainly.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        // The server never runs as root.
        let user = match fs::metadata(folder)?.uid() {
            0 => Some(unprivileged("postgres")?.ok_or_else(|| {
                Unavailable("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`".into())
            })?),
            _ => None,
        };
        let file = |name: &str, content: &str| -> io::Result<()> {
            let path = folder.join(name);
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            io::Write::write_all(&mut file, content.as_bytes())?;
            user.map_or(Ok(()), |(uid, gid)| std::os::unix::fs::chown(&path, Some(uid), Some(gid)))
        };
        let quoted = folder.display();
        let mut settings = format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nssl = on\n\
             ssl_cert_file = '{quoted}/server.crt'\nssl_key_file = '{quoted}/server.key'\n\
             password_encryption = 'scram-sha-256'\nfsync = off\nshared_buffers = 16MB\nmax_connections = 50\n"
        );
        if let Some(ca) = setup.client_ca_pem {
            file("client-ca.crt", ca)?;
            settings.push_str(&format!("ssl_ca_file = '{quoted}/client-ca.crt'\n"));
        }
        settings.push_str(setup.settings);
        file("server.crt", setup.certificate_pem)?;
        file("server.key", setup.key_pem)?;
        file("access", setup.access)?;
        file("settings", &settings)?;
        for (at, (database, statements)) in setup.statements.iter().enumerate() {
            file(&format!("statements.{at:02}.{database}"), statements)?;
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", KEEPER, "postgres-keeper"]).arg(programs).arg(folder).arg(port.to_string());
        // A group of its own: an interrupt at the terminal reaches this process, which ends it.
        command.process_group(0).current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder, Some(uid), Some(gid))?;
            command.uid(uid).gid(gid);
        }
        let mut keeper = command.spawn()?;
        let line = keeper.stdin.take();
        let cluster = Self { folder: folder.to_owned(), port, keeper, line };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    fn wait_until_ready(&self) -> Result<(), Unavailable> {
        let end = Instant::now() + START_MAX;
        loop {
            let state = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            if self.folder.join("ended").exists() || Instant::now() > end {
                let log = self.log();
                let last: Vec<&str> = log.lines().rev().take(3).collect();
                let last = last.into_iter().rev().collect::<Vec<_>>().join("; ");
                return Err(Unavailable(format!("PostgreSQL did not start: {last}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder: the cluster is in `data`, the certificate in `server.crt` and `server.key`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.line.take());
        let end = Instant::now() + END_MAX;
        while matches!(self.keeper.try_wait(), Ok(None)) {
            if Instant::now() > end {
                // It ends by itself later; waiting longer would hold up whoever drops it.
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let version = entry.file_name().to_str().and_then(|name| name.parse().ok());
        folders.extend(version.map(|version| (version, entry.path().join("bin"))));
    }
    folders.sort_unstable();
    let installed = folders.into_iter().rev().map(|(_, folder)| folder);
    let elsewhere = ["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from);
    installed
        .chain(elsewhere)
        .find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

fn private_folder() -> io::Result<PathBuf> {
    let process = std::process::id();
    let mut last = io::ErrorKind::AlreadyExists.into();
    for number in 0..1_000 {
        let folder = std::env::temp_dir().join(format!("lockgate-postgres-{process}-{number}"));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {
                // The mode asked for passes through the umask.
                fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
                return Ok(folder);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

/// User and group that a server runs as where this process is root: the one of that name, or
/// `nobody`; none where there is neither.
///
/// # Errors
/// When the users of this machine cannot be read.
pub fn unprivileged(name: &str) -> io::Result<Option<(u32, u32)>> {
    let users = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let mut fields = users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Ok(find(name).or_else(|| find("nobody")))
}
