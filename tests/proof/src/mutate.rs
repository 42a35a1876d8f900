//! A small mutator, so that the targets are tried wherever the tests run: bytes flipped, parts taken
//! out, doubled and moved, words of a dictionary put in, two inputs joined.
//!
//! Deliberately absent: coverage, which is libFuzzer's to follow.

use crate::random::Random;

/// Longest input it makes.
const BYTES_MAX: usize = 4_096;

/// One of the seeds, changed a few times.
pub fn mutate(seeds: &[Vec<u8>], words: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let pick = |random: &mut Random| seeds.get(random.below(seeds.len())).cloned().unwrap_or_default();
    let mut input = pick(random);
    for _ in 0..1 + random.below(6) {
        let (from, to) = range(input.len(), random);
        match random.below(9) {
            0 if from < to => input[from] ^= 1 << random.below(8),
            1 if from < to => input[from] = random.next() as u8,
            2 => drop(input.drain(from..to)),
            3 => {
                let part = input[from..to].to_vec();
                insert(&mut input, random, &part);
            }
            4..=6 => {
                let word = words.get(random.below(words.len())).cloned().unwrap_or_default();
                insert(&mut input, random, &word);
            }
            7 => {
                let other = pick(random);
                let (start, end) = range(other.len(), random);
                insert(&mut input, random, &other[start..end]);
            }
            _ => {
                // Deep nesting is what recursion fears.
                let part = input[from..to.min(from + 8)].repeat(1 + random.below(40));
                insert(&mut input, random, &part);
            }
        }
    }
    input.truncate(BYTES_MAX);
    input
}

fn range(len: usize, random: &mut Random) -> (usize, usize) {
    let (a, b) = (random.below(len + 1), random.below(len + 1));
    (a.min(b), a.max(b))
}

fn insert(input: &mut Vec<u8>, random: &mut Random, part: &[u8]) {
    let at = random.below(input.len() + 1);
    input.splice(at..at, part.iter().copied());
}

/// The words of a dictionary as libFuzzer reads it: one in quotes on each line, `\xAB`, `\"` and `\\`
/// escaped.
pub fn words(dictionary: &str) -> Vec<Vec<u8>> {
    let quoted = dictionary.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
    quoted.map(unescaped).collect()
}

fn unescaped(word: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'\\', [b'x', high, low, behind @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).unwrap_or("3f");
                out.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
                rest = behind;
            }
            (b'\\', [escaped, behind @ ..]) => {
                out.push(*escaped);
                rest = behind;
            }
            _ => out.push(first),
        }
    }
    out
}
