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
use lockgate_connector_sftp::Sftp;
use lockgate_document::Document;
use lockgate_model::{Limits, definition::ServerIdentity};
use lockgate_testkit::{
    contract::{CANARY, context, loopback, tells_nothing},
    ssh_peer::{Openssh, Proftpd, Shown, SshKeys},
};
use serde_json::Value;

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

pub const KINDS: [Kind; 2] = [Kind::Openssh, Kind::Proftpd];

/// A running server.
pub enum Server {
    Openssh(Openssh),
    Proftpd(Proftpd),
}

impl Server {
    pub fn start(kind: Kind) -> Option<Self> {
        Self::start_as(kind, Shown::Own)
    }

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

    /// One that cannot replace a file in one step.
    pub fn start_plain(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Openssh => Openssh::start_plain(&KEYS).map(Self::Openssh),
            Kind::Proftpd => Proftpd::start_plain(&KEYS, CANARY).map(Self::Proftpd),
        }
    }

    pub fn port(&self) -> u16 {
        match self {
            Self::Openssh(server) => server.port(),
            Self::Proftpd(server) => server.port(),
        }
    }

    pub fn files(&self) -> PathBuf {
        match self {
            Self::Openssh(server) => server.files(),
            Self::Proftpd(server) => server.files(),
        }
    }

    /// Attempts to sign in and folders listed, as the server's log tells.
    pub fn requests(&self) -> usize {
        match self {
            Self::Openssh(server) => server.log("userauth-request for user") + server.log("opendir \""),
            Self::Proftpd(server) => server.log("PASS ") + server.log("OPENDIR "),
        }
    }

    /// Names in its folder, temporary ones too.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.files()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The base path of an account whose files are the server's folder.
    pub fn base(&self) -> String {
        match self {
            Self::Openssh(server) => server.files().to_str().unwrap().to_owned(),
            Self::Proftpd(_) => String::new(),
        }
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
    pub fn through(kind: Kind, server: &Server, port: u16) -> Self {
        Opening { base: server.base(), ..Opening::usual(kind) }.open(port).unwrap()
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
