//! The command as its user sees it: what it prints, writes and refuses, and its exit codes.

mod delivered;
mod golden;
mod rtl;
mod support;
mod tools;
