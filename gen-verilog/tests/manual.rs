//! The book's page of registers is the generated one.

#[test]
fn page_of_the_book_is_up_to_date() {
    let page = include_str!("../../docs/src/registers.md");
    let command = "cargo run -p pagetrain-cli -- regs --markdown > docs/src/registers.md";
    assert!(
        page == pagetrain_gen::manual::manual(),
        "docs/src/registers.md is stale; run: {command}"
    );
}
