//! Commands and the way to a stop: which operation a command needs next.
//!
//! Contract: a command is one event, followed by the operations that belong to it: trains to close, lowest slot first;
//! for STOP then pages to release, then every buffer that is still posted, small ones first, then the STOP entry.
//! From the event to the last of its closes (for STOP: releases) `lock` keeps everything else away.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `cmd_valid`, `cmd_op`, `cmd_done` | | 1, 3, 1 | the command; it is finished (pulse, register) |
//! | `req`, `req_*`, `req_slot` | out | | register: an operation is asked for; which; of which slot |
//! | `reason` | out | 5 | with which a train is closed |
//! | `lock` | out | 1 | register: nothing else may go now |
//! | `started`, `finished` | in | 1 | the operation asked for has begun; is done |
//! | `open`, `has` | in | | slots with a train; with a page |
//! | `flush`, `hit`, `hit_slot` | | | look the command's key up; the answer, five clocks later |
//! | `small_valid`, `small_drained`... | in | | what is still posted |
//! | `clear` | out | 1 | pulse: all flows are forgotten |
//! | `stopped` | out | 1 | register: a STOP has begun; frames are discarded |
//!
//! ## Pipeline
//! The next slot is chosen from what is left to do (lowest one), then encoded, while the operation before it runs.

use super::Widths;
use crate::build::*;
use crate::prim::{decode, encode, lowest_one};
use pagetrain_formats::codes::{Command, Reason};
use pagetrain_formats::Config;

/// Clocks from `flush` to the flow table's answer, decoded: the key's register, the lookup, the decoder, and one to spare.
const LOOKUP: usize = crate::flow_table::LATENCY + 3;

/// Builds the block.
pub fn command(cfg: &Config) -> Module {
    let w = Widths::new(cfg);
    let n = cfg.flows + 1;
    let mut m = Module::new(
        &format!("train_command_{}", cfg.flows),
        "Commands and the way to a stop: which operation comes next.",
    );
    let cmd_valid = m.input("cmd_valid", 1, "a command waits or is under way");
    let cmd_op = m.input("cmd_op", 3, "which");
    let cmd_done = m.output_reg_rst("cmd_done", 1, 0, "pulse: it is finished");
    let started = m.input("started", 1, "the operation asked for has begun");
    let finished_in = m.input("finished", 1, "and is done");
    let finished = m.reg_rst("finished_1", 1, 0);
    m.seq("It comes late in its clock", |b| {
        b.set(&finished, &finished_in)
    });
    let open = m.input("open", cfg.flows, "slots with an open train");
    let has = m.input("has", n, "slots with a page");
    let hit = m.input("hit", 1, "flow table: the key's flow is there");
    let hit_slot = m.input("hit_slot", w.flow, "flow table: where");
    let small_valid = m.input("small_valid", 1, "a small buffer is posted");
    let small_drained = m.input("small_drained", 1, "none is left anywhere");
    let page_valid = m.input("page_valid", 1, "a page is posted");
    let page_drained = m.input("page_drained", 1, "none is left anywhere");
    let req = m.output_reg_rst("req", 1, 0, "an operation is asked for");
    let req_slot = m.output_reg("req_slot", w.slot, "of which slot");
    let reason = m.output_reg("reason", 5, "with which a train is closed");
    let lock = m.output_reg_rst("lock", 1, 0, "nothing else may go now");
    let flush = m.output_reg_rst("flush", 1, 0, "look the command's key up");
    let clear = m.output_reg_rst("clear", 1, 0, "pulse: all flows are forgotten");
    let stopped = m.output_reg_rst("stopped", 1, 0, "frames are discarded");

    let names = [
        "IDLE", "EVENT", "LOOK", "CHOOSE", "ENCODE", "CLOSE", "RELEASE", "SMALL", "PAGE", "LAST",
        "WAIT", "DEAD",
    ];
    let states = m.states("ST", &names);
    let st = |name: &str| {
        let i = names.iter().position(|n| *n == name);
        &states[i.unwrap_or_else(|| unreachable!("{name} is a state"))]
    };
    let state = m.reg_rst("state", 4, st("IDLE"));
    let todo = m.reg("todo", n);
    let looked_up = m.reg("looked_up", n);
    m.seq("The slot that the flow table found, or none", |b| {
        let slots = decode(&hit_slot, cfg.flows);
        b.set(&looked_up, (slots & hit.repeat(cfg.flows)).zext(n));
    });
    let pick = m.reg("pick", n);
    let picked = m.reg("picked", 1);
    let count = m.reg("count", 3);
    let releasing = m.reg("releasing", 1);
    let running = m.reg_rst("running", 1, 0);
    let is = |c: Command| cmd_op.eq(c.code());

    m.seq("The operation that was asked for runs", |b| {
        b.when(&finished, |b| b.set(&running, 0));
        b.when(&started, |b| b.set(&running, 1));
    });
    // Which operation `req` stands for follows from the state.
    for (name, of, doc) in [
        ("req_event", "EVENT", "the command's event"),
        ("req_close", "CLOSE", "close a slot's train"),
        ("req_release", "RELEASE", "give a slot's page back"),
        ("req_small", "SMALL", "give a posted small buffer back"),
        ("req_page", "PAGE", "give a posted page back"),
        ("req_last", "LAST", "the STOP entry"),
    ] {
        let port = m.output(name, 1, doc);
        m.assign(&port, state.eq(st(of)));
    }
    let finish = |b: &mut Body| {
        b.set(&cmd_done, 1);
        b.set(&lock, 0);
        b.set(&state, st("WAIT"));
    };
    m.seq("One command after the other", |b| {
        b.set(&cmd_done, 0);
        b.set(&clear, 0);
        b.when(&started, |b| b.set(&req, 0));
        b.set(&count, &count + 1);
        b.switch(&state, |s| {
            s.case(st("IDLE"), |b| {
                b.set(&releasing, 0);
                b.switch(&cmd_op, |s| {
                    s.case(Command::FlushAll.code(), |b| {
                        b.set(&reason, Reason::FlushAll.code())
                    });
                    s.case(Command::Poll.code(), |b| {
                        b.set(&reason, Reason::Poll.code())
                    });
                    s.case(Command::Stop.code(), |b| {
                        b.set(&reason, Reason::Stop.code())
                    });
                    s.default(|b| b.set(&reason, Reason::FlushFlow.code()));
                });
                b.when(&cmd_valid, |b| {
                    b.set(&req, 1);
                    b.set(&state, st("EVENT"));
                });
            });
            s.case(st("EVENT"), |b| {
                b.when(&started, |b| {
                    b.set(&lock, 1);
                    b.set(&stopped, is(Command::Stop));
                });
                b.set(&count, 0);
                b.set(&todo, open.zext(n));
                b.when(&finished & &running, |b| {
                    b.set(&flush, is(Command::FlushFlow));
                    b.set(
                        &state,
                        mux(is(Command::FlushFlow), st("LOOK"), st("CHOOSE")),
                    );
                });
            });
            s.case(st("LOOK"), |b| {
                b.comment(
                    "The whole set is one slot or none: the operation finds out whether it is open",
                );
                b.set(&todo, &looked_up);
                b.when(count.eq(LOOKUP), |b| {
                    b.set(&flush, 0);
                    b.set(&state, st("CHOOSE"));
                });
            });
            s.case(st("CHOOSE"), |b| {
                b.set(&pick, lowest_one(&todo));
                b.set(&picked, todo.any());
                b.set(&state, st("ENCODE"));
            });
            s.case(st("ENCODE"), |b| {
                b.set(&req_slot, encode(&pick));
                b.set(&todo, &todo & !&pick);
                b.first(|c| {
                    c.when(&picked, |b| {
                        b.set(&req, 1);
                        b.set(&state, mux(&releasing, st("RELEASE"), st("CLOSE")));
                    });
                    c.when(&running, |b| b.set(&state, st("CHOOSE")));
                    c.when(!is(Command::Stop), finish);
                    c.when(!&releasing, |b| {
                        b.set(&releasing, 1);
                        b.set(&todo, &has);
                        b.set(&state, st("CHOOSE"));
                    });
                    c.otherwise(|b| {
                        b.comment("What follows leaves room for bad descriptors");
                        b.set(&clear, 1);
                        b.set(&lock, 0);
                        b.set(&state, st("SMALL"));
                        b.set(&count, 0);
                    });
                });
            });
            s.cases([st("CLOSE"), st("RELEASE")], |b| {
                b.when(&started, |b| b.set(&state, st("CHOOSE")));
            });
            // A pop shows after a few clocks: the next look waits for that.
            for (here, valid, drained, next) in [
                ("SMALL", &small_valid, &small_drained, "PAGE"),
                ("PAGE", &page_valid, &page_drained, "LAST"),
            ] {
                s.case(st(here), |b| {
                    b.when(&running | &req, |b| b.set(&count, 0));
                    b.when(count.eq(7) & !&running & !&req, |b| {
                        b.set(&count, &count);
                        b.first(|c| {
                            c.when(valid, |b| {
                                b.set(&req, 1);
                                b.set(&count, 0);
                            });
                            c.when(drained, |b| {
                                b.set(&count, 0);
                                b.set(&state, st(next));
                                if next == "LAST" {
                                    b.set(&req, 1);
                                }
                            });
                        });
                    });
                });
            }
            s.case(st("LAST"), |b| b.when(&finished & &running, finish));
            s.case(st("WAIT"), |b| {
                b.comment("The one who gave the command takes it back in this clock");
                b.set(&state, mux(&stopped, st("DEAD"), st("IDLE")));
            });
            s.default(|b| b.set(&state, st("DEAD")));
        });
    });
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::command(&Default::default()));
    }
}
