//! The fuzz targets wherever the tests run: every seed, and for some seconds changed seeds.
//!
//! `LOCKGATE_SEED` says where chance begins, `LOCKGATE_SECONDS` how long each target is tried,
//! `LOCKGATE_TARGET` runs one alone.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use lockgate_proof::{
    mutate::{mutate, words},
    random::Random,
    targets::{TARGETS, Target},
};

/// A run of one input that takes longer hangs.
const HANG: Duration = Duration::from_secs(20);

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn text(name: &str) -> Option<String> {
    env::var_os(name).map(|text| text.into_string().unwrap_or_else(|_| panic!("{name} is no text")))
}

fn number(name: &str) -> Option<u64> {
    text(name).map(|text| text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

fn seeds(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = folder().join("corpus").join(target.name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut seeds: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

/// Runs a target on an input; says what it was when that fails.
fn hold(target: &Target, input: &[u8], of: &str) {
    let begun = Instant::now();
    let run = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    assert!(run.is_ok(), "{} does not withstand {of}: b\"{}\"", target.name, input.escape_ascii());
    assert!(
        begun.elapsed() < HANG,
        "{} takes {:?} for {of}: b\"{}\"",
        target.name,
        begun.elapsed(),
        input.escape_ascii()
    );
}

#[test]
fn every_target_withstands_its_seeds_and_their_changes() {
    let seed = number("LOCKGATE_SEED").unwrap_or(1);
    let long = env::var_os("LOCKGATE_LONG").is_some();
    let seconds = number("LOCKGATE_SECONDS").unwrap_or(if long { 120 } else { 5 });
    let only = text("LOCKGATE_TARGET");
    let chosen = TARGETS.iter().filter(|target| only.as_deref().is_none_or(|only| only == target.name));
    std::thread::scope(|scope| {
        for target in chosen {
            scope.spawn(move || {
                let seeds = seeds(target);
                assert!(!seeds.is_empty(), "{} has no seeds", target.name);
                for (name, input) in &seeds {
                    hold(target, input, name);
                }
                let dictionary = folder().join("dictionaries").join(format!("{}.dict", target.dictionary));
                let dictionary = fs::read_to_string(dictionary).unwrap();
                // libFuzzer refuses the file otherwise.
                assert!(dictionary.bytes().all(|b| b == b'\n' || (0x20..0x7f).contains(&b)), "{}", target.dictionary);
                let words = words(&dictionary);
                assert!(words.len() > 10, "{} has no dictionary", target.name);
                let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, input)| input).collect();
                let (count, begun) = (AtomicU64::new(0), Instant::now());
                while begun.elapsed() < Duration::from_secs(seconds) {
                    let case = count.fetch_add(1, Ordering::Relaxed);
                    let input = mutate(&seeds, &words, &mut Random::new(seed, case));
                    hold(target, &input, &format!("case {case} of seed {seed}"));
                }
                eprintln!("{}: {} inputs of seed {seed}", target.name, count.into_inner());
            });
        }
    });
}

#[test]
fn every_target_has_its_binary_and_its_seeds() {
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for target in TARGETS {
        let name = target.name;
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml has no binary `{name}`");
        let body = fs::read_to_string(folder().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(body.contains(&format!("targets::{name}::target")), "{name}.rs runs another target: {body}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len(), "a binary without a target");
    assert_eq!(fs::read_dir(folder().join("corpus")).unwrap().count(), TARGETS.len(), "seeds without a target");
    let files: usize = TARGETS.iter().map(|target| seeds(target).len()).sum();
    assert!(files < 200, "{files} seeds: minimise them");
}
