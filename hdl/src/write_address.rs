//! Address side of a write master: announces bursts, and grants each to its data (`write_data`) once its address is shown.
//!
//! The ports `quiesce`, `ahead`, `grant` and `m_aw_t*` of the block that announces. The bus's ready ends at a stream register, so
//! that an address may wait there unseen behind another: the grant comes when it is shown, not when it is announced.
//! Beside it, what a block keeps of the bursts that it announced until they are answered.

use crate::build::{Expr, Instance, Module, Sig};
use crate::bundle;
use crate::prim::{skid, Fifo, Storage};

/// Bursts that wait for their response, and whatever else waits in turn with them.
pub(crate) const OUTSTANDING: usize = 64;

/// The address output of a block.
pub(crate) struct WriteAddress {
    /// A burst may be announced. May be a clock old: what it is made of keeps two places in hand.
    pub go: Sig,
    out: Instance,
}

impl WriteAddress {
    /// Adds ports and logic; `may`: the block has room for what follows a burst.
    pub fn new(m: &mut Module, may: Expr) -> WriteAddress {
        let width = bundle::aw().width();
        let quiesce = m.input("quiesce", 1, "announce no further burst");
        let ahead = m.input("ahead", 1, "the data side can take one more burst");
        let grant = m.output("grant", 1, "a burst's address is shown");
        let valid = m.output("m_aw_tvalid", 1, "burst valid");
        let ready = m.input("m_aw_tready", 1, "burst taken");
        let data = m.output("m_aw_tdata", width, "AW");
        let out = m.instance("u_aw", skid(width));
        m.connect(&out, "m_axis_tready", &ready);
        m.connect_out(&out, "m_axis_tvalid", &valid);
        m.connect_out(&out, "m_axis_tdata", &data);

        let go = m.reg_rst("go", 1, 0);
        let fresh = m.reg_rst("fresh", 1, 1);
        m.assign(&grant, &valid & &fresh);
        m.seq(
            "Whether bursts may be announced; an address shown anew is granted once",
            |b| {
                b.set(&go, !&quiesce & &ahead & &may);
                b.set(&fresh, !&valid | &ready);
            },
        );
        WriteAddress { go, out }
    }

    /// There is room for an address.
    pub fn ready(&self) -> Sig {
        self.out.out("s_axis_tready")
    }

    /// Drives what is announced: a byte address, and beats - 1.
    pub fn announce(&self, m: &mut Module, valid: Expr, addr: Expr, len: Expr) {
        let aw = bundle::aw().pack(&[("addr", addr), ("len", len)]);
        m.connect(&self.out, "s_axis_tvalid", valid);
        m.connect(&self.out, "s_axis_tdata", aw);
    }
}

/// Adds the queue `u_track`: what is known of each announced burst, in order. It is noted a clock after it was announced.
/// `m_axis_tready` is left to the block, which takes from it; it stops announcing while `almost_full`.
pub(crate) fn track(m: &mut Module, announced: &Sig, what: Expr) -> Instance {
    let fifo = Fifo::new(what.width(), OUTSTANDING)
        .storage(Storage::Distributed)
        .almost_full(OUTSTANDING - 6)
        .unguarded();
    let track = m.instance("u_track", fifo.build());
    let noted = m.reg_rst("noted", 1, 0);
    let noted_data = m.reg("noted_data", what.width());
    m.seq("A burst is noted a clock after it was announced", |b| {
        b.set(&noted, announced);
        b.set(&noted_data, what);
    });
    m.connect(&track, "s_axis_tvalid", &noted);
    m.connect(&track, "s_axis_tdata", &noted_data);
    track
}
