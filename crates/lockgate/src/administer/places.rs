//! Environments that change places in the promotion order. No two may have the same place, even between two steps: where
//! one is to stand where another still stands, the other is moved to a place that is free first. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use crate::administer::{
    declared::Kind,
    plan::{Change, Step},
    standing::Standing,
};

/// The member of an environment.
const ORDER: &str = "order";
/// The last place that a server knows.
const ORDER_MAX: u64 = 4_294_967_295;

fn order(body: &Value) -> Option<u64> {
    body.get(ORDER).and_then(Value::as_u64)
}

/// The lowest place that nobody has and nobody is to have, and that makes nobody the first if that can be.
fn free(places: &BTreeMap<String, u64>, wanted: &BTreeSet<u64>) -> u64 {
    let taken: BTreeSet<u64> = places.values().chain(wanted).copied().collect();
    let first = places.values().min().copied().unwrap_or_default();
    let mut behind = (first..=ORDER_MAX).chain(0..first);
    behind.find(|place| !taken.contains(place)).unwrap_or(ORDER_MAX)
}

/// The steps, with those that clear a place before them; other steps stay in their order, behind what is made of
/// environments.
pub fn clear(steps: Vec<Step>, standing: &Standing) -> Vec<Step> {
    let is_made = |step: &Step| step.thing.0 == Kind::Environment && !matches!(step.change, Change::Delete(_));
    let (mut waiting, mut rest): (VecDeque<Step>, Vec<Step>) = (VecDeque::new(), Vec::new());
    for step in steps {
        if is_made(&step) { waiting.push_back(step) } else { rest.push(step) }
    }
    let mut places: BTreeMap<String, u64> = standing
        .iter()
        .filter(|((kind, _), _)| *kind == Kind::Environment)
        .filter_map(|((_, id), stands)| Some((id.clone(), order(&stands.body)?)))
        .collect();
    let wanted = |step: &Step| match &step.change {
        Change::Create(body) | Change::Update(body, _) => order(body),
        Change::Delete(_) => None,
    };
    let mut taken = Vec::new();
    // Every round takes a step, or moves one that will move again or go.
    while !waiting.is_empty() {
        let holder = |step: &Step| {
            let others = places.iter().filter(|(id, _)| **id != step.thing.1);
            others.filter(|(_, place)| Some(**place) == wanted(step)).map(|(id, _)| id.clone()).next()
        };
        if let Some(step) = waiting.iter().position(|step| holder(step).is_none()).and_then(|at| waiting.remove(at)) {
            places.extend(wanted(&step).map(|place| (step.thing.1.clone(), place)));
            taken.push(step);
            continue;
        }
        let held: Vec<String> = waiting.iter().filter_map(holder).collect();
        let aside = free(&places, &waiting.iter().filter_map(wanted).collect());
        let moves = waiting.iter_mut().chain(&mut rest).filter(|step| step.thing.0 == Kind::Environment);
        let moves = moves.filter(|step| held.contains(&step.thing.1));
        let moves = moves.filter_map(|step| standing.get(&step.thing).map(|stands| (step, stands)));
        // The first one is where projects are edited: it is left last.
        let first = places.values().min().copied();
        let Some((later, stands)) = moves.min_by_key(|(step, _)| places.get(&step.thing.1).copied() == first) else {
            // Who holds it stays: the server says what is wrong with that.
            taken.extend(waiting.drain(..));
            break;
        };
        let mut body = stands.body.clone();
        if let Some(member) = body.get_mut(ORDER) {
            *member = Value::from(aside);
        }
        places.insert(later.thing.1.clone(), aside);
        let change = Change::Update(body.clone(), vec![ORDER.to_owned()]);
        taken.push(Step {
            thing: later.thing.clone(),
            change,
            revision: later.revision.take(),
            left: None,
            hindrance: None,
        });
        later.left = Some(body);
    }
    taken.extend(rest);
    taken
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::administer::standing::Stands;

    fn body(place: u64) -> Value {
        json!({"title": "", "order": place, "needs_green_run": false})
    }

    fn standing(all: &[(&str, u64)]) -> Standing {
        let stands = |place| Stands { body: body(place), revision: Some(7), secrets: Vec::new() };
        all.iter().map(|(id, place)| ((Kind::Environment, (*id).to_owned()), stands(*place))).collect()
    }

    fn step(id: &str, change: Change) -> Step {
        Step { thing: (Kind::Environment, id.to_owned()), change, revision: Some(7), left: None, hindrance: None }
    }

    fn to(id: &str, place: u64) -> Step {
        step(id, Change::Update(body(place), vec![ORDER.to_owned()]))
    }

    /// Takes the steps one by one: no two environments are ever in one place, and each step is on what the one before
    /// it left.
    fn taken(stands: &[(&str, u64)], steps: Vec<Step>) -> Vec<String> {
        let standing = standing(stands);
        let mut now: BTreeMap<String, Value> =
            standing.iter().map(|((_, id), stands)| (id.clone(), stands.body.clone())).collect();
        let mut told = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for step in clear(steps, &standing) {
            let id = step.thing.1.clone();
            let again = !seen.insert(id.clone());
            assert_eq!(step.left.as_ref(), again.then(|| now.get(&id)).flatten(), "{id}");
            assert_eq!(step.revision, (!again).then_some(7), "{id}");
            match &step.change {
                Change::Create(body) | Change::Update(body, _) => drop(now.insert(id.clone(), body.clone())),
                Change::Delete(_) => drop(now.remove(&id)),
            }
            told.push(format!("{id} {}", now.get(&id).and_then(order).map_or("gone".to_owned(), |at| at.to_string())));
            let mut places: Vec<_> = now.values().filter_map(order).collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), now.len(), "{told:?}");
        }
        told
    }

    #[test]
    fn two_change_places() {
        let told = taken(&[("a", 0), ("b", 1), ("c", 2)], vec![to("b", 2), to("c", 1)]);
        assert_eq!(told, ["b 3", "c 1", "b 2"]);
        // Where projects are edited somebody is as long as it can be.
        assert_eq!(taken(&[("a", 0), ("b", 1)], vec![to("a", 1), to("b", 0)]), ["b 2", "a 1", "b 0"]);
    }

    #[test]
    fn the_last_place_that_there_is_hinders_nobody() {
        let last = ORDER_MAX;
        assert_eq!(
            taken(&[("a", 0), ("b", 1), ("z", last)], vec![to("b", last), to("z", 1)]),
            ["b 2".to_owned(), "z 1".to_owned(), format!("b {last}"),]
        );
        let told = taken(&[("a", last - 1), ("b", last)], vec![to("a", last), to("b", last - 1)]);
        assert_eq!(told.first().map(String::as_str), Some("b 0"));
    }

    #[test]
    fn what_was_broken_off_anywhere_is_ended_by_another_plan() {
        let (stands, wanted) = ([("a", 0), ("b", 1), ("c", 2), ("d", 3)], [("a", 3), ("b", 2), ("c", 0), ("d", 1)]);
        let moves = |now: &BTreeMap<String, u64>| -> Vec<Step> {
            wanted.iter().filter(|(id, place)| now.get(*id) != Some(place)).map(|(id, place)| to(id, *place)).collect()
        };
        let begin: BTreeMap<String, u64> = stands.iter().map(|(id, place)| ((*id).to_owned(), *place)).collect();
        let all = clear(moves(&begin), &standing(&stands));
        for broken in 0..=all.len() {
            let mut now = begin.clone();
            for step in all.iter().take(broken) {
                if let Change::Update(body, _) = &step.change {
                    now.insert(step.thing.1.clone(), order(body).unwrap());
                }
            }
            let found: Vec<(&str, u64)> = now.iter().map(|(id, place)| (id.as_str(), *place)).collect();
            let mut ends = now.clone();
            for told in taken(&found, moves(&now)) {
                let (id, place) = told.split_once(' ').unwrap();
                ends.insert(id.to_owned(), place.parse().unwrap());
            }
            assert!(moves(&ends).is_empty(), "{broken}: {ends:?}");
        }
    }

    #[test]
    fn a_new_one_comes_before_others() {
        let new = step("new", Change::Create(body(1)));
        let told = taken(&[("a", 0), ("b", 1), ("c", 2)], vec![to("b", 2), to("c", 3), new]);
        assert_eq!(told, ["c 3", "b 2", "new 1"]);
    }

    #[test]
    fn one_takes_the_place_of_one_that_goes() {
        let (new, gone) = (step("new", Change::Create(body(1))), step("b", Change::Delete(Vec::new())));
        assert_eq!(taken(&[("a", 0), ("b", 1)], vec![new, gone]), ["b 2", "new 1", "b gone"]);
    }

    #[test]
    fn three_in_a_ring_and_any_order_of_many() {
        assert_eq!(taken(&[("a", 1), ("b", 2), ("c", 3)], vec![to("a", 2), to("b", 3), to("c", 1)]).len(), 4);
        let stands = [("a", 0), ("b", 1), ("c", 2), ("d", 3)];
        for at in 0..256 {
            let wanted: Vec<u64> = (0..4).map(|n| (at >> (2 * n)) & 3).collect();
            if (0..4).all(|place| wanted.contains(&place)) {
                let moves = stands.iter().zip(&wanted).filter(|((_, from), to)| from != *to);
                let steps: Vec<_> = moves.map(|((id, _), place)| to(id, *place)).collect();
                let count = steps.len();
                let told = taken(&stands, steps);
                assert!(told.len() <= count + 2, "{wanted:?}: {told:?}");
            }
        }
    }

    #[test]
    fn a_place_of_one_that_stays_is_for_the_server_to_refuse() {
        let all = standing(&[("a", 0), ("b", 1)]);
        let steps = vec![step("new", Change::Create(body(1)))];
        assert_eq!(clear(steps.clone(), &all), steps);
    }
}
