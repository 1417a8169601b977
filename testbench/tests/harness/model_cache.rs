//! Builds of models: what is built anew, what is not, and what a failure leaves.

use pagetrain_testbench::verilator::{BuildError, Design, InitialState, Model, Options, Toolchain};
use std::fs;
use std::path::{Path, PathBuf};

/// A cache of this test program's own. It stays, so that the runtime is compiled once.
fn private() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("models")
}

fn options() -> Options {
    Options {
        cache: Some(private()),
        ..Options::short()
    }
}

/// A design that no earlier run can have built.
fn fresh(top: &str, constant: u8) -> Design {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("time");
    let text =
        format!("module {top}(output wire [7:0] y); assign y = {constant}; endmodule // {now:?}");
    Design::new(top)
        .source(format!("{top}.v"), text)
        .output("y", 8)
}

fn value(model: &Model) -> u8 {
    let instance = model.instance(InitialState::Zeros);
    instance.eval();
    let (address, bytes) = instance.storage("y").expect("port y");
    assert_eq!(bytes, 1);
    // SAFETY: one byte, as just asked.
    unsafe { *address }
}

/// Entries of the cache for this top module.
fn entries(top: &str) -> Vec<PathBuf> {
    let named = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(&format!("{top}-")))
    };
    fs::read_dir(private()).map_or_else(
        |_| Vec::new(),
        |dir| dir.flatten().map(|e| e.path()).filter(named).collect(),
    )
}

fn sweep(top: &str) {
    for path in entries(top) {
        fs::remove_dir_all(path).expect("removable");
    }
}

#[test]
fn model_is_not_rebuilt_when_the_text_is_the_same() {
    sweep("same");
    let design = fresh("same", 7);
    assert_eq!(
        value(&Model::build(&design, &options()).expect("builds")),
        7
    );
    let [entry] = &entries("same")[..] else {
        panic!("one entry")
    };
    let stamp = |entry: &Path| {
        fs::metadata(entry.join("model.so"))
            .and_then(|data| data.modified())
            .expect("file")
    };
    let before = stamp(entry);
    assert_eq!(value(&Model::build(&design, &options()).expect("loads")), 7);
    assert_eq!(entries("same").len(), 1);
    assert_eq!(stamp(entry), before);
    sweep("same");
}

#[test]
fn model_is_rebuilt_when_text_or_options_change() {
    sweep("changed");
    let design = fresh("changed", 1);
    assert_eq!(
        value(&Model::build(&design, &options()).expect("builds")),
        1
    );
    let other = design
        .clone()
        .mutate("y = 1", "y = 2")
        .expect("occurs once");
    assert_eq!(value(&Model::build(&other, &options()).expect("builds")), 2);
    assert_eq!(entries("changed").len(), 2);
    let long = Options {
        optimize: Default::default(),
        ..options()
    };
    assert_eq!(value(&Model::build(&design, &long).expect("builds")), 1);
    let defined = Options {
        defines: vec!["A=1".into()],
        ..options()
    };
    assert_eq!(value(&Model::build(&design, &defined).expect("builds")), 1);
    assert_eq!(entries("changed").len(), 4);
    sweep("changed");
}

#[test]
fn failed_build_leaves_nothing_and_the_next_one_works() {
    sweep("failed");
    let good = fresh("failed", 3);
    let bad = good
        .clone()
        .mutate("endmodule", "endmodul")
        .expect("occurs once");
    let error = Model::build(&bad, &options())
        .err()
        .expect("a syntax error");
    let text = error.to_string();
    assert!(
        matches!(error, BuildError::Tool { .. }) && text.contains("failed.v:1"),
        "{text}"
    );
    assert!(
        !text.contains(env!("CARGO_TARGET_TMPDIR")),
        "names no path of the machine: {text}"
    );
    assert_eq!(entries("failed"), [] as [PathBuf; 0]);
    // A port that the text does not have fails in the C++ compiler, after Verilator.
    let bad = good.clone().input("nowhere", 1);
    assert!(matches!(
        Model::build(&bad, &options()),
        Err(BuildError::Tool { .. })
    ));
    assert_eq!(entries("failed"), [] as [PathBuf; 0]);
    assert_eq!(value(&Model::build(&good, &options()).expect("builds")), 3);
    sweep("failed");
}

#[test]
fn one_entry_is_made_when_builders_are_concurrent() {
    sweep("concurrent");
    let design = fresh("concurrent", 9);
    std::thread::scope(|scope| {
        let build = || value(&Model::build(&design, &options()).expect("builds"));
        let builders: Vec<_> = (0..4).map(|_| scope.spawn(build)).collect();
        for builder in builders {
            assert_eq!(builder.join().expect("no panic"), 9);
        }
    });
    assert_eq!(entries("concurrent").len(), 1);
    sweep("concurrent");
}

#[test]
fn models_keep_apart_when_loaded_together() {
    let designs = [fresh("apart", 1), fresh("apart", 2), fresh("apart", 3)];
    let models = designs.map(|design| Model::build(&design, &options()).expect("builds"));
    assert_eq!(models.each_ref().map(value), [1, 2, 3]);
    sweep("apart");
}

#[test]
fn error_says_make_tools_when_verilator_is_missing() {
    let error = Toolchain::in_venv(Path::new("/nonexistent/venv")).expect_err("no such folder");
    let text = error.to_string();
    assert!(
        text.contains("`make tools`") && text.contains("PAGETRAIN_VENV"),
        "{text}"
    );
}

#[test]
fn design_is_refused_when_its_description_is_wrong() {
    let refusal = |design: Design| match Model::build(&design, &options()) {
        Err(BuildError::Design { rule, .. }) => rule,
        _ => panic!("not refused"),
    };
    assert!(refusal(Design::new("t")).contains("no Verilog source"));
    assert!(refusal(Design::new("t t").source("t.v", "")).contains("`t t`"));
    assert!(refusal(Design::new("t").source("../t.v", "")).contains("`../t.v`"));
    assert!(refusal(Design::new("t").source("t.v", "").source("t.v", "")).contains("twice"));
    assert!(refusal(Design::new("t").source("t.v", "").input("a", 0)).contains("width 0"));
    assert!(refusal(
        Design::new("t")
            .source("t.v", "")
            .input("a", 1)
            .output("a", 2)
    )
    .contains("twice"));
    assert!(fresh("t", 1).mutate("not there", "").is_err());
}

#[test]
fn lines_are_counted_when_coverage_is_asked_for() {
    let options = Options {
        coverage: true,
        ..options()
    };
    let text = "module covered(input wire a, output reg y);
always @* begin
  if (a) y = 0;
  else y = 1;
end
endmodule";
    let design = Design::new("covered")
        .source("covered.v", text)
        .input("a", 1)
        .output("y", 1);
    let instance = Model::build(&design, &options)
        .expect("builds")
        .instance(InitialState::Zeros);
    instance.eval();
    let file = private().join("covered.dat");
    assert!(instance.write_coverage(&file));
    let text = fs::read_to_string(&file).expect("coverage");
    // One branch was taken, the other not: both a count of 0 and a count above.
    let counts: Vec<u64> = text
        .lines()
        .filter(|line| line.starts_with("C "))
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
        .collect();
    assert!(
        counts.contains(&0) && counts.iter().any(|&count| count > 0),
        "{text}"
    );
    assert!(text.contains("covered.v"), "{text}");
}
