//! The users of a tenant, compiled. A user is a few bytes: what it is, and the number of what it holds. Who is
//! given the same profiles and groups holds the same, and that is compiled once.
//!
//! Users lie in shards, which snapshots share until one changes: another user costs its shard.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use lockgate_model::{
    Permission,
    definition::{User, ValidIn},
    id::{GroupId, ProfileId, UserId},
    permission::Permissions,
    principal::UserKind,
};

use crate::{key::Key, profile_set::ProfileSet, rows::Rows, snapshot::valid_in};

/// Users of a shard, about.
const OF_SHARD: usize = 512;

/// Holdings that nobody has are kept: so many, and two for each user.
const LITTER: usize = 1_000;

/// The number of each profile.
pub(crate) type Numbers<'a> = HashMap<&'a ProfileId, usize>;

#[derive(Debug, Clone)]
pub(crate) struct Users {
    shards: Vec<Arc<HashMap<Key, Row>>>,
    holdings: Arc<Vec<Holding>>,
    /// Which holding is of what is given.
    of: Arc<BTreeMap<Given, u32>>,
}

/// What a user is given, as its definition says it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Given {
    service: bool,
    profiles: Vec<ProfileId>,
    groups: Vec<GroupId>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    kind: UserKind,
    enabled: bool,
    api_allowed: bool,
    holding: u32,
}

/// What users hold who are given the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holding {
    /// Groups it comes of.
    pub groups: Vec<GroupId>,
    /// Profiles of the user and of its groups.
    pub profiles: ProfileSet,
    /// What counts everywhere: from profiles valid in all environments.
    pub tenant_wide: Permissions,
    /// What counts in each environment, by its number. Empty set where no profile is valid.
    pub by_environment: Vec<Permissions>,
    /// What counts somewhere.
    pub anywhere: Permissions,
}

/// A user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserFacts<'a> {
    pub kind: UserKind,
    pub enabled: bool,
    pub api_allowed: bool,
    pub held: &'a Holding,
}

impl Users {
    /// No user yet, and room for so many.
    pub fn for_about(users: usize) -> Self {
        let shards = users.div_ceil(OF_SHARD).max(1);
        Self { shards: vec![Arc::default(); shards], holdings: Arc::default(), of: Arc::default() }
    }

    pub fn get(&self, id: &UserId) -> Option<UserFacts<'_>> {
        let id = id.as_str();
        self.facts(self.shards.get(self.shard(id))?.get(id.as_bytes())?)
    }

    /// All users, in no order.
    pub fn values(&self) -> impl Iterator<Item = UserFacts<'_>> {
        self.shards.iter().flat_map(|shard| shard.values()).filter_map(|row| self.facts(row))
    }

    fn facts(&self, row: &Row) -> Option<UserFacts<'_>> {
        let Row { kind, enabled, api_allowed, holding } = *row;
        let held = self.holdings.get(usize::try_from(holding).ok()?)?;
        Some(UserFacts { kind, enabled, api_allowed, held })
    }

    /// FNV-1a: it only spreads users over shards.
    fn shard(&self, id: &str) -> usize {
        if self.shards.len() == 1 {
            return 0;
        }
        let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        usize::try_from(hash).unwrap_or_default() % self.shards.len()
    }

    /// Puts a user as its definition says, or takes it away.
    pub fn put(&mut self, id: &str, user: Option<&User>, rows: &Rows, numbers: &Numbers<'_>) {
        let row = user.map(|user| {
            let holding = self.holding(user, rows, numbers);
            Row { kind: user.kind, enabled: user.enabled, api_allowed: user.api_allowed, holding }
        });
        let shard = self.shard(id);
        let Some(shard) = self.shards.get_mut(shard).map(Arc::make_mut) else { return };
        match row {
            Some(row) => drop(shard.insert(Key::of(id), row)),
            None => drop(shard.remove(id.as_bytes())),
        }
    }

    fn holding(&mut self, user: &User, rows: &Rows, numbers: &Numbers<'_>) -> u32 {
        let given = Given {
            service: user.kind == UserKind::Service,
            profiles: user.profiles.clone(),
            groups: user.groups.clone(),
        };
        if let Some(number) = self.of.get(&given) {
            return *number;
        }
        let number = u32::try_from(self.holdings.len()).unwrap_or(u32::MAX);
        Arc::make_mut(&mut self.holdings).push(given.holding(rows, numbers));
        Arc::make_mut(&mut self.of).insert(given, number);
        number
    }

    /// Changes have left more behind that nobody holds any more than there is, or shards are far larger than meant.
    pub fn are_worn(&self) -> bool {
        let users: usize = self.shards.iter().map(|shard| shard.len()).sum();
        self.holdings.len() > LITTER + 2 * users || users > 4 * OF_SHARD * self.shards.len()
    }

    /// The same users after profiles, groups or environments changed.
    pub fn again(&self, rows: &Rows, numbers: &Numbers<'_>) -> Self {
        let mut by_number: Vec<_> = self.of.iter().map(|(given, number)| (number, given)).collect();
        by_number.sort();
        let holdings = by_number.into_iter().map(|(_, given)| given.holding(rows, numbers)).collect();
        Self { shards: self.shards.clone(), holdings: Arc::new(holdings), of: self.of.clone() }
    }
}

impl Given {
    fn holding(&self, rows: &Rows, numbers: &Numbers<'_>) -> Holding {
        let of_groups = self.groups.iter().filter_map(|g| rows.groups.get(g)).flat_map(|g| &g.profiles);
        let held: Vec<_> =
            self.profiles.iter().chain(of_groups).filter_map(|id| Some((id, rows.profiles.get(id)?))).collect();
        let sum = |wanted: &dyn Fn(&ValidIn) -> bool| {
            let of = held.iter().filter(|(_, profile)| wanted(&profile.valid_in));
            let all = of.fold(Permissions::NONE, |all, (_, profile)| {
                all.union(match profile.valid_in {
                    ValidIn::All => profile.permissions,
                    // No climbing from a stage to the tenant.
                    ValidIn::Environments(_) => profile.permissions.iter().filter(|p| !p.tenant_wide_only()).collect(),
                })
            });
            // A service account never has the user interface, whatever its profiles say.
            match self.service {
                true => all.iter().filter(|p| *p != Permission::UserInterfaceAccess).collect(),
                false => all,
            }
        };
        Holding {
            groups: self.groups.clone(),
            profiles: held.iter().filter_map(|(id, _)| numbers.get(id).copied()).collect(),
            tenant_wide: sum(&|valid| *valid == ValidIn::All),
            by_environment: rows.environments.keys().map(|e| sum(&|valid| valid_in(valid, e))).collect(),
            anywhere: sum(&|_| true),
        }
    }
}
