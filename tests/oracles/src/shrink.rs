//! A world in which two answers differ, made small.

use crate::world::World;

/// The world with one thing less, as long as it differs.
pub fn minimised(mut world: World, differs: impl Fn(&World) -> bool) -> World {
    loop {
        let mut less: Vec<World> = Vec::new();
        let mut push = |cut: &dyn Fn(&mut World)| {
            let mut smaller = world.clone();
            cut(&mut smaller);
            less.push(smaller);
        };
        world.assigned.keys().for_each(|key| {
            push(&|w| {
                w.assigned.remove(key);
            })
        });
        world.deployments.keys().for_each(|key| {
            push(&|w| {
                w.deployments.remove(key);
            })
        });
        world.project_permissions.keys().for_each(|key| {
            push(&|w| {
                w.project_permissions.remove(key);
            })
        });
        world.support.keys().for_each(|key| {
            push(&|w| {
                w.support.remove(key);
            })
        });
        for (name, user) in &world.users {
            user.profiles.iter().for_each(|p| {
                push(&|w| {
                    w.users.get_mut(name).unwrap().profiles.remove(p);
                })
            });
            user.groups.iter().for_each(|g| {
                push(&|w| {
                    w.users.get_mut(name).unwrap().groups.remove(g);
                })
            });
        }
        for (name, profile) in &world.profiles {
            let cut = |p| {
                push(&|w| {
                    w.profiles.get_mut(name).unwrap().permissions.remove(p);
                })
            };
            profile.permissions.iter().for_each(cut);
        }
        for (name, profiles) in &world.acls {
            profiles.iter().for_each(|p| {
                push(&|w| {
                    w.acls.get_mut(name).unwrap().remove(p);
                })
            });
        }
        match less.into_iter().find(&differs) {
            Some(smaller) => world = smaller,
            None => return world,
        }
    }
}
