//! Servers of the connector and accounts on them, as the tests here use them.

use std::{path::PathBuf, sync::LazyLock};

use lockgate_connector_api::{Address, Config, Egress, Error, Registry, Scheme, Secret};
use lockgate_connector_sftp::Sftp;
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::{
    contract::{
        CANARY, context,
        files::{self, Account, Unusual},
        loopback,
    },
    ssh_peer::{Openssh, Proftpd, Shown, SshKeys},
};

/// Keys of all servers and users of this test.
pub static KEYS: LazyLock<SshKeys> = LazyLock::new(|| SshKeys::new(CANARY));

/// The servers every test runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Signs in by an Ed25519 key; begins in its folder.
    Openssh,
    /// Signs in by password; its folder is its root.
    Proftpd,
}

/// A running server.
pub enum Server {
    Openssh(Openssh),
    Proftpd(Proftpd),
}

impl Server {
    pub fn start_as(kind: Kind, shown: Shown) -> Option<Self> {
        match kind {
            Kind::Openssh => Openssh::start(&KEYS, shown).map(Self::Openssh),
            Kind::Proftpd => Proftpd::start(&KEYS, CANARY, shown).map(Self::Proftpd),
        }
    }

    /// One whose [`Server::requests`] counts requests, and not only attempts to sign in.
    pub fn start_telling(kind: Kind, shown: Shown) -> Option<Self> {
        match kind {
            Kind::Openssh => Openssh::start_telling(&KEYS, shown).map(Self::Openssh),
            Kind::Proftpd => Self::start_as(kind, shown),
        }
    }

    /// Attempts to sign in and folders listed, as the server's log tells.
    pub fn requests(&self) -> usize {
        match self {
            Self::Openssh(server) => server.log("userauth-request for user") + server.log("opendir \""),
            Self::Proftpd(server) => server.log("PASS ") + server.log("OPENDIR "),
        }
    }

    /// The base path of an account whose files are the server's folder.
    pub fn base(&self) -> String {
        match self {
            Self::Openssh(server) => server.files().to_str().unwrap().to_owned(),
            Self::Proftpd(_) => String::new(),
        }
    }
}

impl files::Server for Server {
    fn port(&self) -> u16 {
        match self {
            Self::Openssh(server) => server.port(),
            Self::Proftpd(server) => server.port(),
        }
    }

    fn files(&self) -> PathBuf {
        match self {
            Self::Openssh(server) => server.files(),
            Self::Proftpd(server) => server.files(),
        }
    }

    fn renamed(&self) -> Option<usize> {
        match self {
            Self::Openssh(_) => None,
            Self::Proftpd(server) => Some(server.log("RENAME")),
        }
    }
}

impl files::Kind for Kind {
    type Server = Server;

    const ALL: &'static [Self] = &[Self::Openssh, Self::Proftpd];

    fn start(self) -> Option<Server> {
        Server::start_as(self, Shown::Own)
    }

    fn start_plain(self) -> Option<Server> {
        match self {
            Self::Openssh => Openssh::start_plain(&KEYS).map(Server::Openssh),
            Self::Proftpd => Proftpd::start_plain(&KEYS, CANARY).map(Server::Proftpd),
        }
    }

    fn start_drop_box(self) -> Option<Server> {
        (self == Self::Openssh).then(|| Openssh::start_drop_box(&KEYS).map(Server::Openssh)).flatten()
    }

    fn open(self, unusual: Unusual<'_, Server>) -> Account {
        let Unusual { server, port, below, settings } = unusual;
        let mut opening = Opening::usual(self);
        opening.base = server.map(Server::base).unwrap_or_default() + below;
        opening.settings.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        opening.open(port).unwrap()
    }

    fn takes_lines(self) -> bool {
        false
    }

    fn connections(self, _: usize) -> usize {
        1
    }

    fn opens_new(self) -> bool {
        true
    }

    /// ProFTPD looks first and renames then.
    fn renames_without_replacing(self) -> bool {
        self == Self::Openssh
    }

    /// OpenSSH serves as the one who runs the test.
    fn has_its_users_rights(self) -> bool {
        self == Self::Proftpd
    }
}

/// What is not as usual in an account.
pub struct Opening {
    pub base: String,
    pub host_key: String,
    pub settings: Fields,
    pub secrets: Fields,
    pub egress: Egress,
}

impl Opening {
    pub fn usual(kind: Kind) -> Self {
        let host_key = match kind {
            Kind::Openssh => KEYS.fingerprint("host_ed25519"),
            Kind::Proftpd => KEYS.public("host_rsa"),
        };
        let (settings, mut secrets) = sign_in(kind);
        if kind == Kind::Openssh {
            // A sealed key takes long to open; what is about sealed keys takes it explicitly.
            secrets = vec![("private_key", KEYS.private("user_plain"))];
        }
        Self { base: String::new(), host_key, settings, secrets, egress: loopback() }
    }

    pub fn open(self, port: u16) -> Result<Account, Error> {
        let cx = context(self.egress);
        let mut registry = Registry::new();
        registry.add::<Sftp>();
        let scheme = Scheme { name: "sftp", port: 22 };
        let config = Config {
            address: Address::parse(scheme, true, &format!("sftp://localhost:{port}{}", self.base)).unwrap(),
            identity: ServerIdentity::HostKey(self.host_key),
            settings: self.settings.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            secrets: self.secrets.into_iter().map(|(k, v)| (k.to_owned(), Secret::new(v))).collect(),
            tls: None,
        };
        Ok(Account { opened: registry.get("sftp").unwrap().open(config, &cx)?, cx })
    }
}

/// Settings or secrets by name.
pub type Fields = Vec<(&'static str, String)>;

/// Settings and secrets with which a server lets us in.
pub fn sign_in(kind: Kind) -> (Fields, Fields) {
    match kind {
        Kind::Openssh => (
            vec![("username", Openssh::user())],
            vec![("private_key", KEYS.private("user_ed25519")), ("passphrase", CANARY.to_owned())],
        ),
        Kind::Proftpd => (
            vec![("username", Proftpd::USER.to_owned()), ("auth", "password".to_owned())],
            vec![("password", CANARY.to_owned())],
        ),
    }
}
