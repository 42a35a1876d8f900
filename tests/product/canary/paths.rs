//! The endpoints of the canaries, and how each can fail: somebody not allowed, nobody, somebody else,
//! and a connection that breaks in the middle of an answer.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_testkit::{
    FaultProxy, FtpServer, HttpsPeer, Mariadb, Pki, Postgres,
    contract::CANARY,
    fault_proxy::{Fault, Way},
    free_port,
    ftp_peer::{Program, Setup},
    https_peer::{Arrived, Told},
    pki::Server,
};

use crate::house::House;

/// Servers of the test's own process and beside it.
pub struct World {
    runtime: tokio::runtime::Runtime,
    _https: HttpsPeer,
    _soap: HttpsPeer,
    _postgres: Postgres,
    _mariadb: Mariadb,
    _ftp: FtpServer,
    /// One of each connector.
    pub endpoints: Vec<Endpoint>,
}

/// Where an account of a connector leads.
pub struct Endpoint {
    /// The connector.
    pub connector: &'static str,
    /// The operation that fails.
    pub operation: &'static str,
    /// What its address begins with.
    scheme: &'static str,
    /// What its address ends in.
    path: String,
    /// Where the server listens.
    pub port: u16,
    /// Arguments that name its identity, and another's.
    pub identity: Vec<String>,
    /// See `identity`.
    pub other_identity: Vec<String>,
    settings: &'static [&'static str],
    /// How far before the end of a connection its answer is under way.
    from_end: u64,
    /// Its password.
    pub password: Option<String>,
}

impl World {
    /// None where a server is not installed, which is said.
    pub fn start(house: &House) -> Option<Self> {
        let pki = Pki::new();
        let postgres = Postgres::start(&pki)?;
        let mariadb = Mariadb::start(&pki)?;
        let ftp = FtpServer::start(&pki, &Setup::new(Program::Proftpd, CANARY))?;
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let https = runtime.block_on(HttpsPeer::start(pki.server_config(Server::Good, false, &["h2", "http/1.1"])));
        // Two pages of what was asked for.
        https.answers("/list", |arrived| {
            let next = arrived.target.contains("page=1").then(|| ("link", "<list?page=2>; rel=next".to_owned()));
            let body = serde_json::json!([{ "asked": arrived.target }]).to_string();
            Told { status: 200, headers: next.into_iter().collect(), body: body.into() }
        });
        let soap = runtime.block_on(HttpsPeer::start(pki.server_config(Server::Good, false, &["h2", "http/1.1"])));
        soap.answers("/weather", forecast);
        let ca = |name: &str, pki: &Pki| {
            let path = house.folder().join(name);
            std::fs::write(&path, pki.ca_pem()).unwrap();
            vec!["--ca".to_owned(), path.to_str().unwrap().to_owned()]
        };
        let (own, other) = (ca("own.pem", &pki), ca("other.pem", &Pki::new()));
        let sftp = &house.ready["sftp"];
        let text = |member: &str| sftp[member].as_str().unwrap().to_owned();
        let host_key = |key: &str| vec!["--host-key".to_owned(), key.to_owned()];
        let endpoints = vec![
            Endpoint {
                connector: "https",
                operation: "post",
                scheme: "https",
                path: String::new(),
                port: https.port(),
                identity: own.clone(),
                other_identity: other.clone(),
                settings: &[],
                from_end: 150,
                password: None,
            },
            Endpoint {
                connector: "soap",
                operation: "call",
                scheme: "https",
                path: "/weather".to_owned(),
                port: soap.port(),
                identity: own.clone(),
                other_identity: other.clone(),
                settings: &["auth=basic", "username=app"],
                from_end: 150,
                password: Some(CANARY.to_owned()),
            },
            Endpoint {
                connector: "sftp",
                operation: "put",
                scheme: "sftp",
                path: "/export".to_owned(),
                port: text("address").rsplit(':').next().unwrap().parse().unwrap(),
                identity: host_key(&text("host_key")),
                other_identity: host_key("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                settings: &["username=practice", "auth=password", "legacy_algorithms=aes128-cbc hmac-sha1"],
                from_end: 150,
                password: Some(text("password")),
            },
            Endpoint {
                connector: "postgres",
                operation: "query",
                scheme: "postgres",
                path: "/peer".to_owned(),
                port: postgres.port(),
                identity: own.clone(),
                other_identity: other.clone(),
                settings: &["username=app"],
                from_end: 10_000,
                password: Some(CANARY.to_owned()),
            },
            Endpoint {
                connector: "mysql",
                operation: "query",
                scheme: "mysql",
                path: "/peer".to_owned(),
                port: mariadb.port(),
                identity: own.clone(),
                other_identity: other.clone(),
                settings: &["username=app"],
                from_end: 10_000,
                password: Some(CANARY.to_owned()),
            },
            Endpoint {
                connector: "ftps",
                operation: "put",
                scheme: "ftps",
                path: String::new(),
                port: ftp.port(),
                identity: own,
                other_identity: other,
                settings: &["username=ftpuser"],
                from_end: 150,
                password: Some(CANARY.to_owned()),
            },
        ];
        Some(Self { runtime, _https: https, _soap: soap, _postgres: postgres, _mariadb: mariadb, _ftp: ftp, endpoints })
    }

    /// A proxy in front of an endpoint.
    pub fn proxy(&self, endpoint: &Endpoint) -> FaultProxy {
        self.runtime.block_on(FaultProxy::start(endpoint.port))
    }
}

/// The weather of the town that is asked for, for who knows the password.
fn forecast(asked: &Arrived) -> Told {
    let told = |status, body: String| Told {
        status,
        headers: vec![("content-type", "text/xml".to_owned())],
        body: body.into(),
    };
    let known = format!("Basic {}", STANDARD.encode(format!("app:{CANARY}")));
    if asked.headers.get("authorization").is_none_or(|given| given.as_bytes() != known.as_bytes()) {
        return told(401, String::new());
    }
    let body = String::from_utf8_lossy(&asked.body);
    let town = body.split("town>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    let day = format!("<day><name>{town}</name><degrees>7.5</degrees></day>").repeat(5);
    told(
        200,
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
             <forecastResponse xmlns=\"urn:lockgate:weather\">{day}</forecastResponse></s:Body></s:Envelope>"
        ),
    )
}

impl Endpoint {
    /// Its address at another place.
    pub fn at(&self, host: &str, port: u16) -> String {
        format!("{}://{host}:{port}{}", self.scheme, self.path)
    }

    /// Where nobody listens.
    pub fn nobody(&self) -> String {
        self.at("127.0.0.1", free_port())
    }

    /// Binds the account `the-<connector>` by the verb `add` or `set`, in front of `more` of the
    /// password.
    pub fn bind(&self, house: &House, verb: &str, address: &str, identity: &[String], more: &str) {
        let account = format!("the-{}", self.connector);
        let mut arguments = vec![
            "account",
            verb,
            &account,
            "--env",
            "development",
            "--connector",
            self.connector,
            "--address",
            address,
        ];
        arguments.extend(identity.iter().map(String::as_str));
        arguments.extend(self.settings.iter().flat_map(|setting| ["--set", setting]));
        if self.password.is_some() {
            arguments.extend(["--secret", "password=-"]);
        }
        let password = format!("{more}{}", self.password.as_deref().unwrap_or_default());
        let bound = house.cli_as(&house.data.join("context.json"), &arguments, &password);
        assert!(bound.status.success(), "{arguments:?}: {bound:?}");
    }

    /// Faults in the middle of an answer, when a whole connection has so many bytes of it.
    pub fn faults(&self, down: u64) -> [Fault; 4] {
        let at = down - self.from_end;
        [Fault::Reset(Way::Down, at), Fault::Truncate(Way::Down, at), Fault::Flip(Way::Down, at), Fault::Endless(at)]
    }
}
