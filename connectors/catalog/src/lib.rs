//! The one list of the connectors that ship.
