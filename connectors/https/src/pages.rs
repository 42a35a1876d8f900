//! Lists that come in pages: each page is asked for when the one before was read, until there is no other.
//!
//! The next page is named by the header `Link`, by a value in the page (an address, or a parameter), or it is counted,
//! in records or in pages. It is asked for below the account's base alone, with the headers of the call.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, StatusCode};
use lockgate_connector_api::{
    Answer, Call, Context, Error, Kind, Operation, Part, Place, Records, Streamed,
    http::{Client, Received, Request, Room, Target, beginning, refusal, retry_after},
};
use lockgate_document::{Builder, Document, Fault, Kind as Is, Node};
use lockgate_model::Limits;

use crate::{
    link,
    reply::{REFUSAL_BYTES_MAX, json},
    request::{of_call, refused, scalar},
};

/// Pages of one list, unless the call says otherwise.
const PAGES_MAX: i64 = 10_000;
/// Times that a page is asked for again where the endpoint says when (RFC 9110 §10.2.3).
const PATIENCE: u32 = 5;

/// Reads all pages of a list.
pub(crate) async fn read(
    client: &Arc<Client>,
    cx: &Context,
    operation: &Operation,
    call: Call,
) -> Result<Answer, Error> {
    let (limits, streams) = (call.limits, call.stream);
    let mut pages = Pages::of_call(client, cx, operation, call)?;
    // What is wrong with the first page fails this call, and not the one that takes the stream.
    let first = pages.next().await?;
    if streams {
        let rest = stream::try_unfold(pages, |mut pages| async {
            let page = pages.next().await.map_err(|error| pages.client.withholding(error))?;
            Ok(page.map(|page| (page, pages)))
        });
        let records = Records::new(stream::iter(first.map(Ok)).chain(rest));
        let stream = Some(Streamed::Records(records));
        return Ok(Answer { output: Document::object::<&str>([]), stream, read: 0, written: 0 });
    }
    let mut list = List::begun(&limits).map_err(too_large)?;
    let mut page = first;
    while let Some(records) = page {
        if pages.read > limits.reply_bytes_max {
            return Err(Error::new(Kind::TooLarge, "body-too-large", "the pages are larger than the limit"));
        }
        list.add(&records).map_err(too_large)?;
        page = pages.next().await?;
    }
    let output = list.output(pages.number).map_err(too_large)?;
    Ok(Answer { output, stream: None, read: pages.read, written: 0 })
}

/// A list on its way.
struct Pages {
    client: Arc<Client>,
    cx: Context,
    part: Part,
    /// The place of the whole list, where a call behind it waits for its pages: else that one could take the place of the
    /// next page.
    place: Option<Arc<Place>>,
    deadline: Instant,
    limits: Limits,
    /// What every page is asked for with.
    request: Request,
    /// Names that lead to the records of a page.
    records: Vec<String>,
    next: Next,
    /// The page to ask for; none behind the last one.
    target: Option<Target>,
    pages_max: i64,
    /// The page before had fewer records than it could have: none need be behind it.
    was_short: bool,
    /// Pages and records so far, and bytes of them.
    number: i64,
    items: u64,
    read: u64,
}

/// What names the next page.
enum Next {
    /// The link of this relation.
    Link(String),
    /// A value in the page: an address, or what this parameter is then.
    Cursor { at: Vec<String>, into: Option<String> },
    /// This parameter: records so far.
    Offset { into: String, size: Option<u64> },
    /// This parameter: the number of the page.
    Page { into: String, from: i64, size: Option<u64> },
}

impl Pages {
    fn of_call(client: &Arc<Client>, cx: &Context, operation: &Operation, call: Call) -> Result<Self, Error> {
        let (part, deadline, limits) = (Part::of(&call), call.deadline, call.limits);
        let input = call.input.root();
        let (next, records) = (Next::read(input.get("next"))?, names(input.get("records"), "`records`")?);
        let pages_max = match input.get("pages_max") {
            absent if absent.is_undefined() => PAGES_MAX,
            given => {
                given.as_i64().filter(|most| *most > 0).ok_or_else(|| refused("`pages_max` is no number from 1"))?
            }
        };
        if next.parameter().is_some_and(|name| !input.get("query").get(name).is_undefined()) {
            return Err(refused("`query` has the parameter that `next` says for each page: leave it out there"));
        }
        let (request, _) = of_call(client.settings(), operation, call)?;
        let mut pages = Self {
            client: Arc::clone(client),
            cx: cx.clone(),
            part,
            place: None,
            deadline,
            limits,
            request,
            records,
            next,
            target: None,
            pages_max,
            was_short: false,
            number: 0,
            items: 0,
            read: 0,
        };
        pages.target = Some(pages.first()?);
        Ok(pages)
    }

    fn first(&self) -> Result<Target, Error> {
        match &self.next {
            Next::Link(_) | Next::Cursor { .. } => Ok(self.request.target.clone()),
            Next::Offset { into, .. } => self.with(into, "0"),
            Next::Page { into, from, .. } => self.with(into, &from.to_string()),
        }
    }

    /// The list with a parameter more.
    fn with(&self, name: &str, value: &str) -> Result<Target, Error> {
        let mut target = self.request.target.clone();
        target.push_query(name, value)?;
        Ok(target)
    }

    /// The records of the next page as an array; none behind the last page.
    async fn next(&mut self) -> Result<Option<Document>, Error> {
        let Some(target) = self.target.take() else { return Ok(None) };
        if self.number >= self.pages_max {
            return Err(Error::new(Kind::TooLarge, "https-pages", "the list has more pages than `pages_max` says"));
        }
        let received = self.ask(&target).await?;
        if received.status() == StatusCode::NOT_FOUND {
            received.discard(self.deadline).await;
            return Ok(None);
        }
        let (headers, is_none) = (received.headers().clone(), received.status() == StatusCode::NO_CONTENT);
        let answered = received.target().cloned();
        let bytes = received.content(self.deadline).collect(self.limits.reply_bytes_max).await?;
        self.number += 1;
        self.read = self.read.saturating_add(bytes.len() as u64);
        if bytes.is_empty() {
            // Of what is counted a page of nothing is the end, as one without records is.
            let counted = matches!(self.next, Next::Offset { .. } | Next::Page { .. });
            if let Next::Link(_) = self.next {
                self.target = self.after(answered.as_ref(), &headers, Document::undefined().root(), 0)?;
            }
            return match counted || is_none || self.target.is_some() {
                true => Ok(Some(Document::array([]))),
                false => Err(no_page("a page of the list is empty, and names no next one")),
            };
        }
        let page = json(&bytes, &self.limits)?;
        let list = self.records.iter().fold(page.root(), |node, name| node.get(name));
        if !matches!(list.kind(), Is::Array | Is::Null) {
            return Err(no_page("a page has no list of records where `records` says"));
        }
        let items = if list.kind() == Is::Array { list.len() as u64 } else { 0 };
        self.items = self.items.saturating_add(items);
        self.was_short = self.next.size().is_some_and(|size| items < size);
        self.target = self.after(answered.as_ref(), &headers, page.root(), items)?;
        if self.target.is_some() && (self.target.as_ref() == Some(&target) || self.target == answered) {
            return Err(no_page("the next page of the list is the same page again"));
        }
        records(list, &self.limits).map(Some).map_err(too_large)
    }

    /// Asks for a page, again where the endpoint asks for time that there is. That there is none is an answer
    /// behind a page that was short.
    async fn ask(&mut self, target: &Target) -> Result<Received, Error> {
        let mut patience = PATIENCE;
        if self.part == Part::Begins && self.place.is_none() {
            self.place = Some(self.client.room(self.part, self.deadline).await?);
        }
        let room = self.place.clone().map_or(Room::Awaited(self.part), Room::Shared);
        loop {
            let request = self.request.again().map(|request| Request { target: target.clone(), ..request });
            let request = request.ok_or_else(|| refused("a list that comes in pages is asked for without a body"))?;
            let received = self.client.send(&self.cx, room.clone(), request, self.deadline).await?;
            let (status, headers) = (received.status(), received.headers().clone());
            let wait = retry_after(&headers).filter(|_| matches!(status.as_u16(), 429 | 503)).map(Duration::from_secs);
            let left = self.deadline.saturating_duration_since(Instant::now());
            match wait.filter(|wait| *wait < left && patience > 0) {
                Some(wait) => {
                    patience -= 1;
                    received.discard(self.deadline).await;
                    tokio::time::sleep(wait).await;
                }
                None if status.is_success() || (self.was_short && status == StatusCode::NOT_FOUND) => {
                    return Ok(received);
                }
                None => {
                    let said = beginning(received.content(self.deadline), REFUSAL_BYTES_MAX).await;
                    return Err(refusal(status, &headers).with_private(String::from_utf8_lossy(&said)));
                }
            }
        }
    }

    /// The page behind this one, which came from `answered` or, without that, from another origin.
    fn after(
        &self,
        answered: Option<&Target>,
        headers: &HeaderMap,
        page: Node<'_>,
        items: u64,
    ) -> Result<Option<Target>, Error> {
        let beside = |address: &str| match answered {
            Some(target) => self.client.beside(target, address),
            None if address.contains("://") => self.client.beside(&self.request.target, address),
            None => Err(Error::new(
                Kind::Refused,
                "https-redirect",
                "a page that a redirect to another origin gave names a place there, where the account's calls do not go",
            )),
        };
        match &self.next {
            Next::Link(relation) => {
                let related =
                    link::related(headers, relation).map_err(|_| no_page("the header `Link` of a page is none"))?;
                related.map(|address| beside(&address)).transpose()
            }
            Next::Cursor { at, into } => {
                let cursor = at.iter().fold(page, |node, name| node.get(name));
                // How endpoints say that there is no more.
                let none = matches!(cursor.kind(), Is::Undefined | Is::Null)
                    || cursor.as_str() == Some("")
                    || cursor.as_bool() == Some(false);
                if none {
                    return Ok(None);
                }
                let cursor =
                    scalar(cursor, "").map_err(|_| no_page("the value at `cursor` is no text and no number"))?;
                match into {
                    Some(into) => self.with(into, &cursor).map(Some),
                    None => beside(&cursor).map(Some),
                }
            }
            // A page that is short need not be the last: the endpoint may have a size of its own.
            Next::Offset { into, .. } if items > 0 => self.with(into, &self.items.to_string()).map(Some),
            Next::Page { into, from, .. } if items > 0 => {
                self.with(into, &from.saturating_add(self.number).to_string()).map(Some)
            }
            Next::Offset { .. } | Next::Page { .. } => Ok(None),
        }
    }
}

impl Next {
    /// The parameter that names a page.
    fn parameter(&self) -> Option<&str> {
        match self {
            Self::Link(_) => None,
            Self::Cursor { into, .. } => into.as_deref(),
            Self::Offset { into, .. } | Self::Page { into, .. } => Some(into),
        }
    }

    /// The records of a page that is not short.
    fn size(&self) -> Option<u64> {
        match self {
            Self::Offset { size, .. } | Self::Page { size, .. } => *size,
            Self::Link(_) | Self::Cursor { .. } => None,
        }
    }

    fn read(given: Node<'_>) -> Result<Self, Error> {
        const WRONG: &str =
            "`next` is one of `{ link }`, `{ cursor, into }`, `{ offset, size }` and `{ page, from, size }`";
        let wrong = || refused(WRONG);
        let text = |key: &str| match given.get(key) {
            absent if absent.is_undefined() => Ok(None),
            value => value.as_str().filter(|text| !text.is_empty()).map(|text| Some(text.to_owned())).ok_or_else(wrong),
        };
        let size = match given.get("size") {
            absent if absent.is_undefined() => None,
            size => Some(
                size.as_i64().and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0).ok_or_else(wrong)?,
            ),
        };
        let from = match given.get("from") {
            absent if absent.is_undefined() => None,
            from => Some(from.as_i64().ok_or_else(wrong)?),
        };
        let into = text("into")?;
        let keys = [size.is_some(), from.is_some(), into.is_some()].into_iter().filter(|there| *there).count() + 1;
        let next = match (text("link")?, text("cursor")?, text("offset")?, text("page")?) {
            (Some(relation), None, None, None) if keys == 1 => Self::Link(relation),
            (None, Some(_), None, None) if size.is_none() && from.is_none() => {
                Self::Cursor { at: names(given.get("cursor"), "`cursor`")?, into }
            }
            (None, None, Some(into_), None) if into.is_none() && from.is_none() => Self::Offset { into: into_, size },
            (None, None, None, Some(into_)) if into.is_none() => {
                Self::Page { into: into_, from: from.unwrap_or(1), size }
            }
            _ => return Err(wrong()),
        };
        match given.kind() == Is::Object && given.len() == keys {
            true => Ok(next),
            false => Err(wrong()),
        }
    }
}

/// The endpoint's list is not what the call says.
fn no_page(text: &'static str) -> Error {
    Error::new(Kind::Protocol, "https-page", text)
}

/// Names divided by dots; none lead to the page itself.
fn names(given: Node<'_>, what: &'static str) -> Result<Vec<String>, Error> {
    let wrong = || refused("names are divided by dots, as `data.items`").with_private(what);
    match given {
        absent if absent.is_undefined() => Ok(Vec::new()),
        given => {
            let names: Vec<String> = given.as_str().ok_or_else(wrong)?.split('.').map(str::to_owned).collect();
            if names.iter().any(String::is_empty) { Err(wrong()) } else { Ok(names) }
        }
    }
}

/// The records of a page as a document of their own.
fn records(list: Node<'_>, limits: &Limits) -> Result<Document, Fault> {
    let mut records = Builder::new(limits);
    records.begin_array()?;
    list.items().try_for_each(|item| records.value(item))?;
    records.end()?;
    records.finish()
}

/// The output of a list that is a value.
struct List(Builder);

impl List {
    fn begun(limits: &Limits) -> Result<Self, Fault> {
        let mut list = Builder::new(limits);
        list.begin_object()?;
        list.key("records")?;
        list.begin_array()?;
        Ok(Self(list))
    }

    fn add(&mut self, records: &Document) -> Result<(), Fault> {
        records.root().items().try_for_each(|record| self.0.value(record))
    }

    fn output(mut self, pages: i64) -> Result<Document, Fault> {
        self.0.end()?;
        self.0.key("pages")?;
        self.0.integer(pages)?;
        self.0.end()?;
        self.0.finish()
    }
}

fn too_large(_: Fault) -> Error {
    Error::new(Kind::TooLarge, "https-output", "the answer does not fit into the run's limits")
}
