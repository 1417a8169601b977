//! Waves: an FST file of a run, and what is said when there can be none.

use crate::designs::counter;
use pagetrain_testbench::sim::{Failure, Sim, SimConfig};
use pagetrain_testbench::verilator::{Model, Options};
use std::path::Path;

fn config(file: &Path) -> SimConfig {
    SimConfig {
        waves: Some(file.to_owned()),
        ..SimConfig::seed(1)
    }
}

/// The blocks of an FST file: type and bytes. Each begins with its type and a length that counts itself.
fn blocks(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut blocks = Vec::new();
    let mut rest = bytes;
    while let Some((&kind, after)) = rest.split_first() {
        let length = u64::from_be_bytes(after[..8].try_into().expect("8 bytes")) as usize;
        blocks.push((kind, &after[8..length]));
        rest = &after[length..];
    }
    blocks
}

#[test]
fn waves_hold_every_clock_when_asked_for() {
    let options = Options {
        trace: true,
        ..Options::short()
    };
    let model = Model::build(&counter(), &options).unwrap_or_else(|error| panic!("{error}"));
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("counter.fst");
    let mut sim = Sim::new(&model, config(&file)).unwrap();
    sim.run(async |sim| sim.cycles(200).await).unwrap();
    let clocks = sim.cycle();
    drop(sim);
    let bytes = std::fs::read(&file).expect("waves");
    let blocks = blocks(&bytes);
    let (kind, header) = blocks[0];
    let number = |at: usize| u64::from_be_bytes(header[at..at + 8].try_into().expect("8 bytes"));
    // Header (type 0): first and last time stamp; number of variables at byte 40.
    assert_eq!((kind, number(0), number(8)), (0, 10, 10 * clocks + 5), "ns");
    assert!(number(40) >= counter_ports(), "{} variables", number(40));
    // Values (1, 5, 8) and hierarchy (4, 6, 7).
    let has = |kinds: &[u8]| {
        blocks
            .iter()
            .any(|(kind, bytes)| kinds.contains(kind) && !bytes.is_empty())
    };
    assert!(has(&[1, 5, 8]) && has(&[4, 6, 7]));
}

fn counter_ports() -> u64 {
    crate::designs::build(&counter()).ports().len() as u64
}

#[test]
fn error_says_so_when_waves_are_asked_of_a_model_without() {
    let options = Options {
        trace: false,
        ..Options::short()
    };
    let model = Model::build(&counter(), &options).unwrap();
    let error = Sim::new(&model, config(Path::new("never.fst")))
        .err()
        .expect("refused");
    assert!(
        matches!(&error.failure, Failure::Output { rule } if rule.contains("without `trace`")),
        "{error}"
    );
}
