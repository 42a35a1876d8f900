//! The admin HTTP API and its OpenAPI description.
