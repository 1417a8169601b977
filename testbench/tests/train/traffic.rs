//! Random frames: a few flows, mostly in order, with everything that may end a train.

use crate::reference::{Frame, Key, Setup, ACK, FIN, PSH, RST, SYN, URG};
use pagetrain_formats::Config;
use pagetrain_testbench::Rng;

/// A source of frames.
pub struct Traffic {
    rng: Rng,
    cfg: Config,
    pub keys: Vec<Key>,
    expected: Vec<u32>,
    rx_seq: u16,
    last: usize,
}

/// Random registers.
pub fn setup(rng: &mut Rng, cfg: &Config) -> Setup {
    let e = cfg.train_entries as u64;
    Setup {
        strip_vlan: rng.chance(0.5),
        backpressure: rng.chance(0.3),
        merge: rng.chance(0.85),
        defer_ticks: *rng.pick(&[0, 1, 2, 5, 20]),
        tick_clocks: *rng.pick(&[1, 7, 40, 150]),
        max_aggr: *rng.pick(&[1, 2, 5, e / 2, e]),
        max_bytes: *rng.pick(&[1, 3000, 20_000, 65_535, 1_048_575]),
        admit_min: *rng.pick(&[0, 1, 200, 1024]),
        fresh_page: rng.chance(0.3),
        page_split: rng.chance(0.6),
        train_pages: *rng.pick(&[1, 1, 2, 3, 16]),
    }
}

impl Traffic {
    pub fn new(seed: u64, cfg: Config, flows: usize) -> Traffic {
        let mut rng = Rng::new(seed, "traffic");
        let mut keys = vec![];
        let base = Key {
            src: 0x0a00_0001,
            dst: 0x0a00_0002,
            sport: 80,
            dport: 1000,
            ..Key::default()
        };
        for i in 0..flows {
            let mut key = base;
            // Keys that differ in one bit of any field, or in all of it.
            match i % 8 {
                0 => key.dport = 1000 + i as u16,
                1 => key.src ^= 1 << rng.below(128),
                2 => key.dst ^= 1 << rng.below(128),
                3 => key.sport ^= 1 << rng.below(16),
                4 => (key.tags, key.vlan0) = (1, rng.bits() as u16),
                5 => (key.tags, key.vlan0, key.vlan1) = (2, 7, rng.bits() as u16),
                6 => key.v6 = true,
                _ => (key.src, key.dst) = (rng.bits().into(), u128::from(rng.bits()) << 64),
            }
            key.dport ^= (i / 8) as u16;
            keys.push(key);
        }
        let expected = keys.iter().map(|_| rng.bits() as u32).collect();
        Traffic {
            rng,
            cfg,
            keys,
            expected,
            rx_seq: 0,
            last: 0,
        }
    }

    fn number(&mut self, frame: &mut Frame) {
        frame.rx_seq = self.rx_seq;
        self.rx_seq = self.rx_seq.wrapping_add(1);
        frame.word = self
            .rng
            .below((self.cfg.ingress_bytes / self.cfg.d_bytes()) as u64);
    }

    /// A TCP segment of flow `flow` with its next sequence number.
    pub fn segment(&mut self, flow: usize, pay: u64, flags: u8) -> Frame {
        let key = self.keys[flow];
        let l3_off = 14 + 4 * key.tags as u64;
        let l4_off = l3_off + if key.v6 { 40 } else { 20 };
        let split = l4_off + 20;
        let end = split + pay;
        let mut frame = Frame {
            key,
            v4: !key.v6,
            tcp: true,
            l3_off,
            l4_off,
            split: Some(split),
            end,
            len: end.max(60),
            seq: self.expected[flow],
            flags,
            ip_csum: u8::from(!key.v6),
            l4_csum: 1,
            ..Frame::default()
        };
        self.expected[flow] = self.expected[flow].wrapping_add(pay as u32);
        self.number(&mut frame);
        frame
    }

    /// Not TCP: no split, or UDP, or rejected.
    fn other(&mut self) -> Frame {
        let len = self.length();
        let mut frame = Frame {
            len,
            end: len,
            ..Frame::default()
        };
        match self.rng.below(3) {
            0 => frame.rejected = true,
            1 => {
                frame.key.tags = self.rng.below(3) as usize;
                frame.key.vlan0 = 5;
                frame.len = frame.len.max(20);
                frame.end = frame.len;
            }
            _ => {
                let tags = self.rng.below(3) as usize;
                frame.key = Key {
                    tags,
                    src: 1,
                    dst: 2,
                    ..Key::default()
                };
                frame.v4 = true;
                frame.udp = true;
                frame.l3_off = 14 + 4 * tags as u64;
                frame.l4_off = frame.l3_off + 20;
                let split = self.rng.range(frame.l4_off + 8..=511);
                frame.split = Some(split);
                frame.len = frame.len.max(split);
                frame.end = self.rng.range(split..=frame.len);
                frame.ip_csum = self.rng.range(1..=2) as u8;
                frame.l4_csum = self.rng.below(3) as u8;
            }
        }
        self.number(&mut frame);
        frame
    }

    fn length(&mut self) -> u64 {
        let limit = self.cfg.max_frame_limit() as u64;
        match self.rng.below(6) {
            0 => 60,
            1 => *self.rng.pick(&[255, 256, 257, 258, 260, 261]),
            2 => self.rng.range(15..=256),
            3 => self.rng.range(257..=1600),
            4 => self.rng.range(1..=limit),
            _ => 1514,
        }
    }

    /// The next random frame.
    pub fn next(&mut self) -> Frame {
        if self.rng.chance(0.1) {
            return self.other();
        }
        // Runs of one flow, so that trains grow.
        if self.rng.chance(0.5) {
            self.last = self.rng.below(self.keys.len() as u64) as usize;
        }
        let flow = self.last;
        let pay = match self.rng.below(12) {
            0 => 0,
            1 => 1,
            2 => self.rng.range(1..=300),
            3 => self.rng.range(1000..=1100),
            4 => self.rng.range(1..=9000),
            5 => *self.rng.pick(&[1024, 2048, 4096, 8192]),
            6 => 1,
            _ => 1448,
        };
        let flags = match self.rng.below(40) {
            0 => FIN | ACK,
            1 => SYN,
            2 => RST,
            3 => URG | ACK,
            4 => 0xc0 | ACK,
            5 => 0x40 | ACK,
            n if n < 12 => PSH | ACK,
            _ => ACK,
        };
        let mut frame = self.segment(flow, pay, flags);
        if self.rng.chance(0.03) {
            frame.seq = frame
                .seq
                .wrapping_add(*self.rng.pick(&[1, u32::MAX, 1448, 1 << 31]));
            self.expected[flow] = frame.seq.wrapping_add(pay as u32);
        }
        match self.rng.below(60) {
            0 => frame.l4_csum = 2,
            1 => frame.ip_csum = 2,
            2 => frame.l4_csum = 0,
            3 => frame.opt = true,
            4 => frame.len += self.rng.below(7),
            // Long headers, up to the largest split.
            5 | 6 => {
                let more = self.rng.range(1..=511 - frame.split.unwrap());
                frame.split = frame.split.map(|s| s + more);
                frame.end += more;
                frame.len += more;
            }
            // Headers that are too short to be rewritten.
            8 => frame.l4_off -= 2,
            10 if frame.key.v6 => frame.l3_off = 0,
            9 => {
                frame.split = frame.split.map(|s| s - 2);
                frame.end -= 2;
            }
            7 => {
                let to_256 = 256 + 4 * frame.key.tags as u64 - frame.split.unwrap();
                frame.split = frame.split.map(|s| s + to_256);
                frame.end += to_256;
                frame.len += to_256;
            }
            _ => {}
        }
        frame
    }
}
