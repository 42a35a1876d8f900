//! A practice database: customers and their orders, in a PostgreSQL server of its own.

use crate::cluster::{Cluster, Setup, Unavailable};

/// The role that signs in to the practice database.
pub const USERNAME: &str = "practice";
/// The practice database.
pub const DATABASE: &str = "practice";

/// A running practice database; it ends, and its data with it, when dropped or when this process
/// ends in whatever way.
#[derive(Debug)]
pub struct Database(Cluster);

impl Database {
    /// Starts it with the certificate of a server on `localhost`, and a password for its role: letters
    /// and digits. Blocks for some seconds.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start: the reason, for people.
    pub fn start(certificate_pem: &str, key_pem: &str, password: &str) -> Result<Self, Unavailable> {
        if password.is_empty() || !password.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Unavailable("the password of the practice database must be letters and digits".to_owned()));
        }
        let role = format!(
            "create role {USERNAME} login password '{password}';\n\ncreate database {DATABASE} owner {USERNAME};\n\n"
        );
        let cluster = Cluster::start(&Setup {
            certificate_pem,
            key_pem,
            client_ca_pem: None,
            access: "hostssl practice practice 127.0.0.1/32 scram-sha-256\n",
            settings: "",
            statements: &[("postgres", &role), (DATABASE, include_str!("sample.sql"))],
        })?;
        Ok(Self(cluster))
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.0.port()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpStream,
        process::{Command, Stdio},
        time::Duration,
    };

    use lockgate_testkit::{Pki, pki::Server, skip, wait_until};

    use super::*;

    /// Set for the test below when it is the process that is killed.
    const KILLED: &str = "LOCKGATE_TEST_POSTGRES_KILLED";

    fn start() -> Option<Database> {
        let server = Pki::new().server(Server::Good);
        let started = Database::start(&server.certificate_pem(), &server.key_pem(), "practice1");
        started.map_err(|reason| skip("the practice database", &reason.to_string())).ok()
    }

    #[test]
    fn a_password_is_no_part_of_a_statement() {
        assert!(Database::start("", "", "").is_err());
        assert!(Database::start("", "", "a'; drop role postgres; --").unwrap_err().to_string().contains("letters"));
    }

    #[test]
    fn it_ends_with_its_value() {
        let Some(database) = start() else { return };
        let (port, folder) = (database.port(), database.0.folder().to_owned());
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok() && folder.join("data").is_dir());
        assert!(!database.0.log().contains("ERROR"), "{}", database.0.log());
        drop(database);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "it still listens");
        assert!(!folder.exists(), "{} is left", folder.display());
    }

    #[test]
    fn it_ends_when_its_process_is_killed() {
        if std::env::var_os(KILLED).is_some() {
            let database = start().unwrap();
            println!("port {} folder {}", database.port(), database.0.folder().display());
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
        if start().is_none() {
            return;
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "postgres::tests::it_ends_when_its_process_is_killed", "--nocapture"])
            .env(KILLED, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let line = lines.map_while(Result::ok).find_map(|l| l.split_once("port ").map(|(_, rest)| rest.to_owned()));
        let line = line.unwrap();
        let (port, folder) = line.split_once(" folder ").unwrap();
        let port: u16 = port.parse().unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        child.kill().unwrap();
        child.wait().unwrap();
        wait_until("the end of the server and its folder", Duration::from_secs(20), || {
            TcpStream::connect(("127.0.0.1", port)).is_err() && !std::path::Path::new(folder).exists()
        });
    }
}
