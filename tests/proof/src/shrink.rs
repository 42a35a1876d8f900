//! From an expression that differs to a small one that still does.

use crate::generate::Tree;

/// The smallest tree that can be reached, in so many tries, with the property kept.
pub fn shrink(tree: Tree, mut tries: usize, mut keeps: impl FnMut(&Tree) -> bool) -> Tree {
    let mut best = tree;
    loop {
        let length = best.to_string().len();
        let mut smaller = best.smaller();
        smaller.retain(|less| less.to_string().len() < length);
        // The boldest cut first.
        smaller.sort_by_key(|less| less.to_string().len());
        let Some(found) = smaller.into_iter().find(|less| {
            let goes_on = tries > 0;
            tries = tries.saturating_sub(1);
            goes_on && keeps(less)
        }) else {
            return best;
        };
        best = found;
    }
}

/// The smallest JSON text that can be reached by leaving out members and items, with the property kept.
pub fn shrink_document(text: &str, mut tries: usize, mut keeps: impl FnMut(&str) -> bool) -> String {
    let mut best = text.to_owned();
    loop {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(&best) else { return best };
        let mut smaller: Vec<String> = cuts(&value).iter().map(ToString::to_string).collect();
        smaller.retain(|less| less.len() < best.len());
        smaller.sort_by_key(String::len);
        let Some(found) = smaller.into_iter().find(|less| {
            let goes_on = tries > 0;
            tries = tries.saturating_sub(1);
            goes_on && keeps(less)
        }) else {
            return best;
        };
        best = found;
    }
}

/// All documents that have one thing less.
pub fn smaller_documents(text: &str) -> Vec<String> {
    let value = serde_json::from_str::<serde_json::Value>(text);
    value.map(|value| cuts(&value).iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn cuts(value: &serde_json::Value) -> Vec<serde_json::Value> {
    use serde_json::Value;
    let mut out = vec![Value::Null, Value::from(1)];
    match value {
        Value::Array(items) => {
            for at in 0..items.len() {
                let mut less = items.clone();
                less.remove(at);
                out.push(Value::Array(less));
                for cut in cuts(&items[at]) {
                    let mut less = items.clone();
                    less[at] = cut;
                    out.push(Value::Array(less));
                }
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                let mut less = members.clone();
                less.shift_remove(key);
                out.push(Value::Object(less));
                for cut in cuts(value) {
                    let mut less = members.clone();
                    less.insert(key.clone(), cut);
                    out.push(Value::Object(less));
                }
            }
        }
        _ => {}
    }
    out
}
