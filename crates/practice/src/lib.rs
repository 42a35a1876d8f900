//! Loopback practice endpoints for quickstart, in memory only.
