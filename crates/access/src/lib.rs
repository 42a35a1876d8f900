//! Decides who may do what. Values in, a decision out; permits are values that only this crate makes.
//!
//! The vocabulary is that of `docs/access.md`: a user holds access profiles, itself or by its groups;
//! a profile is a set of permissions, valid in some environments; an access control list names the
//! profiles that may execute a target. A [`TenantSnapshot`] is a tenant at one revision, compiled so
//! that a decision is a few look-ups. The `decide…` functions are pure: the same snapshot, principal,
//! target, channel and time give the same [`Decision`]. A decision is spent on a permit, and a permit
//! on one run or one deployment.
//!
//! One person through both gates: `bob` holds `caller`, which is valid in `live` and has
//! `integrations.execute`; the list `default` names `caller` and is what `order` uses in `live`; who
//! deployed `order` there still holds `deploy`. Take any one of these away and the answer is no;
//! [`why`] says which one is missing.
//!
//! Neighbours: `runtime` brings snapshot and time, `store` writes the audit entries and issues the
//! receipts, `engine` consumes [`ExecutePermit`]s, `store` consumes [`DeployPermit`]s.
//!
//! Deliberately absent: storage, clocks, HTTP, passwords (crate `identity`), and any way to make a
//! permit but [`Decision::permit`] and [`Decision::deploy_permit`].

mod administer;
mod bound;
mod change;
mod decision;
mod deploy;
mod execute;
mod explain;
mod gate;
mod key;
mod matrix;
mod permit;
mod profile_set;
mod push;
mod receipt;
mod references;
mod rows;
mod rule;
mod shipped;
mod snapshot;
mod support;
mod targets;
mod users;

pub use administer::{Scope, decide, decide_console};
pub use bound::{Bound, Uncovered};
pub use change::{Refusal, validate_change};
pub use decision::{Act, Decision, Denied, DeniedStatus, Deploying, StageRule, Verdict};
pub use deploy::{Stage, decide_adopt, decide_deploy, decide_undeploy};
pub use execute::decide_execute;
pub use explain::{Explanation, Grant, Missing, PathTaken, Step, Via, why, why_by};
pub use matrix::{By, Cell, Difference, MatrixPage, MatrixPart, Right, difference, matrix};
pub use permit::{DeployPermit, ExecutePermit};
pub use push::{UnknownObject, decide_push, push_permissions};
pub use receipt::{AuditReceipt, Durability, NotDurable};
pub use rule::{RULES, RuleText};
pub use shipped::{Row, project_seed, shipped_profiles, tenant_seed};
pub use snapshot::TenantSnapshot;
pub use support::{SUPPORT_OPENS, SUPPORT_READS, SupportRight, decide_support, support_rights};
