//! Structures in host memory: round trips, reserved bits, rules.

use pagetrain_formats::codes::{BufStatus, Csum, Reason, L3, L4};
use pagetrain_formats::completion::{self, Buf, BufId, Completion, Ext, Head, Pkt};
use pagetrain_formats::layout::Layout;
use pagetrain_formats::{descriptor, program, Descriptor, DescriptorError};
use proptest::prelude::*;

fn layouts() -> Vec<Layout> {
    let mut all = completion::LAYOUTS.to_vec();
    all.extend([descriptor::DESCRIPTOR, program::fields::ROW]);
    all
}

#[test]
fn fields_lie_inside_the_structure_and_apart() {
    for layout in layouts() {
        let mut taken = vec![false; 32 * layout.dwords];
        for f in layout.fields {
            let bits = &mut taken[f.bit()..f.bit() + f.width];
            assert!(!bits.contains(&true), "{}.{}", layout.name, f.name);
            bits.fill(true);
        }
    }
}

#[test]
fn neighbours_stay_untouched_when_a_field_holds_its_widest_value() {
    for layout in layouts() {
        for f in layout.fields {
            let mut d = vec![0u32; layout.dwords];
            f.put(&mut d, f.max());
            assert_eq!(f.get(&d), f.max(), "{}.{}", layout.name, f.name);
            let ones: u32 = d.iter().map(|w| w.count_ones()).sum();
            assert_eq!(ones as usize, f.width, "{}.{}", layout.name, f.name);
            let others = layout.fields.iter().filter(|o| *o != f);
            assert!(others.clone().all(|o| o.get(&d) == 0));
            let mut d = vec![u32::MAX; layout.dwords];
            f.put(&mut d, 0);
            assert!(others.clone().all(|o| o.get(&d) == o.max()));
        }
    }
}

#[test]
#[should_panic(expected = "hdr_len = 1024: wider than 10 bits")]
fn put_panics_when_the_value_is_wider_than_the_field() {
    completion::pkt::HDR_LEN.put(&mut [0; 8], 1024);
}

/// A packet with every field at its widest.
fn widest() -> Pkt {
    Pkt {
        hdr_cookie: u32::MAX,
        page_cookie: u32::MAX,
        page_offset: u16::MAX,
        frag_len: u16::MAX,
        frame_len: u16::MAX,
        rx_seq: u16::MAX,
        vlan0: u16::MAX,
        vlan1: u16::MAX,
        hdr_len: 1023,
        l3_off: 255,
        l4_off: 511,
        ext_count: 31,
        head: Some(Head {
            train_bytes: 0xF_FFFF,
            train_packets: 127,
            reason: Reason::Stop,
            train_entries: 127,
        }),
        page_full: true,
        split: true,
        piece: true,
        l3: L3::V6,
        l4: L4::Udp,
        ip_csum: Csum::Bad,
        l4_csum: Csum::Bad,
        vlan_count: 2,
        ip_opt: true,
        watched: true,
    }
}

#[test]
fn packet_reads_back_when_every_field_is_at_its_widest() {
    for phase in [false, true] {
        let entry = Completion::Pkt(widest());
        assert_eq!(Completion::decode(&entry.encode(phase)), Ok((entry, phase)));
    }
}

#[test]
fn bytes_are_little_endian() {
    let mut pkt = widest();
    pkt.hdr_cookie = 0x0403_0201;
    pkt.frame_len = 0x1211;
    pkt.rx_seq = 0x1413;
    let bytes = Completion::Pkt(pkt).encode(true);
    assert_eq!(bytes[..4], [1, 2, 3, 4]);
    assert_eq!(bytes[12..16], [0x11, 0x12, 0x13, 0x14]);
    assert_eq!(bytes[31] & 0x80, 0x80);
    let d = Descriptor {
        addr: 0x0807_0605_0403_0201,
        cookie: 0x0c0b_0a09,
        length: 0x1000,
        headroom: 0x123,
    };
    let expected = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x00, 0x10, 0x30, 0x12,
    ];
    assert_eq!(d.encode(), expected);
}

#[test]
fn stop_is_all_zero_but_the_phase() {
    assert_eq!(Completion::Stop.to_dwords(false), [0; 8]);
    assert_eq!(
        Completion::Stop.to_dwords(true),
        [0, 0, 0, 0, 0, 0, 0, 1 << 31]
    );
}

fn refusal(entry: Completion, change: impl Fn(&mut [u32; 8])) -> String {
    let mut d = entry.to_dwords(true);
    change(&mut d);
    Completion::from_dwords(&d).unwrap_err().to_string()
}

#[test]
fn decode_refuses_what_no_engine_writes() {
    let pkt = Completion::Pkt(widest());
    let plain = Completion::Pkt(Pkt {
        head: None,
        ..widest()
    });
    let small = Completion::Ext(Ext::Small { cookie: 7 });
    let buf = |id, status| {
        Completion::Buf(Buf {
            id,
            fill: 0,
            status,
        })
    };
    let unused = buf(BufId::Page(1), BufStatus::Unused);
    type Change = fn(&mut [u32; 8]);
    let cases: &[(Completion, Change, &str)] = &[
        (
            pkt,
            |d| d[6] |= 1 << 31,
            "PKT dword 6 = 0x80000000: these bits are reserved, must be 0",
        ),
        (
            pkt,
            |d| d[7] |= 1 << 3,
            "PKT dword 7 = 0x00000008: these bits are reserved, must be 0",
        ),
        (
            pkt,
            |d| d[7] |= 3 << 7,
            "PKT.l3 = 3: must be a defined code",
        ),
        (
            pkt,
            |d| d[7] |= 3 << 15,
            "PKT.vlan_count = 3: must be a defined code",
        ),
        (
            pkt,
            |d| d[7] |= 31 << 19,
            "PKT.reason = 31: must be a defined code",
        ),
        (
            plain,
            |d| d[6] |= 5,
            "PKT.train_bytes = 5: must be 0 in an entry without HEAD",
        ),
        (
            Completion::Stop,
            |d| d[0] = 1,
            "STOP dword 0 = 0x00000001: these bits are reserved, must be 0",
        ),
        (
            small,
            |d| d[1] = 9,
            "EXT.page_cookie = 9: must be 0 with has_hdr",
        ),
        (
            small,
            |d| d[7] |= 1 << 5,
            "EXT.has_page = 1: must be the opposite of has_hdr",
        ),
        (
            small,
            |d| d[7] |= 1 << 4,
            "EXT.page_full = 1: must be 0 with has_hdr",
        ),
        (
            small,
            |d| d[3] = 1,
            "EXT dword 3 = 0x00000001: these bits are reserved, must be 0",
        ),
        (
            unused,
            |d| d[2] = 9,
            "BUF.fill = 9: must be 0 but for a released page",
        ),
        (
            unused,
            |d| d[7] &= !(31 << 19),
            "BUF.status = 0: must be a defined code",
        ),
        (
            unused,
            |d| d[0] = 3,
            "BUF.hdr_cookie = 3: must be 0 with has_page",
        ),
        (
            unused,
            |d| d[7] &= !(1 << 5),
            "BUF.has_page = 0: must be the opposite of has_hdr",
        ),
    ];
    for (entry, change, expected) in cases {
        assert_eq!(refusal(*entry, change), *expected);
    }
}

prop_compose! {
    fn packet()(a in any::<[u32; 2]>(), b in any::<[u16; 6]>(), hdr_len in 0u16..1024, l3_off: u8, l4_off in 0u16..512,
        ext_count in 0u8..32, flags in any::<[bool; 5]>(), codes in any::<[u8; 5]>(),
        head in proptest::option::of((0u32..1 << 20, 0u8..128, 0usize..18, 0u8..128))) -> Pkt {
        let pick = |i: usize| u32::from(codes[i] % 3);
        Pkt {
            hdr_cookie: a[0], page_cookie: a[1],
            page_offset: b[0], frag_len: b[1], frame_len: b[2], rx_seq: b[3], vlan0: b[4], vlan1: b[5],
            hdr_len, l3_off, l4_off, ext_count,
            head: head.map(|(train_bytes, train_packets, r, train_entries)| Head {
                train_bytes, train_packets, reason: Reason::ALL[r], train_entries,
            }),
            page_full: flags[0], split: flags[1], ip_opt: flags[2], watched: flags[3], piece: flags[4],
            l3: L3::from_code(pick(0)).unwrap(), l4: L4::from_code(pick(1)).unwrap(),
            ip_csum: Csum::from_code(pick(2)).unwrap(), l4_csum: Csum::from_code(pick(3)).unwrap(),
            vlan_count: pick(4) as u8,
        }
    }
}

proptest! {
    #[test]
    fn packets_read_back(pkt in packet(), phase: bool) {
        let entry = Completion::Pkt(pkt);
        prop_assert_eq!(Completion::decode(&entry.encode(phase)), Ok((entry, phase)));
    }

    #[test]
    fn extensions_and_buffers_read_back(cookie: u32, offset: u16, len: u16, full: bool, small: bool, status in 0usize..3) {
        let ext = if small { Ext::Small { cookie } } else { Ext::Page { cookie, offset, len, full } };
        let entry = Completion::Ext(ext);
        prop_assert_eq!(Completion::decode(&entry.encode(full)), Ok((entry, full)));
        let status = BufStatus::ALL[status];
        let id = if small { BufId::Small(cookie) } else { BufId::Page(cookie) };
        let fill = if small || status != BufStatus::Released { 0 } else { offset };
        let entry = Completion::Buf(Buf { id, fill, status });
        prop_assert_eq!(Completion::decode(&entry.encode(full)), Ok((entry, full)));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(bytes: [u8; 32]) {
        if let Ok((entry, phase)) = Completion::decode(&bytes) {
            prop_assert_eq!(entry.encode(phase), bytes);
        }
    }

    #[test]
    fn descriptors_read_back(bytes: [u8; 16]) {
        prop_assert_eq!(Descriptor::decode(&bytes).encode(), bytes);
    }
}

#[test]
fn descriptor_checks_name_the_broken_rule() {
    let small = Descriptor {
        addr: 0x1100,
        cookie: 1,
        length: 256,
        headroom: 0,
    };
    assert_eq!(small.check_small(), Ok(()));
    let page = Descriptor {
        addr: 0x2000,
        cookie: 2,
        length: 4096,
        headroom: 3072,
    };
    assert_eq!(page.check_page(4096), Ok(()));
    let text = |r: Result<(), DescriptorError>| r.unwrap_err().to_string();
    let bad = |change: fn(&mut Descriptor)| {
        let mut d = small;
        change(&mut d);
        text(d.check_small())
    };
    assert_eq!(
        bad(|d| d.addr = 0x1180),
        "addr = 0x1180: must be a multiple of 256"
    );
    assert_eq!(
        bad(|d| d.length = 255),
        "length = 255: must be 256 for a small buffer"
    );
    assert_eq!(
        bad(|d| d.headroom = 1),
        "headroom = 1: must be 0 for a small buffer"
    );
    let bad = |change: fn(&mut Descriptor)| {
        let mut d = page;
        change(&mut d);
        text(d.check_page(4096))
    };
    assert_eq!(
        bad(|d| d.addr = 0x2100),
        "addr = 0x2100: must be a multiple of 4096"
    );
    assert_eq!(
        bad(|d| d.length = 4097),
        "length = 4097: must be at most page_size (4096)"
    );
    assert_eq!(
        bad(|d| d.headroom = 3073),
        "headroom = 3073: must be at least 1024 less than length (4096)"
    );
    assert_eq!(
        bad(|d| d.length = 0),
        "headroom = 3072: must be at least 1024 less than length (0)"
    );
}
