//! Lists, page by page: the one convention of all of them.
//!
//! A list has a stable order, and each of its items a place in it. A page has at most `limit` of them, and `next` where
//! there may be more: a `cursor` that the next page begins behind, with the same filters. What the asker may not see
//! is left out before a page is made, so neither pages nor cursors tell of it.

use std::{collections::BTreeMap, str::FromStr};

use axum::{Json, extract::FromRequestParts};
use http::{StatusCode, request::Parts};
use lockgate_runtime::{Caller, Error, Runtime};
use percent_encoding::percent_decode_str;
use serde::{Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use crate::{
    extract::read_query,
    gate,
    respond::{Answer, Refused},
};

/// Items of a page unless another number is asked for, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// Its items.
    pub(crate) items: Vec<T>,
    /// The `cursor` of the next page; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Which page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes parameters that `Listed` reads")]
pub(crate) struct Paging {
    /// At most so many; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before, with the same filters.
    cursor: Option<String>,
}

/// No filters.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct All {}

/// The query of a list: its filters, and the page. Not looked at before access has been asked; to be taken after
/// [`crate::extract::Asker`].
pub(crate) struct Listed<F>(pub(crate) F, pub(crate) Part);

/// Which part of a list is asked for.
pub(crate) struct Part {
    runtime: Runtime,
    caller: Caller,
    /// The list with its filters.
    list: String,
    /// The page itself is asked for, by `limit` or `cursor`.
    pub(crate) asked: bool,
    /// At most so many.
    pub(crate) limit: usize,
    /// Behind this place.
    behind: Option<String>,
}

impl<F: DeserializeOwned> FromRequestParts<Runtime> for Listed<F> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, runtime: &Runtime) -> Result<Self, Refused> {
        gate::pass(parts, runtime).await?;
        let caller = parts.extensions.get::<Caller>().cloned().ok_or(Error::Unauthenticated)?;
        let query = parts.uri.query().unwrap_or_default();
        let (paging, filters): (Vec<&str>, Vec<&str>) =
            query.split('&').filter(|pair| !pair.is_empty()).partition(|pair| matches!(name(pair), "limit" | "cursor"));
        let which = read_query(&filters.join("&"), &["limit", "cursor"])?;
        let mut asked: BTreeMap<&str, String> = BTreeMap::new();
        for pair in paging {
            let text = percent_decode_str(pair.split_once('=').unwrap_or_default().1).decode_utf8_lossy();
            if asked.insert(name(pair), text.into_owned()).is_some() {
                return Err(wrong(format!("the query has `{}` more than once", name(pair))));
            }
        }
        let limit = match asked.get("limit") {
            None => LIMIT,
            Some(text) => text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
                wrong(format!("`limit` cannot be `{text}`: it is a whole number from 1 to {LIMIT_MAX}"))
            })?,
        };
        let mut narrowed = filters;
        narrowed.sort_unstable();
        let list = format!("{}?{}", parts.uri.path(), narrowed.join("&"));
        let behind = asked.get("cursor").map(|cursor| runtime.place(&caller, &list, cursor)).transpose()?;
        Ok(Self(which, Part { runtime: runtime.clone(), caller, list, asked: !asked.is_empty(), limit, behind }))
    }
}

fn name(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

fn wrong(text: String) -> Refused {
    Refused::request(StatusCode::BAD_REQUEST, "LG-QUERY", text)
}

impl Part {
    /// Behind which place to look, and for how many: one more than fit tells that there is a next page.
    pub(crate) fn behind(&self) -> (Option<&str>, usize) {
        (self.behind.as_deref(), self.limit + 1)
    }

    /// The cursor behind a place.
    pub(crate) fn next(&self, place: &str) -> Answer<String> {
        Ok(self.runtime.cursor(&self.caller, &self.list, place)?)
    }

    /// The place that the page begins behind, as what it is.
    pub(crate) fn place<T: FromStr>(&self) -> Answer<Option<T>> {
        let read = |place: &String| place.parse().map_err(|_| Error::Internal { what: "reading a cursor".into() });
        Ok(self.behind.as_ref().map(read).transpose()?)
    }

    /// At most so many.
    pub(crate) fn limit_u32(&self) -> u32 {
        u32::try_from(self.limit).unwrap_or(u32::MAX)
    }

    /// The page of what is all at hand, in the order of its places.
    pub(crate) fn of<T>(
        &self,
        all: impl IntoIterator<Item = T>,
        place: impl Fn(&T) -> String,
    ) -> Answer<Json<Page<T>>> {
        let passed = |item: &T| self.behind.as_ref().is_some_and(|behind| place(item) <= *behind);
        let mut rest = all.into_iter().filter(|item| !passed(item));
        let items: Vec<T> = rest.by_ref().take(self.limit).collect();
        let last = items.last().filter(|_| rest.next().is_some()).map(&place);
        let next = last.map(|last| self.next(&last)).transpose()?;
        Ok(Json(Page { items, next }))
    }

    /// The page of what was looked up behind the place already. A full one may have a next.
    pub(crate) fn found<T>(&self, items: Vec<T>, place: impl Fn(&T) -> String) -> Answer<Json<Page<T>>> {
        let last = items.last().filter(|_| items.len() >= self.limit).map(place);
        let next = last.map(|last| self.next(&last)).transpose()?;
        Ok(Json(Page { items, next }))
    }
}
