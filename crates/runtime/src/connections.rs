//! Opened accounts: one per tenant, environment and account at the revision of its rows, shared by
//! runs so that connections are pooled. A changed binding or secret opens a new one; the old one
//! serves the runs that hold it and then ends, with the connections it kept.

use std::{collections::BTreeMap, sync::Arc};

use dashmap::DashMap;
use futures_util::future::BoxFuture;
use lockgate_connector_api::{
    Answer, Call, Config, Context, DynConnector, Error as ConnectorError, Kind as ErrorKind, Secret,
};
use lockgate_document::Document;
use lockgate_engine::{CallSite, Calls, SubEnd, SubRun};
use lockgate_keys::{Identity, Versions};
use lockgate_model::{
    Kind,
    definition::{AccountBinding, ServerIdentity},
    id::{AccountName, EnvironmentId, TenantId},
};

use crate::{Caller, Error, Runtime, View, account, egress, nest::Nest, watch::RunWatch};

/// Opened accounts kept; beyond it all unused ones are dropped.
const OPEN_MAX: usize = 4_096;

/// Opened accounts of this node.
#[derive(Default)]
pub(crate) struct Connections(DashMap<(TenantId, EnvironmentId, AccountName), Opened>);

impl Connections {
    /// How many there are.
    pub(crate) fn open(&self) -> usize {
        self.0.len()
    }

    /// Lets go of a tenant's accounts that have changed or are gone.
    pub(crate) fn let_go(&self, view: &View) {
        self.0.retain(|(tenant, environment, name), open| {
            *tenant != view.tenant || revision(view, environment, name) == Some(open.revision)
        });
    }
}

/// Newest revision among an account's rows, or none where it is not bound.
fn revision(view: &View, environment: &EnvironmentId, name: &AccountName) -> Option<u64> {
    let id = account::row_id(environment, name);
    let row = view.row(Kind::Account, &id)?;
    Some(view.rows(Kind::Secret, &format!("{id}/")).map(|secret| secret.revision.0).fold(row.revision.0, u64::max))
}

struct Opened {
    /// Newest revision among the account's rows.
    revision: u64,
    connector: Arc<dyn DynConnector>,
}

/// Why an account could not be opened.
pub(crate) enum OpenError {
    /// The binding cannot work as it stands.
    Connector(ConnectorError),
    /// This installation cannot.
    Runtime(Error),
}
impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Runtime(error)
    }
}

fn misconfigured(code: &'static str, text: &'static str) -> OpenError {
    OpenError::Connector(ConnectorError::new(ErrorKind::Configuration, code, text))
}

impl Runtime {
    /// The connector of a bound account, opened, and the context to call it in.
    pub(crate) fn open_account(
        &self,
        view: &View,
        environment: &EnvironmentId,
        name: &AccountName,
    ) -> Result<(Arc<dyn DynConnector>, Context), OpenError> {
        let row = view.row(Kind::Account, &account::row_id(environment, name));
        let (Some(row), Some(revision)) = (row, revision(view, environment, name)) else {
            return Err(misconfigured(
                "account-not-bound",
                "the account is not bound in this environment (see `lockgate account add`)",
            ));
        };
        // A run keeps the accounts it began with, but the operator's rule is that of now: a withdrawn
        // allowance holds at once.
        let egress = egress::rule(&*self.view(&view.tenant)?, environment)?.with_resolver(self.0.resolver.clone());
        let context = Context { account: name.clone(), egress: Arc::new(egress) };
        let key = (view.tenant.clone(), environment.clone(), name.clone());
        if let Some(open) = self.0.connections.0.get(&key)
            && open.revision == revision
        {
            return Ok((open.connector.clone(), context));
        }
        let binding: AccountBinding = row.read().map_err(Error::from)?;
        let registered = self
            .0
            .registry
            .get(&binding.connector)
            .ok_or_else(|| misconfigured("unknown-connector", "this server has no such connector"))?;
        let address = registered.spec().check(&binding).map_err(|_| {
            misconfigured("account-binding", "the binding is not complete (see `lockgate account list`)")
        })?;
        let secrets = account::secrets(self, view, environment, name)?;
        let tls = match &binding.identity {
            ServerIdentity::HostKey(_) => None,
            identity => {
                let own = client_identity(&secrets)?;
                let versions = Versions::chosen(&binding.settings);
                let tls = lockgate_keys::client_config(identity, own.as_ref(), versions, lockgate_keys::ALPN_HTTP);
                Some(tls.map_err(|error| {
                    tracing::warn!(account = %name, %error, "no TLS configuration for an account");
                    misconfigured("account-identity", "the server identity of the account cannot be used")
                })?)
            }
        };
        let config = Config { address, identity: binding.identity, settings: binding.settings, secrets, tls };
        let connector = registered.open(config, &context).map_err(OpenError::Connector)?;
        if self.0.connections.0.len() >= OPEN_MAX {
            self.0.connections.0.retain(|_, open| Arc::strong_count(&open.connector) > 1);
        }
        self.0.connections.0.insert(key, Opened { revision, connector: connector.clone() });
        Ok((connector, context))
    }
}

/// Our certificate towards the endpoint, from PEM or PKCS#12 secrets.
fn client_identity(secrets: &BTreeMap<String, Secret>) -> Result<Option<Identity>, OpenError> {
    let bad = |_| misconfigured("client-certificate", "the client certificate and key cannot be read");
    let text = |name: &str| secrets.get(name).map(Secret::expose);
    if let (Some(chain), Some(key)) = (text("client_certificate"), text("client_key")) {
        return Identity::from_pem(chain.as_bytes(), key.as_bytes()).map(Some).map_err(bad);
    }
    if let (Some(file), Some(password)) = (text("client_p12"), text("client_p12_password")) {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(file.split_whitespace().collect::<String>())
            .map_err(|_| misconfigured("client-certificate", "the PKCS#12 file is not base64"))?;
        return Identity::from_pkcs12(&bytes, password).map(Some).map_err(bad);
    }
    Ok(None)
}

/// The connector calls of one run: each operation of its module goes to the account that was bound
/// to it at deploy.
pub(crate) struct RunCalls {
    pub runtime: Runtime,
    /// For whom it runs.
    pub caller: Caller,
    /// Where the run lies.
    pub nest: Nest,
    pub view: Arc<View>,
    pub environment: EnvironmentId,
    /// Account of each operation, by index.
    pub accounts: Vec<AccountName>,
    /// What makes this occurrence the same one when it is repeated.
    pub occurrence: Vec<u8>,
    /// Trigger and target: where the occurrence belongs.
    pub origin: String,
    /// Named for an operation that no account is bound to; no binding has this name.
    pub nobody: AccountName,
    /// Sees each call.
    pub watch: Arc<RunWatch>,
}

impl Calls for RunCalls {
    fn run(self: Arc<Self>, sub: SubRun) -> BoxFuture<'static, SubEnd> {
        Box::pin(self.run_below(sub))
    }

    fn account(&self, operation: u32) -> AccountName {
        let place = usize::try_from(operation).unwrap_or(usize::MAX);
        self.accounts.get(place).cloned().unwrap_or_else(|| self.nobody.clone())
    }

    fn call(&self, site: CallSite, mut call: Call) -> BoxFuture<'static, Result<Answer, ConnectorError>> {
        let account = self.account(site.operation);
        let opened = self.runtime.open_account(&self.view, &self.environment, &account).map_err(|error| match error {
            OpenError::Connector(error) => error,
            OpenError::Runtime(error) => {
                tracing::error!(%error, "an account cannot be opened");
                ConnectorError::new(ErrorKind::Configuration, "account-open", "the account cannot be opened")
            }
        });
        let (connector, context) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.watch.not_opened(&site.task, &account, &error);
                return Box::pin(async { Err(error) });
            }
        };
        let calling = self.watch.calling(&connector.spec(), &call.operation, account, &site.task);
        call.trace = calling.trace();
        if connector.spec().operation(&call.operation).is_some_and(|o| !o.idempotent) {
            call.idempotency_key = self.site_key(&site, &call.input);
        }
        let outcome = connector.invoke(context, call);
        Box::pin(async move { calling.ended(outcome.await) })
    }
}

impl RunCalls {
    /// HMAC(tenant key; trigger and target, occurrence, task, branch, iteration, input): the same for a
    /// repetition, and it tells the endpoint nothing.
    pub(crate) fn site_key(&self, site: &CallSite, input: &Document) -> Option<String> {
        let input = input.print(u64::MAX).ok()?;
        let branch: Vec<u8> = site.branch.iter().flat_map(|place| place.to_be_bytes()).collect();
        let iteration = site.occurrence.to_be_bytes();
        let parts: [&[u8]; 6] =
            [self.origin.as_bytes(), &self.occurrence, site.task.as_bytes(), &branch, &iteration, &input];
        Some(self.view.site_key.digest(parts).hex())
    }
}
