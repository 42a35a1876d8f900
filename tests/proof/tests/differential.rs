//! Random expressions on random documents, here and in the reference implementation.
//!
//! `LOCKGATE_SEED` and `LOCKGATE_CASES` say which and how many, `LOCKGATE_CASE` runs one alone,
//! `LOCKGATE_PATTERNS=1` draws regular expressions too, `LOCKGATE_KEEP_GOING=1` shows every
//! difference rather than the first ones. `LOCKGATE_EXPRESSION` and `LOCKGATE_DOCUMENT` compare one
//! expression of your own.

use std::{collections::BTreeMap, env, time::Instant};

use lockgate_proof::{
    bench::{Answer, Bench},
    compare::{Comparison, alike, compare},
    generate::{Generator, Tree, document},
    random::Random,
    reference::Reference,
    shrink::{shrink, shrink_document, smaller_documents},
};

/// Cases of a run on every push, and of a long one.
const CASES: u64 = 2_500;
const CASES_LONG: u64 = 50_000;
/// Documents each expression runs on.
const DOCUMENTS: usize = 2;
/// Differences after which a run ends.
const DIFFERENCES_MAX: usize = 5;
const SHRINK_TRIES: usize = 600;
/// Expressions with two things less that are looked at, where three faults meet.
const PAIRS_TRIES: usize = 3_000;

fn text(name: &str) -> Option<String> {
    env::var_os(name).map(|text| text.into_string().unwrap_or_else(|_| panic!("{name} is no text")))
}

fn number(name: &str) -> Option<u64> {
    text(name).map(|text| text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

fn ours(bench: &Bench, expression: &str, documents: &[String]) -> Vec<Answer> {
    match bench.compile(expression) {
        Ok(module) => documents.iter().map(|document| bench.run(&module, document)).collect(),
        Err(code) => documents.iter().map(|_| Answer::Error(code.clone())).collect(),
    }
}

fn same_error(a: &Answer, b: &Answer) -> bool {
    matches!((a, b), (Answer::Error(a), Answer::Error(b)) if alike(a) == alike(b))
}

struct Proof {
    bench: Bench,
    reference: Reference,
}

impl Proof {
    fn answers(&mut self, expression: &str, document: &str) -> (Answer, Answer) {
        let documents = [document.to_owned()];
        let ours = ours(&self.bench, expression, &documents).remove(0);
        (ours, self.reference.ask(expression, &documents).remove(0))
    }

    /// Whether some `%` met nothing in the reference's last run on that document.
    fn parentless(&self, at: usize) -> bool {
        self.reference.parentless().get(at).copied().unwrap_or_default()
    }

    fn differs(&mut self, tree: &Tree, document: &str) -> bool {
        let expression = tree.to_string();
        let (ours, theirs) = self.answers(&expression, document);
        let parentless = self.parentless(0);
        compare(&expression, document, &ours, &theirs, parentless) == Comparison::Different
            && !self.two_errors(tree, document, &ours, &theirs, 0)
    }

    /// Of two errors in one expression either may be told: the reference evaluates the items of an
    /// array at the same time, and both operands before it looks at either. It is so when with one
    /// thing less each of the two tells the other's; with two things less in so many tries, where one
    /// side of an operator has two faults itself.
    fn two_errors(&mut self, tree: &Tree, document: &str, ours: &Answer, theirs: &Answer, pairs: usize) -> bool {
        if !matches!((ours, theirs), (Answer::Error(_), Answer::Error(_))) {
            return false;
        }
        let (mut here, mut there) = (false, false);
        let parts_less = tree.parts().into_iter().flat_map(|part| part.smaller());
        let less = tree
            .smaller()
            .into_iter()
            .chain(tree.parts())
            .chain(parts_less)
            .map(|less| (less.to_string(), document.to_owned()));
        let on_less = smaller_documents(document).into_iter().map(|less| (tree.to_string(), less));
        let smaller = tree.smaller();
        let two_less = smaller.iter().flat_map(Tree::smaller).map(|less| (less.to_string(), document.to_owned()));
        let tried = less.chain(on_less).take(SHRINK_TRIES).chain(two_less.take(pairs));
        for (expression, document) in tried {
            let (a, b) = self.answers(&expression, &document);
            here |= same_error(&a, theirs);
            there |= same_error(&b, ours);
            if here && there {
                return true;
            }
        }
        false
    }

    /// A difference made small, as text.
    fn report(&mut self, case: u64, tree: Tree, document: &str) -> String {
        let mut tree = tree;
        let mut document = document.to_owned();
        for _ in 0..2 {
            tree = shrink(tree, SHRINK_TRIES, |less| self.differs(less, &document));
            document = shrink_document(&document, SHRINK_TRIES, |less| self.differs(&tree, less));
        }
        let expression = tree.to_string();
        let (ours, theirs) = self.answers(&expression, &document);
        format!("case {case}\n  {expression}\n  on {document}\n  ours   {ours:?}\n  theirs {theirs:?}")
    }
}

#[test]
fn random_expressions_give_what_the_reference_gives() {
    let reference = match Reference::start() {
        Ok(reference) => reference,
        Err(why) => {
            assert!(env::var_os("CI").is_none(), "the reference cannot be left out in CI: {why}");
            eprintln!("skipped: the reference implementation ({why})");
            return;
        }
    };
    if let Some(expression) = text("LOCKGATE_EXPRESSION") {
        let document = text("LOCKGATE_DOCUMENT").unwrap_or_else(|| "null".to_owned());
        let (ours, theirs) = Proof { bench: Bench::new(), reference }.answers(&expression, &document);
        eprintln!("ours {ours:?}\ntheirs {theirs:?}");
        return;
    }
    let seed = number("LOCKGATE_SEED").unwrap_or(1);
    let long = env::var_os("LOCKGATE_LONG").is_some();
    let cases = number("LOCKGATE_CASES").unwrap_or(if long { CASES_LONG } else { CASES });
    let one = number("LOCKGATE_CASE");
    let keep_going = env::var_os("LOCKGATE_KEEP_GOING").is_some();
    let patterns = env::var_os("LOCKGATE_PATTERNS").is_some();
    let mut proof = Proof { bench: Bench::new(), reference };
    let (mut counts, mut differences) = (BTreeMap::<&str, u64>::new(), Vec::new());
    let begun = Instant::now();
    for case in one.map_or(0..cases, |one| one..one + 1) {
        let mut random = Random::new(seed, case);
        let documents: Vec<String> = (0..DOCUMENTS).map(|_| document(&mut random)).collect();
        let tree = Generator::new(&mut random, patterns).expression();
        let expression = tree.to_string();
        let ours = ours(&proof.bench, &expression, &documents);
        let theirs = proof.reference.ask(&expression, &documents);
        if one.is_some() {
            eprintln!("{expression}\n{documents:#?}\nours {ours:#?}\ntheirs {theirs:#?}");
        }
        let parentless = proof.reference.parentless().to_vec();
        let answers = ours.iter().zip(&theirs).zip(parentless);
        for (((ours, theirs), parentless), document) in answers.zip(&documents) {
            let counted = match compare(&expression, document, ours, theirs, parentless) {
                Comparison::Same => match ours {
                    Answer::Value(_) => "same value",
                    Answer::Undefined => "both undefined",
                    _ => "same error",
                },
                Comparison::Listed(name) => name,
                Comparison::Open => "not compared",
                Comparison::Different if proof.two_errors(&tree, document, ours, theirs, PAIRS_TRIES) => {
                    "either of two errors"
                }
                Comparison::Different => "different",
            };
            *counts.entry(counted).or_default() += 1;
            if counted == "different" {
                let shown = proof.report(case, tree.clone(), document);
                if keep_going {
                    eprintln!("{shown}");
                }
                differences.push(shown);
                break;
            }
        }
        if differences.len() >= DIFFERENCES_MAX && !keep_going {
            break;
        }
    }
    eprintln!("seed {seed}, {cases} cases in {:.0} s: {counts:?}", begun.elapsed().as_secs_f64());
    assert!(differences.is_empty(), "seed {seed}:\n{}", differences.join("\n"));
    if one.is_none() && cases >= 1_000 {
        let all: u64 = counts.values().sum();
        let count = |name: &str| counts.get(name).copied().unwrap_or_default();
        // A generator that draws nothing but errors proves nothing.
        assert!(count("same value") * 4 > all, "too few values: {counts:?}");
        assert!(count("not compared") * 20 < all, "too many limits: {counts:?}");
    }
}
