//! A tenant changes, by chance: rights are given and revoked, keys end, users are disabled and go.

use crate::{
    generate::{
        ACLS, EDIT, ENVIRONMENTS, EXECUTE, GIVEN, GLOBAL, GROUPS, KEYS, MOON, PERSONAL, PLACED, PROFILES, PROJECTS,
        USERS, api, key, orchestration, some,
    },
    random::Random,
    world::*,
};

/// In it if it was not, and the other way round.
fn toggle(names: &mut Names, name: &str) {
    if !names.remove(name) {
        names.insert(name.to_owned());
    }
}

/// Changes one thing.
pub fn mutate(random: &mut Random, world: &mut World) {
    let (user, profile, group) = (random.pick(&USERS), random.pick(&PROFILES), random.pick(&GROUPS));
    match random.below(25) {
        0 | 1 => with(&mut world.users, user, |user| user.enabled = !user.enabled),
        2 | 3 => with(&mut world.users, user, |user| toggle(&mut user.profiles, profile)),
        4 => with(&mut world.users, user, |user| toggle(&mut user.groups, group)),
        5 => with(&mut world.groups, group, |group| toggle(&mut group.profiles, profile)),
        6 | 7 => {
            let permission = random.pick(&[&EXECUTE[..], &GLOBAL, &PERSONAL, &PLACED, &EDIT].concat());
            with(&mut world.profiles, profile, |profile| toggle(&mut profile.permissions, permission));
        }
        8 => {
            let mut named = some(random, &ENVIRONMENTS, 50);
            named.insert(random.pick(&ENVIRONMENTS).to_owned());
            named.extend(world.environments.iter().filter(|of| *of == MOON && random.percent(30)).cloned());
            let valid = if random.percent(30) { Valid::Everywhere } else { Valid::In(named) };
            with(&mut world.profiles, profile, |profile| profile.valid = valid);
        }
        9 | 10 => with(&mut world.acls, random.pick(&ACLS), |list| toggle(list, profile)),
        11 => {
            let project = random.pick(&PROJECTS);
            let target = if random.percent(50) { orchestration(project) } else { api(project) };
            let place = (target, random.pick(&ENVIRONMENTS).to_owned());
            if random.percent(30) {
                world.assigned.remove(&place);
            } else {
                world.assigned.insert(place, random.pick(&ACLS).to_owned());
            }
        }
        12 | 13 => deployment(random, world),
        14 | 15 => {
            let name = random.pick(&KEYS);
            if world.keys.remove(name).is_none() && world.users.contains_key(user) {
                let key = key(random, user.to_owned());
                world.keys.insert(name.to_owned(), key);
            }
        }
        16 => {
            let (name, _) = GIVEN[random.below(GIVEN.len())];
            let there = world.users.contains_key(user);
            let permission = random.pick(&[&EXECUTE[..], &EDIT].concat());
            with(&mut world.project_permissions, name, |given| match random.below(3) {
                0 if there => toggle(&mut given.users, user),
                1 => toggle(&mut given.groups, group),
                _ => toggle(&mut given.permissions, permission),
            });
        }
        17 => toggle(&mut world.ask_for_green_run, random.pick(&ENVIRONMENTS)),
        18 => user_comes_or_goes(random, world, user),
        19 => moon(world),
        20 => {
            let kind = if random.percent(50) { Kind::Idp { calls_apis: random.percent(50) } } else { Kind::Service };
            with(&mut world.users, user, |user| user.kind = if user.kind == kind { Kind::Native } else { kind });
        }
        21 => with(&mut world.users, user, |user| user.second_factor = !user.second_factor),
        22 => world.asks_second_factor = !world.asks_second_factor,
        23 => {
            let (one, other) = (random.below(world.environments.len()), random.below(world.environments.len()));
            world.environments.swap(one, other);
        }
        // One that is suspended is mostly let go on.
        _ => world.suspended = !world.suspended && random.percent(10),
    }
}

fn with<V>(all: &mut std::collections::BTreeMap<Name, V>, name: &str, change: impl FnOnce(&mut V)) {
    if let Some(one) = all.get_mut(name) {
        change(one);
    }
}

/// Something is published, adopted, or ended.
fn deployment(random: &mut Random, world: &mut World) {
    let project = random.pick(&PROJECTS);
    let place = (project.to_owned(), random.pick(&ENVIRONMENTS).to_owned());
    let who = random.pick(&USERS).to_owned();
    match world.deployments.get_mut(&place) {
        Some(there) if random.percent(60) => there.adopted = [who].into(),
        Some(_) => drop(world.deployments.remove(&place)),
        None => {
            let holds = [orchestration(project), api(project)].map(|target| (target.kind, target.name)).into();
            world.deployments.insert(place, Deployment { publisher: who, adopted: Names::new(), holds });
        }
    }
}

/// A user is deleted, with its keys and what is given to it; or comes back with nothing.
fn user_comes_or_goes(random: &mut Random, world: &mut World, name: &str) {
    if world.users.remove(name).is_none() {
        let (kind, profiles, groups) = (Kind::Native, some(random, &PROFILES, 30), Names::new());
        world.users.insert(name.to_owned(), User { kind, enabled: true, second_factor: false, profiles, groups });
        return;
    }
    world.keys.retain(|_, key| key.user != name);
    world.support.retain(|_, grant| grant.giver != name);
    for given in world.project_permissions.values_mut() {
        given.users.remove(name);
    }
}

/// A fifth environment is made, or ended with all that names it.
fn moon(world: &mut World) {
    if !world.environments.iter().any(|name| name == MOON) {
        return world.environments.push(MOON.to_owned());
    }
    world.environments.retain(|name| name != MOON);
    for profile in world.profiles.values_mut() {
        if let Valid::In(named) = &mut profile.valid {
            named.remove(MOON);
        }
    }
}
