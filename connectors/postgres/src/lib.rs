//! Connector `postgres`: queries and changes in one PostgreSQL database.
//!
//! `calls` are the operations, `transaction` how several statements run as one, `routine` what calls
//! procedures and functions, `load` and `unload` what copies. Each takes a connection from `pool`, runs its
//! `statement` in a `session` and turns what comes back into records. `read` and `write` turn values from
//! and into the server's text, by the `types` that the server states (`catalogue` holds those of the
//! database's own); `moment` does so for dates and times. Below, `signin` opens a connection (`binding` ties
//! the password's proof to the server's certificate) and `wire` carries messages. `spec` is the declaration.
//!
//! Deliberately absent: connections without TLS or without a verified server, passwords in the clear or as
//! MD5, statements put together from data (they come in whole, data by parameters; names come apart and are
//! quoted), transactions that outlive a call, notifications, and any way to reach an address past the egress
//! rule: sockets come from `Egress::dial` alone. Why there is no driver below:
//! docs/decisions/0008-postgresql-in-text.md.

mod binding;
mod calls;
mod catalogue;
mod failure;
mod load;
mod moment;
mod pool;
mod read;
mod routine;
mod session;
mod signin;
mod spec;
mod statement;
mod transaction;
mod types;
mod unload;
mod wire;
mod write;

use std::{fmt, sync::Arc, time::Instant};

use lockgate_connector_api::{
    Answer, Call, Config, Connector, Context, Error, Kind, Spec,
    sql::{self, Account, Work},
};

use pool::{Pool, Server};

/// One account at a PostgreSQL database.
pub struct Postgres(Arc<Pool>);

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres")
    }
}

impl Connector for Postgres {
    const SPEC: Spec = spec::SPEC;

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        let mut tls = (*config.tls()?).clone();
        // A server of another protocol behind the same certificate is told apart by this name.
        tls.alpn_protocols = vec![b"postgresql".to_vec()];
        let server = Server { account: Account::read(config, failure::CODES)?, tls: Arc::new(tls) };
        Ok(Self(Arc::new(Pool::new(&spec::SPEC, server))))
    }

    async fn invoke(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        let (operation, work, body) = Work::of(call);
        match operation.as_str() {
            "query" => calls::query(&self.0, cx, work).await,
            "execute" => calls::execute(&self.0, cx, work).await,
            "batch" => calls::batch(&self.0, cx, work).await,
            "transaction" => sql::transaction(&self.0, cx, work).await,
            "call" => routine::call(&self.0, cx, work).await,
            "load" => load::load(&self.0, cx, work, body).await,
            "unload" => unload::unload(&self.0, cx, work).await,
            _ => Err(Error::new(Kind::Configuration, "unknown-operation", "the connector has no such operation")),
        }
    }

    /// Connects, verifies the server, signs in and asks for `select 1`.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        calls::test(&self.0, cx, deadline).await
    }
}
