//! What a broken network does.

use lockgate_connector_api::Body;
use lockgate_testkit::contract::sql::faults::{self, DONE};

use crate::account::{Tested, load};

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_all_there_or_the_call_fails() {
    faults::rows_are_all_there_or_the_call_fails::<Tested>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_done_as_a_whole_or_not_at_all() {
    let lines = |id: usize, text: &str| {
        let lines: String = (0..DONE).map(|n| format!("{id},{n},{text}\n")).collect();
        load("load data local infile 'body' into table broken fields terminated by ','", Body::full(lines))
    };
    faults::calls_are_done_as_a_whole_or_not_at_all::<Tested>(&[("load", &lines)]).await;
}
