//! Lists as the commands use them: the pages of the server, followed.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::{Client, segment};
use crate::exit::Exit;

/// Items of a page: as many as the server gives.
const PAGE_ITEMS: usize = 1_000;

impl Client {
    /// All items of a list below the tenant, page by page, as if it had been one.
    pub fn list(&self, path: &str) -> Result<Value, Exit> {
        self.some(path, usize::MAX)
    }
    /// The first so many items of it.
    pub fn some(&self, path: &str, enough: usize) -> Result<Value, Exit> {
        let mut all = Vec::new();
        self.pages_of(path, enough.clamp(1, PAGE_ITEMS), |page| {
            all.extend(page.get("items").and_then(Value::as_array).into_iter().flatten().cloned());
            Ok(if all.len() < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        all.truncate(enough);
        Ok(json!({ "items": all }))
    }
    /// The pages of a list below the tenant, until `each` has enough.
    pub fn pages(&self, path: &str, each: impl FnMut(Value) -> Result<ControlFlow<()>, Exit>) -> Result<(), Exit> {
        self.pages_of(path, PAGE_ITEMS, each)
    }
    fn pages_of(
        &self,
        path: &str,
        limit: usize,
        mut each: impl FnMut(Value) -> Result<ControlFlow<()>, Exit>,
    ) -> Result<(), Exit> {
        let whole = format!("{path}{}limit={limit}", if path.contains('?') { '&' } else { '?' });
        let mut next = whole.clone();
        loop {
            let page = self.get(&next)?;
            let cursor = page.get("next").and_then(Value::as_str).map(segment);
            if each(page)?.is_break() {
                return Ok(());
            }
            let Some(cursor) = cursor else { return Ok(()) };
            next = format!("{whole}&cursor={cursor}");
        }
    }
}
