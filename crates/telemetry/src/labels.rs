//! Which names may be values of labels: the first so many, and `other` for the rest.
//!
//! Tenants choose the names of their environments and orchestrations; without a bound one of them
//! could make the page of counts as long as it likes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use lockgate_model::id::{EnvironmentId, TargetName, TenantId};

/// Orchestrations that are named, all tenants together.
pub(crate) const NAMED_MAX: usize = 1_000;
/// Orchestrations that are named, of one tenant.
pub(crate) const NAMED_PER_TENANT_MAX: usize = 100;
/// Tenants that are named.
pub(crate) const TENANTS_MAX: usize = 200;
/// Stands for everything that is not named.
pub(crate) const OTHER: &str = "other";

/// The names that are in use as labels.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    tenants: HashMap<TenantId, HashSet<(EnvironmentId, TargetName)>>,
    named: usize,
}

/// What stands on the page for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// Everything.
    Wholly,
    /// The tenant; environment and orchestration are `other`.
    TenantOnly,
    /// Nothing: all three are `other`.
    Not,
}

impl Names {
    pub(crate) fn of(&self, tenant: &TenantId, environment: &EnvironmentId, name: &TargetName) -> Named {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = known.named >= NAMED_MAX;
        if !known.tenants.contains_key(tenant) {
            if known.tenants.len() >= TENANTS_MAX {
                return Named::Not;
            }
            known.tenants.insert(tenant.clone(), HashSet::new());
        }
        let Some(own) = known.tenants.get_mut(tenant) else { return Named::Not };
        let place = (environment.clone(), name.clone());
        if own.contains(&place) {
            return Named::Wholly;
        }
        if full || own.len() >= NAMED_PER_TENANT_MAX {
            return Named::TenantOnly;
        }
        own.insert(place);
        known.named += 1;
        Named::Wholly
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tenant_cannot_use_up_the_names_of_others() {
        let names = Names::default();
        let live = EnvironmentId::parse("live").unwrap();
        let tenant = |n: usize| TenantId::parse(&format!("t{n}")).unwrap();
        let name = |n: usize| TargetName::parse(&format!("o{n}")).unwrap();
        let wholly =
            |t: usize, all: usize| (0..all).filter(|n| names.of(&tenant(t), &live, &name(*n)) == Named::Wholly).count();
        assert_eq!(wholly(0, 1_000), NAMED_PER_TENANT_MAX);
        assert_eq!(wholly(0, 1_000), NAMED_PER_TENANT_MAX, "the same ones stay named");
        assert_eq!(wholly(1, 5), 5);
        assert_eq!((2..20).map(|t| wholly(t, 100)).sum::<usize>(), NAMED_MAX - NAMED_PER_TENANT_MAX - 5);
        assert_eq!(names.of(&tenant(20), &live, &name(0)), Named::TenantOnly);
        for t in 21..TENANTS_MAX {
            names.of(&tenant(t), &live, &name(0));
        }
        assert_eq!(names.of(&tenant(TENANTS_MAX), &live, &name(0)), Named::Not);
    }
}
