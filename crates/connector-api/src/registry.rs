//! The list of connectors a program knows, and the one place where their futures are boxed.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Instant};

use futures_util::future::BoxFuture;
use lockgate_model::definition::ServerIdentity;

use crate::{Address, Answer, Call, Config, Connector, Context, Error, Kind, Operation, Proxy, Spec};

/// An opened account, whatever its connector.
pub trait DynConnector: Send + Sync {
    /// The connector's declaration.
    fn spec(&self) -> Spec;

    /// Runs one operation. Unknown operations are refused, the deadline ends the call, and every
    /// error names account and operation, also in what streams out of it.
    fn invoke(self: Arc<Self>, cx: Context, call: Call) -> BoxFuture<'static, Result<Answer, Error>>;

    /// Proves that the account works; see [`Connector::test`].
    fn test(self: Arc<Self>, cx: Context, deadline: Instant) -> BoxFuture<'static, Result<(), Error>>;
}

struct Opened<T>(T);

impl<T: Connector> DynConnector for Opened<T> {
    fn spec(&self) -> Spec {
        T::SPEC
    }

    fn invoke(self: Arc<Self>, cx: Context, call: Call) -> BoxFuture<'static, Result<Answer, Error>> {
        Box::pin(async move {
            let operation = T::SPEC.operation(&call.operation).map(|o| o.name);
            let outcome = match operation {
                None => Err(Error::new(
                    Kind::Configuration,
                    "unknown-operation",
                    "the connector has no such operation (see `lockgate connector doc`)",
                )
                .with_private(format!("`{}` is no operation of `{}`", call.operation, T::SPEC.name))),
                Some(_) => {
                    let deadline = call.deadline;
                    until(deadline, self.0.invoke(&cx, call)).await
                }
            };
            match outcome {
                Ok(answer) => Ok(Answer { stream: answer.stream.map(|s| s.at(&cx.account, operation)), ..answer }),
                Err(error) => Err(error.at(&cx.account, operation)),
            }
        })
    }

    fn test(self: Arc<Self>, cx: Context, deadline: Instant) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(async move {
            until(deadline, self.0.test(&cx, deadline)).await.map_err(|e| e.at(&cx.account, Some("test")))
        })
    }
}

async fn until<T>(deadline: Instant, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout_at(deadline.into(), work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::new(Kind::Timeout, "deadline", "the endpoint did not answer in time")),
    }
}

/// One connector of the list: its declaration and how to open an account with it.
#[derive(Clone, Copy)]
pub struct Registered {
    spec: Spec,
    open: Open,
    shown: Shown,
}

type Shown = fn(Address, Option<Proxy>, Context, Instant) -> BoxFuture<'static, Result<Option<ServerIdentity>, Error>>;
type Open = fn(Config, &Context) -> Result<Arc<dyn DynConnector>, Error>;

impl Registered {
    /// Its declaration.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Opens an account; nothing is dialled yet.
    pub fn open(&self, config: Config, cx: &Context) -> Result<Arc<dyn DynConnector>, Error> {
        (self.open)(config, cx).map_err(|e| e.at(&cx.account, None))
    }

    /// The identity that a server shows before it is trusted; see [`Connector::shown_identity`].
    pub async fn shown_identity(
        &self,
        address: Address,
        proxy: Option<Proxy>,
        cx: Context,
        deadline: Instant,
    ) -> Result<Option<ServerIdentity>, Error> {
        let account = cx.account.clone();
        until(deadline, (self.shown)(address, proxy, cx, deadline)).await.map_err(|e| e.at(&account, None))
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registered").field(&self.spec.name).finish()
    }
}

/// All connectors a program knows, by name. Filled by an explicit list, never by side effect.
#[derive(Debug, Default)]
pub struct Registry {
    connectors: BTreeMap<&'static str, Registered>,
}

impl Registry {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector; of two with one name the later stays.
    pub fn add<T: Connector>(&mut self) {
        fn open<T: Connector>(config: Config, cx: &Context) -> Result<Arc<dyn DynConnector>, Error> {
            Ok(Arc::new(Opened(T::open(config, cx)?)))
        }
        fn shown<T: Connector>(
            address: Address,
            proxy: Option<Proxy>,
            cx: Context,
            deadline: Instant,
        ) -> BoxFuture<'static, Result<Option<ServerIdentity>, Error>> {
            Box::pin(T::shown_identity(address, proxy, cx, deadline))
        }
        self.connectors.insert(T::SPEC.name, Registered { spec: T::SPEC, open: open::<T>, shown: shown::<T> });
    }

    /// The connector of that name.
    pub fn get(&self, name: &str) -> Option<&Registered> {
        self.connectors.get(name)
    }

    /// The declarations of all connectors, by name.
    pub fn specs(&self) -> impl Iterator<Item = &Spec> {
        self.connectors.values().map(|c| &c.spec)
    }

    /// An operation's declaration.
    pub fn operation(&self, connector: &str, operation: &str) -> Option<&'static Operation> {
        self.get(connector)?.spec.operation(operation)
    }
}

#[cfg(test)]
mod tests;
