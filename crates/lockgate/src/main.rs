//! The lockgate program: command line and composition root.
fn main() {}
