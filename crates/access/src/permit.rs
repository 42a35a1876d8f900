//! Permission as a value: owned, spent by use, made by a decision alone.
//!
//! No other crate can make one:
//!
//! ```compile_fail,E0451
//! fn forge(principal: lockgate_model::Principal, receipt: lockgate_access::AuditReceipt) -> lockgate_access::ExecutePermit {
//!     lockgate_access::ExecutePermit { principal, receipt, ..todo!() }
//! }
//! ```
//!
//! A permit cannot be copied:
//!
//! ```compile_fail,E0599
//! fn copy(permit: &lockgate_access::ExecutePermit) -> lockgate_access::ExecutePermit {
//!     permit.clone()
//! }
//! ```
//!
//! nor used twice:
//!
//! ```compile_fail,E0382
//! fn run(_: lockgate_access::ExecutePermit) {}
//! fn twice(permit: lockgate_access::ExecutePermit) {
//!     run(permit);
//!     run(permit);
//! }
//! ```
//!
//! and one decision gives one permit:
//!
//! ```compile_fail,E0382
//! use lockgate_access::{AuditReceipt, Decision};
//! fn twice(decision: Decision, first: AuditReceipt, second: AuditReceipt) {
//!     let _ = decision.permit(first);
//!     let _ = decision.permit(second);
//! }
//! ```
//!
//! Used once, it compiles:
//!
//! ```
//! fn run(_: lockgate_access::ExecutePermit) {}
//! fn once(decision: lockgate_access::Decision, receipt: lockgate_access::AuditReceipt) -> Result<(), lockgate_access::Denied> {
//!     run(decision.permit(receipt)?);
//!     Ok(())
//! }
//! ```

use lockgate_model::{
    Digest, Principal, RunId, Target,
    definition::{Deployment, Revision},
    id::{EnvironmentId, ProjectId, TenantId},
};

use crate::{AuditReceipt, receipt::Durability};

/// The right to run one module once. `engine.run` consumes it and refuses any other module.
#[derive(Debug)]
#[must_use = "a permit is the right to run; dropping it drops the run"]
pub struct ExecutePermit {
    pub(crate) tenant: TenantId,
    pub(crate) target: Target,
    pub(crate) module: Digest,
    pub(crate) principal: Principal,
    pub(crate) run: RunId,
    pub(crate) revision: Revision,
    pub(crate) receipt: AuditReceipt,
}

impl ExecutePermit {
    /// The tenant it runs in.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// The environment it runs in.
    pub fn environment(&self) -> &EnvironmentId {
        &self.target.environment
    }
    /// The orchestration; behind an API, the orchestration the API calls.
    pub fn target(&self) -> &Target {
        &self.target
    }
    /// Digest of the only module this permit runs.
    pub fn module(&self) -> Digest {
        self.module
    }
    /// On whose behalf.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
    /// The run that was opened for it.
    pub fn run(&self) -> RunId {
        self.run
    }
    /// Revision of the tenant that was decided on.
    pub fn revision(&self) -> Revision {
        self.revision
    }
    /// Await its durability before the first connector call.
    pub fn receipt(&self) -> &AuditReceipt {
        &self.receipt
    }
}

/// The right to activate one deployment once. `store.activate` consumes it.
#[derive(Debug)]
#[must_use = "a permit is the right to deploy; dropping it drops the deployment"]
pub struct DeployPermit {
    pub(crate) tenant: TenantId,
    pub(crate) environment: EnvironmentId,
    pub(crate) deployment: Deployment,
    pub(crate) principal: Principal,
    pub(crate) revision: Revision,
    pub(crate) receipt: AuditReceipt,
}

impl DeployPermit {
    /// The tenant it is for.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// The environment it is for.
    pub fn environment(&self) -> &EnvironmentId {
        &self.environment
    }
    /// The project.
    pub fn project(&self) -> &ProjectId {
        &self.deployment.project
    }
    /// Exactly what may be activated, with the account of each operation: the row to write.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }
    /// Who deploys.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
    /// Revision of the tenant that was decided on.
    pub fn revision(&self) -> Revision {
        self.revision
    }
    /// The receipt of the decision's audit entry.
    pub fn receipt(&self) -> &AuditReceipt {
        &self.receipt
    }
    /// The wait for it, as a value.
    pub fn durability(&self) -> Durability {
        self.receipt.durability()
    }
}
