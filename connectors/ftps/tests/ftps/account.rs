//! Servers of the connector and accounts on them, as the tests here use them.

use std::{path::PathBuf, sync::LazyLock};

use lockgate_connector_api::{Address, Config, Egress, Error, Registry, Scheme, Secret};
use lockgate_connector_ftps::Ftps;
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::{
    FtpServer, Pki,
    contract::{
        CANARY, context,
        files::{self, Account, Unusual},
        loopback,
    },
    ftp_peer::{Program, Setup},
    pki::Identity,
};

/// The CA of all servers and clients of this test.
pub static PKI: LazyLock<Pki> = LazyLock::new(Pki::new);

/// The servers every test runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// TLS is asked for.
    Proftpd,
    /// TLS begins with the connection.
    Implicit,
    /// It tells no facts to programs, so folders are read as people see them.
    Plain,
    PureFtpd,
}

impl Kind {
    pub fn setup(self) -> Setup<'static> {
        let proftpd = Setup::new(Program::Proftpd, CANARY);
        match self {
            Self::Proftpd => proftpd,
            Self::Implicit => Setup { is_implicit: true, ..proftpd },
            Self::Plain => Setup { more: "FactsAdvertise off\n", ..proftpd },
            Self::PureFtpd => Setup::new(Program::PureFtpd, CANARY),
        }
    }
}

/// A running server.
pub struct Server(pub FtpServer);

impl Server {
    pub fn start_as(setup: &Setup<'_>) -> Option<Self> {
        FtpServer::start(&PKI, setup).map(Self)
    }
}

impl files::Server for Server {
    fn port(&self) -> u16 {
        self.0.port()
    }

    fn files(&self) -> PathBuf {
        self.0.files()
    }

    fn renamed(&self) -> Option<usize> {
        Some(self.0.log("RNFR"))
    }
}

impl files::Kind for Kind {
    type Server = Server;

    const ALL: &'static [Self] = &[Self::Proftpd, Self::Implicit, Self::Plain, Self::PureFtpd];

    fn start(self) -> Option<Server> {
        Server::start_as(&self.setup())
    }

    fn start_plain(self) -> Option<Server> {
        let keeps = Setup { more: "AllowOverwrite off\n", ..self.setup() };
        (self == Self::Proftpd).then(|| Server::start_as(&keeps)).flatten()
    }

    fn start_drop_box(self) -> Option<Server> {
        let only_store = "<Limit RETR SIZE MDTM MLST MLSD LIST NLST STAT DELE RNFR RNTO>\nDenyAll\n</Limit>\n";
        (self != Self::PureFtpd).then(|| Server::start_as(&Setup { more: only_store, ..self.setup() })).flatten()
    }

    fn open(self, unusual: Unusual<'_, Server>) -> Account {
        let Unusual { port, below, settings, .. } = unusual;
        let mut opening = Opening { base: below.to_owned(), ..Opening::usual(self) };
        opening.settings.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        opening.open(port).unwrap()
    }

    fn takes_lines(self) -> bool {
        true
    }

    /// What people are shown says not in which zone.
    fn tells_times(self) -> bool {
        self != Self::Plain
    }

    /// All was sent over another connection, and the question for its size is cut.
    fn amid_a_put(self, up: u64) -> u64 {
        up - 150
    }

    /// All came over another connection, and what tells that it is still the same file is cut.
    fn amid_a_get(self, down: u64) -> u64 {
        down - 100
    }
}

/// What is not as usual in an account.
pub struct Opening {
    pub base: String,
    pub settings: Fields,
    pub secrets: Fields,
    pub egress: Egress,
    /// The certificate that it shows.
    pub certificate: Option<Identity>,
}

impl Opening {
    pub fn usual(kind: Kind) -> Self {
        let (settings, secrets) = sign_in(kind);
        Self { base: String::new(), settings, secrets, egress: loopback(), certificate: None }
    }

    pub fn open(self, port: u16) -> Result<Account, Error> {
        let cx = context(self.egress);
        let mut registry = Registry::new();
        registry.add::<Ftps>();
        let scheme = Scheme { name: "ftps", port: 21 };
        let settings = self.settings.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let identity = ServerIdentity::Ca(PKI.ca_pem());
        let tls = PKI.client_config_for(&identity, self.certificate, &settings);
        let config = Config {
            address: Address::parse(scheme, true, &format!("ftps://localhost:{port}{}", self.base)).unwrap(),
            identity,
            settings,
            secrets: self.secrets.into_iter().map(|(k, v)| (k.to_owned(), Secret::new(v))).collect(),
            tls: Some(tls),
        };
        Ok(Account { opened: registry.get("ftps").unwrap().open(config, &cx)?, cx })
    }
}

/// Settings or secrets by name.
pub type Fields = Vec<(&'static str, String)>;

/// Settings and secrets with which a server lets us in.
pub fn sign_in(kind: Kind) -> (Fields, Fields) {
    let mut settings = vec![("username", FtpServer::USER.to_owned())];
    if kind == Kind::Implicit {
        settings.push(("tls", "implicit".to_owned()));
    }
    (settings, vec![("password", CANARY.to_owned())])
}
