//! The codes of events. One never changes its meaning, and none is used that is not here: `tests/audit_page.rs` holds the
//! sources and docs/audit.md to this list.

/// Every code.
pub const EVENTS: &[&str] = &[
    // decisions
    "execute",
    "deploy",
    "adopt",
    "undeploy",
    "push",
    "administer",
    "console",
    // who somebody is
    "authenticate",
    "login",
    "logout",
    "password-change",
    "reset",
    "second-factor",
    "session-end",
    "token",
    // changes
    "add",
    "update",
    "delete",
    "deployment",
    "promotion",
    "rollback",
    "key-rotate",
    // support access
    "support-open",
    "support-end",
    "support-read",
    // runs and schedules
    "cancel",
    "schedule-pause",
    "schedule-resume",
    "schedule-run",
    "schedule-skip",
    // the log itself
    "export",
    "audit-read",
    "audit-export",
    "audit-removal",
    "audit-unproven",
    // the operator
    "operator-tenant",
    "operator-password",
    "operator-egress",
    "operator-limits",
    "operator-keys",
    "operator-backup",
    "operator-restore",
];
