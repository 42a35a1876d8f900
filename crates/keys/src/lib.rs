//! Sealing of secrets, master key, certificates and trust; makes every rustls configuration.
