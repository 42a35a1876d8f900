//! Definitions that people administer: users, groups, profiles, ACLs, their assignments,
//! environments and project permissions. One table says which permission each kind asks.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_access::{Decision, Scope, TenantSnapshot, decide};
use lockgate_model::{
    Channel, Definition, Kind, Permission, TargetKind,
    definition::{Acl, Assignment, Environment, Group, Profile, ProjectPermission, User},
    id::{AclId, EnvironmentId, GroupId, ProfileId, ProjectId, TargetName, UserId},
    permission::Area,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Binding, Caller, Condition, Error, Runtime, View,
    account::row_of,
    change::{Plan, changed_fields},
};

/// One definition of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyItem {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its body; absent deletes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// A batch of definitions: all are made so, in this order, or the first refusal ends it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The definitions.
    pub items: Vec<ApplyItem>,
}

impl Apply {
    /// Refuses an account that is named twice: its secrets would go with the first, and nobody could tell beforehand
    /// what the second finds.
    pub(crate) fn names_accounts_once(&self) -> Result<(), Error> {
        let mut named = BTreeSet::new();
        let mut accounts = self.items.iter().filter(|item| item.kind == Kind::Account);
        match accounts.find(|item| !named.insert(item.id.as_str())) {
            Some(twice) => Err(Error::invalid("LG-BODY", format!("account `{}` is in the batch twice", twice.id))),
            None => Ok(()),
        }
    }
}

/// Who may look at a kind.
fn read_permission(kind: Kind) -> Option<(Permission, bool)> {
    // The flag: asked in the environment the id begins with.
    Some(match kind {
        Kind::Tenant | Kind::Limits => (Permission::ManageCompanyCapabilities, false),
        Kind::User | Kind::Group => (Permission::UserManagement, false),
        Kind::Profile | Kind::Acl | Kind::ProjectPermission => (Permission::AccessControl, false),
        Kind::Assignment | Kind::Deployment | Kind::Account | Kind::Egress => (Permission::SettingsView, true),
        Kind::Environment | Kind::Project | Kind::ProjectVersion => (Permission::SettingsView, false),
        // Never handed out.
        Kind::Secret | Kind::Credential | Kind::ApiKey => return None,
        // These have verbs of their own.
        Kind::ClientCertificate | Kind::PasswordPolicy | Kind::SupportGrant => return None,
    })
}

/// Who may create, change or delete a kind here.
pub(crate) fn write_permission(kind: Kind) -> Option<Permission> {
    Some(match kind {
        Kind::User | Kind::Group => Permission::UserManagement,
        Kind::Profile | Kind::Acl | Kind::Assignment | Kind::ProjectPermission => Permission::AccessControl,
        Kind::Environment => Permission::StagesAdminister,
        // These have verbs of their own.
        _ => return None,
    })
}

impl Runtime {
    /// One definition.
    pub async fn definition(&self, caller: &Caller, kind: Kind, id: &str) -> Result<Definition, Error> {
        let view = self.may_look(caller, kind, id).await?;
        let shown = self.shown(&view, caller, kind);
        let found = view.row(kind, id).filter(|row| shown.has(&row.id));
        found.cloned().ok_or_else(|| Error::not_found(format!("{kind} `{id}`")))
    }

    /// Definitions of a kind whose ids begin so.
    pub async fn definitions(&self, caller: &Caller, kind: Kind, prefix: &str) -> Result<Vec<Definition>, Error> {
        let view = self.may_look(caller, kind, prefix).await?;
        let shown = self.shown(&view, caller, kind);
        Ok(view.rows(kind, prefix).filter(|row| shown.has(&row.id)).cloned().collect())
    }

    /// The first so many of them behind an id that fit.
    pub async fn definitions_behind(
        &self,
        caller: &Caller,
        (kind, prefix): (Kind, &str),
        (behind, enough): (Option<&str>, usize),
        fits: impl Fn(&Definition) -> bool,
    ) -> Result<Vec<Definition>, Error> {
        let view = self.may_look(caller, kind, prefix).await?;
        let shown = self.shown(&view, caller, kind);
        let rows = view.rows(kind, prefix).filter(|row| behind.is_none_or(|behind| *row.id > *behind));
        Ok(rows.filter(|row| shown.has(&row.id) && fits(row)).take(enough).cloned().collect())
    }

    pub(crate) async fn may_look(&self, caller: &Caller, kind: Kind, id: &str) -> Result<std::sync::Arc<View>, Error> {
        let (permission, by_environment) =
            read_permission(kind).ok_or_else(|| Error::not_found(format!("readable {kind}")))?;
        let scope = match (by_environment, id.split('/').next()) {
            (true, Some(environment)) => Scope::Environment(parse(EnvironmentId::parse(environment))?),
            _ if permission == Permission::SettingsView => return self.may_look_around(caller, kind).await,
            _ => Scope::Tenant,
        };
        self.may_read(caller, permission, scope).await
    }

    /// Names of environments and projects: for whoever may view any of them.
    async fn may_look_around(&self, caller: &Caller, kind: Kind) -> Result<std::sync::Arc<View>, Error> {
        let view = self.view(caller.tenant())?;
        if self.shown(&view, caller, kind).any() {
            return Ok(view);
        }
        let narrowed = kind != Kind::Environment && caller.principal.only_environment.is_some();
        let first = view.snapshot.development().filter(|_| !narrowed);
        let scope = first.map_or(Scope::Tenant, |first| Scope::Environment(first.clone()));
        let (permission, now) = (Permission::SettingsView, self.now());
        let decision = decide(&view.snapshot, &caller.principal, permission, scope, Channel::Admin, now);
        match decision.is_allowed() {
            true => Ok(view),
            false => Err(self.refuse(&decision, caller).await),
        }
    }

    /// Which rows of a kind are there for a caller: environments in which it may view settings; all projects for who may
    /// view settings where they are edited, and else those on which it holds a permission.
    fn shown(&self, view: &View, caller: &Caller, kind: Kind) -> Shown {
        let may = |permission, scope| {
            let (principal, now) = (&caller.principal, self.now());
            decide(&view.snapshot, principal, permission, scope, Channel::Admin, now).is_allowed()
        };
        let environment = |id: &EnvironmentId| may(Permission::SettingsView, Scope::Environment(id.clone()));
        match kind {
            Kind::Environment => {
                let all = view.snapshot.environments().into_iter().filter(|id| environment(id));
                Shown::These(all.map(ToString::to_string).collect())
            }
            Kind::Project | Kind::ProjectVersion if !view.snapshot.development().is_some_and(environment) => {
                let on = |project: &&ProjectId| {
                    let scope = Scope::Project((*project).clone());
                    let held = view.snapshot.effective(&caller.principal.user, &scope);
                    held.iter().find(|p| p.area() == Area::Project).is_some_and(|held| may(held, scope))
                };
                Shown::These(view.snapshot.projects().filter(on).map(ToString::to_string).collect())
            }
            _ => Shown::All,
        }
    }

    /// Creates or changes a definition. One that is so already stays at its revision.
    pub async fn put_definition(&self, caller: &Caller, kind: Kind, id: &str, body: Value) -> Result<(), Error> {
        self.put_definition_if(caller, (kind, id), body, &Condition::default()).await
    }

    /// The same if a condition holds of what is there.
    pub async fn put_definition_if(
        &self,
        caller: &Caller,
        (kind, id): (Kind, &str),
        body: Value,
        condition: &Condition,
    ) -> Result<(), Error> {
        // Of a user that may not come any more no session waits for the day that it may.
        let disabled = kind == Kind::User && body.get("enabled") == Some(&Value::Bool(false));
        self.edited(caller, (kind, id), Some(body), condition).await?;
        if let (true, Ok(user)) = (disabled, UserId::parse(id)) {
            self.0.sessions.close_user(caller.tenant(), &user);
        }
        Ok(())
    }

    /// Deletes a definition; a user takes its credentials and keys along.
    pub async fn delete_definition(&self, caller: &Caller, kind: Kind, id: &str) -> Result<(), Error> {
        self.delete_definition_if(caller, (kind, id), &Condition::default()).await
    }

    /// The same if a condition holds of what is there.
    pub async fn delete_definition_if(
        &self,
        caller: &Caller,
        (kind, id): (Kind, &str),
        condition: &Condition,
    ) -> Result<(), Error> {
        self.edited(caller, (kind, id), None, condition).await?;
        if let (Kind::User, Ok(user)) = (kind, UserId::parse(id)) {
            self.0.sessions.close_user(caller.tenant(), &user);
        }
        Ok(())
    }

    async fn edited(
        &self,
        caller: &Caller,
        (kind, id): (Kind, &str),
        body: Option<Value>,
        condition: &Condition,
    ) -> Result<(), Error> {
        let plan = |view: &View| {
            let row = view.row(kind, id);
            let old = row.map(|row| &row.body);
            let plan = self.edit(view, &view.snapshot, caller, (kind, id), old, body.clone())?;
            if plan.decision.is_allowed() {
                condition.of(row.map(|row| row.revision))?;
            }
            Ok(plan)
        };
        self.change(caller, plan).await
    }

    /// What it takes to make a definition so, or to delete it, in a tenant that is `now` and has it as `old`.
    pub(crate) fn edit(
        &self,
        view: &View,
        now: &TenantSnapshot,
        caller: &Caller,
        (kind, id): (Kind, &str),
        old: Option<&Value>,
        new: Option<Value>,
    ) -> Result<Plan<()>, Error> {
        let new = new.map(|body| checked(kind, id, body)).transpose()?;
        let decision = self.may_write(now, caller, kind, new.as_ref().is_some_and(|new| gives(kind, old, new)))?;
        let mut plan = Plan {
            decision,
            event: match (&new, old) {
                (None, _) => "delete",
                (Some(_), Some(_)) => "update",
                (Some(_), None) => "add",
            },
            object: format!("{kind}/{id}"),
            fields: new.as_ref().map(|new| changed_fields(old, new)).unwrap_or_default(),
            detail: BTreeMap::new(),
            puts: Vec::new(),
            deletes: Vec::new(),
            answer: (),
        };
        if let Some(body) = new {
            if old != Some(&body) {
                plan.puts.push((kind, id.to_owned(), body));
            }
            return Ok(plan);
        }
        if plan.decision.is_allowed() && old.is_none() {
            return Err(Error::not_found(format!("{kind} `{id}`")));
        }
        plan.deletes.push((kind, id.to_owned()));
        let along = crate::support::grants_along(view, kind, id, self.now())?;
        plan.deletes.extend(along.into_iter().map(|grant| (Kind::SupportGrant, grant)));
        if kind == Kind::Environment {
            // Another of this name must not get the operator's leave for private addresses, nor its limits.
            for kind in [Kind::Egress, Kind::Limits] {
                let of_it = view.rows(kind, &format!("{id}/"));
                plan.deletes.extend(of_it.map(|row| (kind, row.id.clone())));
            }
        }
        if kind == Kind::User {
            if view.row(Kind::Credential, id).is_some() {
                plan.deletes.push((Kind::Credential, id.to_owned()));
            }
            plan.deletes.extend(crate::credential::keys_of(view, id)?.into_iter().map(|key| (Kind::ApiKey, key)));
            let certificates = crate::certificate::certificates_of(view, id)?;
            plan.deletes.extend(certificates.into_iter().map(|one| (Kind::ClientCertificate, one.id)));
        }
        Ok(plan)
    }

    /// Makes a batch of definitions so, one after the other.
    pub async fn apply(&self, caller: &Caller, batch: Apply) -> Result<usize, Error> {
        batch.names_accounts_once()?;
        let mut done = 0;
        for item in batch.items {
            match item.body {
                Some(body) if item.kind == Kind::Account => {
                    let (environment, account) = row_of(&item.id)?;
                    let binding = Binding::without_secrets(&item.id, &body)?;
                    self.bind_account(caller, &environment, &account, binding, Condition::default()).await?;
                }
                Some(body) => self.put_definition(caller, item.kind, &item.id, body).await?,
                None if item.kind == Kind::Account => {
                    let (environment, account) = row_of(&item.id)?;
                    self.unbind_account(caller, &environment, &account, &Condition::default()).await?;
                }
                None => self.delete_definition(caller, item.kind, &item.id).await?,
            }
            done += 1;
        }
        Ok(done)
    }

    fn may_write(&self, now: &TenantSnapshot, caller: &Caller, kind: Kind, gives: bool) -> Result<Decision, Error> {
        let permission = write_permission(kind).ok_or_else(|| {
            Error::invalid("LG-KIND", format!("a {kind} is not written here; it has commands of its own"))
        })?;
        let ask = |permission| decide(now, &caller.principal, permission, Scope::Tenant, Channel::Admin, self.now());
        let decision = ask(permission);
        // Giving rights is more than keeping the list of users: whoever may only do the latter must
        // not be able to give themself a profile.
        Ok(if gives { decision.and_also(ask(Permission::AccessControl)) } else { decision })
    }
}

/// The change gives or takes rights: the user or group holds others after it than before.
fn gives(kind: Kind, old: Option<&Value>, new: &Value) -> bool {
    let held = |body: Option<&Value>, member: &str| match body.and_then(|b| b.get(member)) {
        None | Some(Value::Null | Value::Bool(false)) => Value::Null,
        Some(Value::Array(list)) if list.is_empty() => Value::Null,
        Some(other) => other.clone(),
    };
    let differs = |member: &str| held(old, member) != held(Some(new), member);
    // Another kind opens other ways in, and a disabled user who is let in again has what it had.
    let woken = old.is_some() && (differs("kind") || (differs("enabled") && held(Some(new), "enabled") != Value::Null));
    matches!(kind, Kind::User | Kind::Group)
        && (woken || ["profiles", "groups", "api_allowed"].iter().any(|member| differs(member)))
}

/// Rows of a kind that are there for somebody.
enum Shown {
    All,
    /// By the first part of their ids.
    These(BTreeSet<String>),
}

impl Shown {
    fn has(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => id.split('/').next().is_some_and(|first| ids.contains(first)),
        }
    }

    fn any(&self) -> bool {
        !matches!(self, Self::These(ids) if ids.is_empty())
    }
}

fn parse<T, E: std::fmt::Display>(parsed: Result<T, E>) -> Result<T, Error> {
    parsed.map_err(|e| Error::invalid("LG-ID", e.to_string()))
}

/// The body in canonical form, with its id and its ids inside checked by their types.
fn checked(kind: Kind, id: &str, body: Value) -> Result<Value, Error> {
    fn canonical<T: Serialize + DeserializeOwned>(kind: Kind, id: &str, body: Value) -> Result<Value, Error> {
        let typed: T = serde_json::from_value(body)
            .map_err(|e| Error::invalid("LG-BODY", format!("{kind} `{id}` cannot be read: {e}")))?;
        crate::push::json(&typed)
    }
    let parts: Vec<&str> = id.split('/').collect();
    match (kind, parts.as_slice()) {
        (Kind::User, [name]) => parse(UserId::parse(name)).and_then(|_| canonical::<User>(kind, id, body)),
        (Kind::Group, [name]) => parse(GroupId::parse(name)).and_then(|_| canonical::<Group>(kind, id, body)),
        (Kind::Profile, [name]) => parse(ProfileId::parse(name)).and_then(|_| canonical::<Profile>(kind, id, body)),
        (Kind::Acl, [name]) => parse(AclId::parse(name)).and_then(|_| canonical::<Acl>(kind, id, body)),
        (Kind::Environment, [name]) => {
            parse(EnvironmentId::parse(name)).and_then(|_| canonical::<Environment>(kind, id, body))
        }
        (Kind::Assignment, [environment, target, name]) => {
            parse(EnvironmentId::parse(environment))?;
            parse(TargetName::parse(name))?;
            serde_json::from_value::<TargetKind>(Value::String((*target).to_owned())).map_err(|_| {
                Error::invalid(
                    "LG-ID",
                    format!("`{target}` is no kind of target: integrations, rest-apis or soap-apis"),
                )
            })?;
            canonical::<Assignment>(kind, id, body)
        }
        (Kind::ProjectPermission, [project, name]) => {
            parse(ProjectId::parse(project))?;
            parse(ProfileId::parse(name))?;
            canonical::<ProjectPermission>(kind, id, body)
        }
        _ => Err(Error::invalid("LG-ID", format!("`{id}` is no id of a {kind}"))),
    }
}
