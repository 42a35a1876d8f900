//! What can be asked of access before a request's body and query are looked at: whatever its address
//! alone tells. Who is refused here has sent them in vain.
//!
//! It is the use case's own first question, not a second rule: whoever is let in here is asked
//! everything again when it is known what is wanted.

use lockgate_access::{Decision, DeniedStatus, SUPPORT_OPENS, Scope, decide};
use lockgate_model::{
    Channel, Kind, Permission,
    id::{EnvironmentId, ProjectId},
};

use crate::{Caller, Error, Runtime, define::write_permission};

/// What a request is for, as far as its address tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// To ask about oneself, which everybody may who is established.
    AskAboutOneself,
    /// To see who may do what.
    ReadMatrix,
    /// To carry out what the tenant is.
    Export,
    /// To look at definitions of a kind whose ids begin so.
    Look(Kind, String),
    /// To look at the schedules of an environment.
    LookAtSchedules(EnvironmentId),
    /// To look at one's own sessions.
    LookAtOneself,
    /// To look at what users sign in with.
    LookAtCredentials,
    /// To write a definition of one of these kinds.
    Define(Vec<Kind>),
    /// To write some of whatever a batch can have; what, only the body tells.
    Batch,
    /// To hand out credentials.
    HandOutCredentials,
    /// To set oneself up: the second factor.
    SetUpOneself,
    /// To let the operator look.
    OpenSupport,
    /// To administer what secures the tenant.
    AdministerSecurity,
    /// To read the audit log.
    ReadAudit,
    /// To push a version.
    Push(ProjectId),
    /// To bind an account, or to change its binding.
    BindAccount(EnvironmentId),
    /// To look at runs or their log lines.
    LookAtRuns(EnvironmentId),
    /// To end runs, or to start them again.
    ControlRuns(EnvironmentId),
    /// To execute something; what, only the body tells.
    Execute(EnvironmentId),
    /// To deploy.
    Deploy(EnvironmentId, ProjectId),
    /// To see what a promotion would change.
    PlanPromotion {
        /// Where it is active.
        from: EnvironmentId,
        /// Where it would go to.
        to: EnvironmentId,
    },
    /// To promote.
    Promote {
        /// The project.
        project: ProjectId,
        /// Where it is active.
        from: EnvironmentId,
        /// Where it goes to.
        to: EnvironmentId,
    },
}

impl Runtime {
    /// Refuses whoever will be refused whatever they send. A denial is recorded; a yes is not.
    pub async fn admit(&self, caller: &Caller, intent: &Intent) -> Result<(), Error> {
        let within = |environment: &EnvironmentId| Scope::Environment(environment.clone());
        match intent {
            Intent::AskAboutOneself => Ok(()),
            Intent::Look(kind, id) => self.may_look(caller, *kind, id).await.map(drop),
            Intent::LookAtSchedules(environment) => {
                let permissions = [Permission::SettingsView, Permission::SchedulesControl];
                self.may_any(caller, &permissions, &within(environment)).await
            }
            Intent::LookAtOneself => self.not_narrowed(caller).await,
            Intent::LookAtCredentials => self.may_any(caller, &[Permission::UserManagement], &Scope::Tenant).await,
            Intent::ReadMatrix => self.may_any(caller, &[Permission::AccessControl], &Scope::Tenant).await,
            Intent::Export => self.admit_export(caller).await,
            Intent::Define(kinds) => {
                let permissions: Vec<_> = kinds.iter().filter_map(|kind| write_permission(*kind)).collect();
                self.may_any(caller, &permissions, &Scope::Tenant).await
            }
            Intent::Batch => {
                let binds = [Permission::AccountsCreate, Permission::AccountsUpdate, Permission::AccountsDelete];
                let view = self.view(caller.tenant())?;
                let mut places = view.snapshot.environments().into_iter().cloned().map(Scope::Environment);
                let may = |scope: &Scope| {
                    let asked = |one: &Permission| self.asked(caller, *one, scope.clone());
                    binds.iter().any(|one| asked(one).is_ok_and(|decision| decision.is_allowed()))
                };
                if places.any(|scope| may(&scope)) {
                    return Ok(());
                }
                let kinds = [Kind::User, Kind::Profile, Kind::Environment];
                let permissions: Vec<_> = kinds.into_iter().filter_map(write_permission).collect();
                self.may_any(caller, &permissions, &Scope::Tenant).await
            }
            Intent::HandOutCredentials => self.may_any(caller, &[Permission::UserManagement], &Scope::Tenant).await,
            Intent::OpenSupport => {
                for permission in SUPPORT_OPENS {
                    self.may_any(caller, &[permission], &Scope::Tenant).await?;
                }
                Ok(())
            }
            Intent::SetUpOneself => self.may_any(caller, &[Permission::ManagePersonalSetup], &Scope::Tenant).await,
            Intent::AdministerSecurity => {
                self.may_any(caller, &[Permission::AdvancedSecurityAdminister], &Scope::Tenant).await
            }
            Intent::ReadAudit => self.may_any(caller, &[Permission::AuditLog], &Scope::Tenant).await,
            Intent::Push(project) => self.may_edit(caller, project).await,
            Intent::BindAccount(environment) => {
                let permissions = [Permission::AccountsCreate, Permission::AccountsUpdate];
                self.may_any(caller, &permissions, &within(environment)).await
            }
            Intent::PlanPromotion { from, to } => {
                for environment in [from, to] {
                    self.may_any(caller, &[Permission::SettingsView], &within(environment)).await?;
                }
                Ok(())
            }
            Intent::LookAtRuns(environment) => {
                self.may_any(caller, &[Permission::LogsView], &within(environment)).await
            }
            Intent::ControlRuns(environment) => {
                self.may_any(caller, &[Permission::RunsControl], &within(environment)).await
            }
            Intent::Execute(environment) => {
                // Which permission it needs depends on what is executed; who holds no profile here is
                // told 404 in any case.
                let decision = self.asked(caller, Permission::IntegrationsExecute, within(environment))?;
                match decision.denied() {
                    Some(denied) if denied.status == DeniedStatus::NotFound => {
                        Err(self.refuse(&decision, caller).await)
                    }
                    _ => Ok(()),
                }
            }
            Intent::Deploy(environment, project) => self.may_deploy_at_all(caller, environment, project).await,
            Intent::Promote { project, from, to } => {
                self.may_any(caller, &[Permission::SettingsView], &within(from)).await?;
                self.may_deploy_at_all(caller, to, project).await
            }
        }
    }

    fn asked(&self, caller: &Caller, permission: Permission, scope: Scope) -> Result<Decision, Error> {
        let view = self.view(caller.tenant())?;
        Ok(decide(&view.snapshot, &caller.principal, permission, scope, Channel::Admin, self.now()))
    }

    /// One of the permissions is enough; the refusal is that of the first.
    async fn may_any(&self, caller: &Caller, permissions: &[Permission], scope: &Scope) -> Result<(), Error> {
        let mut refused = None;
        for permission in permissions {
            let decision = self.asked(caller, *permission, scope.clone())?;
            if decision.is_allowed() {
                return Ok(());
            }
            refused.get_or_insert(decision);
        }
        match refused {
            Some(decision) => Err(self.refuse(&decision, caller).await),
            None => Err(Error::Internal { what: "access".into() }),
        }
    }

    async fn may_deploy_at_all(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
    ) -> Result<(), Error> {
        let decision = self.may_deploy(&*self.view(caller.tenant())?, caller, environment, project);
        if decision.is_allowed() { Ok(()) } else { Err(self.refuse(&decision, caller).await) }
    }
}
