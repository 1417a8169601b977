//! The flow table: exact match, true LRU replacement (design section 3).

/// What tells one TCP flow (one direction) from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlowKey {
    /// IPv6, else IPv4.
    pub v6: bool,
    /// An outer VLAN tag is there.
    pub vlan0: bool,
    /// An inner VLAN tag is there.
    pub vlan1: bool,
    /// Outer tag control information, 0 if absent.
    pub tag0: u16,
    /// Inner tag control information, 0 if absent.
    pub tag1: u16,
    /// Source address; IPv4 in the low 32 bits.
    pub src: u128,
    /// Destination address; IPv4 in the low 32 bits.
    pub dst: u128,
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
}

impl FlowKey {
    /// A few bits that differ between most flows, so that the search rarely compares whole keys.
    fn digest(&self) -> u64 {
        let addresses = (self.src ^ self.dst.rotate_left(13)) as u64
            ^ (self.src >> 64) as u64
            ^ (self.dst >> 64) as u64;
        addresses.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ u64::from(self.sport) << 16
            ^ u64::from(self.dport)
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: FlowKey,
    /// Value of the use counter when the entry was last used: the smallest one is the least recently used.
    used: u64,
}

/// The table. Slots keep their number while their entry lives.
#[derive(Clone, Debug)]
pub struct FlowTable {
    entries: Vec<Option<Entry>>,
    digests: Vec<u64>,
    uses: u64,
}

impl FlowTable {
    /// An empty table of `flows` slots.
    pub fn new(flows: usize) -> Self {
        Self {
            entries: vec![None; flows],
            digests: vec![0; flows],
            uses: 0,
        }
    }

    /// The slot that holds `key`. Does not refresh it.
    pub fn find(&self, key: &FlowKey) -> Option<usize> {
        let digest = key.digest();
        (0..self.entries.len()).find(|&slot| {
            self.digests[slot] == digest && self.entries[slot].is_some_and(|e| e.key == *key)
        })
    }

    /// Makes the entry of `slot` the most recently used one.
    pub fn refresh(&mut self, slot: usize) {
        self.uses += 1;
        if let Some(entry) = &mut self.entries[slot] {
            entry.used = self.uses;
        }
    }

    /// The slot that a new entry takes: the lowest-numbered free one, else (`evicts`) the least recently used one.
    pub fn place(&self) -> Placement {
        if let Some(slot) = self.entries.iter().position(Option::is_none) {
            return Placement {
                slot,
                evicts: false,
            };
        }
        let age = |slot: &usize| self.entries[*slot].map_or(0, |e| e.used);
        let slot = (0..self.entries.len()).min_by_key(age).unwrap_or(0);
        Placement { slot, evicts: true }
    }

    /// Puts `key` into `slot` as the most recently used entry; what was there is gone.
    pub fn insert(&mut self, slot: usize, key: FlowKey) {
        self.uses += 1;
        self.digests[slot] = key.digest();
        self.entries[slot] = Some(Entry {
            key,
            used: self.uses,
        });
    }

    /// Frees `slot`.
    pub fn remove(&mut self, slot: usize) {
        self.entries[slot] = None;
    }

    /// The key in `slot`.
    pub fn key(&self, slot: usize) -> Option<FlowKey> {
        self.entries.get(slot).copied().flatten().map(|e| e.key)
    }

    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.entries.len()
    }
}

/// Where a new entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The slot.
    pub slot: usize,
    /// The slot is taken: its entry is evicted.
    pub evicts: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u16) -> FlowKey {
        FlowKey {
            sport: n,
            ..FlowKey::default()
        }
    }

    fn add(table: &mut FlowTable, n: u16) -> Placement {
        let place = table.place();
        table.insert(place.slot, key(n));
        place
    }

    #[test]
    fn lowest_free_slot_is_taken_when_some_are_free() {
        let mut table = FlowTable::new(4);
        for n in 0..4 {
            assert_eq!(
                add(&mut table, n),
                Placement {
                    slot: usize::from(n),
                    evicts: false
                }
            );
        }
        table.remove(2);
        table.remove(1);
        assert_eq!(
            add(&mut table, 9),
            Placement {
                slot: 1,
                evicts: false
            }
        );
        assert_eq!(
            add(&mut table, 8),
            Placement {
                slot: 2,
                evicts: false
            }
        );
        assert_eq!(table.find(&key(1)), None);
        assert_eq!(table.find(&key(9)), Some(1));
    }

    #[test]
    fn least_recently_used_is_evicted_when_the_table_is_full() {
        let mut table = FlowTable::new(4);
        for n in 0..4 {
            add(&mut table, n);
        }
        table.refresh(0);
        table.refresh(2);
        // From oldest: 1, 3, 0, 2.
        for (n, slot) in [(10, 1), (11, 3), (12, 0), (13, 2), (14, 1)] {
            assert_eq!(add(&mut table, n), Placement { slot, evicts: true });
        }
    }

    #[test]
    fn entry_is_not_refreshed_when_only_looked_up() {
        let mut table = FlowTable::new(2);
        add(&mut table, 0);
        add(&mut table, 1);
        assert_eq!(table.find(&key(0)), Some(0));
        assert_eq!(
            table.place(),
            Placement {
                slot: 0,
                evicts: true
            }
        );
    }

    #[test]
    fn keys_are_told_apart_when_one_field_differs() {
        let base = FlowKey {
            src: 1,
            dst: 2,
            sport: 3,
            dport: 4,
            tag0: 5,
            tag1: 6,
            ..FlowKey::default()
        };
        let others = [
            FlowKey { v6: true, ..base },
            FlowKey {
                vlan0: true,
                ..base
            },
            FlowKey {
                vlan1: true,
                ..base
            },
            FlowKey { tag0: 6, ..base },
            FlowKey { tag1: 5, ..base },
            FlowKey {
                src: 1 | 1 << 127,
                ..base
            },
            FlowKey {
                dst: 2 | 1 << 64,
                ..base
            },
            FlowKey {
                sport: 4,
                dport: 3,
                ..base
            },
            FlowKey {
                src: 2,
                dst: 1,
                ..base
            },
            FlowKey { dport: 5, ..base },
        ];
        let mut table = FlowTable::new(16);
        table.insert(0, base);
        for (i, other) in others.iter().enumerate() {
            assert_eq!(table.find(other), None, "{other:?}");
            table.insert(i + 1, *other);
        }
        for (i, other) in others.iter().enumerate() {
            assert_eq!(table.find(other), Some(i + 1));
        }
    }

    #[test]
    fn table_agrees_with_a_list_when_driven_at_random() {
        // The list is the textbook LRU: most recently used at the back.
        for seed in 0..50u64 {
            let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut table = FlowTable::new(8);
            let mut list: Vec<FlowKey> = Vec::new();
            for step in 0..2000 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let key = key((state >> 20) as u16 % 12);
                match table.find(&key) {
                    Some(slot) => {
                        let at = list.iter().position(|k| *k == key);
                        assert!(
                            at.is_some(),
                            "seed {seed} step {step}: only the table knows it"
                        );
                        list.remove(at.unwrap());
                        if state & 7 == 0 {
                            table.remove(slot);
                        } else {
                            table.refresh(slot);
                            list.push(key);
                        }
                    }
                    None => {
                        assert!(
                            !list.contains(&key),
                            "seed {seed} step {step}: only the list knows it"
                        );
                        let place = table.place();
                        assert_eq!(place.evicts, list.len() == 8, "seed {seed} step {step}");
                        if place.evicts {
                            assert_eq!(
                                table.key(place.slot),
                                Some(list.remove(0)),
                                "seed {seed} step {step}"
                            );
                        }
                        table.insert(place.slot, key);
                        list.push(key);
                    }
                }
            }
        }
    }
}
