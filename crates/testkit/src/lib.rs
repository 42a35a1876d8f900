//! Contract suite, peers and clock for tests; never shipped.
