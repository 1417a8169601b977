//! The table itself.

use super::{Access, Legal, Number, Register};
use crate::config::Config;
use crate::layout::Field;
use Access::{Cfg, Ro, Rw, W1c, Wo};
use Legal::{Any, Doorbell, Multiple, Range};
use Number::{Const, Of};

/// Value of the register ID: "PGTR".
pub const ID_VALUE: u32 = 0x5047_5452;
/// Value of the register VERSION: of the register map and the formats, major 31:16, minor 15:0.
pub const VERSION_VALUE: u32 = 0x0000_0001;
/// Address of counter 0; 8 bytes each.
pub const COUNTER_BASE: u16 = 0x2000;
/// Address of row 0 of the program memory; 64 bytes a row. Write only, while `CTRL.enable` is 0.
pub const PROGRAM_BASE: u16 = 0x4000;

/// Declares the registers: for each a constant with its address, one constant for each field (`REGISTER_FIELD`), and the table.
macro_rules! registers {
    ($($name:ident = $addr:literal, $access:expr, $reset:expr, $legal:expr, $doc:literal
        $({ $($field:ident = $lsb:literal, $width:literal, $text:literal, $fdoc:literal;)* })?)*) => {
        $(
            #[doc = $doc] pub const $name: u16 = $addr;
            $($(#[doc = $fdoc] pub const $field: Field = Field::new(0, $lsb, $width, $text, $fdoc);)*)?
        )*
        /// All registers, by address; counters and program memory apart.
        pub const REGISTERS: &[Register] = &[$(Register {
            addr: $addr,
            name: stringify!($name),
            access: $access,
            reset: $reset,
            legal: $legal,
            fields: registers!(@fields $($($field)*)?),
            doc: $doc,
        },)*];
    };
    (@fields) => { &[Field::new(0, 0, 32, "value", "the whole register")] };
    (@fields $($field:ident)+) => { &[$($field,)+] };
}

const ZERO: Number = Const(0);

fn params0(c: &Config) -> u32 {
    (c.w_bytes() | c.d_bytes() << 8 | c.flows << 16 | c.log2_page_size() << 24) as u32
}
fn params1(c: &Config) -> u32 {
    (c.parser_states | c.parser_steps << 8 | c.parser_window << 16) as u32
}
fn params2(c: &Config) -> u32 {
    (c.train_entries | c.log2_ingress_bytes() << 16 | 1 << 24) as u32
}
const MAX_FRAME_RESET: Number = Of(
    |c| c.max_frame_reset() as u32,
    "min(9018, ingress_bytes / 2)",
);
const MAX_FRAME_LIMIT: Number = Of(
    |c| c.max_frame_limit() as u32,
    "min(16128, ingress_bytes / 2)",
);
const TRAIN_ENTRIES: Number = Of(|c| c.train_entries as u32, "train_entries");
const BASE: Legal = Multiple(4096);
const LOG2: Legal = Range(Const(4), Const(15));

registers! {
    ID = 0x0000, Ro, Const(ID_VALUE), Any, "\"PGTR\": an engine is here"
    VERSION = 0x0004, Ro, Const(VERSION_VALUE), Any, "version of this register map and of the formats in host memory" {
        VERSION_MINOR = 0, 16, "minor", "compatible additions";
        VERSION_MAJOR = 16, 16, "major", "incompatible changes";
    }
    PARAMS0 = 0x0008, Ro, Of(params0, "of the configuration"), Any, "parameters" {
        PARAMS0_W_BYTES = 0, 8, "w_bytes", "data_width / 8";
        PARAMS0_D_BYTES = 8, 8, "d_bytes", "dma_width / 8";
        PARAMS0_FLOWS = 16, 8, "flows", "flow table entries";
        PARAMS0_PAGE_LOG2 = 24, 8, "page_log2", "base-2 logarithm of page_size";
    }
    PARAMS1 = 0x000C, Ro, Of(params1, "of the configuration"), Any, "parameters of the parser" {
        PARAMS1_STATES = 0, 8, "states", "rows of the program memory";
        PARAMS1_STEPS = 8, 8, "steps", "steps that a frame may take";
        PARAMS1_WINDOW = 16, 16, "window", "bytes of a frame that the parser sees";
    }
    PARAMS2 = 0x0010, Ro, Of(params2, "of the configuration"), Any, "parameters" {
        PARAMS2_TRAIN_ENTRIES = 0, 16, "train_entries", "completion entries that a train may hold";
        PARAMS2_INGRESS_LOG2 = 16, 8, "ingress_log2", "base-2 logarithm of ingress_bytes";
        PARAMS2_QUEUES = 24, 8, "queues", "queues";
    }
    CTRL = 0x0020, Rw, ZERO, Any, "control" {
        CTRL_ENABLE = 0, 1, "enable", "take frames; configuration is locked";
        CTRL_RESET = 1, 1, "reset", "write 1: reset; reads 1 until done; writing 0 does nothing";
        CTRL_PARSER_ENABLE = 2, 1, "parser_enable", "a program is loaded; without it every frame is other";
    }
    STATUS = 0x0024, Ro, ZERO, Any, "state" {
        STATUS_ENABLED = 0, 1, "enabled", "frames are taken";
        STATUS_HALTED = 1, 1, "halted", "a bus error stopped the engine; only CTRL.reset helps";
        STATUS_RESETTING = 2, 1, "resetting", "a reset is under way";
        STATUS_STOPPING = 3, 1, "stopping", "command STOP is under way";
        STATUS_STOPPED = 4, 1, "stopped", "the queue is stopped; CTRL.reset starts it again";
    }
    IRQ_STATUS = 0x0028, W1c, ZERO, Any, "causes of the interrupt" {
        IRQ_COMPLETION = 0, 1, "completion", "completion entries were written";
        IRQ_HALTED = 1, 1, "halted", "a bus error stopped the engine";
        IRQ_STOPPED = 2, 1, "stopped", "the STOP entry was written";
        IRQ_NO_BUFFER = 3, 1, "no_buffer", "a frame was dropped for want of buffers";
        IRQ_REFUSED = 4, 1, "refused", "a write or doorbell was refused";
    }
    IRQ_ENABLE = 0x002C, Rw, ZERO, Any, "the interrupt is on while any bit is set here and in IRQ_STATUS" {
        IRQ_ENABLE_BITS = 0, 5, "enable", "bits as in IRQ_STATUS";
    }
    IRQ_HOLDOFF = 0x0030, Rw, ZERO, Range(ZERO, Const(0xFF_FFFF)), "interrupt moderation" {
        IRQ_HOLDOFF_CLOCKS = 0, 24, "clocks", "clocks after IRQ_STATUS.completion was set during which it is not set again";
    }
    TICK_CLOCKS = 0x0034, Cfg, Const(256), Range(Const(1), Const(65535)), "prescaler of the defer timers" {
        TICK_CLOCKS_VALUE = 0, 16, "clocks", "clocks a tick";
    }
    RX_CTRL = 0x0038, Cfg, ZERO, Any, "treatment of received frames" {
        RX_CTRL_STRIP_VLAN = 0, 1, "strip_vlan", "leave VLAN tags out of what is written";
        RX_CTRL_BACKPRESSURE = 1, 1, "backpressure", "wait rather than drop, where room or buffers lack";
    }
    MAX_FRAME = 0x003C, Cfg, MAX_FRAME_RESET, Range(Const(64), MAX_FRAME_LIMIT), "longest frame taken" {
        MAX_FRAME_BYTES = 0, 16, "bytes", "longer frames are dropped";
    }
    Q_MERGE = 0x1000, Cfg, Const(1), Range(ZERO, Const(1)), "merge mode: 0 off, 1 train" {
        Q_MERGE_MODE = 0, 1, "mode", "0 off: every packet its own train; 1 train: in-order segments join";
    }
    Q_DEFER_TICKS = 0x1004, Cfg, Const(64), Range(ZERO, Const(32767)), "defer time" {
        Q_DEFER_TICKS_VALUE = 0, 15, "ticks", "ticks a train is held; 0: until a command closes it";
    }
    Q_MAX_AGGR = 0x1008, Cfg, Const(32), Range(Const(1), TRAIN_ENTRIES), "longest train" {
        Q_MAX_AGGR_PACKETS = 0, 7, "packets", "packets that close a train";
    }
    Q_MAX_BYTES = 0x100C, Cfg, Const(65535), Range(Const(1), Const(1_048_575)), "largest train" {
        Q_MAX_BYTES_VALUE = 0, 20, "bytes", "payload bytes that close a train";
    }
    Q_ADMIT_MIN = 0x1010, Cfg, Const(1024), Range(ZERO, Const(65535)), "admission to the flow table" {
        Q_ADMIT_MIN_BYTES = 0, 16, "bytes", "least payload of a segment that creates an entry";
    }
    Q_PAGE_CTRL = 0x1014, Cfg, ZERO, Any, "use of pages" {
        Q_PAGE_CTRL_FRESH_PAGE = 0, 1, "fresh_page", "each train begins a new page";
        Q_PAGE_CTRL_PAGE_SPLIT = 1, 1, "page_split", "a train closes exactly at the edge of its last page; the rest of the segment opens the next one";
    }
    Q_TRAIN_PAGES = 0x1018, Cfg, Const(8), Range(Const(1), Const(16)), "length of a train with page_split" {
        Q_TRAIN_PAGES_VALUE = 0, 5, "pages", "pages that a train fills before page_split closes it";
    }
    Q_CMD = 0x1020, Wo, ZERO, Range(Const(1), Const(4)), "command: 1 FLUSH_ALL, 2 POLL, 3 FLUSH_FLOW, 4 STOP; refused while one is under way" {
        Q_CMD_CODE = 0, 3, "command", "1 FLUSH_ALL, 2 POLL, 3 FLUSH_FLOW, 4 STOP";
    }
    Q_CMD_DONE = 0x1024, Ro, ZERO, Any, "progress of commands" {
        Q_CMD_DONE_COUNT = 0, 16, "count", "commands finished, modulo 2^16";
    }
    Q_KEY0 = 0x1030, Rw, ZERO, Any, "FLUSH_FLOW key: source address 31:0 (IPv4: all of it)"
    Q_KEY1 = 0x1034, Rw, ZERO, Any, "FLUSH_FLOW key: source address 63:32"
    Q_KEY2 = 0x1038, Rw, ZERO, Any, "FLUSH_FLOW key: source address 95:64"
    Q_KEY3 = 0x103C, Rw, ZERO, Any, "FLUSH_FLOW key: source address 127:96"
    Q_KEY4 = 0x1040, Rw, ZERO, Any, "FLUSH_FLOW key: destination address 31:0 (IPv4: all of it)"
    Q_KEY5 = 0x1044, Rw, ZERO, Any, "FLUSH_FLOW key: destination address 63:32"
    Q_KEY6 = 0x1048, Rw, ZERO, Any, "FLUSH_FLOW key: destination address 95:64"
    Q_KEY7 = 0x104C, Rw, ZERO, Any, "FLUSH_FLOW key: destination address 127:96"
    Q_KEY8 = 0x1050, Rw, ZERO, Any, "FLUSH_FLOW key: ports" {
        Q_KEY8_SPORT = 0, 16, "sport", "source port";
        Q_KEY8_DPORT = 16, 16, "dport", "destination port";
    }
    Q_KEY9 = 0x1054, Rw, ZERO, Any, "FLUSH_FLOW key: tags" {
        Q_KEY9_VLAN0 = 0, 16, "vlan0", "outer tag (TCI), 0 if absent";
        Q_KEY9_VLAN1 = 16, 16, "vlan1", "inner tag (TCI), 0 if absent";
    }
    Q_KEY10 = 0x1058, Rw, ZERO, Any, "FLUSH_FLOW key: kinds" {
        Q_KEY10_V6 = 0, 1, "v6", "IPv6";
        Q_KEY10_VLAN0 = 1, 1, "vlan0", "an outer tag is present";
        Q_KEY10_VLAN1 = 2, 1, "vlan1", "an inner tag is present";
    }
    SB_BASE_LO = 0x1080, Cfg, ZERO, BASE, "small ring: bus address 31:0, a multiple of 4096"
    SB_BASE_HI = 0x1084, Cfg, ZERO, Any, "small ring: bus address 63:32"
    SB_LOG2 = 0x1088, Cfg, Const(8), LOG2, "small ring: size" {
        SB_LOG2_VALUE = 0, 4, "log2", "base-2 logarithm of its descriptors";
    }
    SB_TAIL = 0x108C, Rw, ZERO, Doorbell, "small ring: doorbell" {
        SB_TAIL_INDEX = 0, 16, "index", "descriptors posted, modulo 2^16";
    }
    SB_HEAD = 0x1090, Ro, ZERO, Any, "small ring: progress" {
        SB_HEAD_INDEX = 0, 16, "index", "descriptors fetched, modulo 2^16";
    }
    PG_BASE_LO = 0x10A0, Cfg, ZERO, BASE, "page ring: bus address 31:0, a multiple of 4096"
    PG_BASE_HI = 0x10A4, Cfg, ZERO, Any, "page ring: bus address 63:32"
    PG_LOG2 = 0x10A8, Cfg, Const(8), LOG2, "page ring: size" {
        PG_LOG2_VALUE = 0, 4, "log2", "base-2 logarithm of its descriptors";
    }
    PG_TAIL = 0x10AC, Rw, ZERO, Doorbell, "page ring: doorbell" {
        PG_TAIL_INDEX = 0, 16, "index", "descriptors posted, modulo 2^16";
    }
    PG_HEAD = 0x10B0, Ro, ZERO, Any, "page ring: progress" {
        PG_HEAD_INDEX = 0, 16, "index", "descriptors fetched, modulo 2^16";
    }
    CQ_BASE_LO = 0x10C0, Cfg, ZERO, BASE, "completion ring: bus address 31:0, a multiple of 4096"
    CQ_BASE_HI = 0x10C4, Cfg, ZERO, Any, "completion ring: bus address 63:32"
    CQ_LOG2 = 0x10C8, Cfg, Const(8), LOG2, "completion ring: size" {
        CQ_LOG2_VALUE = 0, 4, "log2", "base-2 logarithm of its entries";
    }
    CQ_HEAD = 0x10CC, Rw, ZERO, Doorbell, "completion ring: doorbell" {
        CQ_HEAD_INDEX = 0, 16, "index", "entries that the host has taken, modulo 2^16";
    }
    CQ_TAIL = 0x10D0, Ro, ZERO, Any, "completion ring: progress" {
        CQ_TAIL_INDEX = 0, 16, "index", "entries written, modulo 2^16";
    }
}
