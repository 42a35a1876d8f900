//! Log lines of runs: metadata alone, of this node's memory, for holders of `logs-view` in the
//! environment.

use lockgate_access::Scope;
use lockgate_model::{Permission, id::EnvironmentId};
use lockgate_telemetry::{Line, LogQuery};

use crate::{Caller, Error, Runtime};

impl Runtime {
    /// Lines of an environment in the order they were written.
    pub async fn logs(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        query: &LogQuery,
    ) -> Result<Vec<Line>, Error> {
        self.may_read(caller, Permission::LogsView, Scope::Environment(environment.clone())).await?;
        Ok(self.0.telemetry.logs.lines(caller.tenant(), environment, query))
    }
}
