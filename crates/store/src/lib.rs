//! Definitions, deployments, modules, runs and audit behind one port; SQLite embedded.
