//! What a broken network does.

use lockgate_testkit::contract::sql::faults;

use crate::account::Tested;

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_all_there_or_the_call_fails() {
    faults::rows_are_all_there_or_the_call_fails::<Tested>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_done_as_a_whole_or_not_at_all() {
    faults::calls_are_done_as_a_whole_or_not_at_all::<Tested>(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_is_told_whatever_comes_behind_it() {
    faults::what_is_done_is_told_whatever_comes_behind_it::<Tested>().await;
}
