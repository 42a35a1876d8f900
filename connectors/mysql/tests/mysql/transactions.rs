//! Transactions of several steps.

use lockgate_testkit::contract::sql::transactions;

use crate::account::Tested;

#[tokio::test]
async fn steps_are_done_in_order() {
    transactions::steps_are_done_in_order::<Tested>().await;
}

#[tokio::test]
async fn what_fails_undoes_all_of_it() {
    transactions::what_fails_undoes_all_of_it::<Tested>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contention_is_told() {
    transactions::contention_is_told::<Tested>().await;
}

#[tokio::test]
async fn the_deadline_undoes_all_of_it() {
    transactions::the_deadline_undoes_all_of_it::<Tested>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_answered_is_told_as_unknown() {
    transactions::a_commit_that_is_not_answered_is_told_as_unknown::<Tested>().await;
}
