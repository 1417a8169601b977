//! The command as its user sees it: what it prints, writes and refuses, and its exit codes.

mod golden;
mod support;
mod tools;
