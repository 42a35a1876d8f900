//! The types that a database has of its own: what its catalogue says, remembered in a connection.

use std::{collections::HashMap, sync::Arc};

use crate::types::{self, Form, Type};

/// Types that are remembered.
const TYPES_MAX: usize = 1_000;
/// How deep domains and arrays are followed.
pub(crate) const TYPE_DEPTH_MAX: usize = 8;

/// Asks about types by a list of their OIDs. An array whose elements are not divided by commas
/// (`box[]`) is left as its text, and so is what has elements and is not their array (`int2vector`,
/// `point`).
pub(crate) const LOOK_UP: &str = "select t.oid, t.typname, t.typbasetype, \
     case when e.typarray = t.oid and e.typdelim = ',' then t.typelem else 0 end \
     from pg_catalog.pg_type t left join pg_catalog.pg_type e on e.oid = t.typelem \
     where t.oid = any(pg_catalog.string_to_array($1, ',')::pg_catalog.oid[])";

/// What the catalogue says about a type that is not built in.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// What it is a domain over, or 0.
    pub base: u32,
    /// What it is an array of, or 0.
    pub element: u32,
}

impl Found {
    /// Reads a row of [`LOOK_UP`] by its columns.
    pub fn read<'a>(column: impl Fn(usize) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            oid: column(0)?.parse().ok()?,
            name: column(1)?.to_owned(),
            base: column(2)?.parse().ok()?,
            element: column(3)?.parse().ok()?,
        })
    }
}

/// Types that are known without asking again.
#[derive(Default)]
pub(crate) struct Types(HashMap<u32, Arc<Type>>);

impl Types {
    /// A type; one that was not learnt has its OID for a name.
    pub fn of(&self, oid: u32) -> Arc<Type> {
        match self.0.get(&oid) {
            Some(known) => Arc::clone(known),
            None => Arc::new(types::built_in(oid).unwrap_or_else(|| Type { name: oid.to_string(), form: Form::Other })),
        }
    }

    /// Those of these types that must be asked about.
    pub fn unknown(&self, oids: impl Iterator<Item = u32>, found: &HashMap<u32, Found>) -> Vec<u32> {
        let is_known =
            |oid: &u32| types::built_in(*oid).is_some() || self.0.contains_key(oid) || found.contains_key(oid);
        oids.filter(|oid| *oid != 0 && !is_known(oid)).collect()
    }

    /// Forgets all of them when they are too many: before a statement's types are asked about, so that
    /// all of these are there together.
    pub fn make_room(&mut self) {
        if self.0.len() > TYPES_MAX {
            self.0.clear();
        }
    }

    /// Remembers what was found.
    pub fn learn(&mut self, found: &HashMap<u32, Found>) {
        for oid in found.keys() {
            let of = self.compose(*oid, found, 0);
            self.0.insert(*oid, Arc::new(of));
        }
    }

    fn compose(&self, oid: u32, found: &HashMap<u32, Found>, depth: usize) -> Type {
        let Some(this) = found.get(&oid).filter(|_| depth < TYPE_DEPTH_MAX) else {
            return (*self.of(oid)).clone();
        };
        let part = |oid| self.compose(oid, found, depth + 1);
        match (this.base, this.element) {
            (0, 0) => Type { name: this.name.clone(), form: Form::Other },
            (0, element) => {
                let element = part(element);
                Type { name: format!("{}[]", element.name), form: Form::Array(Arc::new(element)) }
            }
            // A domain is written as what it is over.
            (base, _) => Type { name: this.name.clone(), form: part(base).form },
        }
    }
}
