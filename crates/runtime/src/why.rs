//! Why may somebody execute something, or why not: the same engine as enforcement.

use lockgate_access::{Explanation, Scope};
use lockgate_model::{Permission, Target, id::UserId};

use crate::{Caller, Error, Runtime};

impl Runtime {
    /// Explains the decision on a user and a target. One may ask about oneself; about others with
    /// `access-control`.
    pub async fn why(&self, caller: &Caller, user: &UserId, target: &Target) -> Result<Explanation, Error> {
        if caller.principal.only_environment.as_ref().is_some_and(|only| *only != target.environment) {
            return Err(Error::not_found(format!("environment `{}`", target.environment)));
        }
        let view = if *user == caller.principal.user {
            self.view(caller.tenant())?
        } else {
            self.may_read(caller, Permission::AccessControl, Scope::Tenant).await?
        };
        Ok(lockgate_access::why(&view.snapshot, user, target))
    }
}
