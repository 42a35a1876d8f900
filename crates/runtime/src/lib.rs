//! The use cases: authenticate, push, deploy, execute and the rest; one file a verb.
