//! Servers, accounts of the connector and calls of it, as the tests here use them.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use lockgate_connector_api::{
    Address, Answer, Body, Call, Config, Context, DynConnector, Egress, Error, Registry, Scheme, Secret,
};
use lockgate_connector_ftps::Ftps;
use lockgate_document::Document;
use lockgate_model::{Limits, definition::ServerIdentity};
use lockgate_testkit::{
    FtpServer, Pki,
    contract::{CANARY, context, loopback, tells_nothing},
    ftp_peer::{Program, Setup},
    pki::Identity,
};
use serde_json::Value;

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

pub const KINDS: [Kind; 4] = [Kind::Proftpd, Kind::Implicit, Kind::Plain, Kind::PureFtpd];

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
    pub fn start(kind: Kind) -> Option<Self> {
        Self::start_as(&kind.setup())
    }

    pub fn start_as(setup: &Setup<'_>) -> Option<Self> {
        FtpServer::start(&PKI, setup).map(Self)
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }

    pub fn files(&self) -> PathBuf {
        self.0.files()
    }

    /// Names in its folder, temporary ones too.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.files()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
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
        let config = Config {
            address: Address::parse(scheme, true, &format!("ftps://localhost:{port}{}", self.base)).unwrap(),
            identity: ServerIdentity::Ca(PKI.ca_pem()),
            settings: self.settings.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            secrets: self.secrets.into_iter().map(|(k, v)| (k.to_owned(), Secret::new(v))).collect(),
            tls: Some(PKI.client_config(self.certificate)),
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

/// An account on a server.
pub struct Account {
    pub opened: Arc<dyn DynConnector>,
    pub cx: Context,
}

impl Account {
    /// The usual account on a server's folder.
    pub fn on(kind: Kind, server: &Server) -> Self {
        Self::through(kind, server, server.port())
    }

    /// The same through a proxy on another port.
    pub fn through(kind: Kind, _: &Server, port: u16) -> Self {
        Opening::usual(kind).open(port).unwrap()
    }

    pub async fn invoke(&self, call: Call) -> Result<Answer, Error> {
        self.opened.clone().invoke(self.cx.clone(), call).await
    }

    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, Error> {
        Ok(read(&self.invoke(call(operation, input)).await?.output))
    }

    pub async fn test(&self) -> Result<(), Error> {
        self.opened.clone().test(self.cx.clone(), Instant::now() + Duration::from_secs(10)).await
    }

    /// The call must fail; nothing of it may tell a secret.
    pub async fn fails(&self, operation: &str, input: Value) -> Error {
        let error = self.call(operation, input).await.expect_err("the call must fail");
        tells_nothing(&error);
        error
    }
}

pub fn call(operation: &str, input: Value) -> Call {
    let input = Document::parse(input.to_string().as_bytes(), &Limits::default()).unwrap();
    Call::new(operation, input, Instant::now() + Duration::from_secs(20))
}

pub fn read(document: &Document) -> Value {
    serde_json::from_slice(&document.print(64 << 20).unwrap()).unwrap()
}

/// So many bytes that no two blocks of are the same, in pieces.
pub fn generated(bytes: u64) -> Body {
    let pieces = (0..bytes.div_ceil(PIECE)).map(move |n| {
        let length = usize::try_from(PIECE.min(bytes - n * PIECE)).unwrap();
        Ok(content(n * PIECE, length).into())
    });
    Body::new(futures_util::stream::iter(pieces)).with_length(Some(bytes))
}

const PIECE: u64 = 64 << 10;

/// The bytes of the generated content from a place on, which must be a multiple of 8.
pub fn content(from: u64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 8);
    let mut word = from / 8;
    while bytes.len() < length {
        bytes.extend_from_slice(&word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        word += 1;
    }
    bytes.truncate(length);
    bytes
}
