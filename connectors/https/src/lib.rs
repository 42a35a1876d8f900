//! HTTPS endpoints.
