//! The use cases: what the listener, the admin API and the programs ask for. One file a verb.
//!
//! Every use case is the same walk: a [`Caller`] (authenticated, with the tenant's [`View`] of that
//! moment) → a decision of `access` → an audit entry → the effect. A denial is durable in the audit
//! log before it is answered; a change is announced there before it is made.
//!
//! Deliberately absent: HTTP and rendering (front doors), SQL (crate `store`), wasm (crate
//! `engine`), cryptography (crate `keys`), and any decision of its own.

mod account;
mod admit;
mod attempts;
mod audit;
mod authenticate;
mod backup;
mod cancel;
mod certificate;
mod change;
mod clock;
mod code;
mod condition;
mod connections;
mod control;
mod credential;
mod cursor;
mod define;
mod deploy;
mod egress;
mod error;
mod execute;
mod export;
mod fair;
mod guesses;
mod hashing;
mod heads;
mod health;
mod limits;
mod login;
mod logs;
mod modules;
mod nest;
mod network;
mod open;
mod passkey;
mod password;
mod promote;
mod push;
mod restart;
mod retention;
mod rollback;
mod rotate;
mod runs;
mod schedule;
mod second_factor;
mod session;
mod sessions;
mod siblings;
mod support;
mod tenant;
mod token;
mod view;
mod views;
mod watch;
mod what_if;
mod why;

use std::sync::Arc;

use lockgate_connector_api::{
    Registry,
    egress::{Resolve, System},
};
use lockgate_engine::Engine;
use lockgate_keys::Master;
use lockgate_model::{Limits, Timestamp, id::TenantId};
use lockgate_store::Store;

/// What front doors hand in and get back, named here so that they need only this crate.
pub use lockgate_access::{Cell, MatrixPart, SupportRight, shipped_profiles};
pub use lockgate_compiler::Sources;
pub use lockgate_document::Document;
pub use lockgate_engine::ERROR_TYPES;
pub use lockgate_identity::{Asked, Basic, NoSite, PasswordPolicy};
pub use lockgate_keys::Keeper;
pub use lockgate_telemetry::{Line, LogQuery, Route, Telemetry};

pub use account::{AccountStatus, Binding, SecretText};
pub use admit::Intent;
pub use audit::{AuditFound, AuditHeads, AuditPage};
pub use authenticate::Caller;
pub use backup::{Backup, Restored, restore};
pub use cancel::CancelledRun;
pub use certificate::{CertificateInfo, CertificateWanted};
pub use clock::Clock;
pub use condition::{Condition, Named};
pub use control::{RanNow, ScheduleStatus, SkippedNext};
pub use credential::{KeyInfo, KeyWanted, NewKey};
pub use define::{Apply, ApplyItem};
pub use deploy::{Deploy, Deployed, DeployedOrchestration};
pub use error::{Error, REFUSAL_TYPES};
pub use execute::{Ask, Finished, WALL_MS_IN_BACKGROUND};
pub use export::{Export, ExportPlace, Exported, LeftOut};
pub use health::NotReady;
pub use limits::{EnvironmentLimits, LimitsChange, TenantLimits};
pub use login::{LoggedIn, Login, Proof, Second};
pub use network::Network;
pub use passkey::{PasskeyAdded, PasskeyAnswer, PasskeyInfo};
pub use promote::{BoundTo, PromotedAccount, PromotedOrchestration, Promotion};
pub use push::{Pushed, catalog};
pub use restart::{RestartPlan, VersionOf};
pub use retention::Keep;
pub use rollback::Rollback;
pub use rotate::{KeysInUse, Rotated};
pub use runs::RunFilter;
pub use schedule::Planned;
pub use second_factor::{Enrolment, Recovery, SecondFactorStatus};
pub use session::SESSION_MS;
pub use sessions::SessionInfo;
pub use siblings::{Ran, Siblings};
pub use support::{SupportDeployment, SupportInfo, SupportLook, SupportSeen, SupportWanted};
pub use tenant::{NewTenant, OwnTenant};
pub use token::GivenToken;
pub use view::View;
pub use what_if::WhatIf;
pub use why::Matrix;

/// What a runtime is made of.
pub struct Parts {
    /// Where rows, modules, runs and audit lie.
    pub store: Arc<dyn Store>,
    /// Runs modules.
    pub engine: Arc<Engine>,
    /// Seals secrets and keys digests.
    pub master: Arc<Master>,
    /// The connectors that ship.
    pub registry: Arc<Registry>,
    /// Tells the time.
    pub clock: Clock,
}

/// The use cases over one set of [`Parts`]; cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    engine: Arc<Engine>,
    master: Arc<Master>,
    registry: Arc<Registry>,
    clock: Clock,
    views: Arc<views::Views>,
    guesses: guesses::Guesses,
    /// Of second factors, whose guessers have proved the password.
    codes: guesses::Guesses,
    hashing: hashing::Hashing,
    sessions: session::Sessions,
    remembered: authenticate::Remembered,
    keys_seen: credential::KeysSeen,
    attempts: attempts::Attempts,
    connections: connections::Connections,
    loading: tokio::sync::Mutex<()>,
    code: std::sync::OnceLock<code::CodeFolder>,
    /// What passkeys are for.
    site: std::sync::OnceLock<lockgate_identity::Site>,
    telemetry: Arc<Telemetry>,
    health: health::Health,
    open: open::OpenRuns,
    /// Shared while a secret is sealed and committed; alone while the key for it is exchanged.
    sealing: tokio::sync::RwLock<()>,
    /// When each user's last reading of the audit log was recorded.
    readings: dashmap::DashMap<(TenantId, lockgate_model::id::UserId), Timestamp>,
    /// How far the audit log is known to be true.
    proved: heads::Proved,
    /// Held by the one that asks what a batch would do: it takes a processor while it lasts.
    imagining: tokio::sync::Mutex<()>,
    /// Held by the one that rotates keys.
    rotating: tokio::sync::Mutex<()>,
    /// What is kept of runs has changed.
    retention: tokio::sync::Notify,
    /// Compiles under way, all tenants together.
    compilers: Arc<tokio::sync::Semaphore>,
    /// One for all environments: it bounds the look-ups under way.
    resolver: Arc<dyn Resolve>,
    follower: tokio::task::JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Runtime {
    /// Reads all tenants and keeps their views current from then on. Needs a tokio runtime.
    pub async fn open(parts: Parts) -> Result<Self, Error> {
        let views = Arc::new(views::Views::new(parts.store.clone(), parts.master.clone()));
        let follower = tokio::spawn(views.clone().follow());
        views.refresh_all().await?;
        let telemetry = Arc::new(Telemetry::new(parts.clock.now()));
        watch::observe(&*parts.store, &telemetry);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Self(Arc::new(Inner {
            store: parts.store,
            engine: parts.engine,
            master: parts.master,
            registry: parts.registry,
            clock: parts.clock,
            views,
            guesses: guesses::Guesses::default(),
            codes: guesses::Guesses::of_codes(),
            hashing: hashing::Hashing::new(cores.div_ceil(2)),
            sessions: session::Sessions::default(),
            remembered: authenticate::Remembered::new()?,
            keys_seen: credential::KeysSeen::default(),
            attempts: attempts::Attempts::default(),
            connections: connections::Connections::default(),
            loading: tokio::sync::Mutex::new(()),
            code: std::sync::OnceLock::new(),
            site: std::sync::OnceLock::new(),
            telemetry,
            health: health::Health::default(),
            open: open::OpenRuns::default(),
            sealing: tokio::sync::RwLock::default(),
            imagining: tokio::sync::Mutex::default(),
            rotating: tokio::sync::Mutex::default(),
            retention: tokio::sync::Notify::new(),
            compilers: Arc::new(tokio::sync::Semaphore::new(2)),
            resolver: Arc::new(System::default()),
            readings: dashmap::DashMap::new(),
            proved: heads::Proved::default(),
            follower,
        }));
        runtime.remember_heads().await?;
        Ok(runtime)
    }

    /// The connectors that ship, for listings and pages.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Limits of runs in an environment of a caller's tenant, for reading its request; the tenant's own where there
    /// is none of that name, and the defaults if the tenant is gone.
    pub fn limits(&self, caller: &Caller, environment: &str) -> Limits {
        self.view(caller.tenant()).map(|view| view.limits.at(environment)).unwrap_or_default()
    }

    /// The time as this runtime sees it.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The tenant's view now. Absent and unreadable tenants look the same.
    pub(crate) fn view(&self, tenant: &TenantId) -> Result<Arc<View>, Error> {
        self.0.views.get(tenant).ok_or_else(|| Error::not_found("tenant"))
    }
}
