//! Every number that drivers and programs depend on, as a literal: a change here is a change of the interface.

use pagetrain_formats::layout::Layout;
use pagetrain_formats::{codes, completion, counters, descriptor, program, regs, Config};

/// Fields as (dword, lsb, width, name).
fn table(layout: &Layout) -> Vec<(usize, usize, usize, &str)> {
    let fields = layout.fields.iter();
    fields.map(|f| (f.dword, f.lsb, f.width, f.name)).collect()
}

#[test]
fn descriptor_layout_is_frozen() {
    let expected = [
        (0, 0, 64, "addr"),
        (2, 0, 32, "cookie"),
        (3, 0, 20, "length"),
        (3, 20, 12, "headroom"),
    ];
    assert_eq!(table(&descriptor::DESCRIPTOR), expected);
}

#[test]
fn completion_layouts_are_frozen() {
    let pkt = [
        (0, 0, 32, "hdr_cookie"),
        (1, 0, 32, "page_cookie"),
        (2, 0, 16, "page_offset"),
        (2, 16, 16, "frag_len"),
        (3, 0, 16, "frame_len"),
        (3, 16, 16, "rx_seq"),
        (4, 0, 16, "vlan0"),
        (4, 16, 16, "vlan1"),
        (5, 0, 10, "hdr_len"),
        (5, 10, 8, "l3_off"),
        (5, 18, 9, "l4_off"),
        (5, 27, 5, "ext_count"),
        (6, 0, 20, "train_bytes"),
        (6, 20, 7, "train_packets"),
        (7, 0, 2, "type"),
        (7, 2, 1, "head"),
        (7, 4, 1, "page_full"),
        (7, 5, 1, "split"),
        (7, 6, 1, "piece"),
        (7, 7, 2, "l3"),
        (7, 9, 2, "l4"),
        (7, 11, 2, "ip_csum"),
        (7, 13, 2, "l4_csum"),
        (7, 15, 2, "vlan_count"),
        (7, 17, 1, "ip_opt"),
        (7, 18, 1, "watched"),
        (7, 19, 5, "reason"),
        (7, 24, 7, "train_entries"),
        (7, 31, 1, "phase"),
    ];
    assert_eq!(table(&completion::pkt::LAYOUT), pkt);
    let ext = [
        (0, 0, 32, "hdr_cookie"),
        (1, 0, 32, "page_cookie"),
        (2, 0, 16, "page_offset"),
        (2, 16, 16, "frag_len"),
        (7, 0, 2, "type"),
        (7, 4, 1, "page_full"),
        (7, 5, 1, "has_page"),
        (7, 6, 1, "has_hdr"),
        (7, 31, 1, "phase"),
    ];
    assert_eq!(table(&completion::ext::LAYOUT), ext);
    let buf = [
        (0, 0, 32, "hdr_cookie"),
        (1, 0, 32, "page_cookie"),
        (2, 0, 16, "fill"),
        (7, 0, 2, "type"),
        (7, 5, 1, "has_page"),
        (7, 6, 1, "has_hdr"),
        (7, 19, 5, "status"),
        (7, 31, 1, "phase"),
    ];
    assert_eq!(table(&completion::buf::LAYOUT), buf);
    assert_eq!(
        table(&completion::STOP),
        [(7, 0, 2, "type"), (7, 31, 1, "phase")]
    );
    assert_eq!(pagetrain_formats::COMPLETION_BYTES, 32);
    assert_eq!(pagetrain_formats::DESCRIPTOR_BYTES, 16);
    assert_eq!(pagetrain_formats::SMALL_BYTES, 256);
}

#[test]
fn row_layout_is_frozen() {
    let words: Vec<(usize, usize, usize)> = program::fields::ROW
        .fields
        .iter()
        .map(|f| (f.dword, f.lsb, f.width))
        .collect();
    let mut expected = vec![
        (0, 0, 8),
        (0, 8, 8),
        (0, 16, 8),
        (0, 24, 1),
        (0, 25, 1),
        (0, 26, 1),
        (0, 27, 1),
        (1, 0, 16),
        (1, 16, 4),
        (1, 20, 8),
        (2, 0, 8),
        (2, 8, 4),
        (2, 12, 1),
        (2, 13, 3),
        (2, 16, 8),
        (2, 24, 3),
        (3, 0, 8),
        (3, 8, 8),
    ];
    for lsb in [0, 8, 16, 24] {
        expected.extend([(4, lsb, 4), (4, lsb + 4, 4)]);
    }
    expected.extend((6..14).map(|dword| (dword, 0, 32)));
    for dword in [14, 15] {
        expected.extend([0, 8, 16, 24].map(|lsb| (dword, lsb, 8)));
    }
    assert_eq!(words, expected);
    assert_eq!(program::fields::NEXT_ACCEPT, 0xFE);
    assert_eq!(program::fields::NEXT_REJECT, 0xFF);
    let flags = ["V4", "V6", "TCP", "UDP", "OPT", "NOCSUM", "VLAN0", "VLAN1"];
    assert_eq!(program::fields::FLAGS, flags);
    use program::fields::*;
    let bits = [V4, V6, TCP, UDP, OPT, NOCSUM, VLAN0, VLAN1];
    assert_eq!(bits, [1, 2, 4, 8, 16, 32, 64, 128]);
    let dests: Vec<_> = Dest::ALL
        .iter()
        .map(|d| (d.code(), d.name(), d.bytes()))
        .collect();
    let expected = [
        (0, "none", 0),
        (1, "vlan0", 2),
        (2, "vlan1", 2),
        (3, "src_hi", 8),
        (4, "src_lo", 8),
        (5, "dst_hi", 8),
        (6, "dst_lo", 8),
        (7, "src4", 4),
        (8, "dst4", 4),
        (9, "sport", 2),
        (10, "dport", 2),
        (11, "seq", 4),
        (12, "tcp_flags", 1),
    ];
    assert_eq!(dests, expected);
}

#[test]
fn codes_are_frozen() {
    let reasons: Vec<_> = codes::Reason::ALL.iter().map(|r| r.name()).collect();
    let expected = "NONE SINGLE TIMER MAX_AGGR MAX_BYTES SEQ FLAG HEADER IP_ID CSUM SHORT PAGE EVICT FLUSH_ALL FLUSH_FLOW POLL NO_BUFFER STOP";
    assert_eq!(reasons.join(" "), expected);
    for (i, reason) in codes::Reason::ALL.iter().enumerate() {
        assert_eq!(reason.code(), i as u32);
        assert_eq!(codes::Reason::from_code(i as u32), Some(*reason));
    }
    assert_eq!(codes::Reason::from_code(18), None);
    let events: Vec<_> = codes::EventCode::ALL.iter().map(|e| e.name()).collect();
    let expected = "FRAME DROP_NO_BUFFER TIMER FLUSH_ALL POLL FLUSH_FLOW STOP BAD_SMALL BAD_PAGE UNUSED_SMALL UNUSED_PAGE STOPPED";
    assert_eq!(events.join(" "), expected);
    assert_eq!(codes::EventCode::Stopped.code(), 11);
    use codes::{BufStatus, Command, Csum, EntryType, MergeMode, L3, L4};
    let entries = [
        EntryType::Stop,
        EntryType::Pkt,
        EntryType::Ext,
        EntryType::Buf,
    ];
    assert_eq!(entries.map(EntryType::code), [0, 1, 2, 3]);
    let status = [BufStatus::Released, BufStatus::Unused, BufStatus::BadDesc];
    assert_eq!(status.map(BufStatus::code), [1, 2, 3]);
    assert_eq!(
        [Csum::None, Csum::Good, Csum::Bad].map(Csum::code),
        [0, 1, 2]
    );
    assert_eq!([L3::None, L3::V4, L3::V6].map(L3::code), [0, 1, 2]);
    assert_eq!([L4::None, L4::Tcp, L4::Udp].map(L4::code), [0, 1, 2]);
    assert_eq!(
        [MergeMode::Off, MergeMode::Train].map(MergeMode::code),
        [0, 1]
    );
    let commands = [
        Command::FlushAll,
        Command::Poll,
        Command::FlushFlow,
        Command::Stop,
    ];
    assert_eq!(commands.map(Command::code), [1, 2, 3, 4]);
}

#[test]
fn register_map_is_frozen() {
    let config = Config::default();
    let map: Vec<_> = regs::REGISTERS
        .iter()
        .map(|r| (r.addr, r.name, r.access.name(), r.reset.value(&config)))
        .collect();
    let expected = [
        (0x0000, "ID", "RO", 0x5047_5452),
        (0x0004, "VERSION", "RO", 1),
        (0x0008, "PARAMS0", "RO", 0x0C10_1008),
        (0x000C, "PARAMS1", "RO", 0x0100_1020),
        (0x0010, "PARAMS2", "RO", 0x010F_0040),
        (0x0020, "CTRL", "RW", 0),
        (0x0024, "STATUS", "RO", 0),
        (0x0028, "IRQ_STATUS", "W1C", 0),
        (0x002C, "IRQ_ENABLE", "RW", 0),
        (0x0030, "IRQ_HOLDOFF", "RW", 0),
        (0x0034, "TICK_CLOCKS", "CFG", 256),
        (0x0038, "RX_CTRL", "CFG", 0),
        (0x003C, "MAX_FRAME", "CFG", 9018),
        (0x1000, "Q_MERGE", "CFG", 1),
        (0x1004, "Q_DEFER_TICKS", "CFG", 64),
        (0x1008, "Q_MAX_AGGR", "CFG", 32),
        (0x100C, "Q_MAX_BYTES", "CFG", 65535),
        (0x1010, "Q_ADMIT_MIN", "CFG", 1024),
        (0x1014, "Q_PAGE_CTRL", "CFG", 0),
        (0x1018, "Q_TRAIN_PAGES", "CFG", 8),
        (0x1020, "Q_CMD", "WO", 0),
        (0x1024, "Q_CMD_DONE", "RO", 0),
        (0x1030, "Q_KEY0", "RW", 0),
        (0x1034, "Q_KEY1", "RW", 0),
        (0x1038, "Q_KEY2", "RW", 0),
        (0x103C, "Q_KEY3", "RW", 0),
        (0x1040, "Q_KEY4", "RW", 0),
        (0x1044, "Q_KEY5", "RW", 0),
        (0x1048, "Q_KEY6", "RW", 0),
        (0x104C, "Q_KEY7", "RW", 0),
        (0x1050, "Q_KEY8", "RW", 0),
        (0x1054, "Q_KEY9", "RW", 0),
        (0x1058, "Q_KEY10", "RW", 0),
        (0x1080, "SB_BASE_LO", "CFG", 0),
        (0x1084, "SB_BASE_HI", "CFG", 0),
        (0x1088, "SB_LOG2", "CFG", 8),
        (0x108C, "SB_TAIL", "RW", 0),
        (0x1090, "SB_HEAD", "RO", 0),
        (0x10A0, "PG_BASE_LO", "CFG", 0),
        (0x10A4, "PG_BASE_HI", "CFG", 0),
        (0x10A8, "PG_LOG2", "CFG", 8),
        (0x10AC, "PG_TAIL", "RW", 0),
        (0x10B0, "PG_HEAD", "RO", 0),
        (0x10C0, "CQ_BASE_LO", "CFG", 0),
        (0x10C4, "CQ_BASE_HI", "CFG", 0),
        (0x10C8, "CQ_LOG2", "CFG", 8),
        (0x10CC, "CQ_HEAD", "RW", 0),
        (0x10D0, "CQ_TAIL", "RO", 0),
    ];
    assert_eq!(map, expected);
    assert_eq!(regs::counter_addr(0), 0x2000);
    assert_eq!(regs::counter_addr(33), 0x2108);
    assert_eq!(regs::program_addr(0, 0), 0x4000);
    assert_eq!(regs::program_addr(63, 15), 0x4FFC);
}

#[test]
fn register_fields_are_frozen() {
    let fields: Vec<String> = regs::REGISTERS
        .iter()
        .filter(|r| r.fields[0].name != "value")
        .map(|r| {
            let fields = r.fields.iter();
            let fields = fields.map(|f| format!("{}@{}+{}", f.name, f.lsb, f.width));
            format!("{}: {}", r.name, fields.collect::<Vec<_>>().join(" "))
        })
        .collect();
    let expected = "\
VERSION: minor@0+16 major@16+16
PARAMS0: w_bytes@0+8 d_bytes@8+8 flows@16+8 page_log2@24+8
PARAMS1: states@0+8 steps@8+8 window@16+16
PARAMS2: train_entries@0+16 ingress_log2@16+8 queues@24+8
CTRL: enable@0+1 reset@1+1 parser_enable@2+1
STATUS: enabled@0+1 halted@1+1 resetting@2+1 stopping@3+1 stopped@4+1
IRQ_STATUS: completion@0+1 halted@1+1 stopped@2+1 no_buffer@3+1 refused@4+1
IRQ_ENABLE: enable@0+5
IRQ_HOLDOFF: clocks@0+24
TICK_CLOCKS: clocks@0+16
RX_CTRL: strip_vlan@0+1 backpressure@1+1
MAX_FRAME: bytes@0+16
Q_MERGE: mode@0+1
Q_DEFER_TICKS: ticks@0+15
Q_MAX_AGGR: packets@0+7
Q_MAX_BYTES: bytes@0+20
Q_ADMIT_MIN: bytes@0+16
Q_PAGE_CTRL: fresh_page@0+1 page_split@1+1
Q_TRAIN_PAGES: pages@0+5
Q_CMD: command@0+3
Q_CMD_DONE: count@0+16
Q_KEY8: sport@0+16 dport@16+16
Q_KEY9: vlan0@0+16 vlan1@16+16
Q_KEY10: v6@0+1 vlan0@1+1 vlan1@2+1
SB_LOG2: log2@0+4
SB_TAIL: index@0+16
SB_HEAD: index@0+16
PG_LOG2: log2@0+4
PG_TAIL: index@0+16
PG_HEAD: index@0+16
CQ_LOG2: log2@0+4
CQ_HEAD: index@0+16
CQ_TAIL: index@0+16";
    assert_eq!(fields.join("\n"), expected);
}

#[test]
fn counters_are_frozen() {
    let list: Vec<String> = counters::all()
        .into_iter()
        .map(|(i, name, _)| format!("{i} {name}"))
        .collect();
    let expected = "0 rx_frames,1 rx_bytes,2 drop_bad,3 drop_oversize,4 drop_overflow,5 drop_no_buffer,6 drop_disabled,7 bad_ip_csum,8 bad_l4_csum,9 rejected,10 flow_hits,11 flow_misses,12 flow_creations,13 flow_evictions,14 table_full,15 trains,16 aggregated,17 pages_filled,18 pages_released,19 bad_descriptors,20 bad_doorbells,21 bad_writes,22 bus_errors,23 completions,24 split_segments,32 closed_none,33 closed_single,34 closed_timer,35 closed_max_aggr,36 closed_max_bytes,37 closed_seq,38 closed_flag,39 closed_header,40 closed_ip_id,41 closed_csum,42 closed_short,43 closed_page,44 closed_evict,45 closed_flush_all,46 closed_flush_flow,47 closed_poll,48 closed_no_buffer,49 closed_stop";
    assert_eq!(list.join(","), expected);
}
