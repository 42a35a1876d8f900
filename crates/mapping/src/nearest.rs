//! Suggestions: what was meant by a name that is none.

/// The known name nearest to what was written, when it is near enough to be meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = 1 + written.chars().count() / 4;
    known
        .into_iter()
        .map(|name| (distance(&written.to_lowercase(), &name.to_lowercase()), name))
        // Where more than a letter differs, less than half of the word may.
        .filter(|(distance, name)| {
            let longest = name.chars().count().max(written.chars().count());
            *distance <= 1 || *distance <= allowed && 2 * distance < longest
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Edits (insert, drop, replace, swap of neighbours) from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |up: usize, back: usize| {
                rows.get((i + 1).wrapping_sub(up)).and_then(|r| r.get((j + 1).wrapping_sub(back))).copied()
            };
            let replace = at(1, 1).unwrap_or(0) + usize::from(x != y);
            let drop = at(1, 0).unwrap_or(0) + 1;
            let insert = row.last().copied().unwrap_or(0) + 1;
            let mut best = replace.min(drop).min(insert);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped && let Some(before) = at(2, 2) {
                best = best.min(before + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("swich", ["set", "switch", "do"]), Some("switch"));
        assert_eq!(nearest("cacth", ["try", "catch"]), Some("catch"));
        assert_eq!(nearest("expotr", ["export", "output"]), Some("export"));
        assert_eq!(nearest("banana", ["set", "switch", "do"]), None);
        assert_eq!(nearest("sort", ["not", "set", "all"]), None);
        assert_eq!((distance("", "abc"), distance("abc", ""), distance("same", "same")), (3, 3, 0));
    }
}
