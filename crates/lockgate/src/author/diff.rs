//! `lockgate diff A B`: what each orchestration of B may touch that the one of that name in A could not.
//!
//! Each is held against its own past alone: the rights to run one are not those to run another, so what a second one
//! reaches is news even where the first did already. Of one that is not in A, all is news. Each side is a project folder or a built module (`*.wasm`, from `build --out`). Exit code 1 says that there is
//! something: a review can hold a change by it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clap::Args;
use lockgate_connector_api::Registry;
use lockgate_model::Manifest;
use serde_json::json;

use crate::{author::workbench::Workbench, exit::Exit, output::Output};

/// Arguments of `diff`.
#[derive(Args)]
pub struct Diff {
    /// What there was: a project folder, or a built module.
    old: PathBuf,
    /// What there is to be.
    new: PathBuf,
}

/// Manifests by orchestration.
type Manifests = BTreeMap<String, Manifest>;

impl Diff {
    /// Runs the command.
    pub fn run(self, connectors: &Registry, output: &Output) -> Result<(), Exit> {
        let (old, new) = (manifests(&self.old, connectors)?, manifests(&self.new, connectors)?);
        let (more, less) = (beyond(&new, &old), beyond(&old, &new));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let times: Vec<String> = names
            .into_iter()
            .filter_map(|name| {
                let schedule = |of: &Manifests| of.get(name).and_then(|manifest| manifest.schedule.clone());
                let (now, before) = (schedule(&new), schedule(&old));
                (now != before).then(|| match now {
                    Some(schedule) => format!("{name} runs by itself: {schedule}"),
                    None => format!("{name} no longer runs by itself"),
                })
            })
            .collect();
        let value = json!({"may": by_flow(&more), "no_longer": by_flow(&less), "schedules": times});
        output.result(&value, || {
            let mut text = String::new();
            let mut part = |title: &str, sign: char, found: &[(String, String)]| {
                if !found.is_empty() {
                    text.push_str(&format!("{title}\n"));
                }
                for (flow, what) in found {
                    text.push_str(&format!("  {sign} {what}  ({flow})\n"));
                }
            };
            part("may what it could not before:", '+', &more);
            part("may no longer:", '-', &less);
            if more.is_empty() && less.is_empty() {
                text.push_str("may touch what it could before\n");
            }
            times.iter().for_each(|time| text.push_str(&format!("{time}\n")));
            text
        });
        if more.is_empty() { Ok(()) } else { Err(Exit::Told) }
    }
}

/// What flows of `these` may that the flow of the same name among `those` may not: the flow, and what.
fn beyond(these: &Manifests, those: &Manifests) -> Vec<(String, String)> {
    let of = |(name, manifest): (&String, &Manifest)| {
        let before: Vec<&Manifest> = those.get(name).into_iter().collect();
        let name = name.clone();
        manifest.beyond(&before).into_iter().map(move |what| (name.clone(), what))
    };
    these.iter().flat_map(of).collect()
}

fn by_flow(found: &[(String, String)]) -> serde_json::Value {
    found.iter().map(|(flow, what)| json!({"orchestration": flow, "what": what})).collect()
}

fn manifests(path: &Path, connectors: &Registry) -> Result<Manifests, Exit> {
    if path.is_file() {
        let wasm = std::fs::read(path)?;
        let module = Workbench::new()?.load_bytes(&wasm)?;
        return Ok([(module.header().name.clone(), module.manifest().clone())].into());
    }
    let (project, sources) = super::check::checked(path, connectors)?;
    let catalog = lockgate_runtime::catalog(connectors);
    let modules = project.compile(&catalog).map_err(|all| Exit::problems(all, |file| sources.0.get(file)))?;
    Ok(modules.into_iter().map(|module| (module.name, module.manifest)).collect())
}
