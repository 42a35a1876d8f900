//! Account bindings of an environment: address, server identity, settings, sealed secrets.
//!
//! A secret is write-only: it is sealed under the tenant's key and bound to tenant, environment,
//! account, field and version, so that rows moved about in the database do not open.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_access::{Scope, TenantSnapshot};
use lockgate_connector_api::{Address, Context, Proxy, Registered, Secret};
use lockgate_keys::{Binding as SealBinding, Sealed};
use lockgate_model::{
    Channel, Kind, Permission,
    definition::{AccountBinding, Revision, ServerIdentity},
    id::{AccountName, EnvironmentId},
};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, Condition, Error, Runtime, View,
    change::{Plan, changed_fields},
    egress,
};

/// A connection test may take this long.
const TEST_MS: u64 = 15_000;

/// What is put for an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Connector.
    pub connector: String,
    /// Address in the connector's form.
    pub address: String,
    /// How the server proves itself.
    pub identity: ServerIdentity,
    /// Settings that are no secrets.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Secrets to set; write-only. Secrets that are not named stay as they are.
    #[serde(default, skip_serializing)]
    pub secrets: BTreeMap<String, SecretText>,
    /// Secrets to remove.
    #[serde(default)]
    pub forget: Vec<String>,
}

impl Binding {
    /// The binding of a batch, which has none of the secrets: they are kept, or there are none yet.
    pub(crate) fn without_secrets(id: &str, body: &serde_json::Value) -> Result<Self, Error> {
        let wrong = |why: String| Error::invalid("LG-BODY", format!("account `{id}` cannot be read: {why}"));
        let binding = Self::deserialize(body).map_err(|error| wrong(error.to_string()))?;
        match binding.secrets.is_empty() && binding.forget.is_empty() {
            true => Ok(binding),
            false => Err(wrong("no batch has secrets; they are set with the account itself".to_owned())),
        }
    }
}

/// A secret on its way in; it does not print.
#[derive(Clone)]
pub struct SecretText(zeroize::Zeroizing<String>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Self::new)
    }
}

impl SecretText {
    /// Takes a secret in.
    pub fn new(text: String) -> Self {
        Self(zeroize::Zeroizing::new(text))
    }
    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// An account as it is shown: everything but the secrets.
#[derive(Debug, Clone, Serialize)]
pub struct AccountStatus {
    /// Its name.
    pub name: AccountName,
    /// Address, identity, settings, and which secrets are set.
    #[serde(flatten)]
    pub binding: AccountBinding,
    /// Revision that wrote it.
    pub revision: u64,
}

/// Id of a binding's row.
pub(crate) fn row_id(environment: &EnvironmentId, account: &AccountName) -> String {
    format!("{environment}/{account}")
}

/// The account of such an id.
pub(crate) fn row_of(id: &str) -> Result<(EnvironmentId, AccountName), Error> {
    let parts = id.split_once('/');
    let parsed = parts.and_then(|(environment, account)| {
        Some((EnvironmentId::parse(environment).ok()?, AccountName::parse(account).ok()?))
    });
    parsed.ok_or_else(|| Error::invalid("LG-ID", format!("`{id}` is no id of an account: it is `environment/account`")))
}

/// Body of a secret's row: the sealed form and the version it is bound to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRow {
    pub(crate) version: u64,
    pub(crate) sealed: Sealed,
}

impl SecretRow {
    /// Whether this is what was sealed for a row's very revision, and no older one in its place.
    pub(crate) fn opens_at(&self, revision: Revision) -> bool {
        if self.sealed.is_exact() { self.version == revision.0 } else { self.version <= revision.0 }
    }
}

/// Opens the secrets of an account.
pub(crate) fn secrets(
    runtime: &Runtime,
    view: &View,
    environment: &EnvironmentId,
    account: &AccountName,
) -> Result<BTreeMap<String, Secret>, Error> {
    let prefix = format!("{environment}/{account}/");
    let mut opened = BTreeMap::new();
    for row in view.rows(Kind::Secret, &prefix) {
        let body: SecretRow = row.read()?;
        let field = row.id.strip_prefix(&prefix).unwrap_or(&row.id).to_owned();
        let binding =
            SealBinding { tenant: &view.tenant, environment: Some(environment), id: &row.id, version: body.version };
        let secret = match body.opens_at(row.revision) {
            true => runtime.0.master.unseal(&binding, &body.sealed),
            false => Err(lockgate_keys::Error::NotSealedHere),
        };
        let secret = secret.map_err(|error| {
            // A row that was moved, swapped, altered or put back ends here.
            tracing::error!(tenant = %view.tenant, id = row.id, %error, "a sealed secret does not open");
            Error::Internal { what: format!("opening the secret `{field}` of account `{account}`").into() }
        })?;
        let text = secret.expose_text().ok_or(Error::Internal { what: "opening a secret".into() })?;
        opened.insert(field, Secret::new(text.to_owned()));
    }
    Ok(opened)
}

impl Runtime {
    /// Binds an account, or changes its binding. It goes on when whoever asked for it goes away: a rotation of keys
    /// waits for what is being sealed until it is stored.
    pub async fn bind_account(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        account: &AccountName,
        binding: Binding,
        condition: Condition,
    ) -> Result<AccountStatus, Error> {
        let (runtime, caller, environment, account) =
            (self.clone(), caller.clone(), environment.clone(), account.clone());
        let binding =
            tokio::spawn(
                async move { runtime.sealed_and_bound(&caller, &environment, &account, binding, condition).await },
            );
        binding.await.map_err(|_| Error::Internal { what: "binding an account".into() })?
    }

    async fn sealed_and_bound(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        account: &AccountName,
        binding: Binding,
        condition: Condition,
    ) -> Result<AccountStatus, Error> {
        let _sealing = self.0.sealing.read().await;
        let (mut status, revision) = self
            .change_at(caller, |view, next| {
                let at = (environment, account);
                self.binding_of(view, &view.snapshot, caller, at, &binding, &condition, next)
            })
            .await?;
        status.revision = revision.map_or(status.revision, |written| written.0);
        Ok(status)
    }

    /// What it takes to bind an account in a tenant that is `now`, with secrets sealed for the revision `next`.
    #[expect(clippy::too_many_arguments, reason = "what is asked, by whom, of which tenant, and for when")]
    pub(crate) fn binding_of(
        &self,
        view: &View,
        now: &TenantSnapshot,
        caller: &Caller,
        (environment, account): (&EnvironmentId, &AccountName),
        binding: &Binding,
        condition: &Condition,
        next: Revision,
    ) -> Result<Plan<AccountStatus>, Error> {
        let id = row_id(environment, account);
        let old = view.row(Kind::Account, &id);
        let permission = if old.is_some() { Permission::AccountsUpdate } else { Permission::AccountsCreate };
        let scope = Scope::Environment(environment.clone());
        let decision = lockgate_access::decide(now, &caller.principal, permission, scope, Channel::Admin, self.now());
        let mut plan = Plan {
            decision,
            event: if old.is_some() { "update" } else { "add" },
            object: format!("{environment}/account/{account}"),
            fields: Vec::new(),
            detail: BTreeMap::new(),
            puts: Vec::new(),
            deletes: Vec::new(),
            answer: AccountStatus { name: account.clone(), binding: empty(binding), revision: 0 },
        };
        if !plan.decision.is_allowed() {
            return Ok(plan);
        }
        condition.of(old.map(|row| row.revision))?;
        let prefix = format!("{id}/");
        let mut held: Vec<String> = view
            .rows(Kind::Secret, &prefix)
            .filter_map(|row| row.id.strip_prefix(&prefix).map(str::to_owned))
            .collect();
        for field in &binding.forget {
            if held.contains(field) && !binding.secrets.contains_key(field) {
                plan.deletes.push((Kind::Secret, format!("{prefix}{field}")));
            }
        }
        held.retain(|field| !binding.forget.contains(field));
        // A secret belongs to the endpoint it was given for: who may point the account
        // elsewhere must not get it sent there.
        let before: Option<AccountBinding> = old.map(|row| row.read()).transpose()?;
        let moved = before.is_some_and(|b| AccountBinding { secrets: Vec::new(), ..b } != empty(binding));
        let kept: Vec<&str> = held.iter().filter(|f| !binding.secrets.contains_key(*f)).map(String::as_str).collect();
        if moved && !kept.is_empty() {
            let message = format!(
                "account `{account}` changes its address, identity or settings: give its secrets again ({}), or forget them",
                kept.join(", ")
            );
            return Err(Error::invalid("LG-ACCOUNT-SECRETS", message));
        }
        held.extend(binding.secrets.keys().cloned());
        held.sort();
        held.dedup();
        let body = AccountBinding { secrets: held, ..empty(binding) };
        plan.detail = self.check_binding(account, &body)?;
        for (field, secret) in &binding.secrets {
            let id = format!("{prefix}{field}");
            // Who guesses wrong writes over it: one guess after the other finds nothing out.
            if self.holds(view, environment, &id, secret) {
                continue;
            }
            // Sealed for the revision that the row will have: what was there before opens there no more,
            // even if whoever can write the database puts it back.
            let version = next.0;
            let seal = SealBinding { tenant: &view.tenant, environment: Some(environment), id: &id, version };
            let sealed = self.0.master.seal(&seal, secret.expose().as_bytes()).map_err(sealing_failed)?;
            let row = serde_json::to_value(SecretRow { version, sealed }).map_err(sealing_failed)?;
            plan.puts.push((Kind::Secret, id, row));
            plan.fields.push(format!("secret.{field}"));
        }
        let json = serde_json::to_value(&body).map_err(sealing_failed)?;
        plan.fields.extend(changed_fields(old.map(|o| &o.body), &json));
        let is = old.filter(|row| row.body == json && plan.puts.is_empty() && plan.deletes.is_empty());
        let revision = is.map(|row| row.revision.0).unwrap_or_default();
        plan.answer = AccountStatus { name: account.clone(), binding: body, revision };
        if is.is_none() {
            plan.puts.push((Kind::Account, id, json));
        }
        Ok(plan)
    }

    /// The row holds this very secret. What does not open holds none: it is sealed anew.
    fn holds(&self, view: &View, environment: &EnvironmentId, id: &str, secret: &SecretText) -> bool {
        let Some(row) = view.row(Kind::Secret, id) else { return false };
        let Ok(body) = row.read::<SecretRow>() else { return false };
        let seal = SealBinding { tenant: &view.tenant, environment: Some(environment), id, version: body.version };
        body.opens_at(row.revision)
            && self.0.master.unseal(&seal, &body.sealed).is_ok_and(|held| held.is(secret.expose().as_bytes()))
    }

    /// All problems of a binding at once; what the audit log tells of a good one.
    fn check_binding(
        &self,
        account: &AccountName,
        binding: &AccountBinding,
    ) -> Result<BTreeMap<String, String>, Error> {
        let spec = self.connector(&binding.connector)?.spec();
        spec.check(binding).map_err(|problems| {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Error::invalid("LG-ACCOUNT", format!("account `{account}` cannot be bound: {}", all.join("; ")))
        })?;
        let exceptions = spec.exceptions(&binding.settings);
        Ok(exceptions.into_iter().map(|(name, value)| (format!("exception.{name}"), value.to_owned())).collect())
    }

    fn connector(&self, name: &str) -> Result<&Registered, Error> {
        self.0.registry.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.0.registry.specs().map(|s| s.name).collect();
            Error::invalid("LG-ACCOUNT", format!("there is no connector `{name}`; there are: {}", known.join(", ")))
        })
    }

    /// Removes a binding and its secrets.
    pub async fn unbind_account(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        account: &AccountName,
        condition: &Condition,
    ) -> Result<(), Error> {
        let plan = |view: &View| {
            let plan = self.unbinding(view, &view.snapshot, caller, environment, account)?;
            if plan.decision.is_allowed() {
                condition.of(view.row(Kind::Account, &row_id(environment, account)).map(|row| row.revision))?;
            }
            Ok(plan)
        };
        self.change(caller, plan).await
    }

    /// What it takes to remove a binding in a tenant that is `now`.
    pub(crate) fn unbinding(
        &self,
        view: &View,
        now: &TenantSnapshot,
        caller: &Caller,
        environment: &EnvironmentId,
        account: &AccountName,
    ) -> Result<Plan<()>, Error> {
        let id = row_id(environment, account);
        let scope = Scope::Environment(environment.clone());
        let decision = lockgate_access::decide(
            now,
            &caller.principal,
            Permission::AccountsDelete,
            scope,
            Channel::Admin,
            self.now(),
        );
        if decision.is_allowed() && view.row(Kind::Account, &id).is_none() {
            return Err(Error::not_found(format!("account `{account}` in `{environment}`")));
        }
        let mut deletes = vec![(Kind::Account, id.clone())];
        deletes.extend(view.rows(Kind::Secret, &format!("{id}/")).map(|row| (Kind::Secret, row.id.clone())));
        Ok(Plan {
            decision,
            event: "delete",
            object: format!("{environment}/account/{account}"),
            fields: Vec::new(),
            detail: BTreeMap::new(),
            puts: Vec::new(),
            deletes,
            answer: (),
        })
    }

    /// One binding.
    pub async fn account(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        account: &AccountName,
    ) -> Result<AccountStatus, Error> {
        let row = self.definition(caller, Kind::Account, &row_id(environment, account)).await?;
        Ok(AccountStatus { name: account.clone(), binding: row.read()?, revision: row.revision.0 })
    }

    /// Bindings of an environment, for holders of `settings-view`.
    pub async fn accounts(&self, caller: &Caller, environment: &EnvironmentId) -> Result<Vec<AccountStatus>, Error> {
        let view = self.may_read(caller, Permission::SettingsView, Scope::Environment(environment.clone())).await?;
        let prefix = format!("{environment}/");
        view.rows(Kind::Account, &prefix)
            .map(|row| {
                let name = AccountName::parse(row.id.strip_prefix(&prefix).unwrap_or(&row.id))
                    .map_err(|_| Error::Internal { what: "reading a definition".into() })?;
                Ok(AccountStatus { name, binding: row.read()?, revision: row.revision.0 })
            })
            .collect()
    }

    /// The identity that a server shows, for a person to compare before an account is bound to it;
    /// none where servers of that connector show none. It is asked through `proxy` (`host:port`) if there is one, as
    /// the account's connections will be. Nobody signs in. It asks for the right to bind
    /// the account and goes by the environment's egress rule, as a test of the account would.
    pub async fn shown_identity(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        account: &AccountName,
        connector: &str,
        address: &str,
        proxy: Option<&str>,
    ) -> Result<Result<Option<ServerIdentity>, lockgate_connector_api::Error>, Error> {
        let bound = self.view(caller.tenant())?.row(Kind::Account, &row_id(environment, account)).is_some();
        let permission = if bound { Permission::AccountsUpdate } else { Permission::AccountsCreate };
        let scope = Scope::Environment(environment.clone());
        self.may_read(caller, permission, scope.clone()).await?;
        let registered = self.connector(connector)?;
        let form = registered.spec().address;
        let parsed = Address::parse(form.scheme, form.path, address)
            .map_err(|e| Error::invalid("LG-ACCOUNT", format!("`address`: {e} (for example `{}`)", form.example)))?;
        let proxy = proxy.map(Proxy::parse).transpose();
        let proxy = proxy.map_err(|e| Error::invalid("LG-ACCOUNT", format!("`proxy`: {e}")))?;
        let about = [("what", "server"), ("account", account.as_str()), ("address", address)];
        let view = self.may_act(caller, permission, scope, &about).await?;
        let egress = egress::rule(&view, environment)?.with_resolver(self.0.resolver.clone());
        let context = Context { account: account.clone(), egress: Arc::new(egress) };
        Ok(registered.shown_identity(parsed, proxy, context, Instant::now() + Duration::from_millis(TEST_MS)).await)
    }

    /// Proves that an account works: resolve, connect, verify the server, sign in.
    pub async fn test_account(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        account: &AccountName,
    ) -> Result<Result<(), lockgate_connector_api::Error>, Error> {
        let scope = Scope::Environment(environment.clone());
        let about = [("what", "test"), ("account", account.as_str())];
        let view = self.may_act(caller, Permission::AccountsUpdate, scope, &about).await?;
        let (connector, context) = match self.open_account(&view, environment, account) {
            Ok(opened) => opened,
            Err(crate::connections::OpenError::Connector(error)) => return Ok(Err(error)),
            Err(crate::connections::OpenError::Runtime(error)) => return Err(error),
        };
        Ok(connector.test(context, Instant::now() + Duration::from_millis(TEST_MS)).await)
    }
}

fn empty(binding: &Binding) -> AccountBinding {
    AccountBinding {
        connector: binding.connector.clone(),
        address: binding.address.clone(),
        identity: binding.identity.clone(),
        settings: binding.settings.clone(),
        secrets: Vec::new(),
    }
}

pub(crate) fn sealing_failed(error: impl std::fmt::Display) -> Error {
    tracing::error!(%error, "a secret cannot be sealed");
    Error::Internal { what: "sealing a secret".into() }
}
