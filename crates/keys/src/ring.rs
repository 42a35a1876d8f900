//! The keys of an installation, which lie beside its data, wrapped by the master key: `keyring`.
//!
//! One is the root of keyed digests and of the signatures of the audit log: it stays, since what was digested and signed
//! with it does. The others seal secrets: a rotation adds one, seals everything anew with it and drops the ones before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Error,
    master::{KEY_BYTES, random_key},
    wrap::KeyWrapper,
};

/// A key of 32 bytes, wiped when it goes.
pub(crate) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The form written today.
const FORM: u32 = 1;
const WHAT: &str = "the keyring";

/// Keys by their numbers.
#[derive(Clone)]
pub(crate) struct Ring {
    pub(crate) root: Key,
    /// Seal secrets. Number 0 is not among them: in installations that were never rotated it is made of the root.
    pub(crate) seals: BTreeMap<u32, Key>,
    /// What new secrets are sealed with.
    pub(crate) current: u32,
    /// Whether number 0 still opens what it sealed.
    pub(crate) from_root: bool,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    form: u32,
    /// Numbers of the keys in it, in their order behind the root; 0 stands for the one made of the root.
    seals: Vec<u32>,
    current: u32,
    /// The bytes of root and keys, wrapped.
    wrapped: String,
}

/// Of a newer form nothing else is known.
#[derive(Deserialize)]
struct Form {
    form: u32,
}

impl Ring {
    /// Of an installation whose only key is the master key.
    pub(crate) fn of_root(root: Key) -> Self {
        Self { root, seals: BTreeMap::new(), current: 0, from_root: true }
    }

    /// A new one.
    pub(crate) fn random() -> Result<Self, Error> {
        let seals = BTreeMap::from([(1, random_key()?)]);
        Ok(Self { root: random_key()?, seals, current: 1, from_root: false })
    }

    /// The same with one key more, which is the current one.
    pub(crate) fn grown(&self) -> Result<Self, Error> {
        let mut grown = self.clone();
        grown.current = self.current.checked_add(1).ok_or(Error::Provider("number a key"))?;
        grown.seals.insert(grown.current, random_key()?);
        Ok(grown)
    }

    /// The same with the keys of another one besides.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.seals.extend(other.seals.clone());
        both
    }

    /// The same with nothing but the current key and those that are still used.
    pub(crate) fn without(&self, used: impl Fn(u32) -> bool) -> Self {
        let mut short = self.clone();
        short.seals.retain(|number, _| *number == self.current || used(*number));
        short.from_root = self.from_root && (self.current == 0 || used(0));
        short
    }

    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.from_root.then_some(0).into_iter().chain(self.seals.keys().copied()).collect()
    }

    pub(crate) fn wrapped(&self, wrapper: &dyn KeyWrapper) -> Result<Vec<u8>, Error> {
        let mut plain = Zeroizing::new(Vec::with_capacity(KEY_BYTES * (1 + self.seals.len())));
        plain.extend_from_slice(self.root.as_slice());
        self.seals.values().for_each(|key| plain.extend_from_slice(key.as_slice()));
        let wrapped = wrapper.wrap(&plain)?;
        let file = File { form: FORM, seals: self.numbers(), current: self.current, wrapped };
        let mut text = serde_json::to_vec_pretty(&file).map_err(|e| Error::unusable(WHAT, e))?;
        text.push(b'\n');
        Ok(text)
    }

    pub(crate) fn unwrapped(text: &[u8], wrapper: &dyn KeyWrapper) -> Result<Self, Error> {
        let unreadable = |_| Error::unusable(WHAT, "it cannot be read; restore it from a backup");
        let form = serde_json::from_slice::<Form>(text).map_err(unreadable)?.form;
        if form != FORM {
            return Err(Error::unusable(WHAT, format!("its form is {form}, this version reads {FORM}")));
        }
        let file: File = serde_json::from_slice(text).map_err(unreadable)?;
        let plain = wrapper.unwrap(&file.wrapped)?;
        let mut keys = plain.chunks_exact(KEY_BYTES).map(|bytes| {
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            key.copy_from_slice(bytes);
            key
        });
        let damaged = || Error::unusable(WHAT, "it does not hold the keys that it names; restore it from a backup");
        let root = keys.next().ok_or_else(damaged)?;
        let named: Vec<u32> = file.seals.iter().copied().filter(|number| *number != 0).collect();
        let seals: BTreeMap<u32, Key> = named.iter().copied().zip(keys).collect();
        let from_root = file.seals.contains(&0);
        let whole = plain.len() == KEY_BYTES * (1 + named.len()) && seals.len() == named.len();
        if !whole || !(seals.contains_key(&file.current) || (file.current == 0 && from_root)) {
            return Err(damaged());
        }
        Ok(Self { root, seals, current: file.current, from_root })
    }
}
