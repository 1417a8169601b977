//! The book's page about the parser language says what the compiler does.

use pagetrain_formats::program::fields::FLAGS;
use pagetrain_formats::program::{self, compile, Dest, Limits};
use pagetrain_formats::Config;

const PAGE: &str = include_str!("../../docs/src/parser.md");

/// The contents of the page's code blocks.
fn blocks() -> Vec<&'static str> {
    let parts = PAGE.split("```").skip(1).step_by(2);
    parts.filter_map(|b| b.strip_prefix("text\n")).collect()
}

#[test]
fn examples_compile() {
    let limits = Limits::of(&Config::default());
    let with = |begin: &str| *blocks().iter().find(|b| b.starts_with(begin)).unwrap();
    let head = "state ip { set V6 mark l3, l4 next option }\n";
    let text = format!("{head}{}{}", with("repeat"), with("state tcp"));
    let program = compile(&text, "x.parse", &limits).unwrap_or_else(|e| panic!("{}", e.render()));
    assert_eq!(
        program.names,
        ["ip", "option_1", "option_2", "option_3", "tcp"]
    );
    let others = "state ip4_tcp { next accept } state ip4_udp { next accept } state fragment { next accept } state other { next accept }";
    let consts = "const IP_TCP = 6 const IP_UDP = 17";
    let text = format!("{consts} state ip {{ {} }} {others}", with("match"));
    compile(&text, "x.parse", &limits).unwrap_or_else(|e| panic!("{}", e.render()));
}

#[test]
fn message_is_the_compilers() {
    let text = "state ip4 {\n    next options\n}\n\nstate options {\n    match byte[0] { 0 -> accept else -> ip4 }\n}\n";
    let error = compile(text, "my.parse", &Limits::of(&Config::default())).unwrap_err();
    assert!(PAGE.contains(&error.render()), "{}", error.render());
}

#[test]
fn page_names_every_field_flag_and_the_sizes_of_the_shipped_program() {
    for name in Dest::ALL[1..].iter().map(|d| d.name()).chain(FLAGS) {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
    let program = program::tcp(&Limits::of(&Config::default())).unwrap();
    let sizes = format!(
        "{} rows and at most {} steps",
        program.rows.len(),
        program.worst_steps
    );
    assert!(PAGE.contains(&sizes), "{sizes}");
}
