//! The contract of a connector: Connector, Spec, Error, Registry and the egress rule.
