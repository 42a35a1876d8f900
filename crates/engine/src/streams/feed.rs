//! Records that go through the module between a call that streams and one that takes the stream.

use std::sync::Arc;

use futures_util::stream;
use lockgate_connector_api::{Error, Records, Streamed};
use lockgate_document::Document;
use lockgate_model::Limits;
use tokio::sync::mpsc;

use super::{Open, Source};

/// Where a module makes others of records, as it said before the call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feed {
    /// The slot that gets them.
    pub slot: u32,
    /// The entry point.
    pub pc: u32,
}

/// What is between the two calls.
pub(crate) struct Feeding {
    source: Source,
    to: mpsc::Sender<Result<Document, Error>>,
    /// What records go by, one after the other.
    feeds: Vec<Feed>,
    /// Which of these is next.
    at: usize,
}

/// Records that came, to be made others of.
pub(crate) struct Pulled {
    /// Between the calls still.
    pub feeding: Feeding,
    /// They; none where there are no more, or none can come.
    pub records: Option<Document>,
}

impl Feeding {
    /// The stream that the second call takes in place of the first one's.
    pub fn between(source: Source, feeds: Vec<Feed>) -> (Self, Open) {
        // One batch waits to be written while the next one is made.
        let (to, from) = mpsc::channel(1);
        let made =
            Records::new(stream::unfold(from, |mut from| async move { from.recv().await.map(|made| (made, from)) }));
        let open = Open { streamed: Streamed::Records(made), parse: None, account: None, read: Arc::default() };
        (Self { source, to, feeds, at: 0 }, open)
    }

    /// Where the module takes them next.
    pub fn feed(&self) -> Option<Feed> {
        self.feeds.get(self.at).copied()
    }

    /// Records that come now are the source's own.
    pub fn is_first(&self) -> bool {
        self.at == 0
    }

    /// The source's account and its count of bytes.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The next records, once those before are taken. What fails the source goes on to the second call.
    pub async fn next(mut self, limits: Limits) -> Pulled {
        let records = match self.to.clone().reserve_owned().await {
            // The second call wants no more: it ends by itself.
            Err(_) => None,
            Ok(place) => match self.source.batch(0, &limits).await {
                Ok(records) => records,
                Err(error) => {
                    place.send(Err(error));
                    None
                }
            },
        };
        Pulled { feeding: self, records }
    }

    /// Goes on with what was made of records: to where others are made of these, else into the second call and then with
    /// the next ones.
    pub async fn given(mut self, made: Option<Document>, limits: Limits) -> Pulled {
        self.at += 1;
        if made.is_some() && self.feed().is_some() {
            return Pulled { feeding: self, records: made };
        }
        self.at = 0;
        if let Some(made) = made {
            // There is room, as [`Feeding::next`] saw; nobody takes it where the second call has ended.
            let _ = self.to.try_send(Ok(made));
        }
        self.next(limits).await
    }
}
