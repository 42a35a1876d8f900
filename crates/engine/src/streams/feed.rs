//! Records that go through the module between a call that streams and one that takes the stream.

use std::sync::Arc;

use futures_util::stream;
use lockgate_connector_api::{Error, Kind, Records, Streamed};
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
    to: mpsc::Sender<Passed>,
    /// What records go by, one after the other.
    feeds: Vec<Feed>,
    /// Which of these is next.
    at: usize,
}

/// What passes into the second call: records, what failed, or that all of them were there.
type Passed = Result<Option<Document>, Error>;

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
        let made = Records::new(stream::unfold(Some(from), |from| async move {
            let mut from = from?;
            match from.recv().await {
                Some(Ok(Some(made))) => Some((Ok(made), Some(from))),
                Some(Ok(None)) => None,
                Some(Err(error)) => Some((Err(error), None)),
                // Who breaks off says nothing: what came is not all of it.
                None => Some((Err(broken_off()), None)),
            }
        }));
        let open = Open {
            streamed: Streamed::Records(made),
            parse: None,
            account: None,
            operation: "".into(),
            read: Arc::default(),
        };
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
                Ok(Some(records)) => Some(records),
                ended => {
                    place.send(ended);
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
            let _ = self.to.try_send(Ok(Some(made)));
        }
        self.next(limits).await
    }
}

fn broken_off() -> Error {
    let text = "the records were broken off before all of them were made";
    Error::new(Kind::Protocol, "stream-broken-off", text)
}
