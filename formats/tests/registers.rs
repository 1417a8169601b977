//! The register table agrees with itself.

use pagetrain_formats::regs::{self, Access, Legal, REGISTERS};
use pagetrain_formats::{counters, presets::PRESETS, Config};

#[test]
fn addresses_are_aligned_ascending_and_below_the_counters() {
    for pair in REGISTERS.windows(2) {
        assert!(pair[0].addr < pair[1].addr, "{}", pair[1].name);
    }
    for r in REGISTERS {
        assert_eq!(r.addr % 4, 0, "{}", r.name);
        assert!(r.addr < regs::COUNTER_BASE, "{}", r.name);
    }
    let last = counters::all().last().unwrap().0;
    assert!(last < counters::COUNTER_SLOTS);
    let end = usize::from(regs::COUNTER_BASE) + 8 * counters::COUNTER_SLOTS;
    assert!(end <= usize::from(regs::PROGRAM_BASE));
}

#[test]
fn names_are_unique_and_found_in_any_case() {
    for r in REGISTERS {
        assert_eq!(REGISTERS.iter().filter(|o| o.name == r.name).count(), 1);
        assert_eq!(regs::by_name(&r.name.to_lowercase()).unwrap().addr, r.addr);
        assert_eq!(regs::by_addr(r.addr + 3).unwrap().name, r.name);
    }
    assert!(regs::by_addr(0x0014).is_none());
    assert!(regs::by_name("Q_NONE").is_none());
}

#[test]
fn fields_do_not_overlap() {
    for r in REGISTERS {
        let mut taken = 0u32;
        for f in r.fields {
            assert_eq!(f.dword, 0);
            assert!(f.lsb + f.width <= 32, "{}.{}", r.name, f.name);
            assert_eq!(taken & f.mask(), 0, "{}.{}", r.name, f.name);
            taken |= f.mask();
        }
        assert_eq!(r.mask(), taken);
    }
}

#[test]
fn reset_values_are_legal_and_lie_within_the_fields_for_every_preset() {
    for config in PRESETS.iter().map(|p| p.config()) {
        for r in REGISTERS {
            let reset = r.reset.value(&config);
            assert_eq!(reset & !r.mask(), 0, "{}", r.name);
            if r.writable() && r.access != Access::Wo {
                assert!(r.legal.allows(reset, &config), "{}", r.name);
            }
        }
    }
}

#[test]
fn ranges_lie_within_the_fields_so_that_nothing_legal_is_cut() {
    let config = Config::default();
    for r in REGISTERS {
        if let Legal::Range(low, high) = r.legal {
            let (low, high) = (low.value(&config), high.value(&config));
            assert!(low <= high, "{}", r.name);
            assert_eq!(high & !r.mask(), 0, "{}", r.name);
            assert!(r.legal.allows(low, &config) && r.legal.allows(high, &config));
            assert!(!r.legal.allows(high + 1, &config), "{}", r.name);
            assert!(low == 0 || !r.legal.allows(low - 1, &config), "{}", r.name);
        }
    }
}

#[test]
fn limits_follow_the_configuration_when_the_store_or_the_train_is_small() {
    let config = Config {
        ingress_bytes: 8192,
        train_entries: 32,
        ..Config::default()
    };
    let legal = |name: &str, value| regs::by_name(name).unwrap().legal.allows(value, &config);
    assert!(legal("MAX_FRAME", 4096) && !legal("MAX_FRAME", 4097));
    assert_eq!(
        regs::by_name("MAX_FRAME").unwrap().reset.value(&config),
        4096
    );
    assert!(legal("Q_MAX_AGGR", 32) && !legal("Q_MAX_AGGR", 33));
    assert!(legal("SB_BASE_LO", 0x1000) && !legal("SB_BASE_LO", 0x800));
    let large = Config {
        ingress_bytes: 262_144,
        ..config
    };
    let max_frame = regs::by_name("MAX_FRAME").unwrap();
    assert!(max_frame.legal.allows(16128, &large) && !max_frame.legal.allows(16129, &large));
}
