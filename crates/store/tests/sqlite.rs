//! The contract suite on SQLite. Another backend gets a file like this one.

#[cfg(test)]
mod contract;

#[cfg(test)]
mod on_sqlite {
    use lockgate_store::SqliteStore;

    use crate::contract::{self, Backend, NOW};

    /// A data directory that opens as often as a test asks.
    struct Fresh(tempfile::TempDir);

    impl Backend for Fresh {
        type Store = SqliteStore;
        fn fresh() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
        async fn open(&self) -> SqliteStore {
            SqliteStore::open(&self.0.path().join("data"), NOW).unwrap()
        }
    }

    contract::contract!(Fresh);
}
