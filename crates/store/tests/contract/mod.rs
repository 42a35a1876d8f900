//! What every store must hold to, whatever database stands behind it.
//!
//! A backend implements [`Backend`] and expands [`contract!`], which makes one test of each check.

mod changes;
mod deployments;
mod fixture;
mod log;
mod runs;
mod schedules;

use std::future::Future;

use lockgate_model::Timestamp;
use lockgate_store::Store;

pub use self::{changes::*, deployments::*, log::*, runs::*, schedules::*};

/// The time of all that happens in the checks.
pub const NOW: Timestamp = Timestamp(1_763_784_306_789_000);

/// A place where a store can be opened, closed by dropping it, and opened again.
pub trait Backend: Sync {
    type Store: Store;
    /// An empty place.
    fn fresh() -> Self;
    /// Opens what is there.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;
}

macro_rules! contract {
    ($backend:ty) => {
        $crate::contract::contract! { @checks $backend;
            refuses_a_deployment_without_a_permit
            refuses_changes_that_make_no_sense
            refuses_a_change_of_what_has_moved_on
            one_of_many_concurrent_changes_wins
            keeps_the_history_of_a_row
            erases_replaced_secrets
            keeps_tenants_apart
            announces_a_change_before_it_is_made
            a_change_outlives_its_caller
            tells_each_revision
            tells_what_changed_since_a_revision
            keeps_blobs_under_their_digest
            a_key_never_changes_its_module
            a_permit_activates_its_deployment_alone
            a_permit_of_another_tenant_is_refused
            a_permit_writes_assignments_beside_it_and_nothing_else
            of_two_permits_decided_on_the_same_the_second_is_a_conflict
            a_deployment_of_modules_that_are_not_stored_is_refused
            refuses_to_open_another_run_than_the_decided_one
            a_denial_is_recorded_and_opens_no_run
            a_run_is_opened_with_its_decision_and_closed_once
            a_call_through_an_api_is_two_entries_of_one_append
            finds_runs_page_by_page
            a_module_is_green_where_a_run_of_it_completed
            runs_that_are_open_or_kept_are_not_removed
            runs_that_are_not_kept_are_removed_and_nothing_else
            finds_runs_by_whatever_is_asked
            of_many_that_claim_an_occurrence_one_succeeds
            a_step_that_is_not_possible_leaves_no_trace
            schedules_of_two_tenants_are_two
            a_claimed_run_is_found_lost_after_reopening
            concurrent_appends_make_one_unbroken_chain
            ten_thousand_entries_verify
            chains_of_two_tenants_are_two
            reopening_keeps_everything
            what_becomes_durable_is_told_with_its_time
            finds_and_removes_what_is_asked_in_a_long_log
        }
    };
    (@checks $backend:ty; $($check:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            $crate::contract::$check(<$backend as $crate::contract::Backend>::fresh()).await;
        }
    )*};
}
pub(crate) use contract;
