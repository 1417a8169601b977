//! Runs the command, and makes captures to run it on.

pub mod files;

use assert_cmd::Command;
use std::path::PathBuf;

/// A capture of the project.
pub const CAPTURE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../captures/own_iperf_v4_1500_4flows.pcap"
);

/// What a run of the command came to.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `pagetrain` with these arguments.
pub fn pagetrain(args: &[&str]) -> Ran {
    fed(args, &[])
}

/// Runs `pagetrain` with `input` on its standard input.
pub fn fed(args: &[&str], input: &[u8]) -> Ran {
    let mut command = Command::cargo_bin("pagetrain").unwrap();
    let output = command.args(args).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().expect("ended by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

impl Ran {
    /// Its output, after it succeeded and had nothing to complain of.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    /// Its one line of complaint, after it failed with exit code 2 and printed nothing else.
    #[track_caller]
    pub fn refusal(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (2, ""), "{}", self.err);
        let line = self.err.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        line.strip_prefix("pagetrain: ").unwrap().to_string()
    }
}

/// A folder for one test, and paths in it.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path of a file, as an argument.
    pub fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_string()
    }

    /// Writes a file; its path as an argument.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.name(name)
    }
}

/// The value of a row of a summary.
#[track_caller]
pub fn row<'a>(summary: &'a str, name: &str) -> &'a str {
    let row = summary.lines().find_map(|line| line.strip_prefix(name));
    row.unwrap_or_else(|| panic!("no row {name}:\n{summary}"))
        .trim()
}
