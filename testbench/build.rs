//! Tells the harness where cargo has built zlib and lz4, for the models that write waves.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for (library, built) in [("ZLIB", "DEP_Z_ROOT"), ("LZ4", "DEP_LZ4_ROOT")] {
        let root = std::env::var(built).unwrap_or_else(|_| panic!("{built} is not set"));
        println!("cargo:rustc-env=PAGETRAIN_{library}={root}");
    }
}
