//! Connector `mysql`: queries and changes in one MySQL or MariaDB database.
//!
//! `calls` are the operations, `transaction` how several statements run as one, `routine` what calls
//! procedures and functions, `load` what takes a stream. Each takes a connection from `pool`, runs its
//! `statement` in a `session` and turns what comes back into records. `write` makes parameters of values
//! and `read` values of columns, by the `types` that the server states; `moment` does so for dates and
//! times. Below, `signin` opens a connection (`proof` is how the password is proved), `wire` carries
//! packets, and `fields` reads what stands in one. `spec` is the declaration.
//!
//! Deliberately absent: connections without TLS or without a verified server, passwords in the
//! clear outside of TLS or by a way that does not prove them first, statements put together from data
//! (they come in whole, data by parameters; names come apart and are quoted), several statements in one text, files that the server
//! asks for by name, transactions that outlive a call, compression, and any way to reach an address
//! past the egress rule: sockets come from `Egress::dial` alone. Why there is no driver below:
//! docs/decisions/0021-mysql-without-a-driver.md.

mod calls;
mod failure;
mod fields;
mod load;
mod moment;
mod pool;
mod proof;
mod read;
mod routine;
mod session;
mod signin;
mod spec;
mod statement;
mod transaction;
mod types;
mod wire;
mod write;

use std::{fmt, sync::Arc, time::Instant};

use lockgate_connector_api::{
    Answer, Call, Config, Connector, Context, Error, Kind, Spec,
    sql::{self, Account, Work},
};

use pool::{Pool, Server};

/// One account at a MySQL or MariaDB database.
pub struct Mysql(Arc<Pool>);

impl fmt::Debug for Mysql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mysql")
    }
}

impl Connector for Mysql {
    const SPEC: Spec = spec::SPEC;

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        let mut tls = (*config.tls()?).clone();
        // The protocol has no name there, and a server that knows others might end TLS over them.
        tls.alpn_protocols.clear();
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
            _ => Err(Error::new(Kind::Configuration, "unknown-operation", "the connector has no such operation")),
        }
    }

    /// Connects, verifies the server and signs in; a kept connection is asked whether it is there.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        calls::test(&self.0, cx, deadline).await
    }
}
