//! A MariaDB server for tests: TLS alone, certificates from [`Pki`], a user for each way to sign in.
//!
//! | user | signs in by |
//! |---|---|
//! | `app` | password (`mysql_native_password`) |
//! | `client` | a client certificate of that name |
//! | `both` | both |
//! | `old` | password by `mysql_old_password` |
//!
//! All passwords are [`CANARY`](crate::contract::CANARY), the database is `peer`, which is all of
//! `app`'s; `admin` may do everything. The server's programs must be installed (Debian package
//! `mariadb-server-core`); no service is touched. The server ends with the value, and also when this
//! process is killed: a small shell process holds it and ends it, folder and all, as soon as the pipe
//! to this process closes.

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use lockgate_practice::cluster::unprivileged;

use crate::{
    contract::CANARY,
    pki::{Identity, Pki, Server},
    process::installed,
    skip, temp_dir, wait_until,
};

/// A running server; it ends when dropped, and with the test's process.
#[derive(Debug)]
pub struct Mariadb {
    folder: PathBuf,
    port: u16,
    keeper: Child,
    /// A line is a restart, its end is the server's.
    line: Option<ChildStdin>,
}

/// Where the tables of a new server are described, and what the names of those files begin with.
const SHARED: [(&str, &str); 2] = [("/usr/share/mysql", "mysql"), ("/usr/share/mariadb", "mariadb")];

/// Makes the data, runs the server, starts it anew for each line, and ends it when there is none.
const KEEPER: &str = r#"
set -eu
server=$1 folder=$2 port=$3
shift 3
cd "$folder"
pid=
finish() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    wait
    cd / && rm -rf "$folder"
}
trap finish EXIT
trap '' INT HUP TERM
run() {
    "$server" --no-defaults --datadir="$folder/data" --tmpdir="$folder" --innodb-buffer-pool-size=16M --innodb-log-file-size=4M \
        --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 "$@" >> log 2>&1 < "$input" &
    pid=$!
}
serve() {
    run --socket="$folder/socket" --pid-file="$folder/pid" --port="$port" --bind-address=127.0.0.1 \
        --skip-name-resolve --secure-auth=OFF --general-log=1 --general-log-file="$folder/statements" --ssl-cert="$folder/server.crt" \
        --ssl-key="$folder/server.key" --ssl-ca="$folder/client-ca.crt" --tls-version=TLSv1.2,TLSv1.3 "$@"
}
mkdir data
input=setup
run --bootstrap --enforce-storage-engine= --max-allowed-packet=8M
wait "$pid" || { tail -n 3 log >&2; exit 1; }
rm setup
input=/dev/null
serve "$@"
while read -r _; do
    kill -TERM "$pid" && wait "$pid" || true
    serve "$@"
done
"#;

impl Mariadb {
    /// Starts a server with a good certificate; none where MariaDB is not installed.
    pub fn start(pki: &Pki) -> Option<Self> {
        Self::start_with(pki, &["--require-secure-transport=ON"])
    }

    /// Starts one with other options than that it takes TLS alone, such as `--skip-ssl`.
    ///
    /// # Panics
    /// When it is installed and does not start.
    pub fn start_with(pki: &Pki, options: &[&str]) -> Option<Self> {
        let (Some(server), Some(setup)) = (installed("mariadbd"), setup()) else {
            skip("a test with MariaDB", "its programs are not installed (Debian package `mariadb-server-core`)");
            return None;
        };
        let folder = temp_dir().keep();
        let port = crate::free_port();
        // The server never runs as root.
        let user = match fs::metadata(&folder).unwrap().uid() {
            0 => Some(unprivileged("mysql").unwrap().expect("there is a user `mysql` or `nobody`")),
            _ => None,
        };
        let file = |name: &str, content: &str| {
            let path = folder.join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            user.into_iter().for_each(|(uid, gid)| chown(&path, Some(uid), Some(gid)).unwrap());
        };
        let identity = pki.server(Server::Good);
        file("server.crt", &identity.certificate_pem());
        file("server.key", &identity.key_pem());
        file("client-ca.crt", &pki.ca_pem());
        file("setup", &setup);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", KEEPER, "mariadb-keeper"]).arg(server).arg(&folder).arg(port.to_string()).args(options);
        // A group of its own: an interrupt at the terminal reaches this process, which ends it.
        command.process_group(0).current_dir("/").env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).unwrap();
            command.uid(uid).gid(gid);
        }
        let mut keeper = command.spawn().unwrap();
        let line = keeper.stdin.take();
        let server = Self { folder, port, keeper, line };
        server.wait_until_ready(1);
        Some(server)
    }

    fn wait_until_ready(&self, times: usize) {
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        wait_until("MariaDB to listen", Duration::from_secs(60), || {
            assert!(self.folder.is_dir(), "MariaDB has ended");
            log().matches("ready for connections").count() >= times
                && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder; `data` in it is the server's own.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The connections, statements and commands that it has taken.
    pub fn statements(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("statements")).unwrap_or_default()).into_owned()
    }

    /// Goes on with another certificate. Its connections end.
    ///
    /// # Panics
    /// When the server does not come back.
    pub fn serve_with(&self, identity: &Identity) {
        fs::write(self.folder.join("server.crt"), identity.certificate_pem()).unwrap();
        fs::write(self.folder.join("server.key"), identity.key_pem()).unwrap();
        let times = fs::read_to_string(self.folder.join("log")).unwrap().matches("ready for connections").count();
        let mut line = self.line.as_ref().expect("it runs until it is dropped");
        line.write_all(b"again\n").unwrap();
        self.wait_until_ready(times + 1);
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        drop(self.line.take());
        let _ = self.keeper.wait();
    }
}

/// The statements that make the server's own tables, the users and the database; none where the
/// tables are not described.
fn setup() -> Option<String> {
    let mut setup = "create database mysql;\nuse mysql;\n".to_owned();
    for name in ["system_tables", "performance_tables", "system_tables_data"] {
        let file = |(folder, first): &(&str, &str)| Path::new(folder).join(format!("{first}_{name}.sql"));
        let file = SHARED.iter().map(file).find_map(|file| fs::read_to_string(file).ok())?;
        setup.extend([&file, "\n"]);
    }
    setup.push_str(&format!(
        "flush privileges;
create database peer character set utf8mb4;
create user `app`@'%' identified by '{CANARY}' require ssl;
create user `admin`@'%' identified by '{CANARY}' require ssl;
create user `client`@'%' require subject '/CN=client';
create user `both`@'%' identified by '{CANARY}' require subject '/CN=both';
create user `old`@'%' identified via mysql_old_password using '606717496665bcba' require ssl;
grant all on peer.* to `app`@'%';
grant all on peer.* to `client`@'%';
grant all on peer.* to `both`@'%';
grant all on *.* to `admin`@'%' with grant option;
"
    ));
    Some(setup)
}
