//! What every connector to a server of files promises, with each of its servers: refusals, the
//! operations, streams, and what becomes of files when connections break.
//!
//! A connector's test implements [`Kind`] for its servers and declares all cases with
//! [`files_suite!`](crate::files_suite). Each case runs with all servers at the same time, since most of
//! it is waiting.

pub mod big;
#[expect(missing_docs, reason = "a case's name says it")]
pub mod faults;
#[expect(missing_docs, reason = "a case's name says it")]
pub mod operations;
#[expect(missing_docs, reason = "a case's name says it")]
pub mod proxied;
#[expect(missing_docs, reason = "a case's name says it")]
pub mod refusals;
#[expect(missing_docs, reason = "a case's name says it")]
pub mod replacing;
#[expect(missing_docs, reason = "a case's name says it")]
pub mod straight;
#[expect(missing_docs, reason = "a case's name says it")]
pub mod streams;

use std::{
    fmt, fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{future::join_all, stream};
use lockgate_connector_api::{Answer, Body, Call, Context, DynConnector, Error};
use lockgate_document::Document;
use lockgate_model::Limits;
use serde_json::Value;

use super::tells_nothing;

/// Declares a test for each case, for the servers of a [`Kind`].
#[macro_export]
macro_rules! files_suite {
    ($kind:ty) => {
        $crate::files_suite! { $kind:
            faults::a_get_is_whole_or_fails
            faults::a_get_whose_connection_breaks_goes_on
            faults::a_put_is_whole_or_not_there
            faults::a_put_whose_connection_breaks_goes_on
            faults::a_rename_that_nobody_can_look_at_is_told
            faults::a_rename_whose_answer_is_lost_is_looked_at
            faults::a_slow_network_is_only_slow
            faults::a_temporary_file_that_cannot_be_removed_is_named
            faults::an_answer_that_is_lost_is_a_failed_call_that_can_be_repeated
            faults::small_operations_fail_cleanly
            operations::a_file_that_was_read_in_part_is_read_on
            operations::a_name_that_is_no_text_is_told
            operations::contents_are_shown_as_they_are_asked_for
            operations::files_that_are_being_written_are_left_out_and_not_read
            operations::files_are_replaced_where_a_rename_does_not_replace
            operations::folders_are_listed_by_name
            operations::of_many_that_may_not_replace_one_wins
            operations::things_are_moved_and_deleted
            operations::what_is_put_is_there_as_a_whole
            operations::what_the_account_may_not_do_is_told
            proxied::files_go_through_a_proxy_and_not_past_it
            proxied::files_go_through_somebody_elses_proxy
            refusals::a_base_that_is_no_folder_fails_the_test_of_the_account
            refusals::a_refusal_keeps_the_session
            refusals::inputs_are_refused_before_anything_is_dialled
            replacing::a_replacement_that_breaks_is_undone
            replacing::a_replacement_that_is_given_up_is_undone
            replacing::what_cannot_be_put_back_is_named
            straight::a_broken_off_file_is_told
            straight::a_drop_box_takes_files
            straight::a_file_is_written_to_its_name
            straight::a_put_that_breaks_is_no_success
            streams::a_file_that_changes_while_it_is_read_is_a_failed_read
            streams::a_kept_session_that_the_server_closed_is_replaced
            streams::a_put_that_is_given_up_removes_its_temporary_file
            streams::a_source_that_fails_leaves_nothing
            streams::an_allowance_withdrawn_ends_kept_sessions
            streams::many_copies_over_few_sessions_all_end
            streams::sessions_are_closed_when_no_call_comes_and_with_their_account
            streams::sessions_are_kept_and_bounded
            streams::streams_pass_whole_and_in_order
        }
    };
    ($kind:ty: $($part:ident::$case:ident)*) => {
        $(#[tokio::test]
        async fn $case() {
            $crate::contract::files::$part::$case::<$kind>().await;
        })*
    };
}

/// The kinds of servers of a connector.
pub trait Kind: Copy + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// A running server.
    type Server: Server;

    /// All.
    const ALL: &'static [Self];

    /// Starts one; none where it is not installed.
    fn start(self) -> Option<Self::Server>;

    /// Starts one that cannot replace a file in one step; none where there is none of that kind.
    fn start_plain(self) -> Option<Self::Server>;

    /// Starts one that takes files and allows nothing else; none where there is none of that kind.
    fn start_drop_box(self) -> Option<Self::Server> {
        None
    }

    /// Opens the usual account, with what is not as usual.
    fn open(self, unusual: Unusual<'_, Self::Server>) -> Account;

    /// Whether contents can travel as lines.
    fn takes_lines(self) -> bool;

    /// Whether it tells times in a listing.
    fn tells_times(self) -> bool {
        true
    }

    /// Whether it refuses by itself to open a file as a new one that is there.
    fn opens_new(self) -> bool {
        false
    }

    /// Whether it refuses by itself to rename to a name that is taken, in one step.
    fn renames_without_replacing(self) -> bool {
        false
    }

    /// Whether it works with the rights of its user, and not with those of root where a test is root.
    fn has_its_users_rights(self) -> bool {
        true
    }

    /// Connections over which a few sessions go that are open at once.
    fn connections(self, sessions: usize) -> usize {
        sessions
    }

    /// A byte of the connection to which a call is sent that stands in the midst of a `put`, of all that
    /// it sends there.
    fn amid_a_put(self, up: u64) -> u64 {
        up / 2
    }

    /// A byte that comes in the midst of a `get`, of all that comes.
    fn amid_a_get(self, down: u64) -> u64 {
        down / 2
    }

    /// An account on the server's folder.
    fn on(self, server: &Self::Server) -> Account {
        self.through(server, server.port())
    }

    /// The same through a proxy on another port.
    fn through(self, server: &Self::Server, port: u16) -> Account {
        self.open(Unusual { server: Some(server), ..Unusual::at(port) })
    }
}

/// A running server.
pub trait Server: Send + Sync {
    /// Its port.
    fn port(&self) -> u16;

    /// Its folder.
    fn files(&self) -> PathBuf;

    /// Files that it was told to rename, as its log tells; none where that tells nothing.
    fn renamed(&self) -> Option<usize> {
        None
    }

    /// Names in its folder, temporary ones too.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.files()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Waits until no temporary file is there.
    fn is_tidy(&self, what: &str) -> impl Future<Output = ()> {
        let left = || self.names().into_iter().any(|name| name.starts_with('.'));
        let what = format!("{what}: no temporary file");
        async move { crate::wait_until_async(&what, Duration::from_secs(15), || !left()).await }
    }
}

/// What is not as usual in an account.
#[derive(Debug)]
pub struct Unusual<'a, S> {
    /// Its files are in this server's folder, and not where sessions begin.
    pub server: Option<&'a S>,
    /// The port.
    pub port: u16,
    /// A path below that folder: empty, or it begins with `/`.
    pub below: &'a str,
    /// Further settings.
    pub settings: &'a [(&'static str, &'a str)],
}

impl<S> Unusual<'_, S> {
    /// Nothing but the port.
    pub fn at(port: u16) -> Self {
        Self { server: None, port, below: "", settings: &[] }
    }
}

/// An account on a server.
pub struct Account {
    /// The account.
    pub opened: Arc<dyn DynConnector>,
    /// On whose behalf.
    pub cx: Context,
}

impl Account {
    /// Runs a call.
    pub async fn invoke(&self, call: Call) -> Result<Answer, Error> {
        self.opened.clone().invoke(self.cx.clone(), call).await
    }

    /// Runs an operation; gives its output.
    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, Error> {
        Ok(read(&self.invoke(call(operation, input)).await?.output))
    }

    /// The content of a call whose answer streams.
    pub async fn stream(&self, call: Call) -> Result<Body, Error> {
        Ok(self.invoke(call).await?.stream.expect("an answer that streams").bytes().expect("bytes"))
    }

    /// Tests the account.
    pub async fn test(&self) -> Result<(), Error> {
        self.opened.clone().test(self.cx.clone(), Instant::now() + Duration::from_secs(10)).await
    }

    /// The call must fail; nothing of it may tell a secret.
    pub async fn fails(&self, operation: &str, input: Value) -> Error {
        let error = self.call(operation, input).await.expect_err("the call must fail");
        tells_nothing(&error);
        error
    }
}

/// A call with twenty seconds to go.
pub fn call(operation: &str, input: Value) -> Call {
    let input = Document::parse(input.to_string().as_bytes(), &Limits::default()).unwrap();
    Call::new(operation, input, Instant::now() + Duration::from_secs(20))
}

/// A `get` that streams.
pub fn streamed(path: &str) -> Call {
    Call { stream: true, ..call("get", serde_json::json!({"path": path})) }
}

/// A `put` of a streamed content.
pub fn put(path: &str, body: Body) -> Call {
    Call { body: Some(body), ..call("put", serde_json::json!({"path": path})) }
}

/// An output.
pub fn read(document: &Document) -> Value {
    serde_json::from_slice(&document.print(64 << 20).unwrap()).unwrap()
}

const PIECE: u64 = 64 << 10;

/// So many bytes that no two blocks of are the same, in pieces.
pub fn generated(bytes: u64) -> Body {
    let pieces = (0..bytes.div_ceil(PIECE)).map(move |n| {
        let length = usize::try_from(PIECE.min(bytes - n * PIECE)).unwrap();
        Ok(content(n * PIECE, length).into())
    });
    Body::new(stream::iter(pieces)).with_length(Some(bytes))
}

/// The bytes of the generated content from a place on, which must be a multiple of 8.
pub fn content(from: u64, length: usize) -> Vec<u8> {
    let words = (from / 8..).flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    words.take(length).collect()
}

/// Runs a case with every server, all at the same time.
async fn each_server<K: Kind>(case: impl AsyncFn(K, &K::Server)) {
    let servers: Vec<_> = K::ALL.iter().filter_map(|kind| Some((*kind, kind.start()?))).collect();
    join_all(servers.iter().map(|(kind, server)| case(*kind, server))).await;
}

/// Runs a case with every server that cannot replace a file in one step.
async fn each_plain_server<K: Kind>(case: impl AsyncFn(K, &K::Server)) {
    let servers: Vec<_> = K::ALL.iter().filter_map(|kind| Some((*kind, kind.start_plain()?))).collect();
    join_all(servers.iter().map(|(kind, server)| case(*kind, server))).await;
}
