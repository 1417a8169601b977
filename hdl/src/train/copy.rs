//! Copy commands of a frame: header, second small buffer, page fragments, each without the VLAN tags.
//!
//! Contract: a frame's bytes are named as offsets into the frame as it is written. A part that begins before and ends
//! behind the place of the tags becomes two commands; the others one. The last command of a frame gives its words
//! back to the store; a frame that writes nothing makes one command of length 0 for that.
//! Where a frame may be cut at the edge of a page (`last_first`), the payload goes first and is summed, since only its
//! end tells whether it is: then the header follows, or ([`super::script`]) what rewrites it and then the header.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `load` | in | 1 | a frame begins; `has_*`, `small_*`, `hdr_len`, `base*`, `strips`, `words` are taken |
//! | `has_hdr`, `has_second`, `has_page` | in | 1 | which parts it has |
//! | `last_first` | in | 1 | its header comes last |
//! | `ends`, `end_piece`, `end_last` | in | 1 | then: now; it is rewritten; it is the frame's last command |
//! | `l3_at` to `ip_const` | in | | what `script` needs; the first four are taken with `load` |
//! | `page_load` | in | 1 | one more page fragment is ready |
//! | `page_addr`, `page_len`, `page_off`, `page_last` | in | | the fragment; stands from `page_load` or `load` on, until `page_busy` is low |
//! | `page_busy` | out | 1 | a fragment waits to be taken |
//! | `free` | out | 1 | no commands of the frame will be to come in the next clock |
//! | `issued_next` | out | 16 | commands made so far, that of this clock included |
//! | `room` | out | 1 | at least a frame's commands fit |
//! | `discard` | in | 1 | commands are thrown away (the engine has halted) |
//! | `m_axis_cmd_t*` | out | CMD | commands |
//!
//! - Timing: a command a clock; those of the script only while `room` is high. The caller loads only in a clock after one with `free` and `room`, and one more fragment
//!   only while `page_busy` is low and `room` is high; so nothing here ever waits.
//!
//! ## Pipeline
//! 1. *part*: what is pending: header, second buffer, fragment, nothing.
//! 2. *cut*: the part's command, or its piece before the tags and then the rest.
//! 3. FIFO of [`DEPTH`] commands.

use super::script::SCRIPT;
use super::Widths;
use crate::build::*;
use crate::bundle::{self, Bundle};
use crate::prim::Fifo;
use pagetrain_formats::codes::L3;
use pagetrain_formats::{Config, SMALL_BYTES};

/// Bytes before the tags: both MAC addresses (IEEE 802.3).
pub const MAC_BYTES: usize = 12;
/// Commands that may wait for dma_write.
pub const DEPTH: usize = 16;
/// Room that `room` stands for: header in two pieces, second buffer, a fragment in two pieces, one in the register.
const FRAME_COMMANDS: usize = 6;

/// Flags of a command beside `free`.
const FLAGS: [&str; 7] = ["sum", "anew", "odd", "minus", "no_write", "patch", "set"];

/// Builds the block.
pub fn copy(cfg: &Config) -> Module {
    let w = Widths::new(cfg);
    let cmd = bundle::cmd(cfg);
    let mut m = Module::new(
        &format!("train_copy_d{}_s{}", cfg.dma_width, cfg.ingress_bytes),
        "Copy commands of a frame, without its VLAN tags.",
    );
    let load = m.input("load", 1, "a frame begins");
    let has_hdr = m.input("has_hdr", 1, "it has bytes for a small buffer");
    let has_second = m.input("has_second", 1, "and for a second one");
    let has_page = m.input("has_page", 1, "and for a page");
    let last_first = m.input("last_first", 1, "the header comes last");
    let ends = m.input("ends", 1, "the packet ends");
    let end_piece = m.input("end_piece", 1, "it is a piece: its header is rewritten");
    let end_last = m.input("end_last", 1, "the frame ends with it");
    let l3_at_in = m.input("l3_at", w.src, "store address of the IP header");
    let l4_at_in = m.input("l4_at", w.src, "store address of the TCP header");
    let head_len_in = m.input("tcp_head", w.hdr, "bytes from there to the payload");
    let l3_in = m.input("l3", 2, "network protocol");
    let hdr_len = m.input("hdr_len", w.hdr, "bytes for small buffers");
    let small_0 = m.input("small_0", 56, "first small buffer, address / 256");
    let small_1 = m.input("small_1", 56, "second small buffer, address / 256");
    let base_in = m.input("base", w.src, "store address of the frame");
    let base_strip_in = m.input("base_strip", w.src, "the same plus the bytes left out");
    let strips_in = m.input("strips", 1, "tags are left out");
    let words_in = m.input("words", w.words, "words of the frame in the store");
    let page_load = m.input("page_load", 1, "one more fragment is ready");
    let page_addr = m.input("page_addr", 64, "fragment: where to");
    let page_len = m.input("page_len", w.len, "fragment: bytes");
    let page_off = m.input("page_off", w.len, "fragment: offset in the frame");
    let page_last = m.input("page_last", 1, "fragment: the last one");
    let discard = m.input("discard", 1, "throw commands away");
    let page_busy = m.output_reg_rst("page_busy", 1, 0, "a fragment waits to be taken");
    let free = m.output("free", 1, "none will be to come");
    let issued_next = m.output("issued_next", 16, "commands made up to this clock");
    let room = m.output("room", 1, "a frame's commands fit");

    m.comment("What the frame needs");
    let base = m.reg("base_now", w.src);
    let base_strip = m.reg("base_strip_now", w.src);
    let strips = m.reg("strips_now", 1);
    let words = m.reg("words_now", w.words);
    let first = m.reg("first", 56);
    let second = m.reg("second", 56);
    let hdr_len_now = m.reg("hdr_len_now", w.hdr);
    let two = m.reg("two_now", 1);
    let hdr_part = mux(
        &two,
        lit(w.len, SMALL_BYTES as u128),
        hdr_len_now.zext(w.len),
    );
    let hdr_part = m.named("hdr_part", hdr_part);
    let l3_at = m.reg("l3_at_now", w.src);
    let l4_at = m.reg("l4_at_now", w.src);
    let head_len = m.reg("head_len_now", w.hdr);
    let v4 = m.reg("v4_now", 1);
    m.seq(
        "It follows the inputs while nothing is at work: `load` comes late in its clock",
        |b| {
            b.when(&free, |b| {
                b.set(&base, &base_in);
                b.set(&base_strip, &base_strip_in);
                b.set(&strips, &strips_in);
                b.set(&words, &words_in);
                b.set(&first, &small_0);
                b.set(&second, &small_1);
                b.set(&hdr_len_now, &hdr_len);
                b.set(&l3_at, &l3_at_in);
                b.set(&l4_at, &l4_at_in);
                b.set(&head_len, &head_len_in);
                b.set(&v4, l3_in.eq(L3::V4.code()));
            });
        },
    );
    let hdr_last = m.reg("hdr_last", 1);
    let more_hdr = m.reg_rst("more_hdr", 1, 0);
    let empty = m.reg_rst("empty", 1, 0);

    let hdr = m.reg_rst("hdr", 1, 0);
    m.comment("Header that comes last: until when it waits, whether it is patched; the sum of the payload before it");
    let later = m.reg_rst("later", 1, 0);
    let behind = m.reg_rst("behind_page", 1, 0);
    let summed = m.reg("summed", 1);
    let patched = m.reg("patched", 1);
    let anew = m.reg("sum_anew", 1);
    let odd = m.reg("sum_odd", 1);
    let begins_hdr = m.named("begins_behind", &behind & !&page_busy);
    let script = m.instance("u_script", super::script::script());
    m.connect(&script, "start", &begins_hdr & &patched);
    m.connect(&script, "v4", &v4);
    m.connect(&script, "head_len", &head_len);
    for name in ["new_len", "seq_high", "seq_low", "tcp_const", "ip_const"] {
        let input = m.input(name, 16, "for the script");
        m.connect(&script, name, &input);
    }
    // A command of the script goes through a register: it is chosen from many.
    let line = Bundle::new("TRAIN_SCRIPT", &SCRIPT);
    let values = SCRIPT.map(|(name, _)| (name, script.out(name).expr()));
    let scripted = m.reg_rst("scripted", 1, 0);
    let command = m.reg("script_command", line.width());
    let script_free = m.wire("script_free", 1);
    m.connect(&script, "take", script.out("valid") & &script_free);
    m.seq("Command of the script", |b| {
        b.when(&script_free, |b| {
            b.set(&scripted, script.out("valid"));
            b.set(&command, line.pack(&values));
        });
    });
    let of_script = |name: &str| line.get(&command, name);

    m.comment("The part at work; `rest`: its piece behind the tags");
    let valid = m.reg_rst("part_valid", 1, 0);
    let rest = m.reg_rst("part_rest", 1, 0);
    let off = m.reg("part_off", w.len);
    let len = m.reg("part_len", w.len);
    let addr = m.reg("part_addr", 64);
    let last = m.reg("part_last", 1);
    let from = m.reg("part_from", w.src);
    let flags: Vec<Sig> = FLAGS
        .iter()
        .map(|name| m.reg(&format!("part_{name}"), 1))
        .collect();
    let cut = m.reg("part_cut", 1);
    let ahead = m.reg("part_ahead", 4);
    let next = m.named("next_part", !&valid | !&cut | &rest);

    let mac = |width: usize| lit(width, MAC_BYTES as u128);
    m.comment("A fragment stands when it is loaded, a clock before it can be taken");
    let off_near = m.reg("page_off_near", 1);
    let page_ahead = m.reg("page_ahead", 4);
    let beyond = m.reg("page_beyond", 1);
    m.seq("The fragment against the end of the addresses", |b| {
        let ahead = mac(4) - page_off.trunc(4);
        b.set(&off_near, page_off.lt(mac(w.len)));
        b.set(&page_ahead, &ahead);
        b.set(
            &beyond,
            page_len.from_bit(4).any() | page_len.trunc(4).gt(ahead),
        );
    });
    let page_near = m.named("page_near", &strips & &off_near);
    let page_cut = m.named("page_cut", &page_near & &beyond);
    let near = mux(&hdr, &strips, &page_near & !&more_hdr);
    let takes_script = m.named("takes_script", &scripted & &room & &next);
    m.assign(&script_free, !&scripted | &takes_script);
    let takes_page = &next & &page_busy & !&hdr & !&more_hdr;
    let takes_page = m.named("takes_page", takes_page);
    m.seq("Stage 1, part", |b| {
        b.set(&rest, !&next);
        let at = mux(of_script("of_tcp"), &l4_at, &l3_at);
        let plain = mux(&next & !&scripted & near, &base, &base_strip);
        b.set(&from, mux(&next & &scripted, at, plain));
        b.when(&next, |b| {
            b.set(
                &valid,
                &hdr | &more_hdr | &page_busy | &empty | (&scripted & &room),
            );
            for (flag, name) in flags.iter().zip(FLAGS) {
                let of_frame = match name {
                    "sum" => &page_busy & &summed & !&hdr & !&more_hdr,
                    "anew" => anew.expr(),
                    "odd" => odd.expr(),
                    "patch" => (&hdr | &more_hdr) & &patched,
                    _ => lit(1, 0),
                };
                let of_command = match name {
                    "odd" => lit(1, 0),
                    "no_write" => of_script("sum"),
                    name => of_script(name),
                };
                b.set(flag, mux(&scripted, of_command, of_frame));
            }
            b.first(|c| {
                c.when(&scripted, |b| {
                    b.set(&off, of_script("off").zext(w.len));
                    b.set(&len, of_script("len").zext(w.len));
                    b.set(&addr, of_script("addr"));
                    b.set(&last, 0);
                    b.set(&cut, 0);
                });
                c.when(&hdr, |b| {
                    b.set(&off, 0);
                    b.set(&len, &hdr_part);
                    b.set(&addr, cat(&[first.expr(), lit(8, 0)]));
                    b.set(&last, &hdr_last & !&more_hdr);
                    b.set(&cut, &strips & hdr_len_now.gt(mac(w.hdr)));
                    b.set(&ahead, mac(4));
                });
                c.when(&more_hdr, |b| {
                    b.set(&off, SMALL_BYTES);
                    b.set(&len, hdr_len_now.trunc(8).zext(w.len));
                    b.set(&addr, cat(&[second.expr(), lit(8, 0)]));
                    b.set(&last, &hdr_last);
                    b.set(&cut, 0);
                });
                c.otherwise(|b| {
                    b.set(&off, &page_off);
                    b.set(&len, &page_len & page_busy.repeat(w.len));
                    b.set(&addr, &page_addr);
                    b.set(&last, (&page_last & !&summed) | &empty);
                    b.set(&cut, &page_cut & &page_busy);
                    b.set(&ahead, &page_ahead);
                });
            });
        });
    });
    m.seq("What is pending", |b| {
        b.when(&next, |b| {
            b.when(!&hdr & !&more_hdr, |b| {
                b.set(&page_busy, 0);
                b.set(&empty, 0);
            });
        });
        b.when(&takes_page, |b| {
            b.set(&anew, 0);
            b.set(&odd, &odd ^ page_len.bit(0));
        });
        b.when(&begins_hdr, |b| b.set(&behind, 0));
        b.comment("Values, not enables: `load` comes late");
        let at_last = (&begins_hdr & !&patched) | (&takes_script & of_script("last"));
        let at_once = |has: &Sig| has & !&last_first;
        let left = &hdr & !&next;
        b.set(&hdr, mux(&load, at_once(&has_hdr), &at_last | left));
        let left = &more_hdr & !(&next & !&hdr);
        let more = (&at_last & &two) | (!&at_last & left);
        b.set(&more_hdr, mux(&load, at_once(&has_second), more));
        b.when(&later & &ends, |b| {
            b.set(&later, 0);
            b.set(&behind, 1);
            b.set(&patched, &end_piece);
            b.set(&hdr_last, &end_last);
        });
        b.when(&page_load, |b| b.set(&page_busy, 1));
        b.when(&load, |b| {
            b.set(&later, &last_first);
            b.set(&summed, &last_first);
            b.set(&patched, 0);
            b.set(&anew, 1);
            b.comment("The TCP header begins at an even offset");
            b.set(&odd, hdr_len.bit(0));
            b.set(&page_busy, &has_page);
            b.set(&empty, !&has_hdr & !&has_page);
            b.set(&two, &has_second);
            b.set(&hdr_last, !&has_page);
        });
    });
    // Its end may be seen a clock late: then comes the header.
    let script_to_come = m.reg_rst("script_to_come", 1, 0);
    m.seq("A header is to come last, or what rewrites it", |b| {
        let of_script = [&later, &behind, &script.out("valid"), &scripted];
        b.set(&script_to_come, or_all(&of_script) | (&load & &last_first));
    });
    let to_come = or_all(&[&hdr, &more_hdr, &page_busy, &empty, &script_to_come]);
    let to_come = m.named("to_come", to_come);
    m.assign(&free, !&to_come & &next);

    let out_valid = m.reg_rst("out_valid", 1, 0);
    let out = m.reg("out", cmd.width());
    let issued = m.reg_rst("issued", 16, 0);
    m.assign(&issued_next, mux(&valid, &issued + 1, &issued));
    if w.src < w.len {
        m.unused(off.from_bit(w.src), "no frame is as long as the store");
    }
    let first_piece = m.named("first_piece", &cut & !&rest);
    m.seq("Stage 2, cut", |b| {
        b.set(&out_valid, &valid);
        b.set(&issued, &issued_next);
        let off = mux(&rest, mac(w.src), off.resize(w.src));
        let behind = &len - ahead.zext(w.len);
        let mut fields: Vec<(&str, Expr)> = FLAGS
            .iter()
            .zip(&flags)
            .map(|(name, flag)| (*name, flag.expr()))
            .collect();
        fields.extend([
            ("src", &from + off),
            (
                "len",
                mux(&rest, behind, mux(&first_piece, ahead.zext(w.len), &len)),
            ),
            ("addr", &addr + (&ahead & rest.repeat(4)).zext(64)),
            ("free", &last & !&first_piece),
            ("words", words.expr()),
        ]);
        b.set(&out, cmd.pack(&fields));
    });

    let fifo = m.instance(
        "u_fifo",
        Fifo::new(cmd.width(), DEPTH)
            .almost_full(DEPTH - FRAME_COMMANDS)
            .unguarded()
            .build(),
    );
    let cmd_valid = m.output("m_axis_cmd_tvalid", 1, "a command");
    let cmd_ready = m.input("m_axis_cmd_tready", 1, "it is taken");
    let cmd_data = m.output("m_axis_cmd_tdata", cmd.width(), "CMD");
    m.connect(&fifo, "s_axis_tvalid", &out_valid);
    m.connect(&fifo, "s_axis_tdata", &out);
    m.connect(&fifo, "m_axis_tready", &cmd_ready | &discard);
    m.connect_out(&fifo, "m_axis_tvalid", &cmd_valid);
    m.connect_out(&fifo, "m_axis_tdata", &cmd_data);
    m.assign(&room, !fifo.out("almost_full"));
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::copy(&Default::default()));
    }
}
