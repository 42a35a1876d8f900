//! What an author implements, and the values that pass through it.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Instant};

use lockgate_document::Document;
use lockgate_model::{Limits, TraceContext, definition::ServerIdentity, id::AccountName};

use crate::{Address, Body, Egress, Error, Kind, Proxy, Secret, Spec, Streamed};

/// One remote system. A value of the type is one account of one environment, opened.
///
/// Write plain `async fn`s; [`crate::Registry`] boxes them once, names account and operation in
/// every error and ends a call at its deadline.
pub trait Connector: Send + Sync + Sized + 'static {
    /// The declaration that parses, checks, lists and documents it.
    const SPEC: Spec;

    /// Prepares an account. `config` has passed [`Spec::check`]; nothing is dialled yet.
    fn open(config: Config, cx: &Context) -> Result<Self, Error>;

    /// Runs one operation of [`Connector::SPEC`].
    fn invoke(&self, cx: &Context, call: Call) -> impl Future<Output = Result<Answer, Error>> + Send;

    /// Proves that the account works, without changing anything at the endpoint: resolve, connect,
    /// verify the server's identity and, where the protocol lets us, sign in.
    fn test(&self, cx: &Context, deadline: Instant) -> impl Future<Output = Result<(), Error>> + Send;

    /// The identity that a server shows, for a person to compare before it becomes part of an
    /// account. Nobody signs in and nothing is trusted. None, the default, where a server's identity
    /// cannot be asked for: a CA is given, not shown.
    fn shown_identity(
        address: Address,
        proxy: Option<Proxy>,
        cx: Context,
        deadline: Instant,
    ) -> impl Future<Output = Result<Option<ServerIdentity>, Error>> + Send {
        drop((address, proxy, cx, deadline));
        async { Ok(None) }
    }
}

/// A checked binding with its secrets opened. Never stored, never printed.
#[derive(Clone)]
pub struct Config {
    /// Where.
    pub address: Address,
    /// How the server proves itself; where that is by TLS, `tls` already enforces it.
    pub identity: ServerIdentity,
    /// Settings that are no secrets, by field name.
    pub settings: BTreeMap<String, String>,
    /// Secrets, by field name.
    pub secrets: BTreeMap<String, Secret>,
    /// Made by `keys` from `identity` and the client certificate; held here, never built here. None
    /// where the server proves itself by an SSH host key.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Config {
    /// The TLS configuration, for connectors that speak TLS.
    ///
    /// # Errors
    /// `Configuration` when the account's identity is none of TLS.
    pub fn tls(&self) -> Result<Arc<rustls::ClientConfig>, Error> {
        self.tls.clone().ok_or_else(|| {
            Error::new(Kind::Configuration, "account-identity", "an SSH host key is no identity of a TLS server")
        })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("address", &self.address)
            .field("settings", &self.settings)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

/// On whose behalf a connector works, and where it may go.
#[derive(Debug, Clone)]
pub struct Context {
    /// The bound account.
    pub account: AccountName,
    /// The egress rule of its environment. It is handed in anew with each call, so that an
    /// allowance that was withdrawn holds for pooled connections too.
    pub egress: Arc<Egress>,
}

/// One call of an operation.
#[derive(Debug)]
pub struct Call {
    /// Name of the operation, one of the spec's.
    pub operation: String,
    /// Its input, as the operation's schema says.
    pub input: Document,
    /// Bytes that stream in beside the input.
    pub body: Option<Body>,
    /// When the call must have ended, the reading of a streamed answer included.
    pub deadline: Instant,
    /// The key under which the endpoint may recognise a repetition.
    pub idempotency_key: Option<String>,
    /// Limits of the run; `reply_bytes_max` bounds an answer that becomes a document.
    pub limits: Limits,
    /// The trace the call is made in, for an endpoint whose protocol can carry it.
    pub trace: Option<TraceContext>,
    /// The answer's content is wanted as a stream ([`Answer::stream`]) and not inside the output.
    pub stream: bool,
}

impl Call {
    /// A call without body, key, trace or stream, under the default limits.
    pub fn new(operation: impl Into<String>, input: Document, deadline: Instant) -> Self {
        Self {
            operation: operation.into(),
            input,
            body: None,
            deadline,
            idempotency_key: None,
            limits: Limits::default(),
            trace: None,
            stream: false,
        }
    }
}

/// What an operation answers.
#[derive(Debug)]
pub struct Answer {
    /// The output, as the operation's schema says.
    pub output: Document,
    /// What streams out beside the output, when the call asked for a stream.
    pub stream: Option<Streamed>,
    /// Bytes of content read from the endpoint so far; whoever reads `stream` counts those itself.
    pub read: u64,
    /// Bytes of content written to the endpoint.
    pub written: u64,
}
