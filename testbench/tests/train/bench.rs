//! `train` with its flow table, between small models of its neighbours: the frame store, both prefetchers, dma_write and
//! the completion block.

use crate::reference::{Copy, Event, Frame, Key, Page, Reference, Set, Setup, Sum};
use pagetrain_formats::codes::{Command, EventCode};
use pagetrain_formats::completion::{pkt, Completion};
use pagetrain_formats::counters::Counter;
use pagetrain_formats::Config;
use pagetrain_hdl::build::{Dir, Module};
use pagetrain_hdl::bundle::{self, Bundle};
use pagetrain_hdl::flow_table::flow_table;
use pagetrain_hdl::train::train;
use pagetrain_testbench::sim::{Signal, Sim, SimConfig, WideSignal};
use pagetrain_testbench::verilator::Model;
use pagetrain_testbench::{Bits, Rng};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// `train` and `flow_table`, wired as in the engine.
pub fn dut(cfg: &Config) -> Module {
    let mut m = Module::new("train_dut", "train with its flow table");
    let t = m.instance("u_train", train(cfg));
    let f = m.instance("u_flow_table", flow_table(cfg));
    let (train, table) = (train(cfg), flow_table(cfg));
    for port in table.ports() {
        match (port.name.as_str(), port.dir) {
            ("clk" | "rst", _) => {}
            (name, Dir::In) => m.connect(&f, name, t.out(name)),
            (name, Dir::Out) => m.connect(&t, name, f.out(name)),
        }
    }
    let inner: Vec<String> = table.ports().into_iter().map(|p| p.name).collect();
    for port in train.ports() {
        if inner.contains(&port.name) {
            continue;
        }
        match port.dir {
            Dir::In => {
                let s = m.input(&port.name, port.width, &port.doc);
                m.connect(&t, &port.name, &s);
            }
            Dir::Out => {
                let s = m.output(&port.name, port.width, &port.doc);
                m.connect_out(&t, &port.name, &s);
            }
        }
    }
    m
}

fn pack(bundle: &Bundle, values: &[(&str, u128)]) -> Vec<u8> {
    for (name, _) in values {
        bundle.place(name);
    }
    let value = |name: &str| values.iter().find(|v| v.0 == name).map_or(0, |v| v.1);
    let fields: Vec<(u32, u128)> = bundle
        .fields()
        .iter()
        .map(|(n, w)| (*w as u32, value(n)))
        .collect();
    Bits::pack(&fields).to_bytes()
}

/// How the neighbours behave in one run.
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: &'static str,
    /// Chance a clock that the next frame appears.
    pub frame: f64,
    /// Chance that a command is taken, that an emission is taken, that a record is freed.
    pub cmd: f64,
    pub emit: f64,
    pub free: f64,
    /// Chance a clock of one more posted small buffer, page.
    pub small: f64,
    pub page: f64,
    /// Chance a clock of a command, of a bad descriptor.
    pub command: f64,
    pub bad: f64,
    /// Chance a clock that all three sinks stop for 100 clocks.
    pub stop: f64,
}

pub const PROFILES: [Profile; 6] = [
    Profile {
        name: "open",
        frame: 1.0,
        cmd: 1.0,
        emit: 1.0,
        free: 1.0,
        small: 0.5,
        page: 0.3,
        command: 0.0,
        bad: 0.0,
        stop: 0.0,
    },
    Profile {
        name: "commands",
        frame: 0.3,
        cmd: 1.0,
        emit: 1.0,
        free: 1.0,
        small: 0.5,
        page: 0.3,
        command: 0.01,
        bad: 0.01,
        stop: 0.0,
    },
    Profile {
        name: "scarce",
        frame: 0.5,
        cmd: 0.9,
        emit: 0.9,
        free: 0.9,
        small: 0.15,
        page: 0.05,
        command: 0.002,
        bad: 0.01,
        stop: 0.0,
    },
    Profile {
        name: "stalls",
        frame: 0.5,
        cmd: 0.4,
        emit: 0.2,
        free: 0.5,
        small: 0.4,
        page: 0.3,
        command: 0.003,
        bad: 0.003,
        stop: 0.003,
    },
    Profile {
        name: "slow records",
        frame: 1.0,
        cmd: 0.9,
        emit: 0.5,
        free: 0.08,
        small: 0.5,
        page: 0.3,
        command: 0.003,
        bad: 0.0,
        stop: 0.0,
    },
    Profile {
        name: "slow source",
        frame: 0.02,
        cmd: 0.5,
        emit: 0.5,
        free: 0.5,
        small: 0.1,
        page: 0.1,
        command: 0.003,
        bad: 0.003,
        stop: 0.0,
    },
];

struct Ports {
    signals: HashMap<String, Signal>,
    wides: HashMap<String, WideSignal>,
}

impl Ports {
    fn get(&self, name: &str) -> u64 {
        self.signals[name].get()
    }

    fn set(&self, name: &str, value: u64) {
        self.signals[name].set(value);
    }

    fn wide(&self, name: &str) -> &WideSignal {
        &self.wides[name]
    }
}

/// One event as reported.
#[derive(Clone, Debug)]
pub struct Reported {
    pub clock: u64,
    pub event: Event,
    pub rx_seq: u16,
    /// Clocks since the event before.
    pub gap: u64,
}

/// An emission as taken: its entries (with head), its fence, how many commands there were.
#[derive(Clone, Debug)]
pub struct Emitted {
    pub entries: Vec<Completion>,
    pub fence: usize,
}

/// The bench.
pub struct Bench {
    cfg: Config,
    pub setup: Setup,
    sim: Sim,
    ports: Ports,
    pub rng: Rng,
    pub profile: Profile,
    pub clock: u64,
    ticks: u64,
    pub frames: VecDeque<Frame>,
    frame_shown: bool,
    pub sent: Vec<Frame>,
    pub smalls: VecDeque<(u64, u32)>,
    pub pages: VecDeque<Page>,
    pub all_smalls: Vec<(u64, u32)>,
    pub all_pages: Vec<Page>,
    hide_small: u64,
    hide_page: u64,
    /// Clocks after a pop until the next descriptor is shown, at most.
    pub latency: u64,
    /// No more buffers are posted when this many were.
    pub post_limit: (usize, usize),
    bad_small: VecDeque<u32>,
    bad_page: VecDeque<u32>,
    pub bad_enabled: bool,
    pub commands: VecDeque<(Command, Key)>,
    active: Option<(Command, Key)>,
    pub done: usize,
    done_now: bool,
    records: Vec<Option<[u32; 8]>>,
    freed: Vec<usize>,
    to_free: VecDeque<usize>,
    stop_until: u64,
    pub copies: Vec<Copy>,
    pub emitted: Vec<Emitted>,
    pub events: Vec<Reported>,
    /// Small buffers and room in pages at hand, since a little before the last event.
    history: VecDeque<(usize, u64)>,
    pub shortage: Vec<Vec<(usize, u64)>>,
    pub counters: BTreeMap<usize, u64>,
    last_progress: u64,
    next_cookie: u32,
}

const STATS: [(&str, Counter); 15] = [
    ("stat_split_segments", Counter::SplitSegments),
    ("stat_drop_no_buffer", Counter::DropNoBuffer),
    ("stat_drop_disabled", Counter::DropDisabled),
    ("stat_bad_ip_csum", Counter::BadIpCsum),
    ("stat_bad_l4_csum", Counter::BadL4Csum),
    ("stat_rejected", Counter::Rejected),
    ("stat_flow_hits", Counter::FlowHits),
    ("stat_flow_misses", Counter::FlowMisses),
    ("stat_flow_creations", Counter::FlowCreations),
    ("stat_flow_evictions", Counter::FlowEvictions),
    ("stat_table_full", Counter::TableFull),
    ("stat_trains", Counter::Trains),
    ("stat_aggregated", Counter::Aggregated),
    ("stat_pages_filled", Counter::PagesFilled),
    ("stat_pages_released", Counter::PagesReleased),
];

impl Bench {
    pub fn new(model: &Model, cfg: Config, setup: Setup, profile: Profile, seed: u64) -> Bench {
        let mut sim = Sim::new(model, SimConfig::seed(seed)).unwrap_or_else(|e| panic!("{e}"));
        let mut ports = Ports {
            signals: HashMap::new(),
            wides: HashMap::new(),
        };
        for port in sim.ports().to_vec() {
            if port.name == "clk" || port.name == "rst" {
                continue;
            }
            if port.width <= 64 {
                ports
                    .signals
                    .insert(port.name.clone(), sim.signal(&port.name).unwrap());
            } else {
                ports
                    .wides
                    .insert(port.name.clone(), sim.wide(&port.name).unwrap());
            }
        }
        for (name, signal) in &ports.signals {
            let input = sim.port(name).unwrap().direction
                == pagetrain_testbench::verilator::Direction::Input;
            if input {
                signal.set(0);
            }
        }
        sim.reset().unwrap_or_else(|e| panic!("{e}"));
        let n = (cfg.flows + 1).next_power_of_two() * cfg.train_entries;
        let bench = Bench {
            setup,
            sim,
            ports,
            rng: Rng::new(seed, "bench"),
            profile,
            clock: 0,
            ticks: 0,
            frames: VecDeque::new(),
            frame_shown: false,
            sent: vec![],
            smalls: VecDeque::new(),
            pages: VecDeque::new(),
            all_smalls: vec![],
            all_pages: vec![],
            hide_small: 0,
            hide_page: 0,
            latency: 2,
            post_limit: (usize::MAX, usize::MAX),
            bad_small: VecDeque::new(),
            bad_page: VecDeque::new(),
            bad_enabled: true,
            commands: VecDeque::new(),
            active: None,
            done: 0,
            done_now: false,
            records: vec![None; n],
            freed: vec![0; cfg.flows + 1],
            to_free: VecDeque::new(),
            stop_until: 0,
            copies: vec![],
            emitted: vec![],
            events: vec![],
            history: VecDeque::new(),
            shortage: vec![],
            counters: BTreeMap::new(),
            last_progress: 0,
            next_cookie: 1,
            cfg,
        };
        bench.configure();
        bench
    }

    fn configure(&self) {
        let (p, s) = (&self.ports, &self.setup);
        p.set("cfg_strip_vlan", s.strip_vlan.into());
        p.set("cfg_backpressure", s.backpressure.into());
        p.set("cfg_merge", s.merge.into());
        p.set("cfg_defer_ticks", s.defer_ticks);
        p.set("cfg_max_aggr", s.max_aggr);
        p.set("cfg_max_bytes", s.max_bytes);
        p.set("cfg_admit_min", s.admit_min);
        p.set("cfg_fresh_page", s.fresh_page.into());
        p.set("cfg_page_split", s.page_split.into());
        p.set("cfg_train_pages", s.train_pages);
    }

    /// Drives an input that only directed tests use.
    pub fn set(&self, name: &str, value: u64) {
        self.ports.set(name, value);
    }

    pub fn cookie(&mut self) -> u32 {
        self.next_cookie += 1;
        self.next_cookie.wrapping_mul(0x9e37_79b1)
    }

    pub fn post_small(&mut self) {
        let small = (self.rng.bits() & !0xff, self.cookie());
        self.smalls.push_back(small);
        self.all_smalls.push(small);
    }

    pub fn post_page(&mut self, length: u64, headroom: u64) {
        let addr = self.rng.bits() & !0xfff & !(0xff << 56);
        let cookie = self.cookie();
        let page = Page {
            addr,
            cookie,
            length,
            headroom,
        };
        self.pages.push_back(page);
        self.all_pages.push(page);
    }

    fn post(&mut self) {
        let full = 32;
        if self.rng.chance(self.profile.small)
            && self.smalls.len() < full
            && self.all_smalls.len() < self.post_limit.0
        {
            self.post_small();
            self.last_progress = self.clock;
        }
        if self.rng.chance(self.profile.page)
            && self.pages.len() < full
            && self.all_pages.len() < self.post_limit.1
        {
            let size = self.cfg.page_size as u64;
            let (length, headroom) = match self.rng.below(4) {
                0 => (size, 0),
                1 => (self.rng.range(1024..=size), 0),
                2 => {
                    let headroom = self.rng.range(0..=4095.min(size - 1024));
                    (self.rng.range(headroom + 1024..=size), headroom)
                }
                _ => (1024 + 12, 12),
            };
            self.post_page(length, headroom);
            self.last_progress = self.clock;
        }
        if self.bad_enabled && self.rng.chance(self.profile.bad) {
            let cookie = self.cookie();
            if self.rng.chance(0.5) {
                self.bad_small.push_back(cookie);
            } else {
                self.bad_page.push_back(cookie);
            }
        }
    }

    fn drive_frame(&mut self) {
        let show =
            self.frame_shown || (!self.frames.is_empty() && self.rng.chance(self.profile.frame));
        if show && !self.frame_shown {
            let bytes = frame_bits(&self.cfg, &self.frames[0]);
            self.ports.wide("s_axis_frame_tdata").write(&bytes);
        }
        self.frame_shown = show;
        self.ports.set("s_axis_frame_tvalid", show.into());
    }

    fn room(&self) -> u64 {
        self.pages.iter().map(|p| p.length - p.headroom).sum()
    }

    fn drive_buffers(&mut self) {
        let p = &self.ports;
        let small = |s: Option<&(u64, u32)>| {
            let (addr, cookie) = s.copied().unwrap_or_default();
            pack(
                &bundle::small(),
                &[("addr", (addr >> 8).into()), ("cookie", cookie.into())],
            )
        };
        let shown = if self.hide_small > self.clock {
            0
        } else {
            self.smalls.len()
        };
        p.set("sb0_valid", (shown > 0).into());
        p.set("sb1_valid", (shown > 1).into());
        p.set("sb_count", self.smalls.len().min(32) as u64);
        p.wide("sb0").write(&small(self.smalls.front()));
        p.wide("sb1").write(&small(self.smalls.get(1)));
        let shown = if self.hide_page > self.clock {
            0
        } else {
            self.pages.len()
        };
        p.set("pg_valid", (shown > 0).into());
        let values = self.pages.front().map_or(vec![], |g| {
            vec![
                ("addr", u128::from(g.addr >> 12)),
                ("cookie", g.cookie.into()),
                ("length", g.length.into()),
                ("headroom", g.headroom.into()),
            ]
        });
        p.wide("pg").write(&pack(&bundle::page(), &values));
        p.set("pg_room", self.room());
        p.set(
            "sb_drained",
            self.drained(
                self.smalls.is_empty(),
                self.all_smalls.len(),
                self.post_limit.0,
                &self.bad_small,
            ),
        );
        p.set(
            "pg_drained",
            self.drained(
                self.pages.is_empty(),
                self.all_pages.len(),
                self.post_limit.1,
                &self.bad_page,
            ),
        );
        p.set(
            "s_axis_bad_small_tvalid",
            (!self.bad_small.is_empty()).into(),
        );
        p.set(
            "s_axis_bad_small_tdata",
            self.bad_small.front().copied().unwrap_or(0).into(),
        );
        p.set("s_axis_bad_page_tvalid", (!self.bad_page.is_empty()).into());
        p.set(
            "s_axis_bad_page_tdata",
            self.bad_page.front().copied().unwrap_or(0).into(),
        );
        self.history.push_front((self.smalls.len(), self.room()));
        // A frame is decided on after the event before it, and may then wait for that one's copies.
        let last = self.events.last().map_or(0, |e| e.clock);
        self.history.truncate(8 + (self.clock - last) as usize);
    }

    fn drained(&self, empty: bool, posted: usize, limit: usize, bad: &VecDeque<u32>) -> u64 {
        (empty && posted >= limit && bad.is_empty() && !self.bad_enabled).into()
    }

    fn drive_command(&mut self) {
        if self.active.is_none() && !self.done_now {
            self.active = self.commands.pop_front();
        }
        self.done_now = false;
        if let Some((command, key)) = &self.active {
            self.ports.set("cmd_valid", 1);
            self.ports.set("cmd_op", command.code().into());
            self.ports.wide("flush_key").write(&key_bits(key));
        } else {
            self.ports.set("cmd_valid", 0);
        }
    }

    /// One clock.
    pub fn step(&mut self) {
        self.post();
        self.drive_frame();
        self.drive_buffers();
        self.drive_command();
        self.ticks += 1;
        let tick = self.ticks % self.setup.tick_clocks == 0;
        self.ports.set("tick", tick.into());
        if self.rng.chance(self.profile.stop) {
            self.stop_until = self.clock + 100;
        }
        let open = self.clock >= self.stop_until;
        let cmd_ready = open && self.rng.chance(self.profile.cmd);
        let emit_ready = open && self.rng.chance(self.profile.emit);
        self.ports.set("m_axis_cmd_tready", cmd_ready.into());
        self.ports.set("m_axis_emit_tready", emit_ready.into());
        let free = open && !self.to_free.is_empty() && self.rng.chance(self.profile.free);
        self.ports.set("rec_free", free.into());
        if free {
            let slot = self.to_free.pop_front().unwrap();
            self.ports.set("rec_free_slot", slot as u64);
            let at = slot * self.cfg.train_entries + self.freed[slot] % self.cfg.train_entries;
            assert!(self.records[at].take().is_some(), "a free record was freed");
            self.freed[slot] += 1;
            self.last_progress = self.clock;
        }
        self.sim.settle();
        self.sample(cmd_ready, emit_ready);
        self.sim.step().unwrap_or_else(|e| panic!("{e}"));
        self.clock += 1;
        assert!(
            self.clock - self.last_progress < 20_000,
            "nothing has happened for 20000 clocks; {} frames wait",
            self.frames.len()
        );
    }

    /// What the coming edge transfers.
    fn sample(&mut self, cmd_ready: bool, emit_ready: bool) {
        if self.frame_shown && self.ports.get("s_axis_frame_tready") == 1 {
            let frame = self.frames.pop_front().unwrap();
            self.sent.push(frame);
            self.frame_shown = false;
            self.last_progress = self.clock;
        }
        let pops = self.ports.get("sb_pop") as usize;
        assert!(
            pops <= 2 && pops <= self.smalls.len(),
            "a small buffer is taken that is not there"
        );
        if pops > 0 {
            assert!(self.hide_small <= self.clock, "taken while not shown");
            self.smalls.drain(..pops);
            self.hide_small = self.clock + 1 + self.rng.below(self.latency);
        }
        if self.ports.get("pg_pop") == 1 {
            assert!(
                self.hide_page <= self.clock && !self.pages.is_empty(),
                "a page is taken that is not there"
            );
            self.pages.pop_front();
            self.hide_page = self.clock + 1 + self.rng.below(self.latency);
        }
        self.sample_event();
        if self.ports.get("s_axis_bad_small_tready") == 1 {
            self.bad_small.pop_front().expect("a bad descriptor");
        }
        if self.ports.get("s_axis_bad_page_tready") == 1 {
            self.bad_page.pop_front().expect("a bad descriptor");
        }
        if self.ports.get("cmd_done") == 1 {
            self.active.take().expect("cmd_done without a command");
            self.done_now = true;
            self.done += 1;
            self.last_progress = self.clock;
        }
        if self.ports.get("rec_we") == 1 {
            let at = self.ports.get("rec_addr") as usize;
            let data: [u32; 8] = self.ports.wide("rec_data").words().try_into().unwrap();
            assert!(self.records[at].is_none(), "record {at} is overwritten");
            self.records[at] = Some(data);
        }
        if cmd_ready && self.ports.get("m_axis_cmd_tvalid") == 1 {
            self.sample_copy();
        }
        if emit_ready && self.ports.get("m_axis_emit_tvalid") == 1 {
            self.sample_emission();
        }
        for (name, counter) in STATS {
            *self.counters.entry(counter.code() as usize).or_default() += self.ports.get(name);
        }
        *self
            .counters
            .entry(Counter::BadDescriptors.code() as usize)
            .or_default() += self.ports.get("stat_bad_descriptors");
        if self.ports.get("stat_reason_valid") == 1 {
            let index = 32 + self.ports.get("stat_reason") as usize;
            *self.counters.entry(index).or_default() += self.ports.get("stat_reason_packets");
        }
    }

    fn sample_event(&mut self) {
        if self.ports.get("stat_evt_valid") == 0 {
            return;
        }
        let code =
            EventCode::from_code(self.ports.get("stat_evt_code") as u32).expect("a defined event");
        let arg = self.ports.get("stat_evt_arg");
        let key = self.active.as_ref().map(|a| a.1).unwrap_or_default();
        let event = match code {
            EventCode::Frame => Event::Frame,
            EventCode::DropNoBuffer => Event::Drop,
            EventCode::Timer => Event::Timer(arg as usize),
            EventCode::FlushAll => Event::FlushAll,
            EventCode::Poll => Event::Poll,
            EventCode::FlushFlow => Event::FlushFlow(key),
            EventCode::Stop => Event::Stop,
            EventCode::BadSmall => {
                Event::BadSmall(*self.bad_small.front().expect("a bad descriptor"))
            }
            EventCode::BadPage => Event::BadPage(*self.bad_page.front().expect("a bad descriptor")),
            EventCode::UnusedSmall => Event::UnusedSmall,
            EventCode::UnusedPage => Event::UnusedPage,
            EventCode::Stopped => Event::Stopped,
        };
        let gap = self.clock - self.events.last().map_or(0, |e| e.clock);
        let (clock, rx_seq) = (self.clock, arg as u16);
        self.events.push(Reported {
            clock,
            event,
            rx_seq,
            gap,
        });
        self.shortage.push(self.history.iter().copied().collect());
        self.last_progress = self.clock;
    }

    fn sample_copy(&mut self) {
        let cmd = bundle::cmd(&self.cfg);
        let bytes = {
            let w = self.ports.wide("m_axis_cmd_tdata");
            let mut bytes = vec![0; w.len_bytes()];
            w.read(&mut bytes);
            Bits::from_bytes(w.width(), &bytes)
        };
        let get = |name: &str| {
            let (lsb, width) = cmd.place(name);
            bytes.field(lsb as u32, width as u32) as u64
        };
        let flag = |name: &str| get(name) == 1;
        let free = flag("free").then(|| get("words"));
        let (sets, no_write) = (flag("set"), flag("no_write"));
        let written = u64::from(get("len") > 0 && !no_write);
        let read = u64::from(get("len") > 0 || sets);
        let patch = |name: &str| {
            let (lsb, width) = bundle::patch().place(name);
            get("addr") >> lsb & ((1 << width) - 1)
        };
        self.copies.push(Copy {
            src: get("src") * read,
            len: get("len"),
            addr: get("addr") * written,
            free,
            sum: flag("sum").then(|| Sum {
                anew: flag("anew"),
                odd: flag("odd"),
                minus: flag("minus"),
            }),
            no_write,
            patch: flag("patch"),
            set: sets.then(|| Set {
                slot: patch("slot"),
                value: patch("value") as u16,
                from_sum: patch("from_sum") == 1,
            }),
        });
        self.last_progress = self.clock;
    }

    fn sample_emission(&mut self) {
        let emit = bundle::emit(&self.cfg);
        let w = self.ports.wide("m_axis_emit_tdata");
        let mut bytes = vec![0; w.len_bytes()];
        w.read(&mut bytes);
        let bits = Bits::from_bytes(w.width(), &bytes);
        let field = |lsb: usize, width: usize| bits.field(lsb as u32, width as u32) as u64;
        let get = |name: &str| {
            let (lsb, width) = emit.place(name);
            field(lsb, width)
        };
        let fence = get("fence") as usize;
        let decode = |dwords: [u32; 8]| {
            let (entry, phase) = Completion::from_dwords(&dwords).unwrap_or_else(|e| panic!("{e}"));
            assert!(!phase, "the phase is not train's business");
            entry
        };
        let mut entries = vec![];
        if get("direct") == 1 {
            let (lsb, _) = emit.place("entry");
            let dwords: [u32; 8] = std::array::from_fn(|i| field(lsb + 32 * i, 32) as u32);
            entries.push(decode(dwords));
        } else {
            let (slot, start, count) = (
                get("slot") as usize,
                get("start") as usize,
                get("count") as usize,
            );
            let e = self.cfg.train_entries;
            assert!(count > 0 && count <= e, "{count} records");
            for i in 0..count {
                let at = slot * e + (start + i) % e;
                let mut d =
                    self.records[at].unwrap_or_else(|| panic!("record {at} was never written"));
                if i == 0 {
                    pkt::HEAD.put(&mut d, 1);
                    pkt::TRAIN_BYTES.put(&mut d, get("train_bytes"));
                    pkt::TRAIN_PACKETS.put(&mut d, get("train_packets"));
                    pkt::REASON.put(&mut d, get("reason"));
                    pkt::TRAIN_ENTRIES.put(&mut d, count as u64);
                }
                entries.push(decode(d));
                self.to_free.push_back(slot);
            }
        }
        self.emitted.push(Emitted { entries, fence });
        self.last_progress = self.clock;
    }

    /// Runs until everything that was given is done and nothing moves for a while.
    pub fn drain(&mut self) {
        let mut quiet = 0;
        while quiet < 400 {
            let before = (
                self.events.len(),
                self.copies.len(),
                self.emitted.len(),
                self.done,
            );
            self.step();
            let idle = self.frames.is_empty() && self.commands.is_empty() && self.active.is_none();
            let same = before
                == (
                    self.events.len(),
                    self.copies.len(),
                    self.emitted.len(),
                    self.done,
                );
            quiet = if idle && same && self.to_free.is_empty() {
                quiet + 1
            } else {
                0
            };
        }
    }

    /// Compares everything that came out with the reference, fed with the events in their order.
    pub fn check(&self, timely: Option<u64>) -> Reference {
        let mut r = Reference::new(self.cfg, self.setup.clone());
        r.frames = self.sent.iter().cloned().collect();
        r.smalls = self.all_smalls.iter().copied().collect();
        r.pages = self.all_pages.iter().copied().collect();
        for (at, reported) in self.events.iter().enumerate() {
            let (clock, event) = (reported.clock, &reported.event);
            match event {
                Event::Frame | Event::Drop => {
                    let next = r.frames.front().expect("an event without a frame");
                    assert_eq!(next.rx_seq, reported.rx_seq, "frames in order");
                    let short = |&(n, room): &(usize, u64)| r.short_of(next, n, room);
                    if matches!(event, Event::Frame) {
                        assert!(
                            !self.shortage[at].iter().all(short),
                            "clock {clock}: placed without all its buffers: {next:?}"
                        );
                    }
                    if matches!(event, Event::Drop) {
                        assert!(
                            !self.setup.backpressure,
                            "a frame was dropped in spite of backpressure"
                        );
                        assert!(
                            self.shortage[at].iter().any(short),
                            "clock {clock}: dropped while there were buffers: {next:?}"
                        );
                    }
                }
                Event::Timer(slot) => {
                    let waited = clock - r.opened(*slot).expect("a timer of an open train");
                    let (tick, ticks) = (self.setup.tick_clocks, self.setup.defer_ticks);
                    assert!(ticks > 0, "there are no timers");
                    assert!(
                        waited >= (ticks - 1) * tick,
                        "clock {clock}: timer after {waited} clocks"
                    );
                }
                _ => {}
            }
            if let Some(slack) = timely.filter(|_| self.setup.defer_ticks > 0) {
                let limit = self.setup.defer_ticks * self.setup.tick_clocks + slack;
                assert_eq!(
                    r.overdue(clock, limit),
                    None,
                    "clock {clock}: a train is held too long"
                );
            }
            r.event(event, clock);
        }
        if r.stopped {
            r.discard_rest();
        }
        assert!(
            r.frames.is_empty(),
            "{} frames without event",
            r.frames.len()
        );
        self.compare(&r);
        r
    }

    fn compare(&self, r: &Reference) {
        for (i, (have, want)) in self.copies.iter().zip(&r.copies).enumerate() {
            assert_eq!(have, want, "copy command {i}");
        }
        assert_eq!(self.copies.len(), r.copies.len(), "copy commands");
        let mut at = 0;
        for (i, emitted) in self.emitted.iter().enumerate() {
            assert!(
                emitted.fence <= self.copies.len(),
                "emission {i}: fence beyond the last command"
            );
            for entry in &emitted.entries {
                let want = r
                    .entries
                    .get(at)
                    .unwrap_or_else(|| panic!("entry {at} too many: {entry:?}"));
                assert_eq!(entry, &want.entry, "entry {at}, emission {i}");
                assert!(
                    emitted.fence >= want.fence,
                    "entry {at}: fence {} of {}",
                    emitted.fence,
                    want.fence
                );
                at += 1;
            }
        }
        assert_eq!(at, r.entries.len(), "completion entries");
        let keys: Vec<&usize> = self.counters.keys().chain(r.counters.keys()).collect();
        for key in keys {
            let of = |c: &BTreeMap<usize, u64>| c.get(key).copied().unwrap_or(0);
            assert_eq!(of(&self.counters), of(&r.counters), "counter {key}");
        }
        assert!(
            self.records.iter().all(|r| r.is_none()) || self.has_open(r),
            "records are left over"
        );
    }

    fn has_open(&self, r: &Reference) -> bool {
        (0..self.cfg.flows).any(|slot| r.opened(slot).is_some())
    }
}

fn flags_of(f: &Frame) -> u128 {
    let bits = [
        f.v4,
        f.key.v6,
        f.tcp,
        f.udp,
        f.opt,
        false,
        f.key.tags > 0,
        f.key.tags > 1,
    ];
    bits.iter()
        .enumerate()
        .map(|(i, &b)| u128::from(b) << i)
        .sum()
}

fn frame_bits(cfg: &Config, f: &Frame) -> Vec<u8> {
    pack(
        &bundle::frame(cfg),
        &[
            ("reject", f.rejected.into()),
            ("flags", flags_of(f)),
            ("l3_off", f.l3_off.into()),
            ("l4_off", f.l4_off.into()),
            ("split", f.split.unwrap_or(0).into()),
            ("l4_valid", (f.l4_off > 0).into()),
            ("split_valid", f.split.is_some().into()),
            ("end_valid", 1),
            ("end", f.end.into()),
            ("vlan0", f.key.vlan0.into()),
            ("vlan1", f.key.vlan1.into()),
            ("src", f.key.src),
            ("dst", f.key.dst),
            ("sport", f.key.sport.into()),
            ("dport", f.key.dport.into()),
            ("seq", f.seq.into()),
            ("tcp_flags", f.flags.into()),
            ("frame_len", f.len.into()),
            ("rx_seq", f.rx_seq.into()),
            ("ip_csum", f.ip_csum.into()),
            ("l4_csum", f.l4_csum.into()),
            ("word", f.word.into()),
        ],
    )
}

fn key_bits(k: &Key) -> Vec<u8> {
    pack(
        &bundle::key(),
        &[
            ("v6", k.v6.into()),
            ("has_vlan0", (k.tags > 0).into()),
            ("has_vlan1", (k.tags > 1).into()),
            ("vlan0", k.vlan0.into()),
            ("vlan1", k.vlan1.into()),
            ("src", k.src),
            ("dst", k.dst),
            ("sport", k.sport.into()),
            ("dport", k.dport.into()),
        ],
    )
}
