//! Roll back: what was active in an environment becomes active there again, the very same bytes.
//!
//! Each rollback goes one deployment further back than the one before it: what a rollback left is not
//! what the next one brings. It is a deploy in the eyes of access, as promotion is, the stage rule
//! included: what never had a green run before that rule was set is deployed nowhere by it.

use std::collections::BTreeMap;

use lockgate_model::{
    Kind,
    definition::Deployment,
    id::{EnvironmentId, ProjectId, UserId},
};

use crate::{
    Caller, Condition, Deployed, Error, Runtime, View,
    deploy::Way,
    promote::{active, bytes, nothing},
};

/// What to go back to, besides where and which project.
#[derive(Debug, Clone, Default)]
pub struct Rollback {
    /// The version; what was active before if none is named.
    pub to: Option<u64>,
    /// As whom its schedules run. If nobody is named: as what is active names, where the caller may name
    /// somebody, else as the caller.
    pub run_as: Option<UserId>,
}

impl Runtime {
    /// Activates what was active before the version that is active now, or another that was active
    /// here, the same bytes.
    pub async fn rollback(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        project: &ProjectId,
        Rollback { to, run_as }: Rollback,
    ) -> Result<Deployed, Error> {
        let view = self.view(caller.tenant())?;
        let right = self.may_deploy(&view, caller, environment, project);
        if !right.is_allowed() {
            return Err(self.refuse(&right, caller).await);
        }
        let now = active(&view, environment, project)?.ok_or_else(|| nothing(project, environment))?;
        let run_as = match run_as {
            Some(named) => self.run_as(&view, caller, environment, project, Some(named)).await?,
            None => self.kept_run_as(&view, caller, environment, &now),
        };
        let history = self.deployed_before(&view, environment, project).await?;
        let before = match to {
            Some(version) => version_of(&history, version, &now),
            None => last_but(&history, &now),
        };
        let before = before.map_err(|reason| Error::Conflict {
            code: "LG-ROLLBACK",
            message: format!("`{project}` cannot be rolled back in `{environment}`: {reason}"),
        })?;
        let compiled = self.stored(&view, before).await?;
        let detail = BTreeMap::from([("replaces".to_owned(), now.version.to_string())]);
        let restores = Some(before.restores.unwrap_or(before.deployed_at));
        let way = Way { event: "rollback", detail, run_as, restores, condition: Condition::default() };
        self.bring(caller, environment, project, &compiled, None, &way).await
    }

    /// Whom the schedules of what is active run as, if somebody is named there and the caller may do so.
    /// As whom something runs is a decision on access: going back to other bytes does not undo it.
    fn kept_run_as(
        &self,
        view: &View,
        caller: &Caller,
        environment: &EnvironmentId,
        now: &Deployment,
    ) -> Option<UserId> {
        let named = now.run_as.clone().filter(|named| *named != caller.principal.user)?;
        let decision = self.may_deploy_as(view, caller, environment, &now.project, Some(&named));
        (decision.is_allowed() && view.row(Kind::User, named.as_str()).is_some()).then_some(named)
    }

    /// All that has been active, the oldest first.
    async fn deployed_before(
        &self,
        view: &View,
        environment: &EnvironmentId,
        project: &ProjectId,
    ) -> Result<Vec<Deployment>, Error> {
        let id = format!("{environment}/{project}");
        let history = self.0.store.history(&view.tenant, Kind::Deployment, &id).await?;
        let read =
            |body| serde_json::from_value(body).map_err(|_| Error::Internal { what: "reading a deployment".into() });
        history.into_iter().filter_map(|version| version.body).map(read).collect()
    }
}

/// The deployment before the one that is active; where that is a rollback, before the one it restored.
fn last_but<'h>(history: &'h [Deployment], now: &Deployment) -> Result<&'h Deployment, String> {
    let from = now.restores.unwrap_or(now.deployed_at);
    let before = history.iter().take_while(|one| one.restores.is_some() || one.deployed_at != from);
    let other = |one: &&Deployment| bytes(one) != bytes(now);
    before.filter(other).last().ok_or_else(|| "nothing else was active there before".to_owned())
}

/// The last deployment of a version.
fn version_of<'h>(history: &'h [Deployment], version: u64, now: &Deployment) -> Result<&'h Deployment, String> {
    let of_version = || history.iter().filter(|one| one.version == version);
    let other = of_version().rfind(|one| bytes(one) != bytes(now));
    other.ok_or_else(|| match of_version().next() {
        Some(_) => format!("what is active are the bytes of version {version}"),
        None => format!("version {version} was never active there"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lockgate_model::{
        Digest, Manifest, Timestamp,
        definition::DeployedModule,
        id::{TargetName, UserId},
    };

    use super::*;

    /// The history of an environment in which versions are deployed and rolled back.
    #[derive(Default)]
    struct Place(Vec<Deployment>);

    impl Place {
        fn deploy(&mut self, version: u64) -> &mut Self {
            let digest = Digest::of(&version.to_be_bytes());
            let module = DeployedModule { module: digest, manifest: Manifest::default(), accounts: Vec::new() };
            self.0.push(Deployment {
                project: ProjectId::parse("shop").unwrap(),
                version,
                source: digest,
                publisher: UserId::parse("ada").unwrap(),
                adopted_by: None,
                run_as: None,
                deployed_at: Timestamp(self.0.len() as i64),
                restores: None,
                orchestrations: BTreeMap::from([(TargetName::parse("order").unwrap(), module)]),
                apis: BTreeMap::new(),
            });
            self
        }

        /// Rolls back as often as that; tells the versions that come.
        fn back(&mut self, times: usize) -> Vec<Option<u64>> {
            let step = |_| {
                let now = self.0.last().unwrap().clone();
                let before = last_but(&self.0, &now).ok()?.clone();
                let restores = Some(before.restores.unwrap_or(before.deployed_at));
                let version = before.version;
                self.0.push(Deployment { restores, deployed_at: Timestamp(self.0.len() as i64), ..before });
                Some(version)
            };
            (0..times).map(step).collect()
        }
    }

    #[test]
    fn each_rollback_goes_further_back() {
        let mut place = Place::default();
        place.deploy(1).deploy(2).deploy(3);
        assert_eq!(place.back(4), [Some(2), Some(1), None, None]);
        place.deploy(4);
        assert_eq!(place.back(1), [Some(1)], "what was active before the fourth");
        let mut place = Place::default();
        place.deploy(1).deploy(2).deploy(3);
        place.back(1);
        place.deploy(4);
        assert_eq!(place.back(3), [Some(2), Some(1), None], "the third was taken back and stays so");
    }

    #[test]
    fn what_somebody_deployed_again_counts_as_deployed() {
        let mut place = Place::default();
        place.deploy(1).deploy(2).deploy(1);
        assert_eq!(place.back(3), [Some(2), Some(1), None]);
        let mut place = Place::default();
        place.deploy(1).deploy(1);
        assert_eq!(place.back(1), [None], "the same bytes are no way back");
        // Adopting writes the deployment once more, as it is.
        let mut place = Place::default();
        place.deploy(1).deploy(2);
        place.0.push(place.0[1].clone());
        assert_eq!(place.back(2), [Some(1), None]);
    }

    #[test]
    fn a_version_is_one_that_was_active() {
        let mut place = Place::default();
        place.deploy(1).deploy(2).deploy(3);
        let now = place.0[2].clone();
        assert_eq!(version_of(&place.0, 1, &now).unwrap().version, 1);
        assert!(version_of(&place.0, 3, &now).unwrap_err().contains("what is active"));
        assert!(version_of(&place.0, 9, &now).unwrap_err().contains("never"));
    }
}
