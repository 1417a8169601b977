//! Every message of the compiler, with its place, as the user reads it. `INSTA_UPDATE=always` writes the snapshot anew.

use pagetrain_formats::program::{compile, Limits};

const LIMITS: Limits = Limits {
    states: 4,
    steps: 3,
    window: 128,
};

/// Programs, each with one mistake.
const MISTAKES: &[&str] = &[
    // words and numbers
    "",
    "state a { next accept } ; ",
    "state a { need 12ab next accept }",
    "state a { need 0x1_0000_0000_0000_0000 next accept }",
    "start a { next accept }",
    "state { next accept }",
    "state match { next accept }",
    "state a { next accept",
    "const MAX 3",
    "const A = 1 const A = 2",
    "state a { need B next accept }",
    // statements
    "state a { jump b }",
    "state a { need 8 need 9 next accept }",
    "state a { need 129 next accept }",
    "state a { need 256 next accept }",
    "state a { at 256 next accept }",
    "state a { set V5 next accept }",
    "state a { mark l5 next accept }",
    "state a { end byte[2] next accept }",
    "state a { end be16[15] next accept }",
    "state a { end be16[2] + 256 next accept }",
    "state a { extract mac[0] next accept }",
    "state a { extract none[0] next accept }",
    "state a { extract src_hi[9] next accept }",
    "state a { extract sport[0], dport[2], seq[4], tcp_flags[13], vlan0[0] next accept }",
    "state a { extract sport next accept }",
    // advance
    "state a { advance 256 next accept }",
    "state a { advance 8 + 4 next accept }",
    "state a { advance byte[16] next accept }",
    "state a { advance byte[0] >> 8 next accept }",
    "state a { advance byte[0] & 0x100 next accept }",
    "state a { advance (byte[0] << 2) & 0x0f next accept }",
    "state a { advance byte[0] & 0x0f << 2 next accept }",
    "state a { advance (byte[0] & 0x0f next accept }",
    "state a { advance (((((byte[0] next accept }",
    "state a { advance 8 min 256 next accept }",
    // ways on
    "state a { need 14 }",
    "state a { match byte[0] { 1 -> accept } }",
    "state a { next accept match byte[0] { else -> reject } }",
    "state a { match byte[0] { else -> reject } next accept }",
    "state a { match byte[0] { else -> reject 1 -> accept } }",
    "state a { match word[0] { else -> accept } }",
    "state a { match be32[0], byte[4] { else -> accept } }",
    "state a { match be16[15] { else -> accept } }",
    "state a { match byte[0] { 0x100 -> accept else -> reject } }",
    "state a { match be16[0] { 1/0x10000 -> accept else -> reject } }",
    "state a { match byte[0] { 0x45/0xf0 -> accept else -> reject } }",
    "state a { match byte[0], byte[1] { 1 -> accept else -> reject } }",
    "state a { match byte[0] { 1 -> accept 2 -> accept 3 -> accept 4 -> accept 5 -> accept else -> reject } }",
    "state a { match byte[0] { 0x40/0xf0 -> accept 0x45 -> reject else -> reject } }",
    "state a { match byte[0] { 1 -> accept set V4 set V6 else -> reject } }",
    "state a { next b }",
    "state a { next accept } state a { next accept }",
    // repeat
    "repeat 0 else accept { state a { next accept } }",
    "repeat 17 else accept { state a { next accept } }",
    "repeat 2 else again a { state a { next accept } }",
    "repeat 2 { state a { next accept } }",
    "state a { next again a }",
    "repeat 2 else b { state a { next again a } }",
    "state a_2 { next a } repeat 2 else accept { state a { next again a } }",
    "repeat 2 else accept { state a { next accept } }",
    // the graph
    "state a { next a }",
    "state a { next b }\nstate b { match byte[0] { 0 -> c else -> accept } }\nstate c { next b }",
    "state a { next accept }\nstate b { next accept }",
    "state a { next b } state b { next c } state c { next d } state d { next e }\nstate e { next accept }",
    "repeat 5 else accept { state a { next again a } }",
    "state a { next b } state b { next c } state c { next d } state d { next accept }",
    // what the engine would reject
    "state a { set TCP mark l4, split next accept }",
    "state a { set V4, TCP mark l3, l4 next accept }",
    "state a { set V6, UDP mark split next accept }",
    "state a { set V4, V6 mark l3, l4 next accept }",
    "state a { set V6, TCP, UDP mark l4, split next accept }",
    "state a { set V4 mark l4 next accept }",
    "state a { set V4 mark l3 match byte[0] { 0 -> reject else -> accept } }",
    "state a { mark l3, l4\n  match byte[0] { 4 -> b set V4 6 -> b set V6 else -> b } }\nstate b { set TCP mark split next accept }",
];

#[test]
fn messages_say_what_and_where() {
    let mut out = String::new();
    for text in MISTAKES {
        let error = match compile(text, "x.parse", &LIMITS) {
            Ok(program) => panic!("accepted: {text}\n{}", program.listing()),
            Err(error) => error,
        };
        assert!(!error.to_string().contains('\n'));
        out.push_str(&error.render());
        out.push('\n');
    }
    insta::assert_snapshot!(out);
}

#[test]
fn caret_stands_under_its_text_when_the_line_has_tabs_and_wide_characters() {
    let error = compile("# größe\n\tstate a {\tnext b } # ü\r\n", "x.parse", &LIMITS).unwrap_err();
    assert_eq!((error.line, error.column), (2, 17));
    let expected = "x.parse:2:17: unknown state `b`\n  |\n2 | \tstate a {\tnext b } # ü\n  | \t         \t     ^\n";
    assert_eq!(error.render(), expected);
}

#[test]
fn nothing_panics_when_the_shipped_program_is_cut_or_mangled() {
    let text = pagetrain_formats::program::TCP_TEXT;
    let limits = Limits::of(&pagetrain_formats::Config::default());
    for cut in (0..text.len())
        .filter(|&i| text.is_char_boundary(i))
        .step_by(3)
    {
        let _ = compile(&text[..cut], "x.parse", &limits).map_err(|e| e.render());
        let mangled = format!("{}}} {{{}", &text[..cut], &text[cut..]);
        let _ = compile(&mangled, "x.parse", &limits).map_err(|e| e.render());
    }
}
