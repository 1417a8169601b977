//! The host as a driver: what it posts, and what it does after a reset.

use pagetrain_formats::{regs, Config, Descriptor, COMPLETION_BYTES, DESCRIPTOR_BYTES};
use pagetrain_golden::host::{Host, HostOptions};
use pagetrain_golden::{HostMemory, RegisterWrite};

fn host(memory: &mut HostMemory) -> (Host, u64) {
    let options = HostOptions::full(6, 4096, 0);
    let host = Host::new(&options, &Config::default(), memory).unwrap();
    (host, options.base)
}

fn doorbells(host: &mut Host, memory: &mut HostMemory) -> Vec<(u16, u32)> {
    let writes: Vec<RegisterWrite> = host.post(memory).collect();
    writes.iter().map(|w| (w.addr, w.value)).collect()
}

/// The descriptors of the small ring, which lies first, and of the page ring behind it.
fn posted(memory: &HostMemory, base: u64) -> Vec<Descriptor> {
    let ring = |base: u64| (0..64).map(move |i| base + (DESCRIPTOR_BYTES * i) as u64);
    let all = ring(base).chain(ring(base + 4096));
    all.map(|addr| {
        let mut bytes = [0; DESCRIPTOR_BYTES];
        memory.read(addr, &mut bytes);
        Descriptor::decode(&bytes)
    })
    .collect()
}

#[test]
fn cookies_are_distinct_and_use_every_bit_when_all_is_posted() {
    let mut memory = HostMemory::new();
    let (mut host, base) = host(&mut memory);
    let rung = doorbells(&mut host, &mut memory);
    assert_eq!(rung, [(regs::SB_TAIL, 64), (regs::PG_TAIL, 64)]);
    let mut cookies: Vec<u32> = posted(&memory, base).iter().map(|d| d.cookie).collect();
    let upper = cookies.iter().fold(0, |bits, cookie| bits | cookie) >> 16;
    assert_eq!(upper, 0xFFFF, "a bit lost on the way shows");
    cookies.sort_unstable();
    cookies.dedup();
    assert_eq!(cookies.len(), 128);
}

#[test]
fn everything_is_posted_again_and_the_ring_is_empty_when_the_engine_was_reset() {
    let mut memory = HostMemory::new();
    let (mut host, base) = host(&mut memory);
    let first = doorbells(&mut host, &mut memory);
    let before = posted(&memory, base);
    let (ring, log2) = host.completion_ring();
    memory.poke(ring, &vec![0xFF; COMPLETION_BYTES << log2]);
    assert_eq!(host.outstanding(), (64, 64));
    host.restart(&mut memory);
    assert_eq!((host.outstanding(), host.taken()), ((0, 0), 0));
    let mut entries = vec![1; COMPLETION_BYTES << log2];
    memory.read(ring, &mut entries);
    assert!(entries.iter().all(|&b| b == 0), "no entry of before is new");
    assert_eq!(doorbells(&mut host, &mut memory), first, "from 0 again");
    assert_eq!(posted(&memory, base), before);
}

#[test]
fn foreign_descriptor_takes_the_next_slot_when_a_broken_driver_posts_it() {
    let mut memory = HostMemory::new();
    let options = HostOptions {
        smalls: 2,
        ..HostOptions::full(6, 4096, 0)
    };
    let mut host = Host::new(&options, &Config::default(), &mut memory).unwrap();
    doorbells(&mut host, &mut memory);
    let foreign = Descriptor {
        addr: 0x123,
        cookie: 77,
        length: 9,
        headroom: 3,
    };
    let rung = host.post_small(&foreign, &mut memory).unwrap();
    assert_eq!((rung.addr, rung.value), (regs::SB_TAIL, 3));
    assert_eq!(posted(&memory, options.base)[2], foreign);
    assert_eq!(host.outstanding(), (3, 64));
}
